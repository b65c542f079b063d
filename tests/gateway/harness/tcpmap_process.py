"""A peg-tcpmap that runs alone in a folder of its own, started as a service manager does it."""

import os
import shutil
import signal
import socket
import sys
import tempfile

from . import processes
from .installation import REPOSITORY
from .notifying_process import PATIENCE_S, NotifyingProcess

# Becomes the program that follows, with descriptors where sd_listen_fds(3) looks for them.
ACTIVATE = """
import fcntl, os, sys
copies = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100) for fd in sys.argv[1].split(",")]
for place, copy in enumerate(copies, 3):
    os.dup2(copy, place, inheritable=True)
os.environ.update(LISTEN_FDS=str(len(copies)), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""
PID_FILE = "run/priority-email-gateway/peg-tcpmap.pid"
LOG_FILE = "var/log/mail.log"  # of one that is not in the foreground


def program():
    """The file name of peg-tcpmap."""
    build = os.environ.get("PEG_BUILD") or REPOSITORY + "/build"
    return os.path.join(os.path.abspath(build), "peg-tcpmap")


def speaks_to_service_managers():
    """Whether it was built with libsystemd; without, nobody hears when it is ready."""
    with open(program(), "rb") as file:
        return b"libsystemd.so" in file.read()


def listening_socket(host="127.0.0.1", port=0):
    """A socket as a socket unit makes it: it listens, in blocking mode."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def lookup(address, key, timeout=PATIENCE_S):
    """Ask for a key on a connection of its own; returns the reply, None if it ended without one."""
    with socket.create_connection(address[:2], timeout) as connection:
        ask(connection, key)
        return read_reply(connection)


def ask(connection, key):
    """Ask for a key as Postfix does."""
    connection.sendall(b"get %s\n" % key.encode())


def read_reply(connection):
    """The next reply, or None if the connection ends without one."""
    reply = b""
    while not reply.endswith(b"\n"):
        more = connection.recv(4096)
        if not more:
            return None
        reply += more
    return reply.decode().rstrip("\n")


class TcpmapProcess(NotifyingProcess):
    """peg-tcpmap --root FOLDER.

    port     of TCPMAP_LISTEN
    root     its folder
    """

    def __init__(self, port):
        self.port = port
        self.root = tempfile.mkdtemp(prefix="pegt", dir="/tmp")
        super().__init__(self.path("log"))
        os.chmod(self.root, 0o755)  # it runs as another user
        for folder in ("etc", "var/lib", "var/log", "var/spool/postfix-frontend", "run"):
            os.makedirs(self.path(folder))
        with open(self.path("etc/priority-email-gateway.conf"), "w") as conf:
            conf.write("PRIORITY_COUNT=5\nDEFAULT_PRIORITY=2\nTABLE_CAPACITY=1000\n")
            conf.write("TCPMAP_LISTEN=127.0.0.1:%d\n" % port)

    def path(self, relative):
        return os.path.join(self.root, relative)

    def start(self, sockets=(), prefix=()):
        """Start it in the foreground, and wait until it says that it is ready."""
        return self._start(**self._command(("-f",), sockets, prefix))

    def run_to_its_end(self, sockets=(), arguments=("-f",)):
        """Start it where that ends at once; returns the exit status."""
        return self._run_to_its_end(**self._command(arguments, sockets))

    def remove(self):
        """Whatever state it is in, leave nothing behind."""
        super().remove()
        pid = processes.read_pid(self.path(PID_FILE))
        if pid and pid in processes.belonging_to(self.root):  # one that left the foreground
            processes.end(pid, signal.SIGKILL)
        shutil.rmtree(self.root)

    def _command(self, arguments, sockets, prefix=()):
        command = tuple(prefix) + (program(),) + tuple(arguments) + ("--root", self.root)
        fds = [each.fileno() for each in sockets]
        if fds:
            names = ",".join(str(fd) for fd in fds)
            command = (sys.executable, "-c", ACTIVATE, names) + command
        return {"command": command, "pass_fds": fds, "close_fds": True}
