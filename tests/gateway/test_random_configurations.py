"""Random configurations, half of them with errors.

Those without are applied, whole, and a second apply has nothing to do. Those with errors are refused:
each error is named with its line, nothing is written, and nothing crashes.
"""

import re
import shutil

from harness import torture
from harness.installation import Installation
from harness.tree import tree

CONFIGURATIONS = torture.count(100, 5000)
DSCP = ["BE", "LE", "EF", "VA", "CS0", "CS7", "AF11", "AF43", "0", "63", "0x2e", "ef"]
TIMES = ["1", "30s", "5m", "1h", "2d", "1w"]
SUFFIXES = ["_FRONTEND", "_DEFAULT", "[%d]"]
# Parameter: (what it may be, what it may not be). Those in SUFFIXED need one of SUFFIXES.
SUFFIXED = {
    "NICE_LEVEL": (["-20", "0", "+3", "20"], ["-21", "21", "x", "", "1.5"]),
    "SCHED_BATCH": (["yes", "no"], ["Yes", "1", ""]),
    "QUEUE_RUN_DELAY": (TIMES, ["0", "8d", "5 m", "-1", "1y", ""]),
    "MAXIMAL_QUEUE_LIFETIME": (TIMES + ["0"], ["101d", "1,5h", "d", ""]),
    "QUEUE_LIMIT": (["0", "1000000000"], ["1000000001", "-1", "many", ""]),
    "QUEUE_AGE_LIMIT": (TIMES + ["0"], ["101d", "old", ""]),
    "DSCP_CLASS": (DSCP, ["AF44", "CS8", "64", "0x40", "best", ""]),
    "BOUNCE_COMMAND": (["", "logger bounce", '/bin/true two words'], ["a\x01b"]),
}
PLAIN = {
    "RELAY_HOST": (["", "relay.example", "[192.0.2.1]:587", "[2001:db8::1]"], ["1.2.3", "a b", "[x"]),
    "DECISION_SYNC": (["yes", "no"], ["maybe", "", "YES"]),
    "TABLE_CAPACITY": (["1000", "20000000"], ["999", "20000001", "1e6"]),
    "LIMIT_CONNECTIONS_TCPMAP": (["1", "100000"], ["0", "-1", "many"]),
    "LIMIT_CONNECTIONS_MILTER": (["1", "1000"], ["0", "x"]),
    "NICE_LEVEL_QPSMTPD": (["-20", "20"], ["21", ""]),
    "BOUNCE_COMMAND_LIMIT": (["1", "60"], ["0", "ten"]),
    "MONITORING_DIR": (["/run/m", "/tmp/a.b"], ["run/m", "/a/../b", "", "/"]),
    "MONITORING_GROUP": (["root", "mail"], ["", "a b", "1", "x:y"]),
    "AGENTX_SOCKET": (["", "/run/agentx"], ["run/agentx", "/a/../b", "/", "tcp:localhost:705"]),
    "DECISION_LIFETIME": (["20d", "100d"], ["61", "101d", "soon"]),
}
# Whole lines that are wrong, whatever stands around them.
WRONG_LINES = [
    "NO_SUCH_PARAMETER=1", "PRIORITY_COUNTS=5", "export A=1", "DSCP_CLASS=EF", "NICE_LEVEL[99]=1",
    "INSTANCE_NEXTHOP_DEFAULT=[192.0.2.1]:1", "RELAY_HOST[0]=x", "DEFAULT_PRIORITY_FRONTEND=1",
    "A=$HOME", "A=`id`", "echo x", "RELAY_HOST = x", "NICE_LEVEL[01]=1", "{", "RELAY_HOST=a;b",
    "INSTANCE_NEXTHOP[0]=192.0.2.1", "TCPMAP_LISTEN=localhost:1", "FRONTEND_LISTEN=",
]


