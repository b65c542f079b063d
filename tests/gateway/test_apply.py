"""`peg-gen apply` on a gateway that runs: what is the operator's stays, what is ours is marked and set
back, and no more is reloaded or restarted than must be.
"""

import fcntl
import os
import re
import signal
import subprocess
import time

import pytest

from harness.gateway import Gateway
from harness.queues import queue_manager

TWO = {"PRIORITY_COUNT": 2, "DEFAULT_PRIORITY": 0}
RULES = "X-Priority /^1/ all 1\n"
MARK = "# peg-gen: from /etc/priority-email-gateway.conf; what is changed here is set back\n"


@pytest.fixture(scope="module", name="live")
def gateway_that_runs():
    with Gateway(priority_count=2, conf=TWO, rules=RULES) as live:
        yield live


@pytest.fixture(name="change")
def function_that_changes_the_configuration(live):
    """A function that writes parameters and applies them; returns the lines that peg-gen printed."""

    def change(**parameters):
        live.write_conf({**TWO, **parameters})
        return live.gen("apply").stdout.splitlines()

    yield change
    change()


def read(live, name):
    with open(live.path("etc/" + name)) as file:
        return file.read()


def handled(lines):
    """{"reloaded": names, "restarted": names, "started": names} of what peg-gen printed."""
    found = {}
    for line in lines:
        match = re.match(r"(reloaded|restarted|started|stopped): (.*)", line)
        if match:
            found.setdefault(match.group(1), []).extend(match.group(2).split())
    return found


def pids(live):
    return dict(re.findall(r"(\S+) running \(pid (\d+)\)", live.ctl("status").stdout))


DAEMONS = ["peg-milter", "peg-tcpmap"]


def test_no_more_is_reloaded_than_has_changed(live, change):
    before = pids(live)
    lines = change(**{"QUEUE_RUN_DELAY[1]": "77s"})
    assert handled(lines)["reloaded"][-1] == "postfix1"
    assert not any("postfix0" in line or "postfix-frontend" in line for line in lines)
    assert live.postfix_conf(1, "minimal_backoff_time") == "77s"
    lines = change(**{"QUEUE_RUN_DELAY[1]": "77s"})
    assert lines[0] == "nothing to change"
    assert set(handled(lines).get("reloaded", [])) <= set(DAEMONS + ["peg-monitor"])
    assert pids(live) == before


@pytest.mark.parametrize(
    "parameter, value, program",
    [
        ("TABLE_CAPACITY", 2000, "peg-milter"),
        ("NICE_LEVEL_MILTER", 3, "peg-milter"),
        ("LIMIT_CONNECTIONS_TCPMAP", 500, "peg-tcpmap"),
    ],
)
def test_no_more_is_restarted_than_must_be(live, change, parameter, value, program):
    before = pids(live)
    assert handled(change(**{parameter: value}))["restarted"] == [program]
    after = pids(live)
    assert {name for name in after if after[name] != before[name]} == {program}
    lines = change(**{parameter: value})
    assert "restarted" not in handled(lines)


def test_the_frontend_has_new_ways_before_a_restarted_milter_sends_mail_there(live):
    started = live.path("run/priority-email-gateway/peg-milter.started")
    ways = live.path("var/spool/postfix-frontend/private/peg2-f")
    before = os.stat(started).st_mtime_ns
    live.write_conf({**TWO, "PRIORITY_COUNT": 3, "TABLE_CAPACITY": 3000})
    applying = subprocess.Popen(live.command("peg-gen", "apply"), stdout=subprocess.DEVNULL)
    while True:
        is_old = os.path.exists(started) and os.stat(started).st_mtime_ns == before
        if os.path.exists(ways):  # looked at last: it may come at any moment
            break
        assert is_old and applying.poll() is None
        time.sleep(0.005)
    assert applying.wait(60) == 0
    assert os.stat(started).st_mtime_ns != before
    live.write_conf(TWO)
    live.gen("apply")


def test_a_parameter_of_ours_that_was_edited_is_shown_and_set_back(live, change):
    live.set_postfix_conf(1, "maximal_queue_lifetime", "9d")
    live.set_postfix_conf(1, "smtp_helo_timeout", "9s")
    shown = "%s/main.cf: maximal_queue_lifetime = 86400s (was: 9d)\n" % live.config_dir(1)
    assert live.gen("diff").stdout == shown
    assert shown.strip() in change()
    assert live.postfix_conf(1, "maximal_queue_lifetime") == "86400s"
    assert live.postfix_conf(1, "smtp_helo_timeout") == "9s"
    live.set_postfix_conf(1, "smtp_helo_timeout", None)


def environment_of(live, instance):
    """The lines of that of the Postfix process that is always there."""
    with open("/proc/%d/environ" % queue_manager(live, instance)) as environ:
        return environ.read().split("\0")


