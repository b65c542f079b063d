"""A machine on which the commands of the guide are run as they stand there.

It has a network of its own, with the gateway at 192.0.2.10 and 192.0.2.11, and the next relay at
192.0.2.25; a Postfix in /etc/postfix that runs; a log; and a stand-in for systemctl. Programs find
private /etc, /var, /run and /usr/local there. The state in which a chapter finds it is one of:

    plain       nothing of the gateway
    installed   its programs and users
    original    the same, and the gateway of 2008 running
    running     the same, and a gateway running with the shipped configuration
"""

import contextlib
import os
import time

from .installation import REPOSITORY
from .machine import Machine
from .mail import Sender
from .namespaces import network_of
from .relay import Relay

GATEWAY, URGENT, RELAY = "192.0.2.10", "192.0.2.11", "192.0.2.25"
SYSTEM = os.path.join(REPOSITORY, "tests/gateway/system")
CONF = "/etc/priority-email-gateway.conf"
FOLDER = "/var/lib/guide"  # where commands are run that are for no folder
ANSWER = "/run/guide.answer"
# No chapter is about how a Postfix checks its files.
QUICK = "PYTHONPATH=%s/tests/gateway python3 -B -m harness.quick_start" % REPOSITORY
WORDS = {"repository": REPOSITORY, "relay": RELAY, "system": SYSTEM, "conf": CONF, "quick": QUICK}
INSTALLED = """
make -s -C %(repository)s install PREFIX=/usr/local
useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin peg
groupadd --system peg-monitor
"""
RUNNING = """
postconf -M smtp/inet >/etc/postfix/smtp-inet.kept
postconf -MX smtp/inet
postfix stop
%(quick)s /etc/postfix
postfix start
sed -i 's/^RELAY_HOST=.*/RELAY_HOST="[%(relay)s]"/' %(conf)s
peg-gen apply
postconf -c /etc/postfix-frontend -e 'mynetworks = 127.0.0.0/8 192.0.2.0/24'
%(quick)s /etc/postfix-frontend /etc/postfix[0-9]
peg-ctl start
"""
STATES = {
    "plain": "",
    "installed": INSTALLED,
    "original": INSTALLED + "%(system)s/original.sh %(repository)s '[%(relay)s]'\n",
    "running": INSTALLED + RUNNING,
}
POLL_S = 0.2


class GuideMachine:
    """The machine, and the relay behind it (attribute relay)."""

    def __init__(self, scratch, state):
        build = os.environ.get("PEG_BUILD") or os.path.join(REPOSITORY, "build")
        self._build = os.path.relpath(build, REPOSITORY)
        self._scratch = str(scratch)
        self._folder = FOLDER
        with contextlib.ExitStack() as things:
            relay_host = things.enter_context(Machine())
            self._machine = things.enter_context(Machine(scratch, "/usr/local/sbin"))
            self._machine.connect(relay_host, [GATEWAY + "/24", URGENT + "/24"], [RELAY + "/24"])
            self.relay = Relay(25, hosts=[RELAY], network=relay_host.pid)
            things.callback(self.relay.start().stop)
            self._prepare(state)
            self._things = things.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._things.close()

    def enter(self, folder):
        """Run commands in another folder from now on."""
        self._folder = folder

    def run(self, text, timeout=300):
        """Have commands run by a shell that ends at the first which fails.

        Returns the exit status and all that they wrote.
        """
        # Into a file: what they start in the background must not keep a pipe open.
        script = "exec >%s 2>&1\nmkdir -p %s\ncd %s\nexport BUILD=%s\n%s"
        script %= ANSWER, FOLDER, self._folder, self._build, text
        done = self._machine.run("sh", "-e", "-c", script, check=False, timeout=timeout)
        with open(self._scratch + "/empty" + ANSWER, errors="surrogateescape") as answer:
            return done.returncode, answer.read()

    def do(self, text):
        """The same for commands that have to succeed; returns what they wrote."""
        status, answer = self.run(text)
        assert status == 0, "exit status %d of\n%s\n%s" % (status, text, answer)
        return answer

    def run_until(self, text, is_right, timeout=120):
        """Run commands that only look, again and again, until their answer is the right one.

        Returns as run() does, for the last time.
        """
        deadline = time.monotonic() + timeout
        while True:
            status, answer = self.run(text)
            if is_right(answer) or time.monotonic() > deadline:
                return status, answer
            time.sleep(POLL_S)

    def send(self, host="127.0.0.1", port=25, **message):
        """Hand in a message by SMTP; the arguments are those of Sender.send()."""
        with network_of(self._machine.pid):
            with Sender(host, port) as sender:
                return sender.send(**message)

    def arrivals(self, sent, count=1):
        """{recipient: name or number of the Postfix that brought it}, once `count` have come."""
        self.relay.wait_for(count, tag=sent.tag, timeout=60)
        found = self.relay.deliveries_for(sent.tag)
        return {delivery.recipient.lower(): delivery.instance for delivery in found}

    def _prepare(self, state):
        self.do("%s/syslogd" % SYSTEM)
        self.do("mkdir -p /usr/local/sbin /etc/systemd/system /etc/snmp")
        self.do("ln -s %s/systemctl /usr/local/sbin/systemctl" % SYSTEM)
        self.do("%s /etc/postfix\npostfix start" % QUICK)
        self.do(STATES[state] % WORDS)
