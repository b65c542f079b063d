"""Recipients in every spelling that SMTP allows, and some that it does not.

Each goes to the instance that was decided, as it was spelled, or Postfix itself refuses it: as the
only recipient, where another message has claimed its routing key for another priority (filter),
and where a second recipient goes elsewhere as well (respell).
"""

import itertools
import string

import pytest

from harness.mail import Recipient, new_tag, rcpt

BOUND = 0  # the priority for which an earlier message has claimed a recipient's routing key
LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_serial = itertools.count(1)


class Form:
    """One way to spell a recipient: `address` between the brackets, `arrives` at the relay.

    In both stand {d} for a domain and {u} for a word that no other recipient has, {n} for such a
    number, {D} and {U} for the domain and the word in mixed case.
    """

    def __init__(self, name, address, arrives=None, has_spellings=True):
        self.name = name
        self.address = address
        self.arrives = arrives or address
        self.has_spellings = has_spellings

    def recipient(self):
        """A Recipient of this form that no other message was sent to."""
        word = "u" + new_tag().replace("-", "q")
        domain = word + ".dest.example"
        number = next(_serial)
        values = {
            "{d}": domain,
            "{D}": domain.title(),
            "{u}": word,
            "{U}": word.title(),
            "{n}": str(number),
            "{local of 64}": word.ljust(64, "x"),
            "{domain of 255}": ".".join([domain] + ["a" * 63] * 4)[:255],
        }
        address, arrives = self.address, self.arrives
        for name, value in values.items():
            address, arrives = address.replace(name, value), arrives.replace(name, value)
        return Recipient(address, arrives_as=arrives)


TAKEN = (
    # Quoted local parts
    Form("quoted blank", '"quo ted"@{d}'),
    Form("quoted at", '"a@b"@{d}'),
    Form("quoted quote", r'"a\"b"@{d}'),
    Form("quoted backslash", r'"a\\b"@{d}'),
    Form("quoted percent", '"a%b"@{d}', "a%b@{d}"),
    Form("quoted percent and blank", '"a%20 b"@{d}'),
    Form("quoted angle brackets", '"a<b>c"@{d}'),
    Form("quoted comma and colon", '"a,b:c"@{d}'),
    Form("needless quotes", '"needless"@{d}', "needless@{d}"),
    Form("needless backslash", r'"need\less"@{d}', "needless@{d}"),
    Form("quoted in mixed case", '"Quo Ted"@{D}'),
    Form("quoted nothing", '""@{d}'),
    Form("quoted words", '"joe"."jim"@{d}', "joe.jim@{d}"),
    Form("one quoted word", 'joe."j im"@{d}', '"joe.j im"@{d}'),
    Form("backslash and blank", r"jo\ e@{d}", '"jo e"@{d}'),
    Form("quoted, no domain", '"{u} x"', '"{u} x"@origin.example'),
    # Letters that mean something elsewhere
    Form("percent", "a%b@{d}"),
    Form("percent and digits", "a%20b%@{d}"),
    Form("plus extension", "joe+ext@{d}"),
    Form("plus and equals", "joe+=x+@{d}"),
    Form("asterisk", "*@{d}"),
    Form("apostrophe", "o'joe@{d}"),
    Form("underscore in the domain", "joe@a_b.{d}"),
    Form("dots at the ends", ".joe.@{d}", '".joe."@{d}'),
    Form("two dots", "j..oe@{d}", '"j..oe"@{d}'),
    Form("two ats", "a@b@{d}", '"a@b"@{d}'),
    Form("colon", "j:oe@{d}", '"j:oe"@{d}'),
    Form("comment", "joe(c)@{d}", "joe@{d}"),
    # Forms that Postfix rewrites
    Form("percent hack at a domain", "user%other@{d}"),
    Form("percent hack", "user%{d}", "user@{d}"),
    Form("percent hack in mixed case", "User%{D}", "User@{D}"),
    Form("percent hack at this host", "user%{d}@[127.0.0.1]", "user@{d}"),
    Form("bang path", "{d}!joe", "joe@{d}"),
    Form("bang path in mixed case", "{D}!Joe", "Joe@{D}"),
    Form("bang path at a domain", "a!b@{d}"),
    Form("no domain", "{u}", "{u}@origin.example"),
    Form("no domain, in mixed case", "{U}", "{U}@origin.example"),
    Form("postmaster", "postmaster", "postmaster@origin.example"),
    Form("source route", "@a.example,@b.example:joe@{d}", "joe@{d}"),
    Form("source route in mixed case", "@a.example:Joe@{D}", "Joe@{D}"),
    Form("trailing dot", "joe@{d}.", "joe@{d}"),
    Form("trailing dot in mixed case", "Joe@{D}.", "Joe@{D}"),
    Form("trailing at", "joe@{d}@", "joe@{d}"),
    # Blanks and control characters
    Form("blank at the end", "joe@{d} ", "joe@{d}"),
    Form("tab at the end", "joe@{d}\t", "joe@{d}"),
    Form("blank before the at", "joe @{d}", "joe@{d}"),
    Form("quoted tab", '"jo\te"@{d}', '"jo e"@{d}'),
    Form("quoted carriage return", '"jo\re"@{d}', '"jo e"@{d}'),
    Form("control character", "jo\x01e@{d}", '"jo\x01e"@{d}'),
    Form("escape character", '"jo\x1be"@{d}'),
    Form("delete character", "jo\x7fe@{d}", '"jo\x7fe"@{d}'),
    # Letter case
    Form("upper case local part", "JOE@{d}"),
    Form("upper case domain", "joe@{D}"),
    Form("mixed case", "JoE+Ext@{D}"),
    Form("Postmaster", "Postmaster@{d}"),
    # UTF-8
    Form("UTF-8 local part", "jö@{d}"),
    Form("UTF-8 domain", "joe@ö{d}"),
    Form("UTF-8 in mixed case", "JÖ@Ö{D}"),
    Form("sharp s in the local part", "straße@{d}"),
    Form("sharp s in the domain", "joe@faß.{d}"),
    Form("Kelvin sign", "\u212aelvin@{d}"),
    Form("punycode domain", "joe@xn--bcher-kva.{d}"),
    # Length
    Form("64 at 255", "{local of 64}@{domain of 255}"),
    Form("local part of 300", "l" * 300 + "@{d}"),
)

