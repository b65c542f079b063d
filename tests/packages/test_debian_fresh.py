"""A Debian with a Postfix and nothing of what the package is built with: the README's commands for such
a machine, in a fresh clone of these sources, give a gateway that mail flows through.
"""

import os
import re
import shutil
import subprocess

import pytest

import debian_root
from apt_mirror import Mirror
from debian_packages import REPOSITORY, run

TREE = "/srv/priority-email-gateway"


def commands():
    """The first ones of the README for a real server, as root types them."""
    with open(os.path.join(REPOSITORY, "README.md")) as readme:
        section = readme.read().split("\n## Quick start on a real server\n")[1].split("\n## ")[0]
    block = re.search(r"(?m)(?:^    .*\n)+", section).group()
    return [re.sub(r"^ *sudo ", "", line) for line in block.splitlines()]


def clone(folder):
    """What `git clone` brings of the last commit."""
    command = ["git", "clone", "--quiet", "--depth", "1", "file://" + REPOSITORY, folder]
    if shutil.which("git") is None or subprocess.run(command).returncode != 0:
        pytest.skip("these sources are no git repository")
    return folder


@pytest.fixture(name="root")
def fresh_root(tmp_path):
    work = tmp_path / "machine"
    work.mkdir()
    base = debian_root.base(["ca-certificates", "git", "make", "postfix"])
    with debian_root.Root(base, work) as made:
        made.run("postfix", "start")
        yield made


def test_two_commands_of_the_readme_give_a_gateway(root, tmp_path):
    assert len(commands()) == 2
    root.copy(clone(str(tmp_path / "clone")), TREE)
    for program in ("cc", "dh", "dpkg-buildpackage"):
        assert root.run("sh", "-c", "command -v " + program, check=False).returncode != 0
    with Mirror(root.pid, debian_root.sources()[1]) as mirror:
        root.write("/etc/apt/sources.list", "\n".join(mirror.lines) + "\n")
        for command in commands():
            # With the answer to "Do you want to continue?".
            said = root.run("sh", "-c", 'cd "$0" && ' + command, TREE, stdin="y\n", timeout=900)
    assert "the gateway runs" in said.stderr
    root.all_run()
    root.check_mail_flow()
