"""A flood of bounces: so many calls a minute, and one that stands for all the others."""

import os
import pwd
import signal
import time

import pytest

from harness import processes
from harness.gateway import Gateway
from harness.recorder import Recorder

LIMIT = 4
FLOOD = 200
MINUTE_S = 60
NOBODY = pwd.getpwnam("nobody")
X_PRIORITY = {3: "2", 4: "1"}


@pytest.fixture(scope="module", name="flooded")
def gateway_of_these_tests():
    gateway = Gateway()
    gateway.recorder = Recorder(gateway.root)
    with gateway:
        gateway.write_conf(
            {"BOUNCE_COMMAND_DEFAULT": gateway.recorder.command, "BOUNCE_COMMAND_LIMIT": LIMIT}
        )
        gateway.gen("apply")
        yield gateway


@pytest.fixture(autouse=True)
def all_recipients_are_unknown(flooded):
    flooded.relay.refuse_recipient("@dest", "550 5.1.1 no such user")


def flood(gateway, instance, count):
    """Have an instance return so many messages, and wait until all notices are handled."""
    with gateway.sender() as sender:
        for number in range(count):
            sender.send(
                to=["u%d@dest.example" % number], priority_header=X_PRIORITY[instance]
            )
    gateway.wait_until_empty(120)


def calls_of(gateway, instance):
    return [c for c in gateway.recorder.calls() if c.facts["PRIORITY"] == str(instance)]


def count_of(calls):
    return [int(call.facts["COUNT"]) for call in calls]


def wait_for_calls(gateway, instance, count, timeout):
    deadline = time.monotonic() + timeout
    while len(calls_of(gateway, instance)) < count:
        assert time.monotonic() < deadline, gateway.log.tail(20)
        time.sleep(0.05)
    return calls_of(gateway, instance)


def waiters(gateway, instance):
    """The processes of peg-bounce that wait for an instance."""
    name = "postfix%d" % instance
    return [
        pid
        for pid, command in gateway.leftovers().items()
        if "peg-bounce --root" in command and command.endswith(name)
    ]


def state_file(gateway, instance, name):
    return gateway.path("var/lib/priority-email-gateway-bounce/postfix%d/%s" % (instance, name))


def counted(gateway, instance):
    """What peg-bounce has counted for an instance."""
    with open(state_file(gateway, instance, "counts")) as file:
        return {name: int(number) for name, number in map(str.split, file)}


def test_a_flood_is_told_in_so_many_calls_and_one_more(flooded):
    started = time.monotonic()
    flood(flooded, 4, FLOOD)
    flood(flooded, 3, LIMIT + 7)
    assert count_of(calls_of(flooded, 4)) == [1] * LIMIT
    assert count_of(calls_of(flooded, 3)) == [1] * LIMIT
    (waiter,) = waiters(flooded, 3)
    os.kill(waiter, signal.SIGKILL)
    assert processes.wait_gone(waiter)
    assert len(waiters(flooded, 4)) == 1

    # No further bounce comes, and the rest is told all the same.
    *_, last = wait_for_calls(flooded, 4, LIMIT + 1, MINUTE_S + 20)
    assert time.monotonic() - started >= MINUTE_S
    assert int(last.facts["COUNT"]) == FLOOD - LIMIT
    assert last.recipients[0].endswith("@dest.example") and last.facts["REASON"][:5] == "5.1.1"
    assert last.facts["QUEUE_ID"] in last.notice and last.recipients[0] in last.notice
    assert not os.path.exists(state_file(flooded, 4, "held-back"))

    # Whoever waited for instance 3 is gone: the next bounce makes up for it.
    time.sleep(max(0, started + MINUTE_S + 20 - time.monotonic()))
    assert count_of(calls_of(flooded, 3)) == [1] * LIMIT
    flood(flooded, 3, 1)
    assert count_of(wait_for_calls(flooded, 3, LIMIT + 2, 30)) == [1] * LIMIT + [7, 1]
    assert flooded.log.find("peg-bounce.*error") == []
    assert counted(flooded, 4) == {
        "bounces": FLOOD,
        "held_back": FLOOD - LIMIT,
        "calls": LIMIT + 1,
        "failures": 0,
    }
    counts = counted(flooded, 3)
    assert (counts["bounces"], counts["held_back"]) == (LIMIT + 8, 7)


def test_nobody_waits_any_more_when_postfix_has_stopped_and_the_count_stays(flooded):
    flooded.recorder.clear()
    flood(flooded, 4, LIMIT + 3)
    held_back = LIMIT + 3 - len(calls_of(flooded, 4))
    assert held_back > 0
    (waiter,) = waiters(flooded, 4)
    flooded.ctl("stop", "4")
    assert processes.wait_gone(waiter, 5)
    with open(state_file(flooded, 4, "limit"), "rb") as file:
        assert int.from_bytes(file.read(8), "little") == held_back
    flooded.ctl("start", "4")


def test_the_state_is_for_the_user_of_the_command_alone(flooded):
    status = os.stat(os.path.dirname(state_file(flooded, 4, "limit")))
    assert (status.st_uid, status.st_mode & 0o777) == (NOBODY.pw_uid, 0o700)
    for name in os.listdir(os.path.dirname(state_file(flooded, 4, "limit"))):
        assert os.stat(state_file(flooded, 4, name)).st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff" * 8016])
def test_a_damaged_state_is_made_anew(flooded, damage):
    with open(state_file(flooded, 0, "limit"), "wb") as file:
        file.write(damage)
    os.chown(state_file(flooded, 0, "limit"), NOBODY.pw_uid, NOBODY.pw_gid)
    flooded.recorder.clear()
    flooded.send(to=["a@dest.example"], priority_header="5")
    assert count_of(flooded.recorder.wait_for(1)) == [1]
    if damage:
        flooded.log.wait_for("peg-bounce.*limit: damaged")


def test_where_the_state_cannot_be_used_the_command_runs_without_a_limit(flooded):
    folder = os.path.dirname(state_file(flooded, 0, "limit"))
    os.rename(folder, folder + ".away")
    try:
        flooded.recorder.clear()
        with flooded.sender() as sender:
            for _ in range(LIMIT + 2):
                sender.send(to=["a@dest.example"], priority_header="5")
        assert count_of(flooded.recorder.wait_for(LIMIT + 2)) == [1] * (LIMIT + 2)
        flooded.log.wait_for("peg-bounce.*error: .*postfix0: cannot be used: No such file")
        assert "postfix0: new folder" in flooded.gen("diff").stdout
    finally:
        os.rename(folder + ".away", folder)
