"""A second frontend for mail that must not wait (URGENT_LISTEN): what peg-gen makes and checks."""

import re
import subprocess

import pytest

from harness.gateway import Gateway
from harness.recorder import Recorder
from harness.snmp import wait_until
from harness.urgent import FLASH, FRONTEND, TO, URGENT
from harness.urgent import check, connects, edit, listeners, pids, reloads, want


@pytest.fixture(scope="module", name="live")
def gateway_with_both():
    with Gateway(urgent=True) as gateway:
        yield gateway


# What apply makes


def test_its_mail_takes_the_same_ways(live):
    flash = live.send(at=live.urgent, to=[TO], headers=FLASH)
    routine = live.send(at=live.urgent, to=[TO])
    both = live.send(
        at=live.urgent,
        to=["gina@dest.example"],
        cc=["hugo@dest.example"],
        headers=[("X-XIMF-Primary-Precedence", "flash"), ("X-XIMF-Copy-Precedence", "priority")],
    )
    assert live.delivered(flash) == {TO: 4}
    assert live.delivered(routine) == {TO: 2}
    assert live.delivered(both) == {"gina@dest.example": 4, "hugo@dest.example": 3}
    for sent in (flash, routine, both):
        live.log.wait_for(r"%s/qmgr\S+: %s: removed" % (URGENT, sent.queue_id))
    assert live.log.find(FRONTEND + "/qmgr") == []


def test_mail_of_local_programs_goes_by_it_too(live):
    text = "To: %s\nX-Priority: 1\n\nflash\n" % TO
    subprocess.run(
        ["sendmail", "-C", live.config_dir("urgent"), "-f", "alice@source.example", TO],
        input=text.encode(), check=True,
    )
    (delivery,) = live.relay.wait_for(1)
    assert delivery.instance == 4


def test_a_second_apply_changes_nothing(live):
    before = pids(live)
    done = live.gen("apply")
    assert done.stdout.splitlines()[0] == "nothing to change"
    assert URGENT not in done.stdout
    assert live.gen("diff").stdout == "nothing to change\n"
    assert check(live) == (0, [])
    assert pids(live) == before


def test_it_is_one_of_postfix_s_instances(live):
    template = live.path("etc/postfix")
    listed = subprocess.run(
        ["postconf", "-c", template, "-hx", "multi_instance_directories"],
        stdout=subprocess.PIPE, check=True, text=True,
    ).stdout.split()
    assert live.config_dir("urgent") in listed
    conf = live.postfix_conf("urgent")
    assert conf["multi_instance_name"] == conf["syslog_name"] == URGENT
    assert conf["in_flow_delay"] == "0"
    assert conf["queue_directory"].endswith("/var/spool/postfix-urgent")


def test_values_of_its_own_concern_it_alone(live):
    before = pids(live)
    try:
        want(live, True, MAXIMAL_QUEUE_LIFETIME_FRONTEND="5000s", MAXIMAL_QUEUE_LIFETIME_URGENT="600s")
        live.gen("apply")
        want(live, True, MAXIMAL_QUEUE_LIFETIME_FRONTEND="5000s", MAXIMAL_QUEUE_LIFETIME_URGENT="700s")
        live.log.mark()
        done = live.gen("apply")
        assert "reloaded: postfix-urgent\n" in done.stdout
        assert live.postfix_conf("urgent", "maximal_queue_lifetime") == "700s"
        assert live.postfix_conf("frontend", "maximal_queue_lifetime") == "5000s"
        assert reloads(live, URGENT) == 1 and reloads(live, FRONTEND) == 0
        assert pids(live) == before
    finally:
        want(live, True)
        live.gen("apply")


def test_what_an_operator_adds_to_its_listener_stays(live):
    port = live.ports.urgent
    edit(live, "-Pe", "127.0.0.1:%d/inet/smtpd_client_connection_count_limit=7" % port)
    try:
        done = live.gen("apply")
        assert done.stdout.splitlines()[0] == "nothing to change"
        assert "=7" in listeners(live)["127.0.0.1:%d" % port]
    finally:
        edit(live, "-PX", "127.0.0.1:%d/inet/smtpd_client_connection_count_limit" % port)


def test_its_listeners_follow_the_configuration(live):
    port, spare = live.ports.urgent, live.ports.spare[0]
    try:
        want(live, True, URGENT_LISTEN="127.0.0.1:%d [::1]:%d" % (spare, port))
        live.gen("apply")
        assert set(listeners(live)) == {"127.0.0.1:%d" % spare, "[::1]:%d" % port}
        sent = live.send(at=("127.0.0.1", spare), to=[TO], headers=FLASH)
        assert live.delivered(sent) == {TO: 4}
        assert not connects(live.urgent)
    finally:
        want(live, True)
        live.gen("apply")
    wait_until(lambda: connects(live.urgent), lambda: "it does not listen again")


