"""The ways that a message can go, and what is changed in it on each."""

import pytest
from claims_model import ROUTE_HEADER, RULES_BY_NUMBER, Message, replacement


@pytest.fixture(name="milter")
def milter_by_number(make_milter):
    return make_milter(rules=RULES_BY_NUMBER)


def send(postfix, message, headers=(), parameters=None):
    recipients = [(r,) + (parameters or {}).get(r, ()) for r in message.recipients]
    result = postfix.send(recipients, message.headers + list(headers))
    assert result.decision.priorities == message.counts()
    return result


def use(postfix, recipient, priority):
    """Mail for this recipient is on its way with this priority."""
    result = send(postfix, Message(to=[recipient], to_priority=priority))
    assert result.decision.way == "plain"


def in_conflict(postfix, recipient, parameters=(), priority=4):
    """A message that must go by respelling this recipient."""
    use(postfix, postfix.resolved.get(recipient, recipient), 0 if priority else 1)
    message = Message(to=[recipient], cc=["other@dest.example"], to_priority=priority)
    if recipient in postfix.resolved:
        message.headers[-1] = ("To", postfix.resolved[recipient])
    return send(postfix, message, parameters={recipient: parameters})


def test_mail_for_a_new_recipient_is_not_touched(postfix):
    result = send(postfix, Message(to=["bob@dest.example"], to_priority=4))
    assert result.decision.way == "plain" and result.modifications == []


def test_mail_with_the_priority_that_its_recipient_already_has_is_not_touched(postfix):
    for _ in range(3):
        use(postfix, "bob@dest.example", 4)


def test_recipients_of_different_priorities_are_no_conflict(postfix):
    message = Message(to=["anna@dest.example"], cc=["berta@dest.example"], to_priority=4)
    result = send(postfix, message)
    assert result.decision.way == "plain" and result.modifications == []


def test_mail_of_one_priority_in_conflict_goes_by_the_filter_and_is_else_untouched(postfix):
    use(postfix, "bob@dest.example", 0)
    recipients = ["bob@dest.example", "carl@dest.example"]
    result = send(postfix, Message(to=recipients, to_priority=3))
    (header,) = result.modifications
    assert (header.kind, header.name, header.value) == ("addheader", ROUTE_HEADER, "3")
    assert result.decision.way == "filter"


def test_mail_of_the_lowest_priority_in_conflict_goes_by_the_filter_to_the_lowest(postfix):
    use(postfix, "bob@dest.example", 4)
    result = send(postfix, Message(to=["bob@dest.example"], to_priority=0))
    assert [h.value for h in result.of_kind("addheader")] == ["0"]


def test_of_mail_with_mixed_priorities_only_what_is_in_conflict_is_respelled(postfix):
    use(postfix, "bob@dest.example", 0)
    message = Message(to=["bob@dest.example"], cc=["carl@dest.example"], to_priority=4)
    result = send(postfix, message)
    carl, bob = result.recipients_after(message.recipients)
    assert result.decision.way == "respell"
    assert carl == "carl@dest.example"
    assert bob != "bob@dest.example" and bob.startswith("bob@")
    assert bob.lower() == "bob@dest.example"
    assert result.of_kind("addheader") == []


def test_a_respelled_recipient_keeps_its_spelling_for_mail_of_the_same_priority(postfix):
    use(postfix, "bob@dest.example", 0)
    message = Message(to=["bob@dest.example"], cc=["carl@dest.example"], to_priority=4)
    first, second = (replacement(send(postfix, message), "bob@dest.example") for _ in range(2))
    assert first == second


def test_the_case_of_the_local_part_is_kept(postfix):
    spelling, _ = replacement(in_conflict(postfix, "BoB.X@Dest.example"), "BoB.X@Dest.example")
    assert spelling.partition("@")[0] == "BoB.X"


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
    _, parameters = replacement(in_conflict(postfix, "bob@dest.example", given), "bob@dest.example")
    assert parameters == expected


@pytest.mark.parametrize(
    "address, orcpt",
    [
        ('"quo ted"@dest.example', 'rfc822;"quo+20ted"@dest.example'),
        ("a+b=c@dest.example", "rfc822;a+2Bb+3Dc@dest.example"),
        ("j\u00f6rg@dest.example", "rfc822;j+C3+B6rg@dest.example"),
    ],
)
def test_the_original_recipient_is_written_as_xtext(postfix, address, orcpt):
    spelling, parameters = replacement(in_conflict(postfix, address), address)
    assert spelling.startswith(address.rpartition("@")[0] + "@")
    assert parameters == "ORCPT=" + orcpt


