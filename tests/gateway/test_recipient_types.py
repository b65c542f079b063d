"""Who is a primary recipient: those who stand in To or Resent-To, however it is written.

All mail here is flash for primary recipients and deferred for all others, unless a test says so.
"""

import re

import pytest

from harness.mail import Recipient, new_tag

PRIMARY, COPY = 4, 1


def case(headers, primary, copies="", body=""):
    """Header lines, the recipients that are primary by them, and those that are not.

    {d} is a domain that no other message is sent to, {D} the same in capitals, {u} a word that no
    other message has. A recipient that is a mere word stands for one @{d}.
    """
    return headers, primary, copies, body


CASES = {
    # The plain ones
    "To": case("To: anna@{d}", "anna", "bert"),
    "To and Cc": case("To: anna@{d}\nCc: bert@{d}", "anna", "bert"),
    "several in To": case("To: anna@{d}, bert@{d},carl@{d}", "anna, bert, carl"),
    "Bcc only": case("", "", "anna"),
    "Bcc beside To": case("To: someone@else.example", "", "anna"),
    "the same in To and Cc": case("To: anna@{d}\nCc: anna@{d}", "anna"),
    "the same in Cc and To": case("Cc: anna@{d}, bert@{d}\nTo: anna@{d}", "anna", "bert"),
    "To twice": case("To: anna@{d}\nTo: bert@{d}", "anna, bert", "carl"),
    "To twice with Cc between": case(
        "To: anna@{d}\nCc: carl@{d}\nTo: bert@{d}", "anna, bert", "carl"
    ),
    "the same in To twice": case("To: anna@{d}, anna@{d}\nTo: anna@{d}", "anna", "bert"),
    "To behind other headers": case("Cc: bert@{d}\nX-A: b\nTo: anna@{d}", "anna", "bert"),
    "empty To": case("To:", "", "anna"),
    # Resent
    "Resent-To": case("Resent-To: anna@{d}", "anna", "bert"),
    "Resent-To and To": case("Resent-To: anna@{d}\nTo: bert@{d}", "anna, bert", "carl"),
    "Resent-Cc": case("Resent-Cc: anna@{d}\nTo: bert@{d}", "bert", "anna"),
    # The header's name
    "TO": case("TO: anna@{d}", "anna", "bert"),
    "tO": case("tO: anna@{d}\ncC: bert@{d}", "anna", "bert"),
    "RESENT-to": case("RESENT-to: anna@{d}", "anna", "bert"),
    "no blank behind the colon": case("To:anna@{d}", "anna", "bert"),
    "a blank before the colon": case("To : anna@{d}", "anna", "bert"),
    "a tab behind the colon": case("To:\tanna@{d}", "anna", "bert"),
    "other headers that end in To": case(
        "Reply-To: anna@{d}\nIn-Reply-To: anna@{d}\nX-To: anna@{d}\nApparently-To: anna@{d}",
        "",
        "anna",
    ),
    "other headers that begin with To": case("To-Do: anna@{d}\nToken: anna@{d}", "", "anna"),
    "To in the body": case("To: anna@{d}", "anna", "bert", body="To: bert@{d}\n"),
    "To of a message inside": case(
        "To: anna@{d}\nMIME-Version: 1.0\nContent-Type: message/rfc822",
        "anna",
        "bert",
        body="To: bert@{d}\n\nbody\n",
    ),
    # Letter case, dots, extensions
    "another case of the domain": case("To: anna@{D}", "anna", "bert"),
    "another case of the local part": case("To: ANNA@{d}", "anna", "bert"),
    "another case in the envelope": case("To: anna@{d}", "Anna@{D}", "Bert@{D}"),
    "a dot at the end": case("To: anna@{d}.", "anna", "bert"),
    "a dot at the end in the envelope": case("To: anna@{d}", "anna@{d}.", "bert@{d}."),
    "an extension": case("To: anna+x@{d}", "anna+x", "anna, anna+y"),
    "no domain": case("To: anna{u}", "anna{u}", "bert{u}"),
    "no domain in the envelope": case("To: anna{u}@origin.example", "anna{u}", "bert{u}"),
    # One address inside another
    "aa@x in To, a@x not": case("To: aa@{d}", "aa", "a, aaa"),
    "a@x in To, aa@x not": case("To: a@{d}", "a", "aa, a@a{d}, a@{d}.example"),
    "a subdomain in To": case("To: anna@sub.{d}", "anna@sub.{d}", "anna, sub"),
    "an address as a display name": case('To: "bert@{d}" <anna@{d}>', "anna", "bert"),
    "an address as an unquoted name": case("To: bert@{d} <anna@{d}>", "anna", "bert"),
    "brackets in a display name": case('To: "x <bert@{d}>" <anna@{d}>', "anna", "bert"),
    "a list in a display name": case('To: "carl, bert@{d}, x" <anna@{d}>', "anna", "bert"),
    "a quote in a display name": case('To: "x\\", bert@{d}, \\"y" <anna@{d}>', "anna", "bert"),
    "an address in a comment": case("To: anna@{d} (bert@{d})", "anna", "bert"),
    "a list in a comment": case("To: (x, bert@{d}, y) anna@{d}", "anna", "bert"),
    "an address in a quoted local part": case(
        'To: "bert@{d}"@{d}, anna@{d}', 'anna, "bert@{d}"@{d}', "bert"
    ),
    # Display names
    "a display name": case("To: Anna Berger <anna@{d}>", "anna", "bert"),
    "a name with comma": case('To: "Berger, Anna" <anna@{d}>, B <bert@{d}>', "anna, bert"),
    "a name with a dot": case("To: Anna B. Berger <anna@{d}>", "anna", "bert"),
    "encoded words": case("To: =?utf-8?Q?J=C3=B6rg_Gr=C3=BCn?= <anna@{d}>", "anna", "bert"),
    "an address in an encoded word": case(
        "To: =?us-ascii?Q?x=2C_bert=40{d}=2C_y?= <anna@{d}>", "anna", "bert"
    ),
    "encoded words on two lines": case(
        "To: =?utf-8?B?w7bDtg==?=\n =?utf-8?B?w7w=?= <anna@{d}>,\n\tbert@{d}", "anna, bert", "carl"
    ),
    "8-bit letters": case("To: Jörg <anna@{d}>", "anna", "bert"),
    # Groups
    "a group": case("To: Ward: anna@{d}, Bert <bert@{d}>;", "anna, bert", "carl"),
    "undisclosed recipients": case("To: undisclosed-recipients:;", "", "anna"),
    "undisclosed recipients with a comment": case(
        'To: "undisclosed-recipients" (anna@{d}) : ;', "", "anna"
    ),
    "groups and addresses": case(
        "To: carl@{d}, Empty:;, Ward: anna@{d};, bert@{d}", "anna, bert, carl", "dora"
    ),
    "a group with an address as its name": case('To: "bert@{d}": anna@{d};', "anna", "bert"),
    "a group in Cc": case("To: anna@{d}\nCc: Ward: bert@{d};", "anna", "bert"),
    # Comments and blanks
    "comments everywhere": case(
        "To: (a)anna(b)@(c){d}(d), (e) Bert (f) <(g)bert@{d}(h)>(i)", "anna, bert", "carl"
    ),
    "nested comments": case("To: (a (b, bert@{d}) \\) c) anna@{d}", "anna", "bert"),
    "blanks everywhere": case("To:  anna  @  {d}  ,  <  bert @ {d}  >  ", "anna, bert"),
    # Folded
    "folded": case("To: anna@{d},\n\tBert\n <bert@{d}>,\n \t carl@{d}", "anna, bert, carl", "dora"),
    "folded at once": case("To:\n anna@{d}", "anna", "bert"),
    "folded within the address": case("To: anna\n @\n\t{d}", "anna", "bert"),
    "folded within a quoted name": case('To: "Anna\n bert@{d},\n x" <anna@{d}>', "anna", "bert"),
    "folded within a comment": case("To: (x\n bert@{d},\n y) anna@{d}", "anna", "bert"),
    # Quoted local parts, literals, UTF-8
    "quoted local part": case('To: "an na"@{d}', '"an na"', 'anna, "an  na"'),
    "needless quotes": case('To: "anna"@{d}', "anna", "bert"),
    "needless quotes in the envelope": case("To: anna@{d}", '"anna"', '"bert"'),
    "quoted pair": case('To: "an\\na"@{d}, "b\\"t"@{d}', 'anna, "b\\"t"'),
    "address literal": case("To: {u}@[203.0.113.7]", "{u}@[203.0.113.7]", "x{u}@[203.0.113.7]"),
    "UTF-8": case("To: jö@{d}", "jö", "jo"),
    # Obsolete and careless
    "source route": case("To: <@a.example,@b.example:anna@{d}>", "anna", "bert"),
    "source route in the envelope": case("To: anna@{d}", "@a.example:anna@{d}", "bert"),
    "blanks around dots": case("To: anna . berg @ dest . {d}", "anna.berg@dest.{d}", "anna"),
    "empty list members": case("To: , ,anna@{d},,\n ,bert@{d},", "anna, bert"),
    "words as local part": case('To: "anna".berg@{d}', "anna.berg", "anna"),
    "semicolons for commas": case("To: anna@{d}; bert@{d};carl@{d}", "anna, bert, carl"),
    "no brackets": case("To: Anna anna@{d}, bert@{d}", "anna, bert", "carl"),
    "a quote that is never closed": case('To: anna@{d}, "x <bert@{d}>', "anna", "bert"),
    "a comment that is never closed": case("To: anna@{d}, (x bert@{d}", "anna", "bert"),
    "a bracket that is never closed": case("To: Anna <anna@{d}, bert@{d}", "bert", "carl"),
    "nonsense": case("To: <<>>@,;:<@>, \\, anna@{d}", "anna", "bert"),
}


