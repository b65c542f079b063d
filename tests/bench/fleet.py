"""The gateways that are compared, all of them up at once, and mail through one at a time."""

import contextlib
import shutil
import sys
import time

from harness import keeper, processes
from harness.gateway import Gateway
from harness.installation import PLAIN_RULES

from cpu import CpuMeter
from machine import MONITORING, gateway_folder
from rivals import QPSMTPD, Rival
from traffic import Load, Sink

# Beside those of tests/gateway/harness/template.py: a benchmark has one client with many sessions.
TEMPLATE_CONF = {"inet_protocols": "ipv4", "smtpd_client_connection_count_limit": "0"}
NICE = {0: 2, 1: 1, 2: 0, 3: -1, 4: -2}  # the original's
TITLES = {
    "A": "A, qpsmtpd as filter",
    "N": "N, no classification",
    "M": "M, N and a null milter",
    "P": "P, one Postfix",
    "yes": "ours, DECISION_SYNC=yes",
    "no": "ours, DECISION_SYNC=no",
}
WARM_SESSIONS = 20


class Ours(Gateway):
    """Our gateway, made by peg-gen."""

    def __init__(self, root, template_conf, conf=None, rules=PLAIN_RULES):
        conf = dict({"NICE_LEVEL[%d]" % n: level for n, level in NICE.items()}, **(conf or {}))
        conf.update(MONITORING)
        super().__init__(root, conf=conf, rules=rules, template_conf=template_conf)
        self._bench_conf = conf
        self._sync = "yes"

    def set_sync(self, sync):
        """DECISION_SYNC, "yes" or "no"."""
        if sync == self._sync:
            return
        self.write_conf(dict(self._bench_conf, DECISION_SYNC=sync))
        if not self.reload_milter():
            raise AssertionError(self.log.tail(5))
        self._sync = sync

    def parts(self):
        """{part: [process ids]} whose trees are all of it."""
        masters = {i: self.master_pid(i) for i in self.instances()}
        return {
            "frontend": [masters.pop("frontend")],
            "instances": list(masters.values()),
            "milter": [self.daemon_pid("peg-milter")],
            "tcpmap": [self.daemon_pid("peg-tcpmap")],
            "monitor": [self.daemon_pid("peg-monitor")],
        }

    def master_pid(self, instance):
        """The process id of a Postfix."""
        return processes.read_pid(self.queue_dir(instance) + "/pid/master.pid")

    def start_postfix(self, instance):
        """Start the frontend or an instance."""
        self.ctl("start", str(instance))

    def stop_postfix(self, instance):
        """Stop the frontend or an instance."""
        self.ctl("stop", str(instance))

    def reload_postfix(self, instance):
        """Have it read main.cf anew."""
        self.ctl("reload", str(instance))


