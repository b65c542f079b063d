"""What an operator can get wrong: every program says what and where, and changes nothing.

And what peg-gen may change when the input is good: what was asked for, and no more.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time

import pytest

from harness import processes
from harness.gateway import Gateway
from harness.installation import Installation
from harness.relay import Relay
from harness.smtp_client import SmtpClient
from harness.tree import tree

CONF = "etc/priority-email-gateway.conf"
RULES = "etc/priority-email-gateway.rules"
RULE = "X-Priority /^1/ all 1\n"
TWO = {"PRIORITY_COUNT": 2, "DEFAULT_PRIORITY": 0}
GEN = (("peg-gen", "check"), ("peg-gen", "diff"), ("peg-gen", "apply"))
CTL = tuple(("peg-ctl", word) for word in ("start", "stop", "restart", "reload", "status"))
DAEMONS = (("peg-milter",), ("peg-milter", "-f"), ("peg-tcpmap",), ("peg-tcpmap", "-f"))
EXPLAIN = (("peg-explain", "bob@dest.example"),)
ALL = GEN + CTL + DAEMONS + EXPLAIN + (("peg-showqueues",),)
READS_RULES = GEN + DAEMONS[:2] + EXPLAIN


@pytest.fixture(scope="module", name="made")
def installation_made_once():
    made = Installation(priority_count=2, conf=TWO, rules=RULE)
    made.write()
    try:
        yield made
    finally:
        made.ports.release()
        shutil.rmtree(made.root)


@pytest.fixture(name="spoil")
def function_that_spoils_a_file(made):
    """A function that replaces a file by bytes, or by nothing, until the test is over."""
    spoiled = {}

    def spoil(name, content):
        with open(made.path(name), "rb") as good:
            spoiled[name] = good.read()
        os.unlink(made.path(name))
        if content is not None:
            with open(made.path(name), "wb") as bad:
                bad.write(content)
        return spoiled[name]

    yield spoil
    for name, content in spoiled.items():
        if os.path.isdir(made.path(name)):
            os.rmdir(made.path(name))
        with open(made.path(name), "wb") as good:
            good.write(content)


def all_refuse(made, commands, complaint):
    """Each command ends with status 1 and this complaint on stderr, and nothing has changed."""
    before = tree(made.root)
    for program, *arguments in commands:
        done = made.tool(program, *arguments, check=False, timeout=20)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert re.search("(?m)^" + complaint, done.stderr), done
        assert processes.belonging_to(made.root) == {}
        assert tree(made.root) == before, done


BAD_CONF = {
    "an unknown name": ("PRIORTY_COUNT=3", "there is no parameter PRIORTY_COUNT; did you mean"),
    "a wrong value": ("PRIORITY_COUNT=1", 'PRIORITY_COUNT = "1": a whole number from 2 to 64'),
    "a value too large": ("DEFAULT_PRIORITY=2", 'DEFAULT_PRIORITY = "2": .* from 0 to 1 is needed'),
    "no number": ("INSTANCE_PORT_BASE=abc", "INSTANCE_PORT_BASE = .* a whole number"),
    "no address": ("TCPMAP_LISTEN=localhost", "TCPMAP_LISTEN = .* is needed"),
    "a port twice": ("FRONTEND_LISTEN='25 25'", "FRONTEND_LISTEN = .* is needed"),
    "no relay": ("RELAY_HOST='a b'", "RELAY_HOST = .* is needed"),
    "a time too short": ("DECISION_LIFETIME=1s", "DECISION_LIFETIME = .* is needed"),
    "an instance too many": ("NICE_LEVEL[2]=1", r"NICE_LEVEL\[2\]: there are 2 priorities"),
    "no suffix": ("NICE_LEVEL=1", "NICE_LEVEL is set as"),
    "a needless suffix": ("RELAY_HOST_FRONTEND=a", "RELAY_HOST takes no suffix"),
    "an open double quote": ('RELAY_HOST="a', 'the double quote " is not closed'),
    "an open single quote": ("RELAY_HOST='a", "the single quote ' is not closed"),
    "an expansion": ("RELAY_HOST=$HOME", r'"\$" is not expanded'),
    "an expansion in quotes": ('RELAY_HOST="${HOME}"', r'"\$" is not expanded'),
    "a command in backquotes": ("RELAY_HOST=`hostname`", '"`" would run a command'),
    "a command": ("touch /tmp/x", "only assignments NAME=value may stand here"),
    "a second command": ("RELAY_HOST=a;id", "only assignments NAME=value may stand here"),
    "export": ("export RELAY_HOST=a", '"export" is not understood'),
    "a blank before =": ("RELAY_HOST =a", "only assignments NAME=value may stand here"),
    "a carriage return": ("RELAY_HOST=a\r", "a carriage return"),
    "a NUL byte": ("RELAY_HOST=a\0", "a NUL byte"),
    "binary": ("\x7fELF\x02\x01\x01", "only assignments NAME=value and comments may stand here"),
}


@pytest.mark.parametrize("line, complaint", BAD_CONF.values(), ids=BAD_CONF.keys())
def test_a_bad_configuration_is_refused_with_its_line(made, spoil, line, complaint):
    good = spoil(CONF, None)
    with open(made.path(CONF), "wb") as bad:
        bad.write(b"# a comment\n\n" + good + line.encode("latin-1") + b"\n")
    number = 3 + good.count(b"\n")
    all_refuse(made, ALL, "%s:%d: %s" % (made.path(CONF), number, complaint))


def test_a_configuration_that_is_not_there_is_refused(made, spoil):
    spoil(CONF, None)
    all_refuse(made, ALL, "%s: cannot be read: No such file or directory" % made.path(CONF))


def test_a_configuration_that_is_a_folder_is_refused(made, spoil):
    spoil(CONF, None)
    os.mkdir(made.path(CONF))
    all_refuse(made, ALL, "%s: cannot be read: Is a directory" % made.path(CONF))


@pytest.mark.parametrize("user", ["no-such-user-here", "root"])
def test_a_daemon_user_that_will_not_do_is_refused(made, spoil, user):
    good = spoil(CONF, b"")
    made.write_conf(good.decode() + "DAEMON_USER=%s\n" % user)
    all_refuse(made, GEN, r"%s:\d+: DAEMON_USER: .*%s" % (made.path(CONF), user))


BAD_RULES = {
    "no pattern": ("X-A", 4, "a pattern between slashes is needed here"),
    "an open pattern": ("X-A /a all 1", 5, "the pattern has no closing slash"),
    "an open parenthesis": ("X-A /a(/ all 1", 8, "missing closing parenthesis"),
    "a bad range": ("X-A /[z-a]/ all 1", 9, "range out of order"),
    "an unknown flag": ("X-A /a/iq all 1", 9, 'flags are i, x and s, not "q"'),
    "unknown recipients": ("X-A /a/ some 1", 9, "recipients are needed here"),
    "recipients missing": ("X-A /a/", 8, "recipients are needed here"),
    "a priority too high": ("X-A /a/ all 2", 13, "a priority from 0 to 1 is needed here"),
    "a negative priority": ("X-A /a/ all -1", 13, "a priority from 0 to 1 is needed here"),
    "no priority": ("X-A /a/ all", 12, "a priority from 0 to 1 is needed here"),
    "too much": ("X-A /a/ all 1 2", 15, "the rule ends after its priority"),
    "a colon": ("X-A: /a/ all 1", 4, "a header name is needed here, without colon"),
    "an unknown macro": ("{auth} /a/ all 1", 1, r"Postfix has no milter macro \{auth\}"),
    "a NUL byte": ("X-A /a\0/ all 1", 1, "a NUL byte"),
}


@pytest.mark.parametrize("line, column, complaint", BAD_RULES.values(), ids=BAD_RULES.keys())
def test_bad_rules_are_refused_with_line_and_column(made, spoil, line, column, complaint):
    spoil(RULES, ("# a comment\nX-A /a/ all 1\n\n%s\n" % line).encode())
    all_refuse(made, READS_RULES, "%s:4:%d: %s" % (made.path(RULES), column, complaint))


def test_every_bad_line_is_named_at_once(made, spoil):
    spoil(RULES, b"X-A\nX-A /a/ all 1\nX-A /(/ all 1\n")
    done = made.gen("check", check=False)
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["1", "3"]


def test_rules_that_are_not_there_are_refused(made, spoil):
    spoil(RULES, None)
    all_refuse(made, READS_RULES, "%s: No such file or directory" % made.path(RULES))


def test_nothing_starts_with_bad_rules(made, spoil):
    spoil(RULES, b"X-A /(/ all 1\n")
    try:
        all_refuse(made, (("peg-ctl", "start"),), "%s:1:7: " % made.path(RULES))
    finally:
        made.ctl("stop", check=False)


@pytest.mark.parametrize("file", [CONF, RULES])
def test_the_milter_does_not_start_where_its_user_could_not_reload(made, file):
    os.chmod(made.path(file), 0o600)
    try:
        done = made.tool("peg-milter", "-f", check=False, timeout=20)
        assert done.returncode == 1
        assert "%s: user nobody cannot read it: Permission denied" % made.path(file) in done.stderr
    finally:
        os.chmod(made.path(file), 0o644)


@pytest.mark.parametrize("missing", ["main.cf", "master.cf"])
@pytest.mark.parametrize("folder", ["postfix", "postfix0", "postfix-frontend"])
def test_half_a_configuration_folder_is_refused(made, spoil, folder, missing):
    if folder == "postfix":  # it is read only where an instance is made
        os.rename(made.path("etc/postfix1"), made.path("etc/away"))
    try:
        spoil("etc/%s/%s" % (folder, missing), None)
        all_refuse(made, GEN, "%s.*: " % made.path("etc/" + folder))
    finally:
        if folder == "postfix":
            os.rename(made.path("etc/away"), made.path("etc/postfix1"))


@pytest.mark.parametrize("program", sorted({command[0] for command in ALL}))
def test_a_root_that_is_not_there_is_refused(made, program):
    command = [os.path.join(made.build, program), "--root", made.path("no/such")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "%s: No such file or directory" % made.path("no/such") in done.stderr


WRONG_USAGE = (
    [(program, "--no-such-option") for program in sorted({command[0] for command in ALL})]
    + [("peg-gen",), ("peg-gen", "delete"), ("peg-gen", "check", "it")]
    + [("peg-gen", "check", "--no-restart"), ("peg-ctl",), ("peg-ctl", "begin")]
    + [("peg-ctl", "start", "2"), ("peg-ctl", "stop", "postfix"), ("peg-explain",)]
    + [("peg-milter", "now"), ("peg-tcpmap", "now"), ("peg-showqueues", "now")]
)


@pytest.mark.parametrize("command", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_status_2_and_changes_nothing(made, command):
    before = tree(made.root)
    done = made.tool(*command, check=False, timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Try '%s --help'." % command[0] in done.stderr
    assert tree(made.root) == before


# What peg-gen and peg-ctl do to a gateway that runs


@pytest.fixture(scope="module", name="live")
def gateway_that_runs():
    with Gateway(priority_count=2, conf=TWO, rules=RULE) as live:
        yield live


@pytest.fixture(name="change")
def function_that_changes_the_configuration(live):
    """A function that writes parameters and applies them; returns what peg-gen printed."""
    usual = (live.frontend, live.ports.tcpmap)

    def change(**parameters):
        live.write_conf({**TWO, **parameters})
        return live.gen("apply").stdout.splitlines()

    yield change
    live.relay.behave()
    live.frontend, live.ports.tcpmap = usual
    live.priority_count = 2
    live.write_rules(RULE)
    change()
    assert answers(live.frontend[1])
    live.start_milter()


def answers(port, is_there=True):
    """Whether an SMTP server comes to answer at the port, or goes away from it, within seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            SmtpClient("127.0.0.1", port).close()
            found = True
        except OSError:
            found = False
        if found == is_there:
            return True
        time.sleep(0.02)
    return False


