"""Plays Postfix towards a milter: the MTA's side of the Sendmail milter protocol, version 6.

    with MilterClient("unix:/run/x/milter.sock") as postfix:
        result = postfix.message("alice@a.example", ["bob@b.example"], [("X-Priority", "1")])
        assert result.final == ACCEPT and result.modifications == []

A packet is four bytes of length, one of command, and data. As Postfix does it (milter8_event() and
milter8_message() in its milter/milter8.c), a packet of macros goes before every step, even where
none has a value, and before a step of the envelope that the milter did not ask for; the step itself
is left out then, and its answer is not waited for where the milter negotiated so. Names and numbers
are those of libmilter's mfdef.h.
"""

import fcntl
import socket
import struct
import termios

from .milter_protocol import (
    ABORT,
    ACCEPT,
    ALL_ACTIONS,
    ALL_STEPS,
    BODY,
    BODY_CHUNK_LEN,
    CONNECT,
    CONTINUE,
    DATA,
    DEFAULT_MACROS,
    DISCARD,
    EOH,
    EOM,
    FAMILIES,
    FINAL,
    HEADER,
    HELO,
    HEADER_LEADING_SPACE,
    MACRO,
    MACRO_STAGES,
    MAIL,
    MAX_PACKET_LEN,
    MODIFICATIONS,
    NEGOTIATE,
    NO_REPLY,
    NOT_SENT,
    OF_CONTENT,
    PROGRESS,
    QUIT,
    RCPT,
    SKIP,
    SMFIP_SKIP,
    UNKNOWN,
    Modification,
    Negotiated,
    strings,
)
from .sockets import connect_unix


class MilterGone(Exception):
    """The milter closed the connection, or answered what cannot be an answer."""


class Result:
    """How a message ended.

    final           the last answer: ACCEPT, CONTINUE, REJECT, TEMPFAIL, DISCARD, REPLYCODE
    text            of REPLYCODE, else ""
    modifications   list of Modification, in the order in which they came
    """

    def __init__(self, final, text, modifications):
        self.final = final
        self.text = text
        self.modifications = modifications

    def of_kind(self, kind):
        """The modifications of one kind, such as "addrcpt"."""
        return [m for m in self.modifications if m.kind == kind]

    def recipients_after(self, recipients):
        """The addresses after the milter's deletions and additions, without angle brackets."""
        after = [_bare(address) for address in recipients]
        for change in self.modifications:
            if change.kind == "delrcpt":
                after = [address for address in after if address != _bare(change.address)]
            elif change.kind in ("addrcpt", "addrcpt_par"):
                after.append(_bare(change.address))
        return after

    def __repr__(self):
        return "<Result %s %s %s>" % (self.final, self.text, self.modifications)


