"""Measures what README.md says, and writes REPORT.md and results.json.

usage: bench.py FOLDER [--quick] [--only SECTION]... [--results FILE]

Exits 1 where a figure does not keep to its bound.
"""

import argparse
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "gateway"))

import figures  # noqa: E402 (the path comes first)
import machine  # noqa: E402
from fleet import Fleet  # noqa: E402
from gateway_sync import gateway_sync  # noqa: E402
from gateways import SCENARIOS, latency, throughput  # noqa: E402
from milter_alone import group_commit  # noqa: E402
from milter_floor import milter  # noqa: E402
from remedies import remedies  # noqa: E402
from slow_disk import slow_disk  # noqa: E402
from store import memory, recovery  # noqa: E402
from tcpmap_alone import tcpmap  # noqa: E402
from urgent import GROUPS, urgent  # noqa: E402
from variants import claims, conflicts, rules  # noqa: E402

# Each takes the Bench, and returns a figures.Section.
SECTIONS = {
    "recovery": recovery,
    "memory": memory,
    "group_commit": group_commit,
    "gateway_sync": gateway_sync,
    "tcpmap": tcpmap,
    "milter": milter,
}
SECTIONS.update((name, throughput(name)) for name in SCENARIOS)
SECTIONS.update(latency=latency, conflicts=conflicts, rules=rules, claims=claims)
SECTIONS.update((name, urgent(name)) for name in GROUPS)
SECTIONS.update(remedies=remedies, slow_disk=slow_disk)


# What fits into the few minutes of a quick run.
QUICK = ["memory", "one", "ten", "latency", *GROUPS]

# Explicitly SIGINT, too: a shell has those it starts in the background ignore it.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Bench:
    """What a section needs to know."""

    def __init__(self, folder, quick):
        self.folder = folder
        self.is_quick = quick
        self.fleet = Fleet(self)

    def rounds(self, usual, quick):
        """How many of something: `usual`, or `quick` in a short run."""
        return quick if self.is_quick else usual

    def path(self, name):
        """The path of a program of ours that measures, or of what goes beside the report."""
        return os.path.join(self.folder, name)

    program = path

    def say(self, text):
        print("  " + text, flush=True)


def run_section(bench, name):
    print("%s ..." % name, flush=True)
    began = time.monotonic()
    load, idle = machine.load_average(), machine.idle_percent()
    times = machine.ProcessorTimes()
    section = SECTIONS[name](bench)
    section.load = (load, machine.load_average())
    section.idle = idle
    section.stolen = times.stolen()
    for figure in section.figures:
        if figure.is_bound:
            bench.say("%s (%s)%s" % (figure, figure.bound_cell(), "" if figure.holds else ": NO"))
    bench.say("in %.0f s; before, %.0f %% were idle" % (time.monotonic() - began, idle))
    bench.say(section.stolen_text())
    return section


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where the programs are, and the report goes")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument(
        "--only", action="append", choices=list(SECTIONS), help="this section; may be repeated"
    )
    parser.add_argument("--results", help="also keep the ratios of these sections in this file")
    options = parser.parse_args()
    if options.results and options.quick:
        parser.error("the results that are kept are those of full rounds")
    return options


def end(number, _frame):
    """All that was started is ended and removed on the way out, in which nothing interferes.

    A function rather than SIG_IGN, which the programs that do it would inherit.
    """
    for other in ENDING:
        signal.signal(other, lambda *_: None)
    raise SystemExit("bench: ended by %s" % signal.Signals(number).name)


def main():
    options = parse_arguments()
    if os.geteuid() != 0:
        raise SystemExit("bench: Postfix is started by root only: sudo make bench")
    for number in ENDING:
        signal.signal(number, end)
    folder = os.path.abspath(options.folder)
    bench = Bench(folder, options.quick)
    names = options.only or (QUICK if options.quick else list(SECTIONS))
    run = "%s: %s" % ("quick" if options.quick else "full", ", ".join(names))
    facts = machine.facts()
    sections, failed = [], None
    try:
        with bench.fleet:
            for name in names:
                sections.append(run_section(bench, name))
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        failed = error  # what was measured before is worth reading
    report = os.path.join(folder, "REPORT.md")
    figures.write_json(os.path.join(folder, "results.json"), facts + [("run", run)], sections)
    figures.write_report(report, facts + [("run", run)], sections)
    print("written: %s" % report)
    if options.results:
        figures.write_results(options.results, facts, sections)
    if failed:
        raise SystemExit("bench: %s: %s" % (names[len(sections)], failed))
    if not all(figure.holds for section in sections for figure in section.figures):
        raise SystemExit("bench: not all figures keep to their bounds")


if __name__ == "__main__":
    main()
