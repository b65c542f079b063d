"""Servers of lookup tables: peg-tcpmap, and those of others that it is compared with.

Each is a context manager with

    name        for figures
    server      what tcpmap_load takes for SERVER; missing_server: where nothing is found
    found       what it takes for PREFIX where a key is there; missed: where it is not
    pid         of the process that does it all, or has started those that do
"""

import os
import shutil
import socket
import subprocess
import time

from harness import ports, processes

from daemon_alone import DaemonAlone

POSTSRSD = "/usr/sbin/postsrsd"
PATIENCE_S = 30


class Tcpmap(DaemonAlone):
    """peg-tcpmap of a gateway of which nothing else runs, with so many claims in its table."""

    name = program = "peg-tcpmap"
    found = "claims"
    missed = "200 peg2:"  # DEFAULT_PRIORITY

    def __init__(self, root, bench, claims, map_file=None):
        super().__init__(root)
        self._make = [bench.program("make_table"), self.root, str(claims)]
        if map_file:
            self._make.append(map_file)
        self.server = self.missing_server = "tcp:%d" % self.ports.tcpmap

    def prepare(self):
        self.start()  # it makes its folders
        self.stop()
        subprocess.run(self._make, check=True)


class Proxymap:
    """Postfix's proxymap(8) in a Postfix of its own, with a cdb that is made of a text file."""

    name = "proxymap"
    found = "claims"
    missed = "1 "
    MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}/log
myhostname = peer.example
inet_interfaces = loopback-only
alias_maps =
alias_database =
transport_maps = proxy:cdb:{map}
"""
    MASTER_CF = """\
proxymap  unix        -  -  n  -  -  proxymap
postlog   unix-dgram  n  -  n  -  1  postlogd
"""

    def __init__(self, root, map_file):
        self._root = root
        self._map = map_file
        self.server = "proxy:%s/spool/private/proxymap:cdb:%s" % (root, map_file)
        self.missing_server = self.server
        self.pid = None

    def __enter__(self):
        try:
            for name in ("etc", "spool", "data", "log"):
                os.mkdir(os.path.join(self._root, name))
            shutil.chown(os.path.join(self._root, "data"), "postfix")
            for name, text in (("main.cf", self.MAIN_CF), ("master.cf", self.MASTER_CF)):
                with open(os.path.join(self._root, "etc", name), "w") as out:
                    out.write(text.format(root=self._root, map=self._map))
            subprocess.run(["postmap", "cdb:" + self._map], check=True)
            self._postfix("start")
            self.pid = processes.read_pid(os.path.join(self._root, "spool/pid/master.pid"))
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        if self.pid is not None:
            self._postfix("stop")
            processes.wait_gone(self.pid)

    def _postfix(self, command):
        subprocess.run(
            ["postfix", "-c", os.path.join(self._root, "etc"), command],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class _Listening:
    """One program that listens on a TCP port when it is ready."""

    def __init__(self):
        self._ports = ports.reserve()
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def command(self):
        """What to run; its folders are there."""
        raise NotImplementedError

    def __enter__(self):
        try:
            self._process = subprocess.Popen(self.command(), stderr=subprocess.DEVNULL)
            self._wait_until_it_listens()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        self._ports.release()

    def _wait_until_it_listens(self):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._ports.tcpmap)).close()
                return
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("%s does not start" % self.name) from None
                time.sleep(0.02)


class Postsrsd(_Listening):
    """The tcp_table(5) servers of postsrsd 1: a process for each client, and no table at all.

    It finds every address (and writes another one), on its second port none.
    """

    name = "postsrsd"
    found = "200 SRS0="
    missed = "500 "

    def __init__(self, root):
        super().__init__()
        self._root = root
        self.server = "tcp:%d" % self._ports.frontend
        self.missing_server = "tcp:%d" % self._ports.tcpmap

    @staticmethod
    def is_there():
        """Whether it is installed, in the version that speaks tcp_table."""
        if not os.access(POSTSRSD, os.X_OK):
            return False
        done = subprocess.run([POSTSRSD, "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return b"1." in done.stdout

    def command(self):
        """As Debian's unit and its defaults have it, but for ports, secret, user and chroot."""
        secret = os.path.join(self._root, "secret")
        with open(secret, "w") as out:
            out.write("no secret")
        command = [POSTSRSD, "-f", str(self._ports.frontend), "-r", str(self._ports.tcpmap)]
        command += ["-d", "gateway.example", "-s", secret, "-a", "=", "-n", "4", "-N", "4"]
        return command + ["-u", "nobody", "-l", "127.0.0.1", "-X"]


class IdleTcpmap(_Listening):
    """idle_tcpmap, which looks nothing up: what the machine and its network take."""

    name = "idle"
    found = missed = "200 peg2:"

    def __init__(self, bench):
        super().__init__()
        self._bench = bench
        self.server = self.missing_server = "tcp:%d" % self._ports.tcpmap

    def command(self):
        return [self._bench.program("idle_tcpmap"), str(self._ports.tcpmap)]
