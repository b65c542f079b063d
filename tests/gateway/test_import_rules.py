"""peg-gen import-rules: the original's rule file becomes one that the gateway takes.

No gateway runs here; what the results decide, the unit tests ask Perl.
"""

import os
import subprocess

import pytest

from harness.installation import REPOSITORY

BUILD = os.path.abspath(os.environ.get("PEG_BUILD") or os.path.join(REPOSITORY, "build"))
ORIGINAL = os.path.join(REPOSITORY, "tests/unit/import/original.in")
BROKEN = os.path.join(REPOSITORY, "tests/unit/import/broken.in")
ROW = '[ "X-Priority", qr/^%d/, 0, %d ],\n'
LIMIT = 1024 * 1024


def run(program, *arguments, stdin=""):
    return subprocess.run(
        [os.path.join(BUILD, program), *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
        check=False,
    )


def convert(*arguments):
    return run("peg-gen", "import-rules", *arguments)


@pytest.fixture
def root(tmp_path):
    """A gateway's folder with nothing but a configuration: three priorities."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/priority-email-gateway.conf").write_text(
        "PRIORITY_COUNT=3\nDEFAULT_PRIORITY=1\n"
    )
    return tmp_path


def test_the_originals_file_is_converted_and_decides(root):
    done = convert(ORIGINAL)
    assert (done.returncode, done.stderr) == (0, "")
    rules = [line.split() for line in done.stdout.splitlines() if line and line[0] != "#"]
    assert len(rules) == 8

    conf = root / "etc/priority-email-gateway.conf"
    conf.write_text("PRIORITY_COUNT=5\n")
    (root / "etc/priority-email-gateway.rules").write_text(done.stdout)
    message = "To: a@x.example\nX-Priority: 5\nX-XIMF-Primary-Precedence: flash\n\n"
    told = run("peg-explain", "--root", str(root), "a@x.example", "b@x.example", stdin=message)
    assert "a@x.example: to, rule" in told.stdout and "priority 4" in told.stdout
    assert "b@x.example: bcc, rule" in told.stdout and "priority 0" in told.stdout


def test_what_is_not_converted_is_named_and_the_rest_is_written(tmp_path):
    file = tmp_path / "old.conf"
    file.write_text(ROW % (5, 0) + '[ "X-Priority", qr/^$urgent/, 0, 4 ],\n' + ROW % (1, 4))
    done = convert(str(file))
    assert done.returncode == 1
    assert done.stderr == (
        "%s:2: the pattern holds a Perl variable; write its value, or \\$ for the character\n" % file
    )
    assert [line[0] for line in done.stdout.splitlines() if "X-Priority" in line] == ["X", "#", "X"]


def test_every_report_is_a_line_of_the_file():
    done = convert(BROKEN)
    assert done.returncode == 1
    reports = done.stderr.splitlines()
    assert len(reports) == done.stdout.count("# NOT CONVERTED, line ") > 30
    for report in reports:
        line = report[len(BROKEN) :].split(":")[1]
        assert report.startswith(BROKEN + ":") and "# NOT CONVERTED, line %s: " % line in done.stdout


def test_priorities_that_the_gateway_lacks_are_warned_of(root, tmp_path):
    file = tmp_path / "old.conf"
    file.write_text(ROW % (1, 2) + ROW % (2, 3))
    done = convert("--root", str(root), str(file))
    assert done.returncode == 0
    assert done.stderr == (
        "%s:2: warning: PRIORITY_COUNT=3 gives no priority 3; raise it before this rule is used\n"
        % file
    )
    assert done.stdout == convert("--root", str(tmp_path / "etc"), str(file)).stdout


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("--no-restart", "a"), ("--bad", "a")])
def test_wrong_usage(arguments):
    done = convert(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--help" in done.stderr


def test_what_cannot_be_read_gives_no_result(tmp_path):
    file = tmp_path / "old.conf"
    for content, said in (
        (None, "No such file"),
        (b"[ \0 ]", "1: a NUL byte"),
        (b"#" * (LIMIT + 1), "File too large; at most 1 MiB is read"),
    ):
        if content is not None:
            file.write_bytes(content)
        done = convert(str(file))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("%s:" % file) and said in done.stderr


def test_the_largest_file_is_converted(tmp_path):
    file = tmp_path / "old.conf"
    rows = (ROW % (1, 4)) * (LIMIT // len(ROW % (1, 4)))
    file.write_text(rows)
    done = convert(str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\nX-Priority") == rows.count("\n")


def test_a_result_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(
            [os.path.join(BUILD, "peg-gen"), "import-rules", ORIGINAL],
            stdout=full,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            check=False,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
