"""The wall clock is set, forward and back by days, while mail flows and while mail waits.

Claims are dated by another clock: none is freed before its time, and none is kept for ever. What is
on disk says what was decided last, whatever the times in it.
"""

import pytest

from harness import keeper, timeshift, torture, wallclock
from harness.backlog import CONF
from harness.gateway import Gateway
from harness.load import Load
from harness.mail import new_tag
from harness.plan import RULES, headers, way_of_mail
from harness.queues import release, send_to_hold
from harness.timeshift import TimeShift
from harness.waiting import Waiting

HOURS_S = 2 * 3600  # far more than DECISION_LIFETIME
STEPS = ["+1d", "-1d", "+2d", "+0"] * torture.count(1, 25)


@pytest.fixture(scope="module", name="set_gateway")
def gateway_of_these_tests():
    if wallclock.library() is None:
        pytest.skip("libfaketime is not installed")
    with Gateway(rules=RULES, template_conf=CONF) as gateway:
        clock = wallclock.WallClock(gateway)
        gateway.ctl("stop", "milter", "tcpmap")
        gateway.ctl("start", "milter", "tcpmap")
        gateway.clock = clock
        yield gateway
    clock.clean()


@pytest.fixture(name="clock")
def wall_clock(set_gateway):
    yield set_gateway.clock
    set_gateway.clock.set("+0")


@pytest.fixture(scope="module", name="time")
def time_of_the_gateway(set_gateway):
    if not timeshift.is_possible():
        pytest.skip("time namespaces are not to be had here")
    return TimeShift(set_gateway)


def begin_segment(gateway):
    """Have peg-milter begin a segment of the journal; returns its name."""
    gateway.stop_milter()
    gateway.ctl("start", "milter")
    gateway.send(to=["s.%s@dest.example" % new_tag()], headers=headers(1))
    return keeper.segments(gateway)[-1]


def test_segments_stay_in_order_when_the_clock_is_set_back(set_gateway, clock):
    names = []
    for step in STEPS[:4]:
        clock.set(step)
        names.append(begin_segment(set_gateway))
    assert names == sorted(names) and len(set(names)) == 4
    assert keeper.strange_files(set_gateway) == []


def test_no_claim_is_freed_since_the_clock_was_set_forward(set_gateway, clock):
    address = "anna.%s@dest.example" % new_tag()
    assert way_of_mail(set_gateway, address, 4) == "plain"
    for step in ("+1d", "-1d", "+1d"):
        clock.set(step)
        keeper.look(set_gateway, times=2)
        assert way_of_mail(set_gateway, address, 0) == "filter"


def test_no_claim_is_kept_since_the_clock_was_set_back(set_gateway, clock, time):
    address = "bert.%s@dest.example" % new_tag()
    clock.set("+1d")
    assert way_of_mail(set_gateway, address, 4) == "plain"
    clock.set("-1d")
    time.let_pass(HOURS_S)
    keeper.look(set_gateway, times=2)
    assert way_of_mail(set_gateway, address, 0) == "plain"


def test_what_was_decided_last_counts_after_a_crash_though_its_time_is_older(
    set_gateway, clock, time
):
    address = "carl.%s@dest.example" % new_tag()
    clock.set("+1d")
    assert way_of_mail(set_gateway, address, 0) == "plain"
    begin_segment(set_gateway)
    keeper.tidy(set_gateway, "--force")  # it stands in the snapshot
    clock.set("-1d")
    time.let_pass(HOURS_S)
    keeper.look(set_gateway, times=2)
    message = dict(to=[address], headers=headers(4))
    (sent,) = send_to_hold(set_gateway, [message])
    assert set_gateway.decision(sent).way == "plain"
    keeper.lose_table(set_gateway)
    release(set_gateway)
    assert set_gateway.delivered(sent) == {address: 4}


def test_mail_flows_and_waits_while_the_clock_is_set(set_gateway, clock, time):
    time.let_pass(HOURS_S)  # nothing of the tests before is in the way
    waiting = Waiting(set_gateway, lambda messages: send_to_hold(set_gateway, messages))
    with Load(set_gateway, torture.dice()) as load:
        for step in STEPS:
            clock.set(step)
            load.wait_for(20)
            keeper.tidy(set_gateway, "--force")
            load.wait_for(5)
    waiting.check_recorded()
    waiting.defend_their_keys()
    keeper.lose_table(set_gateway)
    # What may be in Postfix's cache is not known now, and so no spelling is claimed.
    waiting.defend_their_keys(with_splits=False)
    release(set_gateway)
    waiting.check_delivered()
    load.check_exact()