def test_a_bounce_in_it_runs_its_bounce_command(live):
    recorder = Recorder(live.root)
    commands = {"BOUNCE_COMMAND_FRONTEND": "/bin/false", "BOUNCE_COMMAND_URGENT": recorder.command}
    want(live, True, **commands)
    live.gen("apply")
    live.ctl("stop", "3")
    try:
        sent = live.send(at=live.urgent, to=[TO], priority_header="2")
        live.log.wait_for("%s: to=<%s>.*status=deferred" % (sent.queue_id, TO))
        live.postsuper("urgent", "-e", sent.queue_id)
        live.flush("urgent")
        (call,) = recorder.wait_for(1)
    finally:
        want(live, True)
        live.gen("apply")
        live.ctl("start", "3")
    assert call.facts["INSTANCE"] == URGENT and call.facts["PRIORITY"] == ""
    assert call.recipients == [TO]


# What check says


@pytest.mark.parametrize(
    "words, undo, status, complaint",
    [
        (["-Fe", "cleanup/unix/chroot=y"], ["-Fe", "cleanup/unix/chroot=n"], 1,
         "cleanup/unix is chrooted, and does not reach peg-milter"),
        (["-e", "mail_owner=nobody"], ["-e", "mail_owner=postfix"], 1,
         "mail_owner = nobody: this user does not reach peg-milter"),
        (["-e", "always_bcc=x@y.example"], ["-X", "always_bcc"], 0, "always_bcc = x@y.example adds"),
        (["-Pe", "cleanup/unix/non_smtpd_milters=unix:peg/milter"],
         ["-PX", "cleanup/unix/non_smtpd_milters"], 0,
         "; add unix:{root}/var/spool/postfix-frontend/peg/milter"),
    ],
)
def test_what_keeps_its_mail_from_peg_milter_is_found(live, words, undo, status, complaint):
    edit(live, *words)
    try:
        found, lines = check(live)
    finally:
        edit(live, *undo)
    assert found == status
    assert len(lines) == 1 and complaint.format(root=live.root) in lines[0]
    assert re.match(re.escape(live.config_dir("urgent")) + r"/(main|master)\.cf:\d+: ", lines[0])


def test_a_port_that_another_has_is_refused(live, private_gateway):
    other = private_gateway(start=False, urgent=True)
    other.write()
    want(other, True, URGENT_LISTEN="127.0.0.1:%d" % live.ports.frontend)
    status, lines = check(other)
    assert status == 1
    assert lines == [
        "postfix-urgent: another program listens on port %d of 127.0.0.1 already, and both would "
        "get a part of the mail; stop that one first" % live.ports.frontend
    ]


@pytest.mark.parametrize(
    "frontend, urgent, taken",
    [
        ("25", "smtp", "smtp is taken by 25"),
        ("25", "192.0.2.7:25", "192.0.2.7:25 is taken by 25"),
        ("[::1]:25 a.example:25", "26 A.example:25", "A.example:25 is taken by a.example:25"),
    ],
)
def test_a_port_is_for_one_frontend(live, frontend, urgent, taken):
    try:
        want(live, True, FRONTEND_LISTEN=frontend, URGENT_LISTEN=urgent)
        status, lines = check(live)
        assert status == 1
        assert "URGENT_LISTEN: %s of FRONTEND_LISTEN; use another port or " % taken in lines[0]
    finally:
        want(live, True)


def test_services_have_names(live):
    try:
        want(live, True, FRONTEND_LISTEN="smtp", URGENT_LISTEN="submission")
        _, lines = check(live)
        assert not [line for line in lines if "is taken by" in line]
        want(live, True, URGENT_LISTEN="no-such-service")
        status, lines = check(live)
        assert status == 1 and "URGENT_LISTEN: no service no-such-service in" in lines[0]
    finally:
        want(live, True)


@pytest.mark.parametrize(
    "urgent, other",
    [
        ("[0:0:0:0:0:0:0:1]:{0}", "[::1]:{0}"),
        ("localhost:{0}", "127.0.0.1:{0}"),
        ("127.0.0.1:{0}", "0.0.0.0:{0}"),
        ("127.0.0.1:0{0}", "127.0.0.1:{0}"),
    ],
)
def test_an_address_in_another_form_is_the_same(live, urgent, other):
    urgent, other = (form.format(live.ports.spare[1]) for form in (urgent, other))
    try:
        want(live, True, URGENT_LISTEN=urgent, FRONTEND_LISTEN=other)
        status, lines = check(live)
    finally:
        want(live, True)
    assert status == 1
    assert "URGENT_LISTEN: %s is taken by %s of FRONTEND_LISTEN" % (urgent, other) in lines[0]


def test_a_user_who_does_not_reach_peg_milter_is_found_before_it_is_made(private_gateway):
    gateway = private_gateway(start=False)
    gateway.write()
    gateway.gen("apply")
    edit(gateway, "-e", "mail_owner=daemon", instance="frontend")
    want(gateway, True)
    status, (line,) = check(gateway)
    assert status == 1 and line.startswith(gateway.path("etc/postfix/main.cf"))
    assert "mail_owner = postfix: this user does not reach peg-milter" in line


def test_a_template_with_chroot_makes_one_without(private_gateway):
    gateway = private_gateway(start=False)
    gateway.write()
    subprocess.run(
        ["postconf", "-c", gateway.path("etc/postfix"), "-Fe", "*/*/chroot=y"], check=True
    )
    want(gateway, True)
    gateway.gen("apply")
    gateway.run()
    sent = gateway.send(at=gateway.urgent, to=[TO], headers=FLASH)
    assert gateway.delivered(sent) == {TO: 4}
