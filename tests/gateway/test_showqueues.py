"""peg-showqueues: how many messages stand in each queue, in a layout that stays as it is."""

import collections
import json
import os
import resource
import shutil
import signal
import subprocess

import pytest

from harness.folders import queue_folders
from harness.queues import queue_manager

HEADING = "Message count in incoming, active, deferred and hold queues of all Postfix instances\n\n"
NOTHING = "".join(
    " * %s = 0\n" % name for name in ["postfix-frontend"] + ["postfix%d" % n for n in range(5)]
)


@pytest.fixture(name="halt")
def halted_queue_managers(gateway):
    """A function that halts the queue manager of an instance: what comes stays in incoming."""
    halted = []

    def halt(instance):
        halted.append(queue_manager(gateway, instance))
        os.kill(halted[-1], signal.SIGSTOP)

    yield halt
    for pid in halted:
        os.kill(pid, signal.SIGCONT)
    gateway.relay.behave()
    for instance in gateway.instances():
        gateway.postsuper(instance, "-H", "ALL")
        gateway.flush(instance)
    gateway.wait_until_empty()


def queued_as(gateway, instance, sent):
    """Wait for the message to be received by the instance; returns its queue ID there."""
    received = gateway.log.wait_for(
        r"postfix%d/smtpd.*: (\w+): client=.*orig_queue_id=%s" % (instance, sent.queue_id)
    )
    gateway.log.wait_for(r"postfix-frontend/qmgr.*: %s: removed" % sent.queue_id)
    return received.group(1)


def counts(gateway, instance):
    """What postqueue -j says: {queue: number of messages}."""
    return collections.Counter(message["queue_name"] for message in gateway.queue(instance))


def layout(name, found):
    lines = [" * %s = %d" % (name, sum(found.values()))]
    if found:
        lines += [
            "   | incoming = %d" % found["incoming"],
            "   | active   = %d" % found["active"],
            "   | deferred = %d" % found["deferred"],
            "   | hold = %d" % found["hold"],
        ]
    return "\n".join(lines) + "\n"


def test_instances_without_mail_are_one_line_each(gateway):
    gateway.wait_until_empty()
    done = gateway.tool("peg-showqueues")
    assert (done.stdout, done.stderr) == (HEADING + NOTHING, "")


def test_mail_in_every_queue_is_counted_where_it_stands(gateway, halt):
    gateway.relay.hold()
    gateway.relay.refuse_recipient("^late", "451 4.3.0 try again later")
    active = [gateway.send(to=["bob@dest.example"], priority_header="1") for _ in range(2)]
    late = [gateway.send(to=["late@dest.example"], priority_header="5") for _ in range(3)]
    for sent in active:
        queued_as(gateway, 4, sent)
    deferred = [queued_as(gateway, 0, sent) for sent in late]
    for queue_id in deferred:
        gateway.log.wait_for(r"postfix0/smtp\S+: %s: .*status=deferred" % queue_id)
    gateway.postsuper(0, "-h", deferred[0])
    halt(3)
    queued_as(gateway, 3, gateway.send(to=["carl@dest.example"], priority_header="2"))
    halt("frontend")
    gateway.send(to=["dora@dest.example"], bcc=["emil@dest.example"])
    assert gateway.tool("peg-showqueues").stdout == HEADING + (
        " * postfix-frontend = 1\n"
        "   | incoming = 1\n"
        "   | active   = 0\n"
        "   | deferred = 0\n"
        "   | hold = 0\n"
        " * postfix0 = 3\n"
        "   | incoming = 0\n"
        "   | active   = 0\n"
        "   | deferred = 2\n"
        "   | hold = 1\n"
        " * postfix1 = 0\n"
        " * postfix2 = 0\n"
        " * postfix3 = 1\n"
        "   | incoming = 1\n"
        "   | active   = 0\n"
        "   | deferred = 0\n"
        "   | hold = 0\n"
        " * postfix4 = 2\n"
        "   | incoming = 0\n"
        "   | active   = 2\n"
        "   | deferred = 0\n"
        "   | hold = 0\n"
    )


def test_the_figures_are_those_of_postqueue(gateway, halt):
    gateway.relay.refuse_recipient(".", "451 4.3.0 try again later")
    with gateway.sender() as sender:
        sent = [
            (sender.send(to=["bob@dest.example"], priority_header=str(1 + n % 5)), 4 - n % 5)
            for n in range(40)
        ]
    queue_ids = [(queued_as(gateway, instance, message), instance) for message, instance in sent]
    for queue_id, instance in queue_ids:
        gateway.log.wait_for(r"postfix%d/smtp\S+: %s: .*=deferred" % (instance, queue_id))
    for queue_id, instance in queue_ids[:7]:
        gateway.postsuper(instance, "-h", queue_id)
    found = {"postfix%d" % n: counts(gateway, n) for n in range(5)}
    assert sum(map(sum, (c.values() for c in found.values()))) == 40
    expected = HEADING + layout("postfix-frontend", {})
    expected += "".join(layout(name, found[name]) for name in sorted(found))
    assert gateway.tool("peg-showqueues").stdout == expected


@pytest.fixture(name="folders")
def installation_with_queue_folders_only():
    with queue_folders(2, {"DEFAULT_PRIORITY": 0}) as installation:
        yield installation


@pytest.mark.parametrize("missing", ["var/spool/postfix1", "var/spool/postfix1/hold"])
def test_a_missing_queue_folder_is_an_error_and_the_other_instances_are_shown(folders, missing):
    shutil.rmtree(folders.path(missing))
    done = folders.tool("peg-showqueues", check=False)
    assert done.returncode == 1
    assert done.stdout == HEADING + " * postfix-frontend = 0\n * postfix0 = 0\n"
    assert "%s: No such file or directory" % folders.path(missing) in done.stderr


def test_json_has_the_reason_and_so_has_stderr(folders):
    shutil.rmtree(folders.path("var/spool/postfix1/hold"))
    done = folders.tool("peg-showqueues", "--json", check=False)
    assert done.returncode == 1
    reason = json.loads(done.stdout)["instances"][2]["error"]
    assert done.stderr == "peg-showqueues: %s\n" % reason


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_what_is_not_written_to_its_end_is_an_error(tmp_path):
    path = tmp_path / "shown"
    with queue_folders(64) as folders:
        for options in ([], ["--json"], ["--destinations", "--json"], ["--check"]):
            with open(path, "wb") as out:
                out.write(bytes(4000))
                out.flush()
                done = subprocess.run(
                    folders.command("peg-showqueues", *options),
                    stdout=out,
                    stderr=subprocess.PIPE,
                    text=True,
                    preexec_fn=limit_files,
                    check=False,
                )
            assert path.stat().st_size == 4096
            assert done.returncode == (3 if options == ["--check"] else 1)
            assert "peg-showqueues: cannot write: " in done.stderr


def test_only_queue_files_are_counted(folders):
    queue = os.path.join(folders.queue_dir(0), "deferred")
    os.makedirs(os.path.join(queue, "A", "4"))
    os.makedirs(os.path.join(queue, "lost+found"))
    for name in ("A/4/A41B2C3D", "4jXZq43RmCz1bpGt", ".hidden", "lost+found/9F0", "note.txt"):
        with open(os.path.join(queue, name), "w"):
            pass
    shown = folders.tool("peg-showqueues").stdout
    assert layout("postfix0", collections.Counter(deferred=2)) in shown
