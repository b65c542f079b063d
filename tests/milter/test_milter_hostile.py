"""Whatever comes in by the socket, the process stays, and serves the next connection.

One thing is left out: a list of macros in which the last has no value. libmilter 8.17 then reads
beyond the list in smfi_getsymval(), before any code of ours could look at it.
"""

import os
import random
import socket
import struct

import pytest
from harness import milter_protocol as protocol
from harness.milter_client import ACCEPT, MilterGone
from milter_process import SOCKET

SCALE = float(os.environ.get("PEG_TEST_SCALE", "1"))
BOB = "bob@dest.example"
NEGOTIATION = struct.pack("!III", 6, protocol.ALL_ACTIONS, protocol.ALL_STEPS)


def packet(command, data=b"", length=None):
    return struct.pack("!I", len(data) + 1 if length is None else length) + command + data


def short(data):
    """The name of a test with these bytes."""
    return repr(data[:60])


GREETING = packet(b"O", NEGOTIATION)
DIALOGUE = [
    GREETING,
    packet(b"D", b"Cj\0mail.gateway.example\0"),
    packet(b"D", b"M{auth_authen}\0alice\0"),
    packet(b"M", b"<alice@source.example>\0SIZE=1000\0"),
    packet(b"D", b"R{rcpt_addr}\0bob@dest.example\0"),
    packet(b"R", b"<bob@dest.example>\0NOTIFY=NEVER\0"),
    packet(b"L", b"X-Priority\x001\0"),
    packet(b"L", b"To\0bob@dest.example\0"),
    packet(b"D", b"Ei\x004XYZ\0"),
    packet(b"E"),
    packet(b"A"),
    packet(b"Q"),
]


RULES = "{auth_authen} /^a/ all 4\n{rcpt_addr} /^b/ all 3\nTo /./ to 1\n"


@pytest.fixture(name="milter")
def milter_that_lives_on(lasting_milter):
    """One that after the test is the same process, and serves."""
    yield lasting_milter
    result = lasting_milter.message([BOB], [("To", BOB)], {"{auth_authen}": "x"})
    assert result.decision.priorities == {1: 1}


