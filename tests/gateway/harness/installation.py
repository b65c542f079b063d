"""The files and programs of a private gateway under one folder, whether it runs or not."""

import json
import os
import re
import subprocess
import tempfile
import time

from . import ports, template
from .logfile import LogFile

REPOSITORY = os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
)
SHIPPED_RULES = os.path.join(REPOSITORY, "conf", "priority-email-gateway.rules")
POLL_S = 0.02
QUEUES = ("maildrop", "incoming", "active", "deferred", "hold")  # as a message passes them
# Postfix names its log socket ROOT/var/spool/postfix-frontend/public/postlog in full, and ends
# without a word where that does not fit sockaddr_un.
ROOT_LEN_MAX = 65

# The rows of the original system, for a tree that ships no rules file.
PLAIN_RULES = """\
X-Priority                  /^5/           all  0
X-Priority                  /^4/           all  1
X-Priority                  /^2/           all  3
X-Priority                  /^1/           all  4
X-XIMF-Primary-Precedence   /^priority/i   to   3
X-XIMF-Primary-Precedence   /^flash/i      to   4
X-XIMF-Copy-Precedence      /^priority/i   cc   3
X-XIMF-Copy-Precedence      /^flash/i      cc   4
"""


class ToolFailed(AssertionError):
    """A program ended with another exit status than the test expected."""

    def __init__(self, done, log):
        super().__init__(
            "%s: exit status %s\n%s%s\nlog:\n%s"
            % (" ".join(done.args), done.returncode, done.stdout, done.stderr, log.tail(15))
        )
        self.done = done


