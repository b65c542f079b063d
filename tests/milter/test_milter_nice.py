"""NICE_LEVEL_MILTER: the nice level of every thread of peg-milter, whenever it was started."""

import contextlib
import glob
import os

import pytest
from milter_process import CONF, wait_until

FIELD_NICE = 19  # proc(5), counted from 1
WITHOUT_RIGHT = ("setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice")
WARNING = "NICE_LEVEL_MILTER: the nice level stays "


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
