"""Whole gateways on the same load, in turns: throughput, processor time, latency when idle."""

from figures import Figure, Section, ratios
from fleet import TITLES
from machine import in_turns
from plots import bars
from traffic import Kind, latencies, percentile

COMPARED = ("N", "M", "A", "bare", "yes", "no")
RIVALS = ("N", "M", "A", "yes")  # where the others tell nothing new
X_PRIORITY = (5, 4, 3, 2, 1)  # of priority 0, 1, ...
SESSIONS = 20
OURS = ("milter", "tcpmap")
MANY_ROUNDS = 21  # for a bound near to 1: N differs from itself by a fifth from round to round
MB = 1 << 20


def single(priority, name="u%"):
    """Messages for one recipient."""
    address = "%s@p%d.dest.example" % (name, priority)
    headers = ["From: Alice <alice@source.example>", "To: <%s>" % address, "Subject: results"]
    headers.append("X-Priority: %d" % X_PRIORITY[priority])
    return Kind([address], headers, {priority: 1})


def every_priority():
    """One recipient, a fifth of the messages at each priority."""
    return [single(priority) for priority in range(5)]


def two_priorities():
    """Ten recipients: five in To, who are urgent; four in Cc, and one in neither, who are not."""
    urgent = ["a%d.%%@p4.dest.example" % n for n in range(5)]
    others = ["c%d.%%@p2.dest.example" % n for n in range(5)]
    headers = [
        "From: Alice <alice@source.example>",
        "To: " + ",\n ".join(urgent),
        "Cc: " + ",\n ".join(others[:4]),
        "Subject: results",
        "X-XIMF-Primary-Precedence: flash",
    ]
    return [Kind(urgent + others, headers, {4: 5, 2: 5})]


def many_recipients():
    """A thousand recipients of one priority."""
    headers = ["From: Alice <alice@source.example>", "To: staff:;", "X-Priority: 1"]
    return [Kind(["r%d.%%@p4.dest.example" % n for n in range(1000)], headers, {4: 1000})]


class Scenario:
    """A load: kinds of messages, how many (full, quick), through which gateways, and what else
    Entrant.load() takes."""

    def __init__(self, title, kinds, messages, names=RIVALS, rounds=5, **options):
        self.title = title
        self.kinds = kinds
        self.messages = messages
        self.names = names
        self.rounds = rounds
        self.options = dict({"sessions": SESSIONS}, **options)

    def measure(self, bench):
        """{name: [Measured]}, in turns."""

        def one(name):
            messages = bench.rounds(*self.messages)
            entrant = bench.fleet.entrant(name)
            measured = entrant.measured(self.kinds, messages=messages, **self.options)
            cost = 1000 * sum(measured.cpu.values())
            bench.say("%s: %.1f messages/s, %.2f ms of CPU each" % (name, measured.rate, cost))
            return measured

        return in_turns(bench.rounds(self.rounds, 2), bench.fleet.names(*self.names), one)


SCENARIOS = {
    "one": Scenario("One recipient", every_priority(), (1000, 200), COMPARED, MANY_ROUNDS),
    "ten": Scenario(
        "Ten recipients at two priorities", two_priorities(), (500, 100), COMPARED, MANY_ROUNDS
    ),
    "thousand": Scenario("1,000 recipients", many_recipients(), (10, 10), sessions=5),
    "large": Scenario("Messages of 100 kB", every_priority(), (500, 100), size=100 * 1000),
    "huge": Scenario("Messages of 5 MB", every_priority(), (10, 10), sessions=5, size=5 * MB),
    "session": Scenario("One session", every_priority(), (1000, 200), sessions=1),
    "sessions": Scenario("100 sessions", every_priority(), (1000, 400), sessions=100),
    "kept": Scenario(
        "Connections that are kept", every_priority(), (1000, 200), per_connection=1000
    ),
}
# {scenario: {what ours is compared with: at least so much of its throughput}}
THROUGHPUT_MIN = {"one": {"N": 0.95, "M": 1, "A": 2}, "ten": {"N": 0.95, "A": 2}}
CPU_OURS_MAX = 1  # times that of the milter that does nothing
MILTER_MB_MAX, TCPMAP_MB_MAX = 30, 10
P50_TO_N_MAX, P50_TO_M_MAX = 1.15, 1


