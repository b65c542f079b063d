"""`peg-gen apply` as those may call it who did not think of it: output that is closed, full or read
no further, a umask that keeps others out, signals ignored; and folders that an operator left odd.
"""

import os
import shutil
import subprocess

import pytest

from harness.gateway import Gateway

TWO = {"PRIORITY_COUNT": 2, "DEFAULT_PRIORITY": 0}
RULES = "X-Priority /^1/ all 1\n"


@pytest.fixture(scope="module", name="live")
def gateway_that_runs():
    with Gateway(priority_count=2, conf=TWO, rules=RULES) as live:
        yield live


def call(live, setup, program, *words):
    """Run a program by a shell that does something first."""
    command = live.command(program, *words)
    script = setup + '; exec "$@"'
    return subprocess.run(
        ["sh", "-c", script, "sh", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=120,
    )


def test_a_reader_that_goes_away_does_not_end_it_half_way(live):
    live.write_conf({**TWO, "TABLE_CAPACITY": 2000})
    command = live.command("peg-gen", "apply")
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    done = subprocess.run(command, stdout=write_fd, stderr=subprocess.PIPE, timeout=120)
    os.close(write_fd)
    assert done.returncode == 1
    assert b"standard output cannot be written" in done.stderr
    status = live.ctl("status", check=False)
    assert status.returncode == 0, status.stdout
    assert "restarted" not in live.gen("apply").stdout  # all of it was done


def test_what_cannot_be_told_is_an_error(live):
    for command in ("diff", "check", "apply"):
        assert call(live, "exec >/dev/full", "peg-gen", command).returncode == 1, command


def test_closed_standard_files_do_no_harm(live):
    for number, closed in enumerate(("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-")):
        live.write_conf({**TWO, "QUEUE_RUN_DELAY[1]": "%ds" % (70 + number)})
        assert call(live, "exec " + closed, "peg-gen", "check").returncode == 0, closed
        assert call(live, "exec " + closed, "peg-gen", "apply").returncode == 0, closed
        assert live.gen("diff").stdout == "nothing to change\n"


def test_a_umask_keeps_nobody_out(live):
    parent = live.path("var/lib/priority-email-gateway-bounce")
    shutil.rmtree(parent)
    assert call(live, "umask 077", "peg-gen", "apply").returncode == 0
    assert os.stat(parent).st_mode & 0o777 == 0o755
    assert call(live, "umask 077", "peg-ctl", "restart", "milter").returncode == 0
    pid_file = live.path("run/priority-email-gateway/peg-milter.pid")
    assert os.stat(pid_file).st_mode & 0o777 == 0o644


def test_an_option_whose_service_is_not_there_is_an_error(live):
    path = live.path("etc/postfix-frontend/master.cf")
    with open(path) as file:
        text = file.read()
    lines = text.splitlines(True)
    at = next(i for i, line in enumerate(lines) if line.startswith("qmgr "))
    with open(path, "w") as file:
        file.writelines(lines[:at] + [lines[at].replace(" unix ", " fifo ")] + lines[at + 1:])
    try:
        for command in ("check", "apply"):
            done = live.gen(command, check=False)
            assert done.returncode == 1
            assert "master.cf: there is no service qmgr/unix, whose option" in done.stderr
    finally:
        with open(path, "w") as file:
            file.write(text)
    assert live.gen("diff").stdout == "nothing to change\n"


def test_a_folder_without_main_cf_and_master_cf_but_not_empty_is_an_error(live):
    folder = live.path("etc/postfix1")
    kept = {}
    for name in ("main.cf", "master.cf"):
        with open(os.path.join(folder, name)) as file:
            kept[name] = file.read()
        os.unlink(os.path.join(folder, name))
    try:
        for command in ("check", "apply"):
            done = live.gen(command, check=False)
            assert done.returncode == 1
            assert folder + ": has neither main.cf nor master.cf" in done.stderr
    finally:
        for name, text in kept.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
    live.gen("apply")
