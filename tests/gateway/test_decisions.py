"""What was decided for a message, while it waits: from memory, journal and snapshot alike.

The instances are stopped, so that mail stays in the frontend's queue.
"""

import os
import pwd
import re
import signal
import subprocess

import pytest

from harness import ways
from harness.gateway import Gateway
from harness.keeper import SNAPSHOT, STORE, TABLE, segments, status, tidy
from harness.mail import new_tag
from harness.tree import tree

HEAD = re.compile(
    r"(?P<queue_id>\S+): decided \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z, "
    r"way (?P<way>\w+)(?:, priority (?P<priority>\d))?"
)
LINE = re.compile(
    r"(?P<given>\S+): (?:no rule|rule (?P<rule>\d+)), priority (?P<priority>\d), "
    r"instance postfix(?P<instance>\d)(?:, as (?P<key>\S+))? -> (?P<route>\S+)"
)
INSTANCES = ("0", "1", "2", "3", "4")


class Waiting:
    """Three messages that wait in the frontend, each on another way."""

    def __init__(self, gateway):
        self.urgent = "Urgent.%s@Ward.Dest.Example" % new_tag()
        self.routine = "Routine.%s@Dest.Example" % new_tag()
        self.plain = gateway.send(bcc=[self.urgent], sender="claimant@source.example")
        self.filter = gateway.send(bcc=[self.urgent])
        self.respell = gateway.send(bcc=[self.urgent, self.routine])
        self.all = (self.plain, self.filter, self.respell)
        for sent, way in zip(self.all, ("plain", "filter", "respell")):
            assert gateway.decision(sent).way == way


@pytest.fixture(scope="module", name="held_gateway")
def gateway_of_these_tests():
    with Gateway(rules=ways.RULES) as gateway:
        gateway.ctl("stop", *INSTANCES)
        yield gateway


@pytest.fixture(scope="module", name="waiting")
def messages_that_wait(held_gateway):
    return Waiting(held_gateway)


def explain(gateway, sent):
    """peg-explain's answer: match of HEAD, and the matches of LINE for each recipient."""
    done = gateway.tool("peg-explain", "--queue-id", sent.queue_id)
    assert done.stderr == ""
    head, *lines = done.stdout.splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    assert HEAD.fullmatch(head)["queue_id"] == sent.queue_id
    return HEAD.fullmatch(head), {match["given"]: match for match in found}


def explain_all(gateway, waiting):
    """What is said of all of them, as text."""
    return [
        gateway.tool("peg-explain", "--queue-id", sent.queue_id).stdout for sent in waiting.all
    ]


def queued_recipients(gateway, sent):
    """The addresses under which the frontend has the message in its queue."""
    (message,) = [m for m in gateway.queue("frontend") if m["queue_id"] == sent.queue_id]
    return {recipient["address"] for recipient in message["recipients"]}


def start_daemons(gateway):
    """Start the daemons, and leave the instances as they are."""
    gateway.ctl("start", "milter", "tcpmap")


def close_segment(gateway):
    """A peg-milter that is started anew begins a segment of its own."""
    gateway.stop_milter()
    start_daemons(gateway)
    gateway.send(bcc=["routine.%s@dest.example" % new_tag()])


def test_a_plain_message(held_gateway, waiting):
    head, recipients = explain(held_gateway, waiting.plain)
    assert (head["way"], head["priority"]) == ("plain", None)
    assert list(recipients) == [waiting.urgent]
    said = recipients[waiting.urgent]
    assert (said["rule"], said["priority"], said["instance"]) == ("3", "0", "0")
    assert said["key"] is None
    assert held_gateway.look_up(waiting.urgent) == "200 " + said["route"]


def test_a_message_that_is_directed(held_gateway, waiting):
    head, recipients = explain(held_gateway, waiting.filter)
    assert (head["way"], head["priority"]) == ("filter", "1")
    said = recipients[waiting.urgent]
    assert (said["rule"], said["priority"], said["instance"]) == ("2", "1", "1")
    assert said["key"] is None
    assert said["route"] == "peg1-f:[127.0.0.1]:%d" % (held_gateway.ports.instance_base + 1)


def test_a_recipient_that_is_respelled(held_gateway, waiting):
    head, recipients = explain(held_gateway, waiting.respell)
    assert (head["way"], head["priority"]) == ("respell", None)
    assert list(recipients) == [waiting.urgent, waiting.routine]
    urgent, routine = recipients.values()
    assert (urgent["rule"], urgent["instance"]) == ("2", "1")
    assert (routine["rule"], routine["instance"], routine["key"]) == ("1", "0", None)
    assert queued_recipients(held_gateway, waiting.respell) == {urgent["key"], waiting.routine}
    for key, said in ((urgent["key"], urgent), (waiting.routine, routine)):
        assert held_gateway.look_up(key) == "200 " + said["route"]


def test_a_recipient_goes_by_the_priority_of_a_directed_message(held_gateway):
    urgent = "urgent.%s@[203.0.113.7]" % new_tag()
    routine = "routine.%s@dest.example" % new_tag()
    held_gateway.send(bcc=[urgent], sender="claimant@source.example")
    head, recipients = explain(held_gateway, held_gateway.send(bcc=[urgent, routine]))
    assert (head["way"], head["priority"]) == ("filter", "1")
    assert (recipients[routine]["priority"], recipients[routine]["instance"]) == ("0", "1")
    assert recipients[routine]["route"] == recipients[urgent]["route"]


