"""LIMIT_CONNECTIONS_MILTER: messages beyond it are not looked at, and nobody is refused.

A message counts from MAIL to its end, in whichever way that comes; a session without one does not.
The connections here have MAIL answered, which Postfix does not ask for, to know when it was heard.
"""

import random
import socket
import threading

import pytest
from harness import milter_protocol as protocol
from harness.milter_client import ACCEPT, CONTINUE, MilterGone
from milter_process import CONF, SOCKET, wait_until
from test_milter_hostile import DIALOGUE, GREETING

LIMIT = 2
SESSIONS = 100
ALICE, BOB = "alice@source.example", "bob@dest.example"
URGENT = [("X-Priority", "1")]
WARNING = "LIMIT_CONNECTIONS_MILTER: "
STEPS = protocol.ALL_STEPS & ~protocol.NO_REPLY[protocol.MAIL]


def limited(limit):
    return CONF + "LIMIT_CONNECTIONS_MILTER=%d\n" % limit


@pytest.fixture(name="milter")
def milter_with_two_places(make_milter):
    return make_milter(conf=limited(LIMIT))


def connect(milter, steps=STEPS):
    connection = milter.connect(negotiate=False)
    connection.negotiate(steps=steps)
    return connection


def begin(milter):
    """A connection in the middle of a message, of which peg-milter has heard."""
    connection = connect(milter)
    connection.mail(ALICE)
    return connection


def is_decided(connection):
    """End the message that has begun; returns whether it was looked at."""
    connection.rcpt(BOB)
    connection.macros["i"] = connection.new_queue_id()
    result = connection.eom()
    assert result.final in (ACCEPT, CONTINUE) and result.modifications == []
    if result.final == CONTINUE:
        assert connection.log.decision(connection.macros["i"]).way == "plain"
    connection.abort()
    return result.final == CONTINUE


def close(connections):
    for connection in connections:
        connection.close()


def places(milter):
    """How many more messages have a place now, 5 at the most."""
    connections = [begin(milter) for _ in range(5)]
    found = sum([is_decided(connection) for connection in connections])
    close(connections)
    return found


@pytest.fixture(name="begun")
def all_places_are_taken(milter):
    connections = [begin(milter) for _ in range(LIMIT)]
    yield connections
    close(connections)


def test_within_the_limit_all_are_decided(begun):
    assert all([is_decided(connection) for connection in begun])


@pytest.mark.usefixtures("begun")
def test_one_more_is_accepted_as_it_is_and_the_log_says_no_decision(milter):
    with milter.connect() as connection:
        result = connection.message(ALICE, [BOB], URGENT + [("X-Peg-Route", "4")])
        assert result.final == ACCEPT and result.modifications == []
    assert "way=" not in milter.log.text()


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("steps", [0x7F, protocol.ALL_STEPS & ~sum(protocol.NO_REPLY.values())])
def test_one_more_is_told_to_go_on_where_every_step_must_be_answered(milter, steps):
    with connect(milter, steps) as connection:
        connection.connect()
        assert connection.mail(ALICE) == CONTINUE
        assert connection.rcpt(BOB) == CONTINUE
        assert connection.header("X-Priority", "1") == CONTINUE
        assert connection.eom().final == ACCEPT


def test_the_next_message_of_the_same_session_is_decided_once_there_is_a_place(begun, milter):
    with connect(milter) as connection:
        connection.mail(ALICE)
        begun.pop().close()
        wait_until(lambda: places(milter) == 1)
        assert not is_decided(connection)
        connection.mail(ALICE)
        assert is_decided(connection)
        assert is_decided(begun[0])


def test_sessions_without_a_message_take_no_place(make_milter):
    milter = make_milter(conf=limited(1))
    connections = [milter.connect() for _ in range(SESSIONS)]
    for connection in connections:
        connection.connect()
        connection.helo()
    for _ in range(2):
        for connection in connections:
            assert connection.send([BOB], URGENT).decision.priorities == {4: 1}
    assert WARNING not in milter.log.text()
    close(connections)


def test_a_place_is_free_before_the_answer_to_the_end_of_the_message(make_milter):
    milter = make_milter(conf=limited(1))
    with milter.connect() as first, milter.connect() as second:
        for _ in range(200):
            for connection in (first, second):
                assert connection.message(ALICE, [BOB], URGENT).final == CONTINUE
    assert WARNING not in milter.log.text()


def test_as_many_clients_as_places_that_begin_and_end_sessions_are_all_decided(make_milter):
    milter = make_milter(conf=limited(4))
    failures = []

    def send():
        for _ in range(50):
            with milter.connect() as connection:
                if connection.message(ALICE, [BOB], URGENT).final != CONTINUE:
                    failures.append(connection)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and WARNING not in milter.log.text()


def quit_in_the_middle(connection):
    connection.quit()
    connection.close()


def abort_and_quit(connection):
    connection.abort()
    quit_in_the_middle(connection)


def end_and_quit(connection):
    assert is_decided(connection)
    quit_in_the_middle(connection)


def end_again(connection):
    assert is_decided(connection)
    connection.send_eom()
    connection.abort()


def end_without_a_recipient(connection):
    connection.send_eom()  # libmilter does not answer to what cannot come


