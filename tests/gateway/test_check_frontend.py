"""What keeps mail in the frontend from peg-milter, or changes it behind it, and that it does so.

peg-gen check names it; and a gateway in which it was done sends mail another way.
"""

import os

import pytest

from harness.changes import arrivals, check, listener


def past_the_instances(gateway):
    return "smtp:[127.0.0.1]:%d" % gateway.ports.relay


FRONTEND_OPTIONS = {
    "no milter": ("{smtpd}/smtpd_milters=", "does not name peg-milter"),
    "another milter": ("{smtpd}/smtpd_milters=unix:/nonexistent", "does not name peg-milter"),
    "milters off": ("{smtpd}/receive_override_options=no_milters", "keeps mail from peg-milter"),
    "a milter map": ("{smtpd}/smtpd_milter_maps=inline:{{127.0.0.1=DISABLE}}", "other milters"),
    "a bcc": ("cleanup/unix/always_bcc=new@{domain}", "adds recipients"),
    "a recipient's bcc": (
        "cleanup/unix/recipient_bcc_maps=inline:{{{to}=new@{domain}}}",
        "adds recipients",
    ),
    "a sender's bcc": (
        "cleanup/unix/sender_bcc_maps=inline:{{alice@source.example=new@{domain}}}",
        "adds recipients",
    ),
}
MAPS = ["virtual_alias_maps", "canonical_maps", "recipient_canonical_maps"]
SENDMAIL_OPTIONS = {
    "no milter": ("cleanup/unix/non_smtpd_milters=", "does not name peg-milter"),
    "milters off": ("pickup/unix/receive_override_options=no_milters", "keeps mail from peg-mi"),
}


def expect_misrouted(checked_gateway, changes, option, complaint, domain, by_sendmail):
    to = "bob@" + domain
    option = option.format(smtpd=listener(checked_gateway), to=to, domain=domain)
    changes.master("frontend", ("-Pe", option))
    service, parameter = option.partition("=")[0].rsplit("/", 1)
    status, lines = check(checked_gateway)
    assert status == 0
    (line,) = lines
    place = changes.line("frontend", "master.cf", " -o %s=" % parameter)
    assert line.startswith("%s: warning: %s -o %s=" % (place, service, parameter))
    assert complaint in line
    wanted = 2 if "adds" in complaint else 1
    found = arrivals(checked_gateway, to, wanted, by_sendmail)
    assert 0 in found.values(), found


@pytest.mark.parametrize("option, complaint", FRONTEND_OPTIONS.values(), ids=FRONTEND_OPTIONS)
def test_an_option_in_the_frontend_that_misroutes_mail(checked_gateway, changes, option, complaint):
    domain = "d%d.example" % list(FRONTEND_OPTIONS.values()).index((option, complaint))
    expect_misrouted(checked_gateway, changes, option, complaint, domain, by_sendmail=False)


@pytest.mark.parametrize("option, complaint", SENDMAIL_OPTIONS.values(), ids=SENDMAIL_OPTIONS)
def test_an_option_in_the_frontend_that_misroutes_local_mail(
    checked_gateway, changes, option, complaint
):
    domain = "s%d.example" % list(SENDMAIL_OPTIONS.values()).index((option, complaint))
    expect_misrouted(checked_gateway, changes, option, complaint, domain, by_sendmail=True)


@pytest.mark.parametrize("name", MAPS)
def test_a_cleanup_of_the_operators_own_maps_nothing(checked_gateway, changes, name):
    domain = name.partition("_")[0] + ".example"
    table = "inline:{bob@%s=new@%s}" % (domain, domain)
    changes.main("frontend", **{name: table})
    changes.master("frontend", ("-Me", "own/unix=own unix n - n - 0 cleanup"),
                   ("-Pe", "own/unix/%s=%s" % (name, table)),
                   ("-Pe", listener(checked_gateway) + "/cleanup_service_name=own"))
    assert arrivals(checked_gateway, "bob@" + domain, 1) == {"new@" + domain: 0}
    assert "own/unix/%s = (was: %s)" % (name, table) in checked_gateway.gen("apply").stdout
    assert checked_gateway.gen("diff").stdout == "nothing to change\n"
    assert check(checked_gateway) == (0, [])
    assert arrivals(checked_gateway, "bob@" + domain, 1) == {"bob@" + domain: 1}


def test_milters_that_are_off_in_the_whole_frontend_are_an_error(checked_gateway, changes):
    changes.main("frontend", receive_override_options="no_milters")
    status, (line,) = check(checked_gateway)
    place = changes.line("frontend", "main.cf", "^receive_override_options")
    assert status == 1
    assert line.startswith(place + ": receive_override_options = no_milters: peg-milter is never")
    assert arrivals(checked_gateway, "bob@never.example", 1) == {"bob@never.example": 0}
    assert checked_gateway.gen("apply", check=False).returncode == 1


