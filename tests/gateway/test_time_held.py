"""Mail that waits longer than decisions are kept: on hold, or in a Postfix that is stopped.

Meanwhile other mail for the same recipients wants their routing keys for another priority, and new
recipients want the room of those that have expired. The mail that waits goes its own way all the
same. When it has left, what was kept for it is forgotten, but not before two looks into the queue.
"""

import pytest

from harness import keeper, processes, timeshift
from harness.backlog import CONF
from harness.gateway import Gateway
from harness.installation import ToolFailed
from harness.mail import new_tag
from harness.plan import PRIORITIES, RULES, headers, way_of_mail
from harness.queues import release, send_to_hold
from harness.timeshift import TimeShift
from harness.torture import count, is_long
from harness.waiting import Waiting

CAPACITY = 1000
TOGETHER = 100  # recipients of one message that makes claims
HOURS_S = 2 * 3600  # far more than DECISION_LIFETIME
UNSEEN = "cannot see all of the frontend's queue: "


@pytest.fixture(scope="module", name="time")
def time_of_the_gateway_of_these_tests():
    if not timeshift.is_possible():
        pytest.skip("time namespaces are not to be had here")
    with Gateway(rules=RULES, conf={"TABLE_CAPACITY": CAPACITY}, template_conf=CONF) as gateway:
        yield TimeShift(gateway)


@pytest.fixture(name="aged")
def gateway_of_these_tests(time):
    yield time.gateway
    time.gateway.set_postfix_conf("frontend", "authorized_mailq_users", None)
    time.gateway.start_milter()
    time.gateway.postsuper("frontend", "-d", "ALL")


def on_hold(gateway):
    return Waiting(gateway, lambda messages: send_to_hold(gateway, messages))


def deferred(gateway):
    """Mail that the frontend has looked up and deferred, for all instances were away."""

    def send(messages):
        with gateway.sender() as sender:
            sent = [sender.send(**message) for message in messages]
        for message in sent:
            gateway.log.wait_for(r"postfix-frontend/\S+: %s: .*=deferred" % message.queue_id)
        return sent

    gateway.ctl("stop", *map(str, PRIORITIES))
    return Waiting(gateway, send)


def send_to_new_recipients(gateway, number):
    """Mail for so many recipients at every priority; returns the decisions' ways."""
    ways = []
    with gateway.sender() as sender:
        for first in range(0, number, TOGETHER):
            priority = first // TOGETHER % len(PRIORITIES)
            new = ["f.%s@dest.example" % new_tag() for _ in range(min(TOGETHER, number - first))]
            sent = sender.send(to=new, headers=headers(priority))
            assert gateway.delivered(sent) == dict.fromkeys(new, priority)
            ways.append(gateway.decision(sent).way)
    return ways


def test_mail_on_hold_goes_its_own_way_when_it_is_released_after_hours(time, aged):
    send_to_new_recipients(aged, CAPACITY * 3 // 4)
    waiting = on_hold(aged)
    for _ in range(count(1, 20)):
        time.let_pass(HOURS_S)
        looks = keeper.status(aged)["scans"]
        waiting.defend_their_keys()
        # Who wanted an expired key has made peg-tcpmap have the queue looked into.
        keeper.wait_for_looks(aged, looks + 1)
        waiting.defend_their_keys()
        keeper.look(aged, times=2)
        send_to_new_recipients(aged, 100)
        assert keeper.status(aged)["live_claims"] <= CAPACITY // 2 + 1, "nothing was swept"
        waiting.defend_their_keys()
    release(aged)
    waiting.check_delivered()


def test_mail_in_a_frontend_that_is_stopped_for_hours_goes_its_own_way(time, aged):
    waiting = deferred(aged)
    time.let_pass(HOURS_S, start_frontend=False)
    for _ in range(2):
        with pytest.raises(ToolFailed, match=UNSEEN):
            keeper.tidy(aged)
    with processes.halted(aged.daemon_pid("peg-tcpmap")):
        # New mail is decided on before any of the old is looked up.
        aged.ctl("start")
        rivals = waiting.send_rivals()
    waiting.check_delivered()
    waiting.check_rivals(rivals)
    waiting.defend_their_keys()


def test_what_was_kept_for_mail_that_has_left_is_forgotten_after_two_looks(time, aged):
    waiting = on_hold(aged)
    keeper.look(aged, times=1)  # which nobody else has any wish for then
    release(aged)
    waiting.check_delivered()
    looks = keeper.status(aged)["scans"]
    time.let_pass(HOURS_S)
    first, *others = [address for address, priority in waiting.keys.items() if priority != 0]
    for _ in range(3):
        before = keeper.status(aged)["scans"] - looks
        way = way_of_mail(aged, first, 0)
        after = keeper.status(aged)["scans"] - looks
        assert after >= 2 if way == "plain" else before < 2
        keeper.look(aged, times=1)
    assert way == "plain"
    assert {way_of_mail(aged, address, 0) for address in others} == {"plain"}


@pytest.mark.skipif(not is_long(), reason="waits between two looks (PEG_TORTURE=1)")
def test_the_looks_are_made_of_their_own_accord(time, aged):
    waiting = on_hold(aged)
    release(aged)
    waiting.check_delivered()
    time.let_pass(HOURS_S)
    looks = keeper.status(aged)["scans"]
    (address, *_) = [a for a, priority in waiting.keys.items() if priority == 4]
    assert way_of_mail(aged, address, 0) == "filter"
    keeper.wait_for_looks(aged, looks + 1)
    way_of_mail(aged, address, 0)
    keeper.wait_for_looks(aged, looks + 2)
    assert way_of_mail(aged, address, 0) == "plain"


def test_nothing_is_forgotten_while_the_queue_cannot_be_seen(time, aged):
    waiting = on_hold(aged)
    aged.set_postfix_conf("frontend", "authorized_mailq_users", "root")
    looks = keeper.status(aged)["scans"]
    time.let_pass(HOURS_S)
    waiting.defend_their_keys()
    for _ in range(2):
        with pytest.raises(ToolFailed, match=UNSEEN):
            keeper.tidy(aged, "--force")
    assert keeper.status(aged)["scans"] == looks
    # Then the table fills up, and what finds no room goes its own way still.
    for _ in range(CAPACITY // TOGETHER * 2):
        if send_to_new_recipients(aged, TOGETHER) == ["filter"]:
            break
    assert keeper.status(aged)["live_claims"] > CAPACITY - TOGETHER
    assert aged.log.find("the decision table is full: .* raise TABLE_CAPACITY")
    waiting.defend_their_keys(with_splits=False)  # those find no room for a spelling
    aged.set_postfix_conf("frontend", "authorized_mailq_users", None)
    release(aged)
    waiting.check_delivered()
    time.let_pass(HOURS_S)
    keeper.look(aged, times=2)
    assert set(send_to_new_recipients(aged, CAPACITY // 2)) == {"plain"}


def test_the_log_says_why_when_the_queue_cannot_be_seen(time, aged):
    aged.send(to=["anna@dest.example"], headers=headers(4))
    aged.wait_until_empty()
    aged.set_postfix_conf("frontend", "authorized_mailq_users", "root")
    time.let_pass(HOURS_S)
    assert way_of_mail(aged, "anna@dest.example", 0) == "filter"
    aged.log.wait_for(r"peg-decisions\[\d+\]: .*" + UNSEEN + ".*nobody", timeout=30)
