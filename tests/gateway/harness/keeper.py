"""peg-decisions: what a gateway remembers of its decisions, and having it forget."""

import contextlib
import fcntl
import os
import re
import struct
import time

STORE = "var/lib/priority-email-gateway"
TABLE = "run/priority-email-gateway/decisions"
TABLE_LOCK = STORE + "/table.lock"
SNAPSHOT = STORE + "/decisions.cdb"
RECORDED_LINE = re.compile(
    r"(.*): (?:no rule|rule \d+), priority (\d), instance \w+(?:, as (.*))? -> \S+"
)


def status(gateway):
    """{name: number} of `peg-decisions status`."""
    lines = gateway.tool("peg-decisions", "status").stdout.splitlines()
    return {name: int(value) for name, value in map(str.split, lines)}


def tidy(gateway, *options, **run):
    """`peg-decisions tidy`, once no other one is at it; run is for Installation.tool().

    It logs to stderr.
    """
    while True:
        done = gateway.tool("peg-decisions", "tidy", *options, **run)
        if "another process" not in done.stderr:
            return done


def look(gateway, times=2):
    """Have it look into the frontend's queue so many times, whoever else does."""
    wanted = status(gateway)["scans"] + times
    while status(gateway)["scans"] < wanted:
        tidy(gateway)


def wait_for_looks(gateway, number, timeout=30):
    """Wait until the queue has been looked into so many times since boot, whoever did it."""
    deadline = time.monotonic() + timeout
    while status(gateway)["scans"] < number:
        if time.monotonic() > deadline:
            raise TimeoutError("no look number %d within %s s" % (number, timeout))
        time.sleep(0.1)


def segments(gateway):
    """The names of the journal's segments, in order."""
    found = os.listdir(gateway.path(STORE))
    return sorted(name for name in found if re.fullmatch(r"journal\.\d{10}", name))


def strange_files(gateway):
    """What stands in the store's folder beside the files that belong there."""
    usual = set(segments(gateway)) | {"decisions.cdb", "table.lock", "tidy.lock", "incomplete"}
    return sorted(set(os.listdir(gateway.path(STORE))) - usual)


@contextlib.contextmanager
def table_lock_held(gateway):
    """Who has to make the decision table waits meanwhile."""
    path = gateway.path(TABLE_LOCK)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        # l_type, l_whence, l_start, l_len; the second byte is the lock of the maker
        maker = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 1, 1, 0)
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, maker)
        os.fchmod(lock, 0o666)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def no_decision(gateway):
    """No decision comes to its end meanwhile: the table is gone, and nobody may make it again."""
    with table_lock_held(gateway):
        os.unlink(gateway.path(TABLE))
        yield


def lose_table(gateway):
    """Both daemons are killed, the table goes, and they are started again."""
    gateway.kill("peg-milter")
    gateway.kill("peg-tcpmap")
    os.unlink(gateway.path(TABLE))
    gateway.ctl("start", "milter", "tcpmap")


class Recorded:
    """What peg-explain --queue-id says of a message.

    way         "plain", "filter" or "respell"
    priorities  {recipient as sent: priority}
    keys        {recipient as sent: its routing key}
    """

    def __init__(self, queue_id, text):
        first, *rest = text.splitlines()
        pattern = r"(?:urgent/)?%s: decided [-0-9]+T[0-9:.]+Z, way (\w+)(?:, priority \d)?" % queue_id
        self.way = re.fullmatch(pattern, first).group(1)
        self.priorities = {}
        self.keys = {}
        for line in rest:
            address, priority, key = RECORDED_LINE.fullmatch(line).groups()
            self.priorities[address] = int(priority)
            self.keys[address] = key or address


def recorded(gateway, sent):
    """The Recorded of a message in a frontend's queue; None where nothing is known of it."""
    done = gateway.tool("peg-explain", "--queue-id", sent.queue_id, check=False)
    return Recorded(sent.queue_id, done.stdout) if done.returncode == 0 else None