@pytest.mark.parametrize("parameter", ["content_filter", "smtpd_proxy_filter"])
def test_a_filter_that_takes_mail_past_the_instances(checked_gateway, changes, parameter):
    value = past_the_instances(checked_gateway)
    if parameter == "smtpd_proxy_filter":
        value = "127.0.0.1:%d" % checked_gateway.ports.relay
    changes.main("frontend", **{parameter: value})
    status, (line,) = check(checked_gateway)
    assert status == 0
    assert line.startswith(
        "%s: warning: %s = %s takes "
        % (changes.line("frontend", "main.cf", "^" + parameter), parameter, value)
    )
    found = arrivals(checked_gateway, "bob@past.example", 1)
    assert found == {"bob@past.example": "postfix-frontend"}


@pytest.mark.parametrize("action", ["REDIRECT new@t.example", "BCC new@t.example", "FILTER"])
@pytest.mark.parametrize("parameter", ["header_checks", "smtpd_recipient_restrictions"])
def test_an_entry_of_a_table_that_moves_recipients(checked_gateway, changes, parameter, action):
    if action == "FILTER":
        action += " " + past_the_instances(checked_gateway)
    table = checked_gateway.path("etc/postfix-frontend/own_table")
    with open(table, "w") as file:
        file.write("# /^Received:/ %s\n\n/^Subject: test/ %s\n/bob@/ %s\n" % ((action,) * 3))
    value = "regexp:$config_directory/own_table"
    if parameter != "header_checks":
        value = "check_recipient_access " + value
    changes.main("frontend", **{parameter: value})
    status, lines = check(checked_gateway)
    assert status == 0
    assert [line.partition(" in the frontend's ")[0] for line in lines] == [
        "%s:%d: warning: %s" % (table, number, action.split()[0]) for number in (3, 4)
    ]
    name = "%s%d.example" % (action.split()[0], len(parameter))
    found = arrivals(checked_gateway, "bob@" + name, 2 if "BCC" in action else 1)
    assert set(found.values()) & {0, "postfix-frontend"}, found
    os.unlink(table)


def test_a_filter_that_leads_to_an_instance_is_the_operators_wish(checked_gateway, changes):
    port = checked_gateway.ports.instance_base + 1
    table = checked_gateway.path("etc/postfix-frontend/own_table")
    with open(table, "w") as file:
        file.write("/^Subject: urgent/ FILTER peg1:[127.0.0.1]:%d\n" % port)
    changes.main("frontend", header_checks="regexp:" + table)
    assert check(checked_gateway) == (0, [])
    os.unlink(table)


def test_another_milter_is_named(checked_gateway, changes):
    changes.main("frontend", smtpd_milters="unix:peg/milter, unix:/other")
    status, (line,) = check(checked_gateway)
    assert status == 0 and "recipients that another milter adds go to the default" in line


HARMLESS = {
    "rewriting": {
        "swap_bangpath": "no",
        "allow_percent_hack": "no",
        "append_dot_mydomain": "yes",
        "recipient_delimiter": "+",
        "resolve_dequoted_address": "no",
        "owner_request_special": "no",
    },
}
ADDRESSES = {
    "dest.example!amy": "dest.example!amy@origin.example",
    "ben%dest.example": "ben%dest.example@origin.example",
    "cat@nodot": "cat@nodot.gateway.example",
    "dan+x@dest.example": "dan+x@dest.example",
    '"e@b"@dest.example': '"e@b"@dest.example',
    "owner-fay@dest.example": "owner-fay@dest.example",
}


def test_rewriting_holds_for_milter_and_lookup_alike(checked_gateway, changes):
    changes.main("frontend", **HARMLESS["rewriting"])
    assert check(checked_gateway) == (0, [])
    for given, arrives_as in ADDRESSES.items():
        assert arrivals(checked_gateway, given, 1) == {arrives_as: 1}


def test_chrooted_services_reach_the_milter(checked_gateway, changes):
    names = (listener(checked_gateway), "cleanup/unix", "pickup/unix")
    changes.master("frontend", *(("-Fe", name + "/chroot=y") for name in names))
    assert check(checked_gateway) == (0, [])
    assert arrivals(checked_gateway, "bob@jail.example", 1) == {"bob@jail.example": 1}
    found = arrivals(checked_gateway, "amy@jail.example", 1, by_sendmail=True)
    assert found == {"amy@jail.example": 1}


def test_a_time_of_the_queue_manager_that_a_claim_does_not_survive(checked_gateway, changes):
    changes.master("frontend", ("-Pe", "qmgr/unix/maximal_backoff_time=20m"))
    status, (line,) = check(checked_gateway)
    assert status == 0
    place = changes.line("frontend", "master.cf", " -o maximal_backoff_time=")
    assert line.startswith(place + ": warning: qmgr/unix -o maximal_backoff_time=20m: DECISION_LIF")
    assert "at least 2460 s" in line
