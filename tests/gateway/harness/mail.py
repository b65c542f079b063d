"""Composing messages and sending them, each with a tag by which its deliveries are known."""

import itertools
import os
import re
import time

from .smtp_client import SmtpClient

DEFAULT_SENDER = "alice@source.example"
DATE = "Thu, 01 Jan 2026 12:00:00 +0000"

_run = os.urandom(4).hex()
_serial = itertools.count(1)


def new_tag():
    """A tag that no other message of this or another run has; letters, digits and hyphen."""
    return "%s-%d" % (_run, next(_serial))


class Recipient:
    """An envelope recipient with its ESMTP parameters.

    address      as it is spelled between the angle brackets of RCPT TO
    params       such as ("NOTIFY=NEVER", "ORCPT=rfc822;bob@dest.example")
    arrives_as   the address that is expected at the relay, where Postfix rewrites it (bang paths,
                 no domain); None where it arrives as it is but for letter case and needless quotes
    """

    def __init__(self, address, params=(), arrives_as=None):
        self.address = address
        self.params = tuple(params)
        self.arrives_as = arrives_as

    def __repr__(self):
        return " ".join(("<%s>" % self.address,) + self.params)


def rcpt(address, notify=None, orcpt=None, arrives_as=None):
    """A Recipient with NOTIFY and ORCPT (in xtext, with its type) where given."""
    params = []
    if notify is not None:
        params.append("NOTIFY=" + notify)
    if orcpt is not None:
        params.append("ORCPT=" + orcpt)
    return Recipient(address, params, arrives_as)


class Sent:
    """What was sent and what the frontend answered.

    tag, sender, recipients     the recipients in the order of RCPT TO
    content                     the bytes, lines ending in CRLF
    mail_reply, rcpt_replies, data_reply    data_reply is None if it did not come to that
    started_at                  time.monotonic() before MAIL FROM
    """

    def __init__(self, tag, sender, recipients, content):
        self.tag = tag
        self.sender = sender
        self.recipients = recipients
        self.content = content
        self.mail_reply = None
        self.rcpt_replies = []
        self.data_reply = None
        self.started_at = time.monotonic()

    @property
    def accepted(self):
        """The recipients that the frontend took responsibility for."""
        if self.data_reply is None or not self.data_reply.ok:
            return []
        return [r for r, reply in zip(self.recipients, self.rcpt_replies) if reply.ok]

    @property
    def refused(self):
        """{address: Reply} of the recipients that were refused one by one."""
        pairs = zip(self.recipients, self.rcpt_replies)
        return {recipient.address: reply for recipient, reply in pairs if not reply.ok}

    @property
    def queue_id(self):
        """The frontend's queue ID, or None."""
        found = self.data_reply and re.search(r"queued as (\S+)", self.data_reply.text)
        return found.group(1) if found else None

    def __repr__(self):
        return "<Sent %s from %s to %s>" % (self.tag, self.sender, self.recipients)


class Refused(AssertionError):
    """The frontend refused what a test expected it to take."""

    def __init__(self, sent):
        super().__init__(
            "refused: MAIL %r, RCPT %r, DATA %r"
            % (sent.mail_reply, sent.refused or "all taken", sent.data_reply)
        )
        self.sent = sent


def compose(
    tag,
    sender=DEFAULT_SENDER,
    to=(),
    cc=(),
    to_header=None,
    cc_header=None,
    priority_header=None,
    primary_precedence=None,
    copy_precedence=None,
    headers=(),
    body="",
):
    """The bytes of a message.

    to, cc                  addresses for To and Cc; no address, no header
    to_header, cc_header    the text of these headers where it shall differ from the addresses
    priority_header         the value of X-Priority
    primary_precedence, copy_precedence     the values of the X-XIMF headers
    headers                 more of them: (name, value) pairs in str or bytes, or whole lines in
                            bytes, sent as they are (CRLF is added where it is missing)
    """
    fields = [("From", sender or "mailer-daemon@source.example")]
    optional = (
        ("To", _address_list(to) if to_header is None else to_header),
        ("Cc", _address_list(cc) if cc_header is None else cc_header),
        ("X-Priority", priority_header),
        ("X-XIMF-Primary-Precedence", primary_precedence),
        ("X-XIMF-Copy-Precedence", copy_precedence),
    )
    fields += [(name, value) for name, value in optional if value is not None]
    fields += [
        ("Subject", "test message " + tag),
        ("Date", DATE),
        ("Message-ID", "<%s@client.example>" % tag),
        ("X-Test-Tag", tag),
    ]
    lines = [_header_line(field) for field in fields + list(headers)]
    text = _bytes(body or "Message %s.\n" % tag)
    return b"".join(lines) + b"\r\n" + re.sub(rb"\r?\n", b"\r\n", text)


class Sender:
    """An SMTP client of the gateway; sends any number of messages over one connection."""

    def __init__(self, host, port, helo="client.example", client=None):
        self._client = SmtpClient(host, port, helo, client=client)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._client.__exit__(*exception)

    def send(
        self,
        to=(),
        cc=(),
        bcc=(),
        sender=DEFAULT_SENDER,
        content=None,
        mail_params=None,
        check=True,
        **message
    ):
        """Send one message and return Sent.

        to, cc, bcc     recipients (str or Recipient); bcc ones stand in the envelope only
        content         ready bytes in place of a composed message; they are sent to the byte, and
                        the tag travels as ENVID
        mail_params     of MAIL FROM; by default BODY=8BITMIME and SMTPUTF8 where they are needed
        check           raise Refused unless the frontend took everything
        message         as for compose()
        """
        to, cc, bcc = (_recipients(group) for group in (to, cc, bcc))
        tag = new_tag()
        made = content is not None
        if not made:
            message.setdefault("to", [r.address for r in to])
            message.setdefault("cc", [r.address for r in cc])
            content = compose(tag, sender, **message)
        sent = Sent(tag, sender, to + cc + bcc, content)
        params = list(_needed_params(sent) if mail_params is None else mail_params)
        if made:
            params.append("ENVID=" + tag)
        self._transact(sent, params)
        if check and len(sent.accepted) < len(sent.recipients):
            raise Refused(sent)
        return sent

    def _transact(self, sent, params):
        mail = " ".join(["MAIL FROM:<%s>" % sent.sender] + params)
        rcpts = [" ".join(("RCPT TO:<%s>" % r.address,) + r.params) for r in sent.recipients]
        sent.mail_reply, *sent.rcpt_replies = self._client.commands([mail] + rcpts)
        if any(reply.ok for reply in sent.rcpt_replies):
            sent.data_reply = self._client.data(sent.content)
        else:
            self._client.command("RSET")


def _recipients(group):
    return [r if isinstance(r, Recipient) else Recipient(r) for r in group]


def _address_list(addresses):
    line = ", ".join(addresses)
    # Longer lines would be broken up by Postfix on the way (smtp_line_length_limit).
    return (line if len(line) < 900 else ",\r\n ".join(addresses)) or None


def _needed_params(sent):
    addresses = [sent.sender] + [recipient.address for recipient in sent.recipients]
    if any(ord(char) > 127 for address in addresses for char in address):
        yield "SMTPUTF8"
    if any(byte > 127 for byte in sent.content):
        yield "BODY=8BITMIME"


def _header_line(field):
    line = field if isinstance(field, bytes) else b": ".join(_bytes(part) for part in field)
    return line if line.endswith(b"\r\n") else line + b"\r\n"


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
