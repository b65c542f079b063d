"""peg-gen doctor: what it says of a gateway that is well, and of one in which a part is not."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from harness import processes
from harness.gateway import Gateway
from harness.queues import queue_manager

THREE = {"DEFAULT_PRIORITY": 0}
RULE = "X-Priority /^1/ all 1\n"
LIMIT_S = 75  # whatever hangs


class Findings:
    """What the doctor printed: lines ("FAILED", "priority 1: ..."), and its exit status."""

    def __init__(self, done):
        *lines, self.summary = done.stdout.splitlines()
        self.status = done.returncode
        self.errors = done.stderr
        self.lines = [tuple(line.split(None, 1)) for line in lines]

    def of(self, verdict):
        """The texts of one verdict."""
        return [text for found, text in self.lines if found == verdict]

    def has(self, verdict, pattern):
        """Whether there is such a line."""
        return any(re.search(pattern, text) for text in self.of(verdict))

    def __repr__(self):
        lines = ["%s %s" % line for line in self.lines + [(self.status, self.summary)]]
        return "\n".join(lines + [self.errors])


def examine(gateway):
    started = time.monotonic()
    done = gateway.gen("doctor", check=False, timeout=LIMIT_S)
    assert time.monotonic() - started < LIMIT_S
    return Findings(done)


def probes(findings, verdict):
    """The priorities whose probe got this verdict."""
    found = [re.match(r"priority (\d+): ", text) for text in findings.of(verdict)]
    return [int(match[1]) for match in found if match]


@pytest.fixture(scope="module", name="treated")
def gateway_of_these_tests():
    with Gateway(priority_count=3, conf=THREE, rules=RULE) as made:
        yield made


@pytest.fixture(name="patient")
def gateway_that_is_well_again(treated):
    """Each test puts right what it broke: the doctor itself says so, and no probe is left."""
    yield treated
    findings = examine(treated)
    assert (findings.status, findings.of("FAILED")) == (0, [])
    treated.wait_until_empty(10)


def is_well(findings, priority_count):
    return (
        (findings.status, findings.of("FAILED"), findings.of("warning")) == (0, [], [])
        and probes(findings, "ok") == list(range(priority_count))
        and findings.summary.startswith("0 FAILED, 0 warnings, ")
    )


@pytest.mark.parametrize("priority_count", [2, 5, 16])
def test_a_gateway_that_is_well(private_gateway, priority_count):
    gateway = private_gateway(
        priority_count=priority_count,
        rules=RULE,
        conf={"DEFAULT_PRIORITY": 1, "NICE_LEVEL[0]": 3},
    )
    findings = examine(gateway)
    assert is_well(findings, priority_count), findings
    for n in range(priority_count):
        assert findings.has("ok", r"^priority %d: the probe came by postfix%d in \d+ ms$" % (n, n))
    assert findings.has("ok", r"^postfix0: runs .* user postfix, nice level 3$")
    assert gateway.relay.deliveries == []
    gateway.wait_until_empty(10)


@pytest.mark.parametrize("to", ["probe-1@priority-2.peg-probe.invalid", "x@peg-probe.invalid"])
def test_mail_to_the_domain_of_probes_comes_back_at_once(patient, to):
    sent = patient.send(to=[to], sender="carl@source.example")
    patient.relay.wait_for(lambda _found: patient.relay.notices_about(sent.tag), 10)
    (notice,) = patient.relay.notices_about(sent.tag)
    assert notice.recipient == "carl@source.example" and b"No such file" in notice.content
    patient.wait_until_empty(10)


def test_a_probe_has_its_priority_whatever_the_rules_say(patient):
    try:
        assert patient.reload_rules("{rcpt_addr} /./ all 1\nAuto-Submitted /./ all 1\n")
        findings = examine(patient)
    finally:
        patient.reload_rules(RULE)
    assert is_well(findings, 3), findings


def test_an_instance_that_is_stopped(patient):
    patient.ctl("stop", "1")
    findings = examine(patient)
    assert patient.queue_counts("frontend") == {q: 0 for q in patient.queue_counts("frontend")}
    patient.ctl("start")
    assert findings.status == 1
    assert findings.has("FAILED", r"^postfix1: does not run; start it: peg-ctl start$")
    assert findings.has("FAILED", r"^priority 1: .* waits in the frontend's queue deferred")
    assert probes(findings, "ok") == [0, 2], findings


def test_a_milter_that_was_killed(patient):
    patient.stop_milter(signal.SIGKILL)
    findings = examine(patient)
    patient.ctl("start")
    assert findings.has("FAILED", "^peg-milter: does not run")
    assert findings.has("FAILED", r"^peg-milter: does not answer .*Connection refused; mail goes")
    assert findings.has("FAILED", "^priority 1: the probe came by postfix0 instead of postfix1")
    assert (probes(findings, "ok"), probes(findings, "FAILED")) == ([0], [1, 2]), findings


def test_a_lookup_server_that_was_killed(patient):
    patient.stop_tcpmap(signal.SIGKILL)
    findings = examine(patient)
    patient.ctl("start")
    assert findings.has("FAILED", "^peg-tcpmap: does not run")
    assert findings.has("FAILED", "^peg-tcpmap: does not answer on .*: Connection refused")
    assert probes(findings, "FAILED") == [0, 1, 2], findings


def stopped_parts(patient):
    return {
        "peg-milter": patient.daemon_pid("peg-milter"),
        "peg-tcpmap": patient.daemon_pid("peg-tcpmap"),
        "postfix-frontend": queue_manager(patient, "frontend"),
        "postfix1": queue_manager(patient, 1),
        "postfix2": processes.read_pid(patient.path("var/spool/postfix2/pid/master.pid")),
    }


@pytest.mark.parametrize(
    "part, ill",
    [
        ("peg-milter", None),
        ("peg-tcpmap", [0, 1, 2]),
        ("postfix-frontend", [0, 1, 2]),
        ("postfix1", [1]),
        ("postfix2", None),  # its master: smtpd may run already
    ],
)
def test_a_process_that_hangs(patient, part, ill):
    pid = stopped_parts(patient)[part]
    with processes.halted(pid):
        findings = examine(patient)
    assert findings.status == 1
    assert findings.has("FAILED", r"^%s: \S+ \(pid %d\) is stopped by a signal" % (part, pid))
    assert ill is None or probes(findings, "FAILED") == ill, findings


def test_a_nice_level_that_is_not_the_wanted_one(patient):
    os.setpriority(os.PRIO_PROCESS, queue_manager(patient, 1), 7)
    findings = examine(patient)
    patient.ctl("reload")
    assert findings.has("FAILED", r"^postfix1: qmgr .* has nice level 7 instead of 0")
    assert len(findings.of("FAILED")) == 1, findings


def test_a_configuration_that_was_changed_by_hand(patient):
    patient.set_postfix_conf(1, "relayhost", "[127.0.0.1]:9")
    findings = examine(patient)
    patient.gen("apply")
    assert findings.has("FAILED", r"^postfix1: \S+ is not as it should be in 1 point; see peg-gen")
    assert findings.has("FAILED", r"^postfix1: \S+/main.cf was changed after it was last read")
    assert probes(findings, "ok") == [0, 1, 2], findings


def test_a_change_of_the_operators_that_was_not_read_yet(patient):
    patient.set_postfix_conf(2, "smtpd_banner", "$myhostname at your service")
    findings = examine(patient)
    patient.ctl("reload")
    assert findings.of("FAILED") == [
        "postfix2: %s/main.cf was changed after it was last read; peg-ctl reload"
        % patient.config_dir(2)
    ]


def test_rules_that_the_milter_has_not_read(patient):
    patient.write_rules(RULE + "# a comment\n")
    findings = examine(patient)
    patient.ctl("reload", "milter")
    rules = patient.path("etc/priority-email-gateway.rules")
    assert findings.of("FAILED") == [
        "peg-milter: %s was changed after it was last read; peg-ctl reload" % rules
    ]


def test_rules_that_the_milter_has_refused(patient):
    assert not patient.reload_rules("X-A /(/ all 1\n")
    findings = examine(patient)
    assert patient.reload_rules(RULE)
    assert findings.has("FAILED", r"/priority-email-gateway\.rules:1:7: missing closing par")
    assert findings.has("FAILED", "^peg-milter: has refused its last reload and goes on as before")
    assert probes(findings, "ok") == [0, 1, 2], findings


def test_a_setting_that_takes_a_restart(patient):
    patient.write_conf({**THREE, "LIMIT_CONNECTIONS_TCPMAP": 500})
    findings = examine(patient)
    patient.write_conf(THREE)
    patient.ctl("reload")
    assert findings.has("FAILED", "^peg-tcpmap: was started with other settings, .* peg-ctl rest")


@contextlib.contextmanager
def changed_listener(patient, instance, service, option):
    """An option of an smtpd in master.cf, in force; afterwards it is as before."""
    master = os.path.join(patient.config_dir(instance), "master.cf")
    with open(master) as file:
        before = file.read()
    command = ["postconf", "-c", patient.config_dir(instance), "-P"]
    subprocess.run(command + ["%s/inet/%s" % (service, option)], check=True)
    patient.ctl("reload", "frontend" if instance == "frontend" else str(instance))
    try:
        yield
    finally:
        with open(master, "w") as file:
            file.write(before)
        patient.ctl("reload")


class Impostor(socketserver.StreamRequestHandler):
    """Takes every message in the frontend's place, by a queue ID of its choice."""

    def handle(self):
        self.wfile.write(b"220 impostor\r\n")
        in_message = False
        for line in self.rfile:
            if in_message and line != b".\r\n":
                continue
            reply = b"354 go on" if line == b"DATA\r\n" else b"250 2.0.0 Ok: queued as %s"
            self.wfile.write(reply.replace(b"%s", self.server.queue_id) + b"\r\n")
            in_message = line == b"DATA\r\n"


