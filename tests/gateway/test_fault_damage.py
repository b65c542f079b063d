"""A disk forgets a bit of what was decided, and the power goes, while mail waits in the frontend.

What was not damaged goes its own way. What is not known any more goes by the highest priority: too
early is better than too late.
"""

import os
import re
import time

import pytest

from harness import keeper, torture
from harness.backlog import CONF, Backlog, begin_without_instances
from harness.damage import flip, place_of
from harness.gateway import Gateway
from harness.mail import new_tag
from harness.plan import RULES, headers

DEFAULT, HIGHEST = 2, 4
OTHERS = torture.count(20, 200)
FRAME = {"magic": 0, "sum": 4, "length": 12}  # store/frame.h
PLACES = torture.count(["text"], ["text"] + list(FRAME))
ROUNDS = torture.count(0, 20)


@pytest.fixture(scope="module", name="worn")
def gateway_of_these_tests():
    with Gateway(rules=RULES, template_conf=CONF) as gateway:
        yield gateway


@pytest.fixture(name="worn_gateway")
def gateway_without_a_past(worn):
    begin_without_instances(worn)
    return worn


class Victim:
    """A plan of one message to somebody to whom nobody else writes."""

    def __init__(self, priority):
        self.address = "victim.%s@dest.example" % new_tag()
        self.priority = priority
        self.priorities = {self.address: priority}

    def send(self, sender):
        return sender.send(to=[self.address], headers=headers(self.priority))

    def line(self):
        """A regular expression for its line in a record of the journal."""
        return rb"\d \d+ \+ %s\n" % re.escape(self.address.encode())

    def entry(self):
        """A regular expression for what stands in the snapshot behind its routing key."""
        return rb"(?<=%s)\d [0-9A-Za-z]+ \d+ " % re.escape(self.address.encode())


def mail_around(gateway, victim, dice):
    """A Backlog in the middle of which stands the victim."""
    backlog = Backlog(gateway, dice).add(OTHERS // 2)
    backlog.add_plans([victim])
    return backlog.add(OTHERS // 2)


def journal(gateway):
    """The path of the segment that is written to."""
    return gateway.path(os.path.join(keeper.STORE, keeper.segments(gateway)[-1]))


def lose_memory(gateway):
    """The daemons stop, and the decision table is gone."""
    gateway.ctl("stop", "milter", "tcpmap")
    gateway.forget_memory()


def start_daemons(gateway, damaged):
    """Start the daemons. They find this file damaged, say so, and set it aside."""
    before = gateway.log.end()
    gateway.ctl("start", "milter", "tcpmap")
    assert gateway.log.find(r"peg-milter\[\d+\]: .*%s is damaged" % re.escape(damaged), before)
    (aside,) = keeper.strange_files(gateway)
    assert re.fullmatch(r"%s\.damaged-\S+" % re.escape(os.path.basename(damaged)), aside)
    assert not os.path.exists(damaged) or damaged.endswith(".cdb")


def is_unsure(gateway):
    return keeper.status(gateway)["unsure"] == 1


def instance_of_anybody(gateway):
    """The instance to which mail goes for somebody of whom nothing is known."""
    route = gateway.look_up("anybody.%s@dest.example" % new_tag())
    return int(re.fullmatch(r"200 peg(\d):.*", route).group(1))


def check_that_it_stays_unsure(gateway):
    """As long as there is mail of which nothing is known."""
    assert is_unsure(gateway)
    keeper.look(gateway, times=2)
    assert is_unsure(gateway)
    assert instance_of_anybody(gateway) == HIGHEST


def check_that_it_becomes_sure(gateway):
    """When all that mail has left: after two looks into the queue, which come by themselves."""
    if torture.is_long():
        deadline = time.monotonic() + 60
        while is_unsure(gateway) and time.monotonic() < deadline:
            torture.let_pass(1)
    else:
        before = keeper.status(gateway)["scans"]
        keeper.look(gateway, times=1)
        is_second = keeper.status(gateway)["scans"] > before + 1  # peg-tcpmap had one, too
        assert is_unsure(gateway) or is_second
        keeper.look(gateway, times=1)
    assert not is_unsure(gateway)
    assert instance_of_anybody(gateway) == DEFAULT


def misrouted(backlog):
    """[(address, its instance, the instance that delivered)] of the whole backlog."""
    return [fault for outcome in backlog.outcomes() for fault in outcome.misrouted]


@pytest.mark.parametrize("place", PLACES)
def test_a_record_of_the_journal_is_damaged(worn_gateway, place):
    victim = Victim(0)
    backlog = mail_around(worn_gateway, victim, torture.dice())
    lose_memory(worn_gateway)
    damaged = journal(worn_gateway)
    flip(damaged, place_in_record(damaged, victim, place))
    start_daemons(worn_gateway, damaged)
    check_that_it_stays_unsure(worn_gateway)
    worn_gateway.ctl("start")
    backlog.check_moves()
    assert misrouted(backlog) == [(victim.address, 0, HIGHEST)]
    check_that_it_becomes_sure(worn_gateway)


def place_in_record(path, victim, place):
    """The offset of the victim's priority, or of something in the frame around its record."""
    line = place_of(path, victim.line())
    if place == "text":
        return line
    with open(path, "rb") as file:
        return file.read(line).rindex(b"PEGJ") + FRAME[place]


def test_a_claim_in_the_snapshot_is_damaged(worn_gateway):
    victim = Victim(0)
    backlog = mail_around(worn_gateway, victim, torture.dice())
    move_to_snapshot(worn_gateway, backlog)
    backlog.add(OTHERS // 2)
    lose_memory(worn_gateway)
    damaged = worn_gateway.path(keeper.SNAPSHOT)
    flip(damaged, place_of(damaged, victim.entry()))
    start_daemons(worn_gateway, damaged)
    check_that_it_stays_unsure(worn_gateway)
    worn_gateway.ctl("start")
    backlog.check_moves()
    assert misrouted(backlog) == [(victim.address, 0, HIGHEST)]
    check_that_it_becomes_sure(worn_gateway)


def move_to_snapshot(gateway, backlog):
    """See to it that all decisions so far stand in the snapshot."""
    gateway.ctl("restart", "milter")
    backlog.add(1)  # begins another segment
    keeper.tidy(gateway, "--force")
    assert len(keeper.segments(gateway)) == 1


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("in_snapshot", [False, True])
def test_a_bit_anywhere_is_wrong(worn_gateway, in_snapshot, seed):
    dice = torture.dice(seed)
    backlog = Backlog(worn_gateway, dice).add(OTHERS // 4)
    if in_snapshot:
        move_to_snapshot(worn_gateway, backlog)
    damaged = worn_gateway.path(keeper.SNAPSHOT) if in_snapshot else journal(worn_gateway)
    lose_memory(worn_gateway)
    flip(damaged, dice.randrange(os.path.getsize(damaged)))
    start_daemons(worn_gateway, damaged)
    worn_gateway.ctl("start")
    faults = misrouted(backlog)
    assert {instance for _, _, instance in faults} <= {HIGHEST}
    print("%d recipients went by the highest priority" % len(faults))
