"""The daemons are killed again and again while mail flows, and started again.

No message is lost, none doubled. What peg-milter has decided goes by the priority that was decided;
what came while it was away goes undecided, and that is all that does.
"""

import collections
import concurrent.futures
import os
import time

import pytest

from harness import judge, processes, torture
from harness.backlog import CONF, MOVES_WITHIN_S
from harness.busy_senders import BusySenders, outcomes_of
from harness.gateway import Gateway
from harness.plan import RULES, headers
from harness.queues import halted, queue_manager

KILLS = torture.count(8, 100)
SENDERS = 6
BETWEEN_S = (0.02, 0.6)  # a moment between two kills is in there
DEFAULT = 2
PID_FILE = "run/priority-email-gateway/peg-tcpmap.pid"
LINE_LEN = 110  # Postfix lets 100 wait (default_process_limit)


@pytest.fixture(scope="module", name="shot_gateway")
def gateway_of_these_tests():
    with Gateway(rules=RULES, template_conf=CONF) as gateway:
        yield gateway


def shoot(gateway, dice, kills):
    """Kill one daemon or the other, so many times; returns [(when, until)] without peg-milter."""
    away = []
    targets = ["milter", "tcpmap"] * (kills // 2)
    dice.shuffle(targets)
    for target in targets:
        time.sleep(dice.uniform(*BETWEEN_S))  # mail flows
        begin = time.monotonic()
        gateway.kill("peg-" + target)
        gateway.ctl("start", target)
        if target == "milter":
            away.append((begin, time.monotonic()))
    return away


def check_moves(gateway):
    """Whatever was away is back: mail arrives."""
    arrived = len(gateway.relay.deliveries)
    gateway.relay.wait_for(arrived + 1, MOVES_WITHIN_S)


def check_undecided(attempts, away):
    """Where peg-milter said nothing of a message it was away at some time while that came in."""
    strange = [a.sent for a in attempts if not any(a.overlaps(interval) for interval in away)]
    assert strange == []


def claims_on(plans):
    """{mailbox: priorities for which its key may have been claimed}"""
    claims = collections.defaultdict(set)
    for plan in plans:
        for address, priority in plan.priorities.items():
            claims[judge.same_mailbox(address)].add(priority)
    return claims


def test_killed_daemons_lose_nothing_and_misroute_nothing(shot_gateway):
    dice = torture.dice()
    with BusySenders(shot_gateway, dice, SENDERS) as senders:
        away = shoot(shot_gateway, dice, KILLS)
        check_moves(shot_gateway)
    outcomes = outcomes_of(shot_gateway, senders.accepted, timeout=torture.count(60, 300))
    decided = [outcome for _, outcome in outcomes if outcome.decision]
    undecided = [pair for pair in outcomes if not pair[1].decision]
    ways = collections.Counter(outcome.way for outcome in decided)
    print(
        "peg-milter killed %d times; decided: %s, undecided: %d, tries lost: %d, refused: %d"
        % (len(away), dict(ways), len(undecided), senders.lost, senders.refused)
    )
    assert set(ways) == {"plain", "filter", "respell"} and len(decided) > len(undecided)
    assert [(o.sent, o.way, o.misrouted) for o in decided if o.misrouted] == []
    check_undecided([attempt for attempt, _ in undecided], away)
    claims = claims_on(attempt.plan for attempt in senders.accepted)
    for _, outcome in undecided:
        for address, _, delivery in outcome.recipients():
            assert delivery.instance in claims[judge.same_mailbox(address)] | {DEFAULT}
    check_nothing_doubled(shot_gateway)


def check_nothing_doubled(gateway):
    """Also what came in tries that nobody knows the end of."""
    arrived = collections.Counter(
        (delivery.tag, judge.same_mailbox(delivery.recipient))
        for delivery in gateway.relay.deliveries
    )
    assert [key for key, times in arrived.items() if times > 1] == []


def test_the_lookup_server_is_started_though_the_queue_manager_has_no_ear_for_anybody(shot_gateway):
    """It waits for the lookup server itself, and who brings it news waits in line meanwhile."""
    to = ["anna@dest.example"]
    manager = queue_manager(shot_gateway, "frontend")
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        with halted(shot_gateway), shot_gateway.sender() as sender:
            shot_gateway.kill("peg-tcpmap")
            os.utime(shot_gateway.path(PID_FILE), (0, 0))  # it has been away for long
            sent = [sender.send(to=to, headers=headers(4)) for _ in range(LINE_LEN)]
            starting = thread.submit(shot_gateway.ctl, "start", "tcpmap")
            time.sleep(1)  # so long it is busy
        starting.result()
    assert not processes.is_running(manager)  # it would defer what comes for half a minute
    for message in sent:
        assert shot_gateway.delivered(message) == {to[0]: 4}
