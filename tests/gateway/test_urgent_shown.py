"""The urgent frontend wherever queues are shown or counted, with mail on hold there."""

import json
import os
import re

import pytest

from harness import mail_mibs
from harness.folders import QUEUES
from harness.mail_mibs import oid
from harness.metrics import Metrics
from harness.queues import release, send_to_hold
from harness.screen import Screen
from harness.snmp_site import FALLING, OUTPUT_FULL, RISING, UP, Site, appl_index, by_name
from harness.tcpmap_process import speaks_to_service_managers
from test_asking import MEMBER, seen_by

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes members of a group"),
    pytest.mark.skipif(not speaks_to_service_managers(), reason="built without libsystemd"),
]

NAMES = ["postfix-urgent", "postfix-frontend", "postfix0", "postfix1"]
INDEX = appl_index("urgent")
ROOT = ["env"]
HELD = (
    " * postfix-urgent = 2\n"
    "   | incoming = 0\n"
    "   | active   = 0\n"
    "   | deferred = 0\n"
    "   | hold = 2\n"
)

viewers = pytest.mark.parametrize("viewer", [ROOT, MEMBER], ids=["root", "member"])


@pytest.fixture(scope="module", name="site")
def site_with_urgent_frontend(tmp_path_factory):
    conf = {"DEFAULT_PRIORITY": 0, "QUEUE_LIMIT_FRONTEND": 100, "QUEUE_LIMIT_URGENT": 1}
    folder = str(tmp_path_factory.mktemp("urgent"))
    site = Site(folder, priority_count=2, conf=conf, rules="X-Priority /^1/ all 1\n", urgent=True)
    try:
        yield site
    finally:
        site.close()


@pytest.fixture(scope="module", name="sent")
def mail_on_hold(site):
    site.wait_until_connected()
    message = {"to": ["bob@dest.example", "carl@other.example"], "priority_header": "1"}
    sent = send_to_hold(site.gateway, [message] * 2, "urgent")
    site.rounds(2)
    return sent


@pytest.fixture(name="gateway")
def gateway_with_mail_on_hold(site, sent):
    assert len(sent) == site.gateway.queue_counts("urgent")["hold"] == 2
    return site.gateway


def metrics_of(site):
    with open(site.figure("peg.prom")) as file:
        return Metrics(file.read())


@viewers
def test_it_stands_above_the_other_frontend(gateway, viewer):
    shown = seen_by(viewer, gateway).stdout
    assert HELD + " * postfix-frontend = 0\n" in shown
    assert re.findall(r"^ \* (\S+)", shown, re.M) == NAMES
    aged = seen_by(viewer, gateway, "--age").stdout
    assert re.search(r"^ \* postfix-urgent = 2, oldest \d\d:\d\d:\d\d\n", aged, re.M)
    assert re.search(r"^ \* all = 2, oldest ", aged, re.M)


@viewers
@pytest.mark.parametrize("name", ["urgent", "postfix-urgent"])
def test_it_is_shown_alone(gateway, viewer, name):
    shown = seen_by(viewer, gateway, "--instance", name).stdout
    assert shown.endswith("\n\n" + HELD)


@viewers
def test_json_has_it_first(gateway, viewer):
    instances = json.loads(seen_by(viewer, gateway, "--json", "--age").stdout)["instances"]
    assert [instance["name"] for instance in instances] == NAMES
    urgent = instances[0]
    assert (urgent["state"], urgent["error"], urgent["messages"]) == ("up", None, 2)
    assert urgent["up_since"] is not None
    hold = urgent["queues"]["hold"]
    assert (hold["messages"], hold["recipients"]) == (2, 4) and hold["oldest"] is not None
    assert (urgent["flow"] is None) == (viewer is ROOT)


def test_destinations_of_its_mail_are_shown(gateway):
    found = json.loads(seen_by(ROOT, gateway, "--destinations", "--json").stdout)["instances"]
    assert [instance["name"] for instance in found] == NAMES
    text = seen_by(ROOT, gateway, "--destinations", "--instance=urgent").stdout
    assert re.findall(r"^ \* (\S+) = (\d+)", text, re.M) == [("postfix-urgent", "4")]
    assert re.findall(r"^   \| +(\S+\.example) +2 ", text, re.M) == ["dest.example", "other.example"]


@viewers
def test_the_live_view_has_it_on_top(gateway, viewer):
    with Screen(viewer + gateway.command("peg-showqueues", "--watch=1")) as screen:
        lines = screen.wait_for(lambda now: any(line.startswith("peg-milter ") for line in now))
        names = [line.split(" ")[0] for line in lines[2:6]]
        assert names == ["urgent", "frontend", "postfix1", "postfix0"]
        assert lines[2][24:].split()[:4] == ["0", "0", "0", "2"]
        screen.press(b"q")
        assert screen.wait_for_end() == 0


