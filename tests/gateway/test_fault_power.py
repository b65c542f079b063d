"""The power goes while mail waits in the frontend: when it is back every message goes its own way.

All processes are killed at once and the decision table, which is memory only, is gone. What was
decided comes back from disk: journal and snapshot.
"""

import os

import pytest

from harness import keeper, processes, torture
from harness.backlog import CONF, INSTANCES, MOVES_WITHIN_S, Backlog, begin_without_instances
from harness.gateway import Gateway
from harness.plan import NAMES, RULES, headers
from harness.queues import queue_manager

MESSAGES = torture.count(150, 1000)
FEW = torture.count(50, 500)
RECOVERED = r"(peg-\w+)\[\d+\]: decisions recovered from disk: (\d+) claims of (\d+) messages"


@pytest.fixture(scope="module", name="mortal")
def gateway_of_these_tests():
    with Gateway(rules=RULES, template_conf=CONF) as gateway:
        yield gateway


@pytest.fixture(name="mortal_gateway")
def gateway_without_a_past(mortal):
    begin_without_instances(mortal)
    return mortal


def backlog_of_all_ways(gateway, number):
    """Messages that wait, among them some of every way."""
    backlog = Backlog(gateway, torture.dice()).add(number)
    assert min(backlog.ways()[way] for way in ("plain", "filter", "respell")) > 0, backlog.ways()
    return backlog


def recoveries(gateway):
    """[the program, for each time that it had the decisions back from disk]"""
    return [line.group(1) for line in gateway.log.find(RECOVERED)]


def test_mail_that_waited_goes_its_own_way_after_a_power_cut(mortal_gateway):
    backlog = backlog_of_all_ways(mortal_gateway, MESSAGES)
    mortal_gateway.cut_power()
    mortal_gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()
    assert recoveries(mortal_gateway) == ["peg-milter"]
    anna, bert = "anna@ward.dest.example", "bert@ward.dest.example"
    sent = mortal_gateway.send(to=[anna], cc=[bert], headers=headers(4, 1))
    assert mortal_gateway.delivered(sent) == {anna: 4, bert: 1}
    assert mortal_gateway.decision(sent).way == "plain"


def test_the_lookup_server_has_the_decisions_back_by_itself(mortal_gateway):
    backlog = backlog_of_all_ways(mortal_gateway, FEW)
    mortal_gateway.cut_power()
    mortal_gateway.ctl("start", "tcpmap")
    mortal_gateway.ctl("start", "frontend", *INSTANCES)
    backlog.check_moves()
    backlog.check_exact()
    assert recoveries(mortal_gateway) == ["peg-tcpmap"]
    mortal_gateway.ctl("start")
    assert recoveries(mortal_gateway) == ["peg-tcpmap"]


def test_decisions_come_back_from_the_snapshot_and_the_journal_behind_it(mortal_gateway):
    backlog = backlog_of_all_ways(mortal_gateway, FEW)
    (old,) = keeper.segments(mortal_gateway)[-1:]
    mortal_gateway.ctl("restart", "milter")
    backlog.add(1)  # begins another segment
    keeper.tidy(mortal_gateway, "--force")
    assert old not in keeper.segments(mortal_gateway)
    backlog.add(FEW)
    mortal_gateway.cut_power()
    mortal_gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()
    assert recoveries(mortal_gateway) == ["peg-milter"]


@pytest.mark.skipif(not torture.is_long(), reason="many rounds (PEG_TORTURE=1)")
def test_the_power_goes_again_and_again(mortal_gateway):
    backlog = backlog_of_all_ways(mortal_gateway, FEW)
    for _ in range(20):
        backlog.add(10)
        mortal_gateway.cut_power()
        mortal_gateway.ctl("start", "milter", "tcpmap", "frontend")
    mortal_gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()


