"""Files that the daemons' user may not read: at start it is said which, and nothing runs by halves.

Whoever runs already goes on with what it has.
"""

import concurrent.futures
import contextlib
import os
import re
import signal
import socket

import pytest

from harness import keeper
from harness.backlog import CONF as LONG_QUEUE_IDS
from harness.gateway import Gateway
from harness.mail import new_tag
from harness.plan import RULES as PLAN_RULES
from harness.plan import headers
from harness.queues import release, send_to_hold

CONF = "etc/priority-email-gateway.conf"
RULES = "etc/priority-email-gateway.rules"
SEGMENT = "the first segment"  # of the journal
LOCK = keeper.STORE + "/table.lock"
PARENT = "var/lib"
# What its user needs to read, and which file the complaint is about where that is another one.
NEEDED = {
    "peg-milter": (
        (RULES, RULES),
        (CONF, CONF),
        (keeper.TABLE, keeper.TABLE),
        (LOCK, LOCK),
        (PARENT, keeper.STORE),
        (SEGMENT, SEGMENT),
        (keeper.SNAPSHOT, keeper.SNAPSHOT),
    ),
    "peg-tcpmap": (
        (CONF, CONF),
        (PARENT, keeper.STORE),
        (SEGMENT, SEGMENT),
        (keeper.SNAPSHOT, keeper.SNAPSHOT),
    ),
}
CASES = [(program, *files) for program, needed in NEEDED.items() for files in needed]
DENIED = "Permission denied"
KILL = {"peg-milter": Gateway.stop_milter, "peg-tcpmap": Gateway.stop_tcpmap}


@pytest.fixture(scope="module", name="locked_gateway")
def gateway_of_these_tests():
    with Gateway(rules=PLAN_RULES, template_conf=LONG_QUEUE_IDS) as gateway:
        # A segment, a snapshot, and one more segment.
        gateway.send(to=["first.%s@dest.example" % new_tag()], headers=headers(4))
        gateway.ctl("restart", "milter")
        gateway.send(to=["second.%s@dest.example" % new_tag()], headers=headers(4))
        keeper.tidy(gateway, "--force")
        yield gateway


@pytest.fixture(autouse=True)
def everything_runs_in_the_end(locked_gateway):
    yield
    locked_gateway.start_milter()
    assert locked_gateway.reload_rules(PLAN_RULES)


def path_of(gateway, name):
    if name == SEGMENT:
        name = os.path.join(keeper.STORE, keeper.segments(gateway)[0])
    return gateway.path(name)


@contextlib.contextmanager
def unreadable(path):
    """Only root may read the file, or enter the folder."""
    before = os.stat(path)
    os.chown(path, 0, 0)
    os.chmod(path, 0o700 if os.path.isdir(path) else 0o600)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


def running(gateway, program):
    return [command for command in gateway.leftovers().values() if "/" + program + " " in command]


def hold_one(gateway):
    """A message that waits, and must find its claim; returns (Sent, where it goes)."""
    address = "held.%s@dest.example" % new_tag()
    (sent,) = send_to_hold(gateway, [dict(to=[address], headers=headers(4))])
    return sent, {address: 4}


def check_mail(gateway, held):
    """What waited goes its own way, and so does a rival that comes before it has."""
    sent, instances = held
    (address,) = instances
    rival = gateway.send(to=[address], headers=headers(0))
    assert gateway.delivered(rival) == {address: 0}
    release(gateway)
    assert gateway.delivered(sent) == instances


@pytest.mark.parametrize("program, locked, complained_of", CASES)
def test_who_starts_says_what_it_cannot_read(locked_gateway, program, locked, complained_of):
    held = hold_one(locked_gateway)
    KILL[program](locked_gateway, signal.SIGKILL)
    said = re.escape(path_of(locked_gateway, complained_of)) + ".*" + DENIED
    with unreadable(path_of(locked_gateway, locked)):
        since = locked_gateway.log.end()
        done = locked_gateway.tool(program, check=False, timeout=20)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert re.search(said, done.stderr) or locked_gateway.log.find(said, since), done
        done = locked_gateway.tool(program, "-f", check=False, timeout=20)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert re.search(said, done.stderr), done
        done = locked_gateway.ctl("start", check=False)
        assert done.returncode == 1 and "nothing else is started" in done.stderr
        assert running(locked_gateway, program) == []
        if program == "peg-tcpmap":
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", locked_gateway.ports.tcpmap), 10)
        else:
            assert not os.path.exists(locked_gateway.milter_socket())
    locked_gateway.ctl("start")
    check_mail(locked_gateway, held)


