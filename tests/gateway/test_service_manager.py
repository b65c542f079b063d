"""The gateway where systemd starts and stops its parts, with a stand-in for systemd.

The stand-in starts services in the sandbox of their units, and ends what does a forbidden system
call. So mail that goes its way here shows that a daemon needs nothing that its unit forbids.
"""

import os
import re

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

STAND_IN = REPOSITORY + "/tests/gateway/system/systemctl"
HARNESS = REPOSITORY + "/tests/gateway"
DAEMONS = ["peg-milter.service", "peg-tcpmap.socket", "peg-tcpmap.service"]
INSTANCES = ["peg-instance@%d.service" % n for n in range(5)]
ALL = DAEMONS + INSTANCES + ["peg-frontend.service", "peg-monitor.service", "priority-email-gateway.target"]
MASKED = ["postfix@postfix-%s.service" % n for n in (0, 1, 2, 3, 4, "frontend")]
SYSTEM = "/etc/systemd/system"
RUN = "/run/priority-email-gateway"
CAP_DAC_READ_SEARCH = 1 << 2


class System:
    """A machine where the gateway is installed and systemd is at work, as far as it can tell."""

    def __init__(self, scratch):
        self.machine = Machine(scratch, "/usr/local/sbin")
        try:
            build = os.path.relpath(os.environ.get("PEG_BUILD") or REPOSITORY + "/build", REPOSITORY)
            self.do("make -s -C %s install BUILD=%s" % (REPOSITORY, build))
            self.do("systemd-sysusers && mkdir -p /run/systemd/system %s" % SYSTEM)
            self.do("ln -s %s /usr/local/sbin/systemctl" % STAND_IN)
            self.do("touch /usr/local/lib/systemd/system/postfix@.service")  # as Debian has it
            self.set_parameter("RELAY_HOST", "[127.0.0.1]:2525")
            self.do("postconf -MX smtp/inet && peg-gen apply")
            self.first_calls = self.calls()
            self.relay = Relay(2525, network=self.machine.pid).start()
        except BaseException:
            self.machine.stop()
            raise

    def close(self):
        self.relay.stop()
        self.run("peg-ctl stop")
        self.machine.stop()

    def run(self, line):
        """Have a line done by a shell; returns its exit status and all that it printed."""
        done = self.machine.run("sh", "-c", "exec 2>&1; " + line, check=False)
        return done.returncode, done.stdout

    def do(self, line):
        """The same for a line that has to succeed; returns what it printed."""
        status, said = self.run(line)
        assert status == 0, "%s: exit status %d\n%s" % (line, status, said)
        return said

    def calls(self):
        """The command lines of systemctl since this was asked last, save those that only ask."""
        said = self.do("cat /run/systemctl.log; : >/run/systemctl.log")
        return [line for line in said.splitlines() if not line.startswith("show ")]

    def set_parameter(self, name, value):
        conf = "/etc/priority-email-gateway.conf"
        self.do("sed -i '/^#*%s=/d' %s && echo '%s=%s' >>%s" % (name, conf, name, value, conf))

    def pid_of(self, part):
        return self.run("peg-ctl status " + part)[1].split("pid ")[-1].rstrip(")\n")


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    made = System(tmp_path_factory.mktemp("system"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def running(system):
    """The same with all parts running, started by systemd."""
    system.do("peg-ctl start && : >/run/systemctl.log")
    yield system


def test_apply_tells_systemd_what_there_is_and_says_so_once(system):
    assert system.first_calls == [
        "enable " + " ".join(INSTANCES),
        "mask " + " ".join(MASKED),
    ]
    assert system.do("peg-gen diff") == "nothing to change\n"
    assert "nothing to change" in system.do("peg-gen apply --no-restart")
    assert system.calls() == []


def test_start_and_stop_of_all_is_one_transaction_with_everything(system):
    system.do("peg-ctl stop && : >/run/systemctl.log")
    system.do("peg-ctl start")
    assert system.calls() == ["start " + " ".join(ALL)]
    assert system.do("peg-ctl status").count(" running (pid ") == 9
    system.do("peg-ctl start")  # nothing is left to do
    assert system.calls() == []
    system.do("peg-ctl stop")
    assert system.calls() == ["stop " + " ".join(ALL)]
    assert system.run("peg-ctl status")[1].count(" not running\n") == 9


def test_parts_are_named_one_by_one(running):
    before = {part: running.pid_of(part) for part in ("milter", "tcpmap", "3", "frontend")}
    running.do("peg-ctl restart tcpmap 3")
    named = "peg-tcpmap.socket peg-tcpmap.service peg-instance@3.service"
    assert running.calls() == ["stop " + named, "start " + named]
    after = {part: running.pid_of(part) for part in before}
    assert {part for part in before if before[part] != after[part]} == {"tcpmap", "3"}


def test_a_reload_does_not_need_systemd(running):
    assert running.do("peg-ctl reload") == ""
    assert running.calls() == []
    running.do("grep -q 'reloaded: .* rules are in force' /run/systemctl/peg-milter.service.log")


def test_what_runs_without_systemd_is_taken_over_by_a_restart(running):
    running.do("peg-ctl stop milter 1 && peg-ctl start --direct milter 1")
    assert running.calls() == ["stop peg-milter.service peg-instance@1.service"]
    old = running.pid_of("milter"), running.pid_of("1")
    running.do("peg-ctl restart milter 1")
    assert old[0] != running.pid_of("milter") and old[1] != running.pid_of("1")
    assert running.do("cat /run/systemctl/peg-milter.service.pid").strip() == running.pid_of(
        "milter"
    )


def test_daemons_are_who_the_units_say(running):
    group = running.do("getent group postdrop").split(":")[2]
    peg = running.do("id -g peg").strip()
    for part, groups in (("milter", {peg}), ("tcpmap", {peg, group}), ("monitor", {peg})):
        status = running.do("cat /proc/%s/status" % running.pid_of(part))
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split() == [running.do("id -u peg").strip()] * 4
        assert set(fields["Groups"].split()) == groups
        rights = CAP_DAC_READ_SEARCH if part == "monitor" else 0
        assert int(fields["CapBnd"], 16) == int(fields["CapEff"], 16) == rights
        assert fields["NoNewPrivs"] == "1"
        assert fields["Seccomp"] == "2"
    owner = running.do("stat -c '%%U %%a' %s/peg-milter.pid %s/decisions" % (RUN, RUN))
    assert owner == "peg 644\npeg 600\n"


def test_mail_goes_its_way_from_within_the_sandbox(running):
    with network_of(running.machine.pid), Sender("127.0.0.1", 25) as sender:
        flash = sender.send(to=["bob@dest.example"], primary_precedence="flash")
        routine = sender.send(to=["bob@dest.example"])
    running.relay.wait_for(2, timeout=60)
    arrived = {(d.tag, d.recipient.lower()): d.instance for d in running.relay.deliveries}
    assert arrived == {
        (flash.tag, "bob@dest.example"): 4,
        (routine.tag, "bob@dest.example"): 2,
    }


def tidy_in_the_sandbox(running):
    return running.do(
        "cd %s && PYTHONPATH=. python3 -B -m harness.sandbox peg-tcpmap.service "
        "/usr/local/sbin/peg-decisions tidy --force" % HARNESS
    )


def wait_until_the_sandbox_sees_no_mail(running):
    """The relay has a message a moment before the frontend takes it out of its queue."""
    wait_until(
        lambda: "peg-decisions: queue: 0 messages" in tidy_in_the_sandbox(running),
        lambda: tidy_in_the_sandbox(running),
    )


def test_the_queue_is_looked_into_from_within_the_sandbox(running):
    wait_until_the_sandbox_sees_no_mail(running)


def test_the_monitor_counts_from_within_the_sandbox(running):
    running.do("peg-ctl reload monitor")
    figures = sorted(running.do("cd %s/monitoring && grep -H . *" % RUN).split())
    assert "milterCount:1" in figures and "postfix-frontend-deferred:0" in figures
    assert len([line for line in figures if re.match(r"postfix.*:\d+$", line)]) == 6 * 4
    metrics = running.do("cat %s/monitoring/peg.prom" % RUN)
    for line in ("peg_table_readable 1", "peg_store_readable 1"):
        assert line in metrics.splitlines()
    assert re.search(r'^peg_queue_bytes{postfix="postfix4",.*,queue="active"} \d+$', metrics, re.M)
    assert re.search(r'^peg_bounces_total{postfix="postfix4",priority="4"} \d+$', metrics, re.M)


def test_the_monitor_is_asked_by_members_of_the_group_that_sysusers_makes(running):
    who = "setpriv --reuid daemon --regid daemon "
    shown = running.do("peg-showqueues")
    assert running.do(who + "--groups $(getent group peg-monitor | cut -d: -f3) peg-showqueues") == shown
    # Nor does it help to be in the group that the daemons are in.
    for groups in ("--clear-groups", "--groups $(id -g peg)"):
        status, said = running.run("%s %s peg-showqueues" % (who, groups))
        assert (status, "a member of the group peg-monitor while" in said) == (1, True)
    owner = running.do("stat -c '%%U %%G %%a' %s/monitor %s/monitor/ask" % (RUN, RUN))
    assert owner == "peg peg-monitor 2750\npeg peg-monitor 660\n"


def test_snmpd_is_served_from_within_the_sandbox(running):
    conf = "/run/agent.conf,/etc/snmp/snmpd.priority-email-gateway.conf"
    get = "snmpget -v2c -c secret -Ovq -m '' 127.0.0.1 1.3.6.1.2.1.27.1.1.%d.6"  # of postfix4
    running.do("echo rocommunity secret 127.0.0.1 >/run/agent.conf")
    running.do(
        "SNMP_PERSISTENT_DIR=/run/snmp snmpd -C -c %s -m '' -Lf /run/snmpd.log -p /run/snmpd.pid "
        "udp:127.0.0.1:161" % conf
    )
    try:
        wait_until(
            lambda: running.run(get % 2) == (0, '"postfix4"\n'),
            lambda: running.do("cat /run/snmpd.log /run/systemctl/peg-monitor.service.log"),
        )
        assert running.do(get % 6) == "1\n"  # it is up
        assert running.do(get % 4).startswith('"Postfix ')  # as postconf said
    finally:
        running.do("kill $(cat /run/snmpd.pid)")


def test_a_folder_for_figures_is_made_where_only_root_can(running):
    running.do("cp /etc/priority-email-gateway.conf /run/conf")
    running.set_parameter("MONITORING_DIR", "/var/lib/figures/of%peg")
    assert "restarted: peg-monitor\n" in running.do("peg-gen apply")
    assert "milterCount" in running.do("ls /var/lib/figures/of%peg")
    running.do("cp /run/conf /etc/priority-email-gateway.conf && peg-gen apply")


def reloads(system):
    """How often the frontend was reloaded."""
    log = system.do("cat /var/log/mail.log")
    return len(re.findall(r" postfix-frontend/master\[\d+\]: reload -- ", log))


@pytest.mark.parametrize("seconds, reloaded", [(3600, 1), (0, 0)])
def test_a_lookup_server_that_comes_back_has_the_frontend_try_again(running, seconds, reloaded):
    """The unit does it: systemd starts a service that has ended again, and nobody calls peg-ctl."""
    before = reloads(running)
    running.do("kill -9 $(cat %s/peg-tcpmap.pid)" % RUN)
    running.do("touch -d '%d seconds ago' %s/peg-tcpmap.pid" % (seconds, RUN))
    running.do("systemctl start peg-tcpmap.service")
    assert reloads(running) == before + reloaded


def test_the_frontend_waits_for_the_daemons(running):
    running.do("peg-ctl stop frontend milter")
    status, said = running.run("systemctl start peg-frontend.service")
    assert status == 1
    assert "postfix-frontend is not started while peg-milter does not run\n" in said
    running.do("systemctl start peg-milter.service peg-frontend.service")


def test_an_instance_starts_though_the_rules_are_bad(running):
    """They are peg-milter's business: mail that is in leaves."""
    rules = "/etc/priority-email-gateway.rules"
    running.do("peg-ctl stop 2 && cp %s /run/rules && echo nonsense >>%s" % (rules, rules))
    running.do("systemctl start peg-instance@2.service")
    running.do("cp /run/rules %s" % rules)


def test_settings_that_units_hold_are_followed_by_drop_ins(system):
    system.do("cp /etc/priority-email-gateway.conf /run/conf; : >/run/systemctl.log")
    system.set_parameter("DAEMON_USER", "daemon")
    system.set_parameter("NICE_LEVEL_MILTER", "3")
    system.set_parameter("TCPMAP_LISTEN", '"[::1]:10041"')
    said = system.do("peg-gen apply --no-restart")
    files = {
        "peg-tcpmap.socket": "[Socket]\nListenStream=\nListenStream=[::1]:10041\n",
        "peg-milter.service": "[Service]\nUser=daemon\nNice=3\n",
        "peg-tcpmap.service": "[Service]\nUser=daemon\n",
    }
    for unit, text in files.items():
        path = "%s/%s.d/priority-email-gateway.conf" % (SYSTEM, unit)
        assert path + ": new contents\n" in said
        assert system.do("cat " + path).split("\n", 1)[1] == text
    assert system.calls()[0] == "daemon-reload"
    system.do("echo '[Service]' >%s/peg-milter.service.d/mine.conf" % SYSTEM)
    system.do("cp /run/conf /etc/priority-email-gateway.conf && peg-gen apply --no-restart")
    assert system.do("ls %s/peg-milter.service.d" % SYSTEM) == "mine.conf\n"
    assert system.run("ls %s/peg-tcpmap.service.d" % SYSTEM)[0] != 0
    system.do("rm -r %s/peg-milter.service.d; : >/run/systemctl.log" % SYSTEM)


def test_instances_come_and_go_with_their_units(running):
    running.set_parameter("PRIORITY_COUNT", "6")
    running.do("peg-gen apply")
    calls = running.calls()
    assert "enable peg-instance@5.service" in calls
    assert "mask postfix@postfix-5.service" in calls
    assert "start peg-instance@5.service" in calls
    assert " running " in running.do("peg-ctl status 5")
    running.set_parameter("PRIORITY_COUNT", "5")
    running.do("peg-gen apply")
    calls = running.calls()
    stopped = calls.index("stop peg-instance@5.service")
    assert calls.index("disable peg-instance@5.service") > stopped
    assert calls.index("unmask postfix@postfix-5.service") > stopped
    assert running.do("peg-gen diff") == "nothing to change\n"


def test_an_urgent_frontend_comes_and_goes_with_its_unit(running):
    running.set_parameter("URGENT_LISTEN", "127.0.0.1:26")
    running.do("peg-gen apply")
    calls = running.calls()
    assert "enable peg-urgent.service" in calls
    assert "mask postfix@postfix-urgent.service" in calls
    assert "start peg-urgent.service" in calls
    assert " running " in running.do("peg-ctl status urgent")
    assert running.do("peg-gen diff") == "nothing to change\n"
    running.set_parameter("URGENT_LISTEN", '""')
    running.do("peg-gen apply")
    calls = running.calls()
    stopped = calls.index("stop peg-urgent.service")
    assert calls.index("disable peg-urgent.service") > stopped
    assert calls.index("unmask postfix@postfix-urgent.service") > stopped
    assert running.do("peg-gen diff") == "nothing to change\n"


def test_the_urgent_frontend_answers_the_doctor_and_who_looks_into_its_queue(running):
    """As a user of its own; and when it is gone nobody waits for its answer."""
    running.set_parameter("URGENT_LISTEN", "127.0.0.1:26")
    running.do("peg-gen apply")
    with network_of(running.machine.pid), Sender("127.0.0.1", 26) as sender:
        sent = sender.send(to=["bob@urgent.example"], primary_precedence="flash")
    (arrived,) = running.relay.wait_for(1, tag=sent.tag, timeout=60)
    assert arrived.instance == 4
    said = running.do("peg-gen doctor")
    assert "peg-milter: answers the urgent frontend, user postfix-urgent on " in said
    assert re.search("ok +priority 4, urgent: the probe came by postfix4 in ", said)
    wait_until_the_sandbox_sees_no_mail(running)
    running.do("kill -9 $(cat /var/spool/postfix-urgent/pid/master.pid)")
    status, said = running.run("peg-gen doctor")
    assert status == 1 and "FAILED   postfix-urgent: does not run; start it: peg-ctl start\n" in said
    running.do("peg-ctl start")
    running.set_parameter("URGENT_LISTEN", '""')
    running.do("peg-gen apply")
    wait_until_the_sandbox_sees_no_mail(running)


def test_a_start_that_fails_says_what_systemd_says(running):
    running.do("peg-ctl stop 0")
    running.do("mv /etc/postfix0/main.cf /run/main.cf && echo 'inet_interfaces=x y' >/etc/postfix0/main.cf")
    status, said = running.run("peg-ctl start 0")
    running.do("mv /run/main.cf /etc/postfix0/main.cf")
    assert status == 1
    assert "systemctl start peg-instance@0.service: failed with status 1\n" in said


def test_the_commands_of_the_units_are_for_root(system):
    for command in ("prepare milter", "recovered tcpmap", "start --direct 4"):
        status, said = system.run("setpriv --reuid nobody --clear-groups peg-ctl " + command)
        assert (status, "has to be run by root" in said) == (1, True)
