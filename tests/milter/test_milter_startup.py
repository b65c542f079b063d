"""peg-milter's command line, and what it says where it cannot start."""

import contextlib
import os
import shutil
import signal
import subprocess

import pytest
from harness import keeper, processes
from harness.logfile import LogFile
from milter_process import (
    CONF,
    CONF_FILE,
    DATA_FOLDER,
    PID_FILE,
    PROGRAM,
    RULES_FILE,
    RUN_FOLDER,
    SOCKET,
    SPOOL,
    TABLE_FILE,
    run,
    sanitizer_report,
    wait_until,
)




def refuses_to_start(milter, *words):
    """It ends with status 1, says all these words, and leaves no lock and no socket behind."""
    done = milter.run_to_its_end()
    assert not sanitizer_report(done.stderr), done.stderr
    assert done.returncode == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert not os.path.lexists(milter.path(SOCKET))
    if os.path.exists(milter.path(PID_FILE)):
        assert subprocess.call(["flock", "-n", milter.path(PID_FILE), "true"]) == 0
    return done.stderr


@pytest.mark.parametrize("option, word", [("--help", "Usage: peg-milter"), ("--version", "0.")])
def test_help_and_version_are_printed_and_all_is_well(option, word):
    done = run(option)
    assert (done.returncode, done.stderr) == (0, "") and word in done.stdout


@pytest.mark.parametrize(
    "arguments", [("--nonsense",), ("-x",), ("stray",), ("-f", "stray"), ("--root",)]
)
def test_wrong_usage_ends_with_status_2_and_a_hint(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert "Try 'peg-milter --help'" in done.stderr


def test_a_root_that_is_not_there_is_named():
    done = run("-f", "--root", "/nonexistent/gateway")
    assert done.returncode == 1 and "/nonexistent/gateway" in done.stderr


def test_without_configuration_it_does_not_start(make_milter):
    milter = make_milter(start=False, conf=None)
    refuses_to_start(milter, milter.path(CONF_FILE), "No such file")


def test_without_rules_it_does_not_start(make_milter):
    milter = make_milter(start=False, rules=None)
    refuses_to_start(milter, milter.path(RULES_FILE), "No such file")


def test_a_wrong_parameter_is_named_with_its_line(make_milter):
    milter = make_milter(start=False, conf=CONF + "PRIORITY_CUONT=5\n")
    refuses_to_start(milter, milter.path(CONF_FILE) + ":4:", "PRIORITY_CUONT")


@pytest.mark.parametrize(
    "rule, column",
    [
        ("X-Priority /^1/ all 5", 21),
        ("X-Priority /^1 all 4", 12),
        ("X-Priority /(1/ all 4", 15),
        ("X-Priority: /^1/ all 4", 11),
        ("X-Priority /^1/q all 4", 16),
        ("X-Priority /^1/ some 4", 17),
        ("{nonsense} /^1/ all 4", 1),
    ],
)
def test_a_wrong_rule_is_named_with_line_and_column(make_milter, rule, column):
    milter = make_milter(start=False, rules="# first\n%s\n" % rule)
    refuses_to_start(milter, "%s:2:%d: " % (milter.path(RULES_FILE), column))


def test_all_wrong_rules_are_named_at_once(make_milter):
    milter = make_milter(start=False, rules="A /a/ all 9\nB /b/ all 1\nC /c all 1\n")
    said = refuses_to_start(milter, ":1:11: ", ":3:3: ")
    assert ":2:" not in said


def test_without_the_frontends_data_folder_it_says_what_to_do(make_milter):
    milter = make_milter(start=False)
    shutil.rmtree(milter.path(DATA_FOLDER))
    refuses_to_start(milter, milter.path(DATA_FOLDER), "peg-gen apply")


def test_a_file_in_place_of_its_run_folder_is_named(make_milter):
    milter = make_milter(start=False)
    os.makedirs(os.path.dirname(milter.path(RUN_FOLDER)))
    milter.write(RUN_FOLDER, "")
    refuses_to_start(milter, milter.path(RUN_FOLDER))


def test_a_file_in_place_of_the_sockets_folder_is_named(make_milter):
    milter = make_milter(start=False)
    milter.write(SPOOL + "/peg", "")
    refuses_to_start(milter, milter.path(SPOOL + "/peg"))


def test_a_folder_in_place_of_the_socket_is_named(make_milter):
    milter = make_milter(start=False)
    os.makedirs(milter.path(SOCKET + "/full"))
    done = milter.run_to_its_end()
    assert done.returncode == 1 and milter.path(SOCKET) in done.stderr
    assert os.path.isdir(milter.path(SOCKET + "/full"))


@pytest.mark.parametrize("name", [TABLE_FILE, keeper.TABLE_LOCK])
def test_a_folder_in_place_of_the_decision_table_is_named(make_milter, name):
    milter = make_milter(start=False)
    os.makedirs(milter.path(name))
    refuses_to_start(milter, milter.path(name))


def test_the_socket_of_one_that_was_killed_is_removed_where_the_next_cannot_start(milter):
    milter.kill()
    assert os.path.lexists(milter.path(SOCKET))
    os.unlink(milter.path(TABLE_FILE))
    os.makedirs(milter.path(TABLE_FILE))
    refuses_to_start(milter, milter.path(TABLE_FILE))


def test_a_daemon_user_that_is_not_there_is_named(make_milter):
    if os.geteuid() != 0:
        pytest.skip("only root changes its user")
    milter = make_milter(start=False, conf=CONF + 'DAEMON_USER="pegnobody"\n')
    refuses_to_start(milter, "there is no user pegnobody")


def test_it_does_not_run_as_root(make_milter):
    if os.geteuid() != 0:
        pytest.skip("only root changes its user")
    milter = make_milter(start=False, conf=CONF + 'DAEMON_USER="root"\n')
    refuses_to_start(milter, "DAEMON_USER must not be root")


def test_a_second_one_does_not_start_and_does_the_first_no_harm(milter):
    done = milter.run_to_its_end()
    assert done.returncode == 1
    assert milter.path(PID_FILE) in done.stderr and "another one runs already" in done.stderr
    assert milter.message(["bob@dest.example"]).decision.way == "plain"


def test_it_goes_on_where_who_started_it_is_gone(make_milter):
    milter = make_milter(start=False)
    log = LogFile(milter.path("var/log/mail.log"))
    os.makedirs(os.path.dirname(log.path))
    with milter.table_lock_held():
        starter = subprocess.Popen((PROGRAM, "--root", milter.root))
        pid = wait_until(lambda: processes.read_pid(milter.path(PID_FILE)))
        starter.kill()
        starter.wait()
    log.wait_for("peg-milter.*: ready")
    try:
        log.wait_for("who started this process is gone", timeout=5)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    log.wait_for("peg-milter.*: stopped")