def test_what_takes_the_place_of_the_frontend_cannot_have_mail_deleted(patient):
    patient.ctl("stop", "1")
    sent = patient.send(to=["bob@dest.example"], priority_header="1")
    patient.log.wait_for("%s: to=<bob@dest.example>.*status=deferred" % sent.queue_id)
    patient.ctl("stop", "frontend")
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", patient.ports.frontend), Impostor) as server:
        server.queue_id = sent.queue_id.encode()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            findings = examine(patient)
        finally:
            server.shutdown()
            thread.join()
    assert findings.has("FAILED", r"^priority 0: .* the log says what became of " + sent.queue_id)
    patient.ctl("start")
    patient.flush("frontend")
    assert patient.delivered(sent) == {"bob@dest.example": 1}


def test_an_instance_that_rejects(patient):
    service = "127.0.0.1:%d" % (patient.ports.instance_base + 1)
    with changed_listener(patient, 1, service, "smtpd_recipient_restrictions=reject"):
        findings = examine(patient)
    assert findings.has("FAILED", "^postfix1: .* is not as it should be")
    assert findings.has("FAILED", r"^priority 1: .* has not arrived within \d+ s; the log says")
    assert (probes(findings, "ok"), probes(findings, "FAILED")) == ([0, 2], [1]), findings


