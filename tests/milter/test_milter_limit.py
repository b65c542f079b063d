"""LIMIT_CONNECTIONS_MILTER: messages beyond it are not decided, and nobody is refused.

A message counts while its decision is made, which Postfix waits for; sessions, and messages that
have not come to their end, do not. Decisions wait here as long as the decision table is away and
nobody may make it.
"""

import concurrent.futures
import random
import socket
import threading

import pytest
from harness import keeper
from harness import milter_protocol as protocol
from harness.milter_client import ACCEPT, CONTINUE, MilterGone
from milter_process import CONF, SOCKET, wait_until
from test_milter_hostile import DIALOGUE, GREETING, packet

LIMIT = 2
BEYOND = 3
SESSIONS = 100
ALICE, BOB = "alice@source.example", "bob@dest.example"
URGENT = [("X-Priority", "1")]
WARNING = "LIMIT_CONNECTIONS_MILTER: "


def limited(limit):
    return CONF + "LIMIT_CONNECTIONS_MILTER=%d\n" % limit


@pytest.fixture(name="milter")
def milter_with_two_places(make_milter):
    return make_milter(conf=limited(LIMIT))


def end(connection):
    """End the message that has begun; returns its Result."""
    connection.macros["i"] = connection.new_queue_id()
    return connection.eom()


def begin_session(milter):
    """libmilter starts threads for new sessions alone, where none is idle."""
    milter.connect().close()


def end_at_once(milter, connections, limit):
    """End their messages while no decision is made; returns the Results of those beyond the limit,
    which come before, and of those within."""
    beyond = len(connections) - limit
    with concurrent.futures.ThreadPoolExecutor(len(connections)) as threads:
        with keeper.no_decision(milter):
            results = [threads.submit(end, connection) for connection in connections]
            wait_until(lambda: begin_session(milter) or sum(r.done() for r in results) >= beyond)
            first = [result for result in results if result.done()]
        rest = [result for result in results if result not in first]
        return [[result.result() for result in group] for group in (first, rest)]


def places(milter, limit=LIMIT):
    """How many messages are decided of BEYOND more than the limit that end at once."""
    connections = [milter.connect() for _ in range(limit + BEYOND)]
    for connection in connections:
        connection.begin([BOB], URGENT)
    finals = [result.final for group in end_at_once(milter, connections, limit) for result in group]
    close(connections)
    assert set(finals) == {ACCEPT, CONTINUE}
    return finals.count(CONTINUE)


def wait_for_places(milter):
    """Messages that were hung up on may still be being decided."""
    wait_until(lambda: places(milter) == LIMIT)


def close(connections):
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("limit", [1, LIMIT, 20])
def test_as_many_messages_as_the_limit_says_are_decided_at_once(make_milter, limit):
    milter = make_milter(conf=limited(limit))
    for _ in range(3):
        assert places(milter, limit) == limit


def test_one_beyond_is_accepted_as_it_is_and_the_log_has_no_decision(milter):
    connections = [milter.connect() for _ in range(LIMIT + 1)]
    for connection in connections:
        connection.begin([BOB], URGENT + [("X-Peg-Route", "4")])
    first, rest = end_at_once(milter, connections, LIMIT)
    assert [result.modifications for result in first] == [[]]
    assert all(result.modifications for result in rest)
    close(connections)
    milter.stop()
    assert milter.log.text().count("way=") == LIMIT


def test_the_next_message_of_a_session_that_was_beyond_is_decided(milter):
    connections = [milter.connect() for _ in range(LIMIT + 1)]
    for connection in connections:
        connection.begin([BOB], URGENT)
    end_at_once(milter, connections, LIMIT)
    for connection in connections:
        connection.abort()
        assert connection.send([BOB], URGENT).decision.priorities == {4: 1}
    close(connections)


