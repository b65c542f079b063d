"""What peg-milter says to its service manager."""

import signal

import pytest
from harness.notify_socket import NotifySocket
from milter_process import PROGRAM


@pytest.fixture
def notify(monkeypatch):
    with open(PROGRAM, "rb") as program:
        if b"libsystemd.so" not in program.read():
            pytest.skip("built without libsystemd")
    with NotifySocket() as made:
        monkeypatch.setenv("NOTIFY_SOCKET", made.address)
        yield made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_says_when_it_is_ready_and_when_it_ends(make_milter, notify, number):
    milter = make_milter()
    assert notify.next() == "READY=1"
    assert milter.signal_reload(rules="") is True
    assert notify.heard() == []
    milter.stop(number)
    assert notify.heard() == ["STOPPING=1"]


def test_one_that_cannot_start_says_nothing(make_milter, notify):
    milter = make_milter(start=False, rules="no rule\n")
    assert milter.run_to_its_end().returncode == 1
    assert notify.heard() == []
