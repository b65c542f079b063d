"""Senders that go on whatever happens to the gateway, as mail servers do.

    with BusySenders(gateway, dice, number=6) as senders:
        ...
    for attempt, outcome in outcomes_of(gateway, senders.accepted): ...
"""

import contextlib
import random
import threading
import time

from .outcome import Outcome
from .plan import SHARED, Plan

RETRY_S = 0.1


def outcomes_of(gateway, attempts, timeout=60):
    """[(Attempt, Outcome)], when all has left. No message is lost, none doubled."""
    gateway.wait_until_empty(timeout)
    decisions = gateway.decisions()
    outcomes = []
    for attempt in attempts:
        sent = attempt.sent
        gateway.check_exact(sent)
        found = gateway.relay.deliveries_for(sent.tag)
        outcomes.append((attempt, Outcome(attempt.plan, sent, decisions.get(sent.queue_id), found)))
    return outcomes


class Attempt:
    """One message that was accepted, over a connection of its own.

    plan, sent      what was sent, the tag of this try included
    began, ended    time.monotonic() before connecting, and when it was known to be accepted
    """

    def __init__(self, plan, sent, began):
        self.plan = plan
        self.sent = sent
        self.began = began
        self.ended = time.monotonic()

    def overlaps(self, interval):
        """Whether any of it was in this time, (begin, end)."""
        begin, end = interval
        return self.began < end and begin < self.ended


class BusySenders:
    """Threads that send random plans, each over a connection of its own, until the block is left.

    make_plan   a function of the dice, for other plans than a Plan to the shared recipients
    pause_s     how long each waits between two messages

    accepted    [Attempt]: 250 was read after the content
    lost        number of tries that came to no answer; what became of the message is not known
    refused     number of tries that got another answer
    """

    def __init__(self, gateway, dice, number, shared=SHARED, make_plan=None, pause_s=0):
        self.accepted = []
        self.lost = self.refused = 0
        self._gateway = gateway
        self._make_plan = make_plan or (lambda dice: Plan(dice, shared))
        self._pause_s = pause_s
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self._failure = None
        self._turns = [threading.Lock() for _ in range(number)]
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(dice.random()), turn))
            for turn in self._turns
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, _value, _trace):
        self._enough.set()
        for thread in self._threads:
            thread.join()
        if self._failure and kind is None:
            raise self._failure

    @contextlib.contextmanager
    def held(self):
        """Nothing is sent in this block."""
        with contextlib.ExitStack() as stack:
            for turn in self._turns:
                stack.enter_context(turn)
            yield

    def _run(self, dice, turn):
        try:
            while not self._enough.is_set():
                plan = self._make_plan(dice)
                while not self._try(plan, turn) and not self._enough.wait(RETRY_S):
                    pass
                self._enough.wait(self._pause_s)
        except Exception as failure:  # for the thread of the test
            self._failure = failure

    def _try(self, plan, turn):
        """Send the message under a new tag; returns whether it was accepted."""
        sent = None
        with turn:
            began = time.monotonic()
            try:
                with self._gateway.sender() as sender:
                    sent = plan.send(sender, check=False)
            except OSError:  # where it was QUIT that found nobody, the message is sent all the same
                pass
        with self._lock:
            if sent is None:
                self.lost += 1
            elif not sent.accepted:
                self.refused += 1
            elif len(sent.accepted) < len(sent.recipients):
                raise AssertionError("%s: taken for some of its recipients only" % sent)
            else:
                self.accepted.append(Attempt(plan, sent, began))
                return True
        return False
