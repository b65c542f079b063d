"""What peg-tcpmap may do on the machine: little, but ask the frontend's Postfix what it holds."""

import grp
import os
import pwd
import shutil
import stat
import subprocess

import pytest
from harness import ports, processes
from harness.tcpmap_process import TcpmapProcess, speaks_to_service_managers

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")

NOBODY = pwd.getpwnam("nobody")
PUBLIC = "var/spool/postfix-frontend/public"
NOT_ROOT = ["setpriv", "--reuid", "nobody", "--regid", str(NOBODY.pw_gid)]


@pytest.fixture
def tcpmap():
    if not speaks_to_service_managers():
        pytest.skip("built without libsystemd")
    block = ports.reserve()
    process = TcpmapProcess(block.tcpmap)
    try:
        yield process
    finally:
        process.remove()
        block.release()


def status_of(pid):
    with open("/proc/%d/status" % pid) as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def postdrop():
    """The group that Postfix's own programs for everybody run in."""
    status = os.stat(shutil.which("postqueue"))
    assert status.st_mode & stat.S_ISGID
    return status.st_gid


def other_group():
    return next(g for g in grp.getgrall() if g.gr_gid not in (0, NOBODY.pw_gid, postdrop()))


def make_public(tcpmap, gid):
    os.mkdir(tcpmap.path(PUBLIC), 0o710)
    os.chown(tcpmap.path(PUBLIC), -1, gid)


def groups_of(status):
    return [int(gid) for gid in status["Groups"].split()]


def assert_has_given_up_root(status):
    assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert status["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")] == [0, 0, 0]
    assert status["NoNewPrivs"] == "1"


def test_it_is_nobody_in_the_group_that_may_enter_the_queue(tcpmap):
    group = other_group()
    make_public(tcpmap, group.gr_gid)
    status = status_of(tcpmap.start().pid)
    assert_has_given_up_root(status)
    assert groups_of(status) == [group.gr_gid]


def test_before_the_queue_is_made_the_group_is_that_of_postqueue(tcpmap):
    status = status_of(tcpmap.start().pid)
    assert_has_given_up_root(status)
    assert groups_of(status) == [postdrop()]


def test_a_queue_that_is_open_to_roots_group_does_not_put_it_there(tcpmap):
    make_public(tcpmap, 0)
    status = status_of(tcpmap.start().pid)
    assert_has_given_up_root(status)
    assert groups_of(status) == [postdrop()]


def test_started_by_another_user_it_keeps_its_groups_and_gets_no_more(tcpmap):
    groups = sorted([other_group().gr_gid, postdrop()])
    for folder, _, _ in os.walk(tcpmap.root):
        os.chown(folder, NOBODY.pw_uid, -1)
    tcpmap.start(prefix=NOT_ROOT + ["--groups", ",".join(str(gid) for gid in groups)])
    status = status_of(tcpmap.pid)
    assert_has_given_up_root(status)
    assert sorted(groups_of(status)) == groups


def test_in_its_rights_postfix_lists_the_queue(gateway):
    """postqueue's set-group-id bit is without effect there: it is the group that opens the queue."""
    pid = processes.read_pid(gateway.path("run/priority-email-gateway/peg-tcpmap.pid"))
    status = status_of(pid)
    assert_has_given_up_root(status)
    listing = ["postqueue", "-c", gateway.config_dir("frontend"), "-j"]
    groups = ",".join(status["Groups"].split())
    listed = subprocess.run(
        NOT_ROOT + ["--groups", groups, "--no-new-privs"] + listing, check=False
    )
    assert listed.returncode == 0
    refused = subprocess.run(
        NOT_ROOT + ["--clear-groups", "--no-new-privs"] + listing,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert refused.returncode != 0 and b"Permission denied" in refused.stderr
