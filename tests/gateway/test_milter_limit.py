"""LIMIT_CONNECTIONS_MILTER with real Postfix: mail beyond it goes by the default priority."""

import contextlib
import os
import time

import pytest

DEFAULT, URGENT = 2, 4
SESSIONS = 10
PATIENCE_S = 30
WORRIES = r"postfix-frontend/\S+: (warning|error|fatal|panic): .*"
MILTER_WORRIES = r"peg-milter\S+: (warning|error|fatal): .*"
OURS = "LIMIT_CONNECTIONS_MILTER: 2 SMTP sessions are served"


@pytest.fixture(name="gateway")
def gateway_with_two_places(private_gateway):
    return private_gateway(conf={"LIMIT_CONNECTIONS_MILTER": 2})


def decided(gateway, sent):
    return any(sent.queue_id in line for line in gateway.log.lines() if "way=" in line)


def send_urgent(gateway, sender, name):
    """An urgent message to a recipient of its own; returns (sent, the instance that it came by)."""
    recipient = "%s@dest.example" % name
    sent = sender.send(to=[recipient], priority_header="1")
    return sent, gateway.delivered(sent)[recipient]


def open_served(gateway, stack):
    """A session that is served, as soon as peg-milter has heard that others have ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        sender = stack.enter_context(gateway.sender())
        if send_urgent(gateway, sender, os.urandom(4).hex())[1] == URGENT:
            return sender
    raise TimeoutError("no session is served\n" + gateway.log.tail(20))


def test_of_ten_sessions_two_are_served_and_all_mail_is_delivered_once(gateway):
    with contextlib.ExitStack() as stack:
        senders = [stack.enter_context(gateway.sender()) for _ in range(SESSIONS)]
        served = []
        for number, sender in enumerate(senders):
            for message in range(2):
                sent, instance = send_urgent(gateway, sender, "bob.%d.%d" % (number, message))
                assert instance == (URGENT if number < 2 else DEFAULT)
                assert decided(gateway, sent) == (number < 2)
                served.append(sent)
    gateway.wait_until_empty()
    for sent in served:
        gateway.check_exact(sent)
    assert [m.string for m in gateway.log.find(WORRIES)] == []
    worries = [m.string for m in gateway.log.find(MILTER_WORRIES)]
    assert len(worries) == 1 and OURS in worries[0]


def test_when_sessions_end_as_many_new_ones_are_served(gateway):
    for _ in range(5):
        with contextlib.ExitStack() as stack:
            served = [open_served(gateway, stack) for _ in range(2)]
            beyond = stack.enter_context(gateway.sender())
            assert send_urgent(gateway, beyond, os.urandom(4).hex())[1] == DEFAULT
            for sender in served:
                assert send_urgent(gateway, sender, os.urandom(4).hex())[1] == URGENT


def test_a_bigger_limit_works_at_a_reload(gateway):
    with contextlib.ExitStack() as stack:
        senders = [stack.enter_context(gateway.sender()) for _ in range(3)]
        gateway.write_conf({"LIMIT_CONNECTIONS_MILTER": 4})
        assert gateway.reload_milter()
        senders += [stack.enter_context(gateway.sender()) for _ in range(3)]
        found = [send_urgent(gateway, s, "bob.%d" % n)[1] for n, s in enumerate(senders)]
    assert found == [URGENT, URGENT, DEFAULT, URGENT, URGENT, DEFAULT]


def test_a_recipient_whose_key_is_claimed_goes_by_the_claim(gateway):
    """As with peg-milter away: what Postfix may have cached for a recipient must not change."""
    with contextlib.ExitStack() as stack:
        first, _, beyond = [stack.enter_context(gateway.sender()) for _ in range(3)]
        assert send_urgent(gateway, first, "claimed")[1] == URGENT
        sent = beyond.send(to=["claimed@dest.example"], priority_header="5")
        assert gateway.delivered(sent) == {"claimed@dest.example": URGENT}
