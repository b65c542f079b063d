"""The rules file: which rule decides, what it may look at, and what a reload does."""

import os
import time

import pytest

from harness.gateway import Gateway

RULES_FILE = "etc/priority-email-gateway.rules"


def test_the_last_rule_that_matches_decides(with_rules):
    gateway = with_rules("X-One /a/ all 4\nX-Two /b/ all 0\nX-One /nothing/ all 3\n")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-One", "a"), ("X-Two", "b")])
    assert gateway.delivered(sent) == {"bob@dest.example": 0}
    assert gateway.decision(sent).rules == [2]


def test_the_order_of_the_headers_does_not_matter(with_rules):
    gateway = with_rules("X-One /a/ all 4\nX-Two /b/ all 0\n")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Two", "b"), ("X-One", "a")])
    assert gateway.delivered(sent) == {"bob@dest.example": 0}


def test_the_last_rule_is_found_for_each_recipient(with_rules):
    gateway = with_rules("X-One /./ all 0\nX-One /./ to 4\nX-Two /./ cc 3\nX-Two /no/ all 1\n")
    sent = gateway.send(
        to=["anna@dest.example"],
        cc=["bert@dest.example"],
        bcc=["carl@dest.example"],
        headers=[("X-One", "a"), ("X-Two", "b")],
    )
    assert gateway.delivered(sent) == {
        "anna@dest.example": 4,
        "bert@dest.example": 3,
        "carl@dest.example": 3,
    }
    assert gateway.decision(sent).rules == [2, 3]


def test_recipients_may_be_written_as_numbers(with_rules):
    gateway = with_rules("X-One /./ 0 0\nX-Two /./ 1 4\nX-Two /./ 2 3\n")
    both = gateway.send(
        to=["anna@dest.example"], cc=["bert@dest.example"], headers=[("X-One", "a"), ("X-Two", "b")]
    )
    assert gateway.delivered(both) == {"anna@dest.example": 4, "bert@dest.example": 3}
    one = gateway.send(to=["carl@dest.example"], bcc=["d@dest.example"], headers=[("X-One", "a")])
    assert gateway.delivered(one) == {"carl@dest.example": 0, "d@dest.example": 0}


@pytest.mark.parametrize(
    "value, instance", [("flash", 4), ("FLASH", 4), ("Flash!", 4), ("a flash", 2), ("", 2)]
)
def test_a_value_matches_in_any_case_where_the_rule_says_i(with_rules, value, instance):
    gateway = with_rules("x-URGENCY /^flash/i all 4\n")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Urgency", value)])
    assert gateway.delivered(sent) == {"bob@dest.example": instance}


@pytest.mark.parametrize("value, instance", [("flash", 4), ("Flash", 2)])
def test_a_value_matches_in_its_own_case_where_the_rule_does_not_say_i(with_rules, value, instance):
    gateway = with_rules("X-Urgency /^flash/ all 4\n")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Urgency", value)])
    assert gateway.delivered(sent) == {"bob@dest.example": instance}


@pytest.mark.parametrize("values", [("1", "5"), ("5", "1")])
def test_a_header_that_is_there_twice_matches_if_either_does(with_rules, values):
    gateway = with_rules("X-Level /^1$/ all 4\nX-Level /^9$/ all 0\n")
    headers = [("X-Level", value) for value in values]
    sent = gateway.send(to=["bob@dest.example"], headers=headers)
    assert gateway.delivered(sent) == {"bob@dest.example": 4}


def test_a_folded_value_is_one_line_to_a_rule(with_rules):
    gateway = with_rules("X-Level /^very urgent indeed$/ all 4\n")
    sent = gateway.send(
        to=["bob@dest.example"], headers=[b"X-Level:\r\n very urgent\r\n indeed \r\n"]
    )
    assert gateway.delivered(sent) == {"bob@dest.example": 4}


def test_blanks_comments_and_slashes_can_stand_in_a_pattern(with_rules):
    gateway = with_rules("X-Level /^ a \\/ [#] b $ # the end/x all 4   # what for\r\n\n  # more\n")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Level", "a/#b")])
    assert gateway.delivered(sent) == {"bob@dest.example": 4}


