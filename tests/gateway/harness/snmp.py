"""snmpd(8) and snmptrapd(8) on ports of their own, and Net-SNMP's tools to ask them."""

import os
import re
import shlex
import signal
import socket
import subprocess
import time

from .installation import POLL_S

PATIENCE_S = 30
COMMUNITY = "secret"


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(holds, what):
    """Wait until holds() is true; returns that. what() is told where it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < deadline, what()
        time.sleep(POLL_S)


class TrapReceiver:
    """snmptrapd, which writes a line for each trap: its name, and then name = value for each fact."""

    def __init__(self, folder):
        self.port = free_udp_port()
        self._log = os.path.join(folder, "traps")
        conf = os.path.join(folder, "snmptrapd.conf")
        with open(conf, "w") as file:
            file.write("authCommunity log %s\nformat2 %%W|%%v\\n\n" % COMMUNITY)
        self._process = subprocess.Popen(
            ["snmptrapd", "-f", "-C", "-c", conf, "-Lf", self._log, "-m", "", "-On", "-OQ"]
            + ["-p", os.path.join(folder, "snmptrapd.pid"), "udp:127.0.0.1:%d" % self.port],
            env=dict(os.environ, SNMP_PERSISTENT_DIR=folder),
        )
        self.wait_for("NET-SNMP version")

    def heard(self):
        """All that was heard so far."""
        if not os.path.exists(self._log):
            return ""
        with open(self._log, errors="replace") as file:
            return file.read()

    def wait_for(self, text):
        """What was heard, once it holds this text."""
        wait_until(lambda: text in self.heard() or self._has_ended(), self.heard)
        return self.heard()

    def traps(self, notification):
        """The facts of each trap of that name so far, as [{object: value}]."""
        found = []
        for line in self.heard().splitlines():
            facts = dict(re.findall(r"(\.[\d.]+) = (\"[^\"]*\"|\S+)", line))
            if facts.get(".1.3.6.1.6.3.1.1.4.1.0") in notification:
                found.append(facts)
        return found

    def stop(self):
        self._process.terminate()
        self._process.wait(10)

    def _has_ended(self):
        assert self._process.poll() is None, self.heard()
        return False


class Agent:
    """snmpd with this configuration file beside its own few lines."""

    def __init__(self, folder, conf, trap_port=None):
        self.port = free_udp_port()
        self._folder = folder
        self._process = None
        self._conf = os.path.join(folder, "agent.conf")  # snmpd.conf is what snmpd itself keeps
        self._more = conf
        with open(self._conf, "w") as file:
            file.write("rwcommunity %s 127.0.0.1\n" % COMMUNITY)
            if trap_port:
                file.write("trap2sink 127.0.0.1:%d %s\n" % (trap_port, COMMUNITY))

    def start(self):
        self._process = subprocess.Popen(
            ["snmpd", "-f", "-C", "-c", "%s,%s" % (self._conf, self._more), "-m", "", "-r"]
            + ["-Lf", os.path.join(self._folder, "snmpd.log"), "-I", "-smux,mteTrigger,mteTriggerConf"]
            + ["-p", os.path.join(self._folder, "snmpd.pid"), "udp:127.0.0.1:%d" % self.port],
            env=self._env(),
        )
        wait_until(lambda: self.ask("snmpget", "1.3.6.1.2.1.1.3.0", check=False), self.log)
        return self

    def stop(self, signal_number=signal.SIGTERM):
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal_number)
        if self._process:
            self._process.wait(10)

    def log(self):
        with open(os.path.join(self._folder, "snmpd.log"), errors="replace") as file:
            return file.read()

    def ask(self, tool, *words, options="-On -m ''", check=True):
        """What a tool of Net-SNMP prints; "" where it fails and that is no fault."""
        done = subprocess.run(
            [tool, "-v2c", "-c", COMMUNITY, "-t", "2", "-r", "2"]
            + shlex.split(options)
            + ["127.0.0.1:%d" % self.port]
            + list(words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            env=self._env(),
        )
        assert done.returncode == 0 or not check, done.stderr + self.log()
        return done.stdout.strip("\n") if done.returncode == 0 else ""

    def value(self, name):
        """The value of one object, without its type; None: it is not there."""
        text = self.ask("snmpget", name, options="-Oqv -m ''", check=False)
        return None if text.startswith("No Such") or not text else text

    def wait_for_value(self, name, value):
        """Wait until an object has this value (text)."""
        wait_until(
            lambda: self.value(name) == value,
            lambda: "%s is %s, not %s\n%s" % (name, self.value(name), value, self.log()),
        )

    def _env(self):
        return dict(os.environ, LC_ALL="C", SNMP_PERSISTENT_DIR=self._folder, SNMPCONFPATH=self._folder)
