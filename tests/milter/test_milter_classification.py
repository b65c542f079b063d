"""From headers and macros, as Postfix sends them, to priorities."""

import pytest

RULES = """\
X-Priority                  /^5/                   all  0
X-Priority                  /^4/                   all  1
X-Priority                  /^2/                   all  3
X-Priority                  /^1/                   all  4
X-XIMF-Primary-Precedence   /^priority/i           to   3
X-XIMF-Primary-Precedence   /^flash/i              to   4
X-XIMF-Copy-Precedence      /^priority/i           cc   3
X-XIMF-Copy-Precedence      /^flash/i              cc   4
Subject                     /^alarm in room \\d+$/ all  4
{auth_authen}               /^alarm-/              all  4
{client_addr}               /^192\\.0\\.2\\./      all  1
{rcpt_addr}                 /^fire@/               all  4
{rcpt_addr}                 /^archive@/            cc   0
X-Last                      /./                    all  2
"""
TO, CC = "bob@dest.example", "carl@dest.example"
FLASH, COPY = ("X-XIMF-Primary-Precedence", "flash"), ("X-XIMF-Copy-Precedence", "flash")


@pytest.fixture(name="milter")
def milter_with_rules(lasting_milter):
    return lasting_milter


def decisions(milter, headers, macros=None, recipients=(TO, CC)):
    """{recipient: (priority, line of the rule)}, from a message for each and one for all."""
    found = {}
    for recipient in recipients:
        decision = milter.message([recipient], headers, macros).decision
        ((priority, _),) = decision.priorities.items()
        found[recipient] = (priority, decision.rules[0])
    together = milter.message(list(recipients), headers, macros).decision
    expected = [priority for priority, _ in found.values()]
    assert together.priorities == {p: expected.count(p) for p in expected}
    return found


def everybody(priority, rule):
    return {TO: (priority, rule), CC: (priority, rule)}


@pytest.mark.parametrize(
    "headers, expected",
    [
        ([], (2, None)),
        ([("X-Priority", "1")], (4, 4)),
        ([("X-Priority", "2 (High)")], (3, 3)),
        ([("X-Priority", "3")], (2, None)),
        ([("X-Priority", "4")], (1, 2)),
        ([("X-Priority", "5 (Lowest)")], (0, 1)),
        ([("x-pRIORITY", "1")], (4, 4)),
        ([("X-Priority", "   1")], (4, 4)),
        ([("X-Priority", "\n 1")], (4, 4)),
        ([("X-Priority", "11"), ("X-Priority", "5")], (4, 4)),
        ([("X-Priority", "5"), ("X-Priority", "1")], (4, 4)),
        ([("X-Priority", "")], (2, None)),
        ([("X-Priority", "1"), ("X-Last", "x")], (2, 14)),
        ([("Subject", "alarm in\n room\n\t7")], (2, None)),
        ([("Subject", "alarm in\n room 7")], (4, 9)),
        ([("Subject", b"alarm in room 7\xff")], (2, None)),
    ],
)
def test_a_header_decides_for_all_recipients(milter, headers, expected):
    assert decisions(milter, [("To", TO)] + headers) == everybody(*expected)


@pytest.mark.parametrize(
    "to_header",
    [
        "bob@dest.example",
        "BOB@Dest.EXAMPLE",
        '"Bob, the builder" <bob@dest.example>',
        "team: anna@dest.example, bob@dest.example;",
        "anna@dest.example,\n\tbob@dest.example",
        "(carl@dest.example) bob@dest.example",
        "=?utf-8?q?B=C3=B6b?= <bob@dest.example>, bobcarl@dest.example",
        '"bob"@dest.example',
        "bob@dest.example.",
    ],
)
def test_who_stands_in_to_is_primary_and_who_does_not_is_copied(milter, to_header):
    headers = [("To", to_header), ("Cc", CC), FLASH]
    assert decisions(milter, headers) == {TO: (4, 6), CC: (2, None)}
    headers = [("To", to_header), ("Cc", CC), COPY]
    assert decisions(milter, headers) == {TO: (2, None), CC: (4, 8)}


