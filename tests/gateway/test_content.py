"""What the relay receives is what the client sent, to the byte, whichever way a message goes.

The instances of this gateway do not break long lines (smtp_line_length_limit), as they would on the
way out; what stands before them must not do so. The client is one of which Postfix knows nothing
but that it may send: for its own host's mail Postfix adds headers that are missing.
"""

import re
import subprocess

import pytest

from harness import ways
from harness.gateway import Gateway

STRANGER = "127.0.0.2"
HEAD = (
    b"From: alice@source.example\r\n"
    b"Date: Thu, 01 Jan 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@client.example>\r\n"
)
# One by the frontend, and one by the instance.
RECEIVED = rb"Received: from [^\r\n]+\r\n(?:\t[^\r\n]+\r\n)+"
EVERY_BYTE = bytes(byte for byte in range(256) if byte not in b"\r\n")
IN_PARTS = (
    HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"preamble\r\n--b\r\n%sContent-Type: text/plain\r\n\r\nbody\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n%sSubject: inside\r\n\r\n%sbody\r\n--b--\r\n"
)

CONTENTS = {
    # Bodies
    "a body": HEAD + b"\r\nbody\r\n",
    "an empty body": HEAD + b"\r\n",
    "no body": HEAD,
    "empty lines": HEAD + b"\r\n\r\n\r\n\r\nbody\r\n\r\n\r\n",
    "blanks at the ends of lines": HEAD + b"Subject: x \t\r\n\r\n \t\r\nbody \t\r\n \r\n",
    "bare dots": HEAD + b"\r\n.\r\n..\r\n...\r\n.x\r\n.\r\n",
    "8-bit": HEAD + b"\r\n" + EVERY_BYTE + b"\r\n" + "Gr\u00fc\u00dfe\r\n".encode() * 3,
    "lines that begin with From": HEAD + b"\r\nFrom alice\r\n>From bert\r\n",
    "headers in the body": HEAD + b"\r\nX-Peg-Route: 1\r\nTo: bert@dest.example\r\nBcc: x\r\n",
    "lines of 998 and more": HEAD
    + b"\r\n"
    + b"".join(b"x" * length + b"\r\n" for length in (997, 998, 999, 1000, 2047, 2048, 2049)),
    "a line of 100 kB": HEAD + b"\r\n" + b"x" * 100000 + b"\r\n.\r\n",
    "a body of 3 MB": HEAD + b"\r\n" + (b"z" * 70 + b"\r\n.\r\n") * 40000,
    # Headers
    "no header": b"\r\nbody\r\n",
    "nothing": b"\r\n",
    "nothing at all": b"",
    "few headers": b"Subject: x\r\n\r\nbody\r\n",
    "folded headers": HEAD
    + b"X-Tab: a\r\n\tb\r\n \t c\r\nX-At-Once:\r\n x\r\nX-Blank: a\r\n \r\n b\r\n\r\nbody\r\n",
    "headers in odd order": b"X-Last: z\r\nSubject: y\r\n" + HEAD + b"Received: from x\r\n\r\n",
    "headers twice": HEAD + b"X-A: 1\r\nX-B: 2\r\nX-A: 1\r\nSubject: a\r\nSubject: b\r\n" + HEAD,
    "headers oddly written": HEAD
    + b"X-None:\r\nX-Near:x\r\nX-Tab:\tx\r\nx-LOW: l\r\nX-8bit: \xff\xc3\xbc\r\n\r\n",
    "addresses oddly written": HEAD
    + b'To: A@Dest.Example (c),\r\n\t"y, z" <y@Z>, w\r\nCc:x\r\nSender: S@x\r\nReply-To: q\r\n\r\n',
    "signatures": b"DKIM-Signature: v=1; h=from;\r\n\tb=ab\r\n\t cd==\r\n" + HEAD + b"\r\nbody\r\n",
    "headers of deliveries": HEAD + b"Delivered-To: a@b\r\nX-Original-To: c\r\nErrors-To: d@e\r\n",
    "a header of 50 kB": HEAD + b"X-Long: " + b"a" * 50000 + b"\r\n\r\nbody\r\n",
    "a folded header of 50 kB": HEAD + b"X-Long: " + b"a b\r\n\t" * 8300 + b"e\r\n\r\nbody\r\n",
    "2,000 headers": HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(2000)) + b"\r\nbody\r\n",
    # Messages in parts
    "parts": IN_PARTS % (b"X-Part: 1\r\n", b"X-Inside: 2\r\n", b""),
    "our header in parts": IN_PARTS % ((b"X-Peg-Route: 1\r\n",) * 3),
}


class WithoutBreaks(Gateway):
    """A gateway with two priorities whose instances leave long lines alone."""

    def write(self):
        super().write()
        for instance in range(self.priority_count):
            command = ["postconf", "-c", self.config_dir(instance), "-e"]
            subprocess.run(command + ["smtp_line_length_limit=0"], check=True)


