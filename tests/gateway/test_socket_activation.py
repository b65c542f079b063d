"""peg-tcpmap under a service manager: its readiness, and listening sockets that outlive it."""

import os
import re
import signal
import socket
import threading

import pytest
from harness import ports, processes
from harness.tcpmap_process import (
    LOG_FILE,
    PID_FILE,
    TcpmapProcess,
    ask,
    listening_socket,
    lookup,
    read_reply,
    speaks_to_service_managers,
)

DEFAULT_ROUTE = "200 peg2:[127.0.0.1]:20002"
O_NONBLOCK, O_CLOEXEC = 0o4000, 0o2000000


@pytest.fixture
def port():
    """A port that nobody listens on."""
    block = ports.reserve()
    yield block.tcpmap
    block.release()


@pytest.fixture
def tcpmap(port):
    if not speaks_to_service_managers():
        pytest.skip("built without libsystemd")
    process = TcpmapProcess(port)
    try:
        yield process
    finally:
        process.remove()


@pytest.fixture
def listener(port):
    """The socket of a socket unit for that port."""
    with listening_socket(port=port) as made:
        yield made


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("activated", [True, False])
def test_it_says_when_it_is_ready_and_when_it_ends(tcpmap, port, activated):
    sockets = [listening_socket(port=port)] if activated else []
    tcpmap.start(sockets)
    assert lookup(("127.0.0.1", port), "bob@dest.example") == DEFAULT_ROUTE
    assert tcpmap.notify.heard() == []
    assert tcpmap.stop() == 0
    assert tcpmap.notify.heard() == ["STOPPING=1"]
    for each in sockets:
        each.close()


def test_it_listens_on_the_socket_that_it_is_given_and_on_no_other(tcpmap, port):
    with listening_socket() as listener:
        tcpmap.start([listener])
        given = listener.getsockname()[1]
        assert lookup(listener.getsockname(), "bob@dest.example") == DEFAULT_ROUTE
        assert is_refused(port)
        log = tcpmap.log()
        assert "ready, listening on 127.0.0.1 port %d, inherited, for " % given in log
        assert re.search(
            r"warning: TCPMAP_LISTEN says 127\.0\.0\.1 port %d, .* 127\.0\.0\.1 port %d\n"
            % (port, given),
            log,
        )


def test_no_warning_where_the_socket_is_that_of_the_configuration(tcpmap, listener):
    tcpmap.start([listener])
    assert "warning" not in tcpmap.log()


def test_it_serves_several_sockets_of_both_families(tcpmap, listener):
    try:
        other = listening_socket("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with other:
        tcpmap.start([other, listener])
        for each in (listener, other):
            assert lookup(each.getsockname(), "bob@dest.example") == DEFAULT_ROUTE
        names = (other.getsockname()[1], listener.getsockname()[1])
        assert "listening on ::1 port %d and 127.0.0.1 port %d, inherited" % names in tcpmap.log()
        assert "warning" not in tcpmap.log()


def test_the_socket_is_made_non_blocking_and_goes_to_no_other_program(tcpmap, listener):
    listener.setblocking(True)
    tcpmap.start([listener])
    with open("/proc/%d/fdinfo/3" % tcpmap.pid) as info:
        flags = int(re.search(r"flags:\s*(\d+)", info.read()).group(1), 8)
    assert flags & O_NONBLOCK and flags & O_CLOEXEC


def test_connections_made_while_none_runs_are_served_by_the_next(tcpmap, listener):
    tcpmap.start([listener])
    tcpmap.stop(signal.SIGKILL)
    waiting = [socket.create_connection(listener.getsockname(), 30) for _ in range(20)]
    for connection in waiting:
        ask(connection, "bob@dest.example")
    tcpmap.start([listener])
    for connection in waiting:
        assert read_reply(connection) == DEFAULT_ROUTE
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_restarts_refuse_nobody(tcpmap, listener, number):
    """As Postfix does, a client whose connection ends without a reply makes another one."""
    over = threading.Event()
    replies, refusals = [], []

    def client():
        while not over.is_set():
            try:
                replies.append(lookup(listener.getsockname(), "bob@dest.example"))
            except (ConnectionResetError, BrokenPipeError):
                replies.append(None)  # it was being served when peg-tcpmap ended
            except OSError as error:
                refusals.append(error)

    tcpmap.start([listener])
    clients = [threading.Thread(target=client) for _ in range(4)]
    for each in clients:
        each.start()
    try:
        for _ in range(5):
            answered = len(replies)
            tcpmap.stop(number)
            tcpmap.notify.heard()
            tcpmap.start([listener])
            assert lookup(listener.getsockname(), "bob@dest.example") == DEFAULT_ROUTE
    finally:
        over.set()
        for each in clients:
            each.join()
    assert refusals == []
    assert set(replies) <= {DEFAULT_ROUTE, None}
    assert replies.count(None) <= 5 * len(clients)
    assert replies.count(DEFAULT_ROUTE) > answered / 2 > 0


def test_without_activation_nobody_is_served_between_stop_and_start(tcpmap, port):
    tcpmap.start()
    assert "ready, listening on 127.0.0.1 port %d for " % port in tcpmap.log()
    assert lookup(("127.0.0.1", port), "bob@dest.example") == DEFAULT_ROUTE
    assert tcpmap.stop() == 0
    tcpmap.notify.heard()
    assert is_refused(port)
    tcpmap.start()
    assert lookup(("127.0.0.1", port), "bob@dest.example") == DEFAULT_ROUTE


def _datagram():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _not_listening():
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def _unix():
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind("\0peg-test-%d" % os.getpid())
    made.listen(1)
    return made


@pytest.mark.parametrize("make", [_datagram, _not_listening, _unix])
def test_what_is_no_listening_tcp_socket_is_an_error(tcpmap, port, listener, make):
    with make() as wrong:
        assert tcpmap.run_to_its_end([listener, wrong]) == 1
    assert (
        "error: file descriptor 4 from the service manager is no listening TCP socket: "
        "the socket unit needs ListenStream=ADDRESS:PORT\n" in tcpmap.log()
    )
    assert tcpmap.notify.heard() == []


def test_too_many_sockets_are_an_error(tcpmap, listener):
    assert tcpmap.run_to_its_end([listener] * 9) == 1
    assert "error: 9 sockets from the service manager are too many: at most 8\n" in tcpmap.log()


def test_sockets_for_another_process_are_left_alone(tcpmap, port, monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    tcpmap.start()
    assert "inherited" not in tcpmap.log()
    assert lookup(("127.0.0.1", port), "bob@dest.example") == DEFAULT_ROUTE


def test_what_leaves_the_foreground_says_nothing_to_a_service_manager(tcpmap, port):
    assert tcpmap.run_to_its_end(arguments=()) == 0
    assert lookup(("127.0.0.1", port), "bob@dest.example") == DEFAULT_ROUTE
    processes.end(processes.read_pid(tcpmap.path(PID_FILE)))
    assert tcpmap.notify.heard() == []
    with open(tcpmap.path(LOG_FILE)) as log:
        assert "service manager" not in log.read()