@viewers
def test_a_check_warns_by_its_own_limit(gateway, viewer):
    said = "PEG WARNING - postfix-urgent hold: 2 messages, more than 1 |"
    for words in ((), ("--instance=urgent",)):
        done = seen_by(viewer, gateway, "--check", *words, check=False)
        assert done.returncode == 1 and done.stdout.startswith(said)
        assert " 'postfix-urgent-hold'=2;1;;0 " in done.stdout
    other = seen_by(viewer, gateway, "--check", "--instance=frontend")
    assert other.stdout.startswith("PEG OK - 0 messages |")
    critical = seen_by(viewer, gateway, "--check", "--critical=1", check=False)
    assert critical.returncode == 2
    assert critical.stdout.startswith("PEG CRITICAL - postfix-urgent hold: 2 messages")


def test_its_metrics_have_no_priority(site, gateway):
    metrics = metrics_of(site)
    assert metrics.of("peg_postfix_up", "postfix-urgent", "") == 1
    assert metrics.of("peg_postfix_readable", "postfix-urgent", "") == 1
    assert metrics.of("peg_queue_messages", "postfix-urgent", "", "hold") == 2
    assert metrics.of("peg_queue_recipients", "postfix-urgent", "", "hold") == 4
    assert metrics.of("peg_queue_messages_limit", "postfix-urgent", "", "hold") == 1
    assert metrics.of("peg_queue_messages_limit", "postfix-frontend", "", "hold") == 100
    assert metrics.of("peg_queue_messages", "postfix-frontend", "", "hold") == 0
    with_priority = {labels[0] for name, labels in metrics.values if name == "peg_postfix_priority"}
    assert with_priority == set(NAMES[2:])
    assert gateway.queue_counts("urgent")["hold"] == 2


def test_snmp_has_it_behind_all_others(site, gateway):
    text = site.agent.ask("snmpwalk", "1.3.6.1.2.1.27", options="-On -Oe -m ''")
    objects = mail_mibs.read(text)
    names = {index: value.strip('"') for (name, (index,)), (_, value) in objects.items() if name == "applName"}
    indexes = [1, 2, 3, 66, 67, INDEX]
    assert list(names) == indexes
    assert [names[n] for n in indexes] == NAMES[1:] + ["peg-milter", "peg-tcpmap", NAMES[0]]
    assert objects["applOperStatus", (INDEX,)] == ("INTEGER", UP)
    text = site.agent.ask("snmpbulkwalk", "1.3.6.1.2.1.28", options="-On -Oe -m ''")
    objects = mail_mibs.read(text)
    assert objects["mtaStoredMessages", (INDEX,)] == ("Gauge32", "2")
    stored = [objects["mtaGroupStoredMessages", (INDEX, n)][1] for n in range(1, 5)]
    assert dict(zip(QUEUES, stored)) == dict(dict.fromkeys(QUEUES, "0"), hold="2")
    rows = [indexes for name, indexes in objects if name == "mtaGroupStoredMessages"]
    assert rows == sorted(rows) and len(rows) == 4 * len(NAMES)
    assert gateway.queue_counts("urgent")["hold"] == 2


def test_its_figures_have_files_that_snmpd_reads(site, gateway):
    for queue, number in gateway.queue_counts("urgent").items():
        if queue in QUEUES:
            site.agent.wait_for_value(by_name(OUTPUT_FULL, "postfix-urgent-" + queue), '"%d"' % number)


def test_what_leaves_it_is_counted_and_ends_the_trap_of_its_limit(site, sent):
    number = oid("mtaGroupStoredMessages", INDEX, 4)
    assert site.wait_for_trap(number) == [(RISING, "2")]
    release(site.gateway, "urgent")
    for message in sent:
        assert set(site.gateway.delivered(message).values()) == {1}
    site.gateway.wait_until_empty()
    assert site.wait_for_trap(number, 2) == [(RISING, "2"), (FALLING, "0")]
    site.rounds(2)  # the one that sends the trap may not be over
    metrics = metrics_of(site)
    assert metrics.of("peg_postfix_left_messages_total", "postfix-urgent", "") == 2
    assert metrics.of("peg_postfix_left_recipients_total", "postfix-urgent", "") == 4
    assert metrics.of("peg_postfix_left_messages_total", "postfix-frontend", "") == 0


def test_one_that_is_down_is_told_as_such(site):
    site.wait_until_connected()
    status = oid("applOperStatus", INDEX)
    site.gateway.kill("postfix-urgent")
    assert [name for name, _ in site.wait_for_trap(status)] == [RISING]
    done = site.gateway.tool("peg-showqueues", "--check", check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("PEG CRITICAL - postfix-urgent is down |")
    site.gateway.ctl("start", "urgent")
    assert [name for name, _ in site.wait_for_trap(status, 2)] == [RISING, FALLING]
