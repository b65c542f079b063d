"""The disk for decisions is full, or the decision table: mail goes on, by the filter, undemoted.

What goes by the filter needs no place in the table, and Postfix keeps its priority with it.
"""

import os
import time

import pytest

from harness import keeper, torture
from harness.backlog import CONF, Backlog, begin_without_instances
from harness.busy_senders import BusySenders, outcomes_of
from harness.gateway import Gateway
from harness.mail import new_tag
from harness.plan import RULES, headers
from harness.small_disk import SmallDisk, have_own_mounts
from harness.tree import tree

CAPACITY = 1000
DISK_BYTES = torture.count(1, 8) << 20
SENDERS = 4
MESSAGES = torture.count(25, 1000)  # in each phase
DISK_COMPLAINT = r"peg-milter\[\d+\]: .*No space left on device: decisions are not kept"
DISK_RELIEF = r"peg-milter\[\d+\]: .*decisions are kept again"
TABLE_COMPLAINT = r"peg-milter\[\d+\]: .*the decision table is full: "


@pytest.fixture(scope="module", name="disk")
def gateway_on_a_small_disk():
    if not have_own_mounts():
        pytest.skip("mount namespaces are not to be had here")
    gateway = Gateway(rules=RULES, template_conf=CONF, conf={"TABLE_CAPACITY": CAPACITY})
    try:
        gateway.write()
        with SmallDisk(gateway.path(keeper.STORE), DISK_BYTES) as disk:
            disk.gateway = gateway
            gateway.run()
            try:
                yield disk
            finally:
                gateway.stop()
    finally:
        gateway.remove()


@pytest.fixture(name="tight_gateway")
def gateway_without_a_past(disk):
    disk.make_room()
    begin_without_instances(disk.gateway)
    return disk.gateway


def new_recipients(number):
    return ["new.%s@ward.dest.example" % new_tag() for _ in range(number)]


def send(gateway, to, to_priority, cc=(), cc_priority=None):
    """Send a message; returns Sent, with its way as an attribute."""
    sent = gateway.send(to=to, cc=cc, headers=headers(to_priority, cc_priority))
    sent.way = gateway.decision(sent).way
    return sent


def fill_disk(disk):
    """Fill it up, until not even the journal's last block takes any more."""
    ways = []
    for _ in range(10):  # the kernel counts free blocks for each processor apart, and not exactly
        disk.fill()
        # One block is 4096 bytes; the record of this message is longer.
        ways.append(send(disk.gateway, new_recipients(80), 3).way)
        if ways[-1] == "filter":
            return
    raise AssertionError("the disk takes more and more: %s" % ways)


def check_complaints(gateway, pattern, began):
    """There is one, but no more than one a minute."""
    complaints = gateway.log.find(pattern)
    assert 1 <= len(complaints) <= 1 + (time.monotonic() - began) // 60, complaints


def wait_until_accepted(senders, number, timeout=60):
    """Wait until so many messages more are accepted; returns when that was so."""
    wanted = len(senders.accepted) + number
    deadline = time.monotonic() + timeout
    while len(senders.accepted) < wanted:
        assert time.monotonic() < deadline, "mail is not accepted any more"
        time.sleep(0.02)
    return time.monotonic()


def test_while_the_disk_is_full_mail_goes_by_the_filter(disk, tight_gateway):
    gateway, began = tight_gateway, time.monotonic()
    gateway.ctl("start")
    with BusySenders(gateway, torture.dice(), SENDERS) as senders:
        wait_until_accepted(senders, MESSAGES)
        segments = keeper.segments(gateway)  # the next may be begun while the disk is full
        fill_disk(disk)
        full = time.monotonic()
        no_more = wait_until_accepted(senders, MESSAGES)
        disk.make_room()
        gateway.log.wait_for(DISK_RELIEF)
        wait_until_accepted(senders, MESSAGES)
    outcomes = outcomes_of(gateway, senders.accepted)
    assert [(o.sent, o.way, o.misrouted) for _, o in outcomes if o.misrouted] == []
    meanwhile = {o.way for a, o in outcomes if a.began > full and a.ended < no_more}
    assert meanwhile == {"filter"}
    assert send(gateway, new_recipients(1), 3).way == "plain"
    check_complaints(gateway, DISK_COMPLAINT, began)
    assert len(gateway.log.find(DISK_RELIEF)) == 1
    assert set(keeper.segments(gateway)) > set(segments)
    assert keeper.status(gateway)["undurable"] > 0


