"""What the RPM packages are: their files, their scripts, and that anybody who builds them gets the
same bytes.
"""

import os
import re
import shutil

import pytest

import hardening
import rpm_packages
import same_bytes
from debian_packages import NAME, REPOSITORY, run
from harness.programs import links, programs, read
from rpm_packages import SPEC, needs_rpmbuild, query

pytestmark = needs_rpmbuild

TARGET = NAME + ".target"
LIFECYCLE = "/usr/lib/%s/package" % NAME


@pytest.fixture(scope="module", name="package")
def binary_package():
    return rpm_packages.find(rpm_packages.build())


@pytest.fixture(scope="module", name="files")
def listed_files(package):
    """{path: (mode, owner and group, flags of rpm's)}"""
    owner = "%{FILEUSERNAME}:%{FILEGROUPNAME}"
    form = r"[%{FILENAMES}|%{FILEMODES:octal}|" + owner + r"|%{FILEFLAGS:fflags}\n]"
    rows = (line.split("|") for line in query(package, "--queryformat", form))
    return {path: (int(mode, 8) & 0o7777, owner, flags) for path, mode, owner, flags in rows}


def sources(*path):
    """The names in a folder of the repository."""
    return set(os.listdir(os.path.join(REPOSITORY, *path)))


def under(files, folder):
    return {path[len(folder) + 1 :] for path in files if path.startswith(folder + "/")}


def values(tag):
    """The words of all lines of the spec with that tag."""
    return re.findall(r"(?m)^%s: +(.*)$" % re.escape(tag), read(SPEC))


def test_its_version_is_that_of_the_programs(package):
    version = re.search(r'PEG_VERSION "(.*)"', read("lib/options.h")).group(1)
    assert query(package, "--queryformat", "%{VERSION}") == [version]


def test_its_files_are_where_fedora_has_them(files):
    commands = set(programs()) | set(links())
    assert under(files, "/usr/sbin") | under(files, "/usr/bin") == commands
    assert under(files, "/usr/lib/systemd/system") == sources("conf/systemd")
    for kind in ("sysusers.d", "tmpfiles.d"):
        assert under(files, "/usr/lib/" + kind) == {NAME + ".conf"}
    pages = {re.sub(r"\.gz$", "", os.path.basename(path)) for path in under(files, "/usr/share/man")}
    assert pages == sources("man")
    assert under(files, "/usr/share/bash-completion/completions") == commands
    assert under(files, "/usr/share/zsh/site-functions") == {"_" + NAME}
    assert any(re.match("/usr/share/licenses/.*/LICENSE$", path) for path in files)
    assert {"README.md", "CHANGELOG.md"} <= under(files, "/usr/share/doc/" + NAME)
    assert not any("/usr/local" in path for path in files)


def test_all_is_roots_and_nothing_is_written_by_others(files):
    for path, (mode, owner, _) in files.items():
        assert owner == "root:root", path
        assert mode & 0o7022 == 0 or mode == 0o777, path  # links have that
    assert files[LIFECYCLE][0] == 0o755 and files["/usr/sbin/peg-gen"][0] == 0o755


def test_the_operators_files_are_kept_as_they_are(files):
    flagged = {path: flags for path, (_, _, flags) in files.items() if "c" in flags}
    assert flagged == {"/etc/%s.conf" % NAME: "cn", "/etc/%s.rules" % NAME: "cn"}


def test_what_it_needs_is_named(package):
    needed = query(package, "--requires")
    names = {line.split("(")[0].split()[0] for line in needed}
    assert "postfix >= 2:3.1" in needed
    assert {"libmilter.so.1.0", "libmilter.so.1.0.1"} & names
    assert {"libcdb.so.1", "libnetsnmp.so.40", "libsystemd.so.0"} <= names
    used = set("coreutils diffutils findutils grep sed shadow-utils".split())
    assert used <= names  # those of packaging/package, as its head says
    assert not {"systemd", "net-snmp", "nftables", "tinycdb"} & names
    assert set(query(package, "--suggests")) == {"net-snmp", "nftables", "tinycdb"}


