"""peg-monitor as a subagent of a real snmpd: traps, snmpd that comes and goes, and peg-gen's part."""

import os
import signal
import threading

import pytest

from harness import processes
from harness.folders import forgotten, make_queues
from harness.installation import Installation
from harness.mail_mibs import oid
from harness.monitor_process import MonitorProcess
from harness.snmp import Agent, wait_until
from harness.snmp_site import (
    DOWN,
    FALLING,
    FRAGMENT,
    HOT_TRIGGER,
    MONITOR_PID,
    OUTPUT_FULL,
    RESULT,
    RISING,
    UP,
    Site,
    appl_index,
    by_name,
    send_to_deferred,
)
from harness.tcpmap_process import speaks_to_service_managers

LONG_QUEUE = 60000

pytestmark = pytest.mark.skipif(
    not speaks_to_service_managers(), reason="built without libsystemd"
)


@pytest.fixture(scope="module", name="site")
def site_with_snmpd(tmp_path_factory):
    limits = {"QUEUE_LIMIT[0]": 2, "QUEUE_AGE_LIMIT[1]": 1}
    site = Site(str(tmp_path_factory.mktemp("snmp")), conf=limits)
    try:
        yield site
    finally:
        site.close()


def test_an_instance_that_dies_is_told_once_and_once_when_it_is_back(site):
    site.wait_until_connected()
    status = oid("applOperStatus", appl_index(3))
    site.gateway.kill("postfix3")
    assert site.wait_for_trap(status) == [(RISING, DOWN)]
    assert site.agent.value(status) == DOWN
    site.rounds()
    site.gateway.ctl("start", "3")
    assert site.wait_for_trap(status, 2) == [(RISING, DOWN), (FALLING, UP)]
    assert site.agent.value(status) == UP
    site.rounds()
    assert len(site.traps(status)) == 2
    facts = site.receiver.traps((RISING,))[-1]
    assert facts[HOT_TRIGGER] == '"applOperStatus"'
    assert facts[oid("applName", appl_index(3))] == '"postfix3"'
    log = site.gateway.log
    log.wait_for(r"peg-monitor\[\d+\]: warning: postfix3 is down")
    log.wait_for(r"peg-monitor\[\d+\]: postfix3 is up again")


def test_a_queue_over_its_limit_is_told_once_and_once_when_it_is_not(site):
    site.wait_until_connected()
    number = oid("mtaGroupStoredMessages", appl_index(0), 3)
    before = site.traps(number)
    send_to_deferred(site.gateway, 0, 3)
    assert site.wait_for_trap(number, len(before) + 1)[len(before) :] == [(RISING, "3")]
    site.rounds()
    site.gateway.relay.behave()
    site.gateway.flush(0)
    site.gateway.wait_until_empty()
    found = site.wait_for_trap(number, len(before) + 2)[len(before) :]
    assert found == [(RISING, "3"), (FALLING, "0")]
    site.rounds()
    assert len(site.traps(number)) == len(before) + 2


def test_a_message_that_is_too_old_is_told_once_and_once_when_it_is_gone(site):
    site.wait_until_connected()
    number = oid("mtaGroupOldestMessageStored", appl_index(1), 3)
    send_to_deferred(site.gateway, 1, 1)
    ((notification, age),) = site.wait_for_trap(number)
    assert notification == RISING and 200 <= int(age)
    site.gateway.relay.behave()
    site.gateway.flush(1)
    site.gateway.wait_until_empty()
    assert site.wait_for_trap(number, 2)[1] == (FALLING, "0")


