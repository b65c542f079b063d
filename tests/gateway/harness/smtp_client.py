"""A small SMTP client that sends exactly the bytes it is given and shows every reply.

smtplib spells addresses its own way and stops at a refusal; tests of a gateway want neither.
"""

import re
import socket

PIPELINE_LEN = 100  # commands sent before their replies are read: both must fit the socket buffers


class Reply:
    """One SMTP reply: `code`, and its `lines` without the code."""

    def __init__(self, code, lines):
        self.code = code
        self.lines = lines

    @property
    def ok(self):
        """Whether the server did or accepted what it was asked."""
        return self.code < 400

    @property
    def text(self):
        return "\n".join(self.lines)

    def __repr__(self):
        return "%d %s" % (self.code, self.text)


class SmtpClient:
    """One connection. Commands are str (sent as UTF-8, surrogates as raw bytes) or bytes.

    client is the IP address to come from; on Linux any in 127.0.0.0/8 is there.
    """

    def __init__(self, host, port, helo="client.example", esmtp=True, timeout=120, client=None):
        source = (client, 0) if client else None
        self._socket = socket.create_connection((host, port), timeout, source)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        self.greeting = self.read_reply()
        self.features = self.command(("EHLO " if esmtp else "HELO ") + helo)

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is None:
            self.quit()
        self.close()

    def command(self, line):
        """Send one command and return its Reply."""
        return self.commands([line])[0]

    def commands(self, lines):
        """Send the commands in groups, as RFC 2920 allows, and return all replies in order."""
        replies = []
        for start in range(0, len(lines), PIPELINE_LEN):
            group = lines[start : start + PIPELINE_LEN]
            self.send_raw(b"".join(_to_bytes(line) + b"\r\n" for line in group))
            replies += [self.read_reply() for _ in group]
        return replies

    def data(self, content):
        """Send DATA and the content (lines end in CRLF); the reply to the content, or to DATA."""
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        if stuffed and not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        self.send_raw(stuffed + b".\r\n")
        return self.read_reply()

    def send_raw(self, data):
        """Send bytes and read nothing."""
        self._socket.sendall(data)

    def quit(self):
        return self.command("QUIT")

    def close(self):
        """Hang up, whatever the state."""
        self._replies.close()
        self._socket.close()

    def read_reply(self):
        """The next Reply."""
        lines = []
        while True:
            line = self._replies.readline()
            if not line.endswith(b"\n") or not line[:3].isdigit():
                raise ConnectionError("the SMTP server hung up or said nonsense: %r" % line)
            lines.append(line[4:].rstrip(b"\r\n").decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), lines)


def _to_bytes(line):
    return line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape")
