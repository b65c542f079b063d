"""peg.prom, read as Prometheus does, and by a strict reader of OpenMetrics."""

import re
import shutil
import subprocess

import pytest

parser = pytest.importorskip("prometheus_client.parser")
openmetrics = pytest.importorskip("prometheus_client.openmetrics.parser")

PROMTOOL = shutil.which("promtool")
NODE_EXPORTER = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")


class Metrics:
    """The samples of a text.

    types   {metric: "gauge" or "counter"}, by the names that the text gives
    labels  {metric: set of the names of its labels}
    values  {(metric, (value of a label, ...)): number}, labels in the order of their names
    """

    def __init__(self, text):
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        self.labels = {}
        self.values = {}
        for family in parser.text_string_to_metric_families(text):
            for sample in family.samples:
                self.labels.setdefault(sample.name, set()).update(sample.labels)
                self.values[_key(sample)] = sample.value

    def __getitem__(self, name):
        """The value of a metric without labels."""
        return self.values[name, ()]

    def of(self, name, *labels):
        """A value by its labels, in the order of their names."""
        return self.values[name, labels]

    def counters(self):
        return {k: v for k, v in self.values.items() if self.types[k[0]] == "counter"}


def _key(sample):
    return sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))


def strict_values(text):
    """`values` of Metrics as OpenMetrics has them, once HELP and TYPE of counters are as there."""
    text = re.sub(r"^(# (?:HELP|TYPE) \S+)_total ", r"\1 ", text, flags=re.M)
    families = openmetrics.text_string_to_metric_families(text)
    return {_key(sample): sample.value for family in families for sample in family.samples}


def promtool(*arguments, stdin=""):
    """All that promtool says, and its exit status."""
    done = subprocess.run(
        (PROMTOOL,) + arguments,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return done.stdout, done.returncode
