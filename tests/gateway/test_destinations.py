"""peg-showqueues --destinations: what Postfix's own postqueue and qshape say of each instance."""

import collections
import json
import shutil
import subprocess

import pytest

from harness import queues
from test_asking import STRANGER, seen_by

HEADING = (
    "Recipients in the queues of all Postfix instances, by destination domain and by the minutes "
    "since their arrival\n\n"
)
AGES = 10
RECIPIENTS = [
    ["bob@Dest.example", '"a@b"@dest.EXAMPLE', "carl@other.example"],
    ["bob@dest.example", "dora@[192.0.2.7]"],
    ["emil@xn--bcher-kva.example"],
]
HELD = {"dest.example": 3, "other.example": 1, "[192.0.2.7]": 1, "xn--bcher-kva.example": 1}


@pytest.fixture(name="mail", scope="module")
def gateway_with_mail_that_stays(request):
    """Mail on hold in the frontend, and deferred in an instance."""
    gateway = request.getfixturevalue("gateway")
    gateway.relay.refuse_recipient(".", "451 4.3.0 try again later")
    sent = [gateway.send(to=["late@slow%d.example" % n], priority_header="1") for n in range(3)]
    for message in sent:
        gateway.log.wait_for(r"postfix-frontend/qmgr.*: %s: removed" % message.queue_id)
    for n in range(3):
        gateway.log.wait_for(r"postfix4/smtp.* to=<late@slow%d.example>.*status=deferred" % n)
    queues.send_to_hold(gateway, [{"to": recipients} for recipients in RECIPIENTS])
    yield gateway
    for instance in gateway.instances():
        gateway.postsuper(instance, "-d", "ALL")
    gateway.relay.behave()
    gateway.wait_until_empty()


def lines_of(shown):
    """{instance: {domain: [all, by age...]}} of the text."""
    found = {}
    assert shown.startswith(HEADING)
    for line in shown[len(HEADING) :].splitlines():
        words = line.split()
        if words[0] == "*":
            lines = found[words[1]] = {}
            assert words[2:] and (int(words[3]) == 0) == (words[3] == "0")
        elif len(words) == 1 + 1 + 1 + AGES and words[1] != "T":
            lines[words[1]] = [int(word) for word in words[2:]]
    return found


def listed_by_postqueue(gateway, instance):
    return collections.Counter(
        recipient["address"].rsplit("@", 1)[1].lower()
        for message in gateway.queue(instance)
        for recipient in message["recipients"]
    )


def test_the_figures_are_those_of_postqueue(mail):
    found = lines_of(mail.tool("peg-showqueues", "--destinations").stdout)
    assert list(found) == ["postfix-frontend"] + ["postfix%d" % n for n in range(5)]
    assert {name for name, lines in found.items() if lines} == {"postfix-frontend", "postfix4"}
    for instance, name in (("frontend", "postfix-frontend"), (4, "postfix4")):
        lines = found[name]
        assert sum(numbers[0] for numbers in lines.values()) == 2 * lines["TOTAL"][0]
        assert all(numbers[0] == sum(numbers[1:]) for numbers in lines.values())
        del lines["TOTAL"]
        assert {n: v[0] for n, v in lines.items()} == listed_by_postqueue(mail, instance)
    assert {n: v[0] for n, v in found["postfix-frontend"].items()} == HELD
    assert list(found["postfix-frontend"])[0] == "dest.example"


@pytest.mark.skipif(shutil.which("qshape") is None, reason="needs Postfix's qshape")
@pytest.mark.parametrize("instance, name", [("frontend", "postfix-frontend"), (4, "postfix4")])
def test_the_figures_are_those_of_qshape(mail, instance, name):
    said = subprocess.run(
        ["qshape", "-c", mail.config_dir(instance), "incoming", "active", "deferred", "hold"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    ).stdout
    shaped = {line.split()[0]: [int(n) for n in line.split()[1:]] for line in said.splitlines()[1:]}
    shown = lines_of(mail.tool("peg-showqueues", "--destinations=0").stdout)[name]
    for lines in (shaped, shown):  # a minute may have ended between the two
        for domain, numbers in lines.items():
            lines[domain] = [numbers[0], sum(numbers[1:3])] + numbers[3:]
    assert shown == shaped


def test_the_largest_alone_may_be_asked_for(mail):
    shown = mail.tool("peg-showqueues", "--destinations=1").stdout
    assert lines_of(shown)["postfix-frontend"].keys() == {"TOTAL", "dest.example"}
    assert "(3 other domains)  3 " in shown
    wrong = mail.tool("peg-showqueues", "--destinations=some", check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_as_json(mail):
    answer = json.loads(mail.tool("peg-showqueues", "--destinations", "--json").stdout)
    assert answer["age_limits_minutes"] == [5 << n for n in range(AGES - 1)]
    found = {instance["name"]: instance for instance in answer["instances"]}
    frontend = found["postfix-frontend"]
    assert {d["domain"]: d["recipients"] for d in frontend["destinations"]} == HELD
    assert (frontend["error"], frontend["recipients"], frontend["others"]) == (None, 6, 0)
    assert sum(frontend["by_age"]) == 6 and len(frontend["by_age"]) == AGES
    assert frontend["oldest"] <= answer["taken"] and frontend["oldest_age_seconds"] >= 0
    arrived = min(message["arrival_time"] for message in mail.queue(4))
    assert subprocess.check_output(["date", "-ud", found["postfix4"]["oldest"], "+%s"]) == (
        b"%d\n" % arrived
    )
    assert found["postfix0"]["destinations"] == [] and found["postfix0"]["oldest"] is None


def test_a_postfix_that_cannot_be_asked_is_named_and_the_others_are_shown(mail):
    """Below --root instances are not registered, so that Postfix shows their queues to root alone."""
    done = seen_by(STRANGER, mail, "--destinations", check=False)
    assert (done.returncode, done.stdout) == (1, HEADING)
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [
        "postfix-frontend"
    ] + ["postfix%d" % n for n in range(5)]
    answer = json.loads(
        seen_by(STRANGER, mail, "--destinations", "--json", check=False).stdout
    )
    assert all(i["error"] and i["destinations"] is None for i in answer["instances"])
