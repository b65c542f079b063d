"""What Postfix makes of peg-milter's answers, and whether that is exact."""

import threading

from envelope_model import QueueFile

ROUTE_HEADER = "X-Peg-Route"

# To-Priority: 3 gives priority 3 to those in To, Cc-Priority to all others.
RULES_BY_NUMBER = "".join(
    "%s-Priority /^%d/ %s %d\n" % (kind, priority, kind.lower(), priority)
    for kind in ("To", "Cc")
    for priority in range(5)
)


class Message:
    """Recipients and the headers that give them their priorities by RULES_BY_NUMBER.

    to, cc    addresses
    """

    def __init__(self, to=(), cc=(), to_priority=2, cc_priority=2):
        self.recipients = list(to) + list(cc)
        self.priorities = dict({r: cc_priority for r in cc}, **{r: to_priority for r in to})
        self.headers = [("To-Priority", str(to_priority)), ("Cc-Priority", str(cc_priority))]
        if to:
            self.headers.append(("To", ", ".join(to)))

    def highest(self):
        return max(self.priorities.values())

    def is_mixed(self):
        return len(set(self.priorities.values())) > 1

    def counts(self):
        """{priority: number of recipients}, as in the log."""
        values = [self.priorities[recipient] for recipient in self.recipients]
        return {priority: values.count(priority) for priority in values}


class Claims:
    """Routing keys and the one priority that each may have. Threads may share it."""

    def __init__(self):
        self.priority = {}
        self._lock = threading.Lock()

    def conflicts(self, message):
        """The recipients whose key is in use with another priority."""
        return [r for r, p in message.priorities.items() if self.priority.get(r, p) != p]

    def accept(self, message, result):
        """Check the answer to a message: all mail goes where it should, exactly once."""
        assert result.decision.priorities == message.counts()
        assert result.decision.count == len(message.recipients)
        routes = result.of_kind("addheader")
        envelope = result.recipients_after(message.recipients)
        if routes:
            assert result.decision.way == "filter"
            assert [(h.name, h.value) for h in routes] == [(ROUTE_HEADER, str(message.highest()))]
            assert envelope == message.recipients
            assert len(result.modifications) == 1
            return
        by_mailbox = {r.lower(): p for r, p in message.priorities.items()}
        assert sorted(set(map(str.lower, envelope))) == sorted(by_mailbox)
        for key in set(envelope):
            self.use(key, by_mailbox[key.lower()])
        before, after = QueueFile(message.recipients), QueueFile(message.recipients).after(result)
        assert after.deliveries() == before.deliveries()
        if result.decision.way == "plain":
            assert result.modifications == []
        else:
            assert result.decision.way == "respell" and envelope != message.recipients
            for change in result.of_kind("addrcpt_par"):  # one that is deleted again holds a place
                self.use(change.address, by_mailbox[change.address.lower()])
        self._check_respellings(message, result, envelope)

    def use(self, key, priority):
        """A message is on its way that has this routing key and this priority."""
        with self._lock:
            assert self.priority.setdefault(key, priority) == priority, "misrouted: %s" % key

    @staticmethod
    def _check_respellings(message, result, envelope):
        local_parts = {r.rpartition("@")[0] for r in message.recipients}
        for change in result.modifications:
            assert change.kind in ("addrcpt_par", "delrcpt")
            if change.kind != "delrcpt":
                assert change.address.rpartition("@")[0] in local_parts
        for key in set(envelope) - set(message.recipients):
            assert envelope.count(key) == 1


class PredictedClaims(Claims):
    """Claims that also know which way a message must go; for one connection at a time.

    Right for addresses that are spelled in one way only, in domains with many letters.
    """

    def expected_way(self, message):
        if not self.conflicts(message):
            return "plain"
        return "respell" if message.is_mixed() else "filter"

    def accept(self, message, result):
        assert result.decision.way == self.expected_way(message)
        super().accept(message, result)
        if result.decision.way == "respell":
            never_lost(message.recipients, result)
        for recipient, priority in message.priorities.items():
            self.priority.setdefault(recipient, priority)  # also where others are in conflict


def requests(result):
    """What the milter asked for in the envelope, in order.

    An address to add comes with its ESMTP parameters, one to delete alone: (address,).
    """
    return [
        (m.address, m.params) if m.kind == "addrcpt_par" else (m.address,)
        for m in result.modifications
        if m.kind in ("addrcpt_par", "delrcpt")
    ]


def replacement(result, given, mailbox=None):
    """(spelling, ESMTP parameters) of what takes the place of the one recipient that is replaced.

    given is the address that is deleted, mailbox what Postfix made of it. A spare spelling holds
    the place while there is neither.
    """
    asked = requests(result)
    if len(asked) == 4:
        (spare, no_parameters), deleted, added, spare_deleted = asked
        assert no_parameters == "" and spare_deleted == (spare,)
        assert spare.lower() == added[0].lower() and spare not in (added[0], given)
    else:
        deleted, added = asked
    assert deleted == (given,) and added[0] != given
    assert added[0].lower() == (mailbox or given).lower()
    return added


def never_lost(recipients, result, resolved=None):
    """Wherever the milter might be killed, each mailbox stands in the envelope.

    At the end all is there as often as before, with the parameters that it had.
    """
    envelope = QueueFile(recipients, resolved)
    mailboxes, deliveries = envelope.mailboxes(), envelope.deliveries()
    for change in result.modifications:
        if change.kind in ("addrcpt_par", "delrcpt"):
            envelope.change(change)
            assert envelope.mailboxes() == mailboxes
    assert envelope.deliveries() == deliveries


def send(postfix, message, headers=(), parameters=None):
    """Send a Message, with {recipient: tuple of ESMTP parameters}; returns its Result."""
    recipients = [(r,) + (parameters or {}).get(r, ()) for r in message.recipients]
    result = postfix.send(recipients, message.headers + list(headers))
    assert result.decision.priorities == message.counts()
    return result


def use(postfix, recipient, priority):
    """Mail for this recipient is on its way with this priority."""
    result = send(postfix, Message(to=[recipient], to_priority=priority))
    assert result.decision.way == "plain" and result.modifications == []