def send_and_remember(gateway, *addresses):
    """Send mail to these three, so that the queue manager has a route for each in its cache.

    For the first it is the default one, undecided; for the others that of priority 0 and 4.
    """
    undecided, *decided = addresses
    gateway.stop_milter()
    sent = gateway.send(to=[undecided], headers=headers(4))
    assert gateway.delivered(sent) == {undecided: 2}
    gateway.start_milter()
    for address, priority in zip(decided, (0, 4)):
        sent = gateway.send(to=[address], headers=headers(priority))
        assert gateway.delivered(sent) == {address: priority}


def lose_the_table(gateway):
    """Both daemons are killed, the table is removed, and the frontend knows of nothing.

    They are started as a service manager would: peg-ctl has the frontend forget what it remembers.
    """
    frontend = processes.read_pid(gateway.path("var/spool/postfix-frontend/pid/master.pid"))
    manager = queue_manager(gateway, "frontend")
    gateway.kill("peg-milter")
    gateway.kill("peg-tcpmap")
    gateway.forget_memory()
    gateway.tool("peg-milter")
    gateway.tool("peg-tcpmap")
    assert processes.is_running(frontend) and processes.is_running(manager)


def test_what_the_queue_manager_remembers_misroutes_nothing_when_the_table_is_lost(mortal_gateway):
    mortal_gateway.ctl("start")
    anna, bert, carl, dora, emil, fred = ["%s@dest.example" % name for name in NAMES[:6]]
    send_and_remember(mortal_gateway, anna, bert, carl)
    lose_the_table(mortal_gateway)
    with mortal_gateway.sender() as sender:
        messages = [
            ({anna: 4}, sender.send(to=[anna], headers=headers(4))),
            ({bert: 3}, sender.send(to=[bert], headers=headers(3))),
            ({carl: 0}, sender.send(to=[carl], headers=headers(0))),
            ({dora: 1}, sender.send(to=[dora], headers=headers(1))),
            # Nobody knows which spelling may be cached: they go together.
            ({emil: 4, fred: 4}, sender.send(to=[emil], cc=[fred], headers=headers(4, 1))),
        ]
    for expected, sent in messages:
        assert mortal_gateway.delivered(sent, MOVES_WITHIN_S) == expected
        assert mortal_gateway.decision(sent).way == "filter"


def test_mail_that_nobody_can_rely_on_yet_takes_no_room_in_the_table(mortal_gateway):
    mortal_gateway.ctl("start")
    mortal_gateway.send(to=["gina@dest.example"])  # so that there is something to be remembered
    lose_the_table(mortal_gateway)
    before = keeper.status(mortal_gateway)["live_claims"]
    hugo, ida = "hugo@ward.dest.example", "ida@ward.dest.example"
    sent = mortal_gateway.send(to=[hugo], cc=[ida], headers=headers(1, 4))
    assert mortal_gateway.delivered(sent) == {hugo: 4, ida: 4}
    assert keeper.status(mortal_gateway)["live_claims"] == before


def test_a_table_that_is_removed_comes_back_though_no_mail_comes(mortal_gateway):
    backlog = backlog_of_all_ways(mortal_gateway, FEW)
    os.unlink(mortal_gateway.path(keeper.TABLE))
    mortal_gateway.log.wait_for(r"peg-milter.*/decisions was removed, and is made again")
    assert recoveries(mortal_gateway) == []
    mortal_gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()


@pytest.mark.skipif(not torture.is_long(), reason="waits for a minute (PEG_TORTURE=1)")
def test_what_may_be_cached_is_forgotten_in_time(mortal_gateway):
    mortal_gateway.ctl("start")
    mortal_gateway.send(to=["gina@dest.example"])  # so that there is something to be remembered
    lose_the_table(mortal_gateway)
    recipients = ["hugo@dest.example", "ida@dest.example"]
    ways = []
    for _ in range(12):
        ways.append(way_of_mail(mortal_gateway, recipients))
        torture.let_pass(5)
    assert ways[0] == "filter" and ways[-1] == "plain"
    assert ways == sorted(ways)


def way_of_mail(gateway, recipients):
    """Send flash mail to all of them; returns its way."""
    sent = gateway.send(to=recipients, headers=headers(4))
    assert gateway.delivered(sent) == dict.fromkeys(recipients, 4)
    return gateway.decision(sent).way
