"""On a machine's own paths: instances with system users of their own, made by `peg-gen apply`, also by
one that is killed again and again.
"""

import os
import subprocess
import time

import pytest

from harness.installation import REPOSITORY
from harness.machine import Machine
from harness.mail import Sender
from harness.namespaces import can_make_namespaces, network_of
from harness.relay import Relay
from harness.snmp import wait_until

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not can_make_namespaces(), reason="needs namespaces"
)

PRIORITIES = 3
NAMES = ["postfix-frontend"] + ["postfix%d" % n for n in range(PRIORITIES)]
CONF = (
    "PRIORITY_COUNT=%d\nDEFAULT_PRIORITY=1\nDAEMON_USER=nobody\nFRONTEND_LISTEN=127.0.0.1:25\n"
    "RELAY_HOST=[127.0.0.1]:2525\nINSTANCE_USERS=%s\n"
)
RULES = "".join("X-To-Priority /^%d$/ to %d\n" % (n, n) for n in range(PRIORITIES))
STEP_S = 0.4  # by which a run lives longer than the one before


class Site:
    """A machine, its scratch folder, and what is done there."""

    def __init__(self, scratch):
        self.scratch = scratch
        build = os.environ.get("PEG_BUILD") or REPOSITORY + "/build"
        self.machine = Machine(scratch, build)
        self.run = self.machine.run
        self.run("postconf", "-MX", "smtp/inet")
        self.write("/etc/priority-email-gateway.rules", RULES)

    def close(self):
        self.run("peg-ctl", "stop", check=False)
        self.machine.stop()

    def write(self, path, text):
        self.run("sh", "-c", "cat >" + path, stdin=text)

    def configure(self, users):
        self.write("/etc/priority-email-gateway.conf", CONF % (PRIORITIES, users))

    def apply_killed(self):
        """Run `peg-gen apply`, killed later each time, until it has come to its end."""
        kills = 0
        while True:
            limit = "%.1f" % ((kills + 1) * STEP_S)
            done = self.run("timeout", "-s", "KILL", limit, "peg-gen", "apply", check=False)
            if done.returncode == 0:
                return kills
            assert done.returncode in (137, -9), done.stderr
            kills += 1

    def send(self, priority, port=25):
        """Send a message to a new recipient; returns its tag."""
        with network_of(self.machine.pid):
            with Sender("127.0.0.1", port) as sender:
                return sender.send(
                    to=["p%d@dest.example" % priority], headers=[("X-To-Priority", str(priority))]
                ).tag

    def owners(self, folder):
        """The users to whom files below a folder belong."""
        return set(self.run("find", folder, "-printf", "%u\n").stdout.split())

    def users_of_processes(self, instance):
        """{user: number} of the processes of an instance."""
        master = self.run("cat", "/var/spool/%s/pid/master.pid" % instance).stdout.strip()
        shown = self.run("ps", "-o", "user:32=", "-g", master, check=False).stdout.split()
        return {user: shown.count(user) for user in shown}

    def wait_for(self, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not what():
            assert time.monotonic() < deadline, "nothing within %s s" % timeout
            time.sleep(0.05)

    def files(self, queue_dir):
        return self.run("find", queue_dir + "/deferred", "-type", "f").stdout.split()


@pytest.fixture(name="site")
def site_on_a_machine(tmp_path):
    site = Site(tmp_path)
    try:
        yield site
    finally:
        site.close()


def check_all_own(site):
    assert site.run("peg-gen", "diff").stdout == "nothing to change\n"
    listed = {line.split()[0]: line.split() for line in site.run("postmulti", "-l").stdout.splitlines()}
    for name in NAMES:
        assert site.run("postconf", "-h", "-c", "/etc/" + name, "mail_owner").stdout.strip() == name
        registered = name.replace("postfix", "postfix-") if name[-1].isdigit() else name
        assert listed[registered][1] == "priority" and listed[registered][3] == "/etc/" + name
        passwd = site.run("getent", "passwd", name).stdout.strip().split(":")
        group = site.run("getent", "group", passwd[3]).stdout.strip().split(":")
        assert group[0] == name and passwd[6].endswith("nologin")


def arrive(site, relay, tags):
    relay.wait_for(len(tags), timeout=60)
    assert {d.tag: d.instance for d in relay.deliveries} == tags
    assert len(relay.deliveries) == len(tags)


def test_queues_with_mail_are_given_to_users_of_their_own(site):
    site.configure("no")
    site.run("peg-gen", "apply")
    site.run("peg-ctl", "start")
    tags = {site.send(n): n for n in range(PRIORITIES)}
    for n in range(PRIORITIES):
        site.wait_for(lambda: site.files("/var/spool/postfix%d" % n))
        assert site.owners("/var/spool/postfix%d" % n) <= {"root", "postfix"}
    site.configure("yes")
    shown = site.run("peg-gen", "diff").stdout
    assert "user postfix2: new system user, with a group of its own\n" in shown
    assert (
        "/var/spool/postfix2: the queue changes its owner to postfix2 (was: postfix)\n" in shown
    )
    refused = site.run("peg-gen", "apply", "--no-restart", check=False)
    assert refused.returncode == 1 and "postfix2 runs, and its queue is to have" in refused.stderr
    kills = site.apply_killed()
    assert kills > 0
    assert site.run("peg-ctl", "status").stdout.count(" running ") == len(NAMES) + 3
    check_all_own(site)
    for name in NAMES:
        assert site.owners("/var/spool/" + name) <= {"root", name, "nobody"}
        assert site.owners("/var/lib/" + name) == {name}
        assert set(site.users_of_processes(name)) == {"root", name}
    relay = Relay(2525, hosts=["127.0.0.1"], network=site.machine.pid).start()
    try:
        for n in range(PRIORITIES):
            site.run("postqueue", "-c", "/etc/postfix%d" % n, "-f")
        arrive(site, relay, tags)
        # peg-milter's socket can be reached by the frontend's new user.
        tags.update({site.send(n): n for n in range(PRIORITIES)})
        arrive(site, relay, tags)
    finally:
        relay.stop()


def test_the_urgent_frontend_joins_those_who_may_speak_to_peg_milter(site):
    urgent = "postfix-urgent"
    site.configure("yes")
    site.run("peg-gen", "apply")
    site.run("peg-ctl", "start")
    site.write("/etc/priority-email-gateway.conf", CONF % (PRIORITIES, "yes") + "URGENT_LISTEN=26\n")
    shown = site.run("peg-gen", "diff").stdout
    assert "user postfix-urgent: new system user, with a group of its own\n" in shown
    assert "user postfix-urgent: joins the group of postfix-frontend, who may speak" in shown
    kills = site.apply_killed()
    assert kills > 0
    check_all_own(site)
    assert set(site.run("id", "-nG", urgent).stdout.split()) == {urgent, "postfix-frontend"}
    assert set(site.users_of_processes(urgent)) == {"root", urgent}
    assert site.owners("/var/spool/" + urgent) <= {"root", urgent}
    relay = Relay(2525, hosts=["127.0.0.1"], network=site.machine.pid).start()
    try:
        arrive(site, relay, {site.send(n, port=26): n for n in range(PRIORITIES)})
        # smtpd and cleanup speak to it: so does that for a local program.
        site.run(
            "sendmail", "-C", "/etc/" + urgent, "-f", "alice@source.example", "p2@dest.example",
            stdin="X-To-Priority: 2\nTo: p2@dest.example\n\nlocal\n",
        )
        relay.wait_for(PRIORITIES + 1, timeout=60)
        assert relay.deliveries[-1].instance == 2
    finally:
        relay.stop()
    site.run("gpasswd", "--delete", urgent, "postfix-frontend")
    assert site.run("peg-gen", "apply").stdout.startswith("user postfix-urgent: joins the group")
    check_all_own(site)


def test_what_a_run_that_fails_leaves_stopped_is_named_and_started_by_the_next(site):
    site.configure("no")
    site.run("peg-gen", "apply")
    site.run("peg-ctl", "start")
    site.configure("yes")
    obstacle = "/etc/postfix0.peg-gen"  # a file where a folder is to be made
    site.run("touch", obstacle)
    failed = site.run("peg-gen", "apply", check=False)
    assert failed.returncode == 1 and obstacle + ": cannot be made" in failed.stderr
    for name in NAMES:
        assert name + " is stopped, and stays so until peg-gen apply, run again" in failed.stderr
    site.run("rm", obstacle)
    site.run("peg-gen", "apply")
    assert site.run("peg-ctl", "status").stdout.count(" running ") == len(NAMES) + 3
    check_all_own(site)


def test_a_gateway_is_made_by_runs_that_are_killed(site):
    site.configure("yes")
    kills = site.apply_killed()
    assert kills > 3
    check_all_own(site)
    complaints = site.run("postfix", "-c", "/etc/postfix0", "check").stderr
    assert "not owned" not in complaints
    site.run("peg-ctl", "start")
    relay = Relay(2525, hosts=["127.0.0.1"], network=site.machine.pid).start()
    try:
        arrive(site, relay, {site.send(n): n for n in range(PRIORITIES)})
    finally:
        relay.stop()
    unprivileged = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    look = unprivileged + ["postqueue", "-c", "/etc/postfix0", "-p"]
    # The relay has a message a moment before postfix0 takes it out of its queue.
    wait_until(
        lambda: "Mail queue is empty" in site.run(*look).stdout, lambda: site.run(*look).stdout
    )
    assert subprocess.run(["id", NAMES[0]], stderr=subprocess.DEVNULL).returncode != 0
