"""Mail that stays in a queue: halted queue managers, and messages on hold."""

import contextlib
import time

from . import processes
from .installation import POLL_S


def queue_manager(gateway, instance, timeout=30):
    """The process id of the instance's qmgr, once it is there."""
    deadline = time.monotonic() + timeout
    while True:
        programs = gateway.postfix_processes(instance)
        found = [pid for pid, program in programs.items() if program == "qmgr"]
        if found or time.monotonic() > deadline:
            (pid,) = found
            return pid
        time.sleep(POLL_S)


@contextlib.contextmanager
def halted(gateway, instance="frontend"):
    """`with halted(gateway):` what comes stays in the queue `incoming`, and nobody looks it up."""
    with processes.halted(queue_manager(gateway, instance)):
        yield


def send_to_hold(gateway, messages, frontend="frontend"):
    """Send messages (arguments of Sender.send) and hold them in a frontend; returns [Sent]."""
    at = getattr(gateway, frontend)
    with halted(gateway, frontend), gateway.sender(at=at) as sender:
        sent = [sender.send(**message) for message in messages]
        for message in sent:
            gateway.postsuper(frontend, "-h", message.queue_id)
    return sent


def release(gateway, frontend="frontend"):
    """Let all mail that is on hold in a frontend go."""
    gateway.postsuper(frontend, "-H", "ALL")
    gateway.flush(frontend)
