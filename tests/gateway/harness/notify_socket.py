"""The service manager's end of sd_notify(3)."""

import itertools
import os
import socket

_numbers = itertools.count()


class NotifySocket:
    """Hears what a daemon says to its service manager; `with NotifySocket() as notify:`.

    address   the value for NOTIFY_SOCKET
    """

    def __init__(self):
        name = "peg-test-notify-%d-%d" % (os.getpid(), next(_numbers))
        self.address = "@" + name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self._socket.close()

    def next(self, timeout=30):
        """What is said next; raises TimeoutError if it is not said in time."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(4096).decode()
        except (socket.timeout, BlockingIOError):
            raise TimeoutError("nothing was said to the service manager") from None

    def heard(self):
        """All that was said and not yet asked for, as a list."""
        found = []
        while True:
            try:
                found.append(self.next(0))
            except TimeoutError:
                return found
