"""What is done to a gateway while urgent mail passes it: one context manager for each case.

Each takes a Trial, yields when the stress is there, and relieves the gateway of it.
"""

import contextlib
import threading
import time

from gateways import single

URGENT, ROUTINE = 4, 2
RELAY_MS = 100
RELAY_CONNECTIONS = 5
SESSIONS = 100
FEW_PROCESSES = "20"
STOPPED_RATE = 50  # messages a second for the instance that is away
HAND_OVER_S = 60  # after a burst, for the frontend to hand over what it has
FLUSH_S = 5  # between two tries of deferred mail
REFUSED = "refused%"
POLL_S = 0.1
PATIENCE_S = 300

URGENT_KINDS = [single(URGENT)]
ROUTINE_KINDS = [single(ROUTINE, "r%")]
REFUSED_KINDS = [single(ROUTINE, REFUSED)]


class Trial:
    """A gateway under stress.

    entrant     the Entrant
    size        1 in a full run, less in a quick one
    loads       what was sent to put it under stress
    left        how many messages the frontend still had when waiting for it ended
    """

    def __init__(self, entrant, size):
        self.entrant = entrant
        self.size = size
        self.loads = []
        self.left = 0

    @contextlib.contextmanager
    def load(self, kinds, **options):
        """A Load of routine mail from now on, and what the trial knows of it."""
        with self.entrant.load(kinds, **options) as load:
            self.loads.append(load)
            yield load

    def deliverer(self, priority):
        """The Postfix that delivers mail of this priority."""
        return "frontend" if self.entrant.kind == "P" else priority

    def drain(self, instance):
        """Have all deferred mail tried again, until none is left."""
        deadline = time.monotonic() + PATIENCE_S
        while self.entrant.gateway.queue_counts(instance)["deferred"]:
            if time.monotonic() > deadline:
                raise AssertionError("mail stays deferred")
            self.entrant.gateway.flush(instance)
            time.sleep(1)

    def wait_for_hand_over(self):
        """Until the frontend has nothing left, or as long as that may take."""
        if self.deliverer(ROUTINE) == "frontend":
            return
        deadline = time.monotonic() + HAND_OVER_S * self.size
        while True:
            self.left = sum(self.entrant.gateway.queue_counts("frontend").values())
            if not self.left or time.monotonic() > deadline:
                break
            time.sleep(POLL_S)

    def wait_for_deferred(self, instance, wanted):
        """Until so many messages are deferred."""
        deadline = time.monotonic() + PATIENCE_S
        while self.entrant.gateway.queue_counts(instance)["deferred"] < wanted:
            if time.monotonic() > deadline:
                raise AssertionError("%d messages are not deferred" % wanted)
            time.sleep(POLL_S)


@contextlib.contextmanager
def configured(trial, is_slow, is_short):
    """Postfix as it is by itself where mail comes faster than it goes (in_flow_delay); with few
    connections to a relay that is slow; and for beyond(), with queue managers that take little mail
    in hand. No mail is there before and after."""
    gateway = trial.entrant.gateway
    deliverers = {trial.deliverer(n) for n in (URGENT, ROUTINE)}
    changes = [(instance, "in_flow_delay", "1s", "0") for instance in deliverers | {"frontend"}]
    if is_slow:
        limit = "smtp_destination_concurrency_limit"
        changes += [(i, limit, str(RELAY_CONNECTIONS), None) for i in deliverers]
    if is_short:
        for instance, limit in ((trial.deliverer(ROUTINE), 100), ("frontend", 1000)):
            limit = str(int(limit * trial.size))
            changes.append((instance, "qmgr_message_active_limit", limit, None))
    for instance, name, value, _ in changes:
        gateway.set_postfix_conf(instance, name, value)
    _reload(gateway, deliverers | {"frontend"})
    yield
    for instance, name, _, value in changes:
        gateway.set_postfix_conf(instance, name, value)
    _reload(gateway, deliverers | {"frontend"})


