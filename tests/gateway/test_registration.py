"""postmulti has the instances in its list, not enabled: that is Postfix's word for instances that are
started and stopped by others.
"""

import os
import re

import pytest
from harness.installation import REPOSITORY, shipped_rules
from harness.machine import Machine
from harness.namespaces import can_make_namespaces

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not can_make_namespaces(), reason="needs namespaces"
)

NAMES = ["postfix-frontend"] + ["postfix%d" % n for n in range(5)]
LIST = {
    ("-", "-", "y", "/etc/postfix"),
    ("postfix-frontend", "priority", "n", "/etc/postfix-frontend"),
}
LIST |= {("postfix-%d" % n, "priority", "n", "/etc/postfix%d" % n) for n in range(5)}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    build = os.environ.get("PEG_BUILD") or REPOSITORY + "/build"
    with Machine(tmp_path_factory.mktemp("registered"), build) as made:
        made.run("postconf", "-MX", "smtp/inet")
        made.run("mkdir", "/var/spool/postfix")
        for name, text in (("conf", "DAEMON_USER=nobody\n"), ("rules", shipped_rules())):
            made.run("sh", "-c", "cat >/etc/priority-email-gateway." + name, stdin=text)
        made.run("peg-gen", "apply")
        yield made
        made.run("postfix", "stop", check=False)
        made.run("peg-ctl", "stop")


def listed(machine):
    return {tuple(line.split()) for line in machine.run("postmulti", "-l").stdout.splitlines()}


def status(machine):
    return machine.run("peg-ctl", "status", check=False).stdout


def test_postmulti_lists_them(machine):
    assert listed(machine) == LIST


def test_who_starts_the_default_instance_does_not_start_them(machine):
    machine.run("postfix", "start")
    machine.run("postmulti", "-i", "postfix-4", "-p", "start")  # as units of distributions do
    assert status(machine).count(" not running\n") == 3 + len(NAMES)
    machine.run("postfix", "stop")


def test_who_reloads_or_stops_the_default_instance_leaves_them_alone(machine):
    machine.run("postfix", "start")
    machine.run("peg-ctl", "start")
    before = status(machine)
    assert before.count(" running (pid ") == 3 + len(NAMES)
    machine.run("postfix", "reload")
    for command in ("reload", "stop"):  # as units of distributions do, which fail then
        assert machine.run("postmulti", "-i", "postfix-4", "-p", command, check=False).returncode != 0
    machine.run("postfix", "stop")
    assert status(machine) == before
    told = re.findall(
        r" (postfix\S*)/postfix-script\[\d+\]: (?:refreshing|stopping)",
        machine.run("cat", "/var/log/mail.log").stdout,
    )
    assert set(told) == {"postfix"}


def test_everybody_can_look_into_their_queues(machine):
    machine.run("peg-ctl", "start")
    everybody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    for name in NAMES:
        said = machine.run(*everybody, "postqueue", "-c", "/etc/" + name, "-p").stdout
        assert said == "Mail queue is empty\n"
    said = machine.run("postmulti", "-g", "priority", "-x", "postqueue", "-p").stdout
    assert said == len(NAMES) * "Mail queue is empty\n"


def test_those_of_older_versions_are_no_more_enabled(machine):
    machine.run("postmulti", "-i", "postfix-4", "-e", "enable")
    assert listed(machine) != LIST
    said = "/etc/postfix4: registered as instance postfix-4\n"
    assert machine.run("peg-gen", "diff").stdout == said
    assert machine.run("peg-gen", "apply", "--no-restart").stdout.startswith(said)
    assert listed(machine) == LIST
