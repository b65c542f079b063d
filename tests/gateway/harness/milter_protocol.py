"""Numbers and letters of the Sendmail milter protocol, as in libmilter's mfdef.h and mfapi.h."""

import struct

MAX_PACKET_LEN = 1 << 20
BODY_CHUNK_LEN = 65535  # MILTER_CHUNK_SIZE

# Commands, SMFIC_*
ABORT = b"A"
BODY = b"B"
CONNECT = b"C"
MACRO = b"D"
EOM = b"E"
HELO = b"H"
QUIT_NEW_CONNECTION = b"K"  # Postfix never says it
HEADER = b"L"
MAIL = b"M"
EOH = b"N"
NEGOTIATE = b"O"
QUIT = b"Q"
RCPT = b"R"
DATA = b"T"
UNKNOWN = b"U"

# Answers, SMFIR_*
ACCEPT = b"a"
CONTINUE = b"c"
DISCARD = b"d"
PROGRESS = b"p"
REJECT = b"r"
SKIP = b"s"
TEMPFAIL = b"t"
REPLYCODE = b"y"
FINAL = {ACCEPT, CONTINUE, DISCARD, REJECT, TEMPFAIL, REPLYCODE, b"4", b"f"}

# Requests to change the message, SMFIR_*: letter -> (kind, layout); "s" is a string, "I" a number
MODIFICATIONS = {
    b"+": ("addrcpt", ("address",)),
    b"2": ("addrcpt_par", ("address", "params")),
    b"-": ("delrcpt", ("address",)),
    b"h": ("addheader", ("name", "value")),
    b"i": ("insheader", ("index", "name", "value")),
    b"m": ("chgheader", ("index", "name", "value")),
    b"e": ("chgfrom", ("address", "params")),
    b"b": ("replbody", ("content",)),
    b"q": ("quarantine", ("reason",)),
}

# What a milter may do, SMFIF_*
ACTIONS = {
    "addheader": 0x001,
    "chgbody": 0x002,
    "addrcpt": 0x004,
    "delrcpt": 0x008,
    "chgheader": 0x010,
    "quarantine": 0x020,
    "chgfrom": 0x040,
    "addrcpt_par": 0x080,
    "setsymlist": 0x100,
}
ALL_ACTIONS = 0x1FF

# What it wants to be sent and to answer, SMFIP_*
NOT_SENT = {
    CONNECT: 0x000001,
    HELO: 0x000002,
    MAIL: 0x000004,
    RCPT: 0x000008,
    BODY: 0x000010,
    HEADER: 0x000020,
    EOH: 0x000040,
    UNKNOWN: 0x000100,
    DATA: 0x000200,
}
NO_REPLY = {
    HEADER: 0x000080,
    CONNECT: 0x001000,
    HELO: 0x002000,
    MAIL: 0x004000,
    RCPT: 0x008000,
    DATA: 0x010000,
    UNKNOWN: 0x020000,
    EOH: 0x040000,
    BODY: 0x080000,
}
SMFIP_SKIP = 0x000400
REJECTED_RCPTS = 0x000800
HEADER_LEADING_SPACE = 0x100000
ALL_STEPS = 0x1FFFFF

FAMILIES = {"inet": b"4", "inet6": b"6", "unix": b"L", "unknown": b"U"}

OF_CONTENT = (HEADER, EOH, BODY)

# The stages of macro lists, SMFIM_*, and the macros that Postfix sends at each by default
MACRO_STAGES = {CONNECT: 0, HELO: 1, MAIL: 2, RCPT: 3, DATA: 4, BODY: 5, EOM: 5, HEADER: 6, EOH: 6}
DEFAULT_MACROS = {
    0: ["j", "{daemon_name}", "{daemon_addr}", "v", "_"],
    1: ["{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}"],
    2: ["i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{mail_host}"],
    3: ["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"],
    4: ["i"],
    5: ["i"],
    6: ["i"],
}


class Negotiated:
    """What the milter chose: version, actions and steps as bits, macros as {stage: [names]}."""

    def __init__(self, data):
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        self.macros = {}
        rest = data[12:]
        while len(rest) > 4:
            (stage,) = struct.unpack("!I", rest[:4])
            names, _, rest = rest[4:].partition(b"\0")
            self.macros[stage] = names.decode().replace(",", " ").split()

    def wants(self, command):
        """Whether the milter wants to be sent this step."""
        return not self.steps & NOT_SENT[command]

    def answers(self, command):
        """Whether the milter answers this step."""
        return self.wants(command) and not self.steps & NO_REPLY[command]

    def may(self, action):
        """Whether the milter reserved itself this action, a key of ACTIONS."""
        return bool(self.actions & ACTIONS[action])


class Modification:
    """One request to change the message: `kind`, and by kind address, params, index, name, value,
    content or reason as attributes."""

    def __init__(self, command, data):
        self.kind, fields = MODIFICATIONS[command]
        if fields[0] == "index":
            (self.index,) = struct.unpack("!I", data[:4])
            data, fields = data[4:], fields[1:]
        if self.kind == "replbody":
            self.content = data
            return
        values = data.split(b"\0")
        for position, field in enumerate(fields):
            value = values[position] if position < len(values) else b""
            setattr(self, field, value.decode("utf-8", "surrogateescape"))

    def __repr__(self):
        fields = sorted(item for item in vars(self).items() if item[0] != "kind")
        return "%s(%s)" % (self.kind, ", ".join("%s=%r" % item for item in fields))


def strings(*words):
    """The words, each with its NUL, as the protocol has them."""
    return b"".join(
        (word if isinstance(word, bytes) else word.encode("utf-8", "surrogateescape")) + b"\0"
        for word in words
    )
