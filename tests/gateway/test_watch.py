"""peg-showqueues --watch: what it shows on terminals of all kinds, and how it leaves them."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from harness.folders import QUEUES, queue_folders
from harness.installation import POLL_S
from harness.screen import PATIENCE_S, Screen

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"  # the alternate screen
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"  # the cursor
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(name="folders")
def installation_with_queue_folders_only():
    with queue_folders(5) as installation:
        yield installation


def watch(folders, interval=1, **options):
    return Screen(folders.command("peg-showqueues", "--watch=%d" % interval), **options)


def path(folders, instance, queue, name):
    return os.path.join(folders.queue_dir(instance), queue, name)


def add(folders, instance, queue, count):
    for number in range(count):
        with open(path(folders, instance, queue, "%s%04d" % (queue[0].upper(), number)), "w"):
            pass


def is_shown(lines):
    """Whether the view is complete, to its last line but one."""
    return any(line.startswith("peg-milter ") for line in lines)


def numbers(lines, name):
    """The seven columns behind a name and a bar; "" while they are being drawn."""
    found = [line[24:].split() for line in lines if line.startswith(name)]
    return found[0] if found and len(found[0]) >= 6 else [""] * 7


def test_it_shows_what_changes(folders):
    add(folders, 0, "deferred", 120)
    add(folders, 3, "hold", 2)
    with watch(folders) as screen:
        lines = screen.wait_for(is_shown)
        assert re.fullmatch(TIME + r"  every 1 s, q quits", lines[0])
        assert [line.split(" ")[0] for line in lines[2:8]] == [
            "frontend", "postfix4", "postfix3", "postfix2", "postfix1", "postfix0"
        ]
        assert lines[1].split() == "1M incoming active deferred hold oldest in/s out/s".split()
        assert numbers(lines, "postfix0")[:4] == ["0", "0", "120", "0"]
        assert numbers(lines, "postfix3")[:4] == ["0", "0", "0", "2"]
        add(folders, 4, "active", 3)
        screen.wait_for(lambda now: numbers(now, "postfix4")[:4] == ["0", "3", "0", "0"])


def test_a_postfix_that_is_down_is_red_and_so_is_a_daemon(folders):
    with watch(folders) as screen:
        screen.wait_for(is_shown)
        number, line = screen.line_of("postfix4")
        assert line.endswith(" down")
        assert screen.colours(number) == {"red"}
        number, line = screen.line_of("peg-milter down  peg-tcpmap down")
        assert screen.colours(number) == {"red"}


def test_bars_have_colours_where_the_terminal_has_them(folders):
    add(folders, 0, "deferred", 120)
    with watch(folders) as screen:
        screen.wait_for(is_shown)
        assert "brown" in screen.colours(screen.line_of("postfix0")[0])  # yellow, dark as it is
    for other in ({"NO_COLOR": "1"}, {"TERM": "vt220"}):
        with watch(folders, **other) as screen:
            screen.wait_for(is_shown)
            assert not re.search(rb"\x1b\[[0-9;]*3[0-9]", screen.bytes)
            assert screen.colours(screen.line_of("postfix0")[0]) == {"default"}
    with watch(folders, NO_COLOR="") as screen:  # as if it were not set
        screen.wait_for(is_shown)
        assert screen.colours(screen.line_of("postfix4")[0]) == {"red"}


def test_bars_are_of_characters_that_the_locale_has(folders):
    add(folders, 0, "deferred", 120)
    for locale, character in (("C.UTF-8", "▒"), ("C", "=")):
        with watch(folders, LC_ALL=locale) as screen:
            screen.wait_for(is_shown)
            assert " %s " % (6 * character) in screen.line_of("postfix0")[1]


def test_it_follows_the_size_of_the_terminal(folders):
    add(folders, 0, "deferred", 120)
    with watch(folders, interval=3600) as screen:  # it does not wait for the next round
        screen.wait_for(is_shown)
        screen.resize(40, 24)
        lines = screen.wait_for(is_shown)
        assert lines[1].split() == ["total", "oldest", "in/s", "out/s"]
        assert max(map(len, lines)) <= 40
        screen.resize(120, 5)
        lines = screen.wait_for(lambda now: now[-1].startswith("("))
        assert lines[-1] == "(4 more)"
        assert lines[1].split()[-7:-3] == list(QUEUES)
        screen.resize(80, 24)
        screen.wait_for(is_shown)


@pytest.mark.parametrize("end", [b"q", b"\x03", signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_the_terminal_as_it_was(folders, end):
    with watch(folders) as screen:
        screen.wait_for(is_shown)
        assert screen.bytes.startswith(ENTER) and HIDE in screen.bytes
        assert screen.modes() != screen.first_modes
        screen.forget_bytes()
        if isinstance(end, bytes):
            screen.press(end)
        else:
            screen.send_signal(end)
        assert screen.wait_for_end() == 0
        assert LEAVE in screen.bytes and SHOW in screen.bytes
        assert screen.modes() == screen.first_modes


def test_it_can_be_stopped_and_goes_on(folders):
    with watch(folders) as screen:
        screen.wait_for(is_shown)
        inside = screen.modes()
        screen.forget_bytes()
        screen.press(b"\x1a")  # Ctrl-Z
        screen.wait_for_state("T")
        screen.wait_for_bytes(LEAVE)
        assert screen.modes() == screen.first_modes
        screen.forget_bytes()
        add(folders, 4, "active", 3)
        screen.send_signal(signal.SIGCONT)
        screen.wait_for_bytes(ENTER)
        screen.wait_for(lambda now: is_shown(now) and numbers(now, "postfix4")[1] == "3")
        assert screen.modes() == inside
        screen.press(b"q")
        assert screen.wait_for_end() == 0
        assert screen.modes() == screen.first_modes


# What a shell does with a job: it starts one in the background, continues it there, and then has it
# in the foreground, or ends it.
SHELL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = subprocess.Popen(sys.argv[2:], preexec_fn=os.setpgrp)
for continued in (True, False):
    assert os.WIFSTOPPED(os.waitpid(job.pid, os.WUNTRACED)[1])
    if continued:
        os.kill(job.pid, signal.SIGCONT)
if sys.argv[1] == "foreground":
    os.tcsetpgrp(0, job.pid)
else:
    os.kill(job.pid, signal.SIGTERM)
os.kill(job.pid, signal.SIGCONT)
status = os.waitstatus_to_exitcode(os.waitpid(job.pid, 0)[1])
os.tcsetpgrp(0, os.getpgrp())
print("it ended with", status)
"""


