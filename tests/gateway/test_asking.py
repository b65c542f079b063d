"""Who may not look at the queues asks peg-monitor: members of its group get what root sees, strangers
an error that says what to do.
"""

import contextlib
import json
import os
import select
import signal
import socket
import stat
import threading

import pytest

from harness.monitor_process import MonitorProcess
from harness.tcpmap_process import speaks_to_service_managers
from test_monitor import (
    add_messages,
    installation_with_queue_folders_only,
    monitor_of_folders,
)
from test_privileges import NOBODY

SOCKET = "run/priority-email-gateway/monitor/ask"
STRANGER = ["setpriv", "--reuid", "daemon", "--regid", "daemon", "--clear-groups"]
MEMBER = STRANGER[:-1] + ["--groups", str(NOBODY.pw_gid)]  # under --root the group of DAEMON_USER
PATIENCE_S = 60
COUNTS = b"counts\n"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes strangers"),
    pytest.mark.skipif(not speaks_to_service_managers(), reason="built without libsystemd"),
]


def seen_by(words, installation, *arguments, check=True):
    """peg-showqueues as it is for a user; returns CompletedProcess."""
    installation.under["user"] = words
    try:
        return installation.tool("peg-showqueues", *arguments, check=check)
    finally:
        del installation.under["user"]


def call(installation, request):
    """Connect and ask; returns the socket."""
    caller = socket.socket(socket.AF_UNIX)
    caller.connect(installation.path(SOCKET))  # waits for its turn, which it does not with a timeout
    caller.settimeout(PATIENCE_S)
    caller.sendall(request)
    return caller


def rest_of(caller):
    """All that is said until the end."""
    with caller, caller.makefile("rb") as answer:
        return answer.read()


def answer_to(installation, request):
    return json.loads(rest_of(call(installation, request)))


def totals_of(answer):
    return {instance["name"]: instance["messages"] for instance in answer["instances"]}


# With real Postfix


