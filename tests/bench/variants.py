"""Ours alone in other situations: conflicts, more rules, more claims."""

import contextlib
import itertools
import os
import shutil
import subprocess

from harness import keeper
from harness.installation import PLAIN_RULES

from figures import Figure, Section, ratios
from fleet import Entrant
from gateways import single
from machine import in_turns
from traffic import Kind

SESSIONS = 20
SHARES = (0, 10, 100)  # percent of the messages
MIXED = "X-XIMF-Primary-Precedence: flash"
RULES = (8, 100, 1000)
RULES_MAX = 1.05  # times the milter's time with the fewest
CLAIMS = (1000, 1000000)
_numbers = itertools.count()


def _claimer(name):
    """What claims the recipient of the others for the default priority."""
    address = name + "@p4.dest.example"
    return Kind([address], ["From: <alice@source.example>", "To: <%s>" % address], {2: 1})


def _filtered(name):
    """An urgent message for one recipient."""
    address = name + "@p4.dest.example"
    headers = ["From: <alice@source.example>", "To: <%s>" % address, "X-Priority: 1"]
    return Kind([address], headers, {4: 1})


def _respelled(name):
    """A message that is urgent for the recipient in To and not for the other."""
    address, other = name + "@p4.dest.example", "d%@p2.dest.example"
    headers = ["From: <alice@source.example>", "To: <%s>" % address, "Cc: <%s>" % other, MIXED]
    return Kind([address, other], headers, {4: 1, 2: 1})


WAYS = {"filter": _filtered, "respell": _respelled}


def _measure_conflicts(entrant, make_kind, way, share, messages):
    """Send messages of which a share finds its recipient claimed for another priority."""
    claimed = "c#.%d" % next(_numbers)
    kinds = [make_kind(claimed if share else "f%")]
    kinds += [make_kind("f%")] * (9 if share == 10 else 0)
    if share:
        entrant.send([_claimer(claimed)], messages=messages, sessions=SESSIONS)
    measured = entrant.measured(kinds, messages=messages, sessions=SESSIONS)
    if entrant.kind == "ours":
        found = {name: measured.counters[name] for name in ("plain", "filter", "respell")}
        if found[way] != messages * share // 100 or sum(found.values()) != messages:
            raise AssertionError("%d %% conflicts: %s" % (share, found))
    return measured


def conflicts(bench):
    """What it costs that a recipient is claimed for another priority."""
    messages = bench.rounds(500, 100)
    figures = []
    for way, make_kind in WAYS.items():
        for share in SHARES:

            def one(name, make_kind=make_kind, way=way, share=share):
                entrant = bench.fleet.entrant(name)
                measured = _measure_conflicts(entrant, make_kind, way, share, messages)
                text = "%s, %d %%, %s: %.0f messages/s"
                bench.say(text % (way, share, name, measured.rate))
                return measured

            found = in_turns(bench.rounds(5, 2), ["N", "yes"], one)
            rates = {name: [run.rate for run in runs] for name, runs in found.items()}
            name, title = "conflicts_%s_%d" % (way, share), "%s, %d %%: " % (way, share)
            cpu = [1000 * (run.cpu["milter"] + run.cpu["tcpmap"]) for run in found["yes"]]
            figures += [
                Figure(name, title + "throughput to N", ratios(rates["yes"], rates["N"])),
                Figure(name + "_rate", title + "ours", rates["yes"], "messages/s", digits=0),
                Figure(name + "_cpu", title + "peg-milter and peg-tcpmap", cpu, "ms"),
            ]
    text = (
        "%d messages a run. *filter*: one recipient, urgent; *respell*: two, of which one is "
        "urgent. So many percent find the urgent one claimed for the default priority by mail that "
        "came before, as `peg-decisions status` confirms." % messages
    )
    return Section("conflicts", "Conflicts", text, figures)


def _rules(number):
    """So many rules, of which all but eight are about headers that no message has."""
    absent = ["X-Absent-%d  /^urgent/i  all  4\n" % n for n in range(number - 8)]
    return "".join(absent) + PLAIN_RULES


def rules(bench):
    """What rules cost whose headers are absent."""
    messages = bench.rounds(1000, 200)
    kinds = [single(priority) for priority in range(5)]

    def one(number):
        entrant = bench.fleet.entrant("yes")
        if not entrant.gateway.reload_rules(_rules(number)):
            raise AssertionError(entrant.gateway.log.tail(5))
        measured = entrant.measured(kinds, messages=messages, sessions=SESSIONS)
        bench.say("%d rules: peg-milter %.3f ms" % (number, 1000 * measured.cpu["milter"]))
        return measured

    found = in_turns(bench.rounds(5, 2), list(RULES), one)
    entrant = bench.fleet.entrant("yes")
    entrant.gateway.reload_rules(PLAIN_RULES)
    cpu = {number: [1000 * run.cpu["milter"] for run in runs] for number, runs in found.items()}
    figures = [
        Figure(
            "rules_%d" % number,
            "peg-milter's time, %s rules to 8" % "{:,}".format(number),
            ratios(cpu[number], cpu[8]),
            at_most=RULES_MAX if number == 1000 else None,
        )
        for number in RULES[1:]
    ]
    figures += [
        Figure("rules_%d_ms" % number, "{:,} rules".format(number), cpu[number], "ms", digits=3)
        for number in RULES
    ]
    text = "%d messages a run, for all of which eight rules decide." % messages
    return Section("rules", "More rules", text, figures)


def _claims_writer(bench, number):
    """What puts so many claims into a store, as a gateway has them that was just started."""

    def write(root):
        command = [bench.program("bench_recovery"), root, str(number), "0"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        store = os.path.join(root, keeper.STORE)
        for path in [store] + [entry.path for entry in os.scandir(store)]:
            shutil.chown(path, "nobody", "nogroup")
        os.rmdir(os.path.join(root, "run/priority-email-gateway"))

    return write


def claims(bench):
    """What a table with many live claims costs."""
    messages = bench.rounds(1000, 200)
    kinds = [single(priority) for priority in range(5)]
    conf = {"TABLE_CAPACITY": 2 * max(CLAIMS), "DECISION_LIFETIME": "1d"}
    with contextlib.ExitStack() as stack:
        entrants = {}
        for number in CLAIMS:
            writer = _claims_writer(bench, number)
            entrants[number] = stack.enter_context(
                Entrant(bench, "ours", stack, conf=conf, claims=writer)
            )

        def one(number):
            entrant = entrants[number]
            measured = entrant.measured(kinds, messages=messages, sessions=SESSIONS)
            there = keeper.status(entrant.gateway)["live_claims"]
            if there < number:
                raise AssertionError("%d claims, not %d" % (there, number))
            bench.say("%d claims: %.0f messages/s" % (there, measured.rate))
            return measured

        found = in_turns(bench.rounds(5, 2), list(CLAIMS), one)
    few, many = (found[number] for number in CLAIMS)
    rates = [[run.rate for run in runs] for runs in (many, few)]
    cpu = [[1000 * (run.cpu["milter"] + run.cpu["tcpmap"]) for run in r] for r in (many, few)]
    figures = [
        Figure("claims_rate", "throughput, 1,000,000 live claims to 1,000", ratios(*rates)),
        Figure("claims_cpu", "peg-milter and peg-tcpmap, the same", ratios(*cpu)),
        Figure("claims_many_cpu", "with 1,000,000", cpu[0], "ms", digits=3),
        Figure("claims_few_cpu", "with 1,000", cpu[1], "ms", digits=3),
    ]
    text = "%d messages a run, on two gateways of ours." % messages
    return Section("claims", "More live claims", text, figures)
