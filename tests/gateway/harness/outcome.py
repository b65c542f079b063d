"""What became of a message that was sent by a plan."""

from . import judge
from .plan import domain_in_small_letters


class Outcome:
    """A message that was sent: its plan, and what the relay and the log say about it."""

    def __init__(self, plan, sent, decision, deliveries):
        self.plan = plan
        self.sent = sent
        self.decision = decision
        self.by_mailbox = {judge.same_mailbox(d.recipient): d for d in deliveries}

    @property
    def way(self):
        """The way that was decided; None where nothing was."""
        return self.decision.way if self.decision else None

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
                address, arrived = domain_in_small_letters(address), found.recipient
                assert domain_in_small_letters(arrived) == address, self.sent
            else:
                assert found.recipient == address, self.sent

    @property
    def inexact(self):
        """[(priority decided, instance that delivered)] where these differ."""
        return [(p, found.instance) for _, p, found in self.recipients() if found.instance != p]

    @property
    def misrouted(self):
        """[(address, instance it must have gone to, instance that delivered)] where these differ.

        By the filter all go together, at the highest priority among them.
        """
        found = []
        for address, priority, delivery in self.recipients():
            if self.way == "filter":
                priority = max(self.plan.priorities.values())
            if delivery.instance != priority:
                found.append((address, priority, delivery.instance))
        return found
