"""What peg-milter may do on the machine, and who may speak to it."""

import grp
import os
import pwd
import stat

import pytest
from milter_process import DATA_FOLDER, PID_FILE, RUN_FOLDER, SOCKET, TABLE_FILE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")

NOBODY = pwd.getpwnam("nobody")


def status_of(pid):
    with open("/proc/%d/status" % pid) as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def frontend_group(milter):
    return pwd.getpwuid(os.stat(milter.path(DATA_FOLDER)).st_uid).pw_gid


def test_it_runs_as_nobody_and_in_no_other_group(milter):
    status = status_of(milter.pid)
    assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert status["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert status["Groups"].split() == []


def test_it_has_no_capabilities_left_and_gets_none(milter):
    status = status_of(milter.pid)
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")] == [0, 0, 0]
    assert status["NoNewPrivs"] == "1"


def test_only_the_frontend_can_reach_its_socket(milter):
    folder = os.path.dirname(milter.path(SOCKET))
    assert mode_of(folder) == 0o2750  # what is made in it has its group
    assert os.stat(folder).st_gid == frontend_group(milter)
    assert stat.S_ISSOCK(os.lstat(milter.path(SOCKET)).st_mode)
    assert mode_of(milter.path(SOCKET)) == 0o660
    assert os.lstat(milter.path(SOCKET)).st_gid == frontend_group(milter)


def test_nobody_else_can_write_to_its_files(milter):
    for name in (RUN_FOLDER, PID_FILE, TABLE_FILE):
        assert not mode_of(milter.path(name)) & 0o022, name
    assert os.stat(milter.path(TABLE_FILE)).st_uid == NOBODY.pw_uid


def test_the_group_of_the_socket_is_that_of_another_mail_owner(make_milter):
    owner = next((u for u in pwd.getpwall() if u.pw_gid not in (0, NOBODY.pw_gid)), None)
    milter = make_milter(start=False)
    os.chown(milter.path(DATA_FOLDER), owner.pw_uid, -1)
    milter.start()
    assert os.lstat(milter.path(SOCKET)).st_gid == owner.pw_gid
    assert grp.getgrgid(owner.pw_gid)


def test_what_its_user_cannot_read_again_is_refused_at_the_start(make_milter):
    milter = make_milter(start=False)
    rules = milter.path("etc/priority-email-gateway.rules")
    os.chmod(rules, 0o600)
    done = milter.run_to_its_end()
    assert done.returncode == 1 and rules in done.stderr and "nobody" in done.stderr
    assert not os.path.lexists(milter.path(SOCKET))
