"""The RPM packages as `make rpm` builds them, and small ones that stand for others."""

import functools
import os
import re
import shutil

import pytest

from debian_packages import FOLDER, NAME, run
from harness.installation import REPOSITORY

MAKE_RPM = os.path.join(REPOSITORY, "packaging/make-rpm")
SPEC = os.path.join(REPOSITORY, "rpm/%s.spec" % NAME)

needs_rpmbuild = pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is not here")


@functools.lru_cache(maxsize=None)
def build():
    """Build them as `make rpm` does, once a run; returns the folder with all that came out."""
    out = os.path.join(FOLDER, "rpm")
    home = os.path.join(FOLDER, "home")
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    run(MAKE_RPM, out, env=dict(os.environ, HOME=home))
    assert os.listdir(home) == []
    return out


def find(folder, source=False):
    """The package file in a folder: the binary one, or that of the sources."""
    names = [n for n in os.listdir(folder) if re.fullmatch(r"%s-\d[^-]*-[^-]*\.rpm" % NAME, n)]
    (name,) = (name for name in names if name.endswith(".src.rpm") == source)
    return os.path.join(folder, name)


def query(package, *arguments):
    """What rpm says of a package file, as lines."""
    words = ["rpm", "--dbpath", os.path.join(FOLDER, "rpmdb"), "-q", *arguments, "-p", package]
    return run(*words).stdout.splitlines()


def unpack(package, folder):
    """Unpack its files."""
    os.makedirs(folder)
    command = 'rpm2cpio "$0" | cpio --quiet -idm --no-absolute-filenames'
    run("sh", "-c", command, package, cwd=folder)
    return folder


def empty_package(out, name, version):
    """A package without files of that name and version; returns its file."""
    spec = os.path.join(out, "%s-%s.spec" % (name, version))
    with open(spec, "w") as file:
        file.write(
            "Name: %s\nEpoch: 2\nVersion: %s\nRelease: 1\nSummary: nothing\nLicense: ISC\n"
            "BuildArch: noarch\n%%description\nNothing.\n%%files\n" % (name, version)
        )
    folders = {"_topdir": out, "_tmppath": out, "_rpmdir": out}
    words = [word for item in folders.items() for word in ("--define", "%s %s" % item)]
    run("rpmbuild", "-bb", "--nodeps", *words, spec)
    return os.path.join(out, "noarch/%s-%s-1.noarch.rpm" % (name, version))
