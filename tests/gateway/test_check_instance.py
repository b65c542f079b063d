"""What an instance would not take of what the frontend took: peg-gen sees to it, or names it."""

import socket

import pytest

from harness.changes import arrivals, check

CONF = {"DEFAULT_PRIORITY": 0}
RULE = "X-Priority /^1/ all 1\n"
STRICT = {
    **{
        name: "yes"
        for name in """
            strict_7bit_headers strict_8bitmime strict_8bitmime_body strict_mime_encoding_domain
            strict_rfc821_envelopes smtpd_helo_required smtpd_enforce_tls smtpd_tls_auth_only
            disable_mime_input_processing smtpd_reject_unlisted_recipient
            smtpd_reject_unlisted_sender
        """.split()
    },
    "smtpd_client_restrictions": "reject",
    "smtpd_data_restrictions": "reject",
    "smtpd_end_of_data_restrictions": "reject",
    "smtpd_tls_security_level": "encrypt",
    "mynetworks": "192.0.2.0/24",
    "local_recipient_maps": "inline:{a=b}",
    "relay_recipient_maps": "inline:{a=b}",
    "smtpd_client_connection_count_limit": "1",
    "smtpd_client_connection_rate_limit": "1",
    "smtpd_client_message_rate_limit": "1",
    "smtpd_client_recipient_rate_limit": "1",
    "smtpd_junk_command_limit": "1",
    "smtpd_recipient_limit": "1",
    "smtpd_hard_error_limit": "1",
    "smtpd_soft_error_limit": "1",
    "smtpd_forbidden_commands": "EHLO XFORWARD MAIL",
    "smtpd_discard_ehlo_keywords": "size, 8bitmime, dsn, xforward, smtputf8",
    "smtpd_milters": "unix:/nonexistent",
    "milter_default_action": "reject",
    "message_size_limit": "100",
    "mailbox_size_limit": "100",
    "virtual_mailbox_limit": "100",
    "queue_minfree": "1000000000000000000",
    "mime_nesting_limit": "1",
    "hopcount_limit": "3",
    "smtputf8_enable": "no",
    "cleanup_service_name": "strict",
}
CHECKS = ("header_checks", "body_checks", "mime_header_checks", "nested_header_checks")


def test_an_instance_takes_what_the_frontend_took_however_strict_it_is(checked_gateway, changes):
    table = checked_gateway.path("etc/reject_all")
    with open(table, "w") as file:
        file.write("/./ REJECT\n")
    changes.master(1, ("-Me", "strict/unix=strict unix n - n - 0 cleanup"))
    changes.main(1, **{**STRICT, **{name: "regexp:" + table for name in CHECKS}})
    assert check(checked_gateway) == (0, [])
    received = b"Received: from a by b; Thu, 01 Jan 2026 12:00:00 +0000\r\n"
    sent = checked_gateway.send(
        to=["jos\u00e9@dest.example", "amy@dest.example", "bob@dest.example"],
        priority_header="1",
        headers=[received] * 48 + [b"Content-Type: text/plain\r\n", b"X-8: gr\xfc\xdfe\r\n"],
        body=b"gr\xfc\xdfe\r\n" + b"x" * 900,
    )
    assert set(checked_gateway.delivered(sent).values()) == {1}


@pytest.mark.parametrize(
    "parameter, recipient",
    [
        ("resolve_numeric_domain", "bob@192.0.2.7"),
        ("resolve_null_domain", "bob@"),
        ("allow_min_user", "-bob@dest.example"),
    ],
)
def test_an_address_that_the_frontend_permits_and_an_instance_does_not(
    checked_gateway, changes, parameter, recipient
):
    changes.main("frontend", **{parameter: "yes"})
    status, lines = check(checked_gateway)
    assert status == 0
    assert [line.partition(": mail to ")[0] for line in lines] == [
        "%s/main.cf: warning: %s is yes in the frontend and not here"
        % (checked_gateway.config_dir(n), parameter)
        for n in (0, 1)
    ]
    assert list(arrivals(checked_gateway, recipient, 1)) == ["alice@source.example"]  # it came back
    changes.main(1, **{parameter: "yes"})
    (line,) = check(checked_gateway)[1]
    assert "postfix0" in line
    (delivered,) = arrivals(checked_gateway, recipient, 1).items()
    assert delivered[0] != "alice@source.example" and delivered[1] == 1


@pytest.mark.parametrize(
    "parameter, value, complaint",
    [
        ("inet_protocols", "ipv6", "the frontend reaches the instances at 127.0.0.1; add ipv4"),
        ("master_service_disable", "inet", "postfix1 would take no mail; take that out"),
        ("master_service_disable", "foo.unix 127.0.0.1:%d.inet", "postfix1 would take no mail"),
    ],
)
def test_an_instance_that_does_not_listen(checked_gateway, changes, parameter, value, complaint):
    if "%d" in value:
        value %= checked_gateway.ports.instance_base + 1
    changes.main(1, **{parameter: value})
    status, (line,) = check(checked_gateway)
    assert status == 1
    place = changes.line(1, "main.cf", "^%s =" % parameter)
    assert line.startswith("%s: %s = %s: " % (place, parameter, value)) and complaint in line
    checked_gateway.ctl("stop", "1", check=False)
    checked_gateway.ctl("start", "1", check=False)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", checked_gateway.ports.instance_base + 1)).close()


def test_a_frontend_that_cannot_reach_the_instances(private_gateway):
    gateway = private_gateway(priority_count=2, rules=RULE, conf=CONF, start=False)
    gateway.write()
    gateway.write_conf({**CONF, "FRONTEND_LISTEN": "[::1]:%d" % gateway.ports.frontend})
    gateway.gen("apply")
    gateway.set_postfix_conf("frontend", "inet_protocols", "ipv6")
    status, (line,) = check(gateway)
    assert status == 1
    assert "%s/main.cf:" % gateway.config_dir("frontend") in line and "add ipv4" in line
    gateway.frontend = ("::1", gateway.ports.frontend)
    gateway.run()
    sent = gateway.send(to=["bob@dest.example"], priority_header="1")
    gateway.log.wait_for("%s: to=<bob@dest.example>.*status=(deferred|bounced)" % sent.queue_id)


@pytest.mark.parametrize("instance", ["frontend", 1])
def test_programs_that_would_read_the_configuration_of_another_postfix(
    checked_gateway, changes, instance
):
    changes.main(instance, import_environment="MAIL_DEBUG, LANG=C")
    status, (line,) = check(checked_gateway)
    place = changes.line(instance, "main.cf", "^import_environment =")
    assert status == 1
    assert line.startswith("%s: import_environment = MAIL_DEBUG, LANG=C: programs of " % place)
    assert line.endswith("; add MAIL_CONFIG")
    changes.main(instance, import_environment="MAIL_CONFIG=%s" % checked_gateway.config_dir(instance))
    assert check(checked_gateway) == (0, [])