def begin_again(connection):
    """Without an end, in all states; libmilter does not call that an abort behind UNKNOWN."""
    connection.mail("eve@source.example")
    connection.rcpt(BOB)
    connection.mail("eve@source.example")
    connection.header("To", BOB)
    connection.mail("eve@source.example")
    connection.send_packet(protocol.UNKNOWN, b"NOOP\0")
    connection.mail("eve@source.example")
    connection.abort()


def abort_behind_an_unknown_command(connection):
    connection.send_packet(protocol.UNKNOWN, b"NOOP\0")
    connection.abort()


def die_behind_an_unknown_command(connection):
    connection.send_packet(protocol.UNKNOWN, b"NOOP\0")
    connection.close()


def abort_twice(connection):
    connection.abort()
    connection.abort()


def abort_later(connection):
    connection.rcpt(BOB)
    connection.header("X-Priority", "1")
    connection.abort()


def say_nonsense(connection):
    connection.send_packet(b"?")


ENDS = [
    is_decided,
    end_again,
    end_and_quit,
    end_without_a_recipient,
    begin_again,
    abort_twice,
    abort_later,
    abort_and_quit,
    abort_behind_an_unknown_command,
    quit_in_the_middle,
    die_behind_an_unknown_command,
    say_nonsense,
    lambda connection: connection.close(),
]


@pytest.mark.parametrize("end", ENDS)
def test_in_whichever_way_a_message_ends_its_place_is_free_once(milter, end):
    connections = []
    for _ in range(2 * LIMIT):
        connections.append(begin(milter))
        end(connections[-1])
        wait_until(lambda: places(milter) == LIMIT)
    close(connections)
    wait_until(lambda: places(milter) == LIMIT)


@pytest.mark.parametrize("end", [end for end in ENDS if end not in (end_and_quit, end_again)])
def test_a_message_without_a_place_leaves_none(milter, begun, end):
    connections = [begin(milter) for _ in range(3)]
    for connection in connections:
        end(connection)
    close(connections)
    assert places(milter) == 0
    close(begun)
    wait_until(lambda: places(milter) == LIMIT)


def test_message_after_message_of_one_session_gives_its_place_back_each_time(milter, begun):
    connection = begun[0]
    for _ in range(5):
        assert places(milter) == 0
        assert is_decided(connection)
        assert places(milter) == 1
        connection.mail(ALICE)


def hang_up_after(milter, data):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(milter.path(SOCKET))
        connection.sendall(data)


@pytest.mark.parametrize("cut", range(len(DIALOGUE) + 1))
def test_sessions_that_die_in_any_state_leave_their_places(milter, cut):
    for _ in range(2 * LIMIT):
        hang_up_after(milter, b"".join(DIALOGUE[:cut]))
    wait_until(lambda: places(milter) == LIMIT)


@pytest.mark.parametrize(
    "data",
    [
        GREETING * 5,
        GREETING[:-3],
        b"".join(DIALOGUE[:-1]) + b"\0\0\0\1K" + GREETING * 2,  # QUIT_NC: what follows is new
        b"".join(DIALOGUE[:5]) + b"\0\0\0\1K" + b"".join(DIALOGUE[:5]),
        b"".join(DIALOGUE[:5]) + b"\0\0\0\0",
        b"".join(DIALOGUE[:5]) + b"\xff\xff\xff\xff",
        b"".join(DIALOGUE[:5]) + b"\0\0\0\1?",
    ],
)
def test_nonsense_takes_no_place_for_good(milter, data):
    for _ in range(2 * LIMIT):
        hang_up_after(milter, data)
    wait_until(lambda: places(milter) == LIMIT)


def test_an_mta_that_is_refused_takes_no_place(milter):
    for _ in range(2 * LIMIT):
        connection = milter.connect(negotiate=False)
        with pytest.raises(MilterGone):
            connection.negotiate(actions=0)
        connection.close()
    assert places(milter) == LIMIT


@pytest.mark.usefixtures("begun")
def test_the_log_tells_once_how_many_are_decided_and_what_to_do(milter):
    mark = milter.log.mark()
    for _ in range(20):
        begin(milter).close()
    said = milter.log.text(mark)
    assert said.count(WARNING) == 1
    line = milter.log.wait_for(WARNING, mark)
    assert "2 messages are being decided" in line and "raise it" in line


def test_the_limit_follows_a_reload(milter, begun):
    assert places(milter) == 0
    assert milter.signal_reload(conf=limited(4))
    assert places(milter) == 2
    begun += [begin(milter) for _ in range(2)]
    assert milter.signal_reload(conf=limited(1))
    assert places(milter) == 0
    while begun:
        assert places(milter) == 0
        connection = begun.pop()
        assert is_decided(connection)
        connection.close()
    assert places(milter) == 1


def test_the_count_is_exact_after_a_storm_of_sessions(make_milter):
    milter = make_milter(conf=limited(3))
    failures = []

    def come_and_go(seed):
        dice = random.Random(seed)
        try:
            for _ in range(100):
                hang_up_after(milter, b"".join(DIALOGUE[: dice.randrange(1, len(DIALOGUE) + 1)]))
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    wait_until(lambda: places(milter) == 3)
    begun = [begin(milter) for _ in range(3)]
    assert places(milter) == 0
    assert all([is_decided(connection) for connection in begun])
    close(begun)
