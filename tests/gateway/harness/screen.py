"""A program on a terminal of its own, and what can be seen there."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pytest

pyte = pytest.importorskip("pyte")

PATIENCE_S = 30
POLL_S = 0.05


class Screen:
    """`with Screen(command) as screen:` runs it on a terminal of lines x columns.

    bytes         all that it has written
    first_modes   modes() before it was started
    """

    def __init__(self, command, columns=80, lines=24, **environment):
        self._command = command
        self._environment = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
        self._environment.update(environment)
        for name in [n for n, value in self._environment.items() if value is None]:
            del self._environment[name]
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.bytes = b""
        self.first_modes = None
        self._process = self._own = self._its = None

    def __enter__(self):
        self._own, self._its = pty.openpty()
        self._set_size(self._screen.columns, self._screen.lines)
        self.first_modes = self.modes()
        self._process = subprocess.Popen(
            self._command,
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            env=self._environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        return self

    def __exit__(self, *exception):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
        os.close(self._own)
        os.close(self._its)

    @property
    def pid(self):
        return self._process.pid

    def lines(self):
        """What stands on the screen, without blanks at the ends of lines."""
        self._read()
        return [line.rstrip() for line in self._screen.display]

    def colours(self, line):
        """The colours of what is not blank in a line: {"default", "red"}."""
        self._read()
        row = self._screen.buffer[line]
        return {row[n].fg for n in range(self._screen.columns) if row[n].data.strip()}

    def line_of(self, beginning):
        """The number and the text of the line that begins so; (-1, "") while there is none."""
        found = ((n, line) for n, line in enumerate(self.lines()) if line.startswith(beginning))
        return next(found, (-1, ""))

    def wait_for(self, is_so):
        """Wait until is_so(lines()) and return the lines."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so(self.lines()):
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(self.lines()))
            select.select([self._own], [], [], POLL_S)
        return self.lines()

    def wait_for_bytes(self, wanted):
        """Wait until it has written this since its beginning or forget_bytes()."""
        self.wait_for(lambda _: wanted in self.bytes)

    def forget_bytes(self):
        """Forget what it has written; what is seen stays."""
        self._read()
        self.bytes = b""

    def press(self, keys):
        os.write(self._own, keys)

    def resize(self, columns, lines):
        """As a window that somebody draws larger or smaller: the terminal tells its program."""
        self._read()
        self._screen.resize(lines, columns)
        self._screen.reset()
        self._set_size(columns, lines)

    def modes(self):
        """How the terminal treats keys, as tcgetattr(3) has it."""
        return termios.tcgetattr(self._its)

    def wait_for_state(self, letter):
        """Wait until the process is in this state of /proc/PID/stat: "T" for one that is stopped."""
        self.wait_for(lambda _: self._state() == letter)

    def send_signal(self, number):
        self._process.send_signal(number)

    def wait_for_end(self):
        """Wait for its end; returns the exit status."""
        self.wait_for(lambda _: self._process.poll() is not None)
        self._read()
        return self._process.returncode

    # Inside

    def _state(self):
        with open("/proc/%d/stat" % self.pid) as stat:
            return stat.read().rpartition(")")[2].split()[0]

    def _set_size(self, columns, lines):
        fcntl.ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self):
        while select.select([self._own], [], [], 0)[0]:
            found = os.read(self._own, 65536)
            self.bytes += found
            self._stream.feed(found)
