"""peg-milter without Postfix before it, beside milters that do nothing."""

import contextlib
import os
import subprocess
import time

from cpu import CpuClock, own_memory
from figures import Figure, Section, ratios
from machine import DISK, alternate, folder, gateway_folder, measure
from map_servers import Tcpmap
from milter_alone import Milter

SESSIONS = 20
MANY_SESSIONS = 100
PAUSE_US = 1000  # between an answer and what the client says next
RULES = FEW, SOME, MANY = (8, 100, 1000)
RULES_MAX = 1.05
MEMORY_MB_MAX = 30
CLAIMS = 10000
PATIENCE_S = 30


class IdleMilter:
    """idle_milter, which is told "all" or "nothing"."""

    def __init__(self, place, bench, wish):
        self.socket = os.path.join(place, wish)
        self._command = [bench.program("idle_milter"), self.socket, wish]
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        self._process = subprocess.Popen(self._command)
        deadline = time.monotonic() + PATIENCE_S
        while not os.path.exists(self.socket):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError("idle_milter does not start")
            time.sleep(0.02)
        return self

    def __exit__(self, *exception):
        self._process.terminate()
        self._process.wait()


class Run:
    """What came of one run of milter_load: rate (messages/s), sessions_rate, cpu_us a message."""

    def __init__(self, found, cpu_seconds):
        seconds, messages = found["seconds"][0], found["messages"][0]
        self.rate = messages / seconds
        self.sessions_rate = found["sessions"][0] / seconds
        self.cpu_us = 1e6 * cpu_seconds / messages


def absent_rules(count):
    """So many rules for headers that no message has."""
    return "".join("X-Absent-%d  /^yes/i  all  %d\n" % (n, n % 5) for n in range(count))


def _load(bench, milter, sessions, seconds, messages=0):
    """Run milter_load against something with socket and pid; returns a Run."""
    clock = CpuClock(milter.pid)
    how = (milter.socket, sessions, seconds, PAUSE_US, "smtp", messages)
    return Run(measure(bench.program("milter_load"), *how), clock.seconds())


def _lookup_us(bench, table, seconds):
    """Processor time of peg-tcpmap for a lookup of one client, as the queue manager is."""
    clock = CpuClock(table.pid)
    how = (table.server, 1, 1, seconds, 0, CLAIMS, table.found)
    found = measure(bench.program("tcpmap_load"), *how)
    return 1e6 * clock.seconds() * found["seconds"][0] / seconds / found["lookups"][0]


def _peak_memory(bench, milter, seconds):
    """The most memory of its own that a milter has with MANY_SESSIONS."""
    how = (milter.socket, MANY_SESSIONS, seconds, PAUSE_US, "smtp", 0)
    command = [bench.program("milter_load")] + [str(word) for word in how]
    peak = 0
    load = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while load.poll() is None:
        peak = max(peak, own_memory(milter.pid) / 1e6)
        time.sleep(0.05)
    if load.returncode != 0:
        raise AssertionError("milter_load failed with %d sessions" % MANY_SESSIONS)
    return peak