class Letter:
    """New values for {d}, {D} and {u}, and the recipients that are written with them."""

    def __init__(self):
        self.word = "u" + new_tag().replace("-", "q")
        self.domain = self.word + ".example"

    def fill(self, text):
        text = text.replace("{d}", self.domain).replace("{D}", self.domain.upper())
        return text.replace("{u}", self.word)

    def recipients(self, words):
        words = words.split(", ") if words else []
        addresses = [self.fill(w if re.search("[@{]", w) else w + "@{d}") for w in words]
        return [Recipient(address, arrives_as=_arriving(address)) for address in addresses]


def _arriving(address):
    without_route = re.sub("^@[^:]*:", "", address)
    return without_route if "@" in without_route else without_route + "@origin.example"


def send(gateway, recipients, headers, to="flash", others="deferred", body=""):
    """Send a message with these raw header lines beside those that it needs."""
    return gateway.send(
        bcc=recipients,
        primary_precedence=to,
        copy_precedence=others,
        headers=[headers.replace("\n", "\r\n").encode()] if headers else [],
        body=body,
    )


@pytest.mark.parametrize("headers, primary, copies, body", CASES.values(), ids=CASES.keys())
def test_each_recipient_is_what_the_header_makes_it(gateway, headers, primary, copies, body):
    letter = Letter()
    primary, copies = letter.recipients(primary), letter.recipients(copies)
    sent = send(gateway, primary + copies, letter.fill(headers), body=letter.fill(body))
    wanted = {recipient.address: PRIMARY for recipient in primary}
    wanted.update({recipient.address: COPY for recipient in copies})
    assert gateway.delivered(sent) == wanted


