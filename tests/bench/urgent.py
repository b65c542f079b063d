"""Urgent mail, one message a second, while everything else is slow: how long it takes."""

import contextlib
import time

import stress
from figures import Figure, Section, ratios
from fleet import TITLES
from machine import ProcessorTimes, in_turns
from plots import bars
from traffic import latencies, percentile

INTERVAL_S = 1
MESSAGES = 30  # a round: with those of five the p99 is not the longest
ROUNDS = 5  # of ours, which the bounds are for
SESSIONS = 200  # so that none that waits keeps the next from being sent
TO_IDLE_MAX, FLOOD_TO_IDLE_MAX, FLOOD_BETTER_MIN = 2, 5, 10


class Case:
    """A stress, for which gateways (in a quick run), and what ours must keep to.

    idle    the manager of the same without that stress: each round of ours has one of it beside
    at_most times the p99 of those; None: that is for who keeps urgent mail apart
    rounds  of the others
    is_apart whether urgent mail has a listener of its own, and the other one few processes
    """

    def __init__(
        self, title, manager, names, quick_names, idle=None, at_most=None, rounds=2, is_apart=False
    ):
        self.title = title
        self.manager = manager
        self.names = names, quick_names
        self.idle = idle
        self.is_slow = stress.slow in (idle, manager)
        self.is_short = manager is stress.beyond
        self.at_most = at_most
        self.rounds = rounds
        self.is_apart = is_apart


ALL = ("yes", "N", "A", "P")
WITHOUT = "without"
SET_TITLES = dict(TITLES, **{WITHOUT: "ours without this stress"})
CASES = {
    "idle": Case("idle", stress.idle, ALL, ("yes",)),
    "slow": Case("idle, slow relay", stress.slow, ALL, ("yes",)),
    "backlog": Case(
        "backlog, slow relay",
        stress.backlog,
        ALL,
        ("yes", "A", "P"),
        stress.slow,
        TO_IDLE_MAX,
        rounds=1,
    ),
    "beyond": Case(
        "backlog beyond the active queue",
        stress.beyond,
        ("yes", "N", "P"),
        ("yes",),
        stress.slow,
        TO_IDLE_MAX,
        rounds=1,
    ),
    "flood": Case("flood", stress.flood, ALL, ("yes", "P"), stress.idle),
    "kept_apart": Case(
        "flood, urgent mail kept apart",
        stress.flood,
        ALL,
        ("yes", "P"),
        stress.idle,
        FLOOD_TO_IDLE_MAX,
        is_apart=True,
    ),
    "stopped": Case(
        "instance stopped", stress.stopped, ("yes", "A"), ("yes",), stress.idle, TO_IDLE_MAX
    ),
    "retried": Case(
        "deferred mail retried", stress.retried, ("yes", "A", "P"), ("yes",), stress.idle
    ),
    "retried_apart": Case(
        "deferred mail retried, urgent mail kept apart",
        stress.retried,
        ("yes",),
        ("yes",),
        stress.idle,
        TO_IDLE_MAX,
        is_apart=True,
    ),
}

GROUPS = {  # {section: (title, its cases)}
    "urgent_idle": ("Urgent mail, and nothing else", ("idle", "slow")),
    "urgent_backlog": ("Urgent mail behind a backlog", ("backlog", "beyond")),
    "urgent_flood": ("Urgent mail in a flood", ("flood", "kept_apart")),
    "urgent_stopped": ("Urgent mail while an instance is stopped", ("stopped",)),
    "urgent_retried": ("Urgent mail while deferred mail is retried", ("retried", "retried_apart")),
}


class Outcome:
    """What became of the urgent mail of a round; times in ms, the shortest first.

    times       until it came
    cut         how many of these are less than it took: nobody waited longer
    accepted    until the frontend had accepted it
    """

    def __init__(self, load, arrived, ends_at):
        seconds, self.cut = latencies(load, arrived, ends_at)
        self.times = [1000 * value for value in seconds]
        self.accepted = sorted(
            1000 * (min(accepted, ends_at) - due) for due, accepted in load.sent().values()
        )

    def __str__(self):
        text = "p50 %.0f ms, longest %.0f ms" % (percentile(self.times, 50), self.times[-1])
        return text + (", %d cut" % self.cut if self.cut else "")


def _measure_case(bench, case):
    """{name or WITHOUT: [Outcome]}"""

    def one(name):
        if name == WITHOUT:
            return _round(bench, case, "yes", case.idle)
        return _round(bench, case, name, case.manager)

    ours = [WITHOUT, "yes"] if case.idle else ["yes"]
    others = [name for name in bench.fleet.names(*bench.rounds(*case.names)) if name != "yes"]
    found = in_turns(bench.rounds(case.rounds, 1), ours + others, one)
    for name, more in in_turns(bench.rounds(ROUNDS - case.rounds, 0), ours, one).items():
        found[name] += more
    return found


def _round(bench, case, name, manager):
    """The Outcome of urgent mail under a stress in a gateway that is as the case has it."""
    trial = stress.Trial(bench.fleet.entrant(name), bench.rounds(1, 0.05))
    gateway = trial.entrant.gateway
    port = gateway.ports.urgent if case.is_apart else gateway.ports.frontend
    with contextlib.ExitStack() as stack:
        stack.enter_context(stress.configured(trial, case.is_slow, case.is_short))
        if case.is_apart:
            stack.enter_context(stress.few_processes(gateway))
        times = ProcessorTimes()
        found = measure(trial, manager, bench.rounds(MESSAGES, 5), port)
        stolen = times.stolen()
    without = "" if manager is case.manager else ", without"
    text = "%s%s, %s: %s (the host took %.1f %%)"
    bench.say(text % (case.title, without, name, found, stolen))
    if trial.left:
        bench.say("%d messages were still in the frontend then" % trial.left)
    return found


