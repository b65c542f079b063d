"""NICE_LEVEL* where Linux groups processes by session (sched(7), autogroup): each Postfix is a
session, and only the levels of sessions count between them.
"""

import os
import re
import subprocess

import pytest

from harness.gateway import Gateway

LEVELS = {
    "NICE_LEVEL_FRONTEND": 3,
    "NICE_LEVEL_DEFAULT": 0,
    "NICE_LEVEL[1]": -2,
    "NICE_LEVEL_MILTER": 4,
}
OTHER_LEVELS = {"NICE_LEVEL_FRONTEND": -1, "NICE_LEVEL_DEFAULT": 20, "NICE_LEVEL_MILTER": 4}
WITHOUT_RIGHT = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"]
RULE = "X-Priority /^1/ all 1\n"
WARNING = "cannot be set for its session"


def session_level(pid):
    """The level of the group that Linux makes of a session; None: it makes none."""
    try:
        with open("/proc/%d/autogroup" % pid) as group:
            words = group.read().split()
    except FileNotFoundError:
        return None
    return int(words[-1]) if words else None


def sessions_count():
    try:
        with open("/proc/sys/kernel/sched_autogroup_enabled") as enabled:
            return enabled.read() != "0\n" and session_level(os.getpid()) is not None
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    not sessions_count(), reason="the kernel does not group processes by session"
)


def set_session_level(pid, level):
    with open("/proc/%d/autogroup" % pid, "w") as group:
        group.write("%d\n" % level)


def levels(gateway):
    return {each: session_level(gateway.master_pid(each)) for each in ("frontend", 0, 1)}


def without_right(gateway, *arguments):
    """peg-ctl as root who may not favour a process, but is favoured."""
    return subprocess.run(
        ["nice", "-n", "-2"] + WITHOUT_RIGHT + gateway.command("peg-ctl", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", name="live")
def gateway_of_these_tests():
    with Gateway(priority_count=2, conf={**LEVELS, "DEFAULT_PRIORITY": 0}, rules=RULE) as live:
        yield live


@pytest.fixture(autouse=True)
def as_it_was(live):
    yield
    live.write_conf({**LEVELS, "DEFAULT_PRIORITY": 0})
    live.ctl("reload")


def test_the_session_of_each_postfix_has_its_level_when_it_is_started(live):
    for _ in range(2):
        assert levels(live) == {"frontend": 3, 0: 0, 1: -2}
        for instance in ("frontend", 0, 1):
            pid = live.master_pid(instance)
            assert os.getsid(pid) == pid
            assert os.getpriority(os.PRIO_PROCESS, pid) == session_level(pid)
        live.ctl("restart")


def test_the_session_of_a_milter_in_the_background_has_its_level(live):
    assert session_level(live.daemon_pid("peg-milter")) == 4


def test_a_reload_gives_the_sessions_other_levels(live):
    masters = [live.master_pid(each) for each in ("frontend", 0, 1)]
    live.write_conf({**OTHER_LEVELS, "DEFAULT_PRIORITY": 0})
    live.ctl("reload")
    assert levels(live) == {"frontend": -1, 0: 19, 1: 19}
    assert masters == [live.master_pid(each) for each in ("frontend", 0, 1)]


def test_apply_sets_a_session_right_and_reloads_no_other(live):
    set_session_level(live.master_pid(1), 9)
    said = live.gen("apply").stdout
    assert re.findall(r"reloaded: .*(postfix\S+)", said) == ["postfix1"], said
    assert levels(live) == {"frontend": 3, 0: 0, 1: -2}


@pytest.mark.parametrize("part, action", [("postfix1", "reload"), ("peg-milter", "restart")])
def test_the_doctor_names_a_session_with_another_level(live, part, action):
    pid = live.master_pid(1) if part == "postfix1" else live.daemon_pid(part)
    was = session_level(pid)
    set_session_level(pid, 9)
    done = live.gen("doctor", check=False)
    set_session_level(pid, was)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1 and re.search(
        r"%s: its session \(/proc/%d/autogroup\) has nice level 9 instead of %d; set it by peg-ctl %s"
        % (part, pid, was, action),
        failed[0],
    ), done.stdout


def test_without_the_right_it_goes_on_and_says_once_what_to_do(live):
    live.write_conf({"NICE_LEVEL_DEFAULT": -2, "DEFAULT_PRIORITY": 0, "NICE_LEVEL_FRONTEND": -2})
    live.ctl("stop", "0", "1")
    done = without_right(live, "start")
    assert done.returncode == 0
    assert done.stderr.count(WARNING) == 1 and "sched_autogroup_enabled" in done.stderr, done.stderr
    assert levels(live) == {"frontend": 3, 0: 0, 1: 0}
    live.ctl("reload")
    assert levels(live) == {"frontend": -2, 0: -2, 1: -2}
