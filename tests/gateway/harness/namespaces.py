"""Networks of their own for tests: what a thread does in one, and who is in which.

    with network_of(machine.pid):
        connection = socket.create_connection(...)
"""

import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def can_make_namespaces():
    """Whether mount, network and process namespaces can be made here."""
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


@contextlib.contextmanager
def network_of(pid):
    """Sockets that this thread makes in the block belong to the network of that process."""
    with open("/proc/thread-self/ns/net") as own, open("/proc/%d/ns/net" % pid) as other:
        _enter(other)
        try:
            yield
        finally:
            _enter(own)


def _enter(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