# Headers so long that Postfix may cut them at 60,000 bytes, before a milter sees them: nobody gets
# less than the To header, if it was whole, would have given.

FOLDED, ONE_LINE = ",\n ", ", "
LONG, CUT_MIN, CUT_MAX = 50000, 54000, 60000  # no header under CUT_MIN is ever cut


def to_header(length, first, last, separator=FOLDED, name="To"):
    """A header of so many bytes, `first` and `last` at its ends."""
    text = name + ": " + first
    end = separator + last
    number = 0
    while len(text) + len(end) + 100 < length:
        text += "%sf%d@filler.example" % (separator, number)
        number += 1
    return text + " (%s)" % ("x" * (length - len(text) - len(end) - 3)) + end


def three(letter):
    """Recipients at the beginning of To, at its end, and not in it."""
    return ["%s@%s" % (name, letter.domain) for name in ("first", "last", "bcc")]


@pytest.mark.parametrize("separator", (FOLDED, ONE_LINE), ids=("folded", "in one line"))
@pytest.mark.parametrize("length", (LONG, CUT_MIN - 1))
def test_a_long_to_header_is_read_to_its_end(gateway, length, separator):
    first, last, bcc = three(Letter())
    header = to_header(length, first, last, separator)
    assert len(header.replace("\n", "\r\n")) >= length == len(header)
    sent = send(gateway, [first, last, bcc], header)
    assert gateway.delivered(sent) == {first: PRIMARY, last: PRIMARY, bcc: COPY}


