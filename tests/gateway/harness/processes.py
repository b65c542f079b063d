"""Processes of one gateway: waiting for their end, ending them, finding what was left behind."""

import contextlib
import os
import select
import signal
import time

POLL_S = 0.02


def read_pid(path):
    """The process id in a pid file, or None if there is no such file or nothing in it."""
    try:
        with open(path) as pid_file:
            return int(pid_file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def is_running(pid):
    """Whether the process exists and is more than a zombie."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def wait_gone(pid, timeout=30):
    """Wait until the process has ended; returns whether it has."""
    deadline = time.monotonic() + timeout
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # an old kernel, or a sandbox that forbids it
        while is_running(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True
    try:
        return bool(select.select([descriptor], [], [], timeout)[0]) or not is_running(pid)
    finally:
        os.close(descriptor)


def end(pid, signal_number=signal.SIGTERM, timeout=30):
    """Send the signal and wait; raises TimeoutError if the process is still there."""
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return
    if not wait_gone(pid, timeout):
        raise TimeoutError(
            "process %d did not end within %s s after signal %d" % (pid, timeout, signal_number)
        )


def belonging_to(root):
    """{pid: command line} of the Postfix and peg- daemons that serve the gateway under `root`.

    They run in one of its folders or were given a path in it. A shell or a pager that somebody
    opened there is none of them.
    """
    folders = {root, os.path.realpath(root)}
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        program = _link("/proc/%s/exe" % name)
        command = _command_line(name)
        places = [_link("/proc/%s/cwd" % name)] + [
            word for argument in command for word in argument.split("=")
        ]
        if (
            ("/postfix/" in program or os.path.basename(program).startswith("peg-"))
            and any(_is_inside(place, folder) for place in places for folder in folders)
            and is_running(int(name))
        ):
            found[int(name)] = " ".join(command)
    return found


def works_in(pid, folder):
    """Whether the process has its current directory in the folder or below it."""
    return _is_inside(_link("/proc/%d/cwd" % pid), folder)


def _is_inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _command_line(pid):
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as cmdline:
            return cmdline.read().decode("utf-8", "replace").rstrip("\0").split("\0")
    except OSError:
        return []


@contextlib.contextmanager
def halted(*pids):
    """`with halted(pid):` the processes do nothing at all."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def kill_all(find, timeout=30):
    """kill -9 for the processes that `find()` returns as {pid: command line}, all at once.

    Raises TimeoutError where some are still there, or come again.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = find()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return
        if time.monotonic() > deadline:
            raise TimeoutError("these did not end: %s" % found)


def end_all(find, patience_s=5):
    """End the processes that `find()` returns as {pid: command line}; returns those that had to be.

    Children of a server that has just ended get `patience_s` to follow it.
    """
    deadline = time.monotonic() + patience_s
    while find() and time.monotonic() < deadline:
        time.sleep(POLL_S)
    left = find()
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for pid in find():
            try:
                end(pid, signal_number, timeout=2)
            except TimeoutError:
                pass
    return left