@contextlib.contextmanager
def few_processes(gateway, count=FEW_PROCESSES):
    """So few smtpd processes take what comes to the frontend's listener for all mail."""
    field = "127.0.0.1:%d/inet/process_limit=" % gateway.ports.frontend
    gateway.postconf("frontend", "-F", field + count)
    gateway.reload_postfix("frontend")
    try:
        yield
    finally:
        gateway.postconf("frontend", "-F", field + "-")
        gateway.reload_postfix("frontend")


def _reload(gateway, instances):
    for instance in instances:
        gateway.reload_postfix(instance)


@contextlib.contextmanager
def slow_relay(trial):
    """The relay takes RELAY_MS for each message."""
    trial.entrant.sink.order("delay %d" % RELAY_MS)
    try:
        yield
    finally:
        trial.entrant.sink.order("delay 0")


@contextlib.contextmanager
def idle(_trial):
    """Nothing else is there."""
    yield


@contextlib.contextmanager
def slow(trial):
    """Nothing else is there, but the relay is slow."""
    with slow_relay(trial):
        yield


@contextlib.contextmanager
def _waiting(trial, messages):
    """So many routine messages, a trial's size of them, wait for the slow relay."""
    with slow_relay(trial):
        messages = int(messages * trial.size)
        with trial.load(ROUTINE_KINDS, messages=messages, sessions=SESSIONS) as load:
            load.wait()
        trial.wait_for_hand_over()
        yield


def backlog(trial):
    """10,000 routine messages wait for the same slow relay."""
    return _waiting(trial, 10000)


def beyond(trial):
    """6,000 routine messages wait for the same slow relay, while queue managers take only 1,000 \
in hand in the frontend, and 100 in their instance, where Postfix has 20,000."""
    return _waiting(trial, 6000)


@contextlib.contextmanager
def flood(trial):
    """Routine mail comes as fast as 100 sessions can send it."""
    with trial.load(ROUTINE_KINDS, sessions=SESSIONS) as load:
        deadline = time.monotonic() + PATIENCE_S
        while len(load.sent()) < 2 * SESSIONS:
            if time.monotonic() > deadline or not load.is_running():
                raise AssertionError("there is no flood")
            time.sleep(POLL_S)
        yield
        load.stop()


@contextlib.contextmanager
def stopped(trial):
    """The instance for routine mail is stopped; its mail piles up in the frontend."""
    gateway = trial.entrant.gateway
    gateway.stop_postfix(ROUTINE)
    try:
        messages = int(1000 * trial.size)
        with trial.load(ROUTINE_KINDS, messages=messages, sessions=20) as load:
            load.wait()
        trial.wait_for_deferred("frontend", messages)
        with trial.load(ROUTINE_KINDS, sessions=20, interval=1 / STOPPED_RATE) as load:
            yield
            load.stop()
    finally:
        gateway.start_postfix(ROUTINE)
        trial.entrant.watch()
    trial.drain("frontend")


@contextlib.contextmanager
def retried(trial):
    """Deferred routine mail is tried again, and refused again, every few seconds."""
    gateway, instance = trial.entrant.gateway, trial.deliverer(ROUTINE)
    messages = int(2000 * trial.size)
    trial.entrant.sink.order("refuse " + REFUSED.rstrip("%"))
    enough = threading.Event()
    flusher = threading.Thread(target=_flush_until, args=(gateway, instance, enough))
    try:
        with trial.load(REFUSED_KINDS, messages=messages, sessions=20) as load:
            load.wait()
        trial.wait_for_deferred(instance, messages)
        flusher.start()
        yield
    finally:
        enough.set()
        if flusher.ident:
            flusher.join()
        trial.entrant.sink.order("refuse")
    trial.drain(instance)


def _flush_until(gateway, instance, enough):
    while True:
        gateway.flush(instance)
        if enough.wait(FLUSH_S):
            return
