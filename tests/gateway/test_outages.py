"""What happens to mail while a part of the gateway is away, and when it comes back.

With peg-milter away mail flows at the default priority. With peg-tcpmap or an instance away mail is
accepted and waits in the frontend's queue, and goes its own way once they are back.
"""

import signal

import pytest

from harness.gateway import Gateway
from harness.queues import queue_manager

SECONDS = 10  # a message that waited for a part is there so soon after `peg-ctl start`
PARTS = ["peg-milter", "peg-tcpmap"] + ["postfix%d" % n for n in range(5)]
PARTS += ["postfix-frontend", "peg-monitor"]


@pytest.fixture(scope="module", name="frail_gateway")
def gateway_of_these_tests():
    with Gateway() as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def everything_runs_in_the_end(frail_gateway):
    yield
    frail_gateway.start_milter()


def waits_in_the_frontend(gateway, sent, recipient):
    """Wait until the frontend has tried and deferred the message to one of its recipients."""
    gateway.log.wait_for(
        r"postfix-frontend/\S+: %s: to=<%s>.*status=deferred" % (sent.queue_id, recipient)
    )
    assert recipient not in [d.recipient for d in gateway.relay.deliveries_for(sent.tag)]
    (queued,) = [m for m in gateway.queue("frontend") if m["queue_id"] == sent.queue_id]
    assert recipient in [r["address"] for r in queued["recipients"]]


def running(gateway):
    """{part: "running (pid N)"} as peg-ctl status says, for what runs."""
    lines = gateway.ctl("status", check=False).stdout.splitlines()
    words = [line.split(None, 1) for line in lines]
    return {name: state for name, state in words if state != "not running"}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_without_the_milter_mail_flows_at_the_default_priority(frail_gateway, signal_number):
    anna, bert = "anna@%d.example" % signal_number, "bert@%d.example" % signal_number
    frail_gateway.stop_milter(signal_number)
    sent = frail_gateway.send(to=[anna], cc=[bert], priority_header="1")
    assert frail_gateway.delivered(sent) == {anna: 2, bert: 2}
    frail_gateway.ctl("start")
    again = frail_gateway.send(to=[anna], priority_header="1")
    assert frail_gateway.delivered(again) == {anna: 4}


def test_a_connection_that_outlives_the_milter_goes_on_at_the_default_priority(frail_gateway):
    with frail_gateway.sender() as sender:
        before = sender.send(to=["carl@dest.example"], priority_header="1")
        frail_gateway.stop_milter(signal.SIGKILL)
        after = sender.send(to=["dora@dest.example"], priority_header="1")
    assert frail_gateway.delivered(before) == {"carl@dest.example": 4}
    assert frail_gateway.delivered(after) == {"dora@dest.example": 2}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_without_the_lookup_server_mail_waits_and_then_goes_its_own_way(
    frail_gateway, signal_number
):
    frail_gateway.stop_tcpmap(signal_number)
    name = "%d.example" % signal_number
    with frail_gateway.sender() as sender:
        bulk = sender.send(to=["emil@" + name], priority_header="5")
        flash = sender.send(to=["emil@" + name], priority_header="1")
        split = sender.send(
            to=["emil@" + name],
            cc=["fred@" + name],
            primary_precedence="priority",
            copy_precedence="flash",
        )
    assert frail_gateway.relay.deliveries == []
    frail_gateway.ctl("start")
    assert frail_gateway.delivered(bulk, SECONDS + 10) == {"emil@" + name: 0}
    assert frail_gateway.delivered(flash, SECONDS) == {"emil@" + name: 4}
    assert frail_gateway.delivered(split, SECONDS) == {"emil@" + name: 3, "fred@" + name: 4}


def test_mail_that_was_deferred_for_want_of_the_lookup_server_leaves_when_it_starts(frail_gateway):
    frail_gateway.stop_tcpmap()
    sent = frail_gateway.send(to=["gina@dest.example"], priority_header="1")
    # Postfix tries for 10 s before it defers.
    waits_in_the_frontend(frail_gateway, sent, "gina@dest.example")
    frail_gateway.ctl("start")
    assert frail_gateway.delivered(sent, SECONDS) == {"gina@dest.example": 4}


def test_while_an_instance_is_away_its_mail_waits_and_other_priorities_flow(frail_gateway):
    frail_gateway.ctl("stop", "4")
    flash = frail_gateway.send(to=["hugo@dest.example"], priority_header="1")
    split = frail_gateway.send(
        to=["ida@dest.example"], cc=["jan@dest.example"], primary_precedence="flash"
    )
    bulk = frail_gateway.send(to=["kurt@dest.example"], priority_header="5")
    assert frail_gateway.delivered(bulk) == {"kurt@dest.example": 0}
    waits_in_the_frontend(frail_gateway, flash, "hugo@dest.example")
    waits_in_the_frontend(frail_gateway, split, "ida@dest.example")
    frail_gateway.ctl("start", "4")
    assert frail_gateway.delivered(flash, SECONDS) == {"hugo@dest.example": 4}
    assert frail_gateway.delivered(split, SECONDS) == {
        "ida@dest.example": 4,
        "jan@dest.example": 2,
    }


