"""The urgent frontend (URGENT_LISTEN): a Postfix of its own for mail that must not wait.

Decisions, claims and instances are those of the other frontend: mail of both for one recipient may
be on its way at the same time, at different priorities.
"""

import concurrent.futures
import os
import signal

import pytest

from harness import keeper, processes, timeshift, torture
from harness.backlog import CONF
from harness.gateway import Gateway
from harness.installation import ToolFailed
from harness.mail import compose, new_tag
from harness.milter_client import MilterClient
from harness.outcome import Outcome
from harness.plan import PRIORITIES, RULES, Plan, headers, send_all, way_of_mail
from harness.queues import release, send_to_hold
from harness.recorder import Recorder
from harness.timeshift import TimeShift
from harness.waiting import Waiting

SECONDS = 10  # a message that waited for a part is there so soon after `peg-ctl start`
HOURS_S = 2 * 3600  # far more than DECISION_LIFETIME
BOTH = ["urgent", "frontend"]
OTHER = {"urgent": "frontend", "frontend": "urgent"}


@pytest.fixture(scope="module", name="double")
def gateway_of_these_tests():
    with Gateway(rules=RULES, urgent=True, template_conf=CONF) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def everything_runs_and_nothing_waits_in_the_end(double):
    yield
    double.start_milter()
    for frontend in BOTH:
        double.postsuper(frontend, "-d", "ALL")


def send(gateway, frontend, **message):
    return gateway.send(at=getattr(gateway, frontend), **message)


def new(name):
    return "%s.%s@dest.example" % (name, new_tag())


def wait_until_deferred(gateway, frontend, sent):
    gateway.log.wait_for(r"postfix-%s/\S+: %s: .*status=deferred" % (frontend, sent.queue_id))


# Mail


def test_urgent_mail_goes_by_the_priority_of_each_recipient(double):
    anna, bert, carl = new("anna"), new("bert"), new("carl")
    sent = send(double, "urgent", to=[anna], cc=[bert], headers=headers(4, 1))
    assert double.delivered(sent) == {anna: 4, bert: 1}
    by_default = send(double, "urgent", to=[carl])
    assert double.delivered(by_default) == {carl: 2}
    for arrived in double.arrived(sent):
        assert arrived.content.endswith(sent.content)


def test_mail_of_local_programs_in_the_urgent_frontend_is_decided_upon(double):
    tag, to = new_tag(), new("dora")
    content = compose(tag, to=[to], headers=headers(3))
    double.sendmail("-f", "a@source.example", to, stdin=content, frontend="urgent")
    (arrived,) = double.relay.wait_for(1, tag=tag)
    assert (arrived.recipient, arrived.instance) == (to, 3)


@pytest.mark.parametrize("holder", BOTH)
def test_mail_in_one_frontend_and_a_rival_in_the_other_both_go_their_own_way(double, holder):
    kept, beside = new("emil"), new("fred")
    (waiting,) = send_to_hold(double, [dict(to=[kept], headers=headers(4))], holder)
    rival = send(double, OTHER[holder], to=[kept], headers=headers(0))
    split = send(double, OTHER[holder], to=[kept], cc=[beside], headers=headers(1, 3))
    same = send(double, OTHER[holder], to=[kept], headers=headers(4))
    assert [double.decision(s).way for s in (rival, split, same)] == ["filter", "respell", "plain"]
    assert double.delivered(rival) == {kept: 0}
    assert double.delivered(split) == {kept: 1, beside: 3}
    assert double.delivered(same) == {kept: 4}
    release(double, holder)
    assert double.delivered(waiting) == {kept: 4}


def test_a_flood_through_both_frontends_to_the_same_recipients_is_exact(double):
    dice = torture.dice()
    shared = [new("r%d" % n) for n in range(6)]
    halves = [[Plan(dice, shared) for _ in range(200)] for _ in BOTH]
    with concurrent.futures.ThreadPoolExecutor(len(BOTH)) as threads:
        places = [double.urgent, double.frontend]
        sent = list(threads.map(lambda half, at: send_all(double, half, 4, at), halves, places))
    double.wait_until_empty(timeout=60)
    decisions = double.decisions()
    ways = set()
    for plan, message in sent[0] + sent[1]:
        decision = decisions[message.queue_id]
        ways.add(decision.way)
        outcome = Outcome(plan, message, decision, double.relay.deliveries_for(message.tag))
        assert outcome.inexact == [], message
        double.check_exact(message)
    assert ways == {"plain", "filter", "respell"}


# What is remembered


@pytest.fixture(name="time")
def time_of_the_gateway(double):
    if not timeshift.is_possible():
        pytest.skip("time namespaces are not to be had here")
    double.begin_anew()
    yield TimeShift(double)
    double.under = {}
    double.has_urgent = True
    double.write_conf({})
    double.begin_anew()


def on_hold(gateway, frontend):
    return Waiting(gateway, lambda messages: send_to_hold(gateway, messages, frontend))


