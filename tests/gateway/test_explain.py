"""peg-explain: does it say what the running gateway then does?"""

import re

import pytest

from harness.mail import compose

LINE = re.compile(
    r"(?P<recipient>\S+): (?P<kind>to|cc|bcc), "
    r"(?:no rule|rule (?P<rule>\d+) \((?P<source>\S+) (?P<pattern>.*)\)), "
    r"priority (?P<priority>\d), instance postfix(?P<instance>\d)"
)
ANNA, BERT, CARL = "anna@dest.example", "bert@dest.example", "carl@dest.example"

MESSAGES = {
    "nothing said": {},
    "x-priority 1": {"priority_header": "1"},
    "x-priority 5 (lowest)": {"priority_header": "5 (Lowest)"},
    "x-priority 3": {"priority_header": "3"},
    "importance": {"headers": [("importance", "High")]},
    "ximf primary": {"primary_precedence": "Flash"},
    "ximf copy": {"copy_precedence": "deferred"},
    "ximf both": {"primary_precedence": "priority", "copy_precedence": "FLASH"},
    "a later rule wins": {"priority_header": "1", "primary_precedence": "deferred"},
    "mmhs": {"headers": [("MMHS-Primary-Precedence", "4"), ("MMHS-Copy-Precedence", "0")]},
    "folded": {"headers": [b"X-XIMF-Primary-Precedence:\r\n\tflash\r\n"]},
    "twice": {"headers": [("X-Priority", "5"), ("X-Priority", "2")]},
    "groups and comments": {"to_header": "duty: anna@dest.example (on call), \"B\" <b@x.example>;"},
    "undisclosed": {"to_header": "undisclosed-recipients:;", "priority_header": "4"},
    "resent": {"headers": [("Resent-To", BERT)], "primary_precedence": "flash"},
}


def explain(gateway, content, *arguments):
    """peg-explain's answer: the matching rules' numbers, and {recipient: match of LINE}."""
    done = gateway.tool("peg-explain", *arguments, stdin=content)
    assert done.stderr == ""
    matching = [int(n) for n in re.findall(r"(?m)^rule (\d+) matches: ", done.stdout)]
    found = [LINE.fullmatch(line) for line in done.stdout.splitlines() if " matches: " not in line]
    return matching, {match["recipient"]: match for match in found}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_it_names_the_rule_and_the_instance_that_the_gateway_uses(gateway, message):
    sent = gateway.send(to=[ANNA], cc=[BERT], bcc=[CARL], **message)
    matching, answers = explain(gateway, sent.content, ANNA, BERT, CARL)
    delivered = gateway.delivered(sent)
    assert {r: int(answer["instance"]) for r, answer in answers.items()} == delivered
    assert {r: int(answer["priority"]) for r, answer in answers.items()} == delivered
    rules = {int(answer["rule"]) if answer["rule"] else None for answer in answers.values()}
    assert rules == set(gateway.decision(sent).rules)
    assert set(matching) >= rules - {None}


def test_it_tells_to_cc_and_bcc_apart(gateway):
    content = compose("tag", to=[ANNA], cc=[BERT], copy_precedence="flash")
    _, answers = explain(gateway, content, ANNA, BERT, CARL)
    kinds = {recipient: (a["kind"], a["rule"] is not None) for recipient, a in answers.items()}
    assert kinds == {ANNA: ("to", False), BERT: ("cc", True), CARL: ("bcc", True)}


def test_it_lists_every_rule_that_matches(with_rules):
    gateway = with_rules("X-A /1/ all 0\nX-A /2/ all 1\nX-B /./ to 3\n{rcpt_addr} /^carl/ all 4\n")
    content = compose("tag", to=[ANNA], cc=[BERT], headers=[("X-A", "1"), ("x-b", "z")])
    matching, answers = explain(gateway, content, ANNA, BERT, CARL)
    assert matching == [1, 3, 4]
    assert {r: a["rule"] for r, a in answers.items()} == {ANNA: "3", BERT: "1", CARL: "4"}
    assert answers[BERT]["source"] == "X-A" and answers[BERT]["pattern"] == "/1/"


def test_the_sender_and_the_client_that_it_is_told_count_as_in_the_gateway(with_rules):
    gateway = with_rules("{mail_addr} /^alarm@/ all 3\n{client_addr} /^127\\./ cc 4\n")
    sent = gateway.send(sender="alarm@source.example", to=[ANNA], cc=[BERT])
    told = explain(
        gateway, sent.content, "-f", "alarm@source.example", "--client", "127.0.0.1", ANNA, BERT
    )
    assert {r: int(answer["instance"]) for r, answer in told[1].items()} == {ANNA: 3, BERT: 4}
    assert gateway.delivered(sent) == {ANNA: 3, BERT: 4}
    untold = explain(gateway, sent.content, ANNA, BERT)
    assert {r: int(answer["instance"]) for r, answer in untold[1].items()} == {ANNA: 2, BERT: 2}


def test_an_ipv6_client_may_be_given_with_or_without_postfixs_prefix(private_gateway):
    gateway = private_gateway(start=False, rules="{client_addr} /^IPv6:::1$/ all 4\n")
    gateway.write()
    gateway.write_conf({"FRONTEND_LISTEN": "[::1]:%d" % gateway.ports.frontend})
    gateway.gen("apply")
    gateway.frontend = ("::1", gateway.ports.frontend)
    gateway.run()
    sent = gateway.send(to=[ANNA])
    assert gateway.delivered(sent) == {ANNA: 4}
    for client in ("::1", "IPv6:::1"):
        told = explain(gateway, sent.content, "--client", client, ANNA)
        assert int(told[1][ANNA]["instance"]) == 4


def test_the_user_that_it_is_told_counts(with_rules):
    gateway = with_rules("{auth_authen} /^alarm-/ all 4\n")
    content = compose("tag", to=[ANNA])
    for user, instance in (("alarm-7", "4"), ("mallory", "2")):
        _, answers = explain(gateway, content, "--auth", user, ANNA)
        assert answers[ANNA]["instance"] == instance


def test_it_reads_the_rules_that_stand_in_the_file_now(with_rules):
    gateway = with_rules("X-A /1/ all 0\n")
    gateway.write_rules("X-A /1/ all 4\n")
    _, answers = explain(gateway, compose("tag", headers=[("X-A", "1")]), ANNA)
    assert answers[ANNA]["instance"] == "4"


@pytest.mark.parametrize("content", [b"", b"\r\n", b"no header here", b"X-Priority: 1", b"\0\xff"])
def test_it_bears_anything_as_a_message(gateway, content):
    _, answers = explain(gateway, content, ANNA)
    assert answers[ANNA]["instance"] == ("4" if content == b"X-Priority: 1" else "2")


def test_nothing_is_sent(gateway):
    gateway.wait_until_empty()
    gateway.relay.clear()
    logged = gateway.log.end()
    explain(gateway, compose("tag", to=[ANNA], priority_header="1"), ANNA, BERT)
    assert gateway.log.lines(since=logged) == []
    assert gateway.queued() == 0 and gateway.relay.deliveries == []


@pytest.mark.parametrize("arguments", [(), ("-f",), ("--no-such", ANNA), ("-f", ANNA)])
def test_wrong_usage_is_status_2(gateway, arguments):
    done = gateway.tool("peg-explain", *arguments, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert "Try 'peg-explain --help'." in done.stderr
