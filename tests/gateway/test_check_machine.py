"""What peg-gen check finds on the machine: ports, files, and a Postfix that will not do."""

import os
import shutil
import socket
import stat
import textwrap

import pytest

from harness.changes import check

CONF = {"DEFAULT_PRIORITY": 0}
RULE = "X-Priority /^1/ all 1\n"


@pytest.fixture(name="still")
def gateway_that_does_not_run(private_gateway):
    gateway = private_gateway(priority_count=2, rules=RULE, conf=CONF, start=False)
    gateway.write()
    return gateway


@pytest.mark.parametrize("part", ["frontend", "instance", "tcpmap"])
@pytest.mark.parametrize("is_made", [True, False])
def test_a_port_that_another_program_has(private_gateway, part, is_made):
    gateway = private_gateway(priority_count=2, rules=RULE, conf=CONF, start=False)
    gateway.write()
    if not is_made:
        for name in ("postfix-frontend", "postfix0", "postfix1"):
            shutil.rmtree(gateway.path("etc/" + name))
    port = {
        "frontend": gateway.ports.frontend,
        "instance": gateway.ports.instance_base + 1,
        "tcpmap": gateway.ports.tcpmap,
    }[part]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as Postfix does
        other.bind(("127.0.0.1", port))
        other.listen()
        status, (line,) = check(gateway)
        assert status == 1
        assert "another program listens on port %d of 127.0.0.1 already" % port in line
        at_fault = gateway.path("etc/priority-email-gateway.conf:6: TCPMAP_LISTEN: ")
        assert line.startswith(at_fault if part == "tcpmap" else "postfix")
    assert check(gateway) == (0, [])


def test_ports_of_what_runs_are_its_own(checked_gateway):
    checked_gateway.ctl("stop", "1")
    assert check(checked_gateway) == (0, [])
    checked_gateway.ctl("start", "1")


def test_files_that_the_daemons_could_not_read(still):
    rules = still.path("etc/priority-email-gateway.rules")
    os.chmod(rules, 0o600)
    status, (line,) = check(still)
    assert status == 1
    at_fault = "%s: user nobody of the daemons cannot read this: %s keeps it out; " % (rules, rules)
    assert line.startswith(at_fault)
    os.chmod(rules, 0o644)
    os.chmod(still.root, 0o700)
    status, lines = check(still)
    assert status == 1 and len(lines) == 2
    advice = ": %s keeps it out; give it access, as with chmod o+x" % still.root
    assert all(line.endswith(advice) for line in lines)
    assert still.ctl("start", "milter", check=False).returncode == 1
    os.chmod(still.root, 0o755)
    assert check(still) == (0, [])


def test_something_in_the_place_of_the_milters_folder(still):
    folder = still.path("var/spool/postfix-frontend/peg")
    with open(folder, "w"):
        pass
    status, (line,) = check(still)
    assert status == 1 and line.startswith(folder + ": is in the way")
    assert still.ctl("start", "milter", check=False).returncode == 1


# Postfix: a postconf that says something else than this machine's is first in PATH.

OTHER_POSTFIX = {
    "no tcp tables": ("-m", "s/^tcp$/none/", "has no tables of type tcp"),
    "no regexp tables": ("-m", "/^regexp$/d", "has no tables of type regexp"),
    "no milters": ("-d smtpd_milters", "d", "knows no milters"),
    "an old version": ("-dhx mail_version", "s/.*/3.0.9/", "is version 3.0.9; 3.1 or later"),
    "a very old one": ("-dhx mail_version", "s/.*/2.11.1/", "is version 2.11.1; 3.1 or later"),
    "an odd one": ("-dhx mail_version", "s/.*/new/", "is version new; 3.1 or later"),
    "no user": ("-hx mail_owner", "s/.*/no-such/", "there is no user no-such"),
    "no group": ("-hx setgid_group", "s/.*/no-such/", "there is no group no-such"),
    "no programs": ("-hx daemon_directory", "s/.*/\\/none/", "/none/smtpd: cannot be run"),
}


@pytest.mark.parametrize("words, change, complaint", OTHER_POSTFIX.values(), ids=OTHER_POSTFIX)
def test_a_postfix_that_will_not_do(still, words, change, complaint, monkeypatch):
    folder = still.path("bin")
    os.mkdir(folder)
    stub = os.path.join(folder, "postconf")
    with open(stub, "w") as file:
        file.write(
            textwrap.dedent(
                """\
                #!/bin/sh
                case "$*" in
                *"%s") exec %s "$@" | sed '%s';;
                *) exec %s "$@";;
                esac
                """
            )
            % (words, shutil.which("postconf"), change, shutil.which("postconf"))
        )
    os.chmod(stub, stat.S_IRWXU)
    monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])
    status, lines = check(still)
    assert status == 1
    assert any(complaint in line for line in lines), lines
    monkeypatch.undo()
    assert check(still) == (0, [])
