"""The gateways that are compared, all of them up at once, and mail through one at a time."""

import contextlib
import os
import shutil
import sys
import time

from harness import keeper
from harness.gateway import Gateway
from harness.installation import PLAIN_RULES

from cpu import CpuMeter, own_memory
from machine import MONITORING, gateway_folder
from rivals import QPSMTPD, Rival, master_pid
from traffic import Load, Sink

# Beside those of tests/gateway/harness/template.py: a benchmark has one client with many sessions.
TEMPLATE_CONF = {"inet_protocols": "ipv4", "smtpd_client_connection_count_limit": "0"}
# As they are shipped.
NICE = {"urgent": -10, "frontend": 5, 0: 5, 1: 3, 2: 0, 3: -5, 4: -10}
BATCH = {"urgent": "no", "frontend": "yes", 0: "yes", 1: "yes", 2: "yes", 3: "yes", 4: "no"}
TITLES = {
    "A": "A, qpsmtpd as filter",
    "N": "N, no classification",
    "M": "M, N and a null milter",
    "P": "P, one Postfix",
    "bare": "ours without milter, map of N",
    "yes": "ours, DECISION_SYNC=yes",
    "no": "ours, DECISION_SYNC=no",
}
WARM_MESSAGES = 10
POLL_S = 0.1


def each(name, values):
    """{parameter: value}, where values has one for "frontend", "urgent" or instance n."""
    return {
        name + ("_" + who.upper() if isinstance(who, str) else "[%d]" % who): value
        for who, value in values.items()
    }


def template_conf(preload=None):
    """That of every gateway, whose Postfix preloads a library where one is given."""
    environment = {"import_environment": "MAIL_CONFIG TZ LANG=C LD_PRELOAD=%s" % preload}
    return dict(TEMPLATE_CONF, **(environment if preload else {}))


class Ours(Gateway):
    """Our gateway, made by peg-gen.

    claims      a function of its folder that puts claims into its store before it is started
    preload     a library for all of its programs, ours and Postfix's
    """

    def __init__(self, root, conf=None, claims=None, preload=None):
        conf = {**each("NICE_LEVEL", NICE), **each("SCHED_BATCH", BATCH), **(conf or {})}
        conf.update(MONITORING, DECISION_SYNC="yes")
        super().__init__(
            root, conf=conf, rules=PLAIN_RULES, template_conf=template_conf(preload), urgent=True
        )
        if preload:
            self.under["preload"] = ["env", "LD_PRELOAD=" + preload]
        self._bench_conf = conf
        self._claims = claims

    def write(self):
        super().write()
        if self._claims:
            self._claims(self.root)

    daemons = ("milter", "tcpmap", "monitor")

    def set_sync(self, sync):
        """DECISION_SYNC, "yes" or "no". Only peg-milter is reloaded: the others it is measured
        beside keep the processes of their Postfixes, too."""
        conf = dict(self._bench_conf, DECISION_SYNC=sync)
        if conf != self._bench_conf:
            self.write_conf(conf)
            if not self.reload_milter():
                raise AssertionError(self.log.tail(5))
            self._bench_conf = conf

    @contextlib.contextmanager
    def configured(self, parameters):
        """Parameters of the gateway that a reload puts into effect, until the end of the block."""
        before = self._bench_conf
        self._set_conf(dict(before, **parameters))
        try:
            yield
        finally:
            self._set_conf(before)

    def _set_conf(self, conf):
        if conf != self._bench_conf:
            self.write_conf(conf)
            self.ctl("reload")
            self._bench_conf = conf

    def postconf(self, instance, *arguments):
        """postconf(1)."""
        self._run(["postconf", "-c", self.config_dir(instance)] + list(arguments))

    def parts(self):
        """{part: [process ids]} whose trees are all of it."""
        masters = {i: master_pid(self, i) for i in self.instances()}
        parts = {
            "frontend": [masters.pop("frontend"), masters.pop("urgent")],
            "instances": list(masters.values()),
        }
        for part in self.daemons:
            parts[part] = [self.daemon_pid("peg-" + part)]
        return parts

    def start_postfix(self, instance):
        """Start the frontend or an instance."""
        self.ctl("start", str(instance))

    def stop_postfix(self, instance):
        """Stop the frontend or an instance."""
        self.ctl("stop", str(instance))

    def reload_postfix(self, instance):
        """Have it read main.cf anew."""
        self.ctl("reload", str(instance))


