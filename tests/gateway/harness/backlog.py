"""Mail of random plans that waits in the frontend, since the instances are away.

The gateway runs with plan.RULES and long queue IDs (no two messages of a test share one).

    begin_without_instances(gateway)
    backlog = Backlog(gateway, dice)
    backlog.add(150)
    ...
    gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()
"""

import collections
import time

from .installation import POLL_S
from .outcome import Outcome
from .plan import NAMES, PRIORITIES, Plan, send_all

CONNECTIONS = 8
MOVES_WITHIN_S = 20  # after `peg-ctl start` has returned mail that waited has begun to leave
INSTANCES = [str(priority) for priority in PRIORITIES]
# So many that some have one priority only, so few that others have several.
SHARED = ["%s.%d@ward.dest.example" % (name, n) for name in NAMES for n in range(12)]
CONF = {"enable_long_queue_ids": "yes"}  # for Gateway(template_conf=...)


def begin_without_instances(gateway):
    """Forget all that was before; what is sent from now on waits in the frontend."""
    gateway.begin_anew("milter", "tcpmap", "frontend")


class Backlog:
    """Messages that wait, and what must become of them."""

    def __init__(self, gateway, dice, shared=SHARED):
        self.gateway = gateway
        self._dice = dice
        self._shared = shared
        self._sent = []  # [(Plan, Sent)]

    def add(self, number):
        """Send so many messages more, and wait until the frontend has deferred them all."""
        plans = [Plan(self._dice, self._shared) for _ in range(number)]
        self.add_plans(plans)
        return self

    def add_plans(self, plans, timeout=120):
        """As add(), with these plans; returns [Sent] in their order."""
        sent = dict(send_all(self.gateway, plans, min(CONNECTIONS, len(plans))))
        self._sent += sent.items()
        deadline = time.monotonic() + timeout
        while True:
            counts = self.gateway.queue_counts("frontend")
            if counts["deferred"] == len(self._sent) == sum(counts.values()):
                return [sent[plan] for plan in plans]
            if time.monotonic() > deadline:
                raise TimeoutError("not all of %d are deferred: %s" % (len(self._sent), counts))
            time.sleep(POLL_S)

    def ways(self):
        """{way: number of messages} that was decided so far."""
        return collections.Counter(decision.way for decision in self.gateway.decisions().values())

    def check_moves(self):
        """To be called when mail may leave: at every priority the first of it arrives soon."""
        decisions = self.gateway.decisions()
        expected = set()
        for plan, sent in self._sent:
            goes = set(plan.priorities.values())
            expected |= {max(goes)} if decisions[sent.queue_id].way == "filter" else goes

        def moves(found):
            return expected <= {delivery.instance for delivery in found}

        self.gateway.relay.wait_for(moves, MOVES_WITHIN_S)

    def outcomes(self, timeout=120):
        """Wait until all queues are empty, and return the Outcomes.

        None of the messages is lost, none doubled.
        """
        self.gateway.wait_until_empty(timeout)
        decisions = self.gateway.decisions()
        for _, sent in self._sent:
            self.gateway.check_exact(sent)
        return [
            Outcome(
                plan,
                sent,
                decisions[sent.queue_id],
                self.gateway.relay.deliveries_for(sent.tag),
            )
            for plan, sent in self._sent
        ]

    def check_exact(self):
        """Wait until all has arrived; each recipient's mail came by its own instance."""
        outcomes = self.outcomes()
        misrouted = [(o.sent, o.way, o.misrouted) for o in outcomes if o.misrouted]
        assert misrouted == [], "%d misrouted: %s" % (len(misrouted), misrouted[:20])
        arrived = len(self.gateway.relay.deliveries)
        expected = sum(len(outcome.by_mailbox) for outcome in outcomes)
        assert arrived == expected, "%d deliveries, not %d" % (arrived, expected)
