"""The operator's guide, docs/guide: its chapters, the blocks of commands in them, and what it shows
of answers.

A block ```sh holds commands, ```console what the block of commands before it answers, and ```text
what is neither: lines of files, and pictures.
"""

import os
import re

from .installation import REPOSITORY

ENGLISH = os.path.join(REPOSITORY, "docs/guide")
FRENCH = os.path.join(ENGLISH, "fr")
CONTENTS = "README.md"
COMMANDS, ANSWER, NEITHER = "sh", "console", "text"

# How answers may differ from what is shown: numbers, queue IDs, and what stands for anything.
PATTERNS = {"4XyZ0": "[0-9A-Za-z]+", "...": ".*"}


class Block:
    """A fenced block: its info string, its lines, the heading it is under, and where it stands."""

    def __init__(self, chapter, section, kind, line):
        self.chapter = chapter
        self.section = section
        self.kind = kind
        self.line = line
        self.lines = []

    @property
    def text(self):
        return "".join(line + "\n" for line in self.lines)

    @property
    def commands(self):
        """Its lines without comments: what is the same in all languages."""
        bare = (re.sub(r"(^|\s+)#( .*|)$", "", line) for line in self.lines)
        return [line for line in bare if line.strip()]

    @property
    def place(self):
        return "%s:%d" % (self.chapter, self.line)


class Chapter:
    """A file of the guide.

    Attributes: name, folder, path, text, blocks, prose (its lines outside of blocks, with a heading
    as it stands), headings ([(level, text)]).
    """

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.path = os.path.join(folder, name)
        with open(self.path, encoding="utf-8") as file:
            self.text = file.read()
        self.blocks, self.prose, self.headings = [], [], []
        self._take_apart()

    def _take_apart(self):
        block, section = None, None
        for number, line in enumerate(self.text.splitlines(), 1):
            fence = re.match(r"```(\S*)$", line)
            if block is not None and fence and not fence.group(1):
                block = None
            elif block is not None:
                block.lines.append(line)
            elif fence:
                block = Block(self.name, section, fence.group(1), number)
                self.blocks.append(block)
            else:
                self.prose.append(line)
                heading = re.match(r"(#+) (.*)", line)
                if heading:
                    self.headings.append((len(heading.group(1)), heading.group(2)))
                    section = heading.group(2)
        assert block is None, "%s:%d: a block without end" % (self.path, block.line)

    @property
    def anchors(self):
        """What a link may have behind #: GitHub's names of the headings."""
        return {
            re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in self.headings
        }

    @property
    def links(self):
        """The targets of its links and pictures."""
        return re.findall(r"\]\(([^()\s]+)\)", "\n".join(self.prose))


def names():
    """The files of the chapters, without the contents."""
    found = (name for name in os.listdir(ENGLISH) if name.endswith(".md"))
    return sorted(name for name in found if name != CONTENTS)


def matches(shown, answer):
    """Whether all lines that the guide shows stand in the answer, in their order."""
    rest = iter(answer.splitlines())
    return all(any(_pattern(line).fullmatch(found) for found in rest) for line in shown)


def _pattern(line):
    parts = re.split(r"(4XyZ0|\.\.\.|[0-9]+|\s+)", line.rstrip())
    return re.compile("".join(_part(part) for part in parts) + r"\s*")


def _part(part):
    if part in PATTERNS:
        return PATTERNS[part]
    if part.isdigit():
        return "[0-9]+"
    return r"\s+" if part and part.isspace() else re.escape(part)
