"""What Postfix makes of peg-milter's answers, and whether that is exact."""

import threading

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
        if result.decision.way == "plain":
            assert result.modifications == []
        else:
            assert result.decision.way == "respell" and envelope != message.recipients
        self._check_respellings(message, result, envelope)

    def use(self, key, priority):
        """A message is on its way that has this routing key and this priority."""
        with self._lock:
            assert self.priority.setdefault(key, priority) == priority, "misrouted: %s" % key

    @staticmethod
    def _check_respellings(message, result, envelope):
        local_parts = {r.rpartition("@")[0] for r in message.recipients}
        for change in result.modifications:
            assert change.kind in ("addrcpt", "addrcpt_par", "delrcpt")
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
        for recipient, priority in message.priorities.items():
            self.priority.setdefault(recipient, priority)  # also where others are in conflict


def replacement(result, given):
    """(spelling, ESMTP parameters) of what stands in the envelope in place of this recipient."""
    left = {}
    for change in result.modifications:
        if change.kind == "delrcpt":
            left.pop(change.address.strip("<>"), None)
        elif change.kind in ("addrcpt", "addrcpt_par"):
            left[change.address] = getattr(change, "params", "")
    assert "<%s>" % given in [d.address for d in result.of_kind("delrcpt")]
    (found,) = [item for item in left.items() if item[0].lower() == given.lower()]
    return found
