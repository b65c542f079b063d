"""The manual pages say what the programs and their sources say, no less and no more.

No gateway runs here: the programs are asked for their help, and for what a parameter has to be.
"""

import os
import re
import shutil
import subprocess

import pytest

from harness.installation import REPOSITORY
from harness.programs import commands_in, links, names_in, options_in, programs, read, run, usage

FOLDER = os.path.join(REPOSITORY, "man")
NAMES = sorted(os.listdir(FOLDER))
LINKS = {
    "update-priority-email-gateway.8": "peg-gen.8",
    "priority-email-gateway-showQueues.1": "peg-showqueues.1",
}
PAGES = [name for name in NAMES if name not in LINKS]
PROGRAMS = {name[:-2]: name for name in PAGES if name.startswith("peg-") and name[-1] in "18"}
PAPER_WIDTH = 1000  # hardly a paragraph takes two lines
USUAL_SECTIONS = ["NAME", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"]
HELD_BACK = ("referenced manual not found", "outdated mandoc.db")  # what this machine has

needs_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not here")


def page(name):
    return read("man", name)


def mandoc(name, *options):
    words = ["mandoc", *options, os.path.join(FOLDER, name)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode()


def shown(name):
    """A page as it is read, without bold and underlined letters, lines as long as may be."""
    text = mandoc(name, "-Tutf8", "-O", "width=%d" % PAPER_WIDTH)
    text = re.sub(".\b", "", text).replace("\u2018", "'").replace("\u2019", "'")
    return re.sub(r"(?<=\S) {2,}", " ", text)


def section(text, title):
    found = re.search(r"^\.Sh %s\n(.*?)(?=^\.Sh |\Z)" % title, text, re.M | re.S)
    assert found, title
    return found.group(1)


def items(text, macro):
    """What stands in the heads of a list's items, such as `.It Va received , left`."""
    heads = re.findall(r"^\.It %s (.*)$" % macro, text, re.M)
    return [w for head in heads for w in re.split(r"[\s,]+", head) if w and w != macro]


# Form


@needs_mandoc
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_clean(name):
    said = mandoc(name, "-Tlint", "-W", "style").splitlines()
    assert [line for line in said if not any(words in line for words in HELD_BACK)] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_sections_in_the_usual_order(name):
    stem, number = name.rsplit(".", 1)
    text = page(name)
    assert ".Dt %s %s\n" % (stem.upper(), number) in text
    assert "\n.Nm %s\n" % stem in text
    is_program = PROGRAMS.get(stem) == name
    wanted = USUAL_SECTIONS + (["SYNOPSIS", "EXIT STATUS"] if is_program else [])
    assert set(wanted) <= set(re.findall(r"^\.Sh (.+)$", text, re.M))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_refers_to_pages_that_exist(name):
    for line in re.findall(r"^(?:\.|.* )Xr (.+)$", page(name), re.M):
        references = re.findall(r"([\w.-]+) (\d)\b", line)
        assert len(references) == 1, line  # a second one would be shown as text
        for stem, number in references:
            if stem.startswith(("peg-", "priority-email")):
                assert "%s.%s" % (stem, number) in NAMES


def test_every_program_has_a_page_and_every_page_a_program():
    assert programs() == sorted(PROGRAMS)


def test_the_names_of_the_original_lead_to_our_pages():
    assert {name.rsplit(".", 1)[0] for name in LINKS} == set(links())
    for old, program in links().items():
        target = PROGRAMS[program]
        assert LINKS["%s.%s" % (old, target[-1])] == target
        assert page("%s.%s" % (old, target[-1])) == ".so man%s/%s\n" % (target[-1], target)


# Programs


@needs_mandoc
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_synopsis_is_that_of_the_help(program):
    lines = usage(program).split("\n")
    said = re.match(r"(?:(?:Usage:| {6}).*\n)+", "\n".join(lines)).group(0)
    text = re.search(r"^SYNOPSIS\n(.*?)^DESCRIPTION", shown(PROGRAMS[program]), re.M | re.S)
    assert text.group(1).split() == said.replace("Usage:", "").split()


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_options_are_those_of_the_help(program):
    text = page(PROGRAMS[program])
    known = options_in(usage(program))
    assert {"-" + name for name in names_in(text, r"\bFl (-?[a-z][a-z-]*)")} == known
    heads = "\n".join(re.findall(r"^\.It (Fl .*)$", text, re.M))
    assert {"-" + name for name in names_in(heads, r"\bFl (-?[a-z][a-z-]*)")} == known


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_commands_are_those_of_the_help(program):
    known = commands_in(usage(program))
    text = section(page(PROGRAMS[program]), "DESCRIPTION")
    given = set(items(text, "Cm")) - {"plain", "filter", "respell"}
    if program == "peg-ctl":
        parts = {"milter", "tcpmap", "monitor", "frontend", "urgent"}
        assert all(re.search(r"NAME .*\b%s\b" % part, usage(program)) for part in parts)
        given -= parts
    assert given == known


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_exit_statuses_are_those_of_the_source(program):
    known = {0, 1, 2}
    if program == "peg-showqueues":
        options = read("showqueues/show_options.h")
        known |= {int(re.search(r"SHOW_UNKNOWN = (\d)", options).group(1))}
    if program == "peg-bounce":
        known |= {getattr(os, name) for name in names_in(read("bounce/event.c"), r"\bEX_[A-Z]+")}
    text = section(page(PROGRAMS[program]), "EXIT STATUS")
    assert {int(number) for number in re.findall(r"^\.It (\d+)$", text, re.M)} == known
    assert run(program, "--no-such-option").returncode == 2
    assert run(program, "--root", "/nonexistent").returncode == 1


def test_the_environment_that_is_read_is_told():
    told = {name for path in PAGES for name in items(page(path), "Ev")}
    told |= names_in(page("peg-bounce.8"), r"\b(?:SENDER|CLIENT_[A-Z]+)\b")
    sources = [
        read(folder, name)
        for folder in re.search(r"^ROOMS +:= ((?:.*\\\n)*.*)", read("Makefile"), re.M)
        .group(1).replace("\\", " ").split()
        for name in os.listdir(os.path.join(REPOSITORY, folder))
        if name.endswith(".c")
    ]
    used = names_in("\n".join(sources), r'getenv\("(\w+)"\)')
    assert "NO_COLOR" in used and "MAIL_CONFIG" in told and used <= told


def test_the_facts_of_a_bounce_are_told():
    facts = names_in(read("lib/command.c"), r'"(PEG_BOUNCE_\w+)"')
    assert len(facts) == 7
    assert names_in(section(page("peg-bounce.8"), "ENVIRONMENT"), r"It Ev (PEG_\w+)") == facts
    for name in PAGES:
        assert names_in(page(name), r"\bPEG_BOUNCE_\w+") <= facts
    assert names_in(page("priority-email-gateway.conf.5"), r"Ev (PEG_\w+)") == facts


def test_what_peg_decisions_prints_is_told():
    table = re.search(r"names\[TABLE_COUNTERS\] = \{(.*?)\};", read("table/table.c"), re.S).group(1)
    printed = names_in(read("keeper/decisions.c"), r'print_value\("(\w+)"')
    printed |= names_in(table, r'"(\w+)"')
    assert len(printed) > 12
    assert set(items(page("peg-decisions.8"), "Va")) == printed


# Files


def parameters():
    """{name: (default or None, how the name goes on)} of the source's table."""
    texts = dict(re.findall(r'#define (SETTINGS_\w+) "([^"]*)"', read("lib/settings.h")))
    rows = re.findall(
        r'\{"([A-Z_]+)", KIND_\w+, [^,]+, [^,]+, ((?:"[^"]*"|NULL|[A-Z_ ]+)+),\s+SUFFIX_(\w+),',
        read("lib/settings_table.c"),
    )
    assert len(rows) == int(
        re.search(r"SETTINGS_PARAMETER_COUNT = (\d+)", read("lib/settings_table.h")).group(1)
    )
    found = {}
    for name, default, suffix in rows:
        for macro, text in texts.items():
            default = default.replace(macro + " ", '"%s"' % text)
        found[name] = (None if default == "NULL" else default.replace('"', ""), suffix)
    return found


def needed(tmp_path):
    """{parameter: what a right value is}, as a program says it of a wrong one."""
    lines = [
        "%s%s=%%\n" % (name, {"ALL": "_DEFAULT", "INDEX": "[0]"}.get(suffix, ""))
        for name, (_, suffix) in parameters().items()
    ]
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/priority-email-gateway.conf").write_text("".join(lines))
    said = run("peg-explain", "--root", str(tmp_path), "a@x.example").stderr
    found = re.findall(r"\d: ([A-Z_]+?)(?:_DEFAULT|\[0\])? = \"%\": (.*?),? is needed$", said, re.M)
    told = {name: re.sub(r", such as .*", "", text) for name, text in found}
    source = read("lib/settings_table.c")
    command = re.search(r'KIND_COMMAND:.*?NEEDED_SIZE, "(.*?)"\);', source, re.S)
    assert "BOUNCE_COMMAND" not in told  # `%` is a command
    return dict(told, BOUNCE_COMMAND=command.group(1).replace('\\"', '"'))


def described():
    """{parameter: its text} of the page."""
    text = shown("priority-email-gateway.conf.5")
    body = re.search(r"^PARAMETERS\n(.*?)^FILES", text, re.M | re.S).group(1)
    found = re.findall(r"^ {5}([A-Z]{2}[A-Z_]*)(?:\[n\])?\n((?: {6,}.*\n|\n)+)", body, re.M)
    return {name: " ".join(paragraph.split()) for name, paragraph in found}


@needs_mandoc
def test_the_page_of_the_configuration_has_every_parameter_and_no_other():
    assert set(described()) == set(parameters())
    text = page("priority-email-gateway.conf.5")
    own = section(text, "PARAMETERS OF EACH POSTFIX")
    with_suffix = {n for n, (_, suffix) in parameters().items() if suffix == "ALL"}
    assert set(items(own, "Va")) == with_suffix
    assert "INSTANCE_NEXTHOP[n]" in items(text, "Va")
    for old in re.findall(r'\{"(\w+_QPSMTPD)", "(\w+)"\}', read("lib/settings_table.c")):
        assert old[0] + " is another name of it" in described()[old[1]]


@needs_mandoc
def test_a_parameter_has_the_type_range_and_default_of_the_source(tmp_path):
    types, pages = needed(tmp_path), described()
    assert set(types) == set(pages)
    for name, (default, _) in parameters().items():
        start = types[name][0].upper() + types[name][1:] + ". Default: "
        if default is not None:
            start += (default or '""') + ". "
        assert (name, pages[name][: len(start)]) == (name, start)


@needs_mandoc
def test_a_parameter_that_takes_a_restart_says_of_what():
    source = read("lib/startup_restart.c")
    rows = dict(re.findall(r'\{"([A-Z_]+)", ([A-Z |]+), print_', source))
    names = dict((bit, name) for name, bit in re.findall(r'\{"(peg-\w+)", ([A-Z]+)\}', source))
    assert len(rows) > 5
    for name, text in described().items():
        said = re.search(r"A change restarts ([^.]*)\.", text)
        told = names_in(said.group(1), r"peg-\w+") if said else set()
        assert (name, told) == (name, {names[b] for b in rows.get(name, "").split(" | ") if b})


def test_pages_name_no_parameter_that_does_not_exist():
    known = set(parameters()) | {"NICE_LEVEL_QPSMTPD", "LIMIT_CONNECTIONS_QPSMTPD"}
    known |= {"%s_%s" % (n, s) for n in parameters() for s in ("FRONTEND", "URGENT", "DEFAULT")}
    for name in PAGES:
        for line in re.findall(r"\bVa (.*)$", page(name), re.M):
            for word in re.findall(r"\b[A-Z]{2,}_?[A-Z_]+\b", line):
                assert word in known, name


def test_the_words_of_a_rule_are_those_of_the_source():
    source, text = read("milter/rules_parse.c"), page("priority-email-gateway.rules.5")
    table = re.search(r"macros_known\[\] = \{(.*?)\};", source, re.S).group(1)
    macros = names_in(table, r'"(\{\w+\})"') | {"{rcpt_addr}"}
    assert "RULES_RECIPIENT_MACRO" in table
    assert names_in(text, r"\{[a-z_]+\}") == macros
    flags = re.search(r"read_flags\(.*?^}", source, re.M | re.S).group(0)
    recipients = re.search(r"names\[\] = \{(.*?)\};", source).group(1)
    words = names_in(flags, r"case '(\w)'") | names_in(recipients, r'"(\w+)"')
    assert set(items(text, "Cm")) == words and len(words) == 6
    largest = re.search(r"RULES_FILE_MAX = (\d+) \* 1024 \* 1024", source).group(1)
    assert "of at most %s MiB" % largest in text


def test_the_keys_of_the_json_are_told():
    keys = names_in(read("survey/survey_json.h"), r'"([a-z_]+)":')
    for header in ("destinations_print.h", "destinations_list.h"):
        keys |= names_in(read("showqueues", header), r'"([a-z_]+)":')
    text = page("peg-monitor.5")
    told = set(re.split(r"[\s,]+", " ".join(re.findall(r"\bVa ([a-z_ ,]+)", text)))) - {"", "and"}
    assert told == keys


def test_the_paths_of_the_gateway_are_told():
    paths = set()
    header = re.sub(r"#define SETTINGS_MILTER_SOCKET.*", "", read("lib/settings.h"))
    texts = {}
    for name, value in re.findall(r'#define (SETTINGS_\w+) ((?:SETTINGS_\w+ )?"/[^"]*")', header):
        for macro, text in texts.items():
            value = value.replace(macro + " ", text)
        texts[name] = value.replace('"', "")
        paths.add(texts[name])
    told = section(page("priority-email-gateway.7"), "FILES")
    parents = {"/var/spool/postfix-frontend", "/var/lib/postfix-frontend"}  # told in words
    missing = [path for path in paths - parents if not re.search(re.escape(path) + r"\b", told)]
    assert len(paths) > 10 and missing == []
