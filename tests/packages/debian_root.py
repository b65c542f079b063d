"""A Debian in a folder: made once by mmdebstrap from the sources of this machine, kept below build/, and
never changed again. A Root is a copy of it that lives in memory, in namespaces of its own.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import time

from debian_packages import FOLDER, NAME, REPOSITORY, run
from harness.machine import Machine
from harness.mail import Sender
from harness.namespaces import network_of
from harness.relay import Relay

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "/usr/lib/priority-email-gateway/package"
MAIL_FLOW = os.path.join(REPOSITORY, "debian/tests/mail-flow")
CONF = "/etc/priority-email-gateway.conf"
RELAY_PORT = 2525
HOSTS = "127.0.0.1 localhost\n127.0.1.1 mail.gateway.example mail\n::1 localhost\n"
PARTS = ["peg-milter", "peg-tcpmap", "peg-monitor", "postfix-frontend"]
PARTS += ["postfix%d" % n for n in range(5)]
POSTFIXES = {name for name in PARTS if name.startswith("postfix")}
FOLDERS = {"/etc/" + name for name in POSTFIXES}


def sources():
    """The suite of this machine, and the lines of its distribution's sources."""
    with open("/etc/os-release") as release:
        facts = dict(line.strip().replace('"', "").split("=", 1) for line in release if "=" in line)
    suite, lines = facts["VERSION_CODENAME"], {}
    listed = run(
        "apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT) $(ORIGIN)",
        "Created-By: Packages",
    ).stdout
    for line in listed.splitlines():
        site, release, component, origin = line.split(" ", 3)
        if origin.lower() == facts["ID"]:
            lines["deb %s %s %s" % (site, release, component)] = None
    return suite, list(lines)


def base(packages):
    """The folder of a Debian with these packages, and Postfix as its package configures it."""
    suite, lines = sources()
    key = hashlib.sha256(" ".join([suite] + packages).encode()).hexdigest()[:12]
    folder = os.path.join(FOLDER, "root-" + key)
    if os.path.isdir(folder):
        return folder
    unfinished = folder + ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    os.makedirs(FOLDER, exist_ok=True)
    run(
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
        "--aptopt=APT::Sandbox::User \"root\"", "--include=" + ",".join(packages),
        suite, unfinished, *lines
    )
    with open(os.path.join(unfinished, "etc/hosts"), "w") as hosts:
        hosts.write(HOSTS)
    run("chroot", unfinished, "postconf", "-e", "myhostname=mail.gateway.example",
        "maillog_file=/var/log/mail.log")
    os.rename(unfinished, folder)
    return folder