def test_what_is_deleted_is_what_the_client_gave_and_what_is_added_what_postfix_made_of_it(postfix):
    postfix.resolved["bob"] = "bob@gateway.example"
    result = in_conflict(postfix, "bob")
    assert "<bob>" in [d.address for d in result.of_kind("delrcpt")]
    assert [a.address.lower() for a in result.of_kind("addrcpt_par")][-1] == "bob@gateway.example"
    assert result.of_kind("addrcpt_par")[-1].params == "ORCPT=rfc822;bob"


@pytest.mark.parametrize("literal", ["u@[192.0.2.7]", "u@[IPv6:2001:db8::1]", "u@1.2"])
@pytest.mark.parametrize("priority, route", [(4, "4"), (1, "2")])
def test_where_there_is_no_other_spelling_all_goes_by_the_filter_at_the_highest(
    postfix, literal, priority, route
):
    result = in_conflict(postfix, literal, priority=priority)
    assert [(m.kind, m.name, m.value) for m in result.modifications] == [
        ("addheader", ROUTE_HEADER, route)
    ]
    assert result.decision.way == "filter"


def test_where_all_spellings_are_in_use_all_goes_by_the_filter_at_the_highest(postfix):
    for number, spelling in enumerate(["u@1.cn", "u@1.Cn", "u@1.cN", "u@1.CN"]):
        use(postfix, spelling, number)
    message = Message(to=["u@1.cn"], cc=["other@dest.example"], to_priority=4, cc_priority=1)
    result = send(postfix, message)
    assert [(m.kind, m.value) for m in result.modifications] == [("addheader", "4")]
    lower = Message(to=["u@1.cn"], cc=["other@dest.example"], to_priority=3, cc_priority=1)
    result = send(postfix, lower)  # the spelling of its priority is still there
    assert replacement(result, "u@1.cn")[0] == "u@1.CN"


@pytest.mark.parametrize("second", ["bob@dest.example", "bob@DEST.example"])
def test_a_recipient_that_is_given_twice_arrives_once_after_a_respelling(postfix, second):
    use(postfix, "bob@dest.example", 0)
    use(postfix, "bob@DEST.example", 0)
    message = Message(to=["bob@dest.example", second], cc=["carl@dest.example"], to_priority=4)
    after = send(postfix, message).recipients_after(message.recipients)
    assert sorted(map(str.lower, after)) == ["bob@dest.example", "carl@dest.example"]


COPIES = [
    [],
    [(ROUTE_HEADER, "4")],
    [(ROUTE_HEADER, "4"), (ROUTE_HEADER, "3"), (ROUTE_HEADER, "")],
    [("x-peg-route", "4"), ("X-PEG-ROUTE", "0\n\t4"), ("X-Peg-Router", "1"), ("X-peg-Route", "\n")],
]


def deletions(headers):
    count = sum(name.lower() == ROUTE_HEADER.lower() for name, _ in headers)
    return [("chgheader", index, "") for index in range(count, 0, -1)]


def split(result):
    """The changes to existing headers, and the kinds of all others."""
    changes = result.of_kind("chgheader")
    assert all(c.name == ROUTE_HEADER for c in changes)
    rest = [m.kind for m in result.modifications if m.kind != "chgheader"]
    return [(c.kind, c.index, c.value) for c in changes], rest


@pytest.mark.parametrize("copies", COPIES)
def test_the_clients_own_route_headers_are_deleted_from_mail_that_is_else_untouched(
    postfix, copies
):
    result = send(postfix, Message(to=["bob@dest.example"], to_priority=1), copies)
    assert split(result) == (deletions(copies), [])


@pytest.mark.parametrize("copies", COPIES)
def test_the_clients_own_route_headers_are_deleted_before_ours_is_added(postfix, copies):
    use(postfix, "bob@dest.example", 0)
    result = send(postfix, Message(to=["bob@dest.example"], to_priority=1), copies)
    assert split(result) == (deletions(copies), ["addheader"])
    assert result.modifications[-1].value == "1"


@pytest.mark.parametrize("copies", COPIES)
def test_the_clients_own_route_headers_are_deleted_from_mail_that_is_respelled(postfix, copies):
    use(postfix, "bob@dest.example", 0)
    message = Message(to=["bob@dest.example"], cc=["carl@dest.example"], to_priority=1)
    changes, rest = split(send(postfix, message, copies))
    assert changes == deletions(copies)
    assert {"addrcpt_par", "delrcpt"} == set(rest)