class Random:
    """A configuration: its lines, and the numbers of those that are wrong."""

    def __init__(self, dice, ports, broken):
        self.dice = dice
        self.count = dice.choice([2, 2, 2, 3, 4])
        self.lines = [
            "PRIORITY_COUNT=%d" % self.count,
            "DEFAULT_PRIORITY=%d" % dice.randrange(self.count),
            "INSTANCE_PORT_BASE=%d" % ports.instance_base,
            "TCPMAP_LISTEN=127.0.0.1:%d" % ports.tcpmap,
            "FRONTEND_LISTEN='127.0.0.1:%d'" % ports.frontend,
        ]
        self.wrong = set()
        parameters = dict(PLAIN, **SUFFIXED)
        chosen = dice.sample(sorted(parameters), dice.randint(0, len(parameters)))
        for name in chosen:
            self._add(self._spelled(name), dice.choice(parameters[name][0]))
        if broken:
            for _ in range(dice.randint(1, 3)):
                self._spoil(parameters, [name for name in parameters if name not in chosen])
        if broken and not self.wrong:
            self._add_wrong(dice.choice(WRONG_LINES))

    def _spelled(self, name):
        if name not in SUFFIXED:
            return name
        suffix = self.dice.choice(SUFFIXES)
        return name + (suffix % self.dice.randrange(self.count) if "%" in suffix else suffix)

    def _add(self, name, value):
        quote = self.dice.choice(["'", '"'])
        blanks = self.dice.choice(["", "  ", "\t"])
        comment = self.dice.choice(["", " # why", "\n# a comment = [x]", "\n"])
        self.lines.append("%s%s=%s%s%s%s" % (blanks, name, quote, value, quote, comment))

    def _add_wrong(self, line):
        self.lines.append(line)
        self.wrong.add(self._line_number())

    def _line_number(self):
        """Of the entry that was added last."""
        return sum(entry.count("\n") + 1 for entry in self.lines[:-1]) + 1

    def _spoil(self, parameters, unused):
        if unused and self.dice.random() < 0.6:
            name = unused.pop(self.dice.randrange(len(unused)))
            self._add(self._spelled(name), self.dice.choice(parameters[name][1]))
            self.wrong.add(self._line_number())
        else:
            self._add_wrong(self.dice.choice(WRONG_LINES))

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"


def named_lines(installation, stderr):
    """The lines of the configuration that a report names; every line of it must be one."""
    file = re.escape(installation.path("etc/priority-email-gateway.conf"))
    reports = [re.match(file + r":(\d+): \S", line) for line in stderr.splitlines()]
    assert all(reports) and reports, stderr
    return {int(report.group(1)) for report in reports}


def check_whole(installation, count):
    """Each folder is there, and Postfix reads it without a complaint."""
    for instance in ["frontend"] + list(range(count)):
        read = installation.postfix_conf(instance)
        assert read["syslog_name"].startswith("postfix")
        assert installation.postfix_services(instance)
    leftovers = [path for path in tree(installation.path("etc")) if ".peg-gen" in path]
    assert leftovers == []


def test_random_configurations_are_applied_whole_or_refused_by_line():
    dice = torture.dice()
    installation = Installation(rules="X-Priority /^1/ all 1\n")
    installation.write()
    try:
        for number in range(CONFIGURATIONS):
            configuration = Random(dice, installation.ports, broken=number % 2)
            installation.write_conf(configuration.text)
            before = tree(installation.path("etc"))
            done = installation.gen("apply", "--no-restart", check=False)
            context = "%s\n%s%s" % (configuration.text, done.stdout, done.stderr)
            assert done.returncode == bool(configuration.wrong), context
            if configuration.wrong:
                assert named_lines(installation, done.stderr) >= configuration.wrong, context
                assert tree(installation.path("etc")) == before, context
            else:
                check_whole(installation, configuration.count)
                after = tree(installation.path("etc"))
                assert "nothing to change" in installation.gen("apply", "--no-restart").stdout
                assert tree(installation.path("etc")) == after, context
    finally:
        installation.ports.release()
        shutil.rmtree(installation.root)
