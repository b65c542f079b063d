"""The ways that a message can go, and what is changed in it on each."""

import pytest
from claims_model import ROUTE_HEADER, RULES_BY_NUMBER, Message, replacement, send, use


@pytest.fixture(name="milter")
def milter_by_number(make_milter):
    return make_milter(rules=RULES_BY_NUMBER)


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


@pytest.mark.parametrize("literal", ["u@[192.0.2.7]", "u@[IPv6:2001:db8::1]", "u@1.2"])
@pytest.mark.parametrize("priority, route", [(4, "4"), (1, "2")])
def test_where_there_is_no_other_spelling_all_goes_by_the_filter_at_the_highest(
    postfix, literal, priority, route
):
    use(postfix, literal, 0)
    message = Message(to=[literal], cc=["other@dest.example"], to_priority=priority)
    result = send(postfix, message)
    assert [(m.kind, m.name, m.value) for m in result.modifications] == [
        ("addheader", ROUTE_HEADER, route)
    ]
    assert result.decision.way == "filter"


def test_who_names_a_probe_among_the_recipients_does_not_raise_the_others(postfix):
    use(postfix, "u@1.2", 0)
    probe = "x@priority-4.peg-probe.invalid"
    result = send(postfix, Message(to=["u@1.2"], cc=["other@dest.example", probe], to_priority=1))
    assert [(m.name, m.value) for m in result.modifications] == [(ROUTE_HEADER, "2")]


@pytest.mark.parametrize("sender, priority", [("", 4), ("eve@source.example", 1)])
def test_a_probe_has_no_sender_so_that_nothing_of_it_comes_back(postfix, sender, priority):
    recipient = "x@priority-4.peg-probe.invalid"
    result = postfix.send([recipient], [("Cc-Priority", "1")], sender=sender)
    assert result.decision.priorities == {priority: 1}


def test_where_all_spellings_are_in_use_all_goes_by_the_filter_at_the_highest(postfix):
    for number, spelling in enumerate(["u@1.cn", "u@1.Cn", "u@1.cN", "u@1.CN"]):
        use(postfix, spelling, number)
    message = Message(to=["u@1.cn"], cc=["other@dest.example"], to_priority=4, cc_priority=1)
    result = send(postfix, message)
    assert [(m.kind, m.value) for m in result.modifications] == [("addheader", "4")]
    lower = Message(to=["u@1.cn"], cc=["other@dest.example"], to_priority=3, cc_priority=1)
    result = send(postfix, lower)  # the spelling of its priority is still there
    assert replacement(result, "u@1.cn")[0] == "u@1.CN"


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
