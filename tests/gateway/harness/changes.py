"""What an operator changes in main.cf and master.cf, and what peg-gen check and mail make of it."""

import os
import re
import subprocess

CF = ("main.cf", "master.cf")


def check(gateway, **options):
    """(exit status, lines on stderr) of peg-gen check."""
    done = gateway.gen("check", check=False, **options)
    assert done.stdout == ("" if done.stderr else "no problems found\n")
    return done.returncode, done.stderr.splitlines()


class Changes:
    """Changes of main.cf and master.cf of the frontend and of an instance, until undo()."""

    def __init__(self, gateway):
        self._gateway = gateway
        self._saved = {}
        for instance in ("frontend", 1):
            for name in CF:
                with open(self.path(instance, name)) as file:
                    self._saved[instance, name] = file.read()

    def path(self, instance, name):
        return os.path.join(self._gateway.config_dir(instance), name)

    def main(self, instance, **parameters):
        for name, value in parameters.items():
            self._gateway.set_postfix_conf(instance, name, value)
        self._reload(instance)

    def master(self, instance, *changes):
        """Arguments of postconf: -Pe and -Me take lines, -Fe fields."""
        for flag, line in changes:
            command = ["postconf", "-c", self._gateway.config_dir(instance), flag, line]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        self._reload(instance)

    def undo(self):
        for (instance, name), text in self._saved.items():
            with open(self.path(instance, name), "w") as file:
                file.write(text)
        for instance in ("frontend", 1):
            self._reload(instance)

    def line(self, instance, name, pattern):
        """`FILE:LINE` of the only line that matches."""
        path = self.path(instance, name)
        with open(path) as file:
            lines = [n for n, line in enumerate(file, 1) if re.search(pattern, line)]
        assert len(lines) == 1, lines
        return "%s:%d" % (path, lines[0])

    def _reload(self, instance):
        main = os.stat(self.path(instance, "main.cf"))
        os.utime(self.path(instance, "main.cf"), (main.st_atime, main.st_mtime - 3))
        self._gateway.ctl("reload", str(instance), check=False)
        if instance == "frontend":
            self._gateway.start_milter()  # returns when the frontend answers


def arrivals(gateway, recipient, wanted, by_sendmail=False, **message):
    """Send a message of priority 1; {recipient: instance} of the first deliveries."""
    gateway.relay.clear()
    if by_sendmail:
        text = "X-Priority: 1\nSubject: test\n\ntest\n"
        gateway.sendmail("-f", "alice@source.example", recipient, stdin=text)
    else:
        gateway.send(to=[recipient], priority_header="1", **message)
    found = gateway.relay.wait_for(wanted, 15)
    return {delivery.recipient: delivery.instance for delivery in found}


def listener(gateway):
    """The name of the frontend's smtpd in master.cf."""
    return "127.0.0.1:%d/inet" % gateway.ports.frontend
