"""peg-decisions is killed while it looks into the queue or writes the store anew: nothing is lost.

Neither what was decided for mail that waits or flows, nor what it would have cleaned up: the next
run does that.
"""

import contextlib
import os
import signal
import subprocess
import time

import pytest

from harness import keeper, processes, torture
from harness.backlog import CONF
from harness.gateway import Gateway
from harness.installation import POLL_S
from harness.load import Load
from harness.mail import new_tag
from harness.plan import PRIORITIES, RULES, headers
from harness.queues import release, send_to_hold
from harness.waiting import Waiting

KILLS = torture.count(10, 200)
WRITES_S = 0.02  # about so long it takes to replace the snapshot and the segments


@pytest.fixture(scope="module", name="tidied_gateway")
def gateway_of_these_tests():
    with Gateway(rules=RULES, template_conf=CONF) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def everything_runs_in_the_end(tidied_gateway):
    yield
    tidied_gateway.start_milter()
    tidied_gateway.postsuper("frontend", "-d", "ALL")


def hold_in_new_segment(gateway, priority):
    """A message that waits, with its decision in a new segment of the journal; (Sent, address)."""
    gateway.stop_milter()
    gateway.ctl("start", "milter")
    address = "s.%s@dest.example" % new_tag()
    (sent,) = send_to_hold(gateway, [dict(to=[address], headers=headers(priority))])
    return sent, address


def start_tidying(gateway):
    command = gateway.command("peg-decisions", "tidy", "--force")
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)


def wait_for_any_moment(dice, duration_s):
    time.sleep(dice.random() * duration_s * 1.2)


def wait_for_a_moment_when_it_writes(gateway, dice, run):
    """Wait until the new snapshot has been begun, and a little more, or until it has ended."""
    while run.poll() is None and not os.path.exists(gateway.path(keeper.SNAPSHOT + ".new")):
        time.sleep(0.0005)
    time.sleep(dice.random() * WRITES_S)


def time_of_a_run(gateway):
    started = time.monotonic()
    assert start_tidying(gateway).wait() == 0
    return time.monotonic() - started


@contextlib.contextmanager
def nobody_shows_the_queue(gateway):
    """Whoever asks for the frontend's queue waits."""
    programs = gateway.postfix_processes("frontend")
    with processes.halted(*(pid for pid in programs if programs[pid] in ("master", "showq"))):
        yield


def child_of_tcpmap(gateway, timeout=30):
    """The process id of the peg-decisions that peg-tcpmap has started, once it has."""
    tcpmap = gateway.daemon_pid("peg-tcpmap")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with open("/proc/%d/task/%d/children" % (tcpmap, tcpmap)) as file:
            children = file.read().split()
        if children:
            return int(children[0])
        time.sleep(POLL_S)
    raise TimeoutError("peg-tcpmap has started nothing within %s s" % timeout)


def test_killed_at_any_moment_it_loses_nothing(tidied_gateway):
    dice = torture.dice()
    waiting = Waiting(tidied_gateway, lambda messages: send_to_hold(tidied_gateway, messages))
    duration_s = time_of_a_run(tidied_gateway)
    killed, held = 0, []
    with Load(tidied_gateway, dice) as load:
        for number in range(5 * KILLS):
            if number >= KILLS and killed > KILLS / 4:
                break  # on a machine whose pace changes more runs than that end before they are killed
            priority = dice.choice(PRIORITIES)
            held.append((priority, *hold_in_new_segment(tidied_gateway, priority)))
            run = start_tidying(tidied_gateway)
            if number % 2:
                wait_for_any_moment(dice, duration_s)
            else:
                wait_for_a_moment_when_it_writes(tidied_gateway, dice, run)
            run.kill()
            killed += run.wait() == -signal.SIGKILL
            load.wait_for(2)
    assert killed > KILLS / 4
    keeper.tidy(tidied_gateway, "--force")
    assert keeper.strange_files(tidied_gateway) == []
    assert len(keeper.segments(tidied_gateway)) == 1
    waiting.check_recorded()
    for priority, sent, address in held:
        assert keeper.recorded(tidied_gateway, sent).priorities == {address: priority}
    waiting.defend_their_keys()
    keeper.lose_table(tidied_gateway)
    release(tidied_gateway)
    waiting.check_delivered()
    for priority, sent, address in held:
        assert tidied_gateway.delivered(sent) == {address: priority}
    # Whenever peg-milter was started anew some went by undecided.
    assert [(o.sent, o.misrouted) for _, o in load.outcomes() if o.decision and o.misrouted] == []


def test_killed_while_it_waits_for_the_queue_it_is_started_again(tidied_gateway):
    tidied_gateway.stop_tcpmap()
    for priority in PRIORITIES[:2]:
        hold_in_new_segment(tidied_gateway, priority)
    with nobody_shows_the_queue(tidied_gateway):
        tidied_gateway.tool("peg-tcpmap")
        run = child_of_tcpmap(tidied_gateway)
        time.sleep(torture.count(0.1, 3))
        processes.end(run, signal.SIGKILL)
        tidied_gateway.log.wait_for("peg-tcpmap.*peg-decisions was ended by signal 9")
    if torture.is_long():
        keeper.wait_for_looks(tidied_gateway, keeper.status(tidied_gateway)["scans"] + 1, 90)
    keeper.tidy(tidied_gateway, "--force")
    assert keeper.strange_files(tidied_gateway) == []
    assert len(keeper.segments(tidied_gateway)) == 1
