"""SCHED_BATCH*: the scheduling policy of all processes of a Postfix (sched(7))."""

import os
import re

import pytest

from harness.gateway import Gateway
from harness.queues import queue_manager

CONF = {"DEFAULT_PRIORITY": 0, "SCHED_BATCH_FRONTEND": "yes", "SCHED_BATCH[0]": "yes"}
OTHER_CONF = {"DEFAULT_PRIORITY": 0, "SCHED_BATCH_DEFAULT": "yes"}
RULE = "X-Priority /^1/ all 1\n"
EACH = ("frontend", 0, 1)


def policies(gateway):
    """{Postfix: the policies that its processes have}; peg-milter works in the frontend's queue, too."""
    return {
        each: {
            os.sched_getscheduler(pid)
            for pid, program in gateway.postfix_processes(each).items()
            if program != "peg-milter"
        }
        for each in EACH
    }


def expected(*batch):
    return {each: {os.SCHED_BATCH if each in batch else os.SCHED_OTHER} for each in EACH}


@pytest.fixture(scope="module", name="live")
def gateway_of_these_tests():
    with Gateway(priority_count=2, conf=CONF, rules=RULE) as live:
        yield live


@pytest.fixture(autouse=True)
def as_it_was(live):
    yield
    live.write_conf(CONF)
    live.ctl("reload")


def test_all_processes_have_it_from_their_start(live):
    for _ in range(2):
        for priority in (0, 1):  # which starts more of them
            sent = live.send(to=["bob@dest.example"], priority_header="1" if priority else None)
            assert set(live.delivered(sent).values()) == {priority}
        assert len(live.postfix_processes("frontend")) > 6
        assert policies(live) == expected("frontend", 0)
        live.ctl("restart")


def test_a_reload_sets_it_in_all_that_run(live):
    masters = [live.master_pid(each) for each in EACH]
    live.write_conf(OTHER_CONF)
    live.ctl("reload")
    assert policies(live) == expected(0, 1)
    assert masters == [live.master_pid(each) for each in EACH]


def test_apply_sets_it_right_and_reloads_no_other(live):
    os.sched_setscheduler(live.master_pid(1), os.SCHED_BATCH, os.sched_param(0))
    said = live.gen("apply").stdout
    assert re.findall(r"reloaded: .*(postfix\S+)", said) == ["postfix1"], said
    assert policies(live) == expected("frontend", 0)


@pytest.mark.parametrize(
    "instance, policy, name",
    [(0, os.SCHED_OTHER, "SCHED_OTHER"), (1, os.SCHED_BATCH, "SCHED_BATCH")],
)
def test_the_doctor_names_a_process_with_another(live, instance, policy, name):
    pid = queue_manager(live, instance)
    os.sched_setscheduler(pid, policy, os.sched_param(0))
    done = live.gen("doctor", check=False)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1 and re.search(
        r"postfix%d: qmgr \(pid %d\) is scheduled as %s; set it right by peg-ctl reload"
        % (instance, pid, name),
        failed[0],
    ), done.stdout


def test_another_policy_is_the_operators(live):
    pid = live.master_pid(1)
    os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    try:
        live.ctl("reload")
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        assert live.gen("doctor", check=False).returncode == 0
    finally:
        live.ctl("stop", "1")
        live.ctl("start", "1")
    assert policies(live) == expected("frontend", 0)


def test_that_of_our_daemons_is_the_operators(live):
    pid = live.daemon_pid("peg-tcpmap")
    os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    try:
        live.ctl("reload")
        assert os.sched_getscheduler(pid) == os.SCHED_BATCH
        assert live.gen("doctor", check=False).returncode == 0
    finally:
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