def test_a_store_that_is_no_folder(locked_gateway):
    store = locked_gateway.path(keeper.STORE)
    locked_gateway.ctl("stop", "milter", "tcpmap")
    os.rename(store, store + ".away")
    try:
        with open(store, "w"):
            pass
        for program in NEEDED:
            done = locked_gateway.tool(program, "-f", check=False, timeout=20)
            assert done.returncode == 1 and store + " is not a folder: remove it" in done.stderr
        os.unlink(store)
    finally:
        os.rename(store + ".away", store)


def test_the_owner_of_the_store_is_set_right_at_start(locked_gateway):
    held = hold_one(locked_gateway)
    store = locked_gateway.path(keeper.STORE)
    locked_gateway.ctl("stop", "milter", "tcpmap")
    os.chown(store, 0, 0)
    os.chmod(store, 0o700)
    locked_gateway.ctl("start")
    check_mail(locked_gateway, held)


@pytest.mark.parametrize("locked", [keeper.TABLE, LOCK])
def test_lookups_wait_for_a_table_that_cannot_be_read(locked_gateway, locked):
    """The lookup server serves before there is a table, and so it does not end for want of one."""
    held = hold_one(locked_gateway)
    locked_gateway.stop_tcpmap(signal.SIGKILL)
    # Who finds a table needs no lock.
    if locked == LOCK:
        locked_gateway.stop_milter(signal.SIGKILL)
        os.unlink(locked_gateway.path(keeper.TABLE))
    (address,) = held[1]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        with unreadable(path_of(locked_gateway, locked)):
            since = locked_gateway.log.end()
            locked_gateway.ctl("start", "tcpmap")
            said = "the decision table is not available, lookups wait for it: .*%s: %s"
            said %= path_of(locked_gateway, locked), DENIED
            locked_gateway.log.wait_for(said, since=since)
            answer = threads.submit(locked_gateway.look_up, address)
            assert concurrent.futures.wait([answer], timeout=1).not_done
        assert answer.result(timeout=5).startswith("200 peg4:")
    assert locked_gateway.log.find("the decision table is available again", since=since)
    locked_gateway.ctl("start")
    check_mail(locked_gateway, held)


@pytest.mark.parametrize("locked", [RULES, CONF])
def test_a_reload_of_what_cannot_be_read_changes_nothing(locked_gateway, locked):
    path = path_of(locked_gateway, locked)
    locked_gateway.write_rules("")
    with unreadable(path):
        assert not locked_gateway.reload_milter()
        assert locked_gateway.log.find("peg-milter.*%s: .*%s" % (path, DENIED))
        if locked == CONF:
            os.kill(locked_gateway.daemon_pid("peg-tcpmap"), signal.SIGUSR1)
            locked_gateway.log.wait_for("peg-tcpmap.*%s: .*%s" % (path, DENIED))
            locked_gateway.log.wait_for("peg-tcpmap.*the settings stay as they were")
        bob = "bob.%s@dest.example" % new_tag()
        sent = locked_gateway.send(to=[bob], headers=headers(4))
        assert locked_gateway.delivered(sent) == {bob: 4}


@pytest.mark.parametrize("locked", [SEGMENT, keeper.SNAPSHOT, keeper.STORE + "/tidy.lock"])
def test_nothing_is_forgotten_while_something_cannot_be_read(locked_gateway, locked):
    held = hold_one(locked_gateway)
    locked_gateway.ctl("restart", "milter")
    locked_gateway.send(to=["new.%s@dest.example" % new_tag()], headers=headers(4))
    path = path_of(locked_gateway, locked)
    said = re.escape(path) + ": " + DENIED
    segments = keeper.segments(locked_gateway)
    with unreadable(path):
        done = keeper.tidy(locked_gateway, "--force", check=False)
        assert done.returncode == 1 and re.search(said, done.stderr), done
        assert keeper.segments(locked_gateway) == segments
        if "lock" not in locked:
            done = locked_gateway.tool("peg-explain", "--queue-id", held[0].queue_id, check=False)
            assert done.returncode == 0 or re.search(said, done.stderr)
    keeper.tidy(locked_gateway, "--force")
    assert len(keeper.segments(locked_gateway)) < len(segments)
    check_mail(locked_gateway, held)
