"""DSCP_CLASS: what is in the packets that arrive at the other end of the cable.

The gateway runs on a machine of its own, on the system's paths; the relay on another one.
"""

import contextlib
import os
import re

import pytest
from harness.capture import FIN, RST, SYN, Capture
from harness.installation import REPOSITORY, shipped_rules
from harness.machine import Machine
from harness.mail import Sender
from harness.namespaces import can_make_namespaces, network_of
from harness.relay import Relay

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not can_make_namespaces(), reason="needs namespaces"
)

CLASSES = {"BE": 0, "LE": 1, "EF": 46, "VA": 44}
CLASSES.update(("CS%d" % n, 8 * n) for n in range(8))
CLASSES.update(("AF%d%d" % (c, d), 8 * c + 2 * d) for c in (1, 2, 3, 4) for d in (1, 2, 3))
CLASSES.update({"0": 0, "1": 1, "21": 21, "63": 63, "0x2e": 46, "0X3F": 63, "ef": 46, "Af41": 34})

PRIORITIES = range(5)
HEADERS = {0: "5", 1: "4", 2: None, 3: "2", 4: "1"}  # of the shipped rules
FAMILIES = {4: "10.9.0.2", 6: "fd09::2"}  # the relay's addresses
GATEWAY = {4: "10.9.0.1", 6: "fd09::1"}
SCRIPT = "/etc/priority-email-gateway.nft"
TABLE = "priority-email-gateway"
OPERATORS = """
table inet operator {
    chain out {
        type filter hook output priority 0; policy accept;
        ip dscp 46 counter
    }
}
table ip priority-email-gateway {
    chain out {
        type filter hook output priority 0; policy accept;
    }
}
"""


class Site:
    """A gateway and its relay, each on a machine."""

    def __init__(self, scratch):
        build = os.environ.get("PEG_BUILD") or REPOSITORY + "/build"
        self.scratch = scratch
        with contextlib.ExitStack() as things:
            self.relay_host = things.enter_context(Machine())
            self.gateway = things.enter_context(Machine(scratch, build))
            self.cable = self.gateway.connect(
                self.relay_host, ["10.9.0.1/24", "fd09::1/64"], ["10.9.0.2/24", "fd09::2/64"]
            )
            for machine in (self.gateway, self.relay_host):
                machine.run("sysctl", "-qw", "net.ipv4.tcp_ecn=1")
            self.capture = things.enter_context(Capture(self.relay_host.pid))
            self.relay = Relay(25, hosts=list(FAMILIES.values()), network=self.relay_host.pid)
            things.callback(self.relay.start().stop)
            things.callback(self.gateway.run, "peg-ctl", "stop", check=False)
            self._things = things.pop_all()

    def close(self):
        self._things.close()

    def begin(self):
        """Generate the gateway and start it."""
        run = self.gateway.run
        run("postconf", "-MX", "smtp/inet")
        run("postconf", "-e", "inet_protocols=all")
        self.write("/etc/priority-email-gateway.rules", shipped_rules())
        self.apply({})
        ways = ", ".join(
            "{ v%d.example = smtp:[%s]:25 }" % family for family in FAMILIES.items()
        )
        for n in PRIORITIES:
            run("postconf", "-c", "/etc/postfix%d" % n, "-e", "transport_maps=inline:{%s}" % ways)
        run("peg-ctl", "start")

    def apply(self, classes):
        """Have these classes, {suffix: class}; the others are BE. Returns what peg-gen says."""
        text = "DAEMON_USER=nobody\nRELAY_HOST=[10.9.0.2]\n"
        text += "".join("DSCP_CLASS%s=%s\n" % item for item in classes.items())
        self.write("/etc/priority-email-gateway.conf", text)
        return self.gateway.run("peg-gen", "apply").stdout

    def has_script(self):
        return os.path.exists(self.path(SCRIPT))

    def tables(self):
        return self.gateway.run("nft", "list", "tables").stdout.splitlines()

    def marks(self, priorities=PRIORITIES):
        """{priority: set of the marks with which a message arrives, by both families}.

        A message goes to two recipients, by IPv4 and IPv6. Packets of one connection are marked
        alike, from the first to the last.
        """
        found = {}
        for n in priorities:
            sent = self.send(n)
            self.relay.wait_for(2, tag=sent.tag)
            connections = self.capture.connections(sent.tag.encode(), 2)
            assert sorted(version for version, _, _ in connections) == [4, 6]
            found[n] = {mark for packets in connections.values() for mark in marks_of(packets)}
        return found

    def send(self, priority):
        to = ["p%d@v%d.example" % (priority, family) for family in FAMILIES]
        with network_of(self.gateway.pid):
            sender = Sender("127.0.0.1", 25)
        with sender:
            return sender.send(to=to, priority_header=HEADERS[priority])

    def path(self, name):
        """The name that a file of the machine's /etc or /usr/local has for the tests."""
        top = "/empty/local" + name[len("/usr/local") :] if name.startswith("/usr/local/") else name
        return str(self.scratch) + top

    def write(self, name, text):
        """Write a file of the machine."""
        with open(self.path(name), "w") as file:
            file.write(text)


