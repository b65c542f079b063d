"""What changes where a flush takes 5 ms, be it an fsync of Postfix or an fdatasync of ours."""

import contextlib

from figures import Figure, Section, ratios
from fleet import TITLES, Entrant
from gateways import SESSIONS, every_priority
from machine import in_turns
from traffic import latencies, percentile

NAMES = ("N", "yes", "no")
INTERVAL_S = 0.2


class _Round:
    """The rate of one load, messages/s, and the p50 of another, ms, one message at a time."""

    def __init__(self, entrant, bench):
        kinds = every_priority()
        options = {"messages": bench.rounds(500, 200), "sessions": SESSIONS}
        self.rate = entrant.measured(kinds, **options).rate
        options = {"messages": bench.rounds(40, 15), "interval": INTERVAL_S}
        measured = entrant.measured(kinds, **options)
        self.p50 = 1000 * percentile(latencies(measured.load, measured.arrived)[0], 50)


def _has(pid, library):
    """Whether a process has preloaded it."""
    with open("/proc/%d/maps" % pid) as maps:
        return library in maps.read()


def slow_disk(bench):
    """Throughput and latency of N and ours."""
    library = bench.path("slow_flush.so")
    with contextlib.ExitStack() as stack:
        entrants = {
            kind: stack.enter_context(Entrant(bench, kind, stack, preload=library))
            for kind in ("N", "ours")
        }

        def one(name):
            entrant = entrants["N" if name == "N" else "ours"]
            if name != "N":
                entrant.gateway.set_sync(name)
            found = _Round(entrant, bench)
            bench.say("%s: %.0f messages/s, p50 %.1f ms" % (name, found.rate, found.p50))
            return found

        found = in_turns(bench.rounds(5, 2), list(NAMES), one)
        if not _has(entrants["ours"].gateway.daemon_pid("peg-milter"), library):
            raise AssertionError("peg-milter does not wait for the disk")
    rates = {name: [run.rate for run in runs] for name, runs in found.items()}
    p50 = {name: [run.p50 for run in runs] for name, runs in found.items()}
    figures = []
    for name in ("yes", "no"):
        figures += [
            Figure(
                "slow_disk_rate_" + name,
                "throughput to N, %s" % TITLES[name],
                ratios(rates[name], rates["N"]),
            ),
            Figure(
                "slow_disk_p50_" + name,
                "p50 to N, %s" % TITLES[name],
                ratios(p50[name], p50["N"]),
            ),
        ]
    for name in NAMES:
        figures += [
            Figure("slow_disk_messages_" + name, TITLES[name], rates[name], "messages/s", digits=0),
            Figure("slow_disk_ms_" + name, "p50, " + TITLES[name], p50[name], "ms"),
        ]
    text = (
        "One recipient, a fifth of the messages at each priority: %d sessions for the throughput, "
        "one message every %g s for the p50. A library that is preloaded makes each flush 5 ms "
        "longer; those of several processes do not wait for each other." % (SESSIONS, INTERVAL_S)
    )
    return Section("slow_disk", "A disk whose flush takes 5 ms", text, figures)
