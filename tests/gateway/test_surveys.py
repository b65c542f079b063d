"""peg-showqueues --age, --json and --check: what they say is so, and what Postfix says as well."""

import datetime
import json
import os
import re
import subprocess
import time

import pytest

from harness import queues
from harness.folders import QUEUES
from harness.installation import POLL_S
from test_showqueues import halted_queue_managers, queued_as

NAMES = ["postfix-frontend"] + ["postfix%d" % n for n in range(5)]
HEADING = (
    "Message count and oldest message in incoming, active, deferred and hold queues of all "
    "Postfix instances\n\n"
)

__all__ = ["halted_queue_managers"]  # the fixture


def survey(gateway, *options):
    return json.loads(gateway.tool("peg-showqueues", "--json", *options).stdout)


def by_name(taken):
    return {instance["name"]: instance for instance in taken["instances"]}


def seconds(text):
    """Of a time as in 2026-11-26T02:30:00.123Z."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    return datetime.datetime.fromisoformat(text[:-1] + "+00:00").timestamp()


def as_postqueue_says(gateway, instance):
    """{queue: (messages, octets, recipients, arrival of the oldest)} of queues with mail."""
    found = {}
    for message in gateway.queue(instance):
        found.setdefault(message["queue_name"], []).append(message)
    return {
        queue: (
            len(messages),
            sum(message["message_size"] for message in messages),
            sum(len(message["recipients"]) for message in messages),
            min(message["arrival_time"] for message in messages),
        )
        for queue, messages in found.items()
    }


def as_surveyed(instance):
    return {
        name: (
            queue["messages"],
            queue["octets"],
            queue["recipients"],
            int(seconds(queue["oldest"])),
        )
        for name, queue in instance["queues"].items()
        if queue["messages"]
    }


def wait_for_queue(gateway, instance, queue, count):
    deadline = time.monotonic() + 20
    while as_postqueue_says(gateway, instance).get(queue, (0,))[0] != count:
        assert time.monotonic() < deadline, gateway.queue(instance)
        time.sleep(POLL_S)


# Beside Postfix


def fill_instance(gateway, instance, halt):
    """Messages of all sizes, for one recipient or three, in every queue of the instance."""
    header, where = str(5 - instance), "%d@dest.example" % instance
    with gateway.sender() as sender:
        late = [
            sender.send(
                to=["late" + where],
                bcc=["late.%d.%s" % (n, where) for n in range(copies)],
                priority_header=header,
                body="text\r\n" * 500 * copies,
            )
            for copies in (2, 0, 1)
        ]
        busy = sender.send(to=["busy" + where], priority_header=header)
    late = [queued_as(gateway, instance, sent) for sent in late]
    queued_as(gateway, instance, busy)
    for queue_id in late:
        gateway.log.wait_for(r"postfix%d/smtp\S+: %s: .*=deferred" % (instance, queue_id))
    gateway.postsuper(instance, "-h", late[0])
    wait_for_queue(gateway, instance, "active", 1)
    wait_for_queue(gateway, instance, "deferred", 2)
    halt(instance)
    queued_as(gateway, instance, gateway.send(to=["new" + where], priority_header=header))
    return late[0]


def fill_frontend(gateway, halt):
    """Among others a message with a recipient that the milter took away for another."""
    halt("frontend")
    with gateway.sender() as sender:
        first = sender.send(to=["same@dest.example"], priority_header="1")
        sender.send(
            to=["same@dest.example"],
            cc=["other@dest.example"],
            primary_precedence="priority",
            copy_precedence="flash",
        )
    gateway.postsuper("frontend", "-h", first.queue_id)
    assert sum(len(message["recipients"]) for message in gateway.queue("frontend")) == 3


def assert_agrees(gateway):
    taken = survey(gateway, "--age")
    assert (taken["version"], taken["detail"]) == (1, "details")
    for instance, found in zip(gateway.instances(), taken["instances"]):
        assert as_surveyed(found) == as_postqueue_says(gateway, instance), found["name"]
        assert found["messages"] == sum(q["messages"] for q in found["queues"].values())
        for queue in found["queues"].values():
            if queue["oldest"] is not None:
                age = seconds(taken["taken"]) - seconds(queue["oldest"])
                assert queue["oldest_age_seconds"] == int(age)
    return taken


def test_all_figures_of_all_queues_are_those_of_postqueue(gateway, halt):
    gateway.wait_until_empty()
    gateway.relay.hold()
    gateway.relay.refuse_recipient("^late", "451 4.3.0 try again later")
    held = [fill_instance(gateway, instance, halt) for instance in range(5)]
    fill_frontend(gateway, halt)
    taken = by_name(assert_agrees(gateway))
    assert list(taken) == NAMES
    for name in NAMES[1:]:
        assert [taken[name]["queues"][queue]["messages"] for queue in QUEUES] == [1, 1, 2, 1]
        assert taken[name]["queues"]["hold"]["recipients"] == 3
    assert [taken[NAMES[0]]["queues"][queue]["messages"] for queue in QUEUES] == [1, 0, 0, 1]

    counted = survey(gateway)
    assert counted["detail"] == "counts"
    assert by_name(counted)["postfix4"]["queues"]["deferred"] == {
        "messages": 2,
        "octets": None,
        "recipients": None,
        "oldest": None,
        "oldest_age_seconds": None,
    }

    before = as_postqueue_says(gateway, 4)["hold"]
    gateway.postsuper(4, "-r", held[4])  # it is written anew, and stays as old as it is
    subprocess.run(["postkick", "-c", gateway.config_dir(4), "public", "pickup", "W"], check=True)
    wait_for_queue(gateway, 4, "maildrop", 0)
    taken = by_name(assert_agrees(gateway))
    assert int(seconds(taken["postfix4"]["queues"]["incoming"]["oldest"])) == before[3]


def test_ages_stand_behind_the_counts(gateway, halt):
    gateway.wait_until_empty()
    halt("frontend")
    gateway.send(to=["bob@dest.example"])
    shown = gateway.tool("peg-showqueues", "--age").stdout
    age = r"(00:0\d:\d\d)"
    match = re.fullmatch(
        re.escape(HEADING)
        + r" \* postfix-frontend = 1, oldest %s\n   \| incoming = 1, oldest %s\n" % (age, age)
        + r"   \| active   = 0\n   \| deferred = 0\n   \| hold = 0\n"
        + "".join(r" \* %s = 0\n" % name for name in NAMES[1:])
        + r" \* all = 1, oldest %s\n" % age,
        shown,
    )
    assert match, shown
    assert len(set(match.groups())) == 1
    one = gateway.tool("peg-showqueues", "--age", "--instance=4").stdout
    assert one == HEADING + " * postfix4 = 0\n"


# Who runs


def up_since(taken):
    """{name of a part: text, or None for what does not run}."""
    parts = dict(by_name(taken), milter=taken["milter"], tcpmap=taken["tcpmap"])
    assert all((part["state"] == "up") == (part["up_since"] is not None) for part in parts.values())
    return {name: part["up_since"] for name, part in parts.items()}


def test_who_runs_is_up_since_its_start(checked_gateway):
    gateway = checked_gateway
    before, now = up_since(survey(gateway)), time.time()
    assert all(seconds(text) < now for text in before.values())
    gateway.ctl("restart", "1")
    gateway.ctl("reload", "0")  # that is no start
    after = up_since(survey(gateway))
    assert now - 0.1 <= seconds(after.pop("postfix1")) <= time.time()  # file times are coarse
    del before["postfix1"]
    assert after == before
    gateway.ctl("stop", "0")
    try:
        assert up_since(survey(gateway))["postfix0"] is None
    finally:
        gateway.ctl("start", "0")


# --check


def check(gateway, *options):
    """(exit status, text, {label: (value, warning, critical)}) of peg-showqueues --check."""
    done = gateway.tool("peg-showqueues", "--check", *options, check=False)
    text, _, data = done.stdout.partition(" |")
    assert done.stdout.endswith("\n") and done.stdout.count("\n") == 1
    figures = re.findall(r" '([\w-]+)'=(\d+s?);(\d*);(\d*);0", data)
    assert "".join(" '%s'=%s;%s;%s;0" % figure for figure in figures) == data.rstrip("\n")
    return done.returncode, text.rstrip("\n"), {label: rest for label, *rest in figures}


def test_a_healthy_gateway_is_ok(checked_gateway):
    status, text, figures = check(checked_gateway, "--critical=10", "--warning-age=5m")
    assert (status, text) == (0, "PEG OK - 0 messages")
    names = ("postfix-frontend", "postfix0", "postfix1")
    assert list(figures) == [
        "%s-%s%s" % (name, queue, what) for name in names for queue in QUEUES for what in ("", "-age")
    ]
    assert figures["postfix1-hold"] == ["0", "", "10"]
    assert figures["postfix1-hold-age"] == ["0s", "300", ""]


def test_a_queue_beyond_its_limit(checked_gateway):
    gateway = checked_gateway
    queues.send_to_hold(gateway, [{"to": ["held@dest.example"]} for _ in range(3)])
    try:
        assert check(gateway)[:1] == (0,)
        status, text, figures = check(gateway, "--warning=2")
        assert (status, text) == (
            1,
            "PEG WARNING - postfix-frontend hold: 3 messages, more than 2",
        )
        assert figures["postfix-frontend-hold"] == ["3", "2", ""]
        assert check(gateway, "--warning=2", "--critical=2")[0] == 2
        assert check(gateway, "--critical=0", "--instance=1")[0] == 0
        assert check(gateway, "--critical=0", "--instance=frontend")[0] == 2
        gateway.write_conf({"DEFAULT_PRIORITY": 0, "QUEUE_LIMIT_FRONTEND": 2})
        assert check(gateway)[1].endswith("postfix-frontend hold: 3 messages, more than 2")
        gateway.write_conf({"DEFAULT_PRIORITY": 0, "QUEUE_AGE_LIMIT_FRONTEND": "1s"})
        deadline = time.monotonic() + 20
        while check(gateway)[0] == 0 and time.monotonic() < deadline:
            time.sleep(POLL_S)
        assert re.search(
            r"WARNING - postfix-frontend hold: oldest 00:00:\d\d, more than 00:00:01$",
            check(gateway)[1],
        )
    finally:
        gateway.write_conf({"DEFAULT_PRIORITY": 0})
        gateway.postsuper("frontend", "-d", "ALL")


@pytest.mark.parametrize(
    "part, name",
    [("1", "postfix1"), ("frontend", "postfix-frontend"), ("milter", "peg-milter"),
     ("tcpmap", "peg-tcpmap")],
)
def test_a_part_that_does_not_run_is_critical(checked_gateway, part, name):
    checked_gateway.ctl("stop", part)
    try:
        assert check(checked_gateway)[:2] == (2, "PEG CRITICAL - %s is down" % name)
        assert check(checked_gateway, "--instance=0")[0] == 0
    finally:
        checked_gateway.ctl("start")


def test_what_cannot_be_seen_is_unknown(checked_gateway):
    hold = os.path.join(checked_gateway.queue_dir(1), "hold")
    os.rename(hold, hold + ".away")
    try:
        status, text, figures = check(checked_gateway)
    finally:
        os.rename(hold + ".away", hold)
    assert status == 3
    assert text.startswith("PEG UNKNOWN - %s: No such file or directory, " % hold)
    assert "postfix0-hold" in figures and "postfix1-hold" not in figures


def test_a_broken_configuration_is_unknown(checked_gateway):
    checked_gateway.write_conf("NONSENSE=1\nMORE=2\n")
    try:
        status, text, figures = check(checked_gateway)
    finally:
        checked_gateway.write_conf({"DEFAULT_PRIORITY": 0})
    assert status == 3 and figures == {}
    assert text.startswith("PEG UNKNOWN - ") and ":1: " in text


@pytest.mark.parametrize(
    "options, status",
    [
        (["--check", "--warning=many"], 3),
        (["--warning-age=1x", "--check"], 3),
        (["--check", "--nonsense"], 3),
        (["--chec", "--warning=many"], 3),
        (["--check=5"], 3),
        (["--check", "--json"], 3),
        (["--check", "surplus"], 3),
        (["--check", "--instance=postfix99"], 3),
        (["--check", "--instance=7"], 3),
        (["--warning=5"], 2),
        (["--instance="], 2),
        (["--instance=07x"], 2),
        (["--instance=7"], 1),
    ],
)
def test_wrong_usage_says_so_and_never_looks_like_a_finding(checked_gateway, options, status):
    done = checked_gateway.tool("peg-showqueues", *options, check=False)
    assert done.returncode == status
    assert done.stderr or done.stdout.startswith("PEG UNKNOWN - there is no postfix7 on this host")
