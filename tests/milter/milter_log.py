"""Lines of a log as they come, to be waited for."""

import re
import threading
import time

DECISION = re.compile(
    r"^peg-milter: (?P<queue_id>\w+): from=<(?P<sender>.*)>, nrcpt=(?P<count>\d+), "
    r"priority=(?P<priority>\S+), rule=(?P<rule>\S+), way=(?P<way>\w+)(?P<note>.*)$"
)


class Decision:
    """What peg-milter logged about a message.

    sender, count, way    as logged; count is the number of recipients
    priorities            {priority: number of recipients}
    rules                 line numbers in the rules file, None for the default, highest priority
                          first
    """

    def __init__(self, match):
        self.sender, self.way, self.note = match["sender"], match["way"], match["note"]
        self.count = int(match["count"])
        self.priorities = {}
        for priority, count in re.findall(r"(\d+):(\d+)", match["priority"]):
            self.priorities[int(priority)] = self.priorities.get(int(priority), 0) + int(count)
        self.rules = [
            None if rule == "-" else int(rule) for rule in re.findall(r"\d+|-", match["rule"])
        ]


class LogLines:
    """Collects lines in one thread; any number of others may wait for one."""

    def __init__(self):
        self._lines = []
        self._decisions = {}
        self._changed = threading.Condition()
        self._ended = False

    def read(self, stream):
        """Collect lines until the stream ends."""
        with self._changed:
            self._ended = False
        for line in stream:
            text = line.decode("utf-8", "surrogateescape").rstrip("\n")
            decision = DECISION.search(text)
            with self._changed:
                self._lines.append(text)
                if decision:
                    self._decisions[decision["queue_id"]] = Decision(decision)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def lines(self, mark=0):
        with self._changed:
            return self._lines[mark:]

    def text(self, mark=0):
        return "\n".join(self.lines(mark))

    def mark(self):
        """A place to search from: the end of what is there now."""
        with self._changed:
            return len(self._lines)

    def wait_for(self, pattern, mark=0, timeout=30):
        """The first line from the mark on in which the pattern is found."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        at = mark
        with self._changed:
            while True:
                for at in range(at, len(self._lines)):
                    if wanted.search(self._lines[at]):
                        return self._lines[at]
                at = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(
                        "no line /%s/ in the log:\n%s" % (pattern, "\n".join(self._lines[mark:]))
                    )
                self._changed.wait(left)

    def decision(self, queue_id, timeout=30):
        """The Decision about the message with this queue ID."""
        with self._changed:
            self._changed.wait_for(lambda: queue_id in self._decisions or self._ended, timeout)
            assert queue_id in self._decisions, "no word about %s in the log" % queue_id
            return self._decisions[queue_id]
