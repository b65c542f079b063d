"""Every command of the operator's guide is run, in the order in which it stands, on the paths and ports
that it names; and what the guide shows of answers is compared with those that came.

Each chapter has a machine of its own (harness/guide_machine.py). systemctl is a stand-in there, which
makes the links that systemd would make; test_service_manager.py has it start the services. What goes
wrong in trouble.md is made to go wrong before the section about it.
"""

import os
import time

import pytest

from harness import guide
from harness.guide_machine import RUNNING, WORDS, GuideMachine
from harness.installation import REPOSITORY
from harness.namespaces import can_make_namespaces

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not can_make_namespaces(), reason="needs namespaces"
)

# The state in which a chapter finds its machine; see harness/guide_machine.py.
STATES = {
    "install.md": "plain",
    "first-gateway.md": "installed",
    "moving-over.md": "original",
    "by-hand.md": "installed",
    "routing.md": "running",
    "priorities.md": "running",
    "watching.md": "running",
    "trouble.md": "running",
    "scaling.md": "running",
    "security.md": "running",
}
DISTRIBUTION = "it is about the distribution; the workflow for public runners does it on AlmaLinux"
PACKAGE = "the tests of the packages, tests/packages, do this in a root of its own"
# The only commands that are not run here, and why. A block of the guide has such commands or others,
# never both.
ELSEWHERE = {
    "apt install ./priority-email-gateway_*.deb": PACKAGE,
    "/usr/lib/priority-email-gateway/package install": PACKAGE,
    "apt remove priority-email-gateway": PACKAGE,
    "apt purge priority-email-gateway": PACKAGE,
    "PEG_PURGE_MAIL=yes apt purge priority-email-gateway": PACKAGE,
    "dnf install epel-release": DISTRIBUTION,
    "crb enable": DISTRIBUTION,
    "dnf install ./priority-email-gateway-[0-9]*.$(uname -m).rpm": PACKAGE,
    "dnf remove priority-email-gateway": PACKAGE,
    "PEG_PURGE=yes dnf remove priority-email-gateway": PACKAGE,
    "tools/install-packages build": "`make check` begins with it",
    "peg-showqueues --watch": "it needs a terminal, which test_watch.py gives it",
    "systemctl restart snmpd": "test_snmp.py starts an snmpd with what apply has written",
    "snmptable -v 2c -c figures gateway MTA-MIB::mtaGroupTable": "test_snmp_tables.py asks for it",
}
# Blocks whose last command has to fail: (chapter, that command, section).
FAILING = {
    ("trouble.md", "peg-gen check", "The rules have a mistake"),
    ("trouble.md", "peg-ctl status", "An instance is down"),
    ("trouble.md", "peg-gen doctor", "If it cannot be started at all, and the mail must go"),
    ("trouble.md", "peg-ctl status milter", "peg-milter is away"),
    ("trouble.md", "peg-ctl status tcpmap", "peg-tcpmap is away"),
}
# Commands that only look: they are run again until they say what the guide shows.
LOOKING = {"grep", "ls", "peg-decisions", "peg-showqueues", "postqueue"}
LOOKING |= {"priority-email-gateway-showQueues"}
PATIENCE_S = 60
RETURN_PORT = 10025  # where the original's Qpsmtpd hands mail back: system/original.sh

URGENT = dict(headers=[("Priority", "urgent")])
BULK = dict(headers=[("Precedence", "bulk")])


def wait_for(machine, command):
    """Until a command succeeds."""
    deadline = time.monotonic() + PATIENCE_S
    while machine.run(command)[0] != 0:
        assert time.monotonic() < deadline, "%s does not succeed" % command
        time.sleep(0.1)


# What is between two sections of the guide: by its reader, by others, or by fate.


def a_gateway_was_made(machine):
    machine.do(RUNNING % WORDS)
    machine.do("systemctl enable priority-email-gateway.target")


def port_becomes_free(machine):
    """What `postfix reload` asks for is done when it has returned."""
    wait_for(machine, "! ss -ltn | grep -q ':25 '")


def postfix_has_reloaded(machine):
    wait_for(machine, "grep -q 'postfix/master.*: reload -- version' /var/log/mail.log")


def old_mail_is_left(machine):
    """The original takes no more mail of clients, and has messages in its queue: one that it cannot
    deliver, and one on hold."""
    wait_for(machine, "! ss -ltn | grep -q ':25 '")
    machine.do("ss -ltn | grep -q '127.0.0.1:%d '" % RETURN_PORT)
    machine.do("postconf -c /etc/postfix2 -e defer_transports=smtp")
    machine.do("postfix -c /etc/postfix2 stop; postfix -c /etc/postfix2 start")
    for name in "held", "left":
        machine.do("echo | sendmail -C /etc/postfix2 -f alice@example.org %s@example.net" % name)
        wait_for(machine, "find /var/spool/postfix2/deferred -type f | grep -q .")
        if name == "held":
            machine.do("postsuper -c /etc/postfix2 -h ALL deferred")