class Entrant(contextlib.AbstractContextManager):
    """One gateway with a sink behind it; from the beginning of the block on it takes mail.

    gateway     a Rival or Ours
    sink        its Sink
    kind        N, M, A, P or ours
    """

    def __init__(self, bench, kind, stack, **options):
        self._bench = bench
        self.kind = kind
        root = stack.enter_context(gateway_folder())
        if kind == "ours":
            self.gateway = Ours(root, TEMPLATE_CONF, **options)
        else:
            program = bench.program("null_milter")
            self.gateway = Rival(root, kind, program, TEMPLATE_CONF, NICE)
        self.sink = Sink(bench.program("smtp_sink"), self.gateway.ports.relay, root)
        if kind == "ours":
            self.gateway.relay = self.sink  # in the place of that of the tests
        self.meter = CpuMeter(kind)
        self._folder = root

    def __enter__(self):
        try:
            if self.kind != "ours":
                self.sink.start()
            self.gateway.start()
            self.watch()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        self.gateway.stop()
        self.sink.stop()
        self.meter.close()

    def watch(self):
        """Count the processor time of the processes that it has now; after a start of one."""
        for part, pids in self.gateway.parts().items():
            self.meter.watch(part, pids)

    def expected(self, kind):
        """{instance as the sink knows it: recipients} of messages of a Kind."""
        if self.kind == "P":
            return {"postfix-frontend": len(kind.recipients)}
        by = kind.by_header if self.kind in ("ours", "A") else kind.by_domain
        return {"postfix%d" % priority: count for priority, count in by.items()}

    def load(self, kinds, **options):
        """A Load for it."""
        return Load(
            self._bench.program("smtp_load"),
            self._folder,
            self.gateway.ports.frontend,
            kinds,
            self.expected,
            **options,
        )

    def send(self, kinds, **options):
        """Send so many messages and wait until all have come; returns (Load, arrivals)."""
        with self.load(kinds, **options) as load:
            load.wait()
        arrived = self.settle(load)
        return load, arrived

    def settle(self, *loads):
        """Wait until all of them have come, once each, and no queue holds anything.

        Returns the arrivals of the first.
        """
        for load in loads:
            self.sink.wait_for(load)
        self.gateway.wait_until_empty(120)
        for load in loads:
            load.check(self.sink.arrived(load))
        first = self.sink.arrived(loads[0])
        for load in loads:
            self.sink.forget(load)
        return first

    def measured(self, kinds, **options):
        """Send so many messages; returns a Measured. Processes have been started before."""
        sessions = options.get("sessions", 1)
        warming = dict(options, messages=max(2 * sessions, WARM_SESSIONS), interval=0)
        if options.get("size", 0) > 1 << 20:
            warming["size"] = 4096
        self.send(kinds, **warming)
        before, counters = self.meter.read(), self._counters()
        load, arrived = self.send(kinds, **options)
        # What a process does behind the last message belongs to it as well.
        after = self.meter.read()
        spent = {part: after[part] - before[part] for part in after}
        return Measured(load, arrived, spent, _grown(counters, self._counters()))

    def _counters(self):
        return keeper.status(self.gateway) if self.kind == "ours" else {}


class Measured:
    """What came of one load.

    rate        messages a second, until the last has come
    cpu         {part: seconds of processor time a message}
    counters    by how much those of peg-decisions have grown
    """

    def __init__(self, load, arrived, spent, counters):
        sent = load.sent()
        began = min(due for due, _ in sent.values())
        self.messages = len(sent)
        self.rate = self.messages / (max(at for _, at, _, _ in arrived) - began)
        self.cpu = {part: seconds / self.messages for part, seconds in spent.items()}
        self.counters = counters
        self.load = load
        self.arrived = arrived


class Fleet(contextlib.AbstractContextManager):
    """Entrants, each started when it is first asked for; all stopped when the block is left."""

    def __init__(self, bench):
        self._bench = bench
        self._entrants = {}
        self._stack = contextlib.ExitStack()

    def __exit__(self, *exception):
        self._entrants.clear()
        self._stack.close()

    def entrant(self, name):
        """The Entrant of this name of TITLES, as it must be for a measurement."""
        kind = "ours" if name in ("yes", "no") else name
        if kind not in self._entrants:
            began = time.monotonic()
            self._entrants[kind] = self.add(kind)
            self._bench.say("%s is up after %.0f s" % (kind, time.monotonic() - began))
        entrant = self._entrants[kind]
        if kind == "ours":
            entrant.gateway.set_sync(name)
        return entrant

    def add(self, kind, **options):
        """A new one; options of Ours."""
        return self._stack.enter_context(Entrant(self._bench, kind, self._stack, **options))

    def names(self, *wanted):
        """Those of them that can be there: A only where its program is installed."""
        if "A" in wanted and shutil.which(QPSMTPD) is None:
            print("bench: without %s there is no A" % QPSMTPD, file=sys.stderr)
            return [name for name in wanted if name != "A"]
        return list(wanted)


def _grown(before, after):
    return {name: after[name] - before[name] for name in after}
