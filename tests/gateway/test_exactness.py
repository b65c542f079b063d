"""Two thousand messages at once, to the same few recipients, at every priority: is each one exact?

Every recipient must get every message once, spelled as it was sent, from the instance that was
decided, whatever other mail for the same recipient is on its way at another priority.
"""

import collections

import pytest

from harness import torture
from harness.gateway import Gateway
from harness.outcome import Outcome
from harness.plan import RULES, SHARED, Plan, send_all

SENDERS = 20
MESSAGES_EACH = 100
# An address literal has no letters to respell; 1.cn has two: four spellings, five priorities.
HARD_TO_RESPELL = ["u@[192.0.2.7]", "v@[192.0.2.7]", "u@1.cn", "v@1.cn"]


@pytest.fixture(scope="module", name="exact_gateway")
def gateway_whose_messages_name_their_priorities():
    # Long queue IDs are never used twice, so that each message has its own line in the log.
    with Gateway(rules=RULES, template_conf={"enable_long_queue_ids": "yes"}) as gateway:
        yield gateway


def run(gateway, shared):
    """Send two thousand messages to the shared recipients; returns their Outcomes.

    None is lost, none doubled, and nothing arrives where nothing was sent.
    """
    dice = torture.dice()
    plans = [Plan(dice, shared) for _ in range(SENDERS * MESSAGES_EACH)]
    sent = send_all(gateway, plans, SENDERS)
    gateway.wait_until_empty(timeout=120)
    for _, message in sent:
        gateway.check_exact(message)
    assert len(gateway.relay.deliveries) == sum(len(plan.priorities) for plan in plans)
    decisions = gateway.decisions()
    outcomes = [
        Outcome(plan, m, decisions[m.queue_id], gateway.relay.deliveries_for(m.tag))
        for plan, m in sent
    ]
    print_figures(outcomes)
    for outcome in outcomes:
        outcome.check_untouched()
    return outcomes


def print_figures(outcomes):
    """What the run was made of; shown by `pytest -s`, and where a test fails."""
    mixed = [o for o in outcomes if len(set(o.plan.priorities.values())) > 1]
    instances = collections.Counter(d.instance for o in outcomes for d in o.by_mailbox.values())
    inexact = [pair for outcome in outcomes for pair in outcome.inexact]
    print(
        "messages: %d, with more than one priority: %d; ways: %s; deliveries: %d, by instance: %s; "
        "upgraded: %d, demoted: %d"
        % (
            len(outcomes),
            len(mixed),
            dict(collections.Counter(o.decision.way for o in outcomes)),
            sum(len(o.by_mailbox) for o in outcomes),
            sorted(instances.items()),
            sum(instance > priority for priority, instance in inexact),
            sum(instance < priority for priority, instance in inexact),
        )
    )


@pytest.mark.parametrize("address", ["Otto@new.example", "otto@New.EXAMPLE", "OTTO@NEW.example"])
def test_an_address_in_any_case_goes_by_the_priority_that_was_decided(exact_gateway, address):
    sent = exact_gateway.send(to=[address], headers=[("X-To-Priority", "4")])
    assert exact_gateway.delivered(sent) == {address: 4}


def test_every_recipient_gets_every_message_once_from_the_instance_that_was_decided(exact_gateway):
    outcomes = run(exact_gateway, SHARED)
    assert [outcome.sent for outcome in outcomes if outcome.inexact] == []
    assert {outcome.decision.way for outcome in outcomes} >= {"plain", "filter", "respell"}


def test_where_no_spelling_is_left_a_message_is_upgraded_and_never_demoted(exact_gateway):
    outcomes = run(exact_gateway, SHARED + HARD_TO_RESPELL)
    for outcome in outcomes:
        if outcome.inexact:
            highest = max(outcome.plan.priorities.values())
            mailboxes = {address.lower() for address in outcome.plan.priorities}
            assert all(priority < highest for priority, _ in outcome.inexact), outcome.sent
            assert {instance for _, instance in outcome.inexact} == {highest}, outcome.sent
            assert outcome.decision.way == "filter", outcome.sent
            assert mailboxes & set(HARD_TO_RESPELL), outcome.sent
