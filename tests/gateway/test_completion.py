"""What bash and zsh complete: what --help names, no less and no more, and the names on this host.

Real shells are asked, on a terminal; no gateway runs.
"""

import os
import re
import shutil
import subprocess

import pytest

from harness.completing_shell import CompletingShell
from harness.installation import REPOSITORY
from harness.programs import (
    BUILD,
    commands_in,
    links,
    names_in,
    options_in,
    programs,
    read,
    run,
    usage,
)
from harness.screen import Screen

FILES = os.path.join(REPOSITORY, "completion")
SHELLS = ["bash", "zsh"]
LOADER = "/usr/share/bash-completion/bash_completion"
CONF = """\
PRIORITY_COUNT=9
  PRIORITY_COUNT="4" # of them
URGENT_LISTEN='127.0.0.1:2500 127.0.0.2:2500'
INSTANCE_NEXTHOP[1]="[192.0.2.1]:25"
INSTANCE_NEXTHOP[2]=""
"""


def needed(shell):
    if shutil.which(shell) is None:
        pytest.skip("%s is not here" % shell)
    return shell


@pytest.fixture(scope="module", params=SHELLS)
def shell(request, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp(request.param))
    with CompletingShell(needed(request.param), FILES, folder) as running:
        yield running


@pytest.fixture
def root(tmp_path):
    """The folder of a gateway with an urgent frontend, four priorities, one of another host."""
    for name in ["-frontend", "-urgent", *range(9)]:  # peg-ctl tells by itself which are wanted
        (tmp_path / ("etc/postfix%s" % name)).mkdir(parents=True)
        (tmp_path / ("etc/postfix%s/main.cf" % name)).write_text("")
    (tmp_path / "etc/priority-email-gateway.conf").write_text(CONF)
    return str(tmp_path)


def help_for_operators(program):
    """Without the commands of peg-ctl that are the units' own."""
    return usage(program).split("\nThe units have")[0]


def options_offered(shell, program):
    lines = [program] + ["%s %s" % (program, word) for word in commands_in(usage(program))]
    return set().union(*(shell.offers(line + " -") for line in lines))


def parts_of(root):
    """What peg-ctl can start there, by the short names that it takes."""
    lines = run("peg-ctl", "--root", root, "status").stdout.splitlines()
    return {re.sub(r"^(peg-|postfix-?)", "", line.split()[0]) for line in lines}


@pytest.mark.parametrize("program", programs())
def test_the_options_are_those_of_the_help(shell, program):
    assert options_offered(shell, program) == options_in(usage(program))


@pytest.mark.parametrize("program", programs())
def test_the_commands_are_those_of_the_help(shell, program):
    offered = {word for word in shell.offers(program + " ") if not word.startswith("-")}
    if program == "peg-bounce":  # a name of a Postfix is its first word
        assert offered and all(name.startswith("postfix") for name in offered)
    else:
        assert offered == commands_in(help_for_operators(program))


def test_the_names_of_the_original_are_completed_as_our_programs(shell):
    for link, program in links().items():
        assert shell.offers(link + " -") == shell.offers(program + " -") != set()


def test_every_command_and_no_other_is_completed():
    names = set(programs()) | set(links())
    assert set(read("completion/_priority-email-gateway").split("\n")[0].split()[1:]) == names
    last = re.search(r"^complete -F \w+ ((?:.*\\\n)*.*)", read_bash(), re.M).group(1)
    assert set(last.replace("\\", "").split()) == names


def read_bash():
    return read("completion/priority-email-gateway.bash")


@pytest.mark.parametrize(
    "line, options",
    [
        ("peg-gen check", {"--drain", "--no-restart"}),
        ("peg-gen doctor", {"--drain", "--no-restart"}),
        ("peg-decisions status", {"--force", "--log"}),
    ],
)
def test_an_option_is_offered_to_no_command_that_has_not_got_it(shell, line, options):
    assert not options & shell.offers(line + " -")
    assert options <= shell.offers(line.split()[0] + " -")