def running(live):
    """The process ids of the parts, as peg-ctl status says."""
    return live.ctl("status", check=False).stdout


def flash_goes_its_way(live, recipient):
    sent = live.send(to=[recipient], priority_header="1")
    return live.delivered(sent) == {recipient: 1}


def test_a_second_apply_changes_nothing(live):
    before, parts = tree(live.path("etc")), running(live)
    assert live.gen("apply").stdout.splitlines()[0] == "nothing to change"
    assert (tree(live.path("etc")), running(live)) == (before, parts)


def test_diff_shows_what_apply_does_and_then_nothing(live, change):
    live.write_conf({**TWO, "DEFAULT_PRIORITY": 1, "RELAY_HOST": "[127.0.0.1]:9"})
    before = tree(live.path("etc"))
    shown = live.gen("diff").stdout.splitlines()
    assert tree(live.path("etc")) == before
    assert any("relayhost = [127.0.0.1]:9" in line for line in shown)
    applied = change(DEFAULT_PRIORITY=1, RELAY_HOST="[127.0.0.1]:9")
    done = [line for line in applied if not re.match("(re)?(started|loaded): ", line)]
    assert done == shown
    assert live.gen("diff").stdout == "nothing to change\n"


def test_what_the_operator_wrote_survives_apply(live, change):
    port = live.ports.spare[4]
    own_main = "\n# my own words\nsmtpd_banner = $myhostname at your service\n"
    own_master = "127.0.0.1:%d inet n - n - 7 smtpd\n  -o smtpd_helo_required=yes\n" % port
    for file, text in (("main.cf", own_main), ("master.cf", own_master)):
        with open(live.path("etc/postfix-frontend/" + file), "a") as operator:
            operator.write(text)
    assert live.gen("diff").stdout == "nothing to change\n"
    change(DEFAULT_PRIORITY=1)
    with open(live.path("etc/postfix-frontend/main.cf")) as main:
        assert own_main in main.read()
    with open(live.path("etc/postfix-frontend/master.cf")) as master:
        assert own_master in master.read()
    assert answers(port)
    live.frontend = ("127.0.0.1", port)
    assert flash_goes_its_way(live, "anna@dest.example")


