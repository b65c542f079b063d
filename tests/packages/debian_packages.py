"""The Debian package as `make deb` builds it, and others that are made from it."""

import os
import re
import shutil
import subprocess

from harness.installation import REPOSITORY

BUILD = os.path.abspath(os.environ.get("PEG_BUILD") or REPOSITORY + "/build")
FOLDER = os.path.join(BUILD, "packages")
MAKE_DEB = os.path.join(REPOSITORY, "packaging/make-deb")
NAME = "priority-email-gateway"
LOCALE = "C.UTF-8"


def run(*command, **options):
    """Run a program; returns CompletedProcess (text), and raises with all it said on failure."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    if done.returncode != 0:
        raise AssertionError(
            "%s: exit status %d\n%s%s" % (command, done.returncode, done.stdout, done.stderr)
        )
    return done


def find_deb(folder, suffix=""):
    """The package file in a folder; suffix is "-dbgsym" for that of the debug symbols."""
    pattern = re.compile(re.escape(NAME + suffix) + r"_[^_]*_[^_]*\.d?deb")
    (name,) = (name for name in os.listdir(folder) if pattern.fullmatch(name))
    return os.path.join(folder, name)


def build():
    """Build it as `make deb` does; returns the folder with all that came out."""
    out = os.path.join(FOLDER, "deb")
    run(MAKE_DEB, out)
    return out


def field(deb, name):
    """A field of its control file."""
    return run("dpkg-deb", "--field", deb, name).stdout.strip()


def unpack(deb, folder):
    """Unpack it, its control files into DEBIAN."""
    run("dpkg-deb", "--raw-extract", deb, folder)
    return folder


def variant(deb, out, version, change=None):
    """The same package with another version; change() may change files in the folder it gets."""
    folder = os.path.join(out, "variant")
    unpack(deb, folder)
    control = os.path.join(folder, "DEBIAN/control")
    with open(control) as file:
        text = file.read()
    with open(control, "w") as file:
        file.write(re.sub(r"(?m)^Version: .*", "Version: " + version, text))
    if change:
        change(folder)
    path = os.path.join(out, "%s_%s_variant.deb" % (NAME, version))
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, path)
    shutil.rmtree(folder)
    return path


def dependencies(deb):
    """The names of the packages that it depends on, the first of each alternative."""
    names = []
    for name in ("Pre-Depends", "Depends"):
        for words in field(deb, name).split(","):
            if words.strip():
                names.append(words.split("|")[0].split()[0].split(":")[0])
    return sorted(set(names))
