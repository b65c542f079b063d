"""Bars, drawn by gnuplot as SVG."""

import os
import subprocess

COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377")


def bars(path, title, unit, groups, series, is_logarithmic=False):
    """Groups of bars, one for each of the series, with their ranges.

    groups  names beside the axis
    series  {name: [(median, lowest, highest) or None for each group]}
    """
    blocks = []
    for number, (name, points) in enumerate(series.items()):
        rows = [_row(place, point) for place, point in enumerate(points)]
        blocks.append("$data%d << EOD\n%s\nEOD" % (number, "\n".join(rows)))
    width = 0.8 / len(series)
    clauses = []
    for number, name in enumerate(series):
        at = "($1%+.4f)" % ((number - (len(series) - 1) / 2) * width)
        colour = COLOURS[number % len(COLOURS)]
        clauses.append(
            '$data%d using %s:2:(%.4f) with boxes fc rgb "%s" title "%s"'
            % (number, at, width * 0.9, colour, _escaped(name))
        )
        clauses.append(
            '$data%d using %s:2:3:4 with yerrorbars lc rgb "#333333" ps 0 notitle' % (number, at)
        )
    tics = ", ".join('"%s" %d' % (_escaped(name), n) for n, name in enumerate(groups))
    lines = [
        'set terminal svg size %d,450 enhanced background "white"' % max(600, 190 * len(groups)),
        'set output "%s"' % path,
        'set title "%s"' % _escaped(title),
        'set ylabel "%s"' % _escaped(unit),
        "set xtics (%s)" % tics,
        "set xrange [-0.6:%.1f]" % (len(groups) - 0.4),
        "set logscale y\nset yrange [1:*]" if is_logarithmic else "set yrange [0:*]",
        "set key below",
        "set grid y",
        "set style fill solid 0.9",
        'set datafile missing "?"',
    ]
    script = "\n".join(blocks + lines + ["plot " + ", \\\n ".join(clauses)]) + "\n"
    done = subprocess.run(
        ["gnuplot"], input=script.encode(), stderr=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise AssertionError("gnuplot: %s" % done.stderr.decode("utf-8", "replace").strip())
    return os.path.basename(path)


def _row(place, point):
    values = ["?"] * 3 if point is None else ["%g" % value for value in point]
    return " ".join([str(place)] + values)


def _escaped(text):
    return text.replace("_", "\\\\_").replace('"', "'")