class Root(Machine):
    """A machine whose files are those of a Debian. Its network is its own, so all ports are free."""

    def __init__(self, base_folder, work):
        self._root = os.path.join(str(work), "root")
        super().__init__(prepare=[os.path.join(HERE, "private_root.sh"), base_folder, str(work)])
        self.inside = (
            "chroot", self._root, "/usr/bin/env", "-i", "LC_ALL=C.UTF-8", "HOME=/root",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
        )

    def wait_for(self, what, timeout=60):
        """Wait until a function returns something true."""
        deadline = time.monotonic() + timeout
        while not what():
            assert time.monotonic() < deadline, "nothing within %s s" % timeout
            time.sleep(0.1)

    # Files

    def copy(self, path, to):
        """Copy a file or folder of the tests' machine; modes stay."""
        command = ["nsenter", "--target", str(self.pid), "--mount", "cp", "-a", path, self._root + to]
        subprocess.run(command, check=True)

    def write(self, path, text):
        self.run("sh", "-c", 'cat >"$0"', path, stdin=text)

    def read(self, path):
        return self.run("cat", path).stdout

    def exists(self, path):
        return self.run("test", "-e", path, check=False).returncode == 0

    def set_parameter(self, name, value):
        """A line of priority-email-gateway.conf, which must be there."""
        changed = [
            "%s=%s" % (name, value) if line.startswith(name + "=") else line
            for line in self.read(CONF).splitlines()
        ]
        assert "%s=%s" % (name, value) in changed
        self.write(CONF, "\n".join(changed) + "\n")

    def append(self, edits):
        """Add lines to files: {path: text}."""
        for path, text in edits.items():
            self.run("sh", "-c", 'cat >>"$0"', path, stdin=text)

    def postfix_files(self):
        """{file: its contents} of the machine's own Postfix."""
        return {name: self.read("/etc/postfix/" + name) for name in ("main.cf", "master.cf")}

    @contextlib.contextmanager
    def read_only(self, folder):
        """Until the block is left nothing in this folder can be changed by what opens it meanwhile."""
        path = self._root + folder
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--pid"]  # for its /proc
        subprocess.run(enter + ["mount", "--bind", path, path], check=True)
        try:
            subprocess.run(enter + ["mount", "-o", "remount,bind,ro", path], check=True)
            yield
        finally:
            subprocess.run(enter + ["umount", "--lazy", path], check=True)

    # Packages

    def apt(self, *arguments, environment=(), check=True):
        """apt-get, which keeps a file that was edited: there is nobody to be asked."""
        options = ["-o", "Dpkg::Use-Pty=0", "-o", "Dpkg::Options::=--force-confold", "-y"]
        return self.run("env", *environment, "apt-get", *options, *arguments, check=check)

    def install(self, deb):
        """As the README says. Returns what was said on standard error."""
        name = "/tmp/" + os.path.basename(deb)
        self.copy(deb, name)
        said = self.apt("install", "--allow-downgrades", name)
        assert self.state() == "install ok installed", said.stderr
        return said.stderr

    def unpack(self, deb):
        """The first half of an installation, which needs /etc to be writable, and its conffiles."""
        name = "/tmp/" + os.path.basename(deb)
        self.copy(deb, name)
        self.run("dpkg", "--unpack", name)
        for conffile in ("conf", "rules"):
            path = "/etc/%s.%s" % (NAME, conffile)
            self.run("cp", path + ".dpkg-new", path)

    def configure(self):
        """The second half, which leaves an edited configuration as it is."""
        return self.run("dpkg", "--force-confold", "--configure", NAME).stderr

    def script(self, name, *arguments):
        """Run a maintainer script as dpkg does, which must not fail; returns what it says."""
        path = "/var/lib/dpkg/info/%s.%s" % (NAME, name)
        environment = ["DPKG_MAINTSCRIPT_PACKAGE=" + NAME, "DPKG_MAINTSCRIPT_NAME=" + name]
        return self.run("env", *environment, path, *arguments).stderr

    def remove(self, check=True):
        return self.apt("remove", NAME, check=check).stderr

    def purge(self, *environment, check=True):
        return self.apt("purge", NAME, environment=environment, check=check).stderr

    def state(self):
        """What dpkg says of the package: "install ok installed"."""
        return self.run("dpkg-query", "-W", "-f", "${Status}", NAME, check=False).stdout.strip()

    # The gateway

    def status(self):
        """{part: its process id, None where it does not run}"""
        said = self.run("peg-ctl", "status", check=False).stdout
        words = [line.split() for line in said.splitlines()]
        return {w[0]: int(w[3].rstrip(")")) if w[1] == "running" else None for w in words}

    def send(self, priority_header, recipient="bob@dest.example", port=25):
        """Send a message through the frontend; returns what was sent."""
        with network_of(self.pid):
            with Sender("127.0.0.1", port) as sender:
                return sender.send(to=[recipient], priority_header=priority_header)

    def runs(self):
        """The parts that run."""
        return {name for name, pid in self.status().items() if pid is not None}

    def all_run(self):
        """The status, of a gateway that runs as it is shipped."""
        status = self.status()
        assert set(status) == set(PARTS) and None not in status.values(), status
        return status

    def check_mail_flow(self):
        """Mail goes by its priority, as the package's own test sees it."""
        self.copy(MAIL_FLOW, "/tmp/mail-flow")
        assert self.run("/tmp/mail-flow").stdout.endswith("mail goes by its priority\n")

    def use_relay_host(self):
        """Mail goes where relay_host() is, or waits in its instance."""
        self.set_parameter("RELAY_HOST", '"[127.0.0.1]:%d"' % RELAY_PORT)
        self.run("peg-gen", "apply")

    @contextlib.contextmanager
    def relay_host(self):
        relay = Relay(RELAY_PORT, hosts=["127.0.0.1"], network=self.pid).start()
        try:
            yield relay
        finally:
            relay.stop()

    def queued(self, name):
        """How many messages a Postfix has deferred."""
        path = "/var/spool/%s/deferred" % name
        return len(self.run("find", path, "-type", "f").stdout.splitlines())

    def make_backlog(self):
        """An urgent and a routine message wait, with no relay host: {tag: instance}."""
        tags = {}
        for priority, number in (("1", 4), ("5", 0)):
            tags[self.send(priority).tag] = number
            self.wait_for(lambda number=number: self.queued("postfix%d" % number) == 1)
        return tags

    def flush(self, *names):
        for name in names:
            self.run("postqueue", "-c", "/etc/" + name, "-f")

    def registered(self):
        """The folders that postmulti lists, save the default one."""
        listed = [line.split() for line in self.run("postmulti", "-l").stdout.splitlines()]
        return {words[3] for words in listed} - {"/etc/postfix"}

    def is_served(self, port):
        """Whether somebody listens there."""
        ports = self.run("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || :").stdout
        return any(
            line.split()[1].endswith(":%04X" % port) and line.split()[3] == "0A"
            for line in ports.splitlines()
            if ":" in line.split()[0]
        )