def test_mail_in_the_queue_keeps_its_decision_though_everything_else_is_killed(frail_gateway):
    frail_gateway.ctl("stop", "0")
    bulk = frail_gateway.send(to=["lena@dest.example"], priority_header="5")
    waits_in_the_frontend(frail_gateway, bulk, "lena@dest.example")
    for part in PARTS:
        if part != "postfix0":
            frail_gateway.kill(part)
    assert running(frail_gateway) == {}
    frail_gateway.ctl("start", "milter", "tcpmap", "1", "2", "3", "4", "frontend")
    flash = frail_gateway.send(to=["lena@dest.example"], priority_header="1")
    assert frail_gateway.delivered(flash) == {"lena@dest.example": 4}
    frail_gateway.ctl("start")
    assert frail_gateway.delivered(bulk, SECONDS) == {"lena@dest.example": 0}


def test_mail_in_the_queue_keeps_its_decision_over_a_restart(frail_gateway):
    frail_gateway.ctl("stop", "0")
    bulk = frail_gateway.send(to=["mara@dest.example"], priority_header="5")
    waits_in_the_frontend(frail_gateway, bulk, "mara@dest.example")
    frail_gateway.ctl("restart")
    assert frail_gateway.delivered(bulk, SECONDS) == {"mara@dest.example": 0}


def test_mail_that_waits_for_an_instance_finds_it_though_the_ports_have_changed(frail_gateway):
    bulk = frail_gateway.send(to=["sara@dest.example"], priority_header="5")
    frail_gateway.delivered(bulk)
    frail_gateway.ctl("stop", "4")
    flash = frail_gateway.send(to=["sara@dest.example"], priority_header="1")
    assert frail_gateway.decision(flash).way == "filter"
    waits_in_the_frontend(frail_gateway, flash, "sara@dest.example")
    try:
        # Either it is refused while mail waits, or the mail that waits is taken along.
        frail_gateway.write_conf({"INSTANCE_PORT_BASE": frail_gateway.ports.instance_base + 1})
        frail_gateway.gen("apply", check=False)
        frail_gateway.ctl("start")
        assert frail_gateway.delivered(flash, SECONDS) == {"sara@dest.example": 4}
    finally:
        frail_gateway.write_conf({})
        frail_gateway.ctl("start")
        frail_gateway.gen("apply")
        frail_gateway.flush("frontend")


def test_mail_is_not_lost_when_the_relay_is_away(frail_gateway):
    with frail_gateway.relay.away():
        sent = frail_gateway.send(to=["nora@dest.example"], priority_header="1")
        frail_gateway.log.wait_for(r"postfix4/smtp\S+: .*<nora@dest.example>.*status=deferred")
    frail_gateway.flush(4)
    assert frail_gateway.delivered(sent) == {"nora@dest.example": 4}


def test_status_names_every_part_and_says_what_runs(frail_gateway):
    done = frail_gateway.ctl("status")
    assert [line.split()[0] for line in done.stdout.splitlines()] == PARTS
    assert all(" running (pid " in line for line in done.stdout.splitlines())
    frail_gateway.ctl("stop", "3")
    frail_gateway.stop_milter(signal.SIGKILL)
    done = frail_gateway.ctl("status", check=False)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.endswith(" not running")] == [
        "peg-milter not running",
        "postfix3 not running",
    ]


def test_starting_what_runs_changes_nothing(frail_gateway):
    before = running(frail_gateway)
    assert sorted(before) == sorted(PARTS)
    done = frail_gateway.ctl("start")
    assert (done.stdout, done.stderr) == ("", "")
    assert running(frail_gateway) == before


def test_restart_of_one_part_leaves_the_others_alone(frail_gateway):
    before = running(frail_gateway)
    manager = queue_manager(frail_gateway, "frontend")
    frail_gateway.ctl("restart", "tcpmap", "1")
    after = running(frail_gateway)
    assert queue_manager(frail_gateway, "frontend") == manager
    assert {part for part in PARTS if before[part] != after[part]} == {"peg-tcpmap", "postfix1"}
    sent = frail_gateway.send(to=["otto@dest.example"], priority_header="4")
    assert frail_gateway.delivered(sent) == {"otto@dest.example": 1}


def test_restart_replaces_everything_and_mail_flows(frail_gateway):
    before = running(frail_gateway)
    frail_gateway.ctl("restart")
    after = running(frail_gateway)
    assert [part for part in PARTS if before[part] == after[part]] == []
    sent = frail_gateway.send(to=["paul@dest.example"], priority_header="2")
    assert frail_gateway.delivered(sent) == {"paul@dest.example": 3}


def test_nothing_is_left_running_after_stop_and_stopping_again_is_fine(frail_gateway):
    frail_gateway.ctl("stop")
    assert frail_gateway.leftovers() == {}
    done = frail_gateway.ctl("stop")
    assert (done.stdout, done.stderr) == ("", "")
    assert frail_gateway.ctl("status", check=False).returncode == 1
    frail_gateway.ctl("start")
    sent = frail_gateway.send(to=["rita@dest.example"], priority_header="1")
    assert frail_gateway.delivered(sent) == {"rita@dest.example": 4}
