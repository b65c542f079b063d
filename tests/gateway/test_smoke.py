"""Does mail flow at all, each message through the instance that the rules name?"""

import pytest

from harness.milter_client import MilterClient
from harness.milter_protocol import ACCEPT

X_PRIORITY = (("1", 4), ("2", 3), ("3", 2), ("4", 1), ("5", 0))


@pytest.mark.parametrize("x_priority, instance", X_PRIORITY)
def test_x_priority_chooses_the_instance(gateway, x_priority, instance):
    sent = gateway.send(to=["bob@dest.example"], priority_header=x_priority)
    assert gateway.delivered(sent) == {"bob@dest.example": instance}


def test_mail_that_no_rule_matches_goes_to_the_default_instance(gateway):
    sent = gateway.send(to=["bob@dest.example"], bcc=["dan@dest.example"])
    assert gateway.delivered(sent) == {"bob@dest.example": 2, "dan@dest.example": 2}


def test_primary_and_copy_recipients_go_their_own_ways(gateway):
    sent = gateway.send(
        to=["anna@dest.example"],
        cc=["berta@dest.example"],
        bcc=["cleo@dest.example"],
        primary_precedence="flash",
        copy_precedence="priority",
    )
    assert gateway.delivered(sent) == {
        "anna@dest.example": 4,
        "berta@dest.example": 3,
        "cleo@dest.example": 3,
    }


def test_the_message_arrives_byte_for_byte(gateway):
    body = b".dot\r\n..dots\r\n\r\nGr\xfc\xdfe\r\n" + b"x" * 900 + b"\r\n"
    sent = gateway.send(to=["Emil@Dest.Example"], priority_header="1", body=body)
    (arrived,) = gateway.arrived(sent)
    assert arrived.recipient == "Emil@Dest.Example"
    hops = arrived.added_before(sent.content)
    assert hops.count(b"\r\nReceived:") == 1 and hops.startswith(b"Received:")


def test_the_same_recipient_at_another_priority_is_not_misrouted(gateway):
    with gateway.sender() as sender:
        sent = [
            (sender.send(to=["frank@dest.example"], priority_header=x_priority), instance)
            for x_priority, instance in X_PRIORITY
        ]
    for message, instance in sent:
        assert gateway.delivered(message) == {"frank@dest.example": instance}


def test_the_milter_changes_nothing_in_an_ordinary_message(gateway):
    with MilterClient("unix:" + gateway.milter_socket()) as postfix:
        result = postfix.message(
            "alice@source.example", ["gina@dest.example"], [("X-Priority", "1")]
        )
    assert result.final == ACCEPT or result.final == b"c"
    assert result.modifications == []


def test_the_queues_are_empty_in_the_end(gateway):
    gateway.send(to=["hugo@dest.example"], priority_header="5")
    gateway.wait_until_empty()
    assert [gateway.queue(instance) for instance in gateway.instances()] == [[]] * 6