def test_an_snmpd_that_is_killed_is_found_again_and_told_late(site):
    site.wait_until_connected()
    status = oid("applOperStatus", 66)
    before = len(site.traps(status))
    site.agent.stop(signal.SIGKILL)
    site.gateway.log.wait_for(r"peg-monitor\[\d+\]: warning: SNMP: snmpd at \S+ is away")
    site.gateway.stop_milter(signal.SIGKILL)
    site.rounds()
    site.agent.start()
    site.wait_until_connected()
    assert site.wait_for_trap(status, before + 1)[before:] == [(RISING, DOWN)]
    site.gateway.ctl("start", "milter")
    assert site.wait_for_trap(status, before + 2)[before + 1 :] == [(FALLING, UP)]
    assert site.agent.value(oid("applUptime", 1)).startswith("0:0:00:00.00")  # before this snmpd
    site.agent.stop()
    site.agent.start()
    site.wait_until_connected()
    changes = [line for line in site.gateway.log.lines(since=0) if " SNMP: " in line]
    words = ["connected" if "connected" in line else "away" for line in changes]
    assert words == ["connected", "away"] * (len(words) // 2) + ["connected"]
    assert "duplicate registration" not in site.agent.log()
    assert "identify" not in site.agent.log()  # the user and group of agentXPerms


def test_a_gateway_that_is_stopped_as_a_whole_tells_nobody(site):
    site.wait_until_connected()
    gateway, before = site.gateway, site.receiver.heard()
    frontend = processes.read_pid(gateway.path("var/spool/postfix-frontend/pid/master.pid"))
    monitor = processes.read_pid(gateway.path(MONITOR_PID))
    stop = threading.Thread(target=gateway.ctl, args=("stop",))
    stop.start()
    wait_until(lambda: not processes.is_running(frontend), gateway.log.tail)
    can_tell = processes.is_running(monitor)
    stop.join()
    assert not can_tell and site.receiver.heard() == before
    gateway.ctl("start")


def test_without_peg_monitor_no_old_number_is_shown(site):
    site.wait_until_connected()
    name = "postfix0-active"
    site.agent.wait_for_value(by_name(OUTPUT_FULL, name), '"0"')
    site.gateway.ctl("stop", "monitor")
    try:
        site.agent.wait_for_value(by_name(RESULT, name), "1")
        assert "No such file" in site.agent.value(by_name(OUTPUT_FULL, name))
        assert site.agent.value(oid("applName", 1)) is None
    finally:
        site.gateway.ctl("start", "monitor")


@pytest.fixture(name="folders")
def installation_with_queue_folders_only():
    conf = {"DEFAULT_PRIORITY": 0, "MONITORING_DIR": "/run/my \"own\" figures"}
    installation = Installation(priority_count=2, conf=conf, rules="")
    os.makedirs(installation.path("etc/snmp"))
    installation.write()
    make_queues(installation)
    with forgotten(installation):
        yield installation


def test_snmpd_may_start_late_and_figures_stand_in_any_folder(folders, tmp_path):
    agent = Agent(str(tmp_path), folders.path(FRAGMENT))
    try:
        with MonitorProcess(folders) as monitor:
            wait_until(lambda: "SNMP: no snmpd at" in monitor.log(), monitor.log)
            agent.start()
            agent.wait_for_value(by_name(OUTPUT_FULL, "postfix1-hold"), '"0"')
            agent.wait_for_value(oid("applName", 3), '"postfix1"')
    finally:
        agent.stop()


def test_an_snmpd_that_comes_later_and_lets_nobody_in_is_told_of_once(folders, tmp_path):
    with open(folders.path(FRAGMENT)) as file:
        lines = file.readlines()
    strict = tmp_path / "strict.conf"
    strict.write_text("".join(line for line in lines if not line.startswith("agentXPerms")))
    agent = Agent(str(tmp_path), str(strict))
    try:
        with MonitorProcess(folders) as monitor:
            wait_until(lambda: "SNMP: no snmpd at" in monitor.log(), monitor.log)
            agent.start()
            wait_until(lambda: "see agentXPerms in snmpd.conf(5)" in monitor.log(), monitor.log)
            agent.stop()
            agent = Agent(str(tmp_path), folders.path(FRAGMENT)).start()
            agent.wait_for_value(oid("applName", 3), '"postfix1"')
            assert monitor.log().count("agentXPerms") == 1
    finally:
        agent.stop()


def test_a_long_survey_keeps_nobody_waiting(folders, tmp_path):
    hold = os.path.join(folders.queue_dir(1), "hold")
    number = oid("mtaGroupStoredMessages", 3, 4)
    agent = Agent(str(tmp_path), folders.path(FRAGMENT)).start()
    try:
        with MonitorProcess(folders) as monitor:
            agent.wait_for_value(number, "0")
            for message in range(LONG_QUEUE):
                os.close(os.open(os.path.join(hold, "A%X" % message), os.O_CREAT, 0o700))
            monitor.count_again()
            wait_until(lambda: "settings reloaded" in monitor.log(), monitor.log)
            meanwhile = 0
            while agent.value(number) == "0":
                meanwhile += 1
            assert meanwhile > 1
            assert agent.value(number) == str(LONG_QUEUE)
    finally:
        agent.stop()


def test_what_peg_gen_wrote_is_there_once(site):
    assert FRAGMENT not in site.gateway.gen("diff").stdout
    done = site.gateway.gen("apply", "--no-restart")
    assert FRAGMENT not in done.stdout


@pytest.mark.parametrize(
    "path, said",
    [
        ("/run/agent x", "AGENTX_SOCKET cannot be named in snmpd.conf"),
        ("/run/" + "x" * 103, "AGENTX_SOCKET is too long for a socket"),
    ],
)
def test_a_socket_that_cannot_be_is_named(site, path, said):
    gateway = site.gateway
    with open(gateway.path("etc/priority-email-gateway.conf")) as file:
        before = file.read()
    try:
        gateway.write_conf(before + 'AGENTX_SOCKET="%s"\n' % path)
        done = gateway.gen("check", check=False)
        assert "priority-email-gateway.conf:%d: " % (before.count("\n") + 1) in done.stderr
        assert said in done.stderr
    finally:
        gateway.write_conf(before)