def test_a_member_sees_what_root_sees_and_a_stranger_is_told_what_to_do(gateway):
    gateway.relay.refuse_recipient(".", "451 4.3.0 try again later")
    sent = gateway.send(to=["bob@dest.example"], priority_header="1")
    gateway.log.wait_for(r"postfix4/smtp.*status=deferred")
    gateway.log.wait_for(r"postfix-frontend/qmgr.*: %s: removed" % sent.queue_id)
    shown = gateway.tool("peg-showqueues").stdout
    assert " * postfix4 = 1\n" in shown
    assert seen_by(MEMBER, gateway).stdout == shown
    own, asked = (
        json.loads(seen_by(words, gateway, "--json", "--age").stdout)["instances"]
        for words in (["env"], MEMBER)
    )
    for seen in own + asked:
        for queue in seen["queues"].values():
            del queue["oldest_age_seconds"]
        del seen["flow"]
    assert own == asked and own[5]["queues"]["deferred"]["recipients"] == 1
    assert seen_by(MEMBER, gateway, "--check").stdout.startswith("PEG OK")
    refused = seen_by(STRANGER, gateway, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    checked = seen_by(STRANGER, gateway, "--check", check=False)
    assert checked.returncode == 3 and checked.stdout.startswith("PEG UNKNOWN")
    assert refused.stderr == (
        "peg-showqueues: %s/incoming: Permission denied; run this as root, or as a member of the "
        "group nogroup while peg-monitor runs\n" % gateway.queue_dir("frontend")
    )
    gateway.postsuper(4, "-d", "ALL")
    gateway.wait_until_empty()


def test_without_peg_monitor_a_member_is_told_to_start_it(gateway):
    gateway.ctl("stop", "monitor")
    refused = seen_by(MEMBER, gateway, check=False)
    gateway.ctl("start", "monitor")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "peg-monitor, which would look there for members of the group " in refused.stderr
    assert "does not run; start it (peg-ctl start monitor), or run this as root" in refused.stderr
    assert seen_by(MEMBER, gateway).stderr == ""


def test_under_load_every_answer_is_whole(gateway):
    names = ["postfix-frontend"] + ["postfix%d" % n for n in range(5)]
    sent, over = [], threading.Event()

    def send():
        with gateway.sender() as sender:
            while not over.is_set():
                sent.append(sender.send(to=["bob@dest.example"], priority_header=str(len(sent) % 5 + 1)))

    load = threading.Thread(target=send)
    load.start()
    try:
        while len(sent) < 200 and load.is_alive():
            for request in (COUNTS, b"details\n"):
                answer = answer_to(gateway, request)
                assert [instance["name"] for instance in answer["instances"]] == names
                assert [instance["error"] for instance in answer["instances"]] == [None] * 6
    finally:
        over.set()
        load.join()
    for message in sent:
        gateway.delivered(message)


# Without


@pytest.fixture(autouse=True)
def _some_messages(request):
    if "folders" in request.fixturenames:
        add_messages(request.getfixturevalue("folders"), 1, "deferred", 7)


EXPECTED = {"postfix-frontend": 0, "postfix0": 0, "postfix1": 7}


def test_the_socket_is_open_to_the_group_alone_and_goes_with_its_owner(folders, monitor):
    path = folders.path(SOCKET)
    for name, mode in ((path, stat.S_IFSOCK | 0o660), (os.path.dirname(path), stat.S_IFDIR | 0o2750)):
        status = os.stat(name)
        assert (status.st_mode, status.st_uid, status.st_gid) == (mode, NOBODY.pw_uid, NOBODY.pw_gid)
    assert monitor.stop() == 0
    assert not os.path.exists(path)


def test_what_is_no_request_is_told_so(folders, monitor):
    for request in (b"\n", b"nonsense\n", b"\xff" * 1000, b"counts\0\n"):
        with contextlib.suppress(ConnectionResetError):  # it need not read it to its end
            answer = answer_to(folders, request)
            assert answer == {"error": "ask for counts or details, in one line"}
    assert totals_of(answer_to(folders, COUNTS)) == EXPECTED


def test_a_hundred_ask_at_once_and_some_say_nothing(folders, monitor):
    silent = [call(folders, b"") for _ in range(50)]
    asking = [call(folders, COUNTS if n % 2 else b"details\n") for n in range(100)]
    for caller in asking:
        assert totals_of(json.loads(rest_of(caller))) == EXPECTED
    for caller in silent:
        caller.close()
    assert totals_of(answer_to(folders, COUNTS)) == EXPECTED


def test_what_one_that_was_killed_left_is_replaced(folders):
    with MonitorProcess(folders) as first:
        assert totals_of(answer_to(folders, COUNTS)) == EXPECTED
        first.stop(signal.SIGKILL)
    assert os.path.exists(folders.path(SOCKET))
    refused = seen_by(MEMBER, folders, check=False)
    assert refused.returncode == 1 and "does not run; start it" in refused.stderr
    with MonitorProcess(folders):
        assert " * postfix1 = 7\n" in seen_by(MEMBER, folders).stdout


def test_what_is_no_socket_is_left_and_it_does_not_start(folders):
    os.makedirs(os.path.dirname(folders.path(SOCKET)))
    with open(folders.path(SOCKET), "w") as other:
        other.write("mine\n")
    process = MonitorProcess(folders)
    try:
        assert process.run_to_its_end() == 1
        assert "%s is no socket" % folders.path(SOCKET) in process.log()
        with open(folders.path(SOCKET)) as other:
            assert other.read() == "mine\n"
    finally:
        process.remove()


def test_settings_may_change_while_it_is_asked(folders, monitor):
    sets = [set(EXPECTED), set(EXPECTED) - {"postfix0"}]
    seen = []
    for turn in range(40):
        elsewhere = {"INSTANCE_NEXTHOP[0]": "[192.0.2.1]:20000"} if turn % 2 else {}
        folders.write_conf(dict(elsewhere, DEFAULT_PRIORITY=0))
        callers = [call(folders, request) for request in (COUNTS, b"details\n") * 4]
        monitor.count_again()
        for caller in callers:
            seen.append(set(totals_of(json.loads(rest_of(caller)))))
    assert all(names in sets for names in seen)
    assert all(names in seen for names in sets)


def test_a_folder_that_one_may_not_read_is_not_left_out(folders, monitor):
    """A member of one Postfix's group, who sees that one's queues, is shown all."""
    for instance in ("frontend", 0):
        for queue in os.scandir(folders.queue_dir(instance)):
            os.chmod(queue.path, 0o755)
    assert " * postfix1 = 7\n" in seen_by(MEMBER, folders).stdout
    refused = seen_by(STRANGER, folders, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "%s/incoming: Permission denied" % folders.queue_dir(1) in refused.stderr


def test_its_end_does_not_wait_for_who_asks(folders):
    add_messages(folders, 0, "deferred", 20000)
    with MonitorProcess(folders) as monitor:
        callers = [call(folders, b"details\n") for _ in range(20)]
        assert select.select(callers, [], [], PATIENCE_S)[0]  # one answer is there, one look begun
        assert monitor.stop() == 0
        for caller in callers:
            answer = rest_of(caller)
            assert answer == b"" or totals_of(json.loads(answer))["postfix0"] == 20000
