"""What snmpd shows of a gateway: the tables of the RFCs, and the figures by their names of old."""

import collections

import pytest

from harness import mail_mibs
from harness.folders import QUEUES
from harness.mail_mibs import oid
from harness.queues import halted
from harness.snmp_site import (
    FRAGMENT,
    OUTPUT_FULL,
    RESULT,
    UP,
    Site,
    appl_index,
    by_name,
    send,
    send_to_deferred,
)


@pytest.fixture(scope="module", name="site")
def site_with_snmpd(tmp_path_factory):
    site = Site(str(tmp_path_factory.mktemp("snmp")))
    try:
        yield site
    finally:
        site.close()


def walk(site, tree, tool="snmpwalk"):
    return site.agent.ask(tool, tree, options="-On -Oe -m ''")


def queue_rows(objects, instance):
    """{queue: [messages, kilo-octets, recipients, 1/100 s]} of an instance."""
    columns = (
        "mtaGroupStoredMessages",
        "mtaGroupStoredVolume",
        "mtaGroupStoredRecipients",
        "mtaGroupOldestMessageStored",
    )
    return {
        queue: [int(objects[name, (appl_index(instance), number)][1]) for name in columns]
        for number, queue in enumerate(QUEUES, 1)
    }


def rows_of_postqueue(gateway, instance):
    """The same by postqueue -j, with the time of arrival of the oldest one."""
    found = collections.defaultdict(list)
    for message in gateway.queue(instance):
        found[message["queue_name"]].append(message)
    return {
        queue: [
            len(found[queue]),
            int(sum(m["message_size"] for m in found[queue]) / 1024 + 0.5),
            sum(len(m["recipients"]) for m in found[queue]),
            min((m["arrival_time"] for m in found[queue]), default=0),
        ]
        for queue in QUEUES
    }


@pytest.fixture(name="loaded")
def site_with_mail_in_every_queue(site):
    gateway = site.gateway
    site.wait_until_connected()
    gateway.postsuper(2, "-h", send_to_deferred(gateway, 2, 3)[0])
    gateway.relay.hold()
    send(gateway, 4, ["bob@dest.example"], body="x" * 900)
    with halted(gateway):
        gateway.send(to=["dora@dest.example", "emil@dest.example"])
        site.rounds(1)
        yield site
    gateway.relay.behave()
    gateway.postsuper(2, "-H", "ALL")
    gateway.flush(2)
    gateway.wait_until_empty()


def test_the_tables_say_what_postqueue_says_of_every_queue(loaded):
    objects = mail_mibs.read(walk(loaded, "1.3.6.1.2.1.28"))
    seen = collections.Counter()
    for instance in loaded.gateway.instances():
        rows, wanted = queue_rows(objects, instance), rows_of_postqueue(loaded.gateway, instance)
        ages = {queue: row.pop() for queue, row in rows.items()}
        oldest = {queue: row.pop() for queue, row in wanted.items()}
        assert rows == wanted
        for queue in QUEUES:
            seen[queue] += rows[queue][0]
            if oldest[queue] == 0:
                assert ages[queue] == 0
            else:  # of the round, by a clock of whole seconds
                begun, over = loaded.round_times
                assert begun - 1 <= oldest[queue] + ages[queue] / 100 <= over + 1
        total = [sum(row[n] for row in rows.values()) for n in (0, 2)]
        index = (appl_index(instance),)
        assert total == [
            int(objects[name, index][1]) for name in ("mtaStoredMessages", "mtaStoredRecipients")
        ]
    assert seen == {"incoming": 1, "active": 1, "deferred": 2, "hold": 1}


def test_every_object_is_as_its_rfc_defines_it_and_the_order_is_one(loaded):
    known = {
        name: syntax
        for _place, _indexes, columns in mail_mibs.TABLES.values()
        for name, syntax in columns.values()
    }
    for tree in ("1.3.6.1.2.1.27", "1.3.6.1.2.1.28"):
        text = walk(loaded, tree)
        for (name, indexes), (syntax, value) in mail_mibs.read(text).items():
            wanted, least, greatest = known[name]
            assert syntax == wanted, name
            if least is not None:
                assert least <= number_of(value) <= greatest, (name, value)
            assert 1 <= indexes[0] <= 67 and all(1 <= n <= 4 for n in indexes[1:])
        assert walk(loaded, tree, "snmpbulkwalk") == text
        assert step_by_step(loaded, tree, len(text.splitlines())) == text
    refused = loaded.agent.ask("snmpset", oid("applName", 1), "s", "x", check=False)
    assert refused == ""


