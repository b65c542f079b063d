"""`peg-gen apply` is killed at any point, on a gateway with mail in its queues.

The next one ends in the state of one that was not disturbed: the same files to the byte, the same
processes, and no mail is lost.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time

import pytest

from harness import torture
from harness.smtp_client import SmtpClient
from harness.tree import contents

KILLS = torture.count(20, 200)
RULES = "X-Priority /^1/ all 1\nX-Priority /^5/ all 0\n"
WAITING = 20


class Configuration:
    """One of the two between which the gateway goes to and fro, and what it looks like."""

    def __init__(self, gateway, count, default, frontend, tcpmap, **parameters):
        self.gateway = gateway
        self.count, self.default = count, default
        self.frontend, self.tcpmap = frontend, tcpmap
        self.conf = dict(
            parameters, PRIORITY_COUNT=count, DEFAULT_PRIORITY=default,
            FRONTEND_LISTEN="127.0.0.1:%d" % frontend, TCPMAP_LISTEN="127.0.0.1:%d" % tcpmap,
        )
        self.files = None
        self.takes_s = 0

    def write(self):
        self.gateway.priority_count = self.count
        self.gateway.frontend = ("127.0.0.1", self.frontend)
        self.gateway.ports.tcpmap = self.tcpmap
        self.gateway.write_conf(self.conf)

    def learn(self):
        """Apply it undisturbed."""
        self.write()
        began = time.monotonic()
        self.gateway.gen("apply")
        self.takes_s = time.monotonic() - began
        self.files = contents(self.gateway.path("etc"))

    def kill_and_complete(self, after_s):
        """Apply it with a kill after so long, and once more; returns whether it came to the kill."""
        self.write()
        command = self.gateway.command("peg-gen", "apply")
        victim = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            victim.wait(after_s)
        killed = victim.poll() is None
        if killed:
            os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
        self.gateway.gen("apply")
        return killed

    def check(self):
        """Everything is as it was when nothing disturbed it."""
        gateway = self.gateway
        assert contents(gateway.path("etc")) == self.files
        assert gateway.gen("diff").stdout == "nothing to change\n"
        status = gateway.ctl("status").stdout
        assert status.count(" running ") == 4 + self.count, status
        SmtpClient(*gateway.frontend).close()
        socket.create_connection(("127.0.0.1", self.tcpmap), 10).close()
        assert not os.path.exists(gateway.path("etc/postfix2.peg-gen"))
        running = set(gateway.instances()[1:])
        assert running == set(range(self.count))
        for header, priority in (("1", 1), ("5", 0), (None, self.default)):
            address = "n%d.%s@dest.example" % (priority, time.monotonic_ns())
            sent = gateway.send(to=[address], priority_header=header)
            assert gateway.delivered(sent) == {address: priority}


@pytest.fixture(name="two")
def two_configurations(private_gateway):
    gateway = private_gateway(priority_count=2, rules=RULES, conf={"DEFAULT_PRIORITY": 0})
    ports = gateway.ports
    return (
        Configuration(gateway, 2, 0, ports.frontend, ports.tcpmap),
        Configuration(
            gateway, 3, 2, ports.spare[0], ports.spare[1],
            **{"QUEUE_RUN_DELAY_DEFAULT": "1h", "MAXIMAL_QUEUE_LIFETIME[1]": "2d", "NICE_LEVEL[0]": 3}
        ),
    )


def queue_mail(gateway):
    """Mail that waits in the instances for a relay that does not take it."""
    gateway.relay.refuse_recipient("^waits", "451 4.3.0 try again later")
    waiting = []
    with gateway.sender() as sender:
        for n in range(WAITING):
            waiting.append(sender.send(to=["waits%d@dest.example" % n], priority_header="15"[n % 2]))
    for n in range(2):
        deadline = time.monotonic() + 30
        while gateway.queue_counts(n)["deferred"] < WAITING // 2:
            assert time.monotonic() < deadline, gateway.queue_counts(n)
            time.sleep(0.05)
    return waiting


def test_what_a_killed_apply_has_begun_the_next_completes(two):
    gateway, dice = two[0].gateway, torture.dice()
    waiting = queue_mail(gateway)
    for _ in range(2):  # what is removed and made again stands at another place the first time
        for configuration in reversed(two):
            configuration.learn()
    kills = tries = 0
    while kills < KILLS:
        configuration = two[1 - tries % 2]
        tries += 1
        after_s = dice.uniform(0, configuration.takes_s)
        killed = configuration.kill_and_complete(after_s)
        kills += killed
        print("%d: %s after %.2f s" % (tries, "killed" if killed else "ended", after_s))
        configuration.check()
        assert tries < 4 * KILLS
    gateway.relay.behave()
    for n in range(2):
        gateway.flush(n)
    for n, sent in enumerate(waiting):
        assert gateway.delivered(sent) == {"waits%d@dest.example" % n: (n + 1) % 2}