def as_job(folders, place):
    return Screen(
        [sys.executable, "-c", SHELL, place, *folders.command("peg-showqueues", "--watch=1")]
    )


def test_in_the_background_it_waits_for_the_terminal(folders):
    with as_job(folders, "foreground") as screen:
        screen.wait_for(is_shown)
        screen.press(b"q")
        assert screen.wait_for_end() == 0
        assert b"it ended with 0" in screen.bytes
        assert screen.modes() == screen.first_modes


def test_in_the_background_it_can_be_ended(folders):
    with as_job(folders, "background") as screen:
        assert screen.wait_for_end() == 0
        assert screen.bytes == b"it ended with -15\r\n"


def test_a_queue_that_cannot_be_read_says_why(folders):
    os.rmdir(path(folders, 2, "hold", ""))
    with watch(folders, columns=200) as screen:
        screen.wait_for(is_shown)
        number, line = screen.line_of("postfix2")
        assert "/hold: No such file or directory, make the instance" in line
        assert "red" in screen.colours(number)
        os.mkdir(path(folders, 2, "hold", ""))
        screen.wait_for(lambda _: screen.line_of("postfix2")[1].endswith(" down"))


def blocks(process, number):
    """The next blocks of lines, each ended by an empty one."""
    found = [[]]
    for line in process.stdout:
        if line != "\n":
            found[-1].append(line.rstrip("\n"))
        elif len(found) == number:
            return found
        else:
            found.append([])
    raise AssertionError("it ended: %s" % found)


