"""Fixtures of the tests of the packages.

built      the folder with the Debian package as `make deb` builds it, once a run
deb        that package
root       a Debian with a configured Postfix that runs, and room for the package
bare_root  the same, with no Postfix running
"""

import os
import shutil
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "gateway"))  # its harness sends mail

import debian_packages  # noqa: E402  (after the path is set)
import debian_root  # noqa: E402
from harness.namespaces import can_make_namespaces  # noqa: E402


def pytest_collection_modifyitems(items):
    if not shutil.which("dpkg-buildpackage"):
        why = pytest.mark.skip(reason="the Debian package is built on Debian and its kin")
    elif os.geteuid() != 0 or not can_make_namespaces():
        why = pytest.mark.skip(reason="needs root and namespaces")
    else:
        return
    for item in items:
        if item.path.name.startswith("test_debian_"):
            item.add_marker(why)


@pytest.fixture(scope="session")
def built():
    return debian_packages.build()


@pytest.fixture(scope="session")
def deb(built):
    return debian_packages.find_deb(built)


@pytest.fixture(scope="session", name="base")
def base_folder(deb):
    return debian_root.base(debian_packages.dependencies(deb) + ["nftables", "procps"])


@pytest.fixture
def bare_root(base, tmp_path):
    work = tmp_path / "machine"  # what else is in tmp_path can be seen from there
    work.mkdir()
    with debian_root.Root(base, work) as made:
        yield made


@pytest.fixture
def root(bare_root):
    bare_root.run("postfix", "start")
    return bare_root
