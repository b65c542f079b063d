"""The operator's guide as a text: in both languages the same commands, links that lead somewhere, and
pictures that can be read. No gateway runs here; test_guide_commands.py runs what it says.
"""

import collections
import os
import re
import xml.etree.ElementTree

import pytest

from harness import guide
from harness.installation import REPOSITORY

NAMES = guide.names()
FOLDERS = {"en": guide.ENGLISH, "fr": guide.FRENCH}
ALL = [(folder, name) for folder in FOLDERS.values() for name in [guide.CONTENTS] + NAMES]
LINES_MAX = 400
WIDTH_MAX = 100
FIGURES = "limits.md"  # where measured figures stand, and nowhere else
HARD_SPACES = "\u00a0\u202f"
FIGURE = r"[0-9][0-9.,]*[ %s]?(%%|ms\b|bytes\b|octets\b)" % HARD_SPACES
SVG = "{http://www.w3.org/2000/svg}"


def chapter(language, name):
    return guide.Chapter(FOLDERS[language], name)


def file_id(folder, name):
    return os.path.relpath(os.path.join(folder, name), guide.ENGLISH)


each_file = pytest.mark.parametrize("folder, name", ALL, ids=[file_id(*f) for f in ALL])
each_chapter = pytest.mark.parametrize("name", NAMES)


def test_both_languages_have_the_same_chapters():
    found = {name for name in os.listdir(guide.FRENCH) if name.endswith(".md")}
    assert found == set(NAMES) | {guide.CONTENTS}


@each_chapter
def test_blocks_are_the_same_in_both_languages(name):
    english, french = chapter("en", name).blocks, chapter("fr", name).blocks
    assert [block.kind for block in english] == [block.kind for block in french]
    for one, other in zip(english, french):
        assert one.commands == other.commands, "%s and fr/%s" % (one.place, other.place)


@each_chapter
def test_both_languages_say_as_much(name):
    """Sections, rows of tables and numbers: what was changed in one is changed in the other."""
    english, french = chapter("en", name), chapter("fr", name)
    assert [level for level, _ in english.headings] == [level for level, _ in french.headings]
    assert rows(english) == rows(french)
    assert numbers(english) == numbers(french)


def rows(text):
    return sum(line.startswith("|") for line in text.prose)


def numbers(text):
    """How often each number is there, in digits; blanks and commas between thousands do not count."""
    prose = "\n".join(text.prose)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    prose = re.sub("(?<=\\d)[,%s](?=\\d{3}\\b)" % HARD_SPACES, "", prose)
    return collections.Counter(re.findall(r"(?<![\w.])\d+", prose))


@each_file
def test_links_lead_somewhere(folder, name):
    text = guide.Chapter(folder, name)
    for link in text.links:
        if link.startswith("https:"):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.join(folder, path) if path else text.path
        assert os.path.isfile(target), "%s: %s" % (text.path, link)
        if anchor:
            assert anchor in guide.Chapter(*os.path.split(target)).anchors, link


@each_file
def test_form(folder, name):
    text = guide.Chapter(folder, name)
    lines = text.text.splitlines()
    assert len(lines) < LINES_MAX
    assert [level for level, _ in text.headings].count(1) == 1 and lines[0].startswith("# ")
    for number, line in enumerate(lines, 1):
        assert line == line.rstrip(), "%s:%d: blanks at its end" % (text.path, number)
        assert len(line) <= WIDTH_MAX or line.startswith("|") or in_answer(text, number), (
            "%s:%d: %d characters" % (text.path, number, len(line))
        )
    kinds = {guide.COMMANDS, guide.ANSWER, guide.NEITHER}
    for number, block in enumerate(text.blocks):
        assert block.kind in kinds, "%s: a block of this kind is not run" % block.place
        if block.kind == guide.ANSWER:
            assert number > 0 and text.blocks[number - 1].kind == guide.COMMANDS, block.place


def in_answer(text, number):
    blocks = (block for block in text.blocks if block.kind == guide.ANSWER)
    return any(block.line < number <= block.line + len(block.lines) for block in blocks)


@pytest.mark.parametrize("name", [guide.CONTENTS] + NAMES)
def test_french_is_set_as_french_is(name):
    """Hard spaces before what is high, and in guillemets; apostrophes that are none of a typewriter."""
    for line in guide.Chapter(guide.FRENCH, name).prose:
        bare = re.sub(r"`[^`]*`|\]\([^)]*\)", "x", line)
        assert not re.search(r"\S [:;!?»%]|« |\w[;!?»](?!\w)|\w'\w", bare), line


@each_file
def test_measured_figures_stand_in_one_place(folder, name):
    if name == FIGURES:
        return
    text = guide.Chapter(folder, name)
    for line in text.prose:
        assert not re.search(FIGURE, line), "%s: %s" % (text.path, line)


def test_the_contents_name_all_chapters():
    for folder in FOLDERS.values():
        links = guide.Chapter(folder, guide.CONTENTS).links
        chapters = [link for link in links if link in NAMES]
        assert sorted(chapters) == NAMES and len(chapters) == len(set(chapters))


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_pictures_have_a_text_for_those_who_do_not_see_them(folder):
    pictures = [name for name in os.listdir(folder) if name.endswith(".svg")]
    assert pictures
    for name in pictures:
        root = xml.etree.ElementTree.parse(os.path.join(folder, name)).getroot()
        assert root.get("viewBox") and root.get("role") == "img"
        for element in ("title", "desc"):
            assert len(root.find(SVG + element).text) > 20
        style = root.find(SVG + "style").text
        assert "prefers-color-scheme: dark" in style
        # Every colour in light has one in dark.
        light, dark = style.split("@media")
        assert set(re.findall(r"#[0-9a-f]{6}", light)).isdisjoint(re.findall(r"#[0-9a-f]{6}", dark))
        coloured = re.findall(r"(\.?\w+) \{[^}]*#[0-9a-f]{6}", light)
        assert coloured == re.findall(r"(\.?\w+) \{[^}]*#[0-9a-f]{6}", dark)
        shown = re.findall(r"!\[([^\]]+)\]\(%s\)" % re.escape(name), read_all(folder))
        assert shown and all(len(text) > 40 for text in shown), "%s has no description" % name


def read_all(folder):
    return "\n".join(guide.Chapter(folder, name).text for name in NAMES)


def test_what_is_named_in_the_sources_is_there():
    """Paths of the sources, such as tests/bench/README.md, in both languages."""
    tops = "|".join(("tests", "docs", "conf", "table", "milter", "tools"))
    for folder, name in ALL:
        text = "\n".join(guide.Chapter(folder, name).prose)
        for path in re.findall(r"`((?:%s)/[\w./-]+)`" % tops, text):
            assert os.path.exists(os.path.join(REPOSITORY, path)), "%s: %s" % (name, path)
