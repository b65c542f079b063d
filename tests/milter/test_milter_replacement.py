"""How a recipient is replaced by another spelling: what is asked for, in which order."""

import pytest
from claims_model import (
    ROUTE_HEADER,
    RULES_BY_NUMBER,
    Message,
    never_lost,
    replacement,
    requests,
    send,
    use,
)

BOB, OTHER = "bob@dest.example", "other@dest.example"


@pytest.fixture(name="milter")
def milter_by_number(make_milter):
    return make_milter(rules=RULES_BY_NUMBER)


def in_conflict(postfix, recipient, parameters=()):
    """A message that must go by respelling this recipient, and keeps its parameters."""
    use(postfix, recipient, 0)
    message = Message(to=[recipient], cc=[OTHER], to_priority=4)
    result = send(postfix, message, parameters={recipient: parameters})
    assert result.decision.way == "respell"
    never_lost([(recipient,) + parameters, OTHER], result)
    return result


def test_a_spare_spelling_holds_the_place_of_a_recipient_until_its_new_one_is_there(postfix):
    asked = requests(in_conflict(postfix, BOB))
    spare, spelling = asked[0][0], asked[2][0]
    assert asked == [(spare, ""), (BOB,), (spelling, "ORCPT=rfc822;bob@dest.example"), (spare,)]
    assert len({spare, spelling, BOB}) == 3
    assert spare.lower() == spelling.lower() == BOB


def test_recipients_are_replaced_one_after_the_other(postfix):
    recipients = ["a@dest.example", "b@other.example", "c@third.example"]
    for recipient in recipients:
        use(postfix, recipient, 0)
    message = Message(to=recipients, cc=[OTHER], to_priority=4)
    result = send(postfix, message)
    never_lost(message.recipients, result)
    asked = requests(result)
    assert [asked[n] for n in (1, 5, 9)] == [(recipient,) for recipient in recipients]
    for n in (0, 4, 8):
        assert asked[n + 3] == (asked[n][0],) and asked[n][1] == ""


def test_the_spare_is_a_key_of_the_same_priority_for_mail_that_keeps_it(postfix):
    spare = requests(in_conflict(postfix, BOB))[0][0]
    result = send(postfix, Message(to=[spare], to_priority=3))
    assert result.decision.way == "filter"
    use(postfix, spare, 4)


def test_without_a_second_spelling_there_is_no_spare(postfix):
    use(postfix, "u@1.c2", 0)
    result = send(postfix, Message(to=["u@1.c2"], cc=[OTHER], to_priority=4))
    assert requests(result) == [("u@1.c2",), ("u@1.C2", "ORCPT=rfc822;u@1.c2")]


def test_a_second_spelling_that_is_in_use_with_another_priority_is_no_spare(postfix):
    for priority, spelling in enumerate(["u@1.cn", "u@1.Cn", "u@1.CN"]):
        use(postfix, spelling, priority)
    result = send(postfix, Message(to=["u@1.cn"], cc=[OTHER], to_priority=4))
    assert requests(result) == [("u@1.cn",), ("u@1.cN", "ORCPT=rfc822;u@1.cn")]


@pytest.mark.parametrize("count, requests_each", [(50, 4), (51, 2)])
def test_more_than_fifty_recipients_are_replaced_without_spares(postfix, count, requests_each):
    recipients = ["user%d@dest.example" % n for n in range(count)]
    unaffected = ["more%d@dest.example" % n for n in range(20)]
    assert send(postfix, Message(to=recipients, to_priority=0)).decision.way == "plain"
    message = Message(to=recipients + unaffected, cc=[OTHER], to_priority=4)
    result = send(postfix, message)
    asked = requests(result)
    assert len(asked) == count * requests_each
    assert [r for r in asked if len(r) == 1 and r[0] in recipients] == [(r,) for r in recipients]
    after = result.recipients_after(message.recipients)
    assert after[:21] == unaffected + [OTHER]
    assert [r.lower() for r in after[21:]] == recipients and not set(after) & set(recipients)
    if requests_each == 4:
        never_lost(message.recipients, result)


@pytest.mark.parametrize("given", ["BoB.X@Dest.example", "Bob@DEST.EXAMPLE", "bob+X@dest.example"])
def test_the_case_of_the_local_part_is_kept(postfix, given):
    spelling, _ = replacement(in_conflict(postfix, given), given)
    assert spelling.partition("@")[0] == given.partition("@")[0]


