"""Figures: what was measured, what it must keep to, and how it is told."""

import json
import os
import statistics


class Figure:
    """One figure of the report: the median of its samples.

    name      a word, for results.json
    title     for people
    unit      "" where it is a mere number
    at_most, at_least
              what its median must keep to; with neither it is there for information
    digits    behind the point, in the report
    is_kept   whether the last full run's is worth keeping, though it is no ratio and has no bound
    """

    def __init__(
        self, name, title, samples, unit="", at_most=None, at_least=None, digits=2, is_kept=False
    ):
        self.name = name
        self.title = title
        self.samples = list(samples)
        self.unit = unit
        self.at_most = at_most
        self.at_least = at_least
        self.digits = digits
        self.is_kept = is_kept or self.is_bound or not unit

    @property
    def value(self):
        return statistics.median(self.samples)

    @property
    def is_bound(self):
        return self.at_most is not None or self.at_least is not None

    @property
    def holds(self):
        """Whether it keeps to its bound; True where it has none."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def __str__(self):
        return "%s: %s" % (self.title, self.cell(self.value, True))

    def cell(self, number, with_unit=False):
        """A number as it stands in the report."""
        text = "{:,.{}f}".format(number, self.digits)
        return text + " " + self.unit if with_unit and self.unit else text

    def bound_cell(self):
        if not self.is_bound:
            return ""
        bound, word = (
            (self.at_most, "at most") if self.at_least is None else (self.at_least, "at least")
        )
        return "%s %s" % (word, self.cell(bound, True))

    def row(self):
        """A row of the tables in the report."""
        lowest, highest = min(self.samples), max(self.samples)
        spread = "" if len(self.samples) == 1 else "%s .. %s" % (
            self.cell(lowest),
            self.cell(highest),
        )
        verdict = ("yes" if self.holds else "**no**") if self.is_bound else ""
        return (
            self.title,
            self.cell(self.value, True),
            spread,
            str(len(self.samples)),
            self.bound_cell(),
            verdict,
        )

    def as_json(self):
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "value": self.value,
            "samples": self.samples,
            "at_most": self.at_most,
            "at_least": self.at_least,
            "holds": self.holds if self.is_bound else None,
        }


class Section:
    """Figures that were measured together, and a text on how.

    load    (load average before, and after)
    idle    how much of the processors, in percent, nobody used before
    stolen  how much of them, in percent, the host of a virtual machine took meanwhile
    plots   files beside the report
    """

    def __init__(self, name, title, text, figures):
        self.name = name
        self.title = title
        self.text = text
        self.figures = figures
        self.load = (0.0, 0.0)
        self.idle = 0.0
        self.stolen = 0.0
        self.plots = []

    def stolen_text(self):
        return "taken by the host meanwhile: %.1f %%" % self.stolen

    def as_json(self):
        return {
            "name": self.name,
            "load": self.load,
            "idle": self.idle,
            "stolen": self.stolen,
            "figures": [figure.as_json() for figure in self.figures],
        }


def ratios(over, under):
    """Those of two equally long lists, pair by pair."""
    return [above / below for above, below in zip(over, under)]


def write_json(path, facts, sections):
    with open(path, "w") as out:
        json.dump(
            {"machine": dict(facts), "sections": [section.as_json() for section in sections]},
            out,
            indent=1,
        )
        out.write("\n")


def write_report(path, facts, sections):
    """The report as Markdown: the bounds first, then everything, then the machine."""
    bound = [figure for section in sections for figure in section.figures if figure.is_bound]
    kept = sum(figure.holds for figure in bound)
    lines = ["# Measured", ""]
    verdict = "%d of %d bounds are kept." % (kept, len(bound))
    lines += [verdict + " How to read this: tests/bench/README.md."]
    lines += [""] + _table(bound)
    for section in sections:
        lines += ["", "## " + section.title, "", section.text, ""] + _table(section.figures)
        lines += ["\n![%s](%s)" % (section.title, plot) for plot in section.plots]
        lines += ["", "Processors idle before: %.0f %%. " % section.idle]
        lines[-1] += "Load average before: %.1f, after: %.1f. " % section.load
        lines[-1] += "Of the processors' time %s." % section.stolen_text()
    lines += ["", "## The machine", ""]
    lines += ["- %s: %s" % fact for fact in facts]
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")


def write_results(path, facts, sections):
    """What of it is worth keeping, above all bounds and ratios: they hold better than times.

    Sections in the file that were not measured now stay as they are.
    """
    kept = {}
    if os.path.exists(path):
        with open(path) as file:
            kept = dict(text.split("\n", 1) for text in file.read().split("\n## ")[1:])
    measured = "; ".join("%s: %s" % fact for fact in facts)
    for section in sections:
        table = _table([figure for figure in section.figures if figure.is_kept])
        about = "%s; %s" % (measured, section.stolen_text())
        kept[section.title] = "\n".join([""] + table + ["", about, ""])
    lines = ["# Results of the last full rounds", ""]
    lines += ["Made by `make bench RESULTS=1`; how to read it: README.md.", ""]
    lines += ["## %s\n%s" % section for section in kept.items()]
    with open(path, "w") as out:
        out.write("\n".join(lines))


def _table(figures):
    headings = ("figure", "median", "range", "rounds", "bound", "kept")
    rows = [headings, ("---", "---:", "---:", "---:", "---", "---")]
    rows += [figure.row() for figure in figures]
    return ["| " + " | ".join(row) + " |" for row in rows]
