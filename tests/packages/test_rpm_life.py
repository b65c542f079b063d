"""A gateway that comes, is changed and goes with the RPM package, in a root with real Postfix."""

import os
import shutil

import pytest

import older_version
import rpm_packages
import rpm_root
from debian_root import CONF, FOLDERS, PACKAGE, PARTS, POSTFIXES
from harness.namespaces import can_make_namespaces
from rpm_packages import needs_rpmbuild

pytestmark = [
    needs_rpmbuild,
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not here"),
    pytest.mark.skipif(
        os.geteuid() != 0 or not can_make_namespaces(), reason="needs root and namespaces"
    ),
]


@pytest.fixture(scope="module", name="package")
def binary_package():
    return rpm_packages.find(rpm_packages.build())


@pytest.fixture(name="root")
def root_with_postfix(tmp_path):
    with rpm_root.RpmRoot(rpm_root.base(), tmp_path) as made:
        made.run("postfix", "start")
        yield made


def processes(root):
    """How many processes of ours and of Postfix run."""
    return root.run("pgrep", "-c", "peg-|master", check=False).stdout.strip()


def traces(root):
    """Files and users of the gateway."""
    patterns = "/etc/postfix?* /etc/*priority* /var/*/*priority* /var/*/postfix?*"
    found = root.run("sh", "-c", "ls -d %s 2>/dev/null || :" % patterns).stdout.split()
    users = [line.split(":")[0] for line in root.read("/etc/passwd").splitlines()]
    return found + [name for name in users if name.startswith(("peg", "postfix-", "bouncecommand"))]


def test_a_machine_with_a_configured_postfix_gets_a_gateway_and_has_its_postfix_back(root, package):
    before = root.postfix_files()
    said = root.install(package)
    assert "the gateway runs" in said, said
    root.all_run()
    assert root.registered() == FOLDERS
    root.check_mail_flow()

    root.remove()
    assert root.postfix_files() == before
    assert root.registered() == set() and processes(root) == "1"
    root.wait_for(lambda: root.is_served(25))
    assert not root.exists("/usr/sbin/peg-gen") and not root.exists(PACKAGE)
    assert root.exists("/etc/postfix4") and root.exists("/var/spool/postfix4")


def test_where_no_systemd_runs_it_is_made_and_not_started(root, package):
    root.run("postfix", "stop")
    said = root.install(package, environment=())
    assert "is set up, and not started" in said and "peg-ctl start" in said, said
    assert root.registered() == FOLDERS and processes(root) == "0"
    root.remove()


def test_an_upgrade_keeps_edits_and_restarts_nothing_that_is_the_same(root, package):
    root.install(package)
    before = root.all_run()
    edits = {CONF: "QUEUE_LIMIT_DEFAULT=7\n", "/etc/postfix4/main.cf": "smtp_helo_name = a.example\n"}
    root.append(edits)
    root.install(package)
    assert root.all_run() == before
    for path, line in edits.items():
        assert line in root.read(path)
    assert root.registered() == FOLDERS


@older_version.needs_history("rpm")
def test_an_older_version_is_taken_over_with_its_mail(root, package):
    older = rpm_packages.find(older_version.build("rpm"))
    older_version.check_upgrade(root, older, package)


def test_what_was_removed_comes_back_as_it_was(root, package):
    root.install(package)
    root.set_parameter("PRIORITY_COUNT", "6")
    edited = root.read(CONF)
    root.remove()
    assert root.read(CONF + ".rpmsave") == edited
    said = root.install(package)
    assert "%s is again what it was" % CONF in said, said
    assert root.read(CONF) == edited and not root.exists(CONF + ".rpmsave")
    assert root.exists(CONF + ".rpmnew")
    assert {name for name, pid in root.status().items() if pid} == set(PARTS) | {"postfix5"}


def test_purging_leaves_nothing(root, package):
    before = traces(root)
    root.install(package)
    root.set_parameter("PRIORITY_COUNT", "6")
    assert traces(root) != before
    root.remove("PEG_PURGE=yes")
    assert traces(root) == before


def test_a_new_postfix_has_the_gateways_postfixes_restarted(root, package, tmp_path_factory):
    out = str(tmp_path_factory.mktemp("postfix"))
    for version in ("3.6", "3.7"):  # stand for Postfix in rpm's eyes
        root.install(rpm_packages.empty_package(out, "postfix", version))
        if version == "3.6":
            root.install(package)
            before = root.all_run()
            master = root.run("postconf", "-h", "daemon_directory").stdout.strip() + "/master"
            root.run("sh", "-c", "cp -p $0 $0.new && printf '\\0' >>$0.new && mv $0.new $0", master)
    after = root.all_run()
    assert {name for name in after if after[name] != before[name]} == POSTFIXES
