"""Processor time and memory of processes that are measured."""

import glob
import os
import re
import time


def family(pid):
    """A process, and those that it and they have started, zombies included."""
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as stat:
                parents[int(path.split("/")[2])] = int(stat.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


class CpuClock:
    """What a family of processes takes of the processors.

    Threads that have ended are counted, and so are processes of which somebody in the family has
    taken note that they ended (to the clock tick; of others to the microsecond).
    """

    def __init__(self, pid):
        self._pid = pid
        self._before = self._now()

    def seconds(self):
        """Processor time since this clock was made."""
        return self._now() - self._before

    def _now(self):
        return sum(_cpu_seconds(member) for member in family(self._pid))


def _cpu_seconds(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            ended = sum(int(ticks) for ticks in stat.read().rpartition(")")[2].split()[13:15])
        own = time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes it
    except OSError:
        return 0  # it has just ended: its parent's now
    return own + ended / os.sysconf("SC_CLK_TCK")


def own_memory_mb(pid):
    """Resident memory of a process, without the decision table and what else is shared (MB)."""
    with open("/proc/%d/status" % pid) as status:
        sizes = dict(re.findall(r"^(Rss\w+):\s+(\d+) kB$", status.read(), re.MULTILINE))
    return (int(sizes["RssAnon"]) + int(sizes["RssFile"])) / 1024