@pytest.mark.parametrize("program", ["peg-gen", "peg-ctl", "peg-decisions"])
def test_an_argument_of_an_option_is_not_taken_for_a_command(shell, program):
    commands = commands_in(help_for_operators(program))
    for option, joint in names_in(usage(program), r"(--[a-z-]+)(\[=| |=)[A-Z]+"):
        follows = shell.offers("%s %s " % (program, option)) >= commands
        assert follows == (joint == "[="), option
        assert shell.offers("%s %s=/nonexistent " % (program, option)) >= commands, option


def test_the_names_are_those_that_peg_ctl_knows(shell, root):
    known = parts_of(root)
    assert known == {"milter", "tcpmap", "monitor", "frontend", "urgent", "0", "2", "3"}
    for words in ("--root %s stop", "--root=%s stop", "stop 2 --root %s", "stop --root %s --direct"):
        assert shell.offers("peg-ctl %s " % words % root) == known, words
    postfixes = known - {"milter", "tcpmap", "monitor"}
    assert shell.offers("peg-showqueues --root %s --instance=" % root) == postfixes
    assert shell.offers("peg-showqueues --root %s --json --instance " % root) == postfixes
    in_full = {"postfix0", "postfix2", "postfix3", "postfix-frontend", "postfix-urgent"}
    assert shell.offers("peg-bounce --root %s " % root) == in_full


def test_without_a_configuration_the_defaults_are_offered(shell, tmp_path):
    offered = shell.offers("peg-ctl --root %s start " % tmp_path)
    assert offered == {"milter", "tcpmap", "monitor", "frontend", "0", "1", "2", "3", "4"}


def test_files_and_folders_are_offered_where_one_is_needed(shell, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "rules").write_text("")

    def names(line):
        return {os.path.basename(word) for word in shell.offers(line + str(tmp_path) + "/")}

    assert names("peg-milter --root ") == names("peg-ctl --root=") == {"folder"}
    assert names("peg-gen import-rules ") == {"folder", "rules"}


# As it is installed


@pytest.fixture(scope="module", name="installed")
def installation(tmp_path_factory):
    """The folder share of an installation."""
    made = tmp_path_factory.mktemp("completion")
    build = "BUILD=" + os.path.relpath(BUILD, REPOSITORY)
    words = ["make", "-s", "-C", REPOSITORY, "install", "PREFIX=/usr", "DESTDIR=%s" % made, build]
    subprocess.run(words, check=True)
    yield str(made / "usr/share")


def typed(command, environment, keys, shown, then, finally_shown):
    """Type keys and a Tab, wait for the line that is shown then, and so once more."""
    with Screen(command, **environment) as screen:
        screen.wait_for(lambda lines: lines[0].startswith("ready>"))
        screen.press(keys.encode() + b"\t")
        screen.wait_for(lambda lines: lines[0] == "ready> " + shown)
        screen.press(then.encode() + b"\t")
        screen.wait_for(lambda lines: lines[0] == "ready> " + finally_shown)


@pytest.mark.skipif(not os.path.exists(LOADER), reason="the package bash-completion is not here")
@pytest.mark.parametrize("program", sorted(set(programs()) | set(links())))
def test_bash_completion_finds_what_is_installed(installed, program, tmp_path):
    (tmp_path / "bashrc").write_text("PS1='ready> '\n. %s\n" % LOADER)
    environment = {"XDG_DATA_DIRS": installed, "HOME": str(tmp_path)}
    command = ["bash", "--noprofile", "--rcfile", str(tmp_path / "bashrc"), "-i"]
    shown = program + " --version"
    typed(command, environment, program + " --vers", shown, "--roo", shown + " --root")


def test_zsh_finds_what_is_installed(installed, tmp_path):
    needed("zsh")
    (tmp_path / ".zshrc").write_text(
        "PS1='ready> '\nfpath=(%s/zsh/site-functions $fpath)\n"
        "autoload -Uz compinit\ncompinit -u -D\n" % installed
    )
    environment = {"ZDOTDIR": str(tmp_path), "HOME": str(tmp_path)}
    command = ["zsh", "--no-globalrcs", "-i"]
    shown = "peg-showqueues --instance="
    typed(command, environment, "peg-showqueues --ins", shown, "fr", shown + "frontend")