def test_a_thousand_rules_are_in_force(with_rules):
    gateway = with_rules("".join("X-Ward /^%d$/ all %d\n" % (n, n % 5) for n in range(1000)))
    with gateway.sender() as sender:
        for ward in (0, 1, 499, 998, 999):
            sent = sender.send(to=["ward%d@dest.example" % ward], headers=[("X-Ward", str(ward))])
            assert gateway.delivered(sent) == {"ward%d@dest.example" % ward: ward % 5}
            assert gateway.decision(sent).rules == [ward + 1]


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|aa)+$", r"(x+x+)+y|^(\w+\s?)*$"])
def test_a_pattern_that_backtracks_without_end_is_stopped_and_does_not_match(with_rules, pattern):
    gateway = with_rules("X-Level /./ all 3\nX-Evil /%s/ all 4\n" % pattern)
    started = time.monotonic()
    sent = gateway.send(
        to=["bob@dest.example"], headers=[("X-Level", "1"), ("X-Evil", "a" * 5000 + "!")]
    )
    assert gateway.delivered(sent) == {"bob@dest.example": 3}
    assert time.monotonic() - started < 5
    assert gateway.log.find(r"peg-milter\[\d+\]: .*rule in line 2, X-Evil .* limit")


def test_rules_can_look_at_the_client_the_sender_and_the_recipient(with_rules):
    gateway = with_rules(
        "{client_addr} /^127\\.0\\.0\\.1$/ all 1\n"
        "{mail_addr} /^alarm@/ all 3\n"
        "{rcpt_addr} /^duty@/ all 4\n"
        "{rcpt_addr} /^duty@archive/ cc 0\n"
    )
    routine = gateway.send(to=["bob@dest.example"], bcc=["duty@dest.example"])
    assert gateway.delivered(routine) == {"bob@dest.example": 1, "duty@dest.example": 4}
    alarm = gateway.send(
        sender="alarm@source.example", to=["eve@dest.example"], bcc=["duty@archive.example"]
    )
    assert gateway.delivered(alarm) == {"eve@dest.example": 3, "duty@archive.example": 0}


def test_reload_puts_new_rules_in_force_for_connections_that_are_open(with_rules):
    gateway = with_rules("X-Level /./ all 0\n")
    with gateway.sender() as sender:
        before = sender.send(to=["anna@dest.example"], headers=[("X-Level", "1")])
        gateway.write_rules("X-Level /./ all 4\nX-Level /no/ all 0\n")
        unread = sender.send(to=["bert@dest.example"], headers=[("X-Level", "1")])
        gateway.ctl("reload", "milter")
        gateway.log.wait_for("peg-milter.*: reloaded: 2 rules are in force now")
        after = sender.send(to=["carl@dest.example"], headers=[("X-Level", "1")])
    assert gateway.delivered(before) == {"anna@dest.example": 0}
    assert gateway.delivered(unread) == {"bert@dest.example": 0}
    assert gateway.delivered(after) == {"carl@dest.example": 4}


def test_broken_rules_are_refused_with_line_and_column_and_the_old_ones_stay(with_rules):
    gateway = with_rules("X-Level /./ all 4\n")
    gateway.write_rules("X-Level /./ all 0\n\nX-Level /(/ all 0\nX-Level /./ some 9\n")
    assert not gateway.reload_milter()
    place = "peg-milter.* " + gateway.path(RULES_FILE)
    assert gateway.log.find(place + r":3:11: \S+")
    assert gateway.log.find(place + r":4:13: \S+")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Level", "1")])
    assert gateway.delivered(sent) == {"bob@dest.example": 4}


def test_rules_that_are_gone_are_refused_and_the_old_ones_stay(with_rules):
    gateway = with_rules("X-Level /./ all 4\n")
    os.unlink(gateway.path(RULES_FILE))
    assert not gateway.reload_milter()
    assert gateway.log.find("peg-milter.*" + gateway.path(RULES_FILE) + ": No such file")
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Level", "1")])
    assert gateway.delivered(sent) == {"bob@dest.example": 4}


def test_a_gateway_without_rules_sends_everything_at_the_default_priority(with_rules):
    gateway = with_rules("")
    sent = gateway.send(to=["bob@dest.example"], priority_header="1")
    assert gateway.delivered(sent) == {"bob@dest.example": 2}
    assert gateway.decision(sent).rules == [None]


def test_a_gateway_with_two_priorities_has_rules_of_its_own():
    rules = "X-Priority /^[12]/ all 1\nX-Priority /^[45]/ all 0\n"
    with Gateway(priority_count=2, conf={"DEFAULT_PRIORITY": 0}, rules=rules) as gateway:
        with gateway.sender() as sender:
            for x_priority, instance in (("1", 1), ("3", 0), ("5", 0), ("2", 1)):
                sent = sender.send(to=["bob@dest.example"], priority_header=x_priority)
                assert gateway.delivered(sent) == {"bob@dest.example": instance}
        assert not gateway.reload_rules("X-Priority /^1/ all 2\n")
        assert gateway.log.find(r"rules:1:21: a priority from 0 to 1 is needed here")