def test_sessions_and_messages_without_an_end_take_no_place(make_milter):
    milter = make_milter(conf=limited(1))
    connections = [milter.connect() for _ in range(SESSIONS)]
    for connection in connections[: SESSIONS // 2]:
        connection.begin([BOB], URGENT)
    for _ in range(2):
        for connection in connections[SESSIONS // 2 :]:
            assert connection.send([BOB], URGENT).decision.priorities == {4: 1}
    for connection in connections[: SESSIONS // 2]:
        assert connection.end().decision.priorities == {4: 1}
    assert WARNING not in milter.log.text()
    close(connections)


def test_a_place_is_free_before_the_answer(make_milter):
    milter = make_milter(conf=limited(1))
    with milter.connect() as first, milter.connect() as second:
        for _ in range(200):
            for connection in (first, second):
                assert connection.message(ALICE, [BOB], URGENT).final == CONTINUE
    assert WARNING not in milter.log.text()


def test_as_many_clients_as_places_are_all_decided_whatever_else_they_do(make_milter):
    milter = make_milter(conf=limited(4))
    failures = []

    def send(seed):
        dice = random.Random(seed)
        for _ in range(50):
            hang_up_after(milter, b"".join(DIALOGUE[: dice.randrange(DIALOGUE.index(packet(b"E")))]))
            with milter.connect() as connection:
                if connection.message(ALICE, [BOB], URGENT).final != CONTINUE:
                    failures.append(seed)

    run_at_once(send, range(4))
    assert failures == [] and WARNING not in milter.log.text()


def run_at_once(function, seeds):
    threads = [threading.Thread(target=function, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# How a message that has begun ends, whose connection is closed then.


def end_it(connection):
    assert end(connection).final == CONTINUE


def end_and_quit(connection):
    end_it(connection)
    connection.quit()


def end_again(connection):
    end_it(connection)
    connection.send_eom()  # libmilter does not answer to what cannot come
    connection.abort()


def end_and_hang_up(connection):
    connection.send_eom()


def end_without_a_recipient(connection):
    connection.mail("eve@source.example")
    connection.send_eom()


def quit_in_the_middle(connection):
    connection.quit()


def abort_and_quit(connection):
    connection.abort()
    connection.quit()


def begin_again(connection):
    """Without an end, in all states."""
    connection.mail("eve@source.example")
    connection.header("To", BOB)
    connection.mail("eve@source.example")
    connection.send_packet(protocol.UNKNOWN, b"NOOP\0")
    connection.mail("eve@source.example")
    connection.abort()


def abort_behind_an_unknown_command(connection):
    connection.send_packet(protocol.UNKNOWN, b"NOOP\0")
    connection.abort()


def abort_twice(connection):
    connection.abort()
    connection.abort()


def say_nonsense(connection):
    connection.send_packet(b"?")


def hang_up(_connection):
    pass


ENDS = [
    end_it,
    end_and_quit,
    end_again,
    end_and_hang_up,
    end_without_a_recipient,
    begin_again,
    quit_in_the_middle,
    abort_and_quit,
    abort_behind_an_unknown_command,
    abort_twice,
    say_nonsense,
    hang_up,
]


@pytest.mark.parametrize("way", ENDS)
def test_in_whichever_way_messages_end_there_are_as_many_places_as_before(milter, way):
    for _ in range(2 * LIMIT):
        connection = milter.connect()
        connection.begin([BOB], URGENT)
        way(connection)
        connection.close()
    wait_for_places(milter)


def test_a_client_that_goes_while_its_message_is_decided_leaves_its_place(milter):
    connections = [milter.connect() for _ in range(LIMIT)]
    with keeper.no_decision(milter):
        for connection in connections:
            connection.begin([BOB], URGENT)
            connection.send_eom()
            wait_until(connection.has_been_read)
            connection.close()
    wait_until(lambda: milter.log.text().count("way=") == LIMIT)
    wait_for_places(milter)


def hang_up_after(milter, data):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(milter.path(SOCKET))
        connection.sendall(data)


@pytest.mark.parametrize("cut", range(len(DIALOGUE) + 1))
def test_sessions_that_die_in_any_state_leave_their_places(milter, cut):
    for _ in range(2 * LIMIT):
        hang_up_after(milter, b"".join(DIALOGUE[:cut]))
    wait_for_places(milter)


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
    wait_for_places(milter)


def test_an_mta_that_is_refused_takes_no_place(milter):
    for _ in range(2 * LIMIT):
        connection = milter.connect(negotiate=False)
        with pytest.raises(MilterGone):
            connection.negotiate(actions=0)
        connection.close()
    assert places(milter) == LIMIT


def test_the_log_tells_once_how_many_are_decided_and_what_to_do(milter):
    for _ in range(2):
        assert places(milter) == LIMIT
    assert milter.log.text().count(WARNING) == 1
    line = milter.log.wait_for(WARNING)
    assert "2 messages are being decided" in line and "raise it" in line


def test_the_limit_follows_a_reload(milter):
    for limit in (4, 1, LIMIT):
        assert milter.signal_reload(conf=limited(limit))
        assert places(milter, limit) == limit


def test_the_count_is_exact_after_a_storm_of_sessions(milter):
    def come_and_go(seed):
        dice = random.Random(seed)
        for _ in range(100):
            hang_up_after(milter, b"".join(DIALOGUE[: dice.randrange(1, len(DIALOGUE) + 1)]))

    run_at_once(come_and_go, range(8))
    wait_for_places(milter)
