"""Sessions that share an fdatasync: the journal alone, and peg-milter without Postfix before it."""

import os
import signal
import subprocess

from harness import keeper
from harness.installation import Installation
from harness.logfile import LogFile

from figures import Figure, Section, ratios
from machine import DISK, alternate, folder, gateway_folder, measure

SESSIONS = 50
DECISIONS_PER_SYNC_MIN = 5
SLOW_SYNC_US = 5000


class Milter(Installation):
    """peg-milter of a gateway of which nothing else runs; `with Milter(root) as milter:`."""

    def __init__(self, root):
        super().__init__(root)
        self._process = None
        self._log = LogFile(self.path("milter.log"))

    def __enter__(self):
        try:
            self.write()
            with open(self._log.path, "w") as log:
                self._process = subprocess.Popen(self.command("peg-milter", "-f"), stderr=log)
            self._log.wait_for("ready, ")
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        self.ports.release()

    def set_sync(self, sync):
        """DECISION_SYNC, "yes" or "no"."""
        self.write_conf({"DECISION_SYNC": sync})
        since = self._log.end()
        self._process.send_signal(signal.SIGUSR1)
        self._log.wait_for("reloaded: ", since=since)

    def load(self, program, seconds):
        """Let SESSIONS sessions send messages; returns {"messages", "seconds", "syncs"}."""
        before = keeper.status(self)
        socket = os.path.join(self.queue_dir("frontend"), "peg/milter")
        found = measure(program, socket, SESSIONS, seconds)
        grown = {name: value - before[name] for name, value in keeper.status(self).items()}
        if grown["plain"] != found["messages"][0] or grown["undurable"] or grown["filter"]:
            raise AssertionError("not all decisions were ordinary ones: %s" % grown)
        return {
            "messages": found["messages"][0],
            "seconds": found["seconds"][0],
            "syncs": grown["journal_syncs"],
        }


def _rate(result):
    return result["messages"] / result["seconds"]


def _shared(result):
    return result["messages"] / result["syncs"]


def _measure_milter(bench, seconds):
    """{"yes": [results of Milter.load()], "no": ...}, of rounds in turns."""
    program = bench.program("milter_load")
    with gateway_folder() as root, Milter(root) as milter:
        milter.load(program, seconds)  # every recipient has its claim from now on, or most

        def one(sync):
            milter.set_sync(sync)
            result = milter.load(program, seconds)
            if (result["syncs"] > 0) != (sync == "yes"):
                raise AssertionError("DECISION_SYNC=%s: %d syncs" % (sync, result["syncs"]))
            bench.say("DECISION_SYNC=%s: %.0f decisions/s" % (sync, _rate(result)))
            return result

        return alternate(bench.rounds(7, 3), ("yes", "no"), one)


def _measure_journal(bench, threads, seconds, delay_us=0):
    """[decisions of one fdatasync], [fdatasync calls a second]"""
    shared, rates = [], []
    for _ in range(bench.rounds(5, 3)):
        with folder(DISK) as place:
            found = measure(bench.program("bench_journal"), place, threads, seconds, delay_us)
        shared.append(found["decisions"][0] / found["syncs"][0])
        rates.append(found["syncs"][0] / found["seconds"][0])
    return shared, rates


def group_commit(bench):
    """How many decisions share an fdatasync, and what peg-milter alone pays for it."""
    seconds = bench.rounds(5, 2)
    shared, _ = _measure_journal(bench, SESSIONS, seconds)
    slowly_shared, _ = _measure_journal(bench, SESSIONS, seconds, SLOW_SYNC_US)
    _, alone = _measure_journal(bench, 1, seconds)
    found = _measure_milter(bench, seconds)
    yes, no = ([_rate(result) for result in found[sync]] for sync in ("yes", "no"))
    figures = [
        Figure(
            "sync_journal",
            "decisions an fdatasync, journal alone",
            shared,
            at_least=DECISIONS_PER_SYNC_MIN,
            digits=1,
        ),
        Figure(
            "sync_milter",
            "decisions an fdatasync, peg-milter",
            [_shared(result) for result in found["yes"]],
            at_least=DECISIONS_PER_SYNC_MIN,
            digits=1,
        ),
        Figure(
            "sync_journal_slow",
            "the same, journal alone, a disk %d ms slower" % (SLOW_SYNC_US // 1000),
            slowly_shared,
            digits=1,
        ),
        Figure("milter_ratio", "peg-milter's rate, DECISION_SYNC=yes to no", ratios(yes, no)),
        Figure("milter_yes", "peg-milter, DECISION_SYNC=yes", yes, "decisions/s", digits=0),
        Figure("milter_no", "peg-milter, DECISION_SYNC=no", no, "decisions/s", digits=0),
        Figure(
            "sync_ms",
            "one decision made durable, nobody else there",
            [1000 / rate for rate in alone],
            "ms",
        ),
    ]
    text = (
        "%d sessions at once, each with a message under way at any time: threads in "
        "`journal_append()`; and milter sessions on the socket of the real peg-milter, a recipient "
        "a message, counted by `peg-decisions status`." % SESSIONS
    )
    return Section("group_commit", "Decisions that share an fdatasync", text, figures)