def marks_of(packets):
    """The marks of a connection's packets, which begin with SYN and end with FIN.

    What the kernel itself answers after that belongs to nobody's socket any more.
    """
    assert packets[0].flags & SYN
    last = next(i for i, packet in enumerate(packets) if packet.flags & (FIN | RST))
    assert any(packet.ecn for packet in packets[:last]), "ECN was agreed on, and is to stay"
    return {packet.dscp for packet in packets[: last + 1]}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("dscp"))
    try:
        made.begin()
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def _own_packets_only(site):
    site.capture.clear()


def of_instances(names):
    return {"[%d]" % n: name for n, name in enumerate(names)}


@pytest.mark.parametrize("first", range(0, len(CLASSES), len(PRIORITIES)))
def test_each_class_is_in_every_packet_of_both_families(site, first):
    names = list(CLASSES)[first : first + len(PRIORITIES)]
    site.apply(of_instances(names))
    marks = site.marks(range(len(names)))
    assert marks == {n: {CLASSES[name]} for n, name in enumerate(names)}


def test_nothing_is_marked_on_the_loopback_interface(site):
    site.apply({"_FRONTEND": "EF", "_DEFAULT": "EF"})
    with Capture(site.gateway.pid, "lo") as loopback:
        assert site.marks([4]) == {4: {46}}
        packets = loopback.packets()
    ports = {packet.port for packet in packets} | {packet.source_port for packet in packets}
    assert {25, 20004, 10040} <= ports
    assert {packet.dscp for packet in packets} == {0}


def test_the_frontend_answers_with_its_class(site):
    site.apply({"_FRONTEND": "AF21", "_DEFAULT": "EF"})
    for version, address in GATEWAY.items():
        with network_of(site.relay_host.pid):
            Sender(address, 25).__exit__(None, None, None)
    answers = site.capture.connections(b"221 2.0.0 Bye", 2)
    assert sorted(version for version, _, _ in answers) == [4, 6]
    for packets in answers.values():
        assert {packet.dscp for packet in packets if packet.payload} == {18}


@pytest.mark.parametrize("user", ["root", "postfix", "nobody"])
def test_packets_of_others_are_not_marked(site, user):
    site.apply({"_FRONTEND": "EF", "_DEFAULT": "EF"})
    program = (
        "import socket, sys\n"
        "with socket.create_connection((sys.argv[1], 25)) as c:\n"
        "    c.recv(1000); c.sendall(b'NOOP of others\\r\\n'); c.recv(1000)\n"
    )
    become = ["setpriv", "--reuid", user, "--clear-groups", "/usr/bin/python3", "-c", program]
    for address in FAMILIES.values():
        site.gateway.run(*become, address)
    found = site.capture.connections(b"NOOP of others", 2)
    assert sorted(version for version, _, _ in found) == [4, 6]
    assert {packet.dscp for packets in found.values() for packet in packets} == {0}


def test_marks_survive_restarts(site):
    site.apply({"[4]": "EF", "[1]": "CS1"})
    expected = {1: {8}, 2: {0}, 4: {46}}
    assert site.marks(expected) == expected
    for command in (["peg-ctl", "restart", "4"], ["peg-ctl", "restart"]):
        site.gateway.run(*command)
        assert site.marks(expected) == expected
    site.gateway.run("postfix", "-c", "/etc/postfix4", "stop")
    site.gateway.run("postfix", "-c", "/etc/postfix4", "start")
    assert site.marks(expected) == expected


@pytest.mark.parametrize("command", [["peg-gen", "apply"], ["peg-ctl", "restart", "4"]])
def test_a_firewall_that_flushes_everything_is_made_up_for(site, command):
    site.apply({"[4]": "EF"})
    site.gateway.run("nft", "flush", "ruleset")
    assert site.marks([4]) == {4: {0}}
    difference = site.gateway.run("peg-gen", "diff").stdout
    assert difference == SCRIPT + ": loaded by nft, since the kernel has not what it says\n"
    status = site.gateway.run("peg-ctl", "status", check=False)
    assert status.returncode == 1 and status.stdout.endswith(SCRIPT + " not loaded\n")
    site.gateway.run(*command)
    assert site.marks([4]) == {4: {46}}
    assert "loaded" not in site.gateway.run("peg-ctl", "status").stdout
    assert site.apply({"[4]": "EF"}).startswith("nothing to change\n")