def test_it_is_known_from_journal_and_snapshot_when_the_daemons_were_killed(held_gateway, waiting):
    said = explain_all(held_gateway, waiting)
    (segment,) = segments(held_gateway)[-1:]
    held_gateway.stop_milter(signal.SIGKILL)
    held_gateway.stop_tcpmap(signal.SIGKILL)
    assert explain_all(held_gateway, waiting) == said
    start_daemons(held_gateway)
    close_segment(held_gateway)
    tidied = tidy(held_gateway, "--force").stderr
    assert re.search(r"queue: \d+ messages, \d+ recipients, 0 without a decision; store: ", tidied)
    assert segment not in segments(held_gateway)
    assert explain_all(held_gateway, waiting) == said


@pytest.mark.parametrize(
    "local",
    ['"quo ted.%s"', '"a\\\\b\\"c.%s"', "a?b.%s", '"a\x01b.%s"', "pel\u00e9.%s", "no.%s%%relay"],
)
def test_a_look_into_the_queue_knows_every_kind_of_address(held_gateway, local):
    sent = held_gateway.send(bcc=["%s@Dest.Example" % (local % new_tag())])
    said = tidy(held_gateway, "--force").stderr
    assert " 0 without a decision" in said and "warning" not in said
    held_gateway.postsuper("frontend", "-d", sent.queue_id)


def test_the_snapshot_can_be_read_with_the_tools_of_cdb_and_postfix(held_gateway, waiting):
    close_segment(held_gateway)
    tidy(held_gateway, "--force")
    record = query_cdb(held_gateway, waiting.respell.queue_id)
    assert re.match(r"%s \S+ respell\n" % waiting.respell.queue_id, record)
    assert "%s\n" % waiting.urgent in record
    for query in (query_cdb, query_postfix):
        value = query(held_gateway, waiting.urgent)
        assert value.split()[:3] == ["0", waiting.plain.queue_id, "3"]
        assert query(held_gateway, waiting.urgent.lower()) == ""


def query_cdb(gateway, key):
    return run("cdb", "-q", gateway.path(SNAPSHOT), key)


def query_postfix(gateway, key):
    table = "cdb:" + gateway.path(SNAPSHOT)[: -len(".cdb")]
    return run("postmap", "-c", gateway.config_dir("frontend"), "-f", "-q", key, table)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True).stdout


def test_mail_goes_where_it_should_after_all(private_gateway):
    gateway = private_gateway(rules=ways.RULES)
    gateway.ctl("stop", *INSTANCES)
    waiting = Waiting(gateway)
    close_segment(gateway)
    tidy(gateway, "--force")
    gateway.stop_milter(signal.SIGKILL)
    gateway.stop_tcpmap(signal.SIGKILL)
    os.unlink(gateway.path(TABLE))  # as after a crash of the host
    gateway.ctl("start")
    gateway.flush("frontend")
    assert gateway.delivered(waiting.plain) == {waiting.urgent: 0}
    assert gateway.delivered(waiting.filter) == {waiting.urgent: 1}
    assert gateway.delivered(waiting.respell) == {waiting.urgent: 1, waiting.routine: 0}


def test_status_counts_what_happens(held_gateway):
    before = status(held_gateway)
    held_gateway.send(bcc=["routine.%s@dest.example" % new_tag()])
    held_gateway.look_up("nobody.%s@dest.example" % new_tag())
    after = status(held_gateway)
    assert after["capacity"] == before["capacity"] > 0 == after["unsure"]
    for name in ("live_claims", "claims", "plain", "misses"):
        assert after[name] == before[name] + 1, name
    assert after["journal_segments"] == len(segments(held_gateway))
    assert after["journal_bytes"] > before["journal_bytes"]


def test_status_changes_nothing(held_gateway):
    before = tree(held_gateway.path(STORE)), status(held_gateway)
    assert (tree(held_gateway.path(STORE)), status(held_gateway)) == before


def test_without_a_table_there_is_no_status_and_nothing_to_tidy(private_gateway):
    gateway = private_gateway(start=False)
    gateway.write()
    before = tree(gateway.root)
    done = gateway.tool("peg-decisions", "status", check=False)
    assert done.returncode == 1 and done.stdout == "" and "no decision table" in done.stderr
    assert "nothing to do yet" in gateway.tool("peg-decisions", "tidy").stderr
    assert tree(gateway.root) == before


def test_no_file_comes_to_belong_to_root(held_gateway):
    tidy(held_gateway, "--force")
    user = pwd.getpwnam("nobody")
    for folder in (STORE, "run/priority-email-gateway"):
        for name in os.listdir(held_gateway.path(folder)):
            if not name.endswith(".pid"):
                path = os.path.join(held_gateway.path(folder), name)
                assert os.lstat(path).st_uid == user.pw_uid, path


def test_a_message_that_is_not_known(held_gateway):
    done = held_gateway.tool("peg-explain", "--queue-id", "NOSUCH", check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert "NOSUCH" in done.stderr and "may have been forgotten" in done.stderr


def test_others_may_not_read_it(held_gateway, waiting):
    for command in (
        ["peg-explain", "--queue-id", waiting.plain.queue_id],
        ["peg-decisions", "status"],
    ):
        done = subprocess.run(
            ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"]
            + [os.path.join(held_gateway.build, command[0]), "--root", held_gateway.root]
            + command[1:],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        assert done.returncode == 1 and done.stdout == ""
        assert "Permission denied" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("peg-explain", "--queue-id"),
        ("peg-explain", "--queue-id", "4XyZ0", "bob@dest.example"),
        ("peg-explain", "--queue-id", "4XyZ0", "-f", "alice@source.example"),
        ("peg-decisions",),
        ("peg-decisions", "forget"),
        ("peg-decisions", "tidy", "more"),
        ("peg-decisions", "status", "--force"),
    ],
)
def test_wrong_usage_is_status_2(held_gateway, arguments):
    done = held_gateway.tool(*arguments, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert "Try '%s --help'." % arguments[0] in done.stderr