def start(folders, **environment):
    return subprocess.Popen(
        folders.command("peg-showqueues", "--watch=1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, **environment),
    )


def test_without_a_terminal_it_writes_blocks_of_lines_until_nobody_reads_them(folders):
    add(folders, 0, "deferred", 120)
    with start(folders) as process:
        for block in blocks(process, 2):
            assert re.fullmatch(TIME, block[0])
            assert block[1].split() == "incoming active deferred hold oldest in/s out/s".split()
            assert block[2].split() == ["frontend", "0", "0", "0", "0", "-", "down"]
            assert block[7].split() == ["postfix0", "0", "0", "120", "0", "-", "down"]
            assert block[8:] == ["peg-milter down  peg-tcpmap down"]
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""


def test_a_terminal_that_cannot_place_its_cursor_gets_lines_as_well(folders):
    for term in ("dumb", "no-such-terminal", None):
        with watch(folders, TERM=term) as screen:
            screen.wait_for(is_shown)
            assert b"\x1b" not in screen.bytes
            screen.send_signal(signal.SIGTERM)
            assert screen.wait_for_end() == -signal.SIGTERM


def waits_to_write(process):
    with open("/proc/%d/wchan" % process.pid) as file:
        return file.read().endswith("pipe_write")


def test_it_can_be_ended_while_nobody_reads_what_it_writes(folders):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    command = folders.command("peg-showqueues", "--watch=1")
    with subprocess.Popen(command, stdout=writer) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not waits_to_write(process) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        process.terminate()
        ended = process.wait(PATIENCE_S)
    os.close(reader)
    os.close(writer)
    assert ended == -signal.SIGTERM


def test_what_cannot_be_written_is_an_error(folders):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            folders.command("peg-showqueues", "--watch"),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"peg-showqueues: cannot write: No space left on device\n"


@pytest.mark.parametrize("interval", ["0", "-1", "x", "86401", "1.5", ""])
def test_an_interval_that_is_none_is_refused(folders, interval):
    done = folders.tool("peg-showqueues", "--watch=" + interval, check=False)
    assert done.returncode == 2
    assert "--watch=%s: a number of seconds is needed" % interval in done.stderr


def test_one_instance_is_shown_alone(folders):
    command = folders.command("peg-showqueues", "--watch=1", "--instance=4")
    with Screen(command) as screen:
        lines = screen.wait_for(is_shown)
        assert [line.split(" ")[0] for line in lines[2:5]] == ["postfix4", "", "peg-milter"]
    done = folders.tool("peg-showqueues", "--watch", "--instance=5", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "peg-showqueues: there is no postfix5 on this host\n"


@pytest.mark.parametrize("other", ["--check", "--age", "--json"])
def test_it_has_an_output_of_its_own(folders, other):
    done = folders.tool("peg-showqueues", "--watch", other, check=False)
    assert done.returncode != 0 and done.stdout == ""
    assert "--watch has an output of its own: leave out the other" in done.stderr


# With real Postfix


def test_mail_that_passes_is_seen_as_messages_per_second(gateway):
    gateway.wait_until_empty()
    with watch(gateway) as screen, gateway.sender() as sender:
        screen.wait_for(is_shown)

        def rates_are_seen(lines):
            sender.send(to=["bob@dest.example"], priority_header="1")
            found = [numbers(lines, name)[5:7] for name in ("frontend", "postfix4")]
            return all(rate not in ("-", "0") for pair in found for rate in pair)

        lines = screen.wait_for(rates_are_seen)
        assert "peg-milter up  peg-tcpmap up" in lines
    gateway.wait_until_empty()


def test_the_age_of_the_oldest_message_is_shown(gateway):
    with gateway.relay.holding():
        gateway.send(to=["bob@dest.example"], priority_header="1")
        with watch(gateway) as screen:
            screen.wait_for(
                lambda now: is_shown(now)
                and numbers(now, "postfix4")[1] == "1"
                and re.fullmatch(r"[1-9]\d*s", numbers(now, "postfix4")[4])
            )
    gateway.wait_until_empty()
