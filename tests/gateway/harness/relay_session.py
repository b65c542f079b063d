"""One SMTP connection to the relay: RFC 5321 with pipelining, DSN and SMTPUTF8."""

import asyncio
import re

from .delivery import Transaction

GOODBYE_S = 2
PATH = re.compile(
    r'\s*<((?:[^<>"\\]|\\.|"(?:[^"\\]|\\.)*")*)>\s*(.*)', re.DOTALL
)  # a quoted local part may hold anything, `>` included


class Hangup(Exception):
    """The client is gone, or the conversation is over."""


class NoticingReader(asyncio.StreamReader):
    """Knows at once that the client has closed its side, though there is still input to be read."""

    def __init__(self):
        super().__init__(limit=1 << 20)
        self.client_left = False

    def feed_eof(self):
        self.client_left = True
        super().feed_eof()

    def set_exception(self, exc):
        self.client_left = True
        super().set_exception(exc)


class RelaySession:
    """Made and run by the Relay, in its loop."""

    def __init__(self, relay, reader, writer, task):
        self.task = task
        self._relay = relay
        self._reader = reader
        self._writer = writer
        self._in = bytearray()
        self._out = []
        self._helo = None
        self._has_quit = False
        self._forget_message()

    async def run(self):
        try:
            if self._relay.is_open:
                self._say("220 relay.example ESMTP")
            while self._relay.is_open or self._in_transaction:
                await self._obey(await self._read_line())
            await self._leave()
        except (Hangup, asyncio.CancelledError):
            await self._leave()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._writer.close()

    def leave_if_idle(self):
        """End the session unless a message is on its way; then it ends itself after that."""
        if not self._in_transaction:
            self.task.cancel()

    @property
    def _in_transaction(self):
        return self._sender is not None

    def _forget_message(self):
        self._sender = None
        self._sender_params = {}
        self._recipients = []

    async def _obey(self, line):
        verb, _, rest = line.partition(" ")
        command = getattr(self, "_do_" + verb.lower(), None) if verb.isalpha() else None
        if command is None:
            self._say("500 5.5.2 unknown command")
        else:
            await command(rest)

    async def _do_ehlo(self, name):
        self._helo = name
        self._forget_message()
        lines = ("relay.example",) + self._relay.announced
        for line in lines[:-1]:
            self._say("250-" + line)
        self._say("250 " + lines[-1])

    async def _do_helo(self, name):
        self._helo = name
        self._forget_message()
        self._say("250 relay.example")

    async def _do_mail(self, rest):
        path = PATH.fullmatch(rest[5:]) if rest[:5].upper() == "FROM:" else None
        if path is None or self._in_transaction:
            self._say("503 5.5.1 nested MAIL" if path else "501 5.5.4 MAIL FROM:<address>")
            return
        self._sender, self._sender_params = path.group(1), _parameters(path.group(2))
        self._say("250 2.1.0 sender ok")

    async def _do_rcpt(self, rest):
        path = PATH.fullmatch(rest[3:]) if rest[:3].upper() == "TO:" else None
        if path is None or not self._in_transaction:
            self._say("501 5.5.4 RCPT TO:<address>" if path is None else "503 5.5.1 need MAIL")
            return
        reply = self._relay.fault("rcpt", path.group(1))
        if reply is None:
            self._recipients.append((path.group(1), _parameters(path.group(2))))
        self._say(reply or "250 2.1.5 recipient ok")

    async def _do_data(self, _rest):
        if not self._recipients:
            self._say("554 5.5.1 no valid recipients")
            return
        self._say("354 go ahead")
        content = await self._read_content()
        await self._relay.wait_for_leave()
        if self._reader.client_left:
            raise Hangup  # it did not wait for the answer and will send the message again
        self._accept(content)
        self._forget_message()

    def _accept(self, content):
        transaction = Transaction(
            self._helo, self._sender, self._sender_params, self._recipients, content
        )
        reply = self._relay.fault("content", transaction.tag or "")
        if reply is None:
            self._relay.record(transaction)
        # No await between the record and the answer: the one is not there without the other.
        self._say(reply or "250 2.0.0 kept")
        self._flush()

    async def _do_rset(self, _rest):
        self._forget_message()
        self._say("250 2.0.0 ok")

    async def _do_noop(self, _rest):
        self._say("250 2.0.0 ok")

    async def _do_vrfy(self, _rest):
        self._say("252 2.0.0 send some mail")

    async def _do_quit(self, _rest):
        self._say("221 2.0.0 bye")
        self._has_quit = True
        raise Hangup

    def _say(self, reply):
        self._out.append(reply.encode("utf-8", "surrogateescape") + b"\r\n")

    def _flush(self):
        if self._out:
            self._writer.write(b"".join(self._out))
            self._out = []

    async def _fill(self):
        # Answers to pipelined commands leave together, when there is nothing more to read.
        self._flush()
        await self._writer.drain()
        data = await self._reader.read(1 << 16)
        if not data:
            raise Hangup
        self._in += data

    async def _read_line(self):
        while True:
            end = self._in.find(b"\n")
            if end >= 0:
                line = bytes(self._in[: end + 1]).rstrip(b"\r\n")
                del self._in[: end + 1]
                return line.decode("utf-8", "surrogateescape")
            await self._fill()

    async def _read_content(self):
        self._in[:0] = b"\r\n"  # so that a dot in the first line needs no rule of its own
        seen = 0
        while True:
            end = self._in.find(b"\r\n.\r\n", seen)
            if end >= 0:
                break
            seen = max(0, len(self._in) - 4)
            await self._fill()
        stuffed = bytes(self._in[: end + 2])
        del self._in[: end + 5]
        return stuffed.replace(b"\r\n..", b"\r\n.")[2:]

    async def _leave(self):
        if not self._has_quit:
            self._say("421 4.3.2 closing")
        try:
            self._flush()
            self._writer.write_eof()
            # A reset would overtake the last answer if the client has sent more: read it away.
            await asyncio.wait_for(self._reader.read(-1), GOODBYE_S)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError, RuntimeError):
            pass


def _parameters(text):
    parameters = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        parameters[name.upper()] = value if equals else None
    return parameters