LITERALS = (
    Form("IPv6 literal", "joe@[IPv6:2001:db8::{n}]", has_spellings=False),
    Form("IPv4 literal", "joe@[203.0.113.{n}]", has_spellings=False),
    Form("IPv4 literal, mixed case local part", "JoE@[203.0.113.{n}]", has_spellings=False),
)

REFUSED = {
    "nothing": "",
    "quoted nothing, no domain": '""',
    "no local part, no domain": "@",
    "no domain behind the at": "joe@",
    "address without brackets of its literal": "joe@192.0.2.7",
    "empty literal": "joe@[]",
    "two trailing dots": "joe@dest.example..",
    "hyphen first": "-joe@dest.example",
    "hyphen first in the domain": "joe@-dest.example",
    "port": "joe@dest.example:25",
    "comma": "j,oe@dest.example",
    "two addresses": "joe@dest.example,jim@dest.example",
    "semicolon": "j;oe@dest.example",
    "angle bracket": "jo<e@dest.example",
    "bare tab": "jo\te@dest.example",
    "open quote": '"joe@dest.example',
    "domain of 256": "joe@" + ".".join(["a" * 63] * 3 + ["b" * 62, "c"]),
    "label of 64": "joe@%s.example" % ("a" * 64),
}


def each(forms):
    return pytest.mark.parametrize("form", forms, ids=[form.name for form in forms])


def bind(gateway, recipient):
    """Let a message claim the recipient's routing key for the lowest priority."""
    sent = gateway.send(bcc=[recipient], priority_header="5")
    assert gateway.delivered(sent) == {recipient.address: BOUND}


def all_deliveries(gateway, sent):
    """Every delivery of the message, when there can be no more."""
    gateway.wait_until_empty()
    return gateway.relay.deliveries_for(sent.tag)


def instances_of(gateway, sent):
    """As gateway.delivered(), but judged when nothing more can arrive."""
    gateway.wait_until_empty()
    gateway.check_exact(sent)
    return gateway.delivered(sent)


def split(gateway, primary, copies, **message):
    """Send `primary` at priority 4 and `copies` at 3, in one message."""
    return gateway.send(
        to=[primary], bcc=copies, primary_precedence="flash", copy_precedence="priority", **message
    )


@each(TAKEN + LITERALS)
def test_goes_to_the_instance_decided(gateway, form):
    recipient = form.recipient()
    sent = gateway.send(bcc=[recipient], priority_header="1")
    assert gateway.delivered(sent) == {recipient.address: 4}
    (arrived,) = gateway.arrived(sent)
    assert arrived.recipient == recipient.arrives_as
    assert ("SMTPUTF8" in arrived.sender_params) == (not recipient.address.isascii())


@each(TAKEN + LITERALS)
def test_goes_by_the_filter_where_its_key_is_claimed(gateway, form):
    recipient = form.recipient()
    bind(gateway, recipient)
    sent = gateway.send(bcc=[recipient], priority_header="2")
    assert instances_of(gateway, sent) == {recipient.address: 3}
    assert gateway.decision(sent).way == "filter"
    assert [arrived.recipient for arrived in gateway.arrived(sent)] == [recipient.arrives_as]


@each(TAKEN)
def test_is_respelled_where_its_key_is_claimed_and_another_goes_elsewhere(gateway, form):
    recipient = form.recipient()
    other = "other.%s@dest.example" % new_tag()
    bind(gateway, recipient)
    sent = split(gateway, other, [recipient])
    assert instances_of(gateway, sent) == {other: 4, recipient.address: 3}
    assert gateway.decision(sent).way == "respell"
    arrived = {delivery.instance: delivery.recipient for delivery in gateway.arrived(sent)}
    local, _, domain = arrived[3].rpartition("@")
    wanted_local, _, wanted_domain = recipient.arrives_as.rpartition("@")
    assert local == wanted_local
    assert domain.translate(LOWER) == wanted_domain.translate(LOWER)


