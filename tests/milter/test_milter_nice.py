"""NICE_LEVEL_MILTER: the nice level of every thread of peg-milter, whenever it was started, and of
its session.
"""

import contextlib
import glob
import os

import pytest
from milter_process import CONF, wait_until

FIELD_NICE = 19  # proc(5), counted from 1
WITHOUT_RIGHT = ("setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice")
WARNING = "NICE_LEVEL_MILTER: the nice level stays "
SESSION_WARNING = "NICE_LEVEL_MILTER: nice level -5 cannot be set for the session"


def session_level(pid):
    """The nice level of the group that Linux makes of a session; None: it makes none."""
    with contextlib.suppress(FileNotFoundError), open("/proc/%d/autogroup" % pid) as group:
        words = group.read().split()
        return int(words[-1]) if words else None


needs_session_levels = pytest.mark.skipif(
    session_level(os.getpid()) is None, reason="the kernel does not group processes by session"
)


def with_level(level):
    return CONF + "NICE_LEVEL_MILTER=%s\n" % level


def nice_levels(pid):
    """The nice level of each thread."""
    levels = []
    for path in glob.glob("/proc/%d/task/*/stat" % pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
            with open(path) as stat:
                after_name = stat.read().rpartition(")")[2].split()
            levels.append(int(after_name[FIELD_NICE - 3]))
    return levels


def levels_under_load(milter):
    """The nice levels while several sessions have made libmilter start threads for them."""
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(milter.connect()) for _ in range(8)]
        for number, session in enumerate(sessions):
            session.send(["bob%d@dest.example" % number])
        assert milter.signal_reload()
        # itself, ours for signals and work, libmilter's for signals and the pool, one for sessions
        wait_until(lambda: len(nice_levels(milter.pid)) >= 6)
        return set(nice_levels(milter.pid))


@pytest.mark.parametrize("level, shown", [("7", 7), ("19", 19), ("20", 19)])
def test_every_thread_has_the_level(make_milter, level, shown):
    milter = make_milter(conf=with_level(level))
    assert levels_under_load(milter) == {shown}
    assert WARNING not in milter.log.text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go below 0")
@pytest.mark.parametrize("level", [-20, -1])
def test_root_may_favour_it_and_it_stays_so_when_it_is_root_no_more(make_milter, level):
    assert levels_under_load(make_milter(conf=with_level(level))) == {level}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go back to 0")
def test_it_does_not_inherit_the_level_of_who_started_it(make_milter):
    assert levels_under_load(make_milter(conf=CONF, under=("nice", "-n", "9"))) == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a right to lose")
def test_without_the_right_it_warns_and_serves(make_milter):
    milter = make_milter(conf=with_level(-5), under=WITHOUT_RIGHT)
    assert levels_under_load(milter) == {0}
    line = milter.log.wait_for(WARNING)
    assert "-5 cannot be set: Permission denied" in line and "LimitNICE" in line


@needs_session_levels
@pytest.mark.parametrize("level", [0, 7])
def test_a_session_of_its_own_has_the_level_too(make_milter, level):
    milter = make_milter(conf=with_level(level), under=("setsid",))
    assert os.getsid(milter.pid) == milter.pid
    assert session_level(milter.pid) == level


@needs_session_levels
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go below 0")
def test_root_may_favour_its_session(make_milter):
    assert session_level(make_milter(conf=with_level(-3), under=("setsid",)).pid) == -3


@needs_session_levels
def test_a_session_that_it_shares_with_others_keeps_its_level(make_milter):
    before = session_level(os.getpid())
    milter = make_milter(conf=with_level(7))
    assert os.getsid(milter.pid) == os.getsid(0)
    assert session_level(milter.pid) == session_level(os.getpid()) == before


@needs_session_levels
@pytest.mark.skipif(os.geteuid() != 0, reason="needs a right to lose")
def test_without_the_right_its_session_keeps_its_level_and_it_says_what_to_do(make_milter):
    under = ("setsid", "nice", "-n", "-5") + WITHOUT_RIGHT
    milter = make_milter(conf=with_level(-5), under=under)
    line = milter.log.wait_for(SESSION_WARNING)
    assert "Operation not permitted" in line and "LimitNICE" in line
    assert levels_under_load(milter) == {-5}
    assert session_level(milter.pid) == 0
