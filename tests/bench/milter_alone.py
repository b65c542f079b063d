"""Sessions that share an fdatasync: the journal alone, and peg-milter without Postfix before it."""

import os
import signal

from harness import keeper

from daemon_alone import DaemonAlone
from figures import Figure, Section, ratios
from machine import DISK, alternate, folder, gateway_folder, measure

SESSIONS = 50
DECISIONS_PER_SYNC_MIN = 5
SLOW_SYNC_US = 5000
# libmilter's threads stay with a session for 1 ms after an answer, in case there is more. With a
# next message sooner than that, which no SMTP client manages, some sessions would be served all the
# time and the others wait.
PAUSE_US = 2000
CONF = {"LIMIT_CONNECTIONS_MILTER": 200}  # those of the run before may not all be gone yet


class Milter(DaemonAlone):
    """peg-milter of a gateway of which nothing else runs; `with Milter(root) as milter:`.

    rules is for Installation. Attribute: socket.
    """

    program = "peg-milter"

    def __init__(self, root, rules=None):
        super().__init__(root, CONF, rules)
        self.socket = os.path.join(self.queue_dir("frontend"), "peg/milter")

    def set_sync(self, sync):
        """DECISION_SYNC, "yes" or "no"."""
        self.write_conf({"DECISION_SYNC": sync, **CONF})
        since = self.daemon_log.end()
        self.process.send_signal(signal.SIGUSR1)
        self.daemon_log.wait_for("reloaded: ", since=since)

    def load(self, program, seconds, how):
        """Let SESSIONS sessions send messages, "apart" or "together"; returns a Load."""
        before = keeper.status(self)
        found = measure(program, self.socket, SESSIONS, seconds, PAUSE_US, how, 0)
        grown = {name: value - before[name] for name, value in keeper.status(self).items()}
        if grown["plain"] != found["messages"][0] or grown["undurable"] or grown["filter"]:
            raise AssertionError("not all decisions were ordinary ones: %s" % grown)
        return Load(found, grown["journal_syncs"])


class Load:
    """What came of one run of milter_load.

    rate        decisions a second
    shared      decisions of one fdatasync; None where there was none
    answer_ms   mean time from the end of a message to the answer
    under_way   messages that waited for theirs at a time, on average
    """

    def __init__(self, found, syncs):
        (messages,), (seconds,), (answers,) = (
            found[name] for name in ("messages", "seconds", "answers_seconds")
        )
        self.rate = messages / seconds
        self.shared = messages / syncs if syncs else None
        self.answer_ms = 1000 * answers / messages
        self.under_way = answers / seconds


def _measure_milter(bench, seconds):
    """{"yes": [Load], "no": [Load]}, of rounds in turns; and [Load], of messages together."""
    program = bench.program("milter_load")
    with gateway_folder() as root, Milter(root) as milter:
        milter.load(program, seconds, "apart")  # every recipient has its claim from now on

        def one(sync):
            milter.set_sync(sync)
            load = milter.load(program, seconds, "apart")
            if (load.shared is not None) != (sync == "yes"):
                raise AssertionError("DECISION_SYNC=%s: %s a sync" % (sync, load.shared))
            bench.say("DECISION_SYNC=%s: %.0f decisions/s" % (sync, load.rate))
            return load

        found = alternate(bench.rounds(8, 4), ("yes", "no"), one)
        milter.set_sync("yes")
        together = [milter.load(program, seconds, "together") for _ in range(bench.rounds(4, 2))]
        return found, together


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
    found, together = _measure_milter(bench, seconds)
    yes, no = ([load.rate for load in found[sync]] for sync in ("yes", "no"))
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
            [load.shared for load in found["yes"]],
            at_least=DECISIONS_PER_SYNC_MIN,
            digits=1,
        ),
        Figure(
            "milter_under_way",
            "messages that wait for peg-milter at a time",
            [load.under_way for load in found["yes"]],
            digits=0,
        ),
        Figure(
            "milter_answer_ms",
            "its answer to a message comes after",
            [load.answer_ms for load in found["yes"]],
            "ms",
            digits=1,
        ),
        Figure(
            "sync_milter_together",
            "decisions an fdatasync, all sessions at one moment",
            [load.shared for load in together],
            digits=1,
        ),
        Figure(
            "milter_answer_together_ms",
            "its answer to such a message",
            [load.answer_ms for load in together],
            "ms",
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
        "%d sessions at once: threads in `journal_append()`, each with its next record at once; "
        "and milter sessions on the socket of the real peg-milter, a recipient a message, %g ms "
        "between an answer and the next message, counted by `peg-decisions status`."
        % (SESSIONS, PAUSE_US / 1000)
    )
    return Section("group_commit", "Decisions that share an fdatasync", text, figures)
