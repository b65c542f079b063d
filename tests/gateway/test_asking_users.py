"""On a machine's own paths, with users of all kinds: who sees the queues, and as what."""

import json
import os
import re

import pytest

from harness.namespaces import can_make_namespaces
from test_system_users import Site

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not can_make_namespaces(), reason="needs namespaces"
)

GROUP = "peg-monitor"
OTHER_GROUP = "operators"
USERS = {"zabbix": GROUP, "nightwatch": OTHER_GROUP, "visitor": None}


@pytest.fixture(name="site", scope="module")
def site_with_users(tmp_path_factory):
    """All runs, and each Postfix has a message that stays."""
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        for group in (GROUP, OTHER_GROUP):
            site.run("groupadd", "--system", group)
        for user, group in USERS.items():
            also = ["--groups", group] if group else []
            site.run("useradd", "--system", "--no-create-home", "--user-group", *also, user)
        site.configure("yes")
        site.run("peg-gen", "apply")
        site.run("peg-ctl", "start")
        for n in range(3):
            site.send(n)
            site.wait_for(lambda: site.files("/var/spool/postfix%d" % n))
        yield site
    finally:
        site.close()


def seen_by(site, user, *arguments):
    return site.run(
        *["setpriv", "--reuid", user, "--regid", user, "--init-groups", "peg-showqueues"],
        *arguments,
        check=False
    )


def names_and_totals(shown):
    return re.findall(r"^ \* (\S+) = (\d+)$", shown, re.M)


def test_members_see_what_root_sees_and_nobody_else_does(site):
    shown = site.run("peg-showqueues").stdout
    assert names_and_totals(shown)[1:] == [("postfix%d" % n, "1") for n in range(3)]
    assert seen_by(site, "zabbix").stdout == shown
    for user in ("visitor", "nightwatch", "postfix0"):
        refused = site.run(
            *["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"],
            "peg-showqueues",
            check=False
        )
        assert (refused.returncode, refused.stdout) == (1, ""), user
        assert re.search(
            r"/var/spool/\S+: Permission denied; run this as root, or as a member of the group "
            r"peg-monitor while peg-monitor runs\n$",
            refused.stderr,
        ), user


def test_destinations_are_postfix_s_to_tell_to_any_user(site):
    shown = site.run("peg-showqueues", "--destinations").stdout
    assert names_and_totals(shown)[1:] == [("postfix%d" % n, "1") for n in range(3)]
    said = seen_by(site, "visitor", "--destinations", "--json").stdout
    instances = {instance["name"]: instance for instance in json.loads(said)["instances"]}
    for n in range(3):
        (only,) = instances["postfix%d" % n]["destinations"]
        assert (only["domain"], only["recipients"]) == ("dest.example", 1)


def test_a_postfix_that_is_stopped_tells_its_destinations_to_root_alone(site):
    site.run("peg-ctl", "stop", "1")
    as_root = site.run("peg-showqueues", "--destinations").stdout
    refused = seen_by(site, "zabbix", "--destinations")
    counted = seen_by(site, "zabbix")
    site.run("peg-ctl", "start", "1")
    assert ("postfix1", "1") in names_and_totals(as_root)
    assert refused.returncode == 1
    assert [name for name, _ in names_and_totals(refused.stdout)] == [
        "postfix-frontend", "postfix0", "postfix2",
    ]
    assert re.match(
        r"peg-showqueues: postfix1: postqueue: .*mail system is down.*; start it \(peg-ctl start "
        r"postfix1\), or run this as root\n$",
        refused.stderr,
    ), refused.stderr
    assert ("postfix1", "1") in names_and_totals(counted.stdout)


def test_another_group_may_be_named(site):
    conf = site.run("cat", "/etc/priority-email-gateway.conf").stdout
    site.write("/etc/priority-email-gateway.conf", conf + "MONITORING_GROUP=no-such\n")
    refused = site.run("peg-gen", "check", check=False)
    assert refused.returncode == 1
    assert "MONITORING_GROUP: there is no group no-such; make it" in refused.stderr
    site.write("/etc/priority-email-gateway.conf", conf + "MONITORING_GROUP=%s\n" % OTHER_GROUP)
    assert "restarted: peg-monitor\n" in site.run("peg-gen", "apply").stdout
    assert seen_by(site, "nightwatch").stdout == site.run("peg-showqueues").stdout
    assert "a member of the group operators while" in seen_by(site, "zabbix").stderr
    site.write("/etc/priority-email-gateway.conf", conf)
    site.run("peg-gen", "apply")
    assert seen_by(site, "zabbix").returncode == 0


def test_an_urgent_frontend_is_seen_as_soon_as_there_is_one(site):
    conf = site.run("cat", "/etc/priority-email-gateway.conf").stdout
    site.write("/etc/priority-email-gateway.conf", conf + "URGENT_LISTEN=127.0.0.1:26\n")
    try:
        site.run("peg-gen", "apply")
        shown = site.run("peg-showqueues").stdout
        assert [name for name, _ in names_and_totals(shown)][:2] == ["postfix-urgent", "postfix-frontend"]
        assert seen_by(site, "zabbix").stdout == shown
        assert seen_by(site, "zabbix", "--instance=urgent").stdout.endswith(" * postfix-urgent = 0\n")
        checked = seen_by(site, "zabbix", "--check", "--instance=urgent")
        assert checked.stdout.startswith("PEG OK - 0 messages | 'postfix-urgent-incoming'=0;")
        told = seen_by(site, "visitor", "--destinations", "--instance=urgent")
        assert told.stdout.endswith(" * postfix-urgent = 0\n")
    finally:
        site.run("peg-ctl", "stop", "urgent", check=False)
        site.write("/etc/priority-email-gateway.conf", conf)
        site.run("peg-gen", "apply")
    assert "postfix-urgent" not in seen_by(site, "zabbix").stdout


def test_a_group_that_is_not_there_keeps_nothing_from_its_work(site):
    site.run("peg-ctl", "stop", "monitor")
    site.run("groupmod", "--new-name", "elsewhere", GROUP)
    site.run("peg-ctl", "start", "monitor")
    refused = seen_by(site, "zabbix")
    site.run("groupmod", "--new-name", GROUP, "elsewhere")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "a member of the group peg-monitor while" in refused.stderr
    site.run("peg-ctl", "restart", "monitor")
    assert seen_by(site, "zabbix").returncode == 0