def test_claims_of_mail_that_waits_in_the_urgent_frontend_alone_stay(time, double):
    waiting = on_hold(double, "urgent")
    time.let_pass(HOURS_S)
    keeper.look(double, times=2)
    waiting.defend_their_keys()
    keeper.tidy(double, "--force")
    waiting.check_recorded()
    release(double, "urgent")
    waiting.check_delivered()
    time.let_pass(HOURS_S)
    keeper.look(double, times=2)
    address = next(address for address, priority in waiting.keys.items() if priority == 4)
    assert way_of_mail(double, address, 0) == "plain"


def test_an_urgent_frontend_that_was_taken_away_is_asked_while_it_is_there(time, double):
    address = new("gina")
    (waiting,) = send_to_hold(double, [dict(to=[address], headers=headers(4))], "urgent")
    double.has_urgent = False
    double.write_conf({})
    time.let_pass(HOURS_S)
    keeper.look(double, times=2)
    assert way_of_mail(double, address, 0) == "filter"
    double.has_urgent = True
    double.write_conf({})
    release(double, "urgent")
    assert double.delivered(waiting) == {address: 4}


@pytest.mark.parametrize("is_set", [True, False])
def test_nothing_is_forgotten_while_the_urgent_frontend_does_not_answer(time, double, is_set):
    address = new("hugo")
    double.send(to=[address], headers=headers(4))
    double.wait_until_empty()
    double.ctl("stop", "urgent")
    double.has_urgent = is_set
    double.write_conf({})
    time.let_pass(HOURS_S, start_frontend=False)
    double.ctl("start", "frontend")
    for _ in range(2):
        with pytest.raises(ToolFailed, match="cannot see all of the urgent frontend's queue: "):
            keeper.tidy(double)
    assert way_of_mail(double, address, 0) == "filter"
    double.has_urgent = True
    double.write_conf({})
    double.ctl("start")
    keeper.look(double, times=2)
    time.let_pass(HOURS_S)
    keeper.look(double, times=2)
    assert way_of_mail(double, address, 0) == "plain"


def test_messages_with_the_same_queue_id_are_told_apart(double):
    ida, jan = new("ida"), new("jan")
    for name, address, priority in (("postfix-urgent", ida, 4), ("postfix-frontend", jan, 1)):
        socket = "unix:" + double.milter_socket()
        with MilterClient(socket, macros={"v": name + " 3.7.11"}) as postfix:
            header = [("To", address), ("X-To-Priority", str(priority))]
            postfix.message("a@source.example", [address], header, queue_id="4SAME0")
    said = double.tool("peg-explain", "--queue-id", "4SAME0").stdout.splitlines()
    assert [line.split(": decided")[0] for line in said[::2]] == ["urgent/4SAME0", "4SAME0"]
    assert said[1].startswith("%s: rule 9, priority 4, instance postfix4" % ida)
    assert said[3].startswith("%s: rule 3, priority 1, instance postfix1" % jan)
    urgent = double.tool("peg-explain", "--queue-id", "urgent/4SAME0").stdout.splitlines()
    assert urgent == said[:2]


# Parts that are away


def test_without_the_milter_urgent_mail_flows_at_the_default_priority(double):
    kurt = new("kurt")
    double.stop_milter()
    sent = send(double, "urgent", to=[kurt], headers=headers(4))
    assert double.delivered(sent) == {kurt: 2}


def test_mail_of_both_that_waited_for_the_lookup_server_leaves_when_it_starts(double):
    double.stop_tcpmap(signal.SIGKILL)
    sent = [send(double, name, to=[new("lena")], headers=headers(4)) for name in BOTH]
    for name, message in zip(BOTH, sent):
        wait_until_deferred(double, name, message)  # Postfix tries for 10 s before it defers
    double.ctl("start")
    for message in sent:
        assert set(double.delivered(message, SECONDS).values()) == {4}


def test_mail_of_both_that_waited_for_an_instance_leaves_when_it_starts(double):
    double.ctl("stop", "3")
    sent = [send(double, name, to=[new("mara")], headers=headers(3)) for name in BOTH]
    for name, message in zip(BOTH, sent):
        wait_until_deferred(double, name, message)
    double.ctl("start", "3")
    for message in sent:
        assert set(double.delivered(message, SECONDS).values()) == {3}


def test_the_urgent_frontend_is_stopped_and_started_by_itself(double):
    double.ctl("stop", "urgent")
    status = double.ctl("status", "urgent", "frontend", check=False)
    assert status.returncode == 1
    assert status.stdout.startswith("postfix-urgent not running\npostfix-frontend running (pid ")
    with pytest.raises(ConnectionRefusedError):
        double.sender(at=double.urgent)
    sent = double.send(to=[new("nora")], headers=headers(4))
    assert set(double.delivered(sent).values()) == {4}
    double.ctl("start", "urgent")
    again = send(double, "urgent", to=[new("nora")], headers=headers(4))
    assert set(double.delivered(again).values()) == {4}
    double.ctl("restart", "postfix-urgent")
    double.ctl("reload", "urgent")
    double.ctl("status")