def new_gateway_works(machine):
    """It delivers what it got from the old one; what comes next is done in the sources."""
    sends_by_priority(machine)
    came(machine, "left@example.net")
    machine.do("find /var/spool/postfix2/hold -type f | grep -q .")
    machine.do("postsuper -c /etc/postfix2 -H ALL; postqueue -c /etc/postfix2 -f")
    came(machine, "held@example.net")
    machine.enter(REPOSITORY)


def came(machine, recipient):
    """Wait until mail for this recipient has come."""
    machine.relay.wait_for(lambda all_: any(d.recipient == recipient for d in all_), 60)


def an_instance_is_stopped(machine):
    machine.do("peg-ctl stop 4")
    machine.late = machine.send(to=["late@example.net"], **URGENT)
    wait_for(machine, "find /var/spool/postfix-frontend/deferred -type f | grep -q .")


def late_mail_came(machine):
    assert machine.arrivals(machine.late) == {"late@example.net": 4}


def milter_is_killed(machine):
    late_mail_came(machine)
    machine.do("kill -9 $(cat /run/priority-email-gateway/peg-milter.pid)")
    wait_for(machine, "peg-ctl status milter | grep -q 'not running'")
    sent = machine.send(to=["undecided@example.net"], **URGENT)
    assert machine.arrivals(sent) == {"undecided@example.net": 2}


def tcpmap_is_stopped(machine):
    machine.do("peg-ctl stop tcpmap")
    machine.late = machine.send(to=["waiting@example.net"], **URGENT)
    wait_for(machine, "find /var/spool/postfix-frontend/deferred -type f | grep -q .")


def waiting_mail_came(machine):
    assert machine.arrivals(machine.late) == {"waiting@example.net": 4}


def decisions_belong_to_root(machine):
    machine.do("cd /var/lib/priority-email-gateway; chown root: .; chmod 700 .")


def files_are_damaged(machine):
    machine.arrivals(machine.send(to=["recorded@example.net"]))
    machine.do("peg-ctl stop; rm -r /run/priority-email-gateway")
    machine.do(
        "cd /var/lib/priority-email-gateway\n"
        "for file in journal.*; do printf xxxx | dd of=$file bs=1 seek=20 conv=notrunc; done\n"
        "peg-ctl start\n"
        "ls | grep damaged"
    )


def run_is_empty(machine):
    machine.do("peg-ctl stop; rm -r /run/priority-email-gateway")


BEFORE = {
    ("first-gateway.md", "3. Check, look, make"): port_becomes_free,
    ("by-hand.md", "Does it work?"): postfix_has_reloaded,
    ("install.md", "Upgrading"): a_gateway_was_made,
    ("moving-over.md", "5. Stop it, and put its Postfixes aside"): old_mail_is_left,
    ("moving-over.md", "The way back"): new_gateway_works,
    ("watching.md", "Nagios, Icinga and their kin"): lambda m: m.do("useradd --system nagios"),
    ("watching.md", "Prometheus and Grafana"): lambda m: m.do(
        "mkdir -p /var/lib/prometheus/node-exporter"
    ),
    ("trouble.md", "An instance is down"): an_instance_is_stopped,
    ("trouble.md", "peg-milter is away"): milter_is_killed,
    ("trouble.md", "peg-tcpmap is away"): tcpmap_is_stopped,
    ("trouble.md", "The rules have a mistake"): waiting_mail_came,
    ("trouble.md", "The decisions' folder cannot be written"): decisions_belong_to_root,
    ("trouble.md", "The log says that files are damaged"): files_are_damaged,
    ("trouble.md", "After a reboot /run is empty"): run_is_empty,
}


# How a chapter has to leave its machine.


def sends_by_priority(machine, port=25, urgent=4, default=2):
    """One message by two priorities, and exactly so where another one is in the way."""
    host = "127.0.0.1"
    sent = machine.send(
        host, port, to=["anna@example.net"], cc=["bert@example.net"], primary_precedence="flash"
    )
    arrived = machine.arrivals(sent, 2)
    assert arrived == {"anna@example.net": urgent, "bert@example.net": default}
    rival = machine.send(host, port, to=["anna@example.net"])
    assert machine.arrivals(rival) == {"anna@example.net": default}
    for delivery in machine.relay.deliveries_for(rival.tag):
        assert delivery.headers("X-Peg-Route") == []


