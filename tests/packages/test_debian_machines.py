"""The Debian package on machines that lack something: each time it is installed and removed all the
same, and says what it has left out and what to do.
"""

import os

import debian_packages
from debian_root import HERE, NAME, PACKAGE, PARTS
from harness.mail import Sender
from harness.namespaces import network_of

SYSTEM = "/etc/systemd/system"
TARGET = "priority-email-gateway.target"


def test_without_a_configured_postfix_it_says_what_to_do(bare_root, deb):
    main_cf = bare_root.read("/etc/postfix/main.cf")
    bare_root.run("rm", "/etc/postfix/main.cf")  # as "No configuration" leaves it
    said = bare_root.install(deb)
    assert "Postfix is not configured, so no gateway is set up" in said
    assert "then run: %s install" % PACKAGE in said
    assert not bare_root.exists("/etc/postfix-frontend")
    bare_root.write("/etc/postfix/main.cf", main_cf)
    bare_root.run("postfix", "start")
    bare_root.run(PACKAGE, "install")
    assert bare_root.runs() == set(PARTS)


def test_a_postfix_that_postfix_finds_fault_with_is_no_template(bare_root, deb):
    bare_root.run("postconf", "-e", "mail_owner=nosuchuser")
    said = bare_root.install(deb)
    assert "postfix check finds fault with /etc/postfix (the log" in said
    assert not bare_root.exists("/etc/postfix-frontend")
    assert bare_root.run("postconf", "-M", "smtp/inet").stdout != ""
    bare_root.remove()


def test_with_etc_read_only_nothing_fails(root, deb):
    root.unpack(deb)
    with root.read_only("/etc"):
        said = root.script("postinst", "configure", "")
        assert "/etc cannot be written: the users peg" in said
        assert "/etc cannot be written, so no gateway is set up" in said
    assert root.is_served(25)
    root.run("dpkg", "--configure", NAME)
    assert root.runs() == set(PARTS)
    with root.read_only("/etc"):
        root.script("postinst", "configure", "0.0.9")
        assert root.runs() == set(PARTS)
        said = root.script("prerm", "remove")
        assert "stays registered" in said and "does not have back" in said
    root.run(PACKAGE, "remove")
    assert root.registered() == set()
    root.wait_for(lambda: root.is_served(25))


def test_where_services_may_not_be_started_it_is_made_and_not_started(bare_root, deb):
    bare_root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    bare_root.run("chmod", "755", "/usr/sbin/policy-rc.d")
    said = bare_root.install(deb)
    assert "services may not be started here" in said and "peg-ctl start" in said
    assert bare_root.runs() == set() and bare_root.exists("/etc/postfix4/main.cf")
    bare_root.run("peg-ctl", "start")
    assert bare_root.runs() == set(PARTS)


def test_a_postfix_that_may_not_be_replaced_keeps_its_port(root, deb):
    root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    root.run("chmod", "755", "/usr/sbin/policy-rc.d")
    assert "so no gateway is set up" in root.install(deb)
    assert root.is_served(25) and not root.exists("/etc/postfix-frontend")


def test_what_cannot_be_made_leaves_the_machine_its_postfix(root, deb):
    root.run("mkdir", "/etc/postfix2")
    root.write("/etc/postfix2/others", "")
    before = root.read("/etc/postfix/master.cf")
    said = root.install(deb)
    assert "/etc/postfix2:" in said and "no gateway is set up, for what stands above" in said
    assert root.read("/etc/postfix/master.cf") == before
    root.wait_for(lambda: root.is_served(25))
    root.run("rm", "-r", "/etc/postfix2")
    root.run(PACKAGE, "install")
    assert root.runs() == set(PARTS)


def test_another_installation_is_named(bare_root, deb):
    bare_root.run("ln", "-s", "/usr/bin/false", "/usr/local/sbin/peg-gen")
    assert "there is another installation in /usr/local" in bare_root.install(deb)
    assert bare_root.run(PACKAGE, "instal", check=False).returncode == 2


def test_without_ipv6_mail_is_taken(root, deb):
    root.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
    root.install(deb)
    assert root.runs() == set(PARTS)
    with network_of(root.pid):
        with Sender("127.0.0.1", 25) as sender:
            assert sender.send(to=["bob@dest.example"]).accepted
    root.remove()


def test_with_systemd_its_units_come_and_go(root, deb, tmp_path):
    root.copy(os.path.join(HERE, "systemctl"), "/usr/bin/systemctl")
    root.run("mkdir", "-p", "/run/systemd/system")
    before = set(root.run("find", SYSTEM).stdout.split())
    root.install(deb)
    assert root.runs() == set(PARTS)
    wanted = root.run("ls", "%s/%s.wants" % (SYSTEM, TARGET)).stdout.split()
    assert wanted == ["peg-instance@%d.service" % n for n in range(5)]
    assert root.exists("%s/multi-user.target.wants/%s" % (SYSTEM, TARGET))
    assert root.run("readlink", SYSTEM + "/postfix@postfix-4.service").stdout == "/dev/null\n"
    log = root.read("/run/systemctl.log")
    assert "start peg-milter.service" in log and log.startswith("daemon-reload\n")

    root.install(debian_packages.variant(deb, str(tmp_path), "0.1.1"))
    assert root.runs() == set(PARTS)
    root.set_parameter("NICE_LEVEL_MILTER", "-1")
    root.run("peg-gen", "apply")
    assert root.exists(SYSTEM + "/peg-milter.service.d")
    root.remove()
    assert set(root.run("find", SYSTEM).stdout.split()) == before
    assert root.run("pgrep", "-a", "peg-|master", check=False).stdout.count("\n") == 1
