"""A peg-monitor beside a gateway, or alone with queue folders that nobody serves."""

import os
import re
import signal
import time

from .installation import POLL_S
from .notifying_process import PATIENCE_S, NotifyingProcess

FIGURES = "run/priority-email-gateway/monitoring"
METRICS = "peg.prom"
TAKEN = re.compile(r"^peg_survey_timestamp_seconds (\S+)$", re.M)


class MonitorProcess(NotifyingProcess):
    """peg-monitor -f --root of an Installation; `with MonitorProcess(installation) as monitor:`."""

    def __init__(self, installation, prefix=()):
        super().__init__(installation.path("monitor.log"))
        self._folder = installation.path(FIGURES)
        self._command = list(prefix) + installation.command("peg-monitor", "-f")

    def __enter__(self):
        try:
            return self._start(self._command)
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *exception):
        self.remove()

    def run_to_its_end(self):
        """Start it where that ends at once; returns the exit status."""
        return self._run_to_its_end(self._command)

    def figures(self):
        """{name of a file: its text} of all that stands in MONITORING_DIR but metrics."""
        found = {}
        for entry in os.scandir(self._folder):
            if entry.name != METRICS:
                with open(entry.path) as file:
                    found[entry.name] = file.read()
        return found

    def metrics(self):
        """The text of peg.prom; None where there is none."""
        try:
            with open(os.path.join(self._folder, METRICS)) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def new_metrics(self):
        """Have it count now; returns the text of peg.prom of a round that began after this."""
        began_ms = time.time_ns() // 1000000
        self.count_again()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            text = self.metrics() or ""
            taken = TAKEN.search(text)
            if taken and round(float(taken.group(1)) * 1000) >= began_ms:
                return text
            if time.monotonic() > deadline:
                raise AssertionError("no new metrics:\n" + self.log())
            time.sleep(POLL_S)

    def count_again(self):
        """Have it count now, which a reload does."""
        self._process.send_signal(signal.SIGUSR1)

    def wait_for(self, figures):
        """Wait until figures() is exactly that, but for files on their way; {name: number}."""
        wanted = {name: "%d\n" % number for name, number in figures.items()}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                found = self.figures()
            except FileNotFoundError:  # one that was replaced just now
                found = {}
            if found == wanted:
                return
            if time.monotonic() > deadline:
                differ = {n: found.get(n) for n in set(wanted) | set(found)}
                differ = {n: t for n, t in differ.items() if t != wanted.get(n)}
                raise AssertionError("wrong figures: %s\n%s" % (differ, self.log()))
            time.sleep(POLL_S)
