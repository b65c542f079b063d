"""A daemon of ours that runs alone in the foreground, and tells its service manager of it."""

import os
import signal
import subprocess

from .notify_socket import NotifySocket

PATIENCE_S = 30


class NotifyingProcess:
    """One process after another of the same command.

    notify     what they say to their service manager (NotifySocket)
    log_path   of the file with all that they write to standard error
    """

    def __init__(self, log_path):
        self.log_path = log_path
        self.notify = NotifySocket()
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        """All that they wrote to standard error."""
        with open(self.log_path) as log:
            return log.read()

    def stop(self, number=signal.SIGTERM):
        """End it as a service manager does; returns the exit status."""
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def remove(self):
        """Whatever state it is in, leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self.stop(signal.SIGKILL)
        self.notify.close()

    def _start(self, command, **options):
        """Start it, and wait until it says that it is ready."""
        self._process = self._popen(command, **options)
        try:
            said = self.notify.next(PATIENCE_S)
        except TimeoutError:
            raise AssertionError("it does not get ready:\n" + self.log()) from None
        assert said == "READY=1"
        return self

    def _run_to_its_end(self, command, **options):
        """Start it where that ends at once; returns the exit status."""
        return self._popen(command, **options).wait(PATIENCE_S)

    def _popen(self, command, **options):
        with open(self.log_path, "ab") as log:
            return subprocess.Popen(
                command,
                stderr=log,
                env=dict(os.environ, NOTIFY_SOCKET=self.notify.address),
                **options
            )