@each(LITERALS)
def test_goes_up_with_the_other_where_it_has_no_spelling(gateway, form):
    recipient = form.recipient()
    other = "other.%s@dest.example" % new_tag()
    bind(gateway, recipient)
    sent = split(gateway, other, [recipient])
    assert instances_of(gateway, sent) == {other: 4, recipient.address: 4}
    assert gateway.decision(sent).way == "filter"
    recipients = {delivery.recipient for delivery in gateway.arrived(sent)}
    assert recipients == {other, recipient.arrives_as}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused_by_postfix_and_does_not_disturb_the_others(gateway, address):
    good = "good.%s@dest.example" % new_tag()
    sent = gateway.send(to=[good], bcc=[address], priority_header="1", check=False)
    assert sent.refused[address].code // 100 == 5
    assert instances_of(gateway, sent) == {good: 4}


# The same mailbox twice

TWICE = {
    "same": ("bob@{d}", "bob@{d}"),
    "other case": ("bob@{d}", "BOB@{D}"),
    "other case, upper first": ("Bob@{D}", "bob@{d}"),
}


def twice(first, second, first_params=(), second_params=()):
    form = Form("twice", first, second)
    made = form.recipient()
    return Recipient(made.address, first_params), Recipient(made.arrives_as, second_params)


@pytest.mark.parametrize("spellings", TWICE.values(), ids=TWICE.keys())
def test_a_recipient_given_twice_gets_the_message_once(gateway, spellings):
    sent = gateway.send(bcc=twice(*spellings), priority_header="1")
    assert [d.instance for d in all_deliveries(gateway, sent)] == [4]


@pytest.mark.parametrize("spellings", TWICE.values(), ids=TWICE.keys())
@pytest.mark.parametrize("claimed", ([0], [1], [0, 1]), ids=("first", "second", "both"))
def test_a_recipient_given_twice_is_respelled_once(gateway, spellings, claimed):
    pair = twice(*spellings)
    other = "other.%s@dest.example" % new_tag()
    for index in claimed:
        bind(gateway, Recipient(pair[index].address))
    sent = split(gateway, other, pair)
    deliveries = all_deliveries(gateway, sent)
    assert sorted(d.instance for d in deliveries) == [3, 4], deliveries


@pytest.mark.parametrize("spellings", TWICE.values(), ids=TWICE.keys())
@pytest.mark.parametrize("is_claimed", (False, True), ids=("free", "claimed"))
def test_a_recipient_given_twice_with_other_notify_keeps_both(gateway, spellings, is_claimed):
    pair = twice(*spellings, first_params=["NOTIFY=NEVER"], second_params=["NOTIFY=FAILURE"])
    other = "other.%s@dest.example" % new_tag()
    if is_claimed:
        for recipient in pair:
            bind(gateway, Recipient(recipient.address))
    sent = split(gateway, other, pair)
    deliveries = all_deliveries(gateway, sent)
    assert sorted((d.instance, d.params.get("NOTIFY", "")) for d in deliveries) == [
        (3, "FAILURE"),
        (3, "NEVER"),
        (4, ""),
    ]


def test_a_route_to_a_recipient_of_the_same_message_does_not_lower_it(gateway):
    plain, routed = twice("bob@{d}", "@a.example:bob@{d}")
    other = "other.%s@dest.example" % new_tag()
    bind(gateway, plain)
    sent = split(gateway, other, [plain, routed])
    instances = [d.instance for d in all_deliveries(gateway, sent) if d.recipient != other]
    assert instances and set(instances) <= {3, 4}


# Envelopes as a whole


def test_a_thousand_recipients_go_to_two_instances_each_once(gateway):
    domain = new_tag() + ".dest.example"
    half = ["to%d@%s" % (number, domain) for number in range(500)]
    rest = ["bcc%d@%s" % (number, domain) for number in range(500)]
    for primary, copies in ((half, rest), (rest, half)):  # the second time every key is claimed
        sent = gateway.send(
            to=primary, bcc=copies, primary_precedence="flash", copy_precedence="priority"
        )
        wanted = dict.fromkeys(primary, 4)
        wanted.update(dict.fromkeys(copies, 3))
        assert instances_of(gateway, sent) == wanted


@pytest.mark.parametrize("is_claimed", (False, True), ids=("plain", "respell"))
def test_mail_without_a_sender_is_routed_and_stays_without(gateway, is_claimed):
    copy, other = ("%s.%s@dest.example" % (name, new_tag()) for name in ("copy", "other"))
    if is_claimed:
        bind(gateway, rcpt(copy))
    sent = split(gateway, other, [copy], sender="")
    assert instances_of(gateway, sent) == {other: 4, copy: 3}
    assert {delivery.sender for delivery in gateway.arrived(sent)} == {""}
