"""Machines of their own: networks with a cable between them, one with private /etc and /var.

    with Machine() as relay_host, Machine(scratch) as machine:
        machine.connect(relay_host, ["10.9.0.1/24"], ["10.9.0.2/24"])
        machine.run("peg-gen", "apply")

Its processes end with it. Nothing of it is visible in the network of the tests.
"""

import os
import signal
import subprocess

from .installation import REPOSITORY

PRIVATE_MACHINE = os.path.join(REPOSITORY, "tests/gateway/system/private_machine.sh")
ENVIRONMENT = {"LC_ALL": "C", "HOME": "/root"}


class Failed(AssertionError):
    """A command on a machine ended with another exit status than 0."""


class Machine:
    """A network, and processes of its own; with a scratch folder also /etc, /var and /usr/local.

    scratch     an empty folder with a short name, which the caller removes afterwards
    path        a folder to be searched for programs before the system's
    prepare     the words of a program that prepares the machine, and then runs what follows

    Attributes: pid, of its first process as the tests see it; inside, the words before each command
    that run() runs.
    """

    inside = ()

    def __init__(self, scratch=None, path=None, prepare=()):
        self._cables = 0
        self._environment = dict(ENVIRONMENT, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path:
            self._environment["PATH"] = path + ":" + self._environment["PATH"]
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if scratch:
            prepare = [PRIVATE_MACHINE, str(scratch)]
        command += prepare
        command += ["sh", "-c", "ip link set lo up && echo ready && cat; true"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )
        try:
            if self._process.stdout.readline() != b"ready\n":
                raise Failed("%s: not ready" % command)
            self.pid = self._first_pid()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self):
        """End all its processes; a second call does nothing."""
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)  # and the kernel that to all of the machine
            self._process.wait()
        self._process.stdout.close()

    def run(self, *command, check=True, stdin="", timeout=120):
        """Run a program on the machine; returns CompletedProcess (text)."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--pid"]
        done = subprocess.run(
            enter + [str(word) for word in (*self.inside, *command)],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=timeout,
            env=self._environment,
            cwd="/",
            start_new_session=True,
        )
        if check and done.returncode != 0:
            raise Failed(
                "%s: exit status %d\n%s%s"
                % (" ".join(command), done.returncode, done.stdout, done.stderr)
            )
        return done

    def connect(self, other, own_addresses, other_addresses):
        """Lay a cable; returns the name of its interface, which is the same on both machines."""
        name = "cable%d" % self._cables
        self._cables += 1
        link = ["ip", "link", "add", "name", name, "type", "veth", "peer"]
        # Entered from outside, where both have process ids.
        enter = ["nsenter", "--target", str(self.pid), "--net"]
        subprocess.run(enter + link + ["name", name, "netns", str(other.pid)], check=True)
        for machine, addresses in ((self, own_addresses), (other, other_addresses)):
            for address in addresses:
                nodad = ["nodad"] if ":" in address else []
                machine.run("ip", "address", "add", address, "dev", name, *nodad)
            machine.run("ip", "link", "set", name, "up")
        return name

    def _first_pid(self):
        pid = self._process.pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
            return int(children.read().split()[0])