@pytest.mark.parametrize("instance", ["frontend", 1])
def test_programs_of_postfix_keep_their_memory_and_the_rest_of_their_environment(
    live, change, instance
):
    kept = ["MALLOC_TRIM_THRESHOLD_=1048576", "MALLOC_MMAP_THRESHOLD_=1048576"]
    assert set(kept) < set(environment_of(live, instance))
    assert "MAIL_CONFIG=" + live.config_dir(instance) in environment_of(live, instance)
    # An operator's list stays, and what it says of the same.
    own = "MAIL_CONFIG OWN=1 MALLOC_TRIM_THRESHOLD_=0"
    live.set_postfix_conf(instance, "import_environment", own)
    change()
    live.ctl("restart", str(instance))
    environment = environment_of(live, instance)
    assert {"OWN=1", "MALLOC_TRIM_THRESHOLD_=0", kept[1]} < set(environment)
    live.set_postfix_conf(instance, "import_environment", None)
    change()
    default = live.postfix_conf(instance, "import_environment").split()
    assert [word.rstrip(",") for word in default[:2]] == kept and "MAIL_CONFIG" in default
    live.ctl("restart", str(instance))


def test_what_is_ours_is_marked_and_nothing_else(live, change):
    text = read(live, "postfix1/main.cf")
    assert MARK + "maximal_queue_lifetime = " in text
    assert MARK + "mynetworks" not in text and text.count("\n\n\n") == 0
    text = read(live, "postfix-frontend/main.cf")
    assert re.search(r"# peg-gen: one word of it is from .*\nsmtpd_milters = ", text)
    text = read(live, "postfix-frontend/master.cf")
    assert re.search(re.escape(MARK) + r"peg1 +unix ", text)
    assert re.search(r"# peg-gen: .* options from .*: rewrite_service_name\nqmgr +unix ", text)
    assert re.search(r"# peg-gen: .*: virtual_alias_maps, canonical_maps, .*\ncleanup +unix ", text)
    # Marks that were taken away come back, and are all that is changed.
    unmarked = text.replace("# peg-gen: ", "# ")
    with open(live.path("etc/postfix-frontend/master.cf"), "w") as file:
        file.write(unmarked)
    file_name = live.config_dir("frontend") + "/master.cf"
    assert live.gen("diff").stdout == file_name + ": comments that name what peg-gen keeps\n"
    change()
    assert ": rewrite_service_name\nqmgr" in read(live, "postfix-frontend/master.cf")


def test_comments_stay_before_what_they_are_about(live, change):
    path = live.path("etc/postfix-frontend/master.cf")
    before = read(live, "postfix-frontend/master.cf")
    own = "# why this is here\nmine unix - - n - - smtp\n  -o smtp_helo_timeout=5s\n# the end\n"
    with open(path, "a") as file:
        file.write(own)
    spare = live.ports.spare[2]
    change(FRONTEND_LISTEN="127.0.0.1:%d 127.0.0.1:%d" % (live.frontend[1], spare))
    assert "# why this is here\nmine unix - - n - - smtp\n" in read(
        live, "postfix-frontend/master.cf"
    )
    change()
    assert read(live, "postfix-frontend/master.cf") == before + own
    with open(path, "w") as file:
        file.write(before)


def test_one_apply_is_at_work_at_a_time(live):
    live.gen("apply")
    with open(live.path("run/peg-gen.lock"), "r+") as lock:
        assert os.fstat(lock.fileno()).st_mode & 0o777 == 0o600
        fcntl.lockf(lock, fcntl.LOCK_EX)
        refused = live.gen("apply", check=False)
        assert refused.returncode == 1
        assert "another peg-gen apply is at work" in refused.stderr
        assert live.gen("diff").returncode == 0
    live.gen("apply")


def test_options_that_do_not_go_together_are_wrong_usage(live):
    for words in (
        ("diff", "--drain"), ("check", "--no-restart"), ("apply", "--drain", "--no-restart"),
        ("apply", "--drain=0"), ("apply", "--drain=x"),
    ):
        assert live.gen(*words, check=False).returncode == 2, words


def test_a_terminal_that_hangs_up_does_not_end_it_half_way(live, change):
    for number, (signal_number, value) in enumerate(
        [(signal.SIGHUP, 3000), (signal.SIGINT, 4000), (signal.SIGTERM, 5000)]
    ):
        live.write_conf({**TWO, "TABLE_CAPACITY": value, "QUEUE_RUN_DELAY[0]": 100 + number})
        before = live.daemon_pid("peg-milter")
        process = subprocess.Popen(
            live.command("peg-gen", "apply"), stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout.readline()  # it has begun to change something
        os.killpg(process.pid, signal_number)
        process.stdout.read()
        assert process.wait() == 0
        assert live.daemon_pid("peg-milter") != before
        assert live.gen("diff").stdout == "nothing to change\n"
