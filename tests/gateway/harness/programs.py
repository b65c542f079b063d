"""The programs as they were built, and what their help says; no gateway runs for it."""

import os
import re
import subprocess

from .installation import REPOSITORY

BUILD = os.path.abspath(os.environ.get("PEG_BUILD") or os.path.join(REPOSITORY, "build"))


def read(*path):
    """The text of a file of the repository."""
    with open(os.path.join(REPOSITORY, *path), encoding="utf-8") as file:
        return file.read()


def names_in(text, pattern):
    return set(re.findall(pattern, text))


def programs():
    """The names of all programs, as the Makefile has them."""
    listed = re.search(r"^PROGRAMS := (.*?[^\\])\n", read("Makefile"), re.M | re.S).group(1)
    return sorted(word.split("/")[1] for word in listed.split() if word != "\\")


def links():
    """{a name that the original's command had: our program}."""
    words = re.search(r"^LINKS +:= (.+)$", read("Makefile"), re.M).group(1).split()
    return dict(word.split(":") for word in words)


def run(program, *arguments):
    return subprocess.run(
        [os.path.join(BUILD, program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
        check=False,
    )


def usage(program):
    """The text of --help."""
    done = run(program, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def options_in(text):
    """The options that a text of --help names: {"-f", "--root"}."""
    return names_in(text, r"(?<![\w-])(--?[a-z][a-z-]*)")


def commands_in(text):
    """The commands that a text of --help explains."""
    return names_in(text, r"(?m)^  ([a-z][a-z-]*)  +\S")
