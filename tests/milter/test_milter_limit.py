"""LIMIT_CONNECTIONS_MILTER: sessions beyond it are not served, and nobody is refused.

Postfix goes on without the milter for such a session: it is told ACCEPT when the client connects.
"""

import random
import socket
import threading

import pytest
from harness import milter_protocol as protocol
from harness.milter_client import ACCEPT, CONTINUE, MilterGone
from milter_process import CONF, SOCKET, wait_until
from test_milter_hostile import DIALOGUE, GREETING

BOB = "bob@dest.example"
URGENT = [("X-Priority", "1")]
WARNING = "LIMIT_CONNECTIONS_MILTER: "


def limited(limit):
    return CONF + "LIMIT_CONNECTIONS_MILTER=%d\n" % limit


@pytest.fixture(name="milter")
def milter_with_two_places(make_milter):
    return make_milter(conf=limited(2))


def is_served(connection):
    """Whether the milter wants to see the mail of a connection that was negotiated just now."""
    return not connection.negotiated.wants(protocol.CONNECT)


def take_place(milter):
    """A connection that is served, as long as it is not forgotten; None if there is no place."""
    connection = milter.connect()
    if is_served(connection):
        return connection
    return leave(connection)


def take_places(milter, count):
    """count of them. What places() has taken and left may not be free at once."""
    return [wait_until(lambda: take_place(milter)) for _ in range(count)]


def leave(connection):
    connection.quit()
    connection.close()


def places(milter):
    """How many more sessions are served now, 5 at the most.

    A place is free some time after Postfix has gone: the milter has to hear of that first.
    """
    connections = []
    try:
        while len(connections) < 5:
            connections.append(milter.connect())
            if not is_served(connections[-1]):
                return len(connections) - 1
        return len(connections)
    finally:
        for connection in connections:
            leave(connection)


@pytest.fixture(name="served")
def all_places_are_taken(milter):
    connections = take_places(milter, 2)
    yield connections
    for connection in connections:
        connection.close()


def test_within_the_limit_all_are_served(milter):
    for connection in take_places(milter, 2):
        assert connection.send([BOB], URGENT).decision.priorities == {4: 1}


@pytest.mark.usefixtures("served")
def test_one_more_is_told_that_all_is_accepted_as_soon_as_the_client_connects(milter):
    with milter.connect() as connection:
        assert connection.connect() == ACCEPT
        mark = milter.log.mark()
        result = connection.message("alice@source.example", [BOB], URGENT)
        assert result.final == ACCEPT and result.modifications == []
        assert milter.log.text(mark) == ""


def test_one_more_stays_unserved_for_all_its_messages_and_the_others_do_not_care(milter, served):
    with milter.connect() as connection:
        assert connection.connect() == ACCEPT
        leave(served.pop())
        wait_until(lambda: places(milter) == 1)
        assert connection.message("alice@source.example", [BOB], URGENT).modifications == []
        assert served[0].send([BOB], URGENT).decision.priorities == {4: 1}


@pytest.mark.usefixtures("served")
def test_one_that_does_not_care_for_the_answer_gets_the_same_again(milter):
    with milter.connect(negotiate=False) as connection:
        connection.negotiate(steps=protocol.ALL_STEPS & ~protocol.NOT_SENT[protocol.CONNECT])
        assert connection.mail("alice@source.example") == ACCEPT
        assert connection.mail("alice@source.example") == ACCEPT


def test_an_mta_that_cannot_leave_out_the_connection_is_served_as_others(milter):
    with milter.connect(negotiate=False) as connection:
        connection.negotiate(steps=0x7F & ~protocol.NOT_SENT[protocol.CONNECT])
        assert connection.connect() == CONTINUE
        assert connection.send([BOB], URGENT).decision.priorities == {4: 1}


def test_places_of_sessions_that_end_in_order_are_free_again(milter):
    for _ in range(3):
        for connection in take_places(milter, 2):
            connection.send([BOB], URGENT)
            leave(connection)
        wait_until(lambda: places(milter) == 2)


def hang_up_after(milter, data):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(milter.path(SOCKET))
        connection.sendall(data)


@pytest.mark.parametrize("cut", range(len(DIALOGUE) + 1))
def test_sessions_that_die_in_any_state_leave_their_places(milter, cut):
    for _ in range(4):
        hang_up_after(milter, b"".join(DIALOGUE[:cut]))
    wait_until(lambda: places(milter) == 2)


@pytest.mark.parametrize(
    "data",
    [
        GREETING * 5,
        GREETING[:-3],
        b"".join(DIALOGUE[:-1]) + b"\0\0\0\1K" + GREETING * 2,  # QUIT_NC: what follows is new
        GREETING + b"\0\0\0\0",
        GREETING + b"\xff\xff\xff\xff",
        GREETING + b"\0\0\0\1?",
    ],
)
def test_nonsense_takes_no_place_for_good(milter, data):
    for _ in range(4):
        hang_up_after(milter, data)
    wait_until(lambda: places(milter) == 2)


def test_an_mta_that_is_refused_takes_no_place(milter):
    for _ in range(4):
        connection = milter.connect(negotiate=False)
        with pytest.raises(MilterGone):
            connection.negotiate(actions=0)
        connection.close()
    assert places(milter) == 2


@pytest.mark.usefixtures("served")
def test_the_log_tells_once_how_many_are_served_and_what_to_do(milter):
    mark = milter.log.mark()
    for _ in range(20):
        with milter.connect() as connection:
            assert connection.connect() == ACCEPT
    said = milter.log.text(mark)
    assert said.count(WARNING) == 1
    line = milter.log.wait_for(WARNING, mark)
    assert "2 SMTP sessions are served" in line and "raise it" in line


def test_the_limit_follows_a_reload(milter, served):
    assert places(milter) == 0
    assert milter.signal_reload(conf=limited(4))
    wait_until(lambda: places(milter) == 2)
    served += take_places(milter, 2)
    assert milter.signal_reload(conf=limited(1))
    assert all(c.send([BOB], URGENT).decision.priorities == {4: 1} for c in served)
    while served:
        assert places(milter) == 0
        leave(served.pop())
    wait_until(lambda: places(milter) == 1)


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
    served = take_places(milter, 3)
    assert places(milter) == 0 and len(served) == 3