def sends_by_priority_by_hand(machine):
    """With the operator's own instances, whose first rule is one about bulk."""
    sends_by_priority(machine, urgent="postfix-flash", default="postfix-normal")
    sent = machine.send(to=["conny@example.net"], **BULK)
    assert machine.arrivals(sent) == {"conny@example.net": "postfix-bulk"}
    assert "way=filter" in machine.do("grep way= /var/log/mail.log")
    # It knows its own recipients, whose mail an instance delivers.
    host = machine.do("postconf -hx myhostname").strip()
    sent = machine.send(to=["root@" + host, "no-such-user@" + host], check=False)
    assert [reply.code for reply in sent.rcpt_replies] == [250, 550]
    delivered = "postfix-normal/local.*to=<root@%s>.*status=sent" % host
    wait_for(machine, "grep -q '%s' /var/log/mail.log" % delivered)


def sends_nothing_by_a_lower_priority(machine):
    """Files were lost: until the queues have been looked through twice, which takes minutes, a message
    may go by the highest priority among its recipients."""
    headers = dict(to=["anna@example.net"], cc=["bert@example.net"], primary_precedence="flash")
    arrived = machine.arrivals(machine.send(**headers), 2)
    assert arrived["anna@example.net"] == 4 and arrived["bert@example.net"] in (2, 4)


def original_is_back(machine):
    sent = machine.send(to=["anna@example.net"], primary_precedence="flash")
    assert machine.arrivals(sent) == {"anna@example.net": 2}
    assert "peg" not in machine.do("postconf -c /etc/postfix-frontend -n; postconf -n; postmulti -l")
    assert "peg" not in machine.do("ls /usr/local/sbin")


def nothing_is_left_of_the_programs(machine):
    assert "peg" not in machine.do("ls /usr/local/sbin")
    assert len(machine.do("postmulti -l").splitlines()) == 1
    assert "priority" not in machine.do("ls /etc/systemd/system/multi-user.target.wants")
    wait_for(machine, "ss -ltn | grep -q ':25 '")


AFTER = {
    "install.md": nothing_is_left_of_the_programs,
    "first-gateway.md": sends_by_priority,
    "moving-over.md": original_is_back,
    "by-hand.md": sends_by_priority_by_hand,
    "trouble.md": sends_nothing_by_a_lower_priority,
    "scaling.md": sends_by_priority,
}


def is_elsewhere(block):
    found = [command in ELSEWHERE for command in block.commands]
    assert all(found) or not any(found), "%s: some of it is run and some is not" % block.place
    return all(found)


def check_block(machine, block, shown):
    """Run a block; `shown` is the block of the answer, or None."""
    must_fail = (block.chapter, block.commands[-1], block.section) in FAILING
    looks = all(command.split()[0] in LOOKING for command in block.commands)
    wanted = [line for line in shown.lines if line] if shown else []
    if looks:
        status, answer = machine.run_until(block.text, lambda said: guide.matches(wanted, said))
    else:
        status, answer = machine.run(block.text)
    assert (status != 0) == must_fail, "%s: exit status %d\n%s" % (block.place, status, answer)
    assert guide.matches(wanted, answer), "%s: not what is shown:\n%s" % (block.place, answer)


def blocks_with_answers(chapter):
    blocks = chapter.blocks
    for number, block in enumerate(blocks):
        if block.kind == guide.COMMANDS:
            is_shown = number + 1 < len(blocks) and blocks[number + 1].kind == guide.ANSWER
            yield block, blocks[number + 1] if is_shown else None


@pytest.mark.parametrize("name", STATES)
def test_the_commands_of_a_chapter(name, tmp_path):
    chapter = guide.Chapter(guide.ENGLISH, name)
    due = {section: act for (chapter_name, section), act in BEFORE.items() if chapter_name == name}
    with GuideMachine(tmp_path, STATES[name]) as machine:
        if name == "install.md":
            machine.enter(REPOSITORY)
        for block, shown in blocks_with_answers(chapter):
            if block.section in due:
                due.pop(block.section)(machine)
            if not is_elsewhere(block):
                check_block(machine, block, shown)
        assert not due, "sections without commands"
        if name in AFTER:
            AFTER[name](machine)


def test_what_is_said_of_commands_is_about_commands_of_the_guide():
    """Exceptions and preparations whose command or section is no longer there are in the way."""
    chapters = [guide.Chapter(guide.ENGLISH, name) for name in guide.names()]
    blocks = [block for chapter in chapters for block in chapter.blocks]
    assert set(STATES) == {chapter.name for chapter in chapters if chapter.blocks}
    assert set(AFTER) <= set(STATES)
    sections = {(chapter.name, text) for chapter in chapters for _, text in chapter.headings}
    assert set(BEFORE) <= sections
    assert set(ELSEWHERE) <= {command for block in blocks for command in block.commands}
    last = {(b.chapter, b.commands[-1], b.section) for b in blocks if b.commands}
    assert FAILING <= last