def test_all_is_stopped_and_started_with_the_urgent_frontend(double):
    double.ctl("stop")
    assert double.leftovers() == {}
    lines = double.ctl("status", check=False).stdout.splitlines()
    names = ["peg-milter", "peg-tcpmap"] + ["postfix%d" % n for n in PRIORITIES]
    names += ["postfix-urgent", "postfix-frontend", "peg-monitor"]
    assert lines == [name + " not running" for name in names]
    double.ctl("start")
    sent = send(double, "urgent", to=[new("otto")], headers=headers(4))
    assert set(double.delivered(sent).values()) == {4}


def test_each_frontend_that_cannot_start_is_named(double):
    double.ctl("stop", "urgent", "frontend", "tcpmap")
    done = double.ctl("start", "--direct", "urgent", "frontend", check=False)
    assert done.returncode == 1
    assert done.stderr == "".join(
        "postfix-%s is not started while peg-tcpmap does not run\n" % name for name in BOTH
    )
    done = double.ctl("start", "nothing", check=False)
    assert "monitor, frontend, urgent and the priorities" in done.stderr


def test_mail_in_an_urgent_frontend_that_was_killed_keeps_its_decision(double):
    paul, beside = new("paul"), new("rosa")
    double.ctl("stop", "0")
    sent = send(double, "urgent", to=[paul], headers=headers(0))
    wait_until_deferred(double, "urgent", sent)
    double.kill("postfix-urgent")
    rival = double.send(to=[paul], cc=[beside], headers=headers(4, 1))
    assert double.delivered(rival) == {paul: 4, beside: 1}
    assert double.decision(rival).way == "respell"
    double.ctl("start")
    assert double.delivered(sent, SECONDS) == {paul: 0}


# Bounces


def test_bounces_of_the_urgent_frontend_have_a_command_of_their_own(double):
    recorder = Recorder(double.root)
    try:
        double.write_conf({"BOUNCE_COMMAND_URGENT": recorder.command + " $PEG_BOUNCE_INSTANCE"})
        double.gen("apply")
        double.ctl("stop", "0")
        address = new("sara")
        sent = send(double, "urgent", to=[address], headers=headers(0))
        wait_until_deferred(double, "urgent", sent)
        double.postsuper("urgent", "-e", sent.queue_id)
        double.flush("urgent")
        (call,) = recorder.wait_for(1)
        assert call.facts["INSTANCE"] == "postfix-urgent" and call.facts["PRIORITY"] == ""
        assert call.argv == ["postfix-urgent"] and call.recipients == [address]
        assert call.facts["QUEUE_ID"] == sent.queue_id
    finally:
        double.write_conf({})
        double.gen("apply")
        double.ctl("start", "0")


# The doctor


def findings(gateway):
    return gateway.gen("doctor", check=False).stdout.splitlines()


def test_the_doctor_sends_its_probes_through_both(double):
    said = findings(double)
    assert [line for line in said if not line.startswith("ok ")] == [said[-1]], said
    for n in PRIORITIES:
        for way in ("", ", urgent"):
            begin = "ok       priority %d%s: the probe came by postfix%d in " % (n, way, n)
            assert len([line for line in said if line.startswith(begin)]) == 1, (begin, said)
    double.wait_until_empty(10)
    assert double.relay.deliveries == []


def test_the_doctor_names_an_urgent_frontend_that_is_stopped(double):
    double.ctl("stop", "urgent")
    failed = [line.split(None, 1)[1] for line in findings(double) if line.startswith("FAILED")]
    address = "127.0.0.1:%d" % double.ports.urgent
    refused = "the urgent frontend does not take the probe: Connection refused"
    assert failed == [
        "postfix-urgent: does not run; start it: peg-ctl start",
        "postfix-urgent: does not take mail on %s: Connection refused; look into the log" % address,
    ] + ["priority %d, urgent: %s" % (n, refused) for n in PRIORITIES]


def test_the_doctor_names_an_urgent_frontend_that_hangs(double):
    master = processes.read_pid(double.path("var/spool/postfix-urgent/pid/master.pid"))
    double.ctl("reload", "urgent")  # no smtpd is left from before
    with processes.halted(master):
        said = findings(double)
    assert any("postfix-urgent: master (pid %d) is stopped by a signal" % master in l for l in said)
    assert os.path.exists("/proc/%d" % master)


def test_the_check_names_a_macro_by_which_the_frontends_are_not_told_apart(double):
    double.set_postfix_conf("urgent", "milter_macro_v", "Postfix")
    said = double.gen("check", check=False).stderr
    double.set_postfix_conf("urgent", "milter_macro_v", "$mail_name ($mail_version)")
    right = double.gen("check").stderr
    double.set_postfix_conf("urgent", "milter_macro_v", None)
    assert "postfix-urgent/main.cf:" in said and "milter_macro_v = Postfix does not begin" in said
    assert "milter_macro_v" not in right
