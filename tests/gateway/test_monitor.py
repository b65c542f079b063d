"""peg-monitor: a file for each count, right, readable by all, and never a stale one."""

import collections
import contextlib
import os
import shutil
import signal
import stat

import pytest

from harness import processes, queues
from harness.folders import QUEUES, queue_folders
from harness.monitor_process import FIGURES, MonitorProcess
from harness.snmp import wait_until
from harness.tcpmap_process import speaks_to_service_managers
from test_privileges import NOBODY, NOT_ROOT, groups_of, status_of

CAP_DAC_READ_SEARCH = 1 << 2
UNCOUNTED = "the queues of %s cannot be counted"

pytestmark = pytest.mark.skipif(
    not speaks_to_service_managers(), reason="built without libsystemd"
)


def name_of(instance):
    return "postfix-frontend" if instance == "frontend" else "postfix%d" % instance


def figures_of(counted, milters=0):
    """The files for {instance: {queue: number}}."""
    figures = {
        "%s-%s" % (name_of(instance), queue): counts.get(queue, 0)
        for instance, counts in counted.items()
        for queue in QUEUES
    }
    return dict(figures, milterCount=milters, qpsmtpdCount=milters)


@pytest.fixture(name="folders")
def installation_with_queue_folders_only():
    """Two instances, with the queues as private as Postfix has them."""
    with queue_folders(2, {"DEFAULT_PRIORITY": 0}) as installation:
        yield installation


@pytest.fixture(name="monitor")
def monitor_of_folders(folders):
    with MonitorProcess(folders) as process:
        yield process


def add_messages(folders, instance, queue, count):
    folder = os.path.join(folders.queue_dir(instance), queue, "4")
    os.makedirs(folder, 0o700, exist_ok=True)
    for number in range(count):
        with open(os.path.join(folder, "4%09X" % number), "w"):
            pass


EMPTY = {"frontend": {}, 0: {}, 1: {}}


# With real Postfix


def test_the_figures_are_those_of_postqueue(gateway):
    gateway.relay.refuse_recipient(".", "451 4.3.0 try again later")
    held = queues.send_to_hold(gateway, [{"to": ["held@dest.example"]} for _ in range(3)])
    with gateway.sender() as sender:
        for number in range(20):
            sender.send(to=["bob@dest.example"], priority_header=str(1 + number % 4))
    gateway.log.wait_for(r"status=deferred")
    gateway.ctl("stop", "monitor")
    with MonitorProcess(gateway) as monitor, contextlib.ExitStack() as stack:
        for instance in gateway.instances():  # nothing moves from queue to queue any more
            stack.enter_context(queues.halted(gateway, instance))
        found = {
            instance: collections.Counter(m["queue_name"] for m in gateway.queue(instance))
            for instance in gateway.instances()
        }
        assert sum(sum(counts.values()) for counts in found.values()) >= 23
        assert found["frontend"]["hold"] == len(held)
        monitor.count_again()
        monitor.wait_for(figures_of(found, milters=1))
    gateway.relay.behave()
    queues.release(gateway)
    for instance in gateway.instances():
        gateway.flush(instance)
    gateway.wait_until_empty()
    gateway.ctl("start", "monitor")


def test_it_counts_whether_peg_milter_runs(private_gateway):
    gateway = private_gateway(priority_count=2, rules="", conf={"DEFAULT_PRIORITY": 0})
    gateway.ctl("stop", "monitor")
    with MonitorProcess(gateway) as monitor:
        monitor.wait_for(figures_of(EMPTY, milters=1))
        gateway.stop_milter()
        monitor.count_again()
        monitor.wait_for(figures_of(EMPTY, milters=0))


# Without