def measure(trial, manager, messages, port):
    """Send urgent messages under a stress, to a port of the gateway; returns an Outcome."""
    entrant = trial.entrant
    options = {"sessions": SESSIONS, "interval": INTERVAL_S, "messages": messages, "port": port}
    # Processes of Postfix are there, as on a gateway that is not idle all day.
    entrant.send(stress.URGENT_KINDS + stress.ROUTINE_KINDS, messages=20, sessions=4)
    entrant.send(stress.URGENT_KINDS, messages=20, sessions=4, port=port)
    with contextlib.ExitStack() as stack:
        with manager(trial):
            load = stack.enter_context(entrant.load(stress.URGENT_KINDS, **options))
            ends_at = _watch(entrant, load, messages)
        load.wait()
        arrived = entrant.settle(load, *trial.loads)
    return Outcome(load, arrived, ends_at)


def _watch(entrant, load, messages):
    """Until all have come, or the last of them was due so long ago as the first was before it.

    Returns when that was.
    """
    last_due = time.monotonic() + (messages - 1) * INTERVAL_S
    while time.monotonic() < last_due + messages * INTERVAL_S:
        if len({number for number, *_ in entrant.sink.arrived(load)}) == messages:
            break
        time.sleep(0.05)
    return time.monotonic()


def _figures(name, case, found):
    figures = []
    for set_, runs in found.items():
        together = sorted(value for run in runs for value in run.times)
        accepted = sorted(value for run in runs for value in run.accepted)
        cut = sum(run.cut for run in runs)
        more = " (%d of %d took longer than was waited)" % (cut, len(together)) if cut else ""
        for what, title, samples in (
            ("p50", "p50", [percentile(run.times, 50) for run in runs]),
            ("p99", "p99", [_p99(runs)]),
            ("longest", "longest" + more, [together[-1]]),
            ("accepted", "p99 until accepted", [percentile(accepted, 99)]),
        ):
            text = "%s: %s, %s" % (case.title, title, SET_TITLES[set_])
            figures.append(
                Figure(
                    "urgent_%s_%s_%s" % (name, set_, what),
                    text,
                    samples,
                    "ms",
                    digits=1,
                    is_kept=what in ("p50", "p99"),
                )
            )
    return figures


def _p99(runs):
    """Of all messages of all rounds."""
    return percentile(sorted(value for run in runs for value in run.times), 99)


def _to_idle(name, case, found):
    """Ours under the stress to ours without it in the rounds beside."""
    title = "urgent p99, %s: times idle" % case.title
    ours, without = found["yes"], found[WITHOUT]
    ratio = _p99(ours) / _p99(without)
    by_round = ratios([_p99([run]) for run in ours], [_p99([run]) for run in without])
    return [
        Figure("urgent_%s" % name, title, [ratio], at_most=case.at_most),
        Figure("urgent_%s_rounds" % name, title + ", round by round", by_round),
    ]


def _to_one_postfix(measured):
    """One Postfix in a flood, without and with a listener for urgent mail, to ours."""
    found = []
    ours = _p99(measured["kept_apart"]["yes"])
    title = "urgent p99, flood: one Postfix%s to ours, kept apart"
    for name, what, least in (
        ("flood", "", FLOOD_BETTER_MIN),
        ("kept_apart", " that keeps it apart", None),
    ):
        ratio = _p99(measured[name]["P"]) / ours
        found.append(Figure("urgent_%s_P" % name, title % what, [ratio], at_least=least))
    return found


def _bounds(measured):
    """To idle, where a case has that, and in a flood to one Postfix."""
    found = []
    for name, sets in measured.items():
        if CASES[name].idle:
            found += _to_idle(name, CASES[name], sets)
    return found + (_to_one_postfix(measured) if "kept_apart" in measured else [])


def _plot(bench, section, measured):
    """The p99 of each, from its p50 to the longest."""
    series = {}
    for set_ in ("yes", "N", "A", "P"):
        points = []
        for runs in (found.get(set_) for found in measured.values()):
            together = sorted(value for run in runs or () for value in run.times)
            points.append(
                (percentile(together, 99), percentile(together, 50), together[-1])
                if together
                else None
            )
        if any(points):
            series[TITLES[set_]] = points
    return bars(
        bench.path(section + ".svg"),
        "Urgent mail: p99, from p50 to the longest",
        "ms",
        [CASES[name].title for name in measured],
        series,
        is_logarithmic=True,
    )


def _text(cases):
    text = "An urgent message a second, from when it is due until it has come, connecting included"
    if any(case.is_apart for case in cases):
        text += (
            "; by the listener that all mail comes by, save where it is *kept apart*: there it has "
            "one of its own, and the other has 20 smtpd processes"
        )
    text += "."
    by_itself = [case for case in cases if not case.is_apart]
    return text + "".join(" *%s*: %s" % (case.title, case.manager.__doc__) for case in by_itself)


def urgent(section):
    """A section of GROUPS."""
    title, names = GROUPS[section]

    def run(bench):
        measured = {name: _measure_case(bench, CASES[name]) for name in names}
        figures = [
            figure for name in names for figure in _figures(name, CASES[name], measured[name])
        ]
        text = _text([CASES[name] for name in names])
        found = Section(section, title, text, _bounds(measured) + figures)
        found.plots = [_plot(bench, section, measured)]
        return found

    return run
