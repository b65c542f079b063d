"""Reading a growing log file from a mark, and waiting for a line in it."""

import os
import re
import time

POLL_S = 0.02


class LogFile:
    """mail.log of one gateway. The file need not exist yet."""

    def __init__(self, path):
        self.path = str(path)
        self._mark = 0

    def mark(self):
        """Leave what has been logged so far out of sight from now on."""
        self._mark = self.end()

    def end(self):
        """The offset of what will be logged next, to be used as `since`."""
        try:
            return os.path.getsize(self.path)
        except FileNotFoundError:
            return 0

    def lines(self, since=None):
        """The complete lines that were logged since the mark."""
        text, _ = self._read(self._mark if since is None else since)
        return text.splitlines()

    def find(self, regex, since=None):
        """Every match of `regex` in the lines since the mark."""
        pattern = re.compile(regex)
        return [match for match in map(pattern.search, self.lines(since)) if match]

    def wait_for(self, regex, timeout=30, since=None):
        """The first match of `regex` in a line since the mark, as soon as it is there.

        Raises TimeoutError with the last lines of the log.
        """
        return self.wait_for_several(regex, 1, timeout, since)[0]

    def wait_for_several(self, regex, count, timeout=30, since=None):
        """The matches in all lines since the mark, as soon as there are so many; as wait_for()."""
        pattern = re.compile(regex)
        offset = self._mark if since is None else since
        deadline = time.monotonic() + timeout
        found = []
        while True:
            text, offset = self._read(offset)
            found += filter(None, map(pattern.search, text.splitlines()))
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(
                    "%d lines match %r in %s after %s s, not %d; its last lines:\n%s"
                    % (len(found), regex, self.path, timeout, count, self.tail(20))
                )
            time.sleep(POLL_S)

    def tail(self, count=40):
        """The last `count` lines of the whole file, as one text."""
        text, _ = self._read(max(0, self.end() - count * 400))
        return "\n".join(text.splitlines()[-count:])

    def _read(self, offset):
        """Complete lines from `offset` on, and the offset after the last of them."""
        try:
            with open(self.path, "rb") as log:
                log.seek(offset)
                data = log.read()
        except FileNotFoundError:
            return "", offset
        complete = data[: data.rfind(b"\n") + 1]
        return complete.decode("utf-8", "replace"), offset + len(complete)
