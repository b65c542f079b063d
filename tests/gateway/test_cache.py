"""Postfix remembers for 30 s where mail for a recipient goes: does that ever misroute a message?

The frontend's queue manager asks once for a recipient and goes on using the answer. So the answer
that it may have, from another message or from the default route, must not reach the wrong mail.
"""

import time

import pytest

from harness.gateway import Gateway

CACHED_S = 30


@pytest.fixture(scope="module", name="cached_gateway")
def gateway_of_these_tests():
    with Gateway() as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def everything_runs_in_the_end(cached_gateway):
    yield
    cached_gateway.start_milter()


def age_s(sent):
    return time.monotonic() - sent.started_at


@pytest.mark.parametrize("x_priorities", ("515", "151", "315", "135"))
def test_messages_a_second_apart_go_by_their_own_priorities(cached_gateway, x_priorities):
    bob = "bob%s@dest.example" % x_priorities
    sent = []
    with cached_gateway.sender() as sender:
        for x_priority in x_priorities:
            if sent:  # not to wait for something, but as mail comes: the cache lives longer
                time.sleep(max(0, 1 - age_s(sent[-1])))
            sent.append(sender.send(to=[bob], priority_header=x_priority))
    arrived_at = [cached_gateway.delivered(message)[bob] for message in sent]
    assert arrived_at == [5 - int(x_priority) for x_priority in x_priorities]


def test_flash_mail_is_not_held_to_the_route_that_mail_without_decision_took(cached_gateway):
    cached_gateway.stop_milter()
    unseen = cached_gateway.send(to=["anna@dest.example"], priority_header="1")
    assert cached_gateway.delivered(unseen) == {"anna@dest.example": 2}
    cached_gateway.start_milter()
    flash = cached_gateway.send(to=["anna@dest.example"], priority_header="1")
    assert cached_gateway.delivered(flash) == {"anna@dest.example": 4}
    assert age_s(unseen) < CACHED_S


def test_a_split_message_is_not_held_to_the_route_that_mail_without_decision_took(cached_gateway):
    cached_gateway.stop_milter()
    unseen = cached_gateway.send(to=["carl@dest.example"], cc=["dora@dest.example"])
    cached_gateway.delivered(unseen)
    cached_gateway.start_milter()
    split = cached_gateway.send(
        to=["carl@dest.example"],
        cc=["dora@dest.example"],
        primary_precedence="flash",
        copy_precedence="deferred",
    )
    assert cached_gateway.delivered(split) == {"carl@dest.example": 4, "dora@dest.example": 1}
    assert age_s(unseen) < CACHED_S


def test_mail_without_decision_that_still_waits_does_not_take_flash_mail_along(cached_gateway):
    cached_gateway.stop_milter()
    cached_gateway.ctl("stop", "2")
    unseen = cached_gateway.send(to=["emil@dest.example"])
    cached_gateway.log.wait_for(r"postfix-frontend/\S+: %s: .*status=deferred" % unseen.queue_id)
    cached_gateway.ctl("start", "milter")
    flash = cached_gateway.send(to=["emil@dest.example"], priority_header="1")
    assert cached_gateway.delivered(flash) == {"emil@dest.example": 4}
    cached_gateway.ctl("start")
    assert set(cached_gateway.delivered(unseen)) == {"emil@dest.example"}


def test_flash_mail_to_somebody_who_just_got_a_bounce_goes_its_own_way(cached_gateway):
    cached_gateway.ctl("stop", "0")
    bulk = cached_gateway.send(
        sender="fred@dest.example", to=["gina@dest.example"], priority_header="5"
    )
    cached_gateway.log.wait_for(r"postfix-frontend/\S+: %s: .*status=deferred" % bulk.queue_id)
    # The frontend gives up, and its own bounce passes no milter.
    cached_gateway.postsuper("frontend", "-f", bulk.queue_id)
    cached_gateway.flush("frontend")
    (bounce,) = cached_gateway.relay.wait_for(1)
    assert (bounce.sender, bounce.recipient, bounce.instance) == ("", "fred@dest.example", 2)
    flash = cached_gateway.send(to=["fred@dest.example"], priority_header="1")
    assert cached_gateway.delivered(flash) == {"fred@dest.example": 4}
