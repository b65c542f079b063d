"""Whether whoever builds a package gets the same bytes."""

import os

import pytest

from debian_packages import FOLDER, LOCALE, run


def build_elsewhere(make, name):
    """Build as somebody else would: in another place, at another time, with other habits; returns
    the folder with all that came out.
    """
    out = os.path.join(FOLDER, "elsewhere", "in-a-longer-name-" + name)
    environment = dict(os.environ, LC_ALL=LOCALE, LANG=LOCALE, TZ="Pacific/Chatham", HOME="/nonexistent")
    run("faketime", "-f", "+400d", "sh", "-c", 'umask 077 && exec "$0" "$1"', make, out, env=environment)
    return out


def check(pair, unpack, scratch):
    """Fail with what differs between two package files; unpack(file, folder) is for that."""
    contents = [open(path, "rb").read() for path in pair]
    if contents[0] == contents[1]:
        return
    for number, path in enumerate(pair):
        unpack(path, os.path.join(scratch, str(number)))
    pytest.fail("%s and %s differ\n%s" % (*pair, run("sh", "-c", "diff -r 0 1 || :", cwd=scratch).stdout))