@pytest.mark.parametrize(
    "option", ["smtpd_recipient_restrictions=reject", "smtpd_client_restrictions=reject"]
)
def test_a_frontend_that_does_not_take_the_probe_by_smtp(patient, option):
    with changed_listener(patient, "frontend", "127.0.0.1:%d" % patient.ports.frontend, option):
        findings = examine(patient)
    assert findings.status == 0
    assert probes(findings, "warning") == [0, 1, 2], findings
    assert findings.has("warning", r"^priority 2: the probe came by postfix2 in \d+ ms, but by se")
    assert findings.has("warning", "it says: 554 5.7.1")


def test_a_frontend_that_changes_what_it_takes(patient):
    checks = patient.path("etc/checks")
    with open(checks, "w") as file:
        file.write("/^Subject:/ REPLACE Subject: checked\n")
    patient.set_postfix_conf("frontend", "header_checks", "regexp:" + checks)
    patient.ctl("reload", "frontend")
    findings = examine(patient)
    patient.set_postfix_conf("frontend", "header_checks", None)
    patient.ctl("reload", "frontend")
    assert findings.has(
        "FAILED", "^priority 0: .* a line of its header is changed or gone: Subject: probe$"
    ), findings


def test_probes_go_past_what_an_instance_does_with_other_mail(patient):
    patient.set_postfix_conf(1, "virtual_alias_maps", "regexp:" + patient.path("etc/catch_all"))
    with open(patient.path("etc/catch_all"), "w") as file:
        file.write("/@/ sink@dest.example\n")
    patient.gen("apply")
    findings = examine(patient)
    sent = patient.send(to=["amy@dest.example"], priority_header="1")
    (arrived,) = patient.relay.wait_for(1, tag=sent.tag)
    patient.set_postfix_conf(1, "virtual_alias_maps", None)
    patient.gen("apply")
    patient.ctl("reload")
    assert is_well(findings, 3), findings
    assert arrived.recipient == "sink@dest.example"
    assert patient.relay.deliveries == [arrived]


