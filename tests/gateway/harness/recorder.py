"""A bounce command that keeps what it was called with, and a handle on what it has kept."""

import json
import os
import time

POLL_S = 0.02
PREFIX = "PEG_BOUNCE_"
PROGRAM = r"""#!/usr/bin/python3 -IBS
import json, os, sys

def chain(pid):
    while pid > 1:
        with open("/proc/%d/stat" % pid) as stat:
            name, rest = stat.read().split("(", 1)[1].rsplit(")", 1)
        yield name
        pid = int(rest.split()[1])

name = os.path.join({folder!r}, "%020d-%d" % (__import__("time").time_ns(), os.getpid()))
with open("/proc/self/status") as status:
    status = dict(line.rstrip("\n").split(":", 1) for line in status)
call = dict(
    argv=sys.argv[1:],
    environment={{key: value for key, value in os.environ.items()}},
    notice=os.fsencode(sys.stdin.buffer.read().decode("latin-1")).decode("utf-8"),
    uids=list(os.getresuid()) + list(os.getresgid()) + os.getgroups(),
    capabilities=int(status["CapEff"], 16),
    parents=list(chain(os.getppid())),
)
with open(name + ".new", "w") as file:
    json.dump(call, file)
os.rename(name + ".new", name)
print("recorded")
"""


class Call:
    """One call: argv, facts ({"SENDER": ...}), environment, notice, uids, capabilities, parents."""

    def __init__(self, path):
        with open(path) as file:
            self.__dict__.update(json.load(file))
        self.facts = {
            name[len(PREFIX) :]: value
            for name, value in self.environment.items()
            if name.startswith(PREFIX)
        }
        self.recipients = self.facts["RECIPIENTS"].split("\n")

    def __repr__(self):
        return "<Call %s>" % self.facts


class Recorder:
    """Made in a folder that users without rights may write to: the gateway's own."""

    def __init__(self, root):
        self._folder = os.path.join(root, "calls")
        self.command = os.path.join(root, "record")
        os.makedirs(self._folder, exist_ok=True)
        os.chmod(self._folder, 0o777)
        with open(self.command, "w") as program:
            program.write(PROGRAM.format(folder=self._folder))
        os.chmod(self.command, 0o755)

    def calls(self):
        """All calls so far, the first first."""
        names = sorted(name for name in os.listdir(self._folder) if not name.endswith(".new"))
        return [Call(os.path.join(self._folder, name)) for name in names]

    def wait_for(self, count, timeout=30):
        """Wait until there are so many calls, and return them."""
        deadline = time.monotonic() + timeout
        while len(self.calls()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError("after %s s there are only: %s" % (timeout, self.calls()))
            time.sleep(POLL_S)
        return self.calls()

    def clear(self):
        """Forget all calls."""
        for name in os.listdir(self._folder):
            os.unlink(os.path.join(self._folder, name))