def test_the_frontend_listens_where_it_is_told_to(live, change):
    old, new, more = live.ports.frontend, *live.ports.spare[:2]
    change(FRONTEND_LISTEN="127.0.0.1:%d 127.0.0.1:%d" % (new, more))
    for port in (new, more):
        assert answers(port)
        live.frontend = ("127.0.0.1", port)
        assert flash_goes_its_way(live, "%d@dest.example" % port)
    assert answers(old, is_there=False)


def test_the_lookup_server_listens_where_it_is_told_to(live, change):
    live.ports.tcpmap = live.ports.spare[2]
    change(TCPMAP_LISTEN="127.0.0.1:%d" % live.ports.tcpmap)
    assert flash_goes_its_way(live, "bert@dest.example")
    assert live.look_up("bert@dest.example").startswith("200 peg1:")


def test_mail_leaves_by_the_relay_that_is_named(live, change):
    relay = Relay(live.ports.spare[3]).start()
    try:
        change(RELAY_HOST="[127.0.0.1]:%d" % relay.port)
        sent = live.send(to=["carl@dest.example"], priority_header="1")
        (arrived,) = relay.wait_for(1, tag=sent.tag)
        assert (arrived.recipient, arrived.instance) == ("carl@dest.example", 1)
    finally:
        relay.stop()


