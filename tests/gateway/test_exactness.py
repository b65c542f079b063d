"""Two thousand messages at once, to the same few recipients, at every priority: is each one exact?

Every recipient must get every message once, spelled as it was sent, from the instance that was
decided, whatever other mail for the same recipient is on its way at another priority.
"""

import collections
import concurrent.futures
import itertools
import os
import random

import pytest

from harness import judge
from harness.gateway import Gateway

PRIORITIES = range(5)
RULES = "".join(
    "X-To-Priority /^%d$/ to %d\nX-Cc-Priority /^%d$/ cc %d\n" % (n, n, n, n) for n in PRIORITIES
)
SENDERS = 20
MESSAGES_EACH = 100
NAMES = "anna bert carl dora emil fred gina hugo ida jan".split()
SHARED = [
    "%s@%s" % (name, domain)
    for name in NAMES
    for domain in ("dest.example", "ward.hospital.example", "hq.example")
]
# An address literal has no letters to respell; 1.cn has two: four spellings, five priorities.
HARD_TO_RESPELL = ["u@[192.0.2.7]", "v@[192.0.2.7]", "u@1.cn", "v@1.cn"]


class Plan:
    """One message that shall be sent: recipients {address: priority}, and where they stand."""

    def __init__(self, dice, shared):
        mixed = dice.random() < 1 / 3
        first, second = dice.sample(PRIORITIES, 2)
        chosen = [_spelled(dice, a) for a in dice.sample(shared, dice.randint(1 + mixed, 4))]
        split = dice.randint(1, len(chosen) - 1) if mixed else dice.randint(0, len(chosen))
        self.to, others = chosen[:split], chosen[split:]
        self.cc, self.bcc = others[: len(others) // 2 + 1], others[len(others) // 2 + 1 :]
        self.to_priority = first
        self.cc_priority = second if mixed else first
        self.priorities = {address: self.to_priority for address in self.to}
        self.priorities.update({address: self.cc_priority for address in self.cc + self.bcc})

    def send(self, sender):
        # In the header the domain may stand in another case: it is the same mailbox.
        return sender.send(
            to=self.to,
            cc=self.cc,
            bcc=self.bcc,
            to_header=", ".join(map(_domain_in_small_letters, self.to)) or None,
            headers=[
                ("X-To-Priority", str(self.to_priority)),
                ("X-Cc-Priority", str(self.cc_priority)),
            ],
        )


class Outcome:
    """A message that was sent: its plan, and what the relay and the log say about it."""

    def __init__(self, plan, sent, decision, deliveries):
        self.plan = plan
        self.sent = sent
        self.decision = decision
        self.by_mailbox = {judge.same_mailbox(d.recipient): d for d in deliveries}

    def recipients(self):
        """(address as sent, priority decided, Delivery), for each recipient."""
        for address, priority in self.plan.priorities.items():
            yield address, priority, self.by_mailbox[judge.same_mailbox(address)]

    def check_untouched(self):
        """Content to the byte, no header of ours, recipients as they were spelled.

        Where the message was respelled the case of letters in a domain may differ.
        """
        for address, _, found in self.recipients():
            assert found.headers("X-Peg-Route") == []
            found.added_before(self.sent.content)
            if self.decision.way == "respell":
                address, arrived = _domain_in_small_letters(address), found.recipient
                assert _domain_in_small_letters(arrived) == address, self.sent
            else:
                assert found.recipient == address, self.sent

    @property
    def inexact(self):
        """[(priority decided, instance that delivered)] where these differ."""
        return [(p, found.instance) for _, p, found in self.recipients() if found.instance != p]


def _spelled(dice, address):
    """The same mailbox, now and then in another case: other senders spell it otherwise."""
    local, at, domain = address.partition("@")
    if dice.random() < 0.1:
        domain = "".join(dice.choice((c.lower(), c.upper())) for c in domain)
    if dice.random() < 0.05:
        local = local.capitalize()
    return local + at + domain


def _domain_in_small_letters(address):
    local, at, domain = address.partition("@")
    return local + at + domain.lower()


@pytest.fixture(scope="module", name="exact_gateway")
def gateway_whose_messages_name_their_priorities():
    # Long queue IDs are never used twice, so that each message has its own line in the log.
    with Gateway(rules=RULES, template_conf={"enable_long_queue_ids": "yes"}) as gateway:
        yield gateway


def send_all(gateway, plans):
    """Send the plans over SENDERS connections at once; returns [(plan, Sent)]."""

    def send_share(share):
        with gateway.sender() as sender:
            return [(plan, plan.send(sender)) for plan in share]

    shares = [plans[n::SENDERS] for n in range(SENDERS)]
    with concurrent.futures.ThreadPoolExecutor(SENDERS) as threads:
        return list(itertools.chain.from_iterable(threads.map(send_share, shares)))


def run(gateway, shared):
    """Send two thousand messages to the shared recipients; returns their Outcomes.

    None is lost, none doubled, and nothing arrives where nothing was sent.
    """
    seed = os.environ.get("PEG_TEST_SEED") or str(random.SystemRandom().randrange(10**6))
    print("\nPEG_TEST_SEED=%s" % seed)
    dice = random.Random(seed)
    plans = [Plan(dice, shared) for _ in range(SENDERS * MESSAGES_EACH)]
    sent = send_all(gateway, plans)
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