class MilterClient:
    """One connection to a milter; opened and negotiated at once, unless `negotiate` is false.

    address     "unix:/path" or "inet:PORT@HOST", as in Postfix's smtpd_milters or libmilter
    macros      values of macros ({"{auth_authen}": "alarm-1"}); set more with set_macros()

    connect() to eom() send one step each and return the milter's answer, or None if the milter did
    not want the step, or wants to send no answer to it.
    """

    def __init__(self, address, macros=None, negotiate=True, timeout=60):
        self.macros = {"j": "mail.gateway.example", "{daemon_name}": "mail.gateway.example"}
        self.macros.update(macros or {})
        self.negotiated = None
        self._skipped = set()
        self._is_connected = self._connection_done = self._message_done = False
        self._socket = _open(address, timeout)
        if negotiate:
            self.negotiate()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is None:
            self.quit()
        self.close()

    # The protocol, packet by packet

    def send_packet(self, command, data=b"", length=None):
        """Send one packet; `length` may lie about its length."""
        size = len(data) + 1 if length is None else length
        self.send_raw(struct.pack("!I", size) + command + data)

    def send_raw(self, data):
        """Send any bytes."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise MilterGone(str(error)) from None

    def read_packet(self):
        """(command, data) of the next packet; raises MilterGone at the end of the connection."""
        (size,) = struct.unpack("!I", self._read(4))
        if not 1 <= size <= MAX_PACKET_LEN:
            raise MilterGone("a packet of %d bytes" % size)
        packet = self._read(size)
        return packet[:1], packet[1:]

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        """Offer what this side can do; returns what the milter chose, a Negotiated."""
        self.send_packet(NEGOTIATE, struct.pack("!III", version, actions, steps))
        command, data = self.read_packet()
        if command != NEGOTIATE or len(data) < 12:
            raise MilterGone("an answer to the negotiation that is none: %r %r" % (command, data))
        self.negotiated = Negotiated(data)
        return self.negotiated

    def set_macros(self, **values):
        """Set macros whose names are words: set_macros(auth_authen="x") sets {auth_authen}."""
        for name, value in values.items():
            self.macros[name if len(name) == 1 else "{%s}" % name] = value

    # The steps of a message

    def connect(self, host="client.example", family="inet", address="192.0.2.1", port=12345):
        """The client: `family` is inet, inet6, unix or unknown."""
        self._is_connected, self._connection_done = True, False
        data = _text(host) + b"\0" + FAMILIES[family]
        if family != "unknown":
            data += struct.pack("!H", port) + _text(address) + b"\0"
        return self._step(CONNECT, data)

    def helo(self, name="client.example"):
        return self._step(HELO, strings(name))

    def mail(self, sender, *params):
        """MAIL FROM; angle brackets are put around the address if it has none."""
        self._message_done = False
        self._skipped = set()
        self.set_macros(mail_addr=_bare(sender))
        return self._step(MAIL, strings(_bracketed(sender), *params))

    def rcpt(self, recipient, *params):
        self.set_macros(rcpt_addr=_bare(recipient))
        return self._step(RCPT, strings(_bracketed(recipient), *params))

    def data(self):
        return self._step(DATA)

    def header(self, name, value):
        """The header `name: value`; the lines of a folded value end in a mere newline."""
        space = b" " if self.negotiated.steps & HEADER_LEADING_SPACE else b""
        return self._step(HEADER, strings(name, space + _text(value)))

    def eoh(self):
        return self._step(EOH)

    def body(self, content):
        """The body, in chunks of 65535 bytes; the answer to the last chunk that was sent."""
        answer = None
        for start in range(0, len(content), BODY_CHUNK_LEN):
            answer = self._step(BODY, content[start : start + BODY_CHUNK_LEN])
        return answer

    def unknown(self, command):
        """An SMTP command that the server does not know."""
        return self._step(UNKNOWN, strings(command))

    def eom(self):
        """The end of the message; returns its Result."""
        if self._is_over(EOM):
            return Result(ACCEPT, "", [])
        self.send_eom()
        return self.read_result()

    def send_eom(self):
        """The end of the message, without waiting for what comes of it."""
        self._send_macros(EOM)
        self.send_packet(EOM)

    def has_been_read(self):
        """Whether the milter has read all that was sent over its unix socket."""
        unread = fcntl.ioctl(self._socket, termios.TIOCOUTQ, struct.pack("i", 0))
        return struct.unpack("i", unread) == (0,)

    def read_result(self):
        """The Result after send_eom()."""
        modifications = []
        while True:
            command, data = self.read_packet()
            if command in MODIFICATIONS:
                modifications.append(Modification(command, data))
            elif command in FINAL:
                return Result(command, data.rstrip(b"\0").decode("utf-8", "replace"), modifications)
            elif command != PROGRESS:
                raise MilterGone("answer %r to the end of the message" % command)

    def message(self, sender, recipients, headers=(), body=b"Hello.\r\n", queue_id="4XyZ0"):
        """A whole message in one call, the connection's CONNECT and HELO included if need be.

        recipients are addresses, or tuples of an address and its parameters. An answer before the
        end that is final for the message (reject, tempfail, accept, discard) ends it.
        """
        if not self._is_connected:
            self.connect()
            self.helo()
        self.macros.pop("i", None)
        steps = [(self.mail, (sender,))]
        steps += [(self.rcpt, r if isinstance(r, tuple) else (r,)) for r in recipients]
        steps += [(self.data, ())]
        steps += [(self.header, header) for header in headers]
        steps += [(self.eoh, ()), (self.body, (body,))]
        result = None
        for step, arguments in steps:
            answer = step(*arguments)
            if answer not in (None, CONTINUE, SKIP):
                result = Result(answer, "", [])
                break
            if step == self.rcpt:
                self.macros["i"] = queue_id  # Postfix has none before the first recipient
        result = result or self.eom()
        self.abort()  # Postfix says so after every message
        return result

    def abort(self):
        """Forget the message, finished or not; the connection goes on."""
        self.send_packet(ABORT)
        self._message_done = False

    def quit(self):
        """End the connection as Postfix does."""
        try:
            self.send_packet(QUIT)
        except MilterGone:
            pass

    def close(self):
        """Hang up without a word."""
        self._socket.close()

    def is_closed_by_milter(self):
        """Wait until the milter says something or hangs up; returns whether it hung up."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionError:
            return True

    # Inside

    def _step(self, command, data=b""):
        left_out = self.negotiated.steps & NOT_SENT.get(command, 0) or command in self._skipped
        if self._is_over(command) or (left_out and command in OF_CONTENT):
            return None
        self._send_macros(command)
        if left_out:
            return None
        self.send_packet(command, data)
        if self.negotiated.steps & NO_REPLY.get(command, 0):
            return None
        answer = PROGRESS
        while answer == PROGRESS:
            answer, _ = self.read_packet()
        self._remember(command, answer)
        return answer

    def _remember(self, command, answer):
        if answer not in FINAL and answer != SKIP:
            raise MilterGone("answer %r to step %r" % (answer, command))
        if answer == SKIP:
            if not self.negotiated.steps & SMFIP_SKIP:
                raise MilterGone("SKIP was not negotiated")
            self._skipped.add(command)
        if answer in (ACCEPT, DISCARD):
            if command in (CONNECT, HELO):
                self._connection_done = True
            else:
                self._message_done = True

    def _is_over(self, command):
        return self._connection_done or (self._message_done and command not in (MAIL, HELO))

    def _send_macros(self, command):
        stage = MACRO_STAGES.get(command)
        if stage is None:
            return
        words = []
        for name in self.negotiated.macros.get(stage) or DEFAULT_MACROS[stage]:
            if name in self.macros:
                words += [name, self.macros[name]]
        self.send_packet(MACRO, command + strings(*words))

    def _read(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self._socket.recv(size - len(data))
            except ConnectionError as error:
                raise MilterGone(str(error)) from None
            if not more:
                raise MilterGone("the milter hung up")
            data += more
        return data


def _open(address, timeout):
    kind, _, place = address.partition(":")
    if kind == "unix":
        return connect_unix(place, timeout)
    port, _, host = place.partition("@")
    connection = socket.create_connection((host or "127.0.0.1", int(port)), timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _text(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _bare(address):
    return address[1:-1] if address.startswith("<") and address.endswith(">") else address


def _bracketed(address):
    return "<%s>" % _bare(address)