def test_it_is_built_with_what_install_packages_installs():
    script = read("tools/install-packages")
    listed = re.search(r"(?m)^dnf_build='([^']*)'", script).group(1).split()
    wanted = set(listed) - {"glibc-devel"} | {"systemd-rpm-macros", "libcmocka-devel"}
    assert set(values("BuildRequires")) == wanted


def scripts(package):
    """{name of a script: its text}"""
    tags = ["PREIN", "POSTIN", "PREUN", "POSTUN", "PRETRANS", "POSTTRANS", "TRIGGERSCRIPTS"]
    found = {tag: "\n".join(query(package, "--queryformat", "%{" + tag + "}")) for tag in tags}
    return {tag: text for tag, text in found.items() if text != "(none)"}


def test_its_scripts_have_the_lifecycle_done(package):
    found = scripts(package)
    assert set(found) == {"POSTIN", "PREUN", "POSTUN", "TRIGGERSCRIPTS"}
    done = {tag: re.findall(r"(?m)^\s*%s (\w+)$" % LIFECYCLE, text) for tag, text in found.items()}
    assert done == {
        "POSTIN": ["install", "upgrade"],
        "PREUN": ["purge", "remove"],
        "POSTUN": [],
        "TRIGGERSCRIPTS": ["upgrade"],
    }
    assert query(package, "--queryformat", "%{TRIGGERNAME} %{TRIGGERTYPE}") == ["postfix postun"]


def test_its_scripts_are_good_shell(package, tmp_path):
    for tag, text in scripts(package).items():
        path = tmp_path / tag
        path.write_text("#!/bin/sh\n" + text + "\n")
        run("sh", "-n", path)
        assert "%{" not in text and "%systemd" not in text, tag


def test_the_macros_of_the_distribution_are_used():
    text = read(SPEC)
    for when in ("post", "preun", "postun"):
        script = re.search(r"(?ms)^%%%s\n(.*?)\n\n" % when, text).group(1)
        assert "%%systemd_%s %%{name}.target" % when in script.splitlines()
    ours = set(re.findall(r"(?m)^%(\w+)", read("rpm/macros")))
    for name in re.findall(r"%\{?(_\w*dir|systemd_\w+)", text):
        known = run("rpm", "--eval", "%%{?%s:yes}" % name).stdout.strip() == "yes"
        assert known or name in ours or name == "systemd_ordering", name


def test_programs_are_hardened(package, tmp_path):
    folder = rpm_packages.unpack(package, str(tmp_path / "files"))
    for name in programs():
        (path,) = (p for p in ("/usr/sbin/", "/usr/bin/") if os.path.exists(folder + p + name))
        hardening.check(folder + path + name)


def test_rpmlint_finds_nothing(package):
    source = rpm_packages.find(os.path.dirname(package), source=True)
    config = os.path.join(REPOSITORY, "rpm/rpmlint.toml")
    said = run("rpmlint", "-c", config, package, source, SPEC).stdout
    assert re.search(r"packages and \d specfiles checked; 0 errors, 0 warnings", said), said


def test_the_policy_module_is_compiled_by_the_commands_of_its_document(package, tmp_path):
    folder = rpm_packages.unpack(package, str(tmp_path / "files")) + "/usr/share/doc/" + NAME
    with open(folder + "/selinux.md") as document:
        commands = re.findall(r"(?m)^    ((?:checkmodule|semodule_package) .*)$", document.read())
    assert len(commands) == 2
    run("sh", "-ec", "\n".join(commands), cwd=folder)
    assert os.path.getsize(folder + "/peg.pp") > 1000


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not here")
def test_two_builds_have_the_same_bytes(package, tmp_path):
    other = same_bytes.build_elsewhere(rpm_packages.MAKE_RPM, "rpm")
    same_bytes.check([package, rpm_packages.find(other)], rpm_packages.unpack, str(tmp_path))


def test_nothing_but_packages_is_left(package):
    names = os.listdir(os.path.dirname(package))
    assert {name.rsplit(".", 1)[-1] for name in names} == {"log", "rpm"} and len(names) >= 3
