"""The quick start of README.md, step by step, on the paths of a real server.

A mount namespace keeps the machine's own /etc and /var out of it; postmulti is Postfix's own.
"""

import os
import subprocess
import sys

import pytest

from harness import ports
from harness.installation import REPOSITORY
from harness.machine import PRIVATE_MACHINE
from harness.mail import Sender
from harness.namespaces import can_make_namespaces
from harness.relay import Relay

QUICK_START = os.path.join(os.path.dirname(PRIVATE_MACHINE), "quick_start.sh")


@pytest.mark.skipif(os.geteuid() != 0 or not can_make_namespaces(), reason="needs mount namespaces")
def test_the_quick_start_makes_a_gateway_on_the_system_paths(tmp_path):
    block = ports.reserve()
    relay = Relay(block.relay).start()
    arguments = [block.frontend, block.tcpmap, block.instance_base, block.relay]
    guide = subprocess.Popen(
        ["unshare", "-m", PRIVATE_MACHINE, str(tmp_path), QUICK_START, REPOSITORY]
        + [str(a) for a in arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        said = []
        for line in guide.stdout:
            said.append(line.strip())
            if said[-1] == "ready":
                break
        if not said or said[-1] != "ready":
            pytest.fail("\n".join(said) + guide.communicate()[1])
        instances = {line.split()[0] for line in said if line.startswith("postfix-")}
        assert instances == {"postfix-frontend"} | {"postfix-%d" % n for n in range(5)}
        assert any(line.startswith("0 FAILED, 0 warnings, ") for line in said), said
        with Sender("127.0.0.1", block.frontend) as sender:
            flash = sender.send(to=["bob@dest.example"], cc=["eve@dest.example"],
                                primary_precedence="flash")
            routine = sender.send(to=["bob@dest.example"])
        relay.wait_for(3, timeout=60)
        arrived = {(d.tag, d.recipient.lower()): d.instance for d in relay.deliveries}
        assert arrived == {
            (flash.tag, "bob@dest.example"): 4,
            (flash.tag, "eve@dest.example"): 2,
            (routine.tag, "bob@dest.example"): 2,
        }
        queues, complaints = guide.communicate(timeout=60)
        assert guide.returncode == 0, complaints
        assert " * postfix-frontend = 0\n * postfix0 = 0\n" in queues
    finally:
        guide.stdin.close()
        guide.wait(timeout=60)
        relay.stop()
        block.release()
        sys.stdout.flush()
