"""NETWORK-SERVICES-MIB (RFC 2788) and MTA-MIB (RFC 2789) as far as the gateway has them.

Each object as its RFC defines it: number, name, syntax as an agent sends it, range. All of them
are read-only. mib_text() makes of it a module that Net-SNMP's tools read, since distributions do
not ship the RFCs' own.
"""

import re

MIB_2 = ".1.3.6.1.2.1"
TIME_INTERVAL = "INTEGER", 0, 2**31 - 1
TEXT = "STRING", None, None
GAUGE = "Gauge32", 0, 2**32 - 1
COUNTER = "Counter32", 0, 2**32 - 1
TIME_STAMP = "Timeticks", 0, 2**32 - 1

# {table: (its identifier, its indexes, {column: (name, (syntax, least, greatest))})}
TABLES = {
    "applTable": (
        (27, 1),
        ("applIndex",),
        {
            2: ("applName", TEXT),
            3: ("applDirectoryName", TEXT),
            4: ("applVersion", TEXT),
            5: ("applUptime", TIME_STAMP),
            6: ("applOperStatus", ("INTEGER", 1, 6)),
            7: ("applLastChange", TIME_STAMP),
            12: ("applLastInboundActivity", TIME_STAMP),
            13: ("applLastOutboundActivity", TIME_STAMP),
            16: ("applDescription", TEXT),
        },
    ),
    "mtaTable": (
        (28, 1),
        ("applIndex",),
        {
            1: ("mtaReceivedMessages", COUNTER),
            2: ("mtaStoredMessages", GAUGE),
            3: ("mtaTransmittedMessages", COUNTER),
            4: ("mtaReceivedVolume", COUNTER),
            5: ("mtaStoredVolume", GAUGE),
            6: ("mtaTransmittedVolume", COUNTER),
            7: ("mtaReceivedRecipients", COUNTER),
            8: ("mtaStoredRecipients", GAUGE),
            9: ("mtaTransmittedRecipients", COUNTER),
        },
    ),
    "mtaGroupTable": (
        (28, 2),
        ("applIndex", "mtaGroupIndex"),
        {
            4: ("mtaGroupStoredMessages", GAUGE),
            7: ("mtaGroupStoredVolume", GAUGE),
            10: ("mtaGroupStoredRecipients", GAUGE),
            12: ("mtaGroupOldestMessageStored", TIME_INTERVAL),
            25: ("mtaGroupName", TEXT),
            28: ("mtaGroupDescription", TEXT),
            31: ("mtaGroupHierarchy", ("INTEGER", -(2**31), 2**31 - 1)),
        },
    ),
}

SMI = {"STRING": "OCTET STRING", "Timeticks": "TimeTicks"}


def oid(name, *indexes):
    """The identifier of an object."""
    for (module, table), _indexes, columns in TABLES.values():
        for column, (found, _syntax) in columns.items():
            if found == name:
                numbers = (module, table, 1, column) + indexes
                return MIB_2 + "".join(".%d" % number for number in numbers)
    raise KeyError(name)


def read(text):
    """What `snmpwalk -On` printed, as {(name, indexes): (syntax, value)}; unknown ones raise."""
    names = {
        (module, table, 1, column): name
        for (module, table), _indexes, columns in TABLES.values()
        for column, (name, _syntax) in columns.items()
    }
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\.1\.3\.6\.1\.2\.1\.([\d.]+) = (?:(\S+): (.*)|(\"\"))", line)
        numbers = tuple(int(number) for number in match.group(1).split("."))
        value = (match.group(2), match.group(3)) if match.group(2) else ("STRING", '""')
        found[names[numbers[:4]], numbers[4:]] = value
    return found


def mib_text():
    """A module PEG-TEST-MIB with these tables; none of the RFCs' text."""
    lines = ["PEG-TEST-MIB DEFINITIONS ::= BEGIN", "mib-2 OBJECT IDENTIFIER ::= { iso 3 6 1 2 1 }"]
    lines += ["application OBJECT IDENTIFIER ::= { mib-2 27 }", "mta OBJECT IDENTIFIER ::= { mib-2 28 }"]
    for name, ((module, table), indexes, columns) in TABLES.items():
        entry = name.replace("Table", "Entry")
        row = entry[0].upper() + entry[1:]
        parent = "application" if module == 27 else "mta"
        lines += [_object(name, "SEQUENCE OF " + row, "not-accessible", (parent, table))]
        index = "INDEX { %s }" % ", ".join(indexes)
        lines += [_object(entry, row, "not-accessible", (name, 1), index)]
        own = [indexes[-1]] if name != "mtaTable" else []
        members = own + [column[0] for column in columns.values()]
        lines += ["%s ::= SEQUENCE { %s }" % (row, ", ".join(m + " INTEGER" for m in members))]
        lines += [_object(member, "INTEGER", "not-accessible", (entry, 1)) for member in own]
        for column, (member, (syntax, _least, _greatest)) in columns.items():
            lines += [_object(member, SMI.get(syntax, syntax), "read-only", (entry, column))]
    return "\n".join(lines + ["END", ""])


def _object(name, syntax, access, place, index=""):
    return "%s OBJECT-TYPE SYNTAX %s ACCESS %s STATUS mandatory %s ::= { %s %d }" % (
        (name, syntax, access, index) + place
    )