class Bare(Ours):
    """What peg-gen makes, but without a milter and with the map of N: what the rest of it costs."""

    def write(self):
        super().write()
        transport = self.config_dir("frontend") + "/bench_transport"
        with open(transport, "w") as file:
            for n in range(5):
                port = self.ports.instance_base + n
                file.write("p%d.dest.example peg%d:[127.0.0.1]:%d\n" % (n, n, port))
        self._run(["postmap", "cdb:" + transport])
        for name in ("smtpd_milters", "non_smtpd_milters"):
            self.set_postfix_conf("frontend", name, "")
        self.postconf("frontend", "-P", "rewrite-route/unix/transport_maps=cdb:%s" % transport)

    def milter_socket(self):  # of a peg-milter that nobody asks
        return os.path.join(self.queue_dir("frontend"), "peg/milter")


OURS = {"ours": Ours, "bare": Bare}


class Entrant(contextlib.AbstractContextManager):
    """One gateway with a sink behind it; from the beginning of the block on it takes mail.

    gateway     a Rival or Ours
    sink        its Sink
    kind        N, M, A, P, ours or bare
    memory      {part of ours: the most bytes of its own that it had while mail was sent}
    """

    def __init__(self, bench, kind, stack, preload=None, **options):
        self._bench = bench
        self.kind = kind
        root = stack.enter_context(gateway_folder())
        self._is_ours = kind in OURS
        if self._is_ours:
            self.gateway = OURS[kind](root, preload=preload, **options)
        else:
            program = bench.program("idle_milter")
            self.gateway = Rival(root, kind, program, template_conf(preload), NICE)
        self.sink = Sink(bench.program("smtp_sink"), self.gateway.ports.relay, root)
        if self._is_ours:
            self.gateway.relay = self.sink  # in the place of that of the tests
        self.meter = CpuMeter()
        self.memory = dict.fromkeys(("milter", "tcpmap"), 0)
        self._folder = root

    def __enter__(self):
        try:
            if not self._is_ours:
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

    def load(self, kinds, port=None, **options):
        """A Load for it, handed in to the frontend where no other port is given."""
        return Load(
            self._bench.program("smtp_load"),
            self._folder,
            port or self.gateway.ports.frontend,
            kinds,
            self.expected,
            **options,
        )

    def send(self, kinds, **options):
        """Send so many messages and wait until all have come; returns (Load, arrivals)."""
        with self.load(kinds, **options) as load:
            while load.is_running():
                self._look_at_memory()
                time.sleep(POLL_S)
            load.wait()
        arrived = self.settle(load)
        return load, arrived

    def _look_at_memory(self):
        if self.kind == "ours":
            for part in self.memory:
                pid = self.gateway.daemon_pid("peg-" + part)
                self.memory[part] = max(self.memory[part], own_memory(pid))

    def settle(self, *loads):
        """Wait until all of them have come, once each, and no queue holds anything.

        Returns the arrivals of the first.
        """
        self.sink.wait_for(*loads)
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
        enough = min(options["messages"], max(2 * sessions, WARM_MESSAGES))
        warming = dict(options, messages=enough, interval=0)
        if options.get("size", 0) > 1 << 20:
            warming["size"] = 4096
        self.send(kinds, **warming)
        self.memory = dict.fromkeys(self.memory, 0)
        before, counters = self.meter.read(), self._counters()
        load, arrived = self.send(kinds, **options)
        # What a process does behind the last message belongs to it as well.
        after = self.meter.read()
        spent = {part: after[part] - before[part] for part in after}
        measured = Measured(load, arrived, spent, _grown(counters, self._counters()))
        measured.memory = dict(self.memory)
        return measured

    def _counters(self):
        return keeper.status(self.gateway) if self.kind == "ours" else {}


class Measured:
    """What came of one load.

    rate        messages a second, until the last has come
    cpu         {part: seconds of processor time a message}
    counters    by how much those of peg-decisions have grown
    memory      Entrant.memory in the end
    """

    def __init__(self, load, arrived, spent, counters):
        sent = load.sent()
        began = min(due for due, _ in sent.values())
        self.messages = len(sent)
        self.rate = self.messages / (max(at for _, at, _, _ in arrived) - began)
        self.cpu = {part: seconds / self.messages for part, seconds in spent.items()}
        self.counters = counters
        self.memory = {}
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