def test_another_default_priority_holds_from_apply_on(live, change):
    change(DEFAULT_PRIORITY=1)
    sent = live.send(to=["dora@dest.example"])
    assert live.delivered(sent) == {"dora@dest.example": 1}


def test_the_instances_listen_where_they_are_told_to(live, change):
    change(INSTANCE_PORT_BASE=live.ports.instance_base + 20)
    assert flash_goes_its_way(live, "emil@dest.example")


def test_the_nice_level_holds_for_all_processes_of_an_instance(live, change):
    change(**{"NICE_LEVEL_FRONTEND": 3, "NICE_LEVEL_DEFAULT": 5, "NICE_LEVEL[1]": 7})
    for _ in range(2):
        assert flash_goes_its_way(live, "fred@dest.example")
        for instance, level in (("frontend", 3), (0, 5), (1, 7)):
            levels = {}
            for pid, command in live.leftovers().items():
                of_it = os.path.realpath("/proc/%d/cwd" % pid) == live.queue_dir(instance)
                if of_it and not command.startswith(live.build):
                    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                        levels[command] = os.getpriority(os.PRIO_PROCESS, pid)
            assert len(levels) >= 3 and set(levels.values()) == {level}, (instance, levels)
        live.ctl("restart")


def test_a_gateway_grows_while_it_runs_and_shrinks_only_when_the_queue_is_empty(live, change):
    live.write_rules(RULE + "X-Priority /^2/ all 2\n")
    live.priority_count = 3
    change(PRIORITY_COUNT=3)
    live.relay.refuse_recipient("^gina", "451 4.3.0 try again later")
    sent = live.send(to=["gina@dest.example"], priority_header="2")
    live.log.wait_for(r"postfix2/smtp\S+: .*to=<gina@dest.example>.*status=deferred")
    live.log.wait_for(r"postfix-frontend/qmgr.*: %s: removed" % sent.queue_id)
    live.write_rules(RULE)
    live.write_conf(TWO)
    before, parts = tree(live.path("etc")), running(live)
    refused = live.gen("apply", check=False)
    assert refused.returncode == 1
    assert "would remove postfix2, which has 1 message in its queue" in refused.stderr
    assert (tree(live.path("etc")), running(live)) == (before, parts)
    live.relay.behave()
    live.flush(2)
    assert live.delivered(sent) == {"gina@dest.example": 2}
    live.wait_until_empty()
    change()
    assert not any("postfix2" in command for command in live.leftovers().values())
    assert flash_goes_its_way(live, "gina@dest.example")


@pytest.mark.parametrize("command", ["restart", "reload"])
def test_with_bad_rules_what_runs_goes_on_as_it_is(live, change, command):
    live.write_rules("X-A /(/ all 1\n")
    before = running(live)
    done = live.ctl(command, check=False)
    assert done.returncode == 1
    assert "%s:1:7: " % live.path(RULES) in done.stderr
    assert running(live) == before
    assert flash_goes_its_way(live, "hugo@dest.example")