def test_a_milter_socket_that_the_frontend_cannot_reach(patient):
    folder = patient.path("var/spool/postfix-frontend/peg")
    os.chmod(folder, 0o700)
    findings = examine(patient)
    os.chmod(folder, 0o750)
    assert findings.has("FAILED", r"^peg-milter: does not answer .*\(user postfix\).*Permission")
    assert probes(findings, "ok") == [0], findings


def test_a_table_that_is_full(private_gateway):
    gateway = private_gateway(
        priority_count=2, rules=RULE, conf={**THREE, "TABLE_CAPACITY": 1000}
    )
    for part in range(3):
        copies = ["r%d-%d@dest.example" % (part, n) for n in range(400)]
        gateway.send(to=["amy@dest.example"], bcc=copies)
    findings = examine(gateway)
    assert findings.has("FAILED", r"^decision table: full, \d+ claims: mail goes whole"), findings
    assert probes(findings, "ok") == [0, 1]


def test_a_second_doctor_at_the_same_time(patient):
    folder = os.open(patient.path("run/peg-probe"), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    findings = examine(patient)
    os.close(folder)
    assert findings.of("FAILED") == ["probes: none was sent; see above"]


def test_a_folder_of_the_doctor_in_which_others_may_write(patient):
    os.chmod(patient.path("run/peg-probe"), 0o777)
    findings = examine(patient)
    os.chmod(patient.path("run/peg-probe"), 0o711)
    assert findings.of("FAILED") == ["probes: none was sent; see above"]


def test_a_gateway_that_is_stopped(private_gateway):
    gateway = private_gateway(priority_count=2, rules=RULE, conf=THREE, start=False)
    gateway.write()
    findings = examine(gateway)
    assert findings.status == 1
    assert len([t for t in findings.of("FAILED") if "does not run" in t]) >= 5
    assert probes(findings, "FAILED") == [0, 1], findings


def test_an_instance_on_another_host(private_gateway):
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))  # and nobody listens
        gateway = private_gateway(
            priority_count=3,
            rules=RULE,
            conf={
                **THREE,
                "INSTANCE_NEXTHOP[1]": "[127.0.0.1]:%d" % elsewhere.getsockname()[1],
            },
        )
        findings = examine(gateway)
        assert findings.has("FAILED", "^priority 1: its instance on another host.*refused")
        assert probes(findings, "ok") == [0, 1, 2]
        assert findings.has("ok", "^priority 1: not probed: its instance is on another host")


def test_it_is_for_root(patient):
    command = ["setpriv", "--reuid", "nobody", "--clear-groups"] + patient.command("peg-gen")
    done = subprocess.run(command + ["doctor"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "peg-gen doctor has to be run by root\n")
