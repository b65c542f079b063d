"""The Debian package where something is wrong: nobody is left without a Postfix that takes mail."""

import pytest

from debian_root import PACKAGE, PARTS

MASTER = "/etc/postfix/master.cf"


def test_damaged_instances_are_in_the_way_of_no_removal(root, deb):
    root.install(deb)
    root.run("sh", "-c", "echo 'no parameter' >>/etc/postfix2/main.cf; rm -r /etc/postfix3")
    root.remove()
    assert root.registered() == set()
    root.wait_for(lambda: root.is_served(25))
    root.run("postfix", "status")


def test_a_gateway_that_does_not_start_leaves_the_machine_its_postfix(root, deb):
    before = root.read(MASTER)
    root.unpack(deb)
    root.run("chmod", "-x", "/usr/sbin/peg-milter")
    said = root.run("dpkg", "--configure", "priority-email-gateway").stderr
    assert "the gateway does not start" in said and root.runs() == set()
    root.wait_for(lambda: root.is_served(25))
    assert root.read(MASTER) == before
    root.run("chmod", "+x", "/usr/sbin/peg-milter")
    root.run(PACKAGE, "install")
    assert root.runs() == set(PARTS)


@pytest.mark.parametrize(
    "entry",
    [
        "127.0.0.1:smtp inet n - y - - smtpd",
        "smtp inet n - y - - smtpd -o smtpd_client_restrictions=reject",
        "smtp inet n - y - 1 postscreen",
    ],
)
def test_what_a_frontend_would_not_have_is_not_taken(root, deb, entry):
    root.run("postconf", "-MX", "smtp/inet")
    root.run("postconf", "-Me", "%s/inet=%s" % (entry.split()[0], entry))
    before = root.read(MASTER)
    said = root.install(deb)
    assert "a frontend would not have that" in said and "no gateway is set up" in said
    assert root.read(MASTER) == before and root.runs() == set()


def test_what_was_removed_by_hand_does_not_come_back_by_itself(root, deb):
    root.install(deb)
    root.run(PACKAGE, "remove")
    assert "was removed by hand" in root.script("postinst", "triggered", "master")
    assert root.runs() == set()
    root.wait_for(lambda: root.is_served(25))
    root.run(PACKAGE, "install")
    assert root.runs() == set(PARTS)
    root.remove()
    root.install(deb)
    assert root.runs() == set(PARTS)