def say(milter, data, wait_for_the_end=True):
    """Send bytes on a connection of their own, and read what comes back until it is closed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect(milter.path(SOCKET))
        try:
            connection.sendall(data)
            if wait_for_the_end:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        except ConnectionError:
            pass


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"GET / HTTP/1.0\r\n\r\n",
        b"\xff" * 64,
        b"\0" * 64,
        packet(b"O"),
        packet(b"O", NEGOTIATION[:7]),
        packet(b"O", NEGOTIATION + b"\0\0\0\2{x}"),
        packet(b"O", b"\xff" * 12),
        packet(b"M", b"<a@b>\0"),
        packet(b"E"),
        packet(b"Q"),
        packet(b"D", b"M{auth_authen}\0a\0") + GREETING,
        GREETING + GREETING,
    ],
    ids=short,
)
def test_garbage_before_and_instead_of_the_negotiation_does_no_harm(milter, data):
    say(milter, data)


def test_steps_before_the_negotiation_are_answered_but_do_nothing(milter):
    mark = milter.log.mark()
    with milter.connect(negotiate=False) as mta:
        for _ in range(2):
            mta.send_raw(b"".join(DIALOGUE[5:8]) + DIALOGUE[9])  # libmilter ignores them
            mta.send_raw(DIALOGUE[3])
            assert mta.read_packet() == (ACCEPT, b"")
    assert milter.message([BOB]).decision.priorities == {3: 1}
    assert len(milter.log.lines(mark)) == 1


@pytest.mark.parametrize("length", [0, 2, 11, 100, 70000, 1 << 23, 1 << 31, 0xFFFFFFFF])
@pytest.mark.parametrize("command", [b"M", b"R", b"L", b"D", b"E"])
def test_a_packet_with_a_wrong_length_does_no_harm(milter, command, length):
    begin = b"".join(DIALOGUE[:6])
    say(milter, begin + packet(command, b"<x@y.example>\0\0", length) + packet(b"E"))


@pytest.mark.parametrize("cut", range(len(DIALOGUE) + 1))
def test_a_connection_may_be_closed_after_any_packet(milter, cut):
    say(milter, b"".join(DIALOGUE[:cut]))
    say(milter, b"".join(DIALOGUE[:cut]), wait_for_the_end=False)


def test_a_connection_may_be_closed_after_any_byte(milter):
    whole = b"".join(DIALOGUE)
    for cut in range(0, len(whole), max(1, int(1 / SCALE))):
        say(milter, whole[:cut], wait_for_the_end=False)


@pytest.mark.parametrize(
    "data",
    [
        packet(b"M"),
        packet(b"M", b"\0"),
        packet(b"M", b"<no end"),
        packet(b"M", b"\0\0\0\0"),
        packet(b"M", b"<>\0") + packet(b"R"),
        packet(b"M", b"<>\0") + packet(b"R", b"\0"),
        packet(b"M", b"<>\0") + packet(b"R", b"<b@c>\0" + b"\0" * 500),
        packet(b"M", b"<>\0") + packet(b"R", b"<b@c>\0" + b"X=Y\0" * 20000),
        packet(b"M", b"<>\0") + packet(b"R", b'<"\\\0'),
        packet(b"M", b"<>\0") + packet(b"R", b"<@@@\\\\\\\"@>\0"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L", b"\0"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L", b"To\0"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L", b"To\0no end"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L", b"\0value\0"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L", b"To\0a@b\0c@d\0\0\0"),
        DIALOGUE[3] + DIALOGUE[5] + packet(b"L", b"X-Peg-Route\0\xff\xfe\0"),
        packet(b"D") + DIALOGUE[3],
        packet(b"D", b"M") + DIALOGUE[3],
        packet(b"D", b"M\0\0\0\0") + DIALOGUE[3],
        packet(b"D", b"M{auth_authen}\0\xff\x80\n\r\x01\0") + DIALOGUE[3],
        packet(b"D", b"M{auth_authen\0a\0auth_authen}\0b\0") + DIALOGUE[3],
        packet(b"D", b"M" + b"{x}\0y\0" * 20000) + DIALOGUE[3],
        packet(b"D", b"?{auth_authen}\0a\0") + DIALOGUE[3],
        DIALOGUE[3] + packet(b"D", b"R{rcpt_addr}\0\0") + DIALOGUE[5],
        DIALOGUE[3] + packet(b"D", b"R{rcpt_addr}\0\"\\\0") + DIALOGUE[5],
        packet(b"Z"),
        packet(b"\0"),
        packet(b"K"),
        packet(b"B", b"body"),
        packet(b"U", b"NOOP\0"),
    ],
    ids=short,
)
def test_a_malformed_packet_does_no_harm(milter, data):
    say(milter, GREETING + data + b"".join(DIALOGUE[3:]))
    say(milter, GREETING + data + packet(b"E") + packet(b"Q"))


def test_a_header_of_70_kb_is_read(milter):
    with milter.connect(macros={"{auth_authen}": "x"}) as postfix:
        long_list = ", ".join("user%d@dest.example" % n for n in range(3000))
        headers = [("To", long_list), ("X-Long", "x" * 70000)]
        result = postfix.send(["user2999@dest.example"], headers)
        assert result.decision.priorities == {1: 1}


def test_a_header_of_9_mb_ends_the_connection_and_nothing_else(milter):
    postfix = milter.connect()
    with pytest.raises(MilterGone):
        postfix.begin([BOB])
        postfix.header("To", "x" * (9 << 20))
        postfix.eom()
    postfix.close()


def test_no_order_of_packets_does_harm(milter):
    random_numbers = random.Random(5)
    for _ in range(int(300 * SCALE)):
        words = [random_numbers.choice(DIALOGUE[1:]) for _ in range(random_numbers.randint(1, 25))]
        say(milter, GREETING + b"".join(words))


def test_no_flipped_bytes_do_harm(milter):
    random_numbers = random.Random(6)
    for _ in range(int(600 * SCALE)):
        packets = [bytearray(p) for p in DIALOGUE]
        for _ in range(random_numbers.randint(1, 6)):
            broken = random_numbers.choice([p for p in packets if p[4:5] != b"D"])
            value = random_numbers.choice([n for n in range(256) if n != ord("D")])
            broken[random_numbers.randrange(len(broken))] = value
        say(milter, b"".join(packets))


def test_silent_connections_do_not_keep_others_waiting(milter):
    silent = [milter.connect(negotiate=False) for _ in range(90)]
    for connection in silent:
        connection.send_raw(GREETING)
    assert milter.message(["new@dest.example"]).decision.way == "plain"
    for connection in silent:
        connection.close()
