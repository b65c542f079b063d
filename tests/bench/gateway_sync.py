"""What durable decisions cost a whole gateway: DECISION_SYNC=yes against no, with real Postfix."""

import os
import re
import subprocess
import time

from harness import keeper
from harness.gateway import Gateway

from figures import Figure, Section, ratios
from machine import MONITORING, alternate, gateway_folder

SESSIONS = 20
MESSAGE_BYTES = 4096
RATIO_MIN = 0.9
PATIENCE_S = 60
POLL_S = 0.02
# smtp-source puts a number before each recipient: its last digit chooses the instance.
RULES = "".join("{rcpt_addr} /[%d%d]bob@/ all %d\n" % (n, n + 5, n) for n in range(5))
COUNTERS = re.compile(rb"mesg=(\d+)\r")


class Sink:
    """smtp-sink where the harness has its relay: it takes mail much faster, and counts it."""

    def __init__(self, port, counters):
        self._port = port
        self._counters = counters  # a file
        self._process = None

    def start(self):
        command = ["smtp-sink", "-u", "nobody", "-c", "127.0.0.1:%d" % self._port, "1024"]
        with open(self._counters, "wb") as out:
            self._process = subprocess.Popen(command, stdout=out)

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def count(self):
        """Messages so far."""
        with open(self._counters, "rb") as counters:
            counters.seek(max(0, os.path.getsize(self._counters) - 200))
            found = COUNTERS.findall(counters.read())
        return int(found[-1]) if found else 0

    def wait_for(self, count):
        """Wait until so many have come in all; returns time.monotonic() of that moment."""
        seen, seen_at = self.count(), time.monotonic()
        while seen < count:
            time.sleep(POLL_S)
            now, is_at = self.count(), time.monotonic()
            if now > seen:
                seen, seen_at = now, is_at
            elif is_at - seen_at > PATIENCE_S:
                raise AssertionError("%d messages are missing at the sink" % (count - seen))
        return time.monotonic()


class SinkGateway(Gateway):
    """A Gateway with a Sink behind it."""

    def __init__(self, root):
        super().__init__(root, rules=RULES, conf=MONITORING)
        self.relay = Sink(self.ports.relay, self.path("sink.counters"))
        self._runs = 0

    def set_sync(self, sync):
        """DECISION_SYNC, "yes" or "no"."""
        self.write_conf(dict(MONITORING, DECISION_SYNC=sync))
        if not self.reload_milter():
            raise AssertionError(self.log.tail(5))

    def load(self, messages):
        """Send so many messages; returns messages a second, until all have come to the sink."""
        self._runs += 1
        command = ["smtp-source", "-d", "-N", "-s", str(SESSIONS), "-m", str(messages)]
        command += ["-l", str(MESSAGE_BYTES), "-M", "client.example", "-f", "alice@source.example"]
        command += ["-t", "bob@r%d.dest.example" % self._runs, "127.0.0.1:%d" % self.ports.frontend]
        before = self.relay.count()
        began = time.monotonic()
        subprocess.run(command, check=True)
        took = self.relay.wait_for(before + messages) - began
        self.wait_until_empty()
        twice = self.relay.count() - before - messages
        if twice:
            raise AssertionError("%d messages came twice" % twice)
        return messages / took


def _grown(before, after):
    return {name: after[name] - before[name] for name in after}


def _measure(bench, messages):
    """{"yes": [(messages a second, counters)], "no": ...}, of rounds in turns."""

    def one(sync):
        gateway.set_sync(sync)
        before = keeper.status(gateway)
        rate = gateway.load(messages)
        grown = _grown(before, keeper.status(gateway))
        decided_well = grown["plain"] == messages and not grown["undurable"] and not grown["misses"]
        if not decided_well or (grown["journal_syncs"] > 0) != (sync == "yes"):
            raise AssertionError("DECISION_SYNC=%s: %s" % (sync, grown))
        bench.say("DECISION_SYNC=%s: %.0f messages/s" % (sync, rate))
        return rate, grown

    with gateway_folder() as root, SinkGateway(root) as gateway:
        gateway.load(messages)  # the first run starts Postfix's processes
        return alternate(bench.rounds(16, 4), ("yes", "no"), one)


def gateway_sync(bench):
    """What DECISION_SYNC costs from client to sink."""
    messages = bench.rounds(1500, 1000)
    found = _measure(bench, messages)
    yes, no = ([rate for rate, _ in found[sync]] for sync in ("yes", "no"))
    shared = [messages / grown["journal_syncs"] for _, grown in found["yes"]]
    figures = [
        Figure(
            "gateway_sync_ratio",
            "throughput, DECISION_SYNC=yes to no",
            ratios(yes, no),
            at_least=RATIO_MIN,
        ),
        Figure("gateway_yes", "DECISION_SYNC=yes", yes, "messages/s", digits=0),
        Figure("gateway_no", "DECISION_SYNC=no", no, "messages/s", digits=0),
        Figure("gateway_shared", "decisions an fdatasync there", shared, digits=1),
    ]
    text = (
        "A private gateway, five instances, {:,} messages of {} bytes a run by smtp-source in {} "
        "sessions, each to a recipient of its own, a fifth for each instance; timed from the first "
        "until the last has come to smtp-sink behind the instances.".format(
            messages, MESSAGE_BYTES, SESSIONS
        )
    )
    return Section("gateway_sync", "Durable decisions, end to end", text, figures)
