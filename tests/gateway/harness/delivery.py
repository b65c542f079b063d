"""What arrived at the relay: a Transaction a message, and a Delivery for each of its recipients."""

import re
import time


class Transaction:
    """One message as one client transaction brought it.

    sender, sender_params   MAIL FROM: the address as spelled, {"SIZE": "310", "SMTPUTF8": None}
    recipients              [(address as spelled, {"NOTIFY": "NEVER", ...})] of RCPT TO
    helo, content           the client's name; the bytes of the message, dots unstuffed
    arrived_at              time.monotonic() just before it was accepted
    """

    def __init__(self, helo, sender, sender_params, recipients, content):
        self.helo = helo
        self.sender = sender
        self.sender_params = sender_params
        self.recipients = recipients
        self.content = content
        self.arrived_at = time.monotonic()
        self.header_block = content.partition(b"\r\n\r\n")[0] + b"\r\n"
        self.tag = self._tag()
        self.instance = self._instance()

    def headers(self, name):
        """The values of every header `name`, as they stand there, folded, in order."""
        pattern = rb"(?im)^%s[ \t]*:(.*(?:\r\n[ \t].*)*)\r\n" % re.escape(name.encode())
        return [match.group(1).lstrip(b" \t") for match in re.finditer(pattern, self.header_block)]

    def added_before(self, content):
        """The header block that the hops put in front of `content`; that must end the message.

        Raises AssertionError if the message does not end in these very bytes.
        """
        if not self.content.endswith(content):
            raise AssertionError(
                "not byte for byte what was sent:\nsent    %r\narrived %r"
                % (content[:2000], self.content[:4000])
            )
        return self.content[: len(self.content) - len(content)]

    def _tag(self):
        tags = self.headers("X-Test-Tag")
        # A message that must not have a header of ours carries its tag in the envelope.
        return tags[0].decode() if tags else self.sender_params.get("ENVID")

    def _instance(self):
        received = self.headers("Received")[:1] or [b""]
        by = re.search(rb"(?:^|\s)by\s+\S+\s+\((postfix[-\w]*)\)", received[0])
        if by is None:
            return None
        name = by.group(1).decode()
        number = re.fullmatch(r"postfix(\d+)", name)
        return int(number.group(1)) if number else name


class Delivery:
    """One recipient of one Transaction; everything the transaction knows is an attribute here too.

    recipient, params   the address as spelled, and its ESMTP parameters
    instance            number of the instance that brought it, "postfix-frontend" if the frontend
                        did, None if the first Received line does not say
    """

    def __init__(self, transaction, recipient, params):
        self.transaction = transaction
        self.recipient = recipient
        self.params = params

    def __getattr__(self, name):
        if name == "transaction":
            raise AttributeError(name)
        return getattr(self.transaction, name)

    def __repr__(self):
        return "<Delivery %s -> %s by instance %s, tag %s>" % (
            self.sender,
            self.recipient,
            self.instance,
            self.tag,
        )
