"""A part is away for a while under load: mail is accepted all the time, and then goes its own way.

What waits begins to move as soon as `peg-ctl start` has brought the part back.
"""

import signal
import time

import pytest

from harness import torture
from harness.backlog import CONF, MOVES_WITHIN_S
from harness.gateway import Gateway
from harness.load import Load
from harness.mail import new_tag
from harness.plan import NAMES, RULES, SHARED, Plan

LOOKUPS_AWAY_S = torture.count(13, 60)  # Postfix tries for 10 s before it defers
MILTER_AWAY_S = torture.count(2, 60)
INSTANCE_AWAY_S = torture.count(8, 600)
PROMPTLY_S = 9  # less than those 10 s
DEFAULT = 2


@pytest.fixture(scope="module", name="absent_gateway")
def gateway_of_these_tests():
    with Gateway(rules=RULES, template_conf=CONF) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def everything_runs_in_the_end(absent_gateway):
    yield
    absent_gateway.start_milter()
    absent_gateway.postsuper("frontend", "-d", "ALL")


def plan_for_new_recipients(dice):
    """Nobody has sent anything to them before."""
    return Plan(dice, ["%s.%s@dest.example" % (name, new_tag()) for name in NAMES])


def plan_for_any(dice):
    return plan_for_new_recipients(dice) if dice.random() < 0.5 else Plan(dice, SHARED)


def accepts_all_the_time(load, seconds):
    """For so long messages are accepted, and every single one within a few seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        load.wait_for(2, timeout=PROMPTLY_S)
    assert load.lost == load.refused == 0
    assert load.longest_s < PROMPTLY_S


def moves(gateway, is_awaited):
    """Wait until one of the deliveries that have been waited for is there."""
    gateway.relay.wait_for(lambda found: any(map(is_awaited, found)), MOVES_WITHIN_S)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_the_lookup_server_is_away_for_longer_than_postfix_tries(absent_gateway, signal_number):
    load = Load(absent_gateway, torture.dice(), make_plan=plan_for_any, pause_s=0.06)
    with load:
        load.wait_for(20)
        absent_gateway.stop_tcpmap(signal_number)
        away_at = time.monotonic()
        accepts_all_the_time(load, LOOKUPS_AWAY_S)
        waiting = {attempt.sent.tag for attempt in load.accepted if attempt.began > away_at}
        assert len(waiting) > 20
        absent_gateway.ctl("start")
        moves(absent_gateway, lambda delivery: delivery.tag in waiting)
        load.wait_for(20)
    load.check_exact()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_the_milter_is_away(absent_gateway, signal_number):
    load = Load(absent_gateway, torture.dice(), make_plan=plan_for_new_recipients)
    with load:
        load.wait_for(20)
        away_at = time.monotonic()
        absent_gateway.stop_milter(signal_number)
        accepts_all_the_time(load, MILTER_AWAY_S)
        absent_gateway.ctl("start")
        away = (away_at, time.monotonic())
        load.wait_for(20)
    undecided = 0
    for attempt, outcome in load.outcomes():
        if not attempt.overlaps(away) or outcome.decision:
            assert outcome.misrouted == []
            continue
        undecided += 1
        # One that was being decided when it ended may have been claimed for.
        for _, priority, delivery in outcome.recipients():
            assert delivery.instance in (DEFAULT, priority)
            assert delivery.instance == DEFAULT or attempt.began < away_at + 1
    assert undecided > 20 * MILTER_AWAY_S / 2


def test_an_instance_is_away_and_the_other_priorities_are_not_slowed(absent_gateway):
    load = Load(absent_gateway, torture.dice(), pause_s=torture.count(0.03, 0.5))
    with load:
        load.wait_for(20)
        with load.held():  # a Postfix that is stopped while it delivers delivers again
            absent_gateway.wait_until_empty()
            absent_gateway.ctl("stop", "4")
        away_at = time.monotonic()
        accepts_all_the_time(load, INSTANCE_AWAY_S)
        back_at = time.monotonic()
        absent_gateway.ctl("start", "4")
        moves(absent_gateway, lambda d: d.instance == 4 and d.arrived_at > back_at)
        load.wait_for(20)
    outcomes = load.outcomes()
    assert [(o.sent, o.misrouted) for _, o in outcomes if o.misrouted] == []
    while_away = [pair for pair in outcomes if away_at < pair[0].began and pair[0].ended < back_at]
    awaited = 0
    for attempt, outcome in while_away:
        for _, _, delivery in outcome.recipients():
            if delivery.instance == 4:
                awaited += 1
                assert delivery.arrived_at > back_at
            else:
                assert delivery.arrived_at - attempt.ended < PROMPTLY_S, outcome.sent
    assert 10 < awaited < sum(len(outcome.plan.priorities) for _, outcome in while_away)