@pytest.mark.parametrize(
    "headers",
    [
        [("To", "anna@dest.example"), ("to", TO)],
        [("Resent-To", TO)],
        [("To", TO), ("Cc", TO + ", " + CC)],
        [("To", TO), ("Bcc", CC)],
        [("To", TO)],
    ],
)
def test_to_twice_resent_to_and_bcc_are_regarded(milter, headers):
    assert decisions(milter, headers + [FLASH]) == {TO: (4, 6), CC: (2, None)}
    assert decisions(milter, [FLASH] + headers) == {TO: (4, 6), CC: (2, None)}


def test_without_a_to_header_everybody_is_copied(milter):
    assert decisions(milter, [FLASH, COPY]) == everybody(4, 8)
    headers = [("To", "undisclosed-recipients:;"), FLASH, ("X-XIMF-Copy-Precedence", "priority")]
    assert decisions(milter, headers) == everybody(3, 7)


def test_a_user_who_logged_in_decides(milter):
    assert decisions(milter, [], {"{auth_authen}": "alarm-7"}) == everybody(4, 10)
    assert decisions(milter, [], {"{auth_authen}": "office"}) == everybody(2, None)


def test_a_later_rule_on_a_macro_wins_over_a_header_and_an_earlier_does_not(milter):
    client = {"{client_addr}": "192.0.2.9"}
    assert decisions(milter, [("X-Priority", "1")], client) == everybody(1, 11)
    assert decisions(milter, [("X-Last", "x")], client) == everybody(2, 14)
    assert decisions(milter, [], {"{client_addr}": "198.51.100.9"}) == everybody(2, None)


def test_a_rule_on_the_recipient_is_for_that_recipient_alone(milter):
    recipients = ("fire@dest.example", TO, "archive@dest.example")
    assert decisions(milter, [], recipients=recipients) == {
        "fire@dest.example": (4, 12),
        TO: (2, None),
        "archive@dest.example": (0, 13),
    }
    primary = [("To", "archive@dest.example")]
    assert decisions(milter, primary, recipients=recipients)["archive@dest.example"] == (2, None)


def test_the_macros_of_each_message_decide_about_it_alone(milter):
    with milter.connect(macros={"{auth_authen}": "alarm-7"}) as postfix:
        assert postfix.send([TO]).decision.priorities == {4: 1}
        postfix.macros["{auth_authen}"] = "office"
        assert postfix.send([CC]).decision.priorities == {2: 1}


def test_the_macros_of_a_message_are_forgotten_where_the_next_has_none(milter):
    with milter.connect(macros={"{auth_authen}": "alarm-7"}) as postfix:
        assert postfix.send([TO]).decision.priorities == {4: 1}
        del postfix.macros["{auth_authen}"]
        assert postfix.send([CC]).decision.priorities == {2: 1}


@pytest.mark.parametrize("given", ["Bob@DEST.Example", "bob@dest.example.", '"BOB"@dest.example'])
def test_a_recipient_is_found_in_to_however_the_client_spells_it(milter, given):
    with milter.connect() as postfix:
        postfix.resolved[given] = "bob@dest.example"
        for to_header in ("bob@dest.example", "BOB@dest.EXAMPLE"):
            result = postfix.send([given, CC], [("To", to_header), FLASH])
            assert result.decision.priorities == {4: 1, 2: 1}


def test_a_rule_on_the_recipient_sees_it_in_lower_case_as_postfix_folds_it(milter):
    with milter.connect() as postfix:
        assert postfix.send(["FIRE@Dest.example"]).decision.priorities == {4: 1}