@pytest.mark.parametrize("separator", (FOLDED, ONE_LINE), ids=("folded", "in one line"))
@pytest.mark.parametrize("length", (CUT_MAX - 1, CUT_MAX, CUT_MAX + 1, CUT_MAX + 40, 99000, 200000))
def test_where_to_may_be_cut_nobody_is_demoted(gateway, length, separator):
    first, last, bcc = three(Letter())
    sent = send(gateway, [first, last, bcc], to_header(length, first, last, separator))
    assert gateway.delivered(sent) == {first: PRIMARY, last: PRIMARY, bcc: PRIMARY}


@pytest.mark.parametrize("length", range(CUT_MIN - 40, CUT_MAX + 120, 1500))
def test_about_the_length_where_to_is_cut_the_last_recipient_is_not_demoted(gateway, length):
    first, last, _ = three(Letter())
    sent = send(gateway, [first, last], to_header(length, first, last))
    assert gateway.delivered(sent) == {first: PRIMARY, last: PRIMARY}


@pytest.mark.parametrize("name", ("TO", "Resent-To"))
def test_the_same_holds_for_each_kind_of_to_header(gateway, name):
    first, last, bcc = three(Letter())
    sent = send(gateway, [first, last, bcc], to_header(200000, first, last, name=name))
    assert gateway.delivered(sent) == {first: PRIMARY, last: PRIMARY, bcc: PRIMARY}


def test_where_to_may_be_cut_copies_keep_their_higher_priority(gateway):
    first, last, bcc = three(Letter())
    header = to_header(200000, first, last)
    sent = send(gateway, [first, last, bcc], header, to="deferred", others="flash")
    assert gateway.delivered(sent) == {first: 1, last: 4, bcc: 4}


def test_a_short_to_header_beside_a_cut_one_is_read(gateway):
    first, last, bcc = three(Letter())
    short = "short@" + first.partition("@")[2]
    headers = to_header(200000, first, last) + "\nTo: " + short
    sent = send(gateway, [first, last, bcc, short], headers, to="deferred", others="flash")
    assert gateway.delivered(sent) == {first: 1, last: 4, bcc: 4, short: 1}


def test_several_long_to_headers_are_read_in_full(gateway):
    letter = Letter()
    ends = [three(letter)[:2]] + [
        ["%s%d@%s" % (end, n, letter.domain) for end in ("first", "last")] for n in range(4)
    ]
    bcc = "bcc@" + letter.domain
    headers = "\n".join(to_header(LONG, *pair) for pair in ends)
    named = [address for pair in ends for address in pair]
    sent = send(gateway, named + [bcc], headers)
    wanted = dict.fromkeys(named, PRIMARY)
    wanted[bcc] = COPY
    assert gateway.delivered(sent) == wanted


def test_a_long_cc_header_makes_nobody_primary(gateway):
    first, last, bcc = three(Letter())
    anna = "anna@" + bcc.partition("@")[2]
    headers = to_header(200000, first, last, name="Cc") + "\nTo: " + anna
    sent = send(gateway, [first, last, bcc, anna], headers)
    assert gateway.delivered(sent) == {first: COPY, last: COPY, bcc: COPY, anna: PRIMARY}