def throughput(name):
    """The section of one of SCENARIOS."""

    def section(bench):
        scenario = SCENARIOS[name]
        found = scenario.measure(bench)
        rates = {set_: [measured.rate for measured in found[set_]] for set_ in found}
        figures = _rate_figures(name, rates) + _cpu_figures(name, found)
        if name == "sessions":
            figures += _memory_figures(found)
        kept = "per_connection" in scenario.options
        text = "{} messages a run of {:,} bytes, {} sessions, {}; until the last has come.".format(
            found["yes"][0].messages,
            scenario.options.get("size", 4096),
            scenario.options["sessions"],
            "which stay connected" if kept else "a connection for each message",
        )
        text += " Processor time by %s." % bench.fleet.entrant("yes").meter.method
        section = Section(name, scenario.title, text, figures)
        section.plots = [
            bars(
                bench.path(name + ".svg"),
                scenario.title,
                "messages/s",
                [""],
                {TITLES[set_]: [_range(samples)] for set_, samples in rates.items()},
            )
        ]
        return section

    return section


def _range(samples):
    ordered = sorted(samples)
    return ordered[len(ordered) // 2], ordered[0], ordered[-1]


def _rate_figures(name, rates):
    figures = []
    for other in [set_ for set_ in ("N", "M", "A", "bare") if set_ in rates]:
        figures.append(
            Figure(
                "%s_yes_to_%s" % (name, other),
                "%s: throughput, ours to %s" % (name, other),
                ratios(rates["yes"], rates[other]),
                at_least=THROUGHPUT_MIN.get(name, {}).get(other),
            )
        )
    if "no" in rates:
        title = "%s: throughput, ours with DECISION_SYNC=no to N" % name
        figures.append(Figure("%s_no_to_N" % name, title, ratios(rates["no"], rates["N"])))
    return figures + [
        Figure("%s_rate_%s" % (name, set_), TITLES[set_], samples, "messages/s", digits=1)
        for set_, samples in rates.items()
    ]


def _cpu_figures(name, found):
    ours = [sum(run.cpu[part] for part in OURS) for run in found["yes"]]
    null = [run.cpu["milter"] for run in found["M"]]
    figures = [
        Figure(
            "%s_cpu_ours_to_null" % name,
            "%s: CPU of peg-milter and peg-tcpmap to the null milter's" % name,
            ratios(ours, null),
            at_most=CPU_OURS_MAX if name == "one" else None,
        )
    ]
    for set_, runs in found.items():
        samples = [1000 * sum(run.cpu.values()) for run in runs]
        figures.append(
            Figure("%s_cpu_%s" % (name, set_), "CPU a message, " + TITLES[set_], samples, "ms")
        )
        for part in runs[0].cpu:
            samples = [1000 * run.cpu[part] for run in runs]
            title = "... of which %s" % part
            figures.append(
                Figure("%s_cpu_%s_%s" % (name, set_, part), title, samples, "ms", digits=3)
            )
    return figures


def _memory_figures(found):
    return [
        Figure(
            "memory_%s" % part,
            "peg-%s, memory of its own with 100 sessions" % part,
            [run.memory[part] / 1e6 for run in found["yes"]],
            "MB",
            at_most=limit,
            digits=1,
        )
        for part, limit in (("milter", MILTER_MB_MAX), ("tcpmap", TCPMAP_MB_MAX))
    ]


def latency(bench):
    """From the moment when a message is due until it has come, nothing else being on its way."""
    interval, messages = 0.1, bench.rounds(40, 15)

    def one(name):
        measured = bench.fleet.entrant(name).measured(
            every_priority(), messages=messages, interval=interval
        )
        found, _ = latencies(measured.load, measured.arrived)
        bench.say("%s: p50 %.1f ms" % (name, 1000 * percentile(found, 50)))
        return found

    found = in_turns(bench.rounds(MANY_ROUNDS, 2), bench.fleet.names(*COMPARED), one)
    p50 = {set_: [1000 * percentile(run, 50) for run in runs] for set_, runs in found.items()}
    figures = [
        Figure(
            "latency_yes_to_N", "p50, ours to N", ratios(p50["yes"], p50["N"]), at_most=P50_TO_N_MAX
        ),
        Figure(
            "latency_no_to_M",
            "p50, ours with DECISION_SYNC=no to M",
            ratios(p50["no"], p50["M"]),
            at_most=P50_TO_M_MAX,
        ),
    ]
    for set_, runs in found.items():
        together = sorted(seconds for run in runs for seconds in run)
        p99 = [1000 * percentile(together, 99)]
        figures.append(Figure("latency_p50_" + set_, "p50, " + TITLES[set_], p50[set_], "ms"))
        figures.append(Figure("latency_p99_" + set_, "p99 of all its rounds", p99, "ms"))
    text = "%d messages a round, one every %g s, a connection each." % (messages, interval)
    return Section("latency", "Latency, one message at a time", text, figures)
