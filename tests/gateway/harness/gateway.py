"""A private gateway: frontend, instances, daemons and relay, under one folder, on its own ports.

    with Gateway() as gateway:
        sent = gateway.send(to=["bob@dest.example"], priority_header="1")
        assert gateway.delivered(sent) == {"bob@dest.example": 4}
"""

import atexit
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from . import judge, processes, quick_start
from .decision import Decision
from .installation import POLL_S, Installation
from .mail import Sender
from .relay import Relay
from .sockets import connect_unix

RELOAD_LINE = r"peg-milter\[\d+\]: .*\b(reloaded|refused)\b"

_started = []


def running():
    """The gateways of this process that were started and not yet stopped."""
    return list(_started)


class Gateway(Installation):
    """An Installation that runs from start() until stop(); `with Gateway(...)` does it all.

    checked     whether each Postfix has its files checked when it starts for the first time, as by
                itself; that takes most of the time of the start

    Attributes beside those of Installation: relay, frontend (host, port), urgent (the same, where
    there is one), timings ({step: s}).
    """

    def __init__(self, root=None, checked=False, **options):
        super().__init__(root, **options)
        self._checked = checked
        self.relay = Relay(self.ports.relay)
        self.frontend = ("127.0.0.1", self.ports.frontend)
        self.urgent = ("127.0.0.1", self.ports.urgent)
        self.timings = {}

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            with contextlib.suppress(AssertionError):  # the first fault is the one to be told
                self.remove()
            raise

    def __exit__(self, *exception):
        self.remove()

    # Life

    def start(self):
        """Write everything and start everything; returns when mail can be sent."""
        self._timed("generate", self.write)
        return self.run()

    def run(self):
        """Start what write() wrote; returns when mail can be sent."""
        _started.append(self)
        self.relay.start()
        if not self._checked:
            self._spare_the_check()
        self._timed("start", self._start_all)
        return self

    @property
    def is_started(self):
        """Whether there is something to stop."""
        return self in _started

    def stop(self):
        """Stop everything. Raises AssertionError, after cleaning up, if `peg-ctl stop` did not."""
        if not self.is_started:
            return
        failed = None
        try:
            failed = self._timed("stop", self._stop_all)
        finally:
            _started.remove(self)
            self.relay.stop()
            self.ports.release()
        if failed:
            raise AssertionError(failed)

    def leave_running(self):
        """Stop only the relay and this process's care for the rest."""
        _started.remove(self)
        self.relay.stop()
        self.ports.release()

    def remove(self, keep=False):
        """Stop everything and delete the folder, unless it shall be kept to be looked at."""
        try:
            self.stop()
        finally:
            self.ports.release()
            if not keep:
                shutil.rmtree(self.root, ignore_errors=True)

    # The daemons

    def stop_milter(self, signal_number=signal.SIGTERM):
        """End peg-milter by a signal and wait until it is gone."""
        self._stop_daemon("peg-milter", signal_number)

    def stop_tcpmap(self, signal_number=signal.SIGTERM):
        """End peg-tcpmap by a signal and wait until it is gone."""
        self._stop_daemon("peg-tcpmap", signal_number)

    def kill(self, part):
        """kill -9 for a daemon or a Postfix master, whose children are left to notice that."""
        if part.startswith("peg-"):
            pid = self._running_pid(part)
        else:
            pid = processes.read_pid(self.path("var/spool/%s/pid/master.pid" % part))
        processes.end(pid, signal.SIGKILL)

    def cut_power(self):
        """kill -9 for every process of the gateway at once; what was in memory only is gone."""
        processes.kill_all(self.leftovers)
        self.forget_memory()
        lock = self.path("var/lib/priority-email-gateway/table.lock")
        if os.path.exists(lock):
            with open(lock, "r+b") as file:
                file.write(b"another boot")

    def forget_memory(self):
        """Remove what stands in ROOT/run; to be called when no daemon runs."""
        shutil.rmtree(self.path("run"))
        os.mkdir(self.path("run"))

    def begin_anew(self, *parts):
        """End everything, forget all mail and all decisions, and start these parts, or all."""
        self.cut_power()
        for file in os.scandir(self.path("var/lib/priority-email-gateway")):
            os.unlink(file)
        for instance in self.instances():
            if sum(self.queue_counts(instance).values()):
                self.postsuper(instance, "-d", "ALL")
        self.relay.clear()  # what was under way until the power went
        self._spare_the_check()
        self.ctl("start", *parts)

    def start_milter(self):
        """Start what is not running, and wait until everything answers."""
        self._start_all()

    start_tcpmap = start_milter

    def daemon_pid(self, program):
        """The process id of peg-milter or peg-tcpmap, None if its pid file is not there."""
        return processes.read_pid(self.path("run/priority-email-gateway/%s.pid" % program))

    def reload_rules(self, text):
        """Give peg-milter new rules by SIGUSR1; returns whether it took them."""
        self.write_rules(text)
        return self.reload_milter()

    def reload_milter(self):
        """Send SIGUSR1 to peg-milter; returns whether it took its rules, as its log says."""
        offset = self.log.end()
        os.kill(self._running_pid("peg-milter"), signal.SIGUSR1)
        return self.log.wait_for(RELOAD_LINE, since=offset).group(1) == "reloaded"

    # Mail

    def sender(self, helo="client.example", client=None, at=None):
        """A connection to the frontend, or to `at`, over which several messages can be sent.

        client is the IP address that it comes from; one in 127.0.0.0/8 other than 127.0.0.1 is a
        client of which Postfix knows nothing but that it may send.
        """
        return Sender(*(at or self.frontend), helo=helo, client=client)

    def send(self, at=None, **message):
        """Send one message over a connection of its own; the arguments are those of Sender.send."""
        with self.sender(at=at) as sender:
            return sender.send(**message)

    def delivered(self, sent, timeout=60):
        """{recipient as it was sent: instance that delivered it}, for every accepted recipient.

        Waits until each has arrived at the relay. Raises Misdelivered, with what the log says about
        the message, if one is lost or doubled or arrives where nothing was sent.
        """
        found = self._judged(judge.wait_until_delivered, self.relay, sent, timeout)
        return {
            recipient.address: found[
                judge.same_mailbox(recipient.arrives_as or recipient.address)
            ].instance
            for recipient in sent.accepted
        }

    def arrived(self, sent, timeout=60):
        """The Delivery objects of the message, one for each accepted recipient, as delivered()."""
        return list(self._judged(judge.wait_until_delivered, self.relay, sent, timeout).values())

    def check_exact(self, sent):
        """Judge what has arrived by now; for the end of a run, when the queues are empty."""
        self._judged(judge.check_exact, sent, self.relay.deliveries_for(sent.tag))

    def decision(self, sent, timeout=30):
        """The Decision that peg-milter logged for the message."""
        return Decision(self.log.wait_for(Decision.line_of(sent.queue_id), timeout))

    def decisions(self):
        """{queue ID: Decision} of every message that peg-milter has logged since the mark."""
        lines = self.log.find(Decision.line_of(r"(?P<queue_id>\w+)"))
        return {match["queue_id"]: Decision(match) for match in lines}

    def look_up(self, address):
        """Ask peg-tcpmap for the route of an address, as Postfix does; returns its reply line."""
        key = "".join(
            chr(byte) if 33 <= byte <= 126 and byte != 37 else "%%%02x" % byte
            for byte in address.encode("utf-8", "surrogateescape")
        )
        with socket.create_connection(("127.0.0.1", self.ports.tcpmap), 10) as table:
            table.sendall(b"get %s\n" % key.encode())
            with table.makefile("r", newline="\n") as replies:
                return replies.readline().rstrip("\n")

    def milter_socket(self):
        """The file name of peg-milter's socket, as the frontend's configuration has it."""
        milters = self.postfix_conf("frontend", "smtpd_milters")
        found = re.search(r"unix:([^\s,}]+)", milters)
        if not found:
            raise AssertionError("no unix socket in smtpd_milters: %r" % milters)
        return os.path.join(self.queue_dir("frontend"), found.group(1))

    def leftovers(self):
        """{pid: command line} of every process of this gateway that runs now."""
        return processes.belonging_to(self.root)

    def master_pid(self, instance):
        """The process id of the master(8) of a Postfix; None: it was not started."""
        return processes.read_pid(self.queue_dir(instance) + "/pid/master.pid")

    def postfix_processes(self, instance):
        """{pid: program} of the Postfix "frontend", "urgent" or instance n, such as "qmgr"."""
        queue = os.path.realpath(self.queue_dir(instance))
        return {
            pid: os.path.basename(command.split()[0])
            for pid, command in self.leftovers().items()
            if processes.works_in(pid, queue)
        }

    # Inside

    def _spare_the_check(self):
        folders = map(self.config_dir, self.instances())
        quick_start.prepare(filter(os.path.isdir, folders))  # an instance may be on another host

    def _timed(self, step, action):
        started = time.monotonic()
        try:
            return action()
        finally:
            self.timings[step] = time.monotonic() - started

    def _judged(self, judgement, *arguments):
        try:
            return judgement(*arguments)
        except judge.Misdelivered as fault:
            sent = next(a for a in arguments if hasattr(a, "queue_id"))
            lines = [m.string for m in self.log.find(re.escape(sent.queue_id or sent.tag), since=0)]
            raise judge.Misdelivered("%s\n%s" % (fault, "\n".join(lines[-40:]))) from None

    def _start_all(self):
        self.ctl("start")
        self._wait_until(lambda: connect_unix(self.milter_socket()).close())
        self._wait_until(self._table_address_connects)
        with self.sender():
            pass

    def _table_address_connects(self):
        socket.create_connection(("127.0.0.1", self.ports.tcpmap), 10).close()

    def _wait_until(self, connect, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            try:
                return connect()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError("%s\n%s" % (error, self.log.tail(20))) from None
            time.sleep(POLL_S)

    def _running_pid(self, program):
        pid = self.daemon_pid(program)
        if pid is None or not processes.is_running(pid):
            raise AssertionError("%s is not running (pid file: %s)" % (program, pid))
        return pid

    def _stop_daemon(self, program, signal_number):
        processes.end(self._running_pid(program), signal_number)

    def _stop_all(self):
        """Returns what is to be said against `peg-ctl stop`, or None."""
        complaint = None
        try:
            done = self.ctl("stop", check=False)
            if done.returncode != 0:
                complaint = "peg-ctl stop: exit status %d: %s" % (done.returncode, done.stderr)
        except (OSError, subprocess.SubprocessError) as error:
            complaint = "peg-ctl stop: %s" % error
        finally:
            left = processes.end_all(self.leftovers)
        if left and not complaint:
            complaint = "peg-ctl stop left running: %s" % left
        return complaint


@atexit.register
def _stop_everything():
    for gateway in running():
        try:
            gateway.stop()
        except (AssertionError, OSError) as error:
            print("stopping %s: %s" % (gateway.root, error))