def test_another_table_of_our_name_is_replaced(site):
    site.apply({"[4]": "EF"})
    site.gateway.run("nft", "flush", "table", "inet", TABLE)
    assert site.marks([4]) == {4: {0}}
    assert "loaded by nft" in site.apply({"[4]": "EF"})
    assert site.marks([4]) == {4: {46}}


def test_without_classes_table_and_file_are_gone(site):
    assert "nft: new" in site.apply({"[3]": "EF", "[4]": "LE"})
    assert site.has_script() and "table inet " + TABLE in site.tables()
    assert SCRIPT + ": removed, and its table in the kernel, too\n" in site.apply({"[4]": "BE"})
    assert not site.has_script() and "table inet " + TABLE not in site.tables()
    assert site.marks([3, 4]) == {3: {0}, 4: {0}}
    assert site.apply({}).startswith("nothing to change\n")
    site.gateway.run("peg-ctl", "restart", "4")
    assert not site.has_script() and "table inet " + TABLE not in site.tables()


def test_tables_of_the_operator_stay_as_they_are(site):
    site.apply({})
    site.gateway.run("nft", "-f", "-", stdin=OPERATORS)
    before = site.gateway.run("nft", "-s", "list", "ruleset").stdout
    site.apply({"_DEFAULT": "CS7", "[2]": "BE"})
    assert site.marks([2, 4]) == {2: {0}, 4: {56}}
    site.gateway.run("peg-ctl", "restart", "4")
    site.apply({})
    assert site.gateway.run("nft", "-s", "list", "ruleset").stdout == before
    site.gateway.run("nft", "flush", "ruleset")


def test_gateways_side_by_side_have_tables_of_their_own(site):
    site.apply({"[4]": "EF"})
    second = "/usr/local/second"
    os.makedirs(site.path(second + "/etc"))
    site.write(second + "/etc/priority-email-gateway.rules", shipped_rules())
    for dscp_class in ("CS1", "BE"):
        text = "FRONTEND_LISTEN=26\nTCPMAP_LISTEN=127.0.0.1:10041\nINSTANCE_PORT_BASE=21000\n"
        text += "INSTANCE_USERS=yes\nDSCP_CLASS[4]=%s\n" % dscp_class
        site.write(second + "/etc/priority-email-gateway.conf", text)
        said = site.gateway.run("peg-gen", "apply", "--root", second).stdout
        assert second + SCRIPT in said
        tables = site.tables()
        assert tables[0] == "table inet " + TABLE
        assert len(tables) == (2 if dscp_class == "CS1" else 1)
    assert site.marks([4]) == {4: {46}}


def test_packets_are_routed_by_their_class(site):
    """As `ip rule ... tos` of an operator says."""
    second = site.gateway.connect(
        site.relay_host, ["10.8.0.1/24", "fd08::1/64"], ["10.8.0.2/24", "fd08::2/64"]
    )
    for version, via in ((4, "10.8.0.2"), (6, "fd08::2")):
        ip = ["ip", "-%d" % version]
        site.gateway.run(*ip, "rule", "add", "tos", "0x10", "table", "100")
        site.gateway.run(*ip, "route", "add", FAMILIES[version], "via", via, "table", "100")
    site.apply({"[3]": "EF", "[4]": "4"})
    assert site.marks([3, 4]) == {3: {46}, 4: {4}}
    packets = [packet for packet in site.capture.packets() if packet.payload]
    assert {(packet.dscp, packet.interface) for packet in packets} == {(46, site.cable), (4, second)}


def test_a_script_that_nft_refuses_changes_nothing_and_holds_up_no_mail(site):
    site.apply({"[4]": "EF"})
    site.write(SCRIPT, "table inet %s { chain { }\n" % TABLE)
    done = site.gateway.run("peg-ctl", "restart", "frontend", check=False)
    assert done.returncode == 1
    assert re.search(re.escape(SCRIPT) + r":1:.*syntax error", done.stderr)
    assert site.marks([4]) == {4: {46}}
    assert SCRIPT + ": new contents, loaded by nft\n" in site.apply({"[4]": "EF"})
    assert site.marks([4]) == {4: {46}}