class Installation:
    """A folder with the configuration, the template and the block of ports of one gateway.

    root            its folder, with a short name (unix sockets); by default a new temporary one
    conf            {parameter: value} beside or in place of the default ones, or the file's text
    rules           the text of the rules file; by default the shipped rules
    template_conf   {parameter: value} for the template's main.cf
    urgent          whether there is an urgent frontend (URGENT_LISTEN), as write_conf() has it

    Attributes: root, build (the folder of the programs), ports, log, priority_count, has_urgent, and
    under: {what for: words that stand before the command of each of our programs}, such as unshare(1).
    """

    def __init__(
        self,
        root=None,
        conf=None,
        rules=None,
        priority_count=5,
        template_conf=None,
        urgent=False,
    ):
        self.priority_count = priority_count
        self.has_urgent = urgent
        self.build = os.path.abspath(os.environ.get("PEG_BUILD") or REPOSITORY + "/build")
        self.root = os.path.abspath(root) if root else _new_folder()
        if len(os.fsencode(self.root)) > ROOT_LEN_MAX:
            raise ValueError("%s: longer than %d bytes" % (self.root, ROOT_LEN_MAX))
        self.ports = ports.reserve()
        self.log = LogFile(self.path("var/log/mail.log"))
        self.under = {}
        self._conf = conf or {}
        self._rules = shipped_rules() if rules is None else rules
        self._template_conf = template_conf

    def write(self):
        """Write the configuration, the rules and the template, and let peg-gen make the rest."""
        for folder in ("etc", "var/log", "var/lib", "var/spool", "run"):
            os.makedirs(self.path(folder), exist_ok=True)
        template.write(self.root, self._template_conf)
        self.write_conf(self._conf)
        self.write_rules(self._rules)
        self.gen("apply", "--no-restart")

    # The programs

    def tool(self, program, *arguments, check=True, stdin="", timeout=120):
        """Run a program of the build folder with --root; returns CompletedProcess (text).

        `check` expects exit status 0 and raises ToolFailed otherwise.
        """
        command = self.command(program, *arguments)
        return self._run(command, check=check, stdin=stdin, timeout=timeout)

    def command(self, program, *arguments):
        """The words that tool() runs."""
        file_name = os.path.join(self.build, program)
        if not os.access(file_name, os.X_OK):
            raise FileNotFoundError("%s: not built (run `make`, or set PEG_BUILD)" % file_name)
        under = [word for words in self.under.values() for word in words]
        return under + [file_name, "--root", self.root] + list(arguments)

    def ctl(self, *arguments, **options):
        """peg-ctl."""
        return self.tool("peg-ctl", *arguments, **options)

    def gen(self, *arguments, **options):
        """peg-gen."""
        return self.tool("peg-gen", *arguments, **options)

    def sendmail(self, *arguments, stdin, frontend="frontend"):
        """Postfix's sendmail(1): hand in a message to a frontend without SMTP."""
        self._run(["sendmail", "-C", self.config_dir(frontend)] + list(arguments), stdin=stdin)

    # Configuration

    def path(self, relative):
        """The absolute name of a file of the gateway."""
        return os.path.join(self.root, relative)

    def write_conf(self, conf):
        """Write priority-email-gateway.conf: {parameter: value}, or the file's whole text."""
        text = conf if isinstance(conf, str) else self._conf_text(conf)
        _write(self.path("etc/priority-email-gateway.conf"), text)

    def write_rules(self, text):
        """Write the rules file (str, or bytes); peg-milter does not read it before a reload."""
        _write(self.path("etc/priority-email-gateway.rules"), text)

    def frontends(self):
        """The names of the Postfixes that receive: "frontend", after "urgent" if there is one."""
        return ["urgent", "frontend"] if self.has_urgent else ["frontend"]

    def instances(self):
        """The names of all Postfix instances, in the order in which mail passes them."""
        return self.frontends() + list(range(self.priority_count))

    def config_dir(self, instance):
        """The configuration folder of "frontend", "urgent" or instance n."""
        return self.path("etc/" + _postfix_name(instance))

    def queue_dir(self, instance):
        """The queue folder of "frontend", "urgent" or instance n."""
        return self.path("var/spool/" + _postfix_name(instance))

    def postfix_conf(self, instance, parameter=None):
        """The value of a main.cf parameter, or all that are set, as {name: value}."""
        command = ["postconf", "-c", self.config_dir(instance)]
        if parameter:
            return self._run(command + ["-hx", parameter]).stdout.strip()
        lines = self._run(command + ["-nx"]).stdout.splitlines()
        return dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines)

    def set_postfix_conf(self, instance, parameter, value):
        """Set a parameter in main.cf; with None the line goes. What runs may want a reload."""
        change = ["-X", parameter] if value is None else ["-e", "%s=%s" % (parameter, value)]
        self._run(["postconf", "-c", self.config_dir(instance)] + change)

    def postfix_services(self, instance):
        """The lines of master.cf as postconf -M shows them."""
        return self._run(["postconf", "-c", self.config_dir(instance), "-M"]).stdout.splitlines()

    def service_options(self, instance, service):
        """{parameter: value} of the options (-o) of a service, `name/type`, in master.cf."""
        command = ["postconf", "-c", self.config_dir(instance), "-P", service + "/*"]
        lines = self._run(command).stdout.splitlines()
        pairs = [line.split("/", 2)[2].partition("=") for line in lines]
        return {name.strip(): value.strip() for name, _, value in pairs}

    def set_service_option(self, instance, service, parameter, value):
        """Set an option (-o) of a service, `name/type`, in master.cf."""
        option = "%s/%s=%s" % (service, parameter, value)
        self._run(["postconf", "-c", self.config_dir(instance), "-Pe", option])

    # Queues

    def queue(self, instance):
        """What `postqueue -j` lists of the queue: one dict a message."""
        done = self._run(["postqueue", "-c", self.config_dir(instance), "-j"])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def flush(self, instance):
        """Try all deferred mail of the instance now."""
        self._run(["postqueue", "-c", self.config_dir(instance), "-f"])

    def try_again(self, instance, queue_id):
        """Try one deferred message of the instance now."""
        self._run(["postqueue", "-c", self.config_dir(instance), "-i", queue_id])

    def postsuper(self, instance, *arguments):
        """postsuper(1): hold, release, expire or delete queued mail."""
        self._run(["postsuper", "-c", self.config_dir(instance)] + list(arguments))

    def queued(self):
        """Number of messages in all queues of all instances, without asking Postfix."""
        # In this order a message on its way is not missed.
        return sum(sum(self.queue_counts(instance).values()) for instance in self.instances())

    def queue_counts(self, instance):
        """{queue: number of messages in it} of an instance, without asking Postfix."""
        return {
            queue: sum(
                len(files)
                for _, _, files in os.walk(os.path.join(self.queue_dir(instance), queue))
            )
            for queue in QUEUES
        }

    def wait_until_empty(self, timeout=60):
        """Wait until no queue holds a message any more."""
        deadline = time.monotonic() + timeout
        while self.queued():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    "after %s s there is still mail: %s"
                    % (timeout, {i: self.queue(i) for i in self.instances() if self.queue(i)})
                )
            time.sleep(POLL_S)

    # Inside

    def _conf_text(self, conf):
        parameters = {
            "PRIORITY_COUNT": self.priority_count,
            "DEFAULT_PRIORITY": 2,
            "RELAY_HOST": "[127.0.0.1]:%d" % self.ports.relay,
            "FRONTEND_LISTEN": "127.0.0.1:%d" % self.ports.frontend,
            "INSTANCE_PORT_BASE": self.ports.instance_base,
            "TCPMAP_LISTEN": "127.0.0.1:%d" % self.ports.tcpmap,
        }
        if self.has_urgent:
            parameters["URGENT_LISTEN"] = "127.0.0.1:%d" % self.ports.urgent
        parameters.update(conf)
        return "".join("%s=%s\n" % (name, _quoted(value)) for name, value in parameters.items())

    def _run(self, command, check=True, stdin="", timeout=120):
        done = subprocess.run(
            command,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            env=dict(os.environ, LC_ALL="C"),
            start_new_session=True,  # Ctrl-C is for the tests, not for a half-done peg-ctl
        )
        done.stdout = done.stdout.decode("utf-8", "surrogateescape")
        done.stderr = done.stderr.decode("utf-8", "surrogateescape")
        if check and done.returncode != 0:
            raise ToolFailed(done, self.log)
        return done


def shipped_rules():
    """The text of the rules file of the repository."""
    try:
        with open(SHIPPED_RULES) as rules:
            return rules.read()
    except FileNotFoundError:
        return PLAIN_RULES


def _quoted(value):
    """The value as a word of sh."""
    return '"%s"' % re.sub(r'(["\\$`])', r"\\\1", str(value))


def _postfix_name(instance):
    return ("postfix-%s" if isinstance(instance, str) else "postfix%d") % instance


def _new_folder():
    folder = tempfile.mkdtemp(prefix="peg", dir=os.environ.get("PEG_TEST_TMP") or "/tmp")
    os.chmod(folder, 0o755)  # the daemons run as other users
    return folder


def _write(path, text):
    # Renamed into place: a daemon that reads it now must not see half of it.
    with open(path + ".new", "wb") as new:
        new.write(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
    os.rename(path + ".new", path)