def test_what_was_decided_before_and_after_the_disk_was_full_survives(disk, tight_gateway):
    backlog = Backlog(tight_gateway, torture.dice()).add(MESSAGES)
    disk.fill()
    backlog.add(MESSAGES)
    disk.make_room()
    backlog.add(MESSAGES)
    tight_gateway.cut_power()
    tight_gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()


def test_everything_starts_on_a_full_disk_and_remembers(disk, tight_gateway):
    backlog = Backlog(tight_gateway, torture.dice()).add(MESSAGES)
    disk.fill()
    tight_gateway.cut_power()
    tight_gateway.ctl("start")
    backlog.check_moves()
    backlog.check_exact()
    dora, emil = new_recipients(2)
    sent = send(tight_gateway, [dora], 3, [emil], 1)
    assert sent.way == "filter"
    assert tight_gateway.delivered(sent) == {dora: 3, emil: 3}


def test_peg_milter_alone_starts_on_a_full_disk(disk, tight_gateway):
    known = new_recipients(1)
    tight_gateway.ctl("start")
    assert send(tight_gateway, known, 0).way == "plain"
    disk.fill()
    tight_gateway.ctl("restart", "milter")
    full = send(tight_gateway, known, 0)
    disk.make_room()
    room = send(tight_gateway, known, 0)
    assert (full.way, room.way) == ("filter", "plain")
    for sent in (full, room):
        assert tight_gateway.delivered(sent) == dict.fromkeys(known, 0)


def test_where_a_new_snapshot_finds_no_room_all_stays_as_it_was(disk, tight_gateway):
    backlog = Backlog(tight_gateway, torture.dice()).add(MESSAGES)
    tight_gateway.ctl("restart", "milter")
    backlog.add(1)  # begins another segment
    keeper.tidy(tight_gateway)  # has made its lock
    disk.fill()
    before = tree(disk.folder)
    done = keeper.tidy(tight_gateway, "--force", check=False)
    assert done.returncode == 1
    assert "the decisions on disk stay as they are" in done.stderr
    assert "No space left on device" in done.stderr
    assert tree(disk.folder) == before
    disk.make_room()
    keeper.tidy(tight_gateway, "--force")
    assert os.path.exists(tight_gateway.path(keeper.SNAPSHOT))
    assert keeper.strange_files(tight_gateway) == []
    tight_gateway.cut_power()
    tight_gateway.ctl("start")
    backlog.check_exact()


def test_where_the_table_is_full_mail_goes_by_the_filter(tight_gateway):
    gateway, began = tight_gateway, time.monotonic()
    gateway.ctl("start")
    known, ways = {}, []
    while ways.count("plain") == len(ways):
        priority, recipients = len(ways) % 3, new_recipients(100)
        sent = send(gateway, recipients, priority)
        assert gateway.delivered(sent) == dict.fromkeys(recipients, priority)
        ways.append(sent.way)
        known.setdefault(priority, recipients)
    assert ways == ["plain"] * (CAPACITY // 100) + ["filter"]
    assert keeper.status(gateway)["live_claims"] == CAPACITY
    check_ways_where_the_table_is_full(gateway, known)
    check_complaints(gateway, TABLE_COMPLAINT, began)
    assert keeper.status(gateway)["full"] > 0


def check_ways_where_the_table_is_full(gateway, known):
    """known: {priority: recipients that have a claim for it}"""
    (anna, *_), (bert, *_) = known[0], known[1]
    carl, dora = new_recipients(2)
    for to, to_priority, cc, cc_priority, way, instances in [
        ([carl], 0, [], None, "filter", [0]),
        ([carl], 4, [dora], 1, "filter", [4, 4]),
        ([anna], 0, [], None, "plain", [0]),
        ([anna], 0, [bert], 1, "plain", [0, 1]),
        ([anna], 3, [bert], 1, "filter", [3, 3]),
        ([anna], 0, [carl], 2, "filter", [2, 2]),
    ]:
        sent = send(gateway, to, to_priority, cc, cc_priority)
        assert sent.way == way, (to_priority, cc_priority)
        assert gateway.delivered(sent) == dict(zip(to + cc, instances))
