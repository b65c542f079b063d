"""Which routing key a recipient has, where {rcpt_addr} says what Postfix made of its address."""

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

OTHER = "other@dest.example"


@pytest.fixture(name="milter")
def milter_by_number(make_milter):
    return make_milter(rules=RULES_BY_NUMBER)


def mail_for(given, address, to_priority=4, mixed=False):
    """A Message for one recipient that stands in To, and in a mixed one for another of Cc."""
    message = Message(to=[given], cc=[OTHER] if mixed else [], to_priority=to_priority)
    message.headers[-1] = ("To", address)
    return message


def filtered(result, priority):
    """The message goes by filter, and nothing else is changed in it."""
    headers = [(h.name, h.value) for h in result.of_kind("addheader")]
    assert len(result.modifications) == len(headers)
    return result.decision.way == "filter" and headers == [(ROUTE_HEADER, str(priority))]


EXACT = [
    ("Bob@DEST.Example", "Bob@DEST.Example"),
    ("BOB@dest.example", "BOB@dest.example"),
    ("Bob@Dest.Example.", "Bob@Dest.Example"),
    ('"Bob"@Dest.Example', "Bob@Dest.Example"),
    ('"Quo Ted"@Dest.Example', '"Quo Ted"@Dest.Example'),
    ("B\\ob@Dest.Example", "Bob@Dest.Example"),
    ("@Relay.Example:Bob@Dest.Example", "Bob@Dest.Example"),
    ("Bob (the builder) @ Dest.Example", "Bob@Dest.Example"),
    ("Bob%Dest.Example", "Bob@Dest.Example"),
    ("Dest.Example!Bob", "Bob@Dest.Example"),
    ("Bob%Dest.Example@[127.0.0.1]", "Bob@Dest.Example"),
    ("J\u00d6RG@Dest.Example", "J\u00d6RG@Dest.Example"),
    ("Bob@Stra\u00dfe.Example", "Bob@Stra\u00dfe.Example"),
    ("u@[IPv6:2001:DB8::1]", "u@[IPv6:2001:DB8::1]"),
]


@pytest.mark.parametrize("given, key", EXACT)
def test_the_letters_of_the_key_are_those_that_the_client_gave(postfix, given, key):
    postfix.resolved[given] = key
    use(postfix, key, 0)
    assert filtered(send(postfix, mail_for(given, key, 4)), 4)
    assert send(postfix, mail_for(given, key, 0)).decision.way == "plain"


@pytest.mark.parametrize("given, key", EXACT)
def test_the_folded_address_is_the_key_of_others(postfix, given, key):
    postfix.resolved[given] = key
    folded = key.casefold()
    assert folded != key
    result = send(postfix, mail_for(given, key, 4))
    assert result.decision.way == "plain" and result.modifications == []
    use(postfix, folded, 0)
    use(postfix, key, 4)


@pytest.mark.parametrize("given, key", EXACT[:-1])
def test_who_is_replaced_keeps_the_letters_of_the_local_part(postfix, given, key):
    postfix.resolved[given] = key
    use(postfix, key, 0)
    result = send(postfix, mail_for(given, key, 4, mixed=True))
    asked = requests(result)
    assert [len(request) for request in asked] == [2, 1, 2, 1] and result.decision.way == "respell"
    assert asked[1] == (given.rpartition(":")[2],)
    for spelling, *_ in (asked[0], asked[2]):
        assert spelling != key and spelling.lower() == key.lower()
        assert spelling.rpartition("@")[0] == key.rpartition("@")[0]


MAILBOX = [  # argument of RCPT, what Postfix made of it, and the ORCPT that Postfix would make
    ("Bob", "Bob@gateway.example", "Bob"),
    ('"Quo Ted"', '"Quo Ted"@gateway.example', '"Quo+20Ted"'),
    ("Bob@Host", "Bob@Host.gateway.example", "Bob@Host"),
    ("Bob@", "Bob@gateway.example", "Bob@"),
    ("j\u00f6rg", "j\u00f6rg@gateway.example", "j+C3+B6rg"),
    ("@relay.example:Bob", "Bob@gateway.example", "@relay.example:Bob"),
    ("Bob%Host", "Bob@Host.gateway.example", "Bob%Host"),
]