class Found:
    """All that is measured: lists, a number for each round.

    runs        {who: [Run]}; who: "yes", "no" (DECISION_SYNC), "all", "nothing", and those with
                " sessions" behind it, of which each has one message
    by_rules    {number of rules: [Run]}
    lookup_us   [us]
    memory_mb   [MB]
    """

    def __init__(self, bench, seconds):
        with contextlib.ExitStack() as stack:
            place = stack.enter_context(folder(DISK))
            milters = {
                wish: stack.enter_context(IdleMilter(place, bench, wish))
                for wish in ("all", "nothing")
            }
            ours = stack.enter_context(Milter(stack.enter_context(gateway_folder())))
            self._measure_runs(bench, seconds, ours, milters)
            by_count = {
                count: stack.enter_context(
                    Milter(stack.enter_context(gateway_folder()), absent_rules(count))
                )
                for count in RULES
            }
            self._measure_rules(bench, seconds, by_count)
            self.memory_mb = [_peak_memory(bench, by_count[MANY], seconds)]
            table = Tcpmap(stack.enter_context(gateway_folder()), bench, CLAIMS)
            stack.enter_context(table)
            rounds = range(bench.rounds(6, 2))
            self.lookup_us = [_lookup_us(bench, table, seconds) for _ in rounds]

    def _measure_runs(self, bench, seconds, ours, milters):
        def one(who):
            sync, _, in_sessions = who.partition(" ")
            milter = milters.get(sync, ours)
            if milter is ours:
                ours.set_sync(sync)
            run = _load(bench, milter, SESSIONS, seconds, 1 if in_sessions else 0)
            bench.say("%s: %.0f us a message" % (who, run.cpu_us))
            return run

        kinds = ["yes", "no", "all", "nothing"]
        kinds += [kind + " sessions" for kind in kinds]
        self.runs = alternate(bench.rounds(6, 2), kinds, one)

    def _measure_rules(self, bench, seconds, by_count):
        for milter in by_count.values():
            milter.set_sync("no")
            _load(bench, milter, SESSIONS, 1)  # every recipient has its claim from now on

        def one(count):
            return _load(bench, by_count[count], SESSIONS, seconds)

        self.by_rules = alternate(bench.rounds(8, 4), RULES, one)

    def cpu_us(self, who):
        return [run.cpu_us for run in self.runs[who]]


def _bounds(found):
    ours = [sum(pair) for pair in zip(found.cpu_us("yes"), found.lookup_us)]
    few, many = ([run.cpu_us for run in found.by_rules[count]] for count in (FEW, MANY))
    return [
        Figure(
            "milter_cpu",
            "processor time, peg-milter and a lookup to the milter that is told all",
            ratios(ours, found.cpu_us("all")),
            at_most=1,
        ),
        Figure(
            "milter_rules",
            "processor time with {:,} rules to {}".format(MANY, FEW),
            ratios(many, few),
            at_most=RULES_MAX,
        ),
        Figure(
            "milter_memory",
            "memory of peg-milter beside the table, %d sessions" % MANY_SESSIONS,
            found.memory_mb,
            "MB",
            at_most=MEMORY_MB_MAX,
            digits=1,
        ),
    ]


def _details(found):
    titles = {
        "yes": "peg-milter, DECISION_SYNC=yes",
        "no": "peg-milter, DECISION_SYNC=no",
        "all": "milter that is told all",
        "nothing": "milter that is told nothing",
    }
    for who, title in titles.items():
        runs, single = found.runs[who], found.runs[who + " sessions"]
        yield Figure("milter_us_" + who, title, [run.cpu_us for run in runs], "us", digits=0)
        yield Figure(
            "milter_session_us_" + who,
            "... a message to a session",
            [run.cpu_us for run in single],
            "us",
            digits=0,
        )
        rates = [run.sessions_rate for run in single]
        yield Figure("milter_sessions_" + who, "... of them", rates, "a second", digits=0)
    yield Figure("lookup_us", "peg-tcpmap, a lookup", found.lookup_us, "us", digits=1)
    for count, runs in found.by_rules.items():
        title = "peg-milter, {:,} rules, headers absent".format(count)
        samples = [run.cpu_us for run in runs]
        yield Figure("milter_rules_%d" % count, title, samples, "us", digits=1)


def milter(bench):
    """Processor time of a message in peg-milter."""
    found = Found(bench, bench.rounds(4, 2))
    text = (
        "%d sessions with one message after another, sender, recipient and the rest %g ms "
        "after each other, as a client sends them; processor time of the milter alone, a message "
        "of 4 kB with one recipient and nine headers."
        % (SESSIONS, PAUSE_US / 1000)
    )
    return Section("milter", "peg-milter alone", text, _bounds(found) + list(_details(found)))