def test_a_recipient_without_domain_is_found_in_to_in_either_form(milter):
    with milter.connect() as postfix:
        postfix.resolved["bob"] = "bob@gateway.example"
        for to_header in ("bob", "bob@gateway.example"):
            result = postfix.send(["bob"], [("To", to_header), FLASH])
            assert result.decision.priorities == {4: 1}


@pytest.mark.parametrize("size", [200000, 900000])
def test_a_recipient_at_the_end_of_a_very_long_to_header_is_primary(milter, size):
    filler = "".join("user%d@dest.example,\n " % n for n in range(size // 25))
    filler += "x" * (size - len(filler) - len(TO) - 20) + "@dest.example,\n "
    to_header = ("To", filler + TO)
    assert decisions(milter, [to_header, FLASH]) == {TO: (4, 6), CC: (4, 6)}
    assert decisions(milter, [to_header, COPY]) == {TO: (2, None), CC: (4, 8)}


CUT_LEN = 54000  # from here on Postfix may have cut what a milter sees of a header


def long_field(name, field_len):
    """A field with this many bytes from its name to its end, TO in the middle of many others."""
    value_len = field_len - len(name + ": ")
    value = TO + "".join(",\n\tuser%d@dest.example" % n for n in range(field_len // 20))
    return name, value[: value_len - 4] + ",\n\tx"


@pytest.mark.parametrize("name", ["To", "tO", "Resent-To"])
def test_only_where_postfix_may_have_cut_to_who_is_not_found_gets_the_higher_priority(milter, name):
    short, cut = long_field(name, CUT_LEN - 1), long_field(name, CUT_LEN)
    assert [len("%s: %s" % field) for field in (short, cut)] == [53999, 54000]
    assert decisions(milter, [short, FLASH]) == {TO: (4, 6), CC: (2, None)}
    assert decisions(milter, [cut, FLASH]) == {TO: (4, 6), CC: (4, 6)}
    assert decisions(milter, [cut, COPY]) == {TO: (2, None), CC: (4, 8)}
    low = ("X-XIMF-Copy-Precedence", "priority")
    assert decisions(milter, [low, cut, FLASH]) == {TO: (4, 6), CC: (4, 6)}
    assert decisions(milter, [cut]) == everybody(2, None)


@pytest.mark.parametrize("name", ["Cc", "X-To", "Subject"])
def test_other_long_headers_are_no_reason_to_take_anybody_for_primary(milter, name):
    headers = [("To", TO), long_field(name, 2 * CUT_LEN), FLASH]
    assert decisions(milter, headers) == {TO: (4, 6), CC: (2, None)}


def test_two_to_headers_that_are_long_together_only_are_whole(milter):
    half = long_field("To", CUT_LEN - 1)
    assert decisions(milter, [half, half, FLASH]) == {TO: (4, 6), CC: (2, None)}
    cut = long_field("To", CUT_LEN)
    assert decisions(milter, [cut, ("To", CC), FLASH]) == everybody(4, 6)


def test_that_to_was_cut_in_one_message_does_not_concern_the_next(milter):
    with milter.connect() as postfix:
        postfix.send([TO, CC], [long_field("To", CUT_LEN), FLASH])
        assert postfix.send([TO, CC], [("To", TO), FLASH]).decision.priorities == {4: 1, 2: 1}


def test_a_pattern_that_backtracks_without_end_does_not_match_and_is_logged(make_milter):
    milter = make_milter(rules="X-Priority /^1/ all 4\nX-Evil /^(a|aa|a?b?)+$/ all 0\n")
    with milter.connect() as postfix:
        evil = ("X-Evil", "a" * 5000 + "!")
        assert postfix.send([TO], [evil, ("X-Priority", "1")]).decision.priorities == {4: 1}
        line = milter.log.wait_for("taken as not matching")
        assert "line 2" in line and "X-Evil" in line and "alice@source.example" in line
        assert postfix.send([CC], [("X-Evil", "aab")]).decision.priorities == {0: 1}
