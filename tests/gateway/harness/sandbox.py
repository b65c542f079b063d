"""Become a program in the sandbox that a service unit describes, as far as this can be done without
systemd: user, groups, capabilities, what can be written, network, address families, system calls.

    python3 -m harness.sandbox UNIT PROGRAM [ARGUMENT...]

Stricter than systemd in one thing: a system call that the unit's filter would refuse with an error
ends the process, so that none is overlooked.
"""

import ctypes
import os
import subprocess
import sys

from harness.unit_file import UnitFile

HARNESS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
SCMP_ACT_KILL_PROCESS, SCMP_ACT_ALLOW = 0x80000000, 0x7FFF0000
SCMP_CMP_NE, SCMP_CMP_MASKED_EQ = 1, 7
PROT_WRITE, PROT_EXEC, AF_UNIX = 2, 4, 1
# Allowed whatever the filter says (systemd.exec(5)).
ALWAYS = ("execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn")
WRITABLE = ("/proc", "/sys", "/dev")  # PrivateDevices= and others do more here


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp"""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


def refused(number):
    """SCMP_ACT_ERRNO"""
    return 0x00050000 | number


class Filter:
    """A filter of system calls; the default action is taken where no rule fits."""

    def __init__(self, default):
        self._lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._lib.seccomp_init(default))

    def add(self, action, name, *comparisons):
        number = self._lib.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not on this machine
            return
        array = (Comparison * len(comparisons))(*comparisons)
        result = self._lib.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(comparisons), array
        )
        assert result == 0, (name, result)

    def load(self):
        result = self._lib.seccomp_load(self._context)
        assert result == 0, result


def members(name):
    """The system calls of a set, `@system-service`, or of one call."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], stdout=subprocess.PIPE, text=True, check=True
    )
    lines = [line.strip() for line in said.stdout.splitlines()[1:]]
    return set().union(*(members(line) for line in lines if line and not line.startswith("#")))


def allowed_calls(unit):
    calls = set()
    for value in unit.all("SystemCallFilter"):
        names = set().union(*(members(name) for name in value.lstrip("~").split()))
        calls = calls - names if value.startswith("~") else calls | names
    return calls


def filter_calls(unit):
    """The rules of several settings, and then those of SystemCallFilter."""
    filter_ = Filter(SCMP_ACT_ALLOW)
    if unit.one("RestrictAddressFamilies") == "AF_UNIX":
        filter_.add(refused(97), "socket", Comparison(0, SCMP_CMP_NE, AF_UNIX, 0))
    if unit.one("MemoryDenyWriteExecute") == "yes":
        both = PROT_WRITE | PROT_EXEC
        filter_.add(
            SCMP_ACT_KILL_PROCESS, "mmap", Comparison(2, SCMP_CMP_MASKED_EQ, both, both)
        )
        for name in ("mprotect", "pkey_mprotect"):
            filter_.add(
                SCMP_ACT_KILL_PROCESS, name, Comparison(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)
            )
    if unit.one("RestrictSUIDSGID") == "yes":
        for name, argument in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1)):
            for bit in (0o4000, 0o2000):
                filter_.add(
                    SCMP_ACT_KILL_PROCESS, name, Comparison(argument, SCMP_CMP_MASKED_EQ, bit, bit)
                )
    filter_.load()
    calls = allowed_calls(unit)
    filter_ = Filter(SCMP_ACT_KILL_PROCESS)
    for name in sorted(calls | set(ALWAYS)):
        filter_.add(SCMP_ACT_ALLOW, name)
    filter_.load()


def mount(*words):
    subprocess.run(("mount",) + words, check=True)


def restrict_files(unit):
    """ProtectSystem=strict, and what is writable all the same."""
    writable = unit.words("ReadWritePaths")
    writable += ["/run/" + name for name in unit.words("RuntimeDirectory")]
    writable += ["/var/lib/" + name for name in unit.words("StateDirectory")]
    mount("--make-rprivate", "/")
    for path in writable:
        mount("--bind", path, path)
    with open("/proc/self/mounts") as mounts:
        points = [line.split()[1] for line in mounts]
    for point in points:
        if point not in writable and not (point + "/").startswith(tuple(w + "/" for w in WRITABLE)):
            mount("-o", "remount,bind,ro", point)


def become_user(unit):
    """The command that goes on as the unit's user, with no more than its rights."""
    user = unit.one("User")
    groups = [user] + unit.words("SupplementaryGroups")
    ambient = unit.words("AmbientCapabilities")
    bounding = unit.words("CapabilityBoundingSet")
    return [
        "setpriv",
        "--reuid=" + user,
        "--regid=" + user,
        "--groups=" + ",".join(groups),
        "--bounding-set=" + capabilities(bounding),
        "--inh-caps=" + capabilities(ambient),
        "--ambient-caps=" + capabilities(ambient),
        "--no-new-privs",
    ]


def capabilities(names):
    return ",".join(["-all"] + ["+" + name.lower().replace("cap_", "") for name in names])


def main():
    unit, program = UnitFile(sys.argv[1]), sys.argv[2:]
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        namespaces = CLONE_NEWNS | (CLONE_NEWNET if unit.one("PrivateNetwork") == "yes" else 0)
        assert libc.unshare(namespaces) == 0, os.strerror(ctypes.get_errno())
        restrict_files(unit)
        again = [sys.executable, "-B", "-m", "harness.sandbox", unit.name] + program
        os.environ["PYTHONPATH"] = HARNESS
        command = become_user(unit) + again
        os.execvp(command[0], command)
    os.umask(int(unit.one("UMask", "0022"), 8))
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ.pop("PYTHONPATH", None)
    filter_calls(unit)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
