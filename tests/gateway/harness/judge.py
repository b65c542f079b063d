"""Is what arrived what was sent? Every accepted recipient exactly once, and nothing else."""

import collections
import re


class Misdelivered(AssertionError):
    """A message was lost, doubled, or went to an address that it was not sent to."""


def same_mailbox(address):
    """A form of the address that is equal for the spellings that Postfix delivers as one.

    Letter case is folded (Postfix does so where it drops double recipients), needless quotes and
    the dot at the end of a domain are dropped.
    """
    local, at, domain = address.rpartition("@")
    if not at:
        local, domain = domain, ""
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', local)
    if quoted:
        plain = re.sub(r"\\(.)", r"\1", quoted.group(1))
        if re.fullmatch(r"[^][\s()<>@,;:\\\".]+(\.[^][\s()<>@,;:\\\".]+)*", plain):
            local = plain
    if domain.endswith("."):
        domain = domain[:-1]
    return (local + at + domain).casefold()


def expected_mailboxes(sent):
    """{mailbox at the relay: the Recipient that asked for it} of the accepted recipients."""
    mailboxes = collections.OrderedDict()
    for recipient in sent.accepted:
        mailboxes.setdefault(same_mailbox(recipient.arrives_as or recipient.address), recipient)
    return mailboxes


def wait_until_delivered(relay, sent, timeout):
    """The deliveries of `sent`, as {mailbox: Delivery}, when each recipient has its own.

    Raises Misdelivered if one has none in time, has two, or was never asked for.
    """
    expected = expected_mailboxes(sent)

    def is_decided(found):
        return len(found) >= len(expected)

    try:
        found = relay.wait_for(is_decided, timeout, tag=sent.tag)
    except TimeoutError:
        found = relay.deliveries_for(sent.tag)
    check_exact(sent, found)
    return {same_mailbox(delivery.recipient): delivery for delivery in found}


def check_exact(sent, found):
    """Raise Misdelivered unless `found` is one delivery for each accepted recipient of `sent`."""
    expected = expected_mailboxes(sent)
    arrived = collections.Counter(same_mailbox(delivery.recipient) for delivery in found)
    lost = [recipient.address for key, recipient in expected.items() if key not in arrived]
    doubled = [key for key, count in arrived.items() if count > 1]
    strange = [key for key in arrived if key not in expected]
    if lost or doubled or strange:
        faults = (("lost", lost), ("doubled", doubled), ("never sent to", strange))
        raise Misdelivered(
            "message %s (queue ID %s) from <%s>: %s; arrived: %s"
            % (
                sent.tag,
                sent.queue_id,
                sent.sender,
                "; ".join("%s: %s" % (word, _short(which)) for word, which in faults if which),
                _short(found),
            )
        )


def _short(items, limit=10):
    shown = ", ".join(str(item) for item in items[:limit])
    return shown + (" and %d more" % (len(items) - limit) if len(items) > limit else "")
