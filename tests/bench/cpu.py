"""Processor time of processes and all that descend from them, and memory of one."""

import contextlib
import itertools
import os
import time

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 5
_numbers = itertools.count()


class CpuMeter:
    """Processor time of named parts, each a few processes and all that descend from them.

    By a cgroup (version 2) for each part where one can be made, which is exact; else by the times
    in /proc, of the processes and of the children that they have waited for, in whole ticks.
    """

    def __init__(self):
        self._group = _own_group()
        if self._group:
            name = "peg-bench-%d-%d" % (os.getpid(), next(_numbers))
            self._group = os.path.join(self._group, name)
        self._roots = {}

    @property
    def method(self):
        return "cgroup v2" if self._group else "/proc"

    def watch(self, part, pids):
        """These processes, with their descendants, are this part from now on."""
        self._roots[part] = list(pids)
        if not self._group:
            return
        folder = os.path.join(self._group, part)
        try:
            os.makedirs(folder, exist_ok=True)
            _move_all(self._roots[part], folder)
        except PermissionError:
            self._group = None

    def read(self):
        """{part: seconds so far}"""
        if not self._group:
            return _tree_times(self._roots)
        return {part: _usage(os.path.join(self._group, part)) for part in self._roots}

    def close(self):
        """To be called when the processes have ended."""
        if not self._group:
            return
        deadline = time.monotonic() + PATIENCE_S
        for folder in [os.path.join(self._group, part) for part in self._roots] + [self._group]:
            while os.path.isdir(folder):
                try:
                    os.rmdir(folder)
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)


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
        return sum(_cpu_seconds(member) for member in tree([self._pid]))


def _cpu_seconds(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            ended = sum(int(ticks) for ticks in stat.read().rpartition(")")[2].split()[13:15])
        own = time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes it
    except OSError:
        return 0  # it has just ended: its parent's now
    return own + ended / TICKS


def own_memory(pid):
    """Bytes of memory that a process has beside what it shares with others (the table)."""
    sizes = {}
    with open("/proc/%d/status" % pid) as status:
        for line in status:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "RssShmem"):
                sizes[name] = int(value.split()[0]) * 1024
    return sizes["VmRSS"] - sizes["RssShmem"]


def _own_group():
    """The folder of the cgroup (version 2) of this process, None where there is none to write."""
    mounts, group = [], None
    with open("/proc/self/mounts") as lines:
        mounts = [line.split()[1] for line in lines if line.split()[2] == "cgroup2"]
    with open("/proc/self/cgroup") as lines:
        for line in lines:
            if line.startswith("0::"):
                group = line.rstrip("\n")[3:]
    for mount in mounts:
        folder = os.path.join(mount, (group or "").lstrip("/"))
        if group and os.access(folder, os.W_OK):
            return folder
    return None


def _usage(folder):
    with open(os.path.join(folder, "cpu.stat")) as lines:
        for line in lines:
            name, value = line.split()
            if name == "usage_usec":
                return int(value) / 1e6
    raise OSError("%s: no usage_usec in cpu.stat" % folder)


def _processes():
    """{pid: (parent, seconds, its waited-for children included)}"""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open("/proc/%s/stat" % name, "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
            found[int(name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
    return found


def tree(roots, processes=None):
    """The process ids of these processes and of all that descend from them."""
    processes = processes or _processes()
    children = {}
    for pid, (parent, _) in processes.items():
        children.setdefault(parent, []).append(pid)
    found, waiting = set(), [pid for pid in roots if pid in processes]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return found


def _tree_times(parts):
    processes = _processes()
    return {
        part: sum(processes[pid][1] for pid in tree(roots, processes))
        for part, roots in parts.items()
    }


def _move_all(roots, folder):
    """Move the trees of processes; what is forked from then on is there as well."""
    moved = set()
    while True:
        missing = tree(roots) - moved
        if not missing:
            return
        for pid in missing:
            with contextlib.suppress(ProcessLookupError):
                with open(os.path.join(folder, "cgroup.procs"), "w") as procs:
                    procs.write("%d\n" % pid)
        moved |= missing