@pytest.mark.parametrize(
    "given, expected",
    [
        ((), "ORCPT=rfc822;bob@dest.example"),
        (("NOTIFY=NEVER",), "NOTIFY=NEVER ORCPT=rfc822;bob@dest.example"),
        (("ORCPT=rfc822;first+40home",), "ORCPT=rfc822;first+40home"),
        (
            ("NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;x@y.example"),
            "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@y.example",
        ),
        (("orcpt=rfc822;x@y.example", "NOTIFY=DELAY"), "orcpt=rfc822;x@y.example NOTIFY=DELAY"),
    ],
)
def test_a_respelled_recipient_keeps_its_parameters(postfix, given, expected):
    _, parameters = replacement(in_conflict(postfix, BOB, given), BOB)
    assert parameters == expected


@pytest.mark.parametrize(
    "address, orcpt",
    [
        ('"quo ted"@dest.example', 'rfc822;"quo+20ted"@dest.example'),
        ('"a\\"b"@dest.example', 'rfc822;"a\\"b"@dest.example'),
        ("a+b=c@dest.example", "rfc822;a+2Bb+3Dc@dest.example"),
        ("Bob@DEST.Example", "rfc822;Bob@DEST.Example"),
        ("j\u00f6rg@dest.example", "rfc822;j+C3+B6rg@dest.example"),
        ("bob@stra\u00dfe.example", "rfc822;bob@stra+C3+9Fe.example"),
    ],
)
def test_the_original_recipient_is_written_as_xtext(postfix, address, orcpt):
    spelling, parameters = replacement(in_conflict(postfix, address), address)
    assert spelling.startswith(address.rpartition("@")[0] + "@")
    assert parameters == "ORCPT=" + orcpt


@pytest.mark.parametrize(
    "given, named",
    [
        ("@relay.example:bob@dest.example", BOB),
        ("@one.example,@two.example:bob@dest.example", BOB),
        ('@relay.example:"b b"@dest.example', '"b b"@dest.example'),
    ],
)
def test_a_source_route_is_left_out_of_all_but_the_original_recipient(postfix, given, named):
    use(postfix, named, 0)
    message = Message(to=[given], cc=[OTHER], to_priority=4)
    message.headers[-1] = ("To", named)
    result = send(postfix, message)
    never_lost(message.recipients, result)
    spelling, parameters = replacement(result, named)
    assert spelling.rpartition("@")[0] == named.rpartition("@")[0]
    assert parameters == "ORCPT=rfc822;" + given.replace(" ", "+20")


DUPLICATES = [BOB, "bob@DEST.example", "BOB@dest.example", "Bob@Dest.Example"]


@pytest.mark.parametrize("parameters", [(), ("NOTIFY=SUCCESS",), ("ORCPT=rfc822;x@y.example",)])
@pytest.mark.parametrize("second", DUPLICATES)
def test_of_a_recipient_that_is_given_twice_the_later_is_deleted_only(postfix, second, parameters):
    for address in {BOB, second}:
        use(postfix, address, 0)
    message = Message(to=[BOB, second], cc=[OTHER], to_priority=4)
    result = send(postfix, message, parameters=dict.fromkeys(message.recipients, parameters))
    asked = requests(result)
    assert asked[-1] == (second,) and len(asked) == 5
    assert asked[1] == (BOB,) and asked[3] == asked[0][:1]
    never_lost([(r,) + (parameters if r != OTHER else ()) for r in message.recipients], result)
    after = result.recipients_after(message.recipients)
    assert sorted(map(str.lower, after)) == [BOB, OTHER]


def test_of_many_duplicates_one_is_left(postfix):
    for address in DUPLICATES:
        use(postfix, address, 0)
    message = Message(to=DUPLICATES, cc=[OTHER], to_priority=4)
    result = send(postfix, message)
    never_lost(message.recipients, result)
    assert len(requests(result)) == 4 + 3
    after = result.recipients_after(message.recipients)
    assert sorted(map(str.lower, after)) == [BOB, OTHER]


def test_a_duplicate_with_other_parameters_is_a_recipient_of_its_own(postfix):
    use(postfix, BOB, 0)
    recipients = [(BOB, "NOTIFY=NEVER"), (BOB, "NOTIFY=SUCCESS"), OTHER]
    headers = Message(to=[BOB], cc=[OTHER], to_priority=4).headers
    result = postfix.send(recipients, headers)
    assert result.decision.way == "respell"
    added = [r[1].partition(" ")[0] for r in requests(result) if len(r) == 2 and r[1]]
    assert added == ["NOTIFY=NEVER", "NOTIFY=SUCCESS"]
    never_lost(recipients, result)


@pytest.mark.parametrize("others", [[], ["carl@dest.example"]])
def test_duplicates_of_one_priority_go_by_the_filter_untouched(postfix, others):
    use(postfix, BOB, 0)
    result = send(postfix, Message(to=[BOB, BOB.upper()] + others, to_priority=4))
    assert [(m.kind, m.name, m.value) for m in result.modifications] == [
        ("addheader", ROUTE_HEADER, "4")
    ]
