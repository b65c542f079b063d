"""A peg-milter that runs alone in a folder of its own, and its log."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from envelope_model import without_route
from harness import keeper
from harness.milter_client import RCPT, MilterClient, strings
from milter_log import LogLines

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHIPPED_RULES = os.path.join(REPOSITORY, "conf", "priority-email-gateway.rules")
PROGRAM = os.path.join(
    os.path.abspath(os.environ.get("PEG_BUILD") or REPOSITORY + "/build"), "peg-milter"
)
CONF = "PRIORITY_COUNT=5\nDEFAULT_PRIORITY=2\nTABLE_CAPACITY=100000\n"

CONF_FILE = "etc/priority-email-gateway.conf"
RULES_FILE = "etc/priority-email-gateway.rules"
DATA_FOLDER = "var/lib/postfix-frontend"
SPOOL = "var/spool/postfix-frontend"
SOCKET = SPOOL + "/peg/milter"
RUN_FOLDER = "run/priority-email-gateway"
PID_FILE = RUN_FOLDER + "/peg-milter.pid"
TABLE_FILE = RUN_FOLDER + "/decisions"

SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|runtime error:")
THREAD_REPORT = re.compile(r"WARNING: ThreadSanitizer.*?\nSUMMARY[^\n]*", re.DOTALL)
ASIDE = r"^  (?:Thread T\d+ [^\n]*created by|As if synchronized via sleep:).*?(?:\n\n|\Z)"
THREAD_ASIDE = re.compile(ASIDE, re.DOTALL | re.M)
LEADS_TO_LIBMILTER = (
    "main|options_run_daemon|milter_service_run|start|start_threads|signal_thread|stop"
)
OUR_FRAME = re.compile(r"#\d+ (?!(?:%s) )\S+ [^\n]*\(peg-milter\+" % LEADS_TO_LIBMILTER)
# What is allocated once and lives to the end of the process is no leak.
LEAKS_ALLOWED = "leak:absolute_root\nleak:milter_service_run\n"
PATIENCE_S = 30  # a sanitizer build on a busy machine


def run(*arguments, env=None):
    """Run peg-milter to its end; returns CompletedProcess with text."""
    return subprocess.run(
        (PROGRAM,) + arguments,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=PATIENCE_S,
        check=False,
    )


def wait_until(found, timeout=PATIENCE_S):
    """Wait until found() is something; returns that."""
    deadline = time.monotonic() + timeout
    while True:
        result = found()
        if result:
            return result
        assert time.monotonic() < deadline, "nothing within %s s" % timeout
        time.sleep(0.01)


def sanitizer_report(text):
    """The first report that concerns peg-milter, or None.

    libmilter, which is not built for it, gives ThreadSanitizer much to say when it ends; a report
    in which no function of ours stands but those that call smfi_main() and smfi_stop() is about
    libmilter alone, whoever created the threads in it, and slept before.
    """
    found = [m for m in THREAD_REPORT.findall(text) if OUR_FRAME.search(THREAD_ASIDE.sub("", m))]
    return found[0] if found else SANITIZER_REPORT.search(text)


def shipped_rules():
    with open(SHIPPED_RULES) as rules:
        return rules.read()


class MilterProcess:
    """peg-milter -f --root FOLDER.

    rules, conf   the text of these files (None: there is no such file)
    under         words of a command that it runs under
    root, log     its folder; what it wrote to standard error
    """

    all = []

    def __init__(self, rules=shipped_rules, conf=CONF, under=()):
        self.under = tuple(under)
        self.root = tempfile.mkdtemp(prefix="pegm", dir="/tmp")
        os.chmod(self.root, 0o755)  # it reads its files again as another user
        with open(self.path("leaks"), "w") as leaks:
            leaks.write(LEAKS_ALLOWED)
        for folder in ("etc", DATA_FOLDER, SPOOL):
            os.makedirs(self.path(folder))
        if os.geteuid() == 0 and _user("postfix"):
            os.chown(self.path(DATA_FOLDER), _user("postfix").pw_uid, -1)
        rules = rules() if callable(rules) else rules
        for name, text in ((CONF_FILE, conf), (RULES_FILE, rules)):
            if text is not None:
                self.write(name, text)
        self.log = LogLines()
        self._process = None
        self._reader = None
        MilterProcess.all.append(self)

    # Files

    def path(self, relative):
        return os.path.join(self.root, relative)

    def write(self, relative, text):
        """Put a file in its place at once: a reload must not see half of it."""
        path = self.path(relative)
        with open(path + ".new", "wb") as new:
            new.write(text if isinstance(text, bytes) else text.encode())
        os.rename(path + ".new", path)

    # The process

    @property
    def pid(self):
        return self._process.pid

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def start(self):
        """Start it, and wait until it serves."""
        mark = self.log.mark()
        self._process = subprocess.Popen(
            self.under + (PROGRAM, "-f", "--root", self.root),
            stderr=subprocess.PIPE,
            env=self._env(),
        )
        self._reader = threading.Thread(target=self.log.read, args=(self._process.stderr,))
        self._reader.start()
        self.log.wait_for(r"peg-milter: ready, \d+ rules", mark, PATIENCE_S)
        return self

    def stop(self, number=signal.SIGTERM):
        """End it as a service manager does; returns what it wrote to standard error."""
        if self._process is not None:
            if self.is_running():
                self._process.send_signal(number)
            status = self._process.wait(PATIENCE_S)
            self._end_reader()
            assert not sanitizer_report(self.log.text()), self.log.text()
            assert status == 0, "exit status %s\n%s" % (status, self.log.text())
        return self.log.text()

    def kill(self):
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()
        self._end_reader()

    def remove(self):
        """Whatever state it is in, leave nothing behind."""
        MilterProcess.all.remove(self)
        if self._process is not None:
            if self.is_running():
                self._process.kill()
            self._process.wait()
            self._end_reader()
        shutil.rmtree(self.root)

    def _end_reader(self):
        if self._reader is not None:
            self._reader.join()
            self._process.stderr.close()
            self._reader = self._process = None

    def table_lock_held(self):
        """Who has to make the decision table waits meanwhile."""
        return keeper.table_lock_held(self)

    def run_to_its_end(self):
        """Start it where it must refuse; returns CompletedProcess."""
        return run("-f", "--root", self.root, env=self._env())

    def tool(self, program, *arguments):
        """What another program of the same build says about this folder."""
        command = (os.path.join(os.path.dirname(PROGRAM), program),) + arguments
        return subprocess.check_output(
            command + ("--root", self.root), env=self._env(), universal_newlines=True
        )

    def _env(self):
        options = "suppressions=%s:print_suppressions=0" % self.path("leaks")
        return dict(os.environ, LSAN_OPTIONS=options, TSAN_OPTIONS="exitcode=0:atexit_sleep_ms=0")

    def signal_reload(self, rules=None, conf=None):
        """SIGUSR1, after writing these files; returns True if they are in force now, else False."""
        for name, text in ((CONF_FILE, conf), (RULES_FILE, rules)):
            if text is not None:
                self.write(name, text)
        mark = self.log.mark()
        self._process.send_signal(signal.SIGUSR1)
        line = self.log.wait_for(r"peg-milter: (reloaded: |warning: reload refused)", mark)
        return "reloaded" in line

    # Talking to it

    def connect(self, **options):
        """A connection of Postfix, negotiated unless negotiate=False."""
        return Postfix(self, **options)

    def message(self, recipients, headers=(), macros=None, **options):
        """A message on a connection of its own; returns its Result."""
        with self.connect(macros=macros) as postfix:
            return postfix.send(recipients, headers, **options)


class Postfix(MilterClient):
    """A connection to a MilterProcess; messages have a queue ID each, and their log line.

    resolved   {argument of RCPT: address}, where Postfix makes another one of it
    """

    _ids = 0
    _ids_lock = threading.Lock()

    def __init__(self, process, **options):
        self.log = process.log
        self.resolved = {}
        options.setdefault("timeout", PATIENCE_S)
        super().__init__("unix:" + process.path(SOCKET), **options)

    @classmethod
    def new_queue_id(cls):
        with cls._ids_lock:
            cls._ids += 1
            return "4M%06X" % cls._ids

    def rcpt(self, recipient, *params):
        """RCPT TO:<recipient>; {rcpt_addr} has its letter case folded, as smtpd sends it."""
        address = self.resolved.get(recipient, without_route(recipient))
        self.set_macros(rcpt_addr=address.casefold())  # src/smtpd/smtpd_resolve.c
        return self._step(RCPT, strings("<%s>" % recipient, *params))

    def send(self, recipients, headers=(), sender="alice@source.example"):
        """A message with a new queue ID; the Result gets `decision`, what the log says of it."""
        queue_id = self.new_queue_id()
        result = self.message(sender, recipients, headers, queue_id=queue_id)
        result.decision = self.log.decision(queue_id)
        return result

    def begin(self, recipients, headers=(), sender="alice@source.example"):
        """A message up to the end of its headers, without an end."""
        self.mail(sender)
        for recipient in recipients:
            self.rcpt(recipient)
        for header in headers:
            self.header(*header)

    def end(self):
        """The end of a message that begin() began; returns its Result with `decision`."""
        self.macros["i"] = self.new_queue_id()
        result = self.eom()
        result.decision = self.log.decision(self.macros.pop("i"))
        return result


def _user(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None