@pytest.mark.parametrize("given, address, _orcpt", MAILBOX)
def test_an_address_that_postfix_completed_is_never_claimed_plainly(
    postfix, given, address, _orcpt
):
    postfix.resolved[given] = address
    for priority in (4, 4, 0):
        assert filtered(send(postfix, mail_for(given, address, priority)), priority)
    use(postfix, address, 1)


@pytest.mark.parametrize("given, address, orcpt", MAILBOX)
def test_an_address_that_postfix_completed_is_put_in_its_place_in_a_mixed_message(
    postfix, given, address, orcpt
):
    postfix.resolved[given] = address
    message = mail_for(given, address, 4, mixed=True)
    result = send(postfix, message)
    never_lost(message.recipients, result, postfix.resolved)
    spelling, parameters = replacement(result, given.rpartition(":")[2], address)
    assert spelling == address and parameters == "ORCPT=rfc822;" + orcpt
    assert filtered(send(postfix, mail_for(address, address, 0)), 0)  # it is claimed


def test_a_completed_address_that_is_in_use_is_respelled(postfix):
    postfix.resolved["Bob"] = "Bob@gateway.example"
    use(postfix, "Bob@gateway.example", 0)
    result = send(postfix, mail_for("Bob", "Bob@gateway.example", 4, mixed=True))
    never_lost(["Bob", OTHER], result, postfix.resolved)
    spelling, _ = replacement(result, "Bob", "bob@gateway.example")
    assert spelling != "Bob@gateway.example" and spelling.startswith("Bob@")


def test_a_recipient_that_was_completed_is_replaced_beside_one_in_conflict(postfix):
    postfix.resolved["Bob"] = "Bob@gateway.example"
    use(postfix, "carl@dest.example", 0)
    message = Message(to=["Bob", "carl@dest.example"], cc=[OTHER], to_priority=4)
    message.headers[-1] = ("To", "bob@gateway.example, carl@dest.example")
    result = send(postfix, message)
    never_lost(message.recipients, result, postfix.resolved)
    asked = requests(result)
    assert asked[1] == ("Bob",) and asked[5] == ("carl@dest.example",) and len(asked) == 8


GUESS = [
    ("Bob", "root@gateway.example"),
    ("J\u00d6RG", "j\u00f6rg@gateway.example"),
    ("bob@localhost", "bob@gateway.example"),
    ("Bob%Dest.Example@Gateway.Example", "Bob@Dest.Example"),  # the queue manager keeps it
    ("bob@dest.example", "bob@elsewhere.example"),
    ("bob@dest.example", "robert@dest.example"),
    ("bob@dest", "robert@elsewhere.example"),
    ("a!b!bob", "c@dest.example"),
    ("bob@dest.example", ""),
]


@pytest.mark.parametrize("given, address", GUESS)
@pytest.mark.parametrize("priority, highest", [(4, 4), (0, 2)])
def test_what_postfix_made_something_else_of_goes_by_the_filter_at_the_highest(
    postfix, given, address, priority, highest
):
    postfix.resolved[given] = address
    message = mail_for(given, address or given, priority, mixed=True)
    assert filtered(send(postfix, message), highest)
    message = mail_for(given, address or given, priority)
    assert filtered(send(postfix, message), priority)


def test_a_guess_takes_all_recipients_of_its_message_to_the_filter(postfix):
    postfix.resolved["Bob"] = "root@gateway.example"
    use(postfix, "carl@dest.example", 0)
    message = Message(to=["carl@dest.example"], cc=["Bob", OTHER], to_priority=3)
    assert filtered(send(postfix, message), 3)


def test_where_there_is_no_macro_the_argument_is_the_key(postfix):
    stages = postfix.negotiated.macros
    for names in stages.values():
        names[:] = [name for name in names if name != "{rcpt_addr}"]
    use(postfix, "Bob@DEST.Example", 0)
    use(postfix, "bob@dest.example", 4)
    assert filtered(send(postfix, mail_for("Bob@DEST.Example", "Bob@DEST.Example", 4)), 4)
