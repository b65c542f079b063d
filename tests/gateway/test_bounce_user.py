"""On a machine's own paths: the bounce command runs as a system user that is for it alone."""

import os
import time

import pytest

from harness.installation import REPOSITORY
from harness.machine import Machine
from harness.mail import Sender
from harness.namespaces import can_make_namespaces, network_of
from harness.relay import Relay

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not can_make_namespaces(), reason="needs namespaces"
)

CONF = (
    "PRIORITY_COUNT=2\nDEFAULT_PRIORITY=1\nDAEMON_USER=nobody\nFRONTEND_LISTEN=127.0.0.1:25\n"
    "RELAY_HOST=[127.0.0.1]:2525\nINSTANCE_USERS=%s\nBOUNCE_COMMAND_LIMIT=1\n"
    "BOUNCE_COMMAND_DEFAULT=tell\n"
)
TELL = "#!/bin/sh\nid >/var/lib/told/$$\n"
STATE = "/var/lib/priority-email-gateway-bounce/postfix1"


@pytest.fixture(name="machine")
def machine_with_a_folder_for_what_is_told(tmp_path):
    with Machine(tmp_path, os.environ.get("PEG_BUILD") or REPOSITORY + "/build") as machine:
        machine.run("postconf", "-MX", "smtp/inet")
        machine.run("mkdir", "-p", "-m", "777", "/var/lib/told", "/usr/local/sbin")
        machine.run("sh", "-c", "cat >/etc/priority-email-gateway.rules", stdin="X-P /0/ to 0\n")
        machine.run("sh", "-c", "cat >/usr/local/sbin/tell", stdin=TELL)
        machine.run("chmod", "755", "/usr/local/sbin/tell")
        try:
            yield machine
        finally:
            machine.run("peg-ctl", "stop", check=False)


def configure(machine, users):
    machine.run("sh", "-c", "cat >/etc/priority-email-gateway.conf", stdin=CONF % users)
    machine.run("peg-gen", "apply")
    assert machine.run("peg-gen", "diff").stdout == "nothing to change\n"


def told(machine):
    """What id(1) has said, which is then forgotten."""
    deadline = time.monotonic() + 30
    said = ""
    while not said.endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        said = machine.run("sh", "-c", "cat /var/lib/told/*", check=False).stdout
    machine.run("sh", "-c", "rm /var/lib/told/*")
    return said


def send(machine):
    with network_of(machine.pid):
        with Sender("127.0.0.1", 25) as sender:
            sender.send(to=["bob@dest.example"])


def test_the_command_has_a_user_without_rights_of_its_own(machine):
    configure(machine, "yes")
    machine.run("peg-ctl", "start")
    relay = Relay(2525, hosts=["127.0.0.1"], network=machine.pid).start()
    try:
        relay.refuse_recipient("bob", "550 5.1.1 no such user")
        send(machine)
        ids = told(machine)
        assert ids.count("(bouncecommand)") == 3 and "uid=0" not in ids
        passwd = machine.run("getent", "passwd", "bouncecommand").stdout.strip()
        assert passwd.endswith("nologin")
        owner = machine.run("stat", "-c", "%U %a", STATE).stdout
        assert owner == "bouncecommand 700\n"
        # Another user finds no state that it could not use: it is made anew, for it.
        configure(machine, "no")
        assert machine.run("stat", "-c", "%U %a", STATE).stdout == "nobody 700\n"
        send(machine)
        assert "(nobody)" in told(machine)
    finally:
        relay.stop()