def step_by_step(site, tree, count):
    """The objects by one snmpgetnext after the other; what follows them is in no table of ours."""
    lines, at = [], "." + tree
    for _ in range(count):
        lines.append(site.agent.ask("snmpgetnext", at, options="-On -Oe -m ''"))
        at = lines[-1].split(" ")[0]
    following = site.agent.ask("snmpgetnext", at, options="-On -m ''").split(" ")[0]
    assert not following.startswith("." + tree + ".")
    return "\n".join(lines)


def test_snmptable_shows_the_tables_by_their_names(loaded, tmp_path):
    (tmp_path / "PEG-TEST-MIB.txt").write_text(mail_mibs.mib_text())
    options = "-M %s -m PEG-TEST-MIB -Ci -Cf ; -CB" % tmp_path
    for table, (_place, _indexes, columns) in mail_mibs.TABLES.items():
        lines = loaded.agent.ask("snmptable", "PEG-TEST-MIB::" + table, options=options.replace(";", "';'"))
        heading, rows = lines.splitlines()[2], lines.splitlines()[3:]
        assert set(heading.split(";")[1:]) <= {name for name, _syntax in columns.values()}
        assert len(rows) == {"applTable": 8, "mtaTable": 6, "mtaGroupTable": 24}[table]
        if table == "applTable":
            name = heading.split(";").index("applName")
            names = [row.split(";")[name].strip('"') for row in rows]
            assert names[0] == "postfix-frontend" and names[-1] == "peg-tcpmap"
            assert names[1:-2] == ["postfix%d" % n for n in range(5)]


def test_what_runs_is_up_since_it_started(loaded):
    now = int(loaded.agent.ask("snmpget", "1.3.6.1.2.1.1.3.0", options="-Ovqt -m ''"))
    objects = mail_mibs.read(walk(loaded, "1.3.6.1.2.1.27"))
    for index in [appl_index(instance) for instance in loaded.gateway.instances()] + [66, 67]:
        assert objects["applOperStatus", (index,)] == ("INTEGER", UP)
        assert 0 < number_of(objects["applUptime", (index,)][1]) < now
        assert objects["applLastChange", (index,)] == objects["applUptime", (index,)]
        assert objects["applDirectoryName", (index,)][1] == '""'
    version = loaded.gateway.postfix_conf("frontend", "mail_version")
    assert objects["applVersion", (1,)][1] == '"Postfix %s"' % version


def number_of(text):
    """Of `(569) 0:00:05.69` or `569`."""
    return int(text.strip("()").split(")")[0])


def test_every_figure_has_its_name_of_old(loaded):
    figures = {name: open(loaded.figure(name)).read().strip() for name in queue_figures(loaded)}
    assert figures["postfix2-deferred"] == "2" and figures["milterCount"] == "1"
    with open(loaded.gateway.path(FRAGMENT)) as file:
        lines = [line.split() for line in file if line.startswith("extend")]
    assert [line[1] for line in lines] == queue_figures(loaded)
    for name, figure in figures.items():
        loaded.agent.wait_for_value(by_name(OUTPUT_FULL, name), '"%s"' % figure)
        assert loaded.agent.value(by_name(RESULT, name)) == "0"


def queue_figures(site):
    names = ["postfix-frontend"] + ["postfix%d" % n for n in range(site.gateway.priority_count)]
    figures = ["%s-%s" % (name, queue) for name in names for queue in QUEUES]
    return figures + ["milterCount", "qpsmtpdCount"]


def test_what_goes_through_an_instance_is_counted(site):
    site.wait_until_connected()
    names = ["mta%s%s" % (way, what) for way in ("Received", "Transmitted") for what in ("Messages", "Recipients")]
    before = [int(site.agent.value(oid(name, appl_index(3)))) for name in names]
    for _ in range(2):
        send(site.gateway, 3, ["bob@dest.example", "carl@dest.example"])
    site.gateway.wait_until_empty()
    site.rounds(1)
    after = [int(site.agent.value(oid(name, appl_index(3)))) for name in names]
    assert [after[n] - before[n] for n in range(4)] == [2, 4, 2, 4]
    assert site.agent.value(oid("applLastInboundActivity", appl_index(3))) != "0:0:00:00.00"