def test_it_has_written_all_files_soon_after_its_start(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    add_messages(folders, 0, "deferred", 17)
    add_messages(folders, "frontend", "hold", 1)
    monitor.count_again()
    monitor.wait_for(figures_of({"frontend": {"hold": 1}, 0: {"deferred": 17}, 1: {}}))


def test_everybody_may_read_the_files_and_nobody_but_its_user_write_them(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    folder = os.stat(folders.path(FIGURES))
    assert (stat.S_IMODE(folder.st_mode), folder.st_uid) == (0o755, NOBODY.pw_uid)
    for entry in os.scandir(folders.path(FIGURES)):
        status = entry.stat(follow_symlinks=False)
        assert (status.st_mode, status.st_uid) == (stat.S_IFREG | 0o644, NOBODY.pw_uid)


def test_of_roots_rights_it_keeps_the_one_to_look_into_folders(monitor):
    status = status_of(monitor.pid)
    assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert status["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert groups_of(status) == []
    for name in ("CapPrm", "CapEff"):
        assert int(status[name], 16) == CAP_DAC_READ_SEARCH
    assert int(status["CapAmb"], 16) == int(status["CapInh"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_started_by_another_user_without_that_right_it_says_what_it_cannot_count(folders):
    for folder in ("run", "run/priority-email-gateway"):
        os.makedirs(folders.path(folder), exist_ok=True)
        os.chown(folders.path(folder), NOBODY.pw_uid, -1)
    with MonitorProcess(folders, prefix=NOT_ROOT + ["--clear-groups"]) as monitor:
        monitor.wait_for({"milterCount": 0, "qpsmtpdCount": 0})
        assert int(status_of(monitor.pid)["CapEff"], 16) == 0
        for instance in EMPTY:
            assert UNCOUNTED % name_of(instance) in monitor.log()
        assert "Permission denied" in monitor.log()


def test_started_by_another_user_with_rights_it_keeps_that_one(folders):
    for folder in ("run", "run/priority-email-gateway"):
        os.makedirs(folders.path(folder), exist_ok=True)
        os.chown(folders.path(folder), NOBODY.pw_uid, -1)
    rights = "+dac_read_search,+net_raw"
    given = ["--clear-groups", "--inh-caps", rights, "--ambient-caps", rights]
    with MonitorProcess(folders, prefix=NOT_ROOT + given) as monitor:
        monitor.wait_for(figures_of(EMPTY))
        status = status_of(monitor.pid)
        assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == CAP_DAC_READ_SEARCH
        assert int(status["CapAmb"], 16) == int(status["CapInh"], 16) == 0


def test_instances_that_are_gone_or_on_another_host_have_no_files(folders):
    folders.write_conf({"PRIORITY_COUNT": 3, "DEFAULT_PRIORITY": 0})
    shutil.copytree(folders.queue_dir(1), folders.path("var/spool/postfix2"))
    with MonitorProcess(folders) as monitor:
        monitor.wait_for(figures_of({"frontend": {}, 0: {}, 1: {}, 2: {}}))
        folders.write_conf({"PRIORITY_COUNT": 2, "DEFAULT_PRIORITY": 0})
        monitor.count_again()
        monitor.wait_for(figures_of(EMPTY))
        folders.write_conf({"DEFAULT_PRIORITY": 0, "INSTANCE_NEXTHOP[0]": "[192.0.2.1]:20000"})
        monitor.count_again()
        monitor.wait_for(figures_of({"frontend": {}, 1: {}}))


def test_a_count_that_cannot_be_taken_leaves_no_old_number_and_is_logged_once(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    hold = os.path.join(folders.queue_dir(1), "hold")
    os.rmdir(hold)
    for _ in range(3):
        monitor.count_again()
        monitor.wait_for(figures_of({"frontend": {}, 0: {}}))
    os.mkdir(hold)
    monitor.count_again()
    monitor.wait_for(figures_of(EMPTY))
    log = monitor.log()
    assert log.count(UNCOUNTED % "postfix1") == 1 and hold in log
    assert log.count("the queues of postfix1 are counted again") == 1


def test_what_to_do_where_its_folder_was_removed_is_logged_once(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    shutil.rmtree(folders.path(FIGURES))
    os.mkdir(folders.path(FIGURES))  # another one, of somebody else
    for number in range(1, 4):  # each is told of after the round before it
        monitor.count_again()
        wait_until(lambda: monitor.log().count("settings reloaded") == number, monitor.log)
    assert monitor.log().count("the folder was removed: restart peg-monitor") == 1
    assert os.listdir(folders.path(FIGURES)) == []


def test_a_broken_configuration_is_refused_and_counting_goes_on(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    folders.write_conf("NONSENSE=1\n")
    add_messages(folders, 1, "active", 2)
    monitor.count_again()
    monitor.wait_for(figures_of({"frontend": {}, 0: {}, 1: {"active": 2}}))
    assert "the settings stay as they were" in monitor.log()


def test_another_folder_waits_for_a_restart_and_the_log_says_so(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    folders.write_conf({"DEFAULT_PRIORITY": 0, "MONITORING_DIR": "/elsewhere"})
    add_messages(folders, 1, "active", 2)
    monitor.count_again()
    monitor.wait_for(figures_of({"frontend": {}, 0: {}, 1: {"active": 2}}))
    assert "MONITORING_DIR changes when peg-monitor is restarted" in monitor.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_when_it_ends_it_leaves_no_number_behind(folders, monitor, number):
    monitor.wait_for(figures_of(EMPTY))
    assert monitor.stop(number) == 0
    assert os.listdir(folders.path(FIGURES)) == []
    assert monitor.notify.heard() == ["STOPPING=1"]
    assert os.path.isdir(folders.path(FIGURES))


def test_its_end_comes_before_any_number_of_reloads(folders, monitor):
    monitor.wait_for(figures_of(EMPTY))
    with processes.halted(monitor.pid):
        monitor.count_again()
        os.kill(monitor.pid, signal.SIGTERM)
    assert monitor.stop() == 0
    assert "settings reloaded" not in monitor.log()


def test_what_one_that_was_killed_left_is_replaced_by_the_next(folders):
    with MonitorProcess(folders) as first:
        first.wait_for(figures_of(EMPTY))
        first.stop(signal.SIGKILL)
    with open(os.path.join(folders.path(FIGURES), "postfix1-hold"), "w") as stale:
        stale.write("999\n")
    with MonitorProcess(folders) as second:
        second.wait_for(figures_of(EMPTY))


def test_a_second_one_is_refused(folders, monitor):
    other = MonitorProcess(folders)
    try:
        assert other.run_to_its_end() == 1
        assert "another one runs already" in other.log()
        assert processes.is_running(monitor.pid)
    finally:
        other.remove()


def test_a_link_in_place_of_its_folder_is_refused(folders):
    os.makedirs(folders.path("run/priority-email-gateway"))
    os.makedirs(folders.path("victim"))
    os.symlink(folders.path("victim"), folders.path(FIGURES))
    process = MonitorProcess(folders)
    try:
        assert process.run_to_its_end() == 1
        assert "%s is a symbolic link" % folders.path(FIGURES) in process.log()
        assert os.listdir(folders.path("victim")) == []
    finally:
        process.remove()


def test_it_goes_to_the_background_once_it_is_ready(folders):
    os.makedirs(folders.path("var/log"))
    folders.tool("peg-monitor")
    pid = processes.read_pid(folders.path("run/priority-email-gateway/peg-monitor.pid"))
    try:
        assert processes.is_running(pid)
        folders.log.wait_for(r"peg-monitor\[\d+\]: ready, figures are in ")
    finally:
        processes.end(pid)
    folders.log.wait_for(r"peg-monitor\[\d+\]: stopped")
