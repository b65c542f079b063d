"""What goes through the queues of a gateway, as peg-monitor's thread counts it."""

import collections
import os
import subprocess
import time

from .installation import POLL_S

PATIENCE_S = 30

# messages, octets, recipients
Sum = collections.namedtuple("Sum", "messages octets recipients")
Flow = collections.namedtuple("Flow", "received left")

NOTHING = Sum(0, 0, 0)


class Flows:
    """`with Flows(installation) as flows:` counts from then on."""

    def __init__(self, installation):
        self._command = [os.path.join(installation.build, "tests", "flow_print"), installation.root]
        self._process = None
        self._found = None

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._found = self._read()
        return self

    def __exit__(self, *exception):
        self._process.stdin.close()
        assert self._process.wait(PATIENCE_S) == 0
        self._process.stdout.close()

    def now(self):
        """{"frontend" or number of an instance: Flow}; None for a Flow that is not known."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._found = self._read()
        return self._found

    def wait_for(self, is_so):
        """Wait until is_so(now()), and return that; what is told is told soon after it happens."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so(self.now()):
            if time.monotonic() > deadline:
                raise AssertionError("it is not so: %s" % self._found)
            time.sleep(POLL_S)
        return self._found

    def _read(self):
        found = {}
        for line in iter(self._process.stdout.readline, "\n"):
            assert line, "flow_print has ended"
            name, known, received, left = line.split()
            name = name.replace("postfix-", "").replace("postfix", "")
            flow = Flow(*(_sum(text.partition("=")[2]) for text in (received, left)))
            found[int(name) if name.isdigit() else name] = flow if known == "known=1" else None
        return found


def _sum(text):
    return Sum(*(int(number) for number in text.split(",")))


def queued(gateway, instance):
    """The Sum of what `postqueue -j` lists of an instance."""
    messages = gateway.queue(instance)
    return Sum(
        len(messages),
        sum(message["message_size"] for message in messages),
        sum(len(message["recipients"]) for message in messages),
    )