@pytest.fixture(scope="module", name="gateway")
def gateway_without_breaks():
    """A gateway for all tests here, with ways.RULES."""
    with WithoutBreaks(priority_count=2, conf={"DEFAULT_PRIORITY": 0}, rules=ways.RULES) as gateway:
        yield gateway


def each_way(test):
    return pytest.mark.parametrize("way", ways.ALL, ids=repr)(test)


def arrived(gateway, way, content, client=STRANGER):
    """The deliveries of a message with this content that was sent this way."""
    return gateway.arrived(way.send(gateway, client=client, content=content))


def headers_added(delivery, content):
    """What stands before `content` but for the Received lines of the two hops."""
    added = delivery.added_before(content)
    hops = re.match(b"(?:%s){2}" % RECEIVED, added)
    assert hops, added
    return added[hops.end() :]


@each_way
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_message_arrives_as_it_was_sent(gateway, way, content):
    for delivery in arrived(gateway, way, content):
        assert headers_added(delivery, content) == b""


@each_way
def test_to_mail_of_its_own_host_postfix_adds_the_headers_that_are_missing(gateway, way):
    content = b"Subject: x\r\nX-Next: y\r\n\r\nbody\r\n"
    for delivery in arrived(gateway, way, content, client="127.0.0.1"):
        missing = rb"Message-Id: <\S+>\r\nDate: [^\r\n]+\r\nFrom: alice@source.example\r\n"
        wanted = re.escape(content).replace(b"y\\\r\\\n", b"y\\\r\\\n" + missing, 1)
        assert re.fullmatch(b"(?:%s){2}%s" % (RECEIVED, wanted), delivery.content)


@each_way
def test_postfix_itself_drops_what_is_not_for_the_recipient(gateway, way):
    dropped = b"Bcc: bert@x\r\nReturn-Path: <x@y>\r\nContent-Length: 9\r\n"
    rest = b"X-Last: y\r\n\r\nbody\r\n"
    for delivery in arrived(gateway, way, HEAD + dropped + rest):
        assert headers_added(delivery, HEAD + rest) == b""


# Our own header

ROUTE = b"X-Peg-Route: 1\r\n"
CLIENT_ROUTES = {
    "once": ROUTE,
    "several": b"X-Peg-Route: 0\r\nX-Peg-Route: 1\r\nX-Peg-Route: 0\r\n",
    "the same again": ROUTE * 50,
    "odd case": b"x-pEG-rOUTE: 1\r\nX-PEG-ROUTE: 0\r\nx-peg-route: 1\r\n",
    "folded": b"X-Peg-Route:\r\n 1\r\nX-Peg-Route: 0\r\n\t\r\nX-Peg-Route: 1\r\n 0\r\n",
    "without blank": b"X-Peg-Route:1\r\nX-Peg-Route:\t0\r\nX-Peg-Route:   1  \r\n",
    "blank before the colon": b"X-Peg-Route : 1\r\nX-Peg-Route\t: 0\r\n",
    "without value": b"X-Peg-Route:\r\nX-Peg-Route: \r\n",
    "no such priority": b"X-Peg-Route: 9\r\nX-Peg-Route: -1\r\nX-Peg-Route: smtp:[x]\r\n",
    "long": b"X-Peg-Route: 1" + b"x" * 5000 + b"\r\n",
}


@each_way
@pytest.mark.parametrize("routes", CLIENT_ROUTES.values(), ids=CLIENT_ROUTES.keys())
def test_a_client_s_own_route_header_has_no_effect_and_is_gone(gateway, way, routes):
    content = routes + HEAD + routes + b"X-Peg-Route-Not: 1\r\n" + routes + b"\r\nbody\r\n"
    without = HEAD + b"X-Peg-Route-Not: 1\r\n\r\nbody\r\n"
    for delivery in arrived(gateway, way, content):  # at the right instances, says the way
        assert headers_added(delivery, without) == b""


@each_way
def test_a_client_s_own_route_header_is_gone_though_it_is_all_there_is(gateway, way):
    for delivery in arrived(gateway, way, ROUTE):
        assert headers_added(delivery, b"") == b""


@pytest.mark.parametrize("way", (ways.FILTER, ways.NO_SPELLING), ids=repr)
def test_the_frontend_s_route_header_does_not_reach_the_instance(gateway, way):
    with gateway.relay.holding():
        recipients = way.recipients()
        way.prepare(gateway, recipients)
        with gateway.sender(client=STRANGER) as sender:
            sent = sender.send(bcc=recipients, content=HEAD + b"\r\nbody\r\n")
        line = r"postfix-frontend/smtp\[\d+\]: %s: .* queued as (\w+)\)" % sent.queue_id
        queue_id = gateway.log.wait_for(line).group(1)
        queued = subprocess.run(
            ["postcat", "-c", gateway.config_dir(ways.URGENT), "-qbh", queue_id],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    assert HEAD.replace(b"\r\n", b"\n") in queued and b"X-Peg" not in queued
    way.check(gateway, sent)
