"""LIMIT_CONNECTIONS_MILTER with real Postfix: a message beyond it goes by the default priority."""

import contextlib
import os
import threading
import time

import pytest
from harness import keeper
from harness.mail import compose, new_tag
from harness.smtp_client import SmtpClient

DEFAULT, URGENT = 2, 4
LIMIT = 2
SESSIONS = 10
SMTPD_PROCESSES = 3
PATIENCE_S = 30
CLIENTS = 2 * SMTPD_PROCESSES
WORRIES = r"postfix-frontend/\S+: (warning|error|fatal|panic): .*"
MILTER_WORRIES = r"peg-milter\S+: (warning|error|fatal): .*"
BEYOND = "LIMIT_CONNECTIONS_MILTER: %d messages are being decided"


@pytest.fixture(name="gateway")
def gateway_with_two_places(private_gateway):
    return private_gateway(conf={"LIMIT_CONNECTIONS_MILTER": LIMIT})


@pytest.fixture(name="busy")
def gateway_with_as_many_places_as_smtpd_processes(private_gateway):
    busy = private_gateway(conf={"LIMIT_CONNECTIONS_MILTER": SMTPD_PROCESSES})
    busy.set_postfix_conf("frontend", "default_process_limit", SMTPD_PROCESSES)
    busy.set_postfix_conf("frontend", "message_size_limit", 5000)
    busy.ctl("reload")
    return busy


def milter_worries(gateway):
    return [match.string for match in gateway.log.find(MILTER_WORRIES)]


def send_urgent(gateway, sender, name):
    """An urgent message to a recipient of its own; returns (sent, the instance that it came by)."""
    recipient = "%s@dest.example" % name
    sent = sender.send(to=[recipient], priority_header="1")
    return sent, gateway.delivered(sent)[recipient]


class Begun:
    """An urgent message that stands at its DATA."""

    def __init__(self, gateway):
        self.recipient = os.urandom(8).hex() + "@dest.example"
        self.client = SmtpClient(*gateway.frontend)
        begin = ("MAIL FROM:<alice@source.example>", "RCPT TO:<%s>" % self.recipient, "DATA")
        assert [self.client.command(line).code for line in begin] == [250, 250, 354]

    def send(self, body=""):
        """Its content and its end, without waiting for the reply."""
        content = compose(new_tag(), to=[self.recipient], priority_header="1", body=body)
        self.client.send_raw(content.rstrip(b"\r\n") + b"\r\n.\r\n")

    def finish(self):
        """Wait for the reply; returns its queue ID."""
        reply = self.client.read_reply()
        self.client.close()
        assert reply.code == 250
        return reply.text.split()[-1]


@contextlib.contextmanager
def all_places_taken(gateway, limit):
    """One message more than there are places waits for its decision; yields them all."""
    messages = [Begun(gateway) for _ in range(limit + 1)]
    with keeper.no_decision(gateway):
        for message in messages:
            message.send()
        deadline = time.monotonic() + PATIENCE_S
        while not gateway.log.find(BEYOND % limit):
            assert time.monotonic() < deadline, gateway.log.tail(20)
            with gateway.sender():
                pass  # libmilter starts threads for new sessions alone, where none is idle
        yield messages


def decided(gateway, queue_ids):
    """Those of them that peg-milter has decided."""
    said = [line for line in gateway.log.lines() if "way=" in line]
    return [name for name in queue_ids if any(name in line for line in said)]


def test_sessions_that_stay_open_do_not_count(gateway):
    sent = []
    with contextlib.ExitStack() as stack:
        senders = [stack.enter_context(gateway.sender()) for _ in range(SESSIONS)]
        for message in range(2):
            for number, sender in enumerate(senders):
                found, instance = send_urgent(gateway, sender, "bob.%d.%d" % (number, message))
                assert instance == URGENT
                sent.append(found)
    gateway.wait_until_empty()
    for message in sent:
        gateway.check_exact(message)
    assert milter_worries(gateway) == []


def test_of_three_messages_at_once_two_are_decided_and_all_are_delivered(gateway):
    with all_places_taken(gateway, LIMIT) as messages:
        pass
    queue_ids = [message.finish() for message in messages]
    gateway.wait_until_empty()
    assert len(decided(gateway, queue_ids)) == LIMIT
    arrived = sorted(delivery.instance for delivery in gateway.relay.deliveries)
    assert arrived == [DEFAULT] + [URGENT] * LIMIT
    assert [match.string for match in gateway.log.find(WORRIES)] == []
    assert sum(BEYOND % LIMIT in worry for worry in milter_worries(gateway)) == 1


def test_a_bigger_limit_works_at_a_reload(gateway):
    gateway.write_conf({"LIMIT_CONNECTIONS_MILTER": LIMIT + 2})
    assert gateway.reload_milter()
    with all_places_taken(gateway, LIMIT + 2) as messages:
        pass
    queue_ids = [message.finish() for message in messages]
    assert len(decided(gateway, queue_ids)) == LIMIT + 2


def test_a_recipient_whose_key_is_claimed_goes_by_the_claim(gateway):
    """As with peg-milter away: what Postfix may have cached for a recipient must not change."""
    recipient = "claimed@dest.example"
    with gateway.sender() as sender:
        assert send_urgent(gateway, sender, "claimed")[1] == URGENT
    with all_places_taken(gateway, LIMIT):
        with gateway.sender() as sender:
            sent = sender.send(to=[recipient], priority_header="5")
    assert gateway.delivered(sent) == {recipient: URGENT}
    assert decided(gateway, [sent.queue_id]) == []


# How a message ends that Postfix does not take.


def hang_up_in_the_middle(gateway):
    message = Begun(gateway)
    message.client.send_raw(b"Subject: never\r\n")
    message.client.close()


def refuse_its_size(gateway):
    message = Begun(gateway)
    message.send("too much\n" * 1000)
    assert message.client.read_reply().code == 552
    message.client.close()


def refuse_its_recipients(gateway):
    with SmtpClient(*gateway.frontend) as client:
        assert client.command("MAIL FROM:<alice@source.example>").ok
        for _ in range(5):
            assert not client.command("RCPT TO:<no..body@[dest.example>").ok
        assert not client.command("DATA").ok


def take_it_back(gateway):
    with SmtpClient(*gateway.frontend) as client:
        assert client.command("MAIL FROM:<alice@source.example>").ok
        for number in range(30):  # more than Postfix keeps to itself
            assert client.command("RCPT TO:<%0200d@dest.example>" % number).ok
        assert client.command("RSET").ok


ENDS = [hang_up_in_the_middle, refuse_its_size, refuse_its_recipients, take_it_back]


def test_as_many_places_as_smtpd_processes_are_enough_in_a_flood(busy):
    queue_ids, failures = [], []

    def send():
        try:
            for round_number in range(12):
                ENDS[round_number % len(ENDS)](busy)
                message = Begun(busy)
                message.send()
                queue_ids.append(message.finish())
        except (AssertionError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert decided(busy, queue_ids) == queue_ids and milter_worries(busy) == []
