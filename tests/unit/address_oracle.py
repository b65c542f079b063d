#!/usr/bin/python3
"""Compare the reading of addresses with what was generated, and with Python's own readers.

usage: address_oracle.py ADDRESS_PRINT [COUNT [SEED]]

Generates COUNT random field values that are well-formed by RFC 5322 (obsolete forms and bare UTF-8
included), together with the addresses that they hold. The program ADDRESS_PRINT must read exactly
those. Each value is also read by two readers of Python, email.utils.getaddresses() and
email.headerregistry, unless it has a feature that the reader is known to read wrongly: those are
listed below with the reason and an example, and a note is printed when the example is read rightly.
"""

import email.policy
import email.utils
import inspect
import random
import subprocess
import sys

ATEXT = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+-/=?^_`{|}~"
LETTERS = "abcdefghijklmnopqrstuvwxyzABC0123456789"

# feature: (why the reader cannot be trusted with it, an example, what the example holds)
GETADDRESSES_WRONG = {
    "quoted local": ("leaves the quotes on a local part", '"a b"@x', ["a b@x"]),
    "route": ("ends a route at the first comma", "<@a,@b:c@d>", ["c@d"]),
    "literal blank": ("leaves blanks in a domain literal", "a@[ 192.0.2.7 ]", ["a@[192.0.2.7]"]),
}
HEADERREGISTRY_WRONG = {
    "name dot": ("raises AttributeError for some names with a dot", "Q.<a@x>", ["a@x"]),
    "empty group": ("raises AttributeError for a blank after an empty group", "g:; ", []),
}


class Generator:
    """Writes random field values; features collects what a reader of Python stumbles over."""

    def __init__(self, rng):
        self.rng = rng
        self.features = set()

    def chance(self, percent):
        return self.rng.random() * 100 < percent

    def text(self, alphabet, longest):
        return "".join(self.rng.choice(alphabet) for _ in range(self.rng.randint(1, longest)))

    def blank(self):
        if self.chance(15):
            return self.rng.choice(["\r\n ", "\n\t", " \r\n  "])
        return self.rng.choice([" ", "  ", "\t"])

    def comment(self, depth=0):
        parts = []
        for _ in range(self.rng.randint(0, 3)):
            kind = self.rng.randrange(5)
            if kind == 0 and depth < 4:
                parts.append(self.comment(depth + 1))
            elif kind == 1:
                parts.append("\\" + self.rng.choice('()\\"a, @'))
            elif kind == 2:
                parts.append(self.rng.choice(["v@y", "<v@y>", "v@y, w@z", ",", ";", ":", "@", '"']))
            elif kind == 3:
                parts.append(self.blank())
            else:
                parts.append(self.text(LETTERS, 6))
        return "(" + "".join(parts) + ")"

    def cfws(self, percent):
        """Comments and blanks, or nothing."""
        out = ""
        while self.chance(percent):
            out += self.comment() if self.chance(30) else self.blank()
            percent /= 2
        return out

    def atom(self):
        if self.chance(5):
            return self.text(ATEXT + "öüñ中", 8)
        return self.text(ATEXT, 8)

    def quoted(self):
        """A quoted string and its content."""
        written, content = "", ""
        for _ in range(self.rng.randint(1, 6)):
            kind = self.rng.randrange(6)
            if kind == 0:
                char = self.rng.choice('"\\')
                written, content = written + "\\" + char, content + char
            elif kind == 1:
                char = self.rng.choice("a@,<( ")
                written, content = written + "\\" + char, content + char
            elif kind == 2:
                piece = self.rng.choice(["@", ",", "<v@y>", "(c)", ":", ";", "[", "."])
                written, content = written + piece, content + piece
            elif kind == 3:
                piece = self.blank()
                written += piece
                content += unfold(piece)
            else:
                piece = self.text(ATEXT, 5)
                written, content = written + piece, content + piece
        return '"' + written + '"', content

    def phrase(self):
        words = []
        for _ in range(self.rng.randint(1, 4)):
            kind = self.rng.randrange(8)
            if kind == 0:
                words.append(self.quoted()[0])
            elif kind == 1:
                words.append("=?utf-8?Q?" + self.text(LETTERS + "_=", 8) + "?=")
            elif kind == 2 and words:
                words.append(self.text("ABCJQ", 1) + ".")
                self.features.add("name dot")
            else:
                words.append(self.atom())
        out = words[0]
        for word in words[1:]:
            out += self.blank() + self.cfws(5) + word
        return out

    def joint(self, sign):
        """A dot or at sign, at times with blanks and comments around."""
        if self.chance(8):
            return self.cfws(60) + sign + self.cfws(60)
        return sign

    def local(self):
        words, content = "", ""
        for number in range(self.rng.choice([1, 1, 1, 2, 3])):
            if number:
                words, content = words + self.joint("."), content + "."
            if self.chance(15):
                written, plain = self.quoted()
                self.features.add("quoted local")
            else:
                written = plain = self.atom()
            words, content = words + written, content + plain
        return words, content

    def domain(self):
        if self.chance(8):
            if self.chance(50):
                literal = "192.0.2.%d" % self.rng.randrange(256)
            else:
                literal = "IPv6:2001:db8::%x" % self.rng.randrange(65536)
            space = " " if self.chance(20) else ""
            if space:
                self.features.add("literal blank")
            return "[" + space + literal + space + "]", "[" + literal + "]"
        labels = [self.text(LETTERS, 6) for _ in range(self.rng.randint(1, 3))]
        out = labels[0]
        for label in labels[1:]:
            out += self.joint(".") + label
        return out, ".".join(labels)

    def addr_spec(self):
        local, local_content = self.local()
        domain, domain_content = self.domain()
        return local + self.joint("@") + domain, local_content + "@" + domain_content

    def route(self):
        self.features.add("route")
        hops = ["@" + self.domain()[0] for _ in range(self.rng.randint(1, 3))]
        if self.chance(20):
            hops.insert(0, "")
        return (self.rng.choice([",", ", "]) + self.cfws(10)).join(hops) + ":"

    def mailbox(self):
        spec, content = self.addr_spec()
        if self.chance(40):
            return self.cfws(15) + spec + self.cfws(20), [content]
        name = self.phrase() if self.chance(80) else ""
        route = self.route() if self.chance(8) else ""
        angle = "<" + self.cfws(5) + route + self.cfws(5) + spec + self.cfws(5) + ">"
        return self.cfws(10) + name + self.cfws(60) + angle + self.cfws(15), [content]

    def group(self):
        members, addresses = [], []
        for _ in range(self.rng.randint(0, 3)):
            written, found = self.mailbox()
            members.append(written)
            addresses += found
        if self.chance(10):
            members.append(self.cfws(30))
        if not addresses:
            self.features.add("empty group")
        body = ",".join(members) if members else self.cfws(30)
        return self.phrase() + self.cfws(10) + ":" + body + ";" + self.cfws(10), addresses

    def field(self):
        """A field value and the addresses that it holds."""
        self.features = set()
        members, addresses = [], []
        for _ in range(self.rng.choice([1, 1, 2, 2, 3, 5, 8])):
            if self.chance(5):
                members.append(self.cfws(40))
            written, found = self.group() if self.chance(12) else self.mailbox()
            members.append(written)
            addresses += found
        return ",".join(members), addresses


def unfold(value):
    return value.replace("\r", "").replace("\n", "")


def read_with_getaddresses(value):
    # Strict reading, where there is such a thing, gives up on a field that it finds suspicious.
    strict = "strict" in inspect.signature(email.utils.getaddresses).parameters
    options = {"strict": False} if strict else {}
    pairs = email.utils.getaddresses([unfold(value)], **options)
    return [address for _, address in pairs if address]


def read_with_headerregistry(value):
    header = email.policy.SMTPUTF8.header_factory("To", unfold(value))
    return [
        address.username + ("@" + address.domain if address.domain else "")
        for address in header.addresses
    ]


READERS = [
    ("email.utils.getaddresses", read_with_getaddresses, GETADDRESSES_WRONG),
    ("email.headerregistry", read_with_headerregistry, HEADERREGISTRY_WRONG),
]


def read_with_program(program, values):
    """All values in one run, separated by NUL bytes, as the program prints its answers."""
    data = b"\0".join(value.encode() for value in values)
    output = subprocess.run([program], input=data, stdout=subprocess.PIPE, check=True).stdout
    blocks = output.decode().split("\0")
    assert len(blocks) == len(values), "%d answers to %d values" % (len(blocks), len(values))
    return [block.split("\n")[:-1] for block in blocks]


def differ(who, value, expected, found):
    print("%s reads another list of addresses than was written" % who)
    print("value:    %r\nexpected: %r\nfound:    %r" % (value, expected, found))
    return 1


def try_reader(read, value):
    try:
        return read(value)
    except Exception as error:  # the faults of Python's readers raise whatever comes
        return repr(error)


def check_known_faults():
    for who, read, wrong in READERS:
        for feature, (reason, value, expected) in wrong.items():
            if try_reader(read, value) == expected:
                print("note: %s of this Python has no fault with %s: %s" % (who, feature, reason))


def check_python(cases):
    for who, read, wrong in READERS:
        compared = 0
        for value, expected, features in cases:
            if features.isdisjoint(wrong):
                compared += 1
                found = try_reader(read, value)
                if found != expected:
                    return differ(who, value, expected, found)
        print("%s agrees on %d of them" % (who, compared))
    return 0


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 5322
    generator = Generator(random.Random(seed))
    cases = [(*generator.field(), frozenset(generator.features)) for _ in range(count)]

    examples = [
        (example, expected, frozenset([feature]))
        for _, _, wrong in READERS
        for feature, (_, example, expected) in wrong.items()
    ]
    cases += examples
    answers = read_with_program(program, [value for value, _, _ in cases])
    for (value, expected, _), found in zip(cases, answers):
        if found != expected:
            return differ(program, value, expected, found)
    print("%s reads %d values as they were written, seed %d" % (program, len(cases), seed))
    check_known_faults()
    return check_python(cases)


if __name__ == "__main__":
    sys.exit(main())
