"""The ways of a message through the gateway (milter/decide.h), each brought about on purpose.

RULES decide by addresses alone, so that a message that is sent this way may have any content:

    gateway.reload_rules(ways.RULES)
    sent = ways.RESPELL.send(gateway, content=b"Subject: anything\\r\\n\\r\\n")
"""

from .mail import Recipient, new_tag

RULES = """\
{rcpt_addr}  /^"?routine\\./i  all  0
{rcpt_addr}  /^"?urgent\\./i   all  1
{mail_addr}  /^claimant@/     all  0
"""
ROUTINE, URGENT = 0, 1


class Way:
    """What happens to a message for an urgent recipient, and perhaps for a routine one as well.

    is_claimed      whether an earlier message has claimed the urgent recipient's routing key
    is_mixed        whether there is a routine recipient, too
    has_spellings   whether the urgent recipient's domain has letters
    decision        the way that peg-milter must log
    instances       of the recipients, the urgent one first
    """

    def __init__(self, name, decision, is_claimed, is_mixed, instances, has_spellings=True):
        self.name = name
        self.decision = decision
        self.is_claimed = is_claimed
        self.is_mixed = is_mixed
        self.instances = instances
        self.has_spellings = has_spellings

    def __repr__(self):
        return self.name

    def recipients(self, params=()):
        """New recipients, the urgent one first, with these ESMTP parameters."""
        domain = "Ward.Dest.Example" if self.has_spellings else "[203.0.113.7]"
        addresses = ["Urgent.%s@%s" % (new_tag(), domain)]
        if self.is_mixed:
            addresses.append("Routine.%s@Dest.Example" % new_tag())
        return [Recipient(address, params) for address in addresses]

    def prepare(self, gateway, recipients):
        """See to it that a message for these recipients will go this way."""
        if self.is_claimed:
            gateway.send(bcc=[recipients[0].address], sender="claimant@source.example")

    def send(self, gateway, params=(), client=None, **message):
        """Send a message this way, from the IP address `client`; returns Sent.

        params      ESMTP parameters for each recipient
        message     as for Sender.send()
        """
        recipients = self.recipients(params)
        self.prepare(gateway, recipients)
        with gateway.sender(client=client) as sender:
            sent = sender.send(bcc=recipients, **message)
        self.check(gateway, sent)
        return sent

    def check(self, gateway, sent):
        """Check that the message went this way, each recipient to its instance."""
        way = gateway.decision(sent).way
        found = gateway.delivered(sent)
        if way != self.decision or [found[r.address] for r in sent.recipients] != self.instances:
            raise AssertionError(
                "not %s to %s, but %s to %s" % (self.decision, self.instances, way, found)
            )


PLAIN = Way("plain", "plain", False, True, [URGENT, ROUTINE])
FILTER = Way("filter", "filter", True, False, [URGENT])
RESPELL = Way("respell", "respell", True, True, [URGENT, ROUTINE])
# Nothing to respell: all go up together.
NO_SPELLING = Way("no spelling", "filter", True, True, [URGENT, URGENT], has_spellings=False)
ALL = (PLAIN, FILTER, RESPELL, NO_SPELLING)
