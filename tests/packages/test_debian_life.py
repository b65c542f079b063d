"""A gateway that comes, is changed and goes with the Debian package, in a root with real Postfix."""

import hashlib
import os

import debian_packages
import older_version
from debian_root import CONF, FOLDERS, PACKAGE, POSTFIXES
from harness.namespaces import network_of
from harness.smtp_client import SmtpClient


def greeting(root):
    """What a client sees at port 25."""
    with network_of(root.pid):
        with SmtpClient("127.0.0.1", 25) as client:
            return client.greeting.text


def test_a_machine_with_a_configured_postfix_gets_a_gateway_and_has_its_postfix_back(root, deb):
    before = root.postfix_files()
    assert "ESMTP Postfix" in greeting(root)
    said = root.install(deb)
    assert "the Postfix in /etc/postfix listens at smtp/inet no more" in said
    assert "the gateway runs" in said
    root.all_run()
    assert root.registered() == FOLDERS
    assert "ESMTP postfix-frontend" in greeting(root)
    assert root.run("postconf", "-M", "smtp/inet", check=False).stdout == ""
    root.check_mail_flow()

    said = root.remove()
    assert "the Postfix in /etc/postfix listens at smtp/inet again" in said
    assert root.postfix_files() == before
    assert root.registered() == set()
    root.wait_for(lambda: root.is_served(25))
    assert "ESMTP Postfix" in greeting(root)
    assert root.run("pgrep", "-a", "peg-|master", check=False).stdout.count("\n") == 1
    assert all(root.exists(folder) for folder in FOLDERS)

    root.purge()
    assert root.state() == ""
    for path in root.run("sh", "-c", "ls -d /etc/*postfix* /etc/*priority* /var/*/*postfix* "
                         "/var/*/*priority* /run/*priority* 2>/dev/null || :").stdout.split():
        assert os.path.basename(path) in ("postfix", "postfix.sh"), path
    users = root.read("/etc/passwd") + root.read("/etc/group")
    assert "riority" not in users and "peg" not in users and "postfix-" not in users
    assert root.postfix_files() == before


def test_an_upgrade_keeps_edits_and_restarts_what_has_changed(root, deb, tmp_path):
    def older_tcpmap(folder):
        with open(folder + "/usr/sbin/peg-tcpmap", "ab") as program:
            program.write(b"\0")  # it runs as before

    previous = debian_packages.variant(deb, str(tmp_path), "0.0.9", older_tcpmap)
    root.install(previous)
    before = root.all_run()
    edits = {CONF: "QUEUE_LIMIT_DEFAULT=7\n", "/etc/postfix4/main.cf": "smtp_helo_name = here.example\n"}
    root.append(edits)
    served = hashlib.sha256(root.read("/etc/postfix0/main.cf").encode()).hexdigest()

    root.install(deb)
    after = root.all_run()
    assert {name for name in after if after[name] != before[name]} == {"peg-tcpmap"}
    for path, line in edits.items():
        assert line in root.read(path)
    assert hashlib.sha256(root.read("/etc/postfix0/main.cf").encode()).hexdigest() == served
    assert "nothing to change" in root.run("peg-gen", "diff").stdout

    root.install(previous)  # and back
    assert {name for name, pid in root.all_run().items() if pid != after[name]} == {"peg-tcpmap"}
    for path, line in edits.items():
        assert line in root.read(path)


@older_version.needs_history("deb")
def test_an_older_version_is_taken_over_with_its_mail(root, deb):
    older = debian_packages.find_deb(older_version.build("deb"))
    older_version.check_upgrade(root, older, deb)


def test_a_configuration_with_an_error_stops_neither_upgrade_nor_removal(root, deb, tmp_path):
    root.install(deb)
    before = root.all_run()
    good = root.read(CONF)
    root.write(CONF, good + "PRIORITY_COUNT=none\n")
    newer = debian_packages.variant(deb, str(tmp_path), "0.1.1")
    said = root.install(newer)
    assert "the gateway goes on as it was" in said and PACKAGE + " upgrade" in said
    assert said.count(CONF + ":") >= 1
    root.write(CONF, good)
    assert root.all_run() == before

    root.write(CONF, good + "PRIORITY_COUNT=none\n")
    root.remove()
    assert root.run("pgrep", "-a", "peg-|master", check=False).stdout.count("\n") == 1
    assert root.registered() == set()
    root.wait_for(lambda: root.is_served(25))


def test_what_an_operator_has_changed_meanwhile_stays(root, deb):
    root.install(deb)
    root.run("sh", "-c", "echo '# a note' >>/etc/postfix/master.cf")
    root.run("postmulti", "-I", "postfix-own", "-e", "create")
    root.remove()
    files = root.postfix_files()
    assert files["master.cf"].endswith("# a note\nsmtp       inet  n       -       y       -       -  "
                                       "     smtpd\n")
    assert "multi_instance_wrapper" in files["main.cf"]
    assert "alternate_config_directories" not in files["main.cf"]
    assert root.registered() == {"/etc/postfix-own"}
    root.wait_for(lambda: root.is_served(25))


def test_mail_outlives_removal_and_purging(root, deb):
    root.install(deb)
    root.use_relay_host()
    tags = root.make_backlog()
    said = root.remove()
    assert said.count("mail (1) waits in /var/spool/postfix") == 2

    said = root.purge()
    for number in (0, 4):
        assert "/var/spool/postfix%d stays, since mail (1) waits in it" % number in said
        assert root.queued("postfix%d" % number) == 1
    assert not root.exists("/var/spool/postfix2") and not root.exists("/etc/postfix-frontend")
    assert root.run("id", "-un", "postfix4").stdout == "postfix4\n"

    root.install(deb)
    root.use_relay_host()
    with root.relay_host() as relay:
        root.flush("postfix0", "postfix4")
        relay.wait_for(2, timeout=60)
        assert {d.tag: d.instance for d in relay.deliveries} == tags
    root.make_backlog()
    root.purge("PEG_PURGE_MAIL=yes")
    assert not root.exists("/var/spool/postfix0") and not root.exists("/var/spool/postfix4")
    assert "postfix4" not in root.read("/etc/passwd")


def test_a_new_postfix_has_the_gateways_postfixes_restarted(root, deb):
    root.install(deb)
    before = root.all_run()
    master = "/usr/lib/postfix/sbin/master"
    root.run("sh", "-c", "cp -p $0 $0.new && printf '\\0' >>$0.new && mv $0.new $0", master)
    root.run("dpkg-trigger", "--by-package=postfix", master)
    root.run("dpkg", "--configure", "--pending")
    after = root.all_run()
    assert {name for name in after if after[name] != before[name]} == POSTFIXES
