"""Sessions: message after message on one connection, broken off, repeated, very large."""

import concurrent.futures
import os
import signal

import pytest
from claims_model import RULES_BY_NUMBER, Claims, Message
from harness.milter_client import CONTINUE
from milter_process import SOCKET, TABLE_FILE, wait_until

BOB, CARL = "bob@dest.example", "carl@dest.example"



def test_messages_on_one_connection_are_decided_each_by_its_own_headers(postfix):
    for x_priority, priority in (("1", 4), ("5", 0), (None, 2), ("2", 3), (None, 2)):
        headers = [("X-Priority", x_priority)] if x_priority else []
        recipient = "bob-%d@dest.example" % priority
        assert postfix.send([recipient], headers).decision.priorities == {priority: 1}


def test_nothing_of_a_message_that_was_broken_off_is_left(postfix):
    postfix.begin([BOB, CARL], [("X-Priority", "1"), ("X-Peg-Route", "4"), ("To", BOB)])
    postfix.abort()
    result = postfix.send([BOB])
    assert result.decision.priorities == {2: 1} and result.modifications == []


@pytest.mark.parametrize("steps", range(4))
def test_a_message_may_be_broken_off_after_any_step(postfix, steps):
    for _ in range(3):
        actions = [
            lambda: postfix.mail("eve@source.example"),
            lambda: postfix.rcpt(CARL),
            lambda: postfix.header("X-Priority", "1"),
        ]
        for action in actions[:steps]:
            action()
        postfix.abort()
        assert postfix.send([BOB]).decision.priorities == {2: 1}


def test_a_second_sender_without_an_end_in_between_begins_a_new_message(postfix):
    postfix.begin([CARL], [("X-Priority", "1")], sender="eve@source.example")
    postfix.begin([BOB], [("X-Priority", "5")])
    decision = postfix.end().decision
    assert decision.priorities == {0: 1} and decision.sender == "alice@source.example"


def test_a_message_without_recipients_leaves_the_session_as_it_was(postfix):
    postfix.mail("alice@source.example")
    postfix.header("X-Priority", "1")
    postfix.send_packet(b"E")  # libmilter does not answer to what cannot come
    postfix.abort()
    assert postfix.send([BOB]).decision.priorities == {2: 1}


def test_a_message_refused_half_way_claims_nothing(postfix):
    postfix.begin([BOB], [("X-Priority", "1")])
    postfix.abort()
    result = postfix.send([BOB], [("X-Priority", "5")])
    assert result.decision.way == "plain"


def test_the_null_sender_is_logged_as_such(postfix):
    assert postfix.send([BOB], sender="").decision.sender == ""


def test_odd_bytes_in_addresses_cannot_forge_a_line_in_the_log(milter, postfix):
    sender = "a\nb\rc\x01\x7f@source.example"
    assert postfix.send([BOB], sender=sender).decision.sender == "a?b?c??@source.example"


def test_a_sender_of_many_kilobytes_cuts_the_log_line_only(milter, postfix):
    result = postfix.message("x" * 60000 + "@source.example", [BOB])
    milter.log.wait_for("from=<x{1000}")
    assert result.modifications == []


def test_a_thousand_recipients_are_decided_in_one_message(make_milter):
    milter, claims = make_milter(rules=RULES_BY_NUMBER), Claims()
    to, cc = (["%s%d@dest.example" % (kind, n) for n in range(500)] for kind in ("to", "cc"))
    with milter.connect() as postfix:
        for to_priority, cc_priority, way in (
            (4, 0, "plain"),
            (0, 4, "respell"),
            (4, 0, "plain"),
            (3, 3, "filter"),
            (1, 3, "respell"),
        ):
            message = Message(to, cc, to_priority, cc_priority)
            result = postfix.send(message.recipients, message.headers)
            assert result.decision.way == way
            claims.accept(message, result)


def test_the_log_names_no_more_groups_than_fit_in_a_line(make_milter):
    rules = "".join("{rcpt_addr} /^u%d@/ all %d\n" % (n, n % 5) for n in range(40))
    recipients = ["u%d@dest.example" % n for n in range(40)]
    decision = make_milter(rules=rules).message(recipients).decision
    assert decision.count == 40
    assert sum(decision.priorities.values()) == len(decision.rules) == 8
    assert set(decision.priorities) == {4}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_with_status_0_where_nobody_ever_connected(milter, number):
    milter.stop(number)
    assert not os.path.lexists(milter.path(SOCKET))
    assert "peg-milter: stopped" in milter.log.lines()


@pytest.mark.parametrize("run", range(3))
def test_it_ends_with_status_0_after_mail_and_a_reload(milter, run):
    for _ in range(run):
        assert milter.message([BOB]).decision.way == "plain"
        assert milter.signal_reload()
    milter.stop()


def test_it_ends_while_sessions_are_open_and_takes_its_socket_away(milter):
    idle, busy = milter.connect(), milter.connect()
    busy.begin([BOB], [("X-Priority", "1")])
    milter.stop()
    assert not os.path.lexists(milter.path(SOCKET))
    for connection in (idle, busy):
        connection.close()
    milter.start()
    assert milter.message([BOB]).decision.way == "plain"


def test_it_ends_after_the_messages_that_are_being_decided(milter):
    connection = milter.connect()
    connection.begin([BOB], [("X-Priority", "1")])
    with concurrent.futures.ThreadPoolExecutor() as threads:
        with milter.table_lock_held():
            os.unlink(milter.path(TABLE_FILE))  # a claim waits until it is made again
            connection.send_eom()
            wait_until(connection.has_been_read)
            stopped = threads.submit(milter.stop)
            assert not concurrent.futures.wait([stopped], timeout=0.5).done
        result = connection.read_result()
        assert result.final == CONTINUE and result.modifications
        stopped.result()
