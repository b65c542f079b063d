"""Where figures are measured: folders on disk and in memory, programs, rounds, the machine."""

import collections
import contextlib
import os
import platform
import shutil
import subprocess
import tempfile
import time

DISK = "/var/tmp"  # which no system keeps in memory, as /tmp may be
MEMORY = "/dev/shm"
# For a gateway in a gateway_folder(): peg-monitor writes through no link.
MONITORING = {"MONITORING_DIR": "/var/lib/monitoring"}


@contextlib.contextmanager
def folder(parent, prefix="pegb"):
    """A new empty folder that other users may enter, until the end of the block."""
    path = tempfile.mkdtemp(prefix=prefix, dir=parent)
    try:
        os.chmod(path, 0o755)
        yield path
    finally:
        _remove(path)


def _remove(path, patience_s=10):
    """Remove a folder, in which a program that was cut short may still be writing."""
    deadline = time.monotonic() + patience_s
    while os.path.exists(path) and time.monotonic() < deadline:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def gateway_folder():
    """A folder on disk whose `run` is in memory, as it is on a real system."""
    with folder(MEMORY) as memory, folder(DISK) as root:
        os.symlink(memory, os.path.join(root, "run"))
        yield root


def measure(program, *arguments):
    """Run a program that prints `name value` lines; returns {name: [values]}."""
    done = subprocess.run(
        [program] + [str(argument) for argument in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError("%s: %s" % (os.path.basename(program), done.stderr.strip()))
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        name, value = line.split()
        found[name].append(float(value))
    return found


def alternate(rounds, kinds, measure_kind):
    """in_turns() of two, with as many rounds of either order, which is why their number is even.

    So what changes slowly on the machine weighs on both alike, and so does coming first.
    """
    assert rounds % 2 == 0
    return in_turns(rounds, list(kinds), measure_kind)


def in_turns(rounds, names, measure_one):
    """Measure each once a round, the order changed each time; returns {name: [results]}."""
    found = {name: [] for name in names}
    for number in range(rounds):
        first = number // 2 % len(names)
        order = names[first:] + names[:first]
        for name in order if number % 2 == 0 else reversed(order):
            found[name].append(measure_one(name))
    return found


def load_average():
    return os.getloadavg()[0]


class ProcessorTimes:
    """What the processors have done since it was made, in percent (proc(5), /proc/stat)."""

    def __init__(self):
        self._at_first = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat") as stat:
            return [int(word) for word in stat.readline().split()[1:9]]

    def _percent(self, *columns):
        grown = [after - at_first for after, at_first in zip(self._read(), self._at_first)]
        return 100 * sum(grown[column] for column in columns) / max(1, sum(grown))

    def idle(self):
        """Nothing, or wait for the disk."""
        return self._percent(3, 4)

    def stolen(self):
        """Work for others, while the host of this virtual machine had it wait."""
        return self._percent(7)


def idle_percent(seconds=2):
    """How much of the processors nobody uses just now."""
    times = ProcessorTimes()
    time.sleep(seconds)
    return times.idle()


def facts():
    """[(name, text)] of this machine."""
    return [
        ("processors", "%d, %s" % (os.cpu_count(), _processor())),
        ("memory", "%.1f GB" % (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)),
        ("system", "%s %s" % (platform.system(), platform.release())),
        ("file system of %s" % DISK, _file_system(DISK)),
        ("Postfix", _postfix_version()),
        ("measured", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
    ]


def _processor():
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(path):
    done = subprocess.run(
        ["stat", "-f", "-c", "%T", path],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=False,
    )
    return done.stdout.strip()


def _postfix_version():
    done = subprocess.run(
        ["postconf", "-dh", "mail_version"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=False,
    )
    return done.stdout.strip()
