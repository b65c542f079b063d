"""What goes through the queues is counted: each message once, with its octets and recipients."""

import contextlib
import threading

import pytest

from harness import processes
from harness.flows import NOTHING, Flow, Flows, queued

LATER = "451 4.3.0 try again later"


@pytest.fixture(name="flows")
def flows_of_the_gateway(gateway):
    gateway.wait_until_empty()
    with Flows(gateway) as flows:
        assert set(flows.now().values()) == {Flow(NOTHING, NOTHING)}
        yield flows
    gateway.wait_until_empty()


@contextlib.contextmanager
def frozen(gateway, *instances):
    """`with frozen(gateway, 1):` nobody of these Postfixes answers, and mail waits for them."""
    pids = [pid for instance in instances for pid in gateway.postfix_processes(instance)]
    assert len(pids) >= 2 * len(instances)  # master, qmgr and more
    with processes.halted(*pids):
        yield


def total(flows, field):
    """The sum of one field of all instances."""
    return sum(getattr(flow, field).messages for name, flow in flows.items() if name != "frontend")


def test_octets_and_recipients_are_those_of_postqueue(gateway, flows):
    with gateway.relay.holding():
        with frozen(gateway, 0, 4), gateway.sender() as sender:
            for number in range(12):
                sender.send(
                    to=["p%d.%d@dest.example" % (number, n) for n in range(1 + number % 3)],
                    priority_header="15"[number % 2],
                    body="x" * 70 * number + "\n",
                )
            found = flows.wait_for(lambda now: now["frontend"].received.messages == 12)
            waiting = queued(gateway, "frontend")
            assert (waiting.messages, waiting.recipients) == (12, 24)
            assert found["frontend"] == Flow(waiting, NOTHING)
        found = flows.wait_for(lambda now: now["frontend"].left.messages == 12)
        assert found["frontend"] == Flow(waiting, waiting)
        active = {n: queued(gateway, n) for n in (0, 4)}
        found = flows.wait_for(lambda now: total(now, "received") == 12)
        for instance in (0, 4):
            assert active[instance].messages == 6
            assert found[instance] == Flow(active[instance], NOTHING)
    found = flows.wait_for(lambda now: total(now, "left") == 12)
    assert {n: found[n] for n in (0, 4)} == {n: Flow(s, s) for n, s in active.items()}
    assert {found[n] for n in (1, 2, 3)} == {Flow(NOTHING, NOTHING)}


def test_under_load_every_message_is_counted_once(gateway, flows):
    def send(number):
        with gateway.sender() as sender:
            for n in range(50):
                priority = str(1 + (n + number) % 5)
                sender.send(to=["p%s@dest.example" % priority], priority_header=priority)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gateway.wait_until_empty()
    found = flows.wait_for(lambda now: total(now, "left") >= 200)
    assert {
        name: (flow.received.messages, flow.left.messages) for name, flow in found.items()
    } == dict({n: (40, 40) for n in range(5)}, frontend=(200, 200))
    for flow in found.values():  # a file that is gone before it is read has no octets
        assert flow.left.octets <= flow.received.octets
        assert flow.left.recipients <= flow.received.recipients <= flow.received.messages


def test_a_restart_with_active_mail_receives_nothing_again(gateway, flows):
    with gateway.relay.holding():
        for _ in range(3):
            gateway.send(to=["bob@dest.example"], priority_header="1")
        found = flows.wait_for(lambda now: now[4].received.messages == 3)
        before = found[4].received
        assert before == queued(gateway, 4)
        gateway.log.mark()
        gateway.ctl("restart", "4")
        for _ in range(3):
            gateway.log.wait_for(r"postfix4/qmgr\S+: \w+: from=.*queue active")
        gateway.send(to=["carl@dest.example"], priority_header="1")
        found = flows.wait_for(lambda now: now[4].received.messages > 3)
        assert found[4] == Flow(queued(gateway, 4), NOTHING)
        assert found[4].received.messages == 4
    gateway.wait_until_empty(90)
    found = flows.wait_for(lambda now: now[4].left.messages == 4)
    assert found[4].left == found[4].received


def test_mail_that_is_tried_again_is_received_once_and_leaves_once(gateway, flows):
    gateway.relay.refuse_recipient("^late", LATER)
    sent = [gateway.send(to=["late@dest.example"], priority_header="5") for _ in range(2)]
    gateway.log.wait_for(r"postfix0/smtp\S+: \w+: .*status=deferred")
    flows.wait_for(lambda now: now[0].received.messages == 2)
    for message in gateway.queue(0):
        gateway.log.mark()
        gateway.try_again(0, message["queue_id"])
        gateway.log.wait_for(r"postfix0/smtp\S+: %s: .*status=deferred" % message["queue_id"])
    gateway.relay.behave()
    gateway.flush(0)
    for message in sent:
        gateway.delivered(message)
    gateway.wait_until_empty()
    found = flows.wait_for(lambda now: now[0].left.messages == 2)
    assert found[0].received.messages == 2


def test_what_an_operator_removes_has_not_left(gateway, flows):
    gateway.relay.refuse_recipient("^late", LATER)
    gateway.send(to=["late@dest.example"], priority_header="5")
    gateway.log.wait_for(r"postfix0/smtp\S+: \w+: .*status=deferred")
    gateway.postsuper(0, "-d", "ALL")
    gateway.send(to=["bob@dest.example"], priority_header="5")
    found = flows.wait_for(lambda now: now[0].left.messages == 1)
    assert found[0].received.messages == 2
