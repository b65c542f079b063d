"""Mail that keeps coming while something is done to the gateway, and what has become of it.

The gateway runs with plan.RULES and backlog.CONF.

    with Load(gateway, torture.dice()) as load:
        ...
        load.wait_for(20)  # messages more
    load.check_exact()
"""

import time

from .busy_senders import BusySenders
from .installation import POLL_S
from .outcome import Outcome

PATIENCE_S = 30


class Load(BusySenders):
    """BusySenders that leave the gateway some time for other things."""

    def __init__(self, gateway, dice, number=2, pause_s=0.03, **options):
        super().__init__(gateway, dice, number, pause_s=pause_s, **options)
        self.gateway = gateway

    def wait_for(self, number, timeout=PATIENCE_S):
        """Wait until so many messages more have been accepted."""
        before = len(self.accepted)
        deadline = time.monotonic() + timeout
        while len(self.accepted) < before + number:
            if time.monotonic() > deadline:
                found = len(self.accepted) - before
                raise TimeoutError("%d of %d messages within %s s" % (found, number, timeout))
            time.sleep(POLL_S)

    @property
    def longest_s(self):
        """How long the sender waited that waited longest for a message to be accepted."""
        return max(attempt.ended - attempt.began for attempt in self.accepted)

    def outcomes(self, timeout=120):
        """[(Attempt, Outcome)] of all messages, when all queues are empty.

        None is lost and none doubled.
        """
        self.gateway.wait_until_empty(timeout)
        decisions = self.gateway.decisions()
        found = []
        for attempt in self.accepted:
            self.gateway.check_exact(attempt.sent)
            decision = decisions.get(attempt.sent.queue_id)
            deliveries = self.gateway.relay.deliveries_for(attempt.sent.tag)
            found.append((attempt, Outcome(attempt.plan, attempt.sent, decision, deliveries)))
        return found

    def check_exact(self, timeout=120):
        """All has arrived, each recipient's mail by its own instance."""
        wrong = [(o.sent, o.way, o.misrouted) for _, o in self.outcomes(timeout) if o.misrouted]
        assert wrong == []
