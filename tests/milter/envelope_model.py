"""The recipients in Postfix's queue file while a milter changes them, as cleanup(8) keeps them.

The sources are those of Postfix: src/smtpd/smtpd.c (rcpt_cmd) for what a client gives,
src/cleanup/cleanup_milter.c for what a milter adds and deletes, and
src/cleanup/cleanup_out_recipient.c for the duplicate filter, which does not regard letter case.
"""

import re
from collections import namedtuple
from urllib.parse import unquote

# original is the address that delrcpt must name, address the one to which the mail goes
Record = namedtuple("Record", "original address notify orcpt")


def without_route(argument):
    """The argument of RCPT as smtpd reads it: `joe@c` where `@a,@b:joe@c` was given."""
    return argument.partition(":")[2] if argument.startswith("@") and ":" in argument else argument


def internal(address):
    """An address without the quotes and backslashes of its local part."""
    local, at, domain = address.rpartition("@") if "@" in address else (address, "", "")
    return re.sub(r'\\(.)|"', lambda match: match[1] or "", local) + at + domain


def _parameters(words):
    """(NOTIFY, ORCPT) in a form that can be compared, None where there is none."""
    notify = orcpt = None
    for word in words:
        name, _, value = word.partition("=")
        if name.upper() == "NOTIFY":
            notify = frozenset(value.upper().split(","))
        else:
            assert name.upper() == "ORCPT" and value.partition(";")[2].isascii()
            orcpt = unquote(value.replace("%", "%25").replace("+", "%"))
    return notify, orcpt


class QueueFile:
    """The envelope of a message whose recipients are arguments of RCPT, or tuples with parameters.

    records    list of Record, in the order in which mail goes out
    resolved   {argument of RCPT: its address}, where Postfix makes another one of it
    """

    def __init__(self, recipients, resolved=None):
        self.records, self._seen = [], set()
        for recipient in recipients:
            given, *words = (recipient,) if isinstance(recipient, str) else recipient
            notify, orcpt = _parameters(words)
            original = internal(without_route(given))
            address = internal(resolved[given]) if given in (resolved or {}) else original
            self._add(Record(original, address, notify, orcpt or "rfc822;" + given))

    def mailboxes(self):
        """The mailboxes that would get the message now."""
        return {record.address.casefold() for record in self.records}

    def deliveries(self):
        """What a message must keep, in any order: each mailbox with its DSN parameters."""
        return sorted(
            (r.address.casefold(), sorted(r.notify or ()), r.orcpt or "") for r in self.records
        )

    def change(self, request):
        """Carry out one request of the milter."""
        address = internal(request.address)
        if request.kind == "addrcpt_par":
            self._add(Record(address, address, *_parameters(request.params.split())))
            return
        assert request.kind == "delrcpt"
        for record in self.records:  # cleanup_del_rcpt() forgets them all, whatever it deletes
            self._seen.discard(self._key(record._replace(address=address)))
        self.records = [record for record in self.records if record.original != address]

    def after(self, result):
        """Carry out all requests in a Result that concern recipients."""
        for request in result.modifications:
            if request.kind in ("addrcpt_par", "delrcpt"):
                self.change(request)
        return self

    def _add(self, record):
        if self._key(record) not in self._seen:
            self._seen.add(self._key(record))
            self.records.append(record)

    @staticmethod
    def _key(record):
        original, address = record.original.casefold(), record.address.casefold()
        return record.notify, (record.orcpt or "").casefold(), original, address
