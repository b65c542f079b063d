"""What the Debian package is: its files, its form, and that anybody who builds it gets the same bytes."""

import os
import re
import stat

import pytest

import debian_packages
import hardening
import same_bytes
from debian_packages import NAME, REPOSITORY, field, run

LINTIAN = ["lintian", "--info", "--display-info", "--pedantic", "--allow-root"]


@pytest.fixture(scope="module", name="files")
def unpacked(deb, tmp_path_factory):
    return debian_packages.unpack(deb, str(tmp_path_factory.mktemp("deb") / "files"))


def programs():
    with open(os.path.join(REPOSITORY, "Makefile")) as makefile:
        words = re.search(r"(?m)^PROGRAMS := ((?:.*\\\n)*.*)", makefile.read()).group(1)
    return {word.split("/")[1] for word in words.split() if "/" in word}


def test_its_files_are_where_debian_has_them(files):
    links = {"update-priority-email-gateway", "priority-email-gateway-showQueues"}
    assert set(os.listdir(files + "/usr/sbin")) == programs() | links
    units = files + "/lib/systemd/system"
    if not os.path.isdir(units):
        units = files + "/usr/lib/systemd/system"
    assert set(os.listdir(units)) == set(os.listdir(REPOSITORY + "/conf/systemd"))
    for name in os.listdir(units):
        with open(os.path.join(units, name)) as unit:
            text = unit.read()
        assert "@sbindir@" not in text and "/usr/local" not in text
    for kind in ("sysusers.d", "tmpfiles.d"):
        assert os.listdir("%s/usr/lib/%s" % (files, kind)) == [NAME + ".conf"]
    pages = [page for _, _, names in os.walk(files + "/usr/share/man") for page in names]
    assert sorted(page[:-3] for page in pages) == sorted(os.listdir(REPOSITORY + "/man"))
    assert os.listdir(files + "/usr/share/zsh/vendor-completions") == ["_" + NAME]
    scripts = files + "/usr/lib/priority-email-gateway"
    modes = {name: stat.S_IMODE(os.stat(scripts + "/" + name).st_mode) for name in os.listdir(scripts)}
    assert modes == {"package": 0o755, "purge.sh": 0o644, "template.sh": 0o644}


def test_the_operators_files_are_conffiles(files):
    with open(files + "/DEBIAN/conffiles") as conffiles:
        listed = conffiles.read().split()
    assert listed == ["/etc/%s.conf" % NAME, "/etc/%s.rules" % NAME]


def test_postrm_has_the_whole_of_what_purges(files):
    with open(files + "/DEBIAN/postrm") as postrm, open(REPOSITORY + "/packaging/purge.sh") as purge:
        assert purge.read() in postrm.read()


def test_what_it_depends_on_is_named(deb):
    names = {re.sub("t64$", "", name) for name in debian_packages.dependencies(deb)}
    assert {"postfix", "passwd", "libmilter1.0.1", "libsnmp40"} <= names
    assert not {"snmpd", "nftables", "systemd"} & names


def test_programs_are_hardened(files):
    for name in programs():
        hardening.check(files + "/usr/sbin/" + name)


def test_lintian_finds_nothing(built):
    (changes,) = (name for name in os.listdir(built) if name.endswith(".changes"))
    said = run(*LINTIAN, "--fail-on", "none", os.path.join(built, changes)).stdout
    print(said)  # the pedantic ones are shown
    with open(os.path.join(built, "lintian.txt"), "w") as file:
        file.write(said)
    assert not re.findall(r"(?m)^[EW]: .*", said)


def test_two_builds_have_the_same_bytes(built, tmp_path):
    other = same_bytes.build_elsewhere(debian_packages.MAKE_DEB, "deb")
    for suffix in ("", "-dbgsym"):
        pair = [debian_packages.find_deb(folder, suffix) for folder in (built, other)]
        same_bytes.check(pair, debian_packages.unpack, str(tmp_path))


def test_nothing_is_left_among_the_sources(built):
    assert field(debian_packages.find_deb(built), "Package") == NAME
    left = re.compile(r"files|debhelper.*|priority-email-gateway(\.postrm|\.substvars)?|.*\.log")
    assert [name for name in os.listdir(REPOSITORY + "/debian") if left.fullmatch(name)] == []
