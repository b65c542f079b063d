"""The envelope that the relay receives is the one that was sent, whichever way a message goes.

So for the addresses, the parameters of MAIL and RCPT, and what the instance knows of the client.
"""

import string

import pytest

from harness import ways
from harness.mail import DEFAULT_SENDER, Recipient, compose, new_tag

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@pytest.fixture(name="gateway")
def gateway_with_rules_for_ways(with_rules):
    """The shared gateway, with ways.RULES."""
    return with_rules(ways.RULES)


def each_way(test):
    return pytest.mark.parametrize("way", ways.ALL, ids=repr)(test)


def arrivals(gateway, sent):
    """[(Recipient as sent, its Delivery)], the urgent one first."""
    found = {d.recipient.translate(LOWER): d for d in gateway.arrived(sent)}
    return [(r, found[(r.arrives_as or r.address).translate(LOWER)]) for r in sent.recipients]


# Addresses


@each_way
def test_recipients_are_spelled_as_sent_but_for_the_domain_where_it_must_be_respelled(gateway, way):
    sent = way.send(gateway)
    for recipient, delivery in arrivals(gateway, sent):
        if way is ways.RESPELL and recipient is sent.recipients[0]:
            local, _, domain = recipient.address.rpartition("@")
            arrived_local, _, arrived_domain = delivery.recipient.rpartition("@")
            assert arrived_local == local
            assert arrived_domain != domain
            assert arrived_domain.translate(LOWER) == domain.translate(LOWER)
        else:
            assert delivery.recipient == recipient.address


SENDERS = {
    "an ordinary one": "alice@source.example",
    "none": "",
    "mixed case": "Alice+X=y@Source.Example",
    "quoted": '"al ice"@source.example',
    "UTF-8": "j\u00f6@source.example",
    "literal": "alice@[203.0.113.8]",
    "variable": "bounce+urgent=dest.example@source.example",
}


@each_way
@pytest.mark.parametrize("address", SENDERS.values(), ids=SENDERS.keys())
def test_the_sender_stays(gateway, way, address):
    sent = way.send(gateway, sender=address)
    assert {delivery.sender for delivery in gateway.arrived(sent)} == {address}


# Parameters of RCPT

NOTIFY = ("NEVER", "SUCCESS", "FAILURE", "DELAY", "SUCCESS,FAILURE,DELAY")
ORCPT = {
    "rfc822": "rfc822;Orig@Source.Example",
    "xtext": "rfc822;a+2Bb+3Dc+20d@source.example",
    "another type": "x400;/c+3Dxx/",
}


@each_way
@pytest.mark.parametrize("notify", NOTIFY)
def test_notify_reaches_the_relay(gateway, way, notify):
    sent = way.send(gateway, params=["NOTIFY=" + notify])
    for recipient, delivery in arrivals(gateway, sent):
        assert delivery.params == {"NOTIFY": notify, "ORCPT": "rfc822;" + recipient.address}


@each_way
@pytest.mark.parametrize("orcpt", ORCPT.values(), ids=ORCPT.keys())
def test_an_original_recipient_reaches_the_relay(gateway, way, orcpt):
    sent = way.send(gateway, params=["ORCPT=" + orcpt])
    assert [d.params for d in gateway.arrived(sent)] == [{"ORCPT": orcpt}] * len(sent.recipients)


@each_way
def test_an_original_recipient_in_utf_8_reaches_the_relay(gateway, way):
    orcpt = "utf-8;j\\x{F6}@source.example"
    sent = way.send(gateway, params=["ORCPT=" + orcpt])
    assert [d.params for d in gateway.arrived(sent)] == [{"ORCPT": orcpt}] * len(sent.recipients)


@each_way
def test_the_original_recipient_is_the_address_as_sent_where_the_client_gave_none(gateway, way):
    sent = way.send(gateway)
    for recipient, delivery in arrivals(gateway, sent):
        assert delivery.params == {"ORCPT": "rfc822;" + recipient.address}


@each_way
def test_both_reach_the_relay_however_they_are_written(gateway, way):
    sent = way.send(gateway, params=["orcpt=rfc822;Orig@X", "notify=delay,failure"])
    for delivery in gateway.arrived(sent):
        assert delivery.params["ORCPT"] == "rfc822;Orig@X"
        assert set(delivery.params["NOTIFY"].split(",")) == {"FAILURE", "DELAY"}


@each_way
def test_each_recipient_keeps_its_own_parameters(gateway, way):
    own = (["NOTIFY=NEVER"], ["NOTIFY=FAILURE", "ORCPT=rfc822;Orig@X"])
    recipients = [Recipient(r.address, params) for r, params in zip(way.recipients(), own)]
    way.prepare(gateway, recipients)
    sent = gateway.send(bcc=recipients)
    way.check(gateway, sent)
    first, *second = (delivery.params for _, delivery in arrivals(gateway, sent))
    assert first == {"NOTIFY": "NEVER", "ORCPT": "rfc822;" + recipients[0].address}
    for params in second:
        assert params == {"NOTIFY": "FAILURE", "ORCPT": "rfc822;Orig@X"}


@each_way
def test_an_address_with_special_letters_is_the_original_recipient_in_xtext(gateway, way):
    urgent, *others = way.recipients()
    domain = urgent.address.rpartition("@")[2]
    tag = new_tag()
    urgent = Recipient('"Urgent. a+b=%s"@%s' % (tag, domain))
    way.prepare(gateway, [urgent])
    sent = gateway.send(bcc=[urgent] + others)
    way.check(gateway, sent)
    _, delivery = arrivals(gateway, sent)[0]
    assert delivery.params == {"ORCPT": 'rfc822;"Urgent.+20a+2Bb+3D%s"@%s' % (tag, domain)}


# Parameters of MAIL

MAIL = {
    "RET=HDRS": {"RET": "HDRS"},
    "RET=FULL": {"RET": "FULL"},
    "ENVID=a+2Bb@c": {"ENVID": "a+2Bb@c"},
    "RET=HDRS ENVID=Q1": {"RET": "HDRS", "ENVID": "Q1"},
    "BODY=8BITMIME": {"BODY": "8BITMIME"},
    "BODY=7BIT": {"BODY": "7BIT"},
    "SMTPUTF8": {"SMTPUTF8": None},
    "BODY=8BITMIME SMTPUTF8 RET=FULL": {"BODY": "8BITMIME", "SMTPUTF8": None, "RET": "FULL"},
    "SIZE=1000": {},
}


@each_way
@pytest.mark.parametrize("params", MAIL)
def test_parameters_of_the_message_reach_the_relay(gateway, way, params):
    sent = way.send(gateway, mail_params=params.split())
    for delivery in gateway.arrived(sent):
        others = {n: value for n, value in delivery.sender_params.items() if n != "SIZE"}
        assert others == MAIL[params]


# The client


@each_way
def test_the_instance_s_log_shows_the_client(gateway, way):
    sent = way.send(gateway, client="127.0.0.9")
    for instance in set(way.instances):
        line = r"postfix%d/smtpd\[\d+\]: \w+: client=.*, orig_queue_id=%s, orig_client=(\S+)"
        client = gateway.log.wait_for(line % (instance, sent.queue_id)).group(1)
        assert client == "unknown[127.0.0.9]"


# Mail that is not handed in by SMTP


def hand_in(gateway, recipients, *options, **message):
    """Hand in a message by sendmail(1); its deliveries, in the order of the recipients."""
    tag = new_tag()
    content = compose(tag, **message).replace(b"\r\n", b"\n")
    gateway.sendmail("-f", DEFAULT_SENDER, *options, *recipients, stdin=content)
    gateway.relay.wait_for(len(recipients), tag=tag)
    gateway.wait_until_empty()
    found = {d.recipient.translate(LOWER): d for d in gateway.relay.deliveries_for(tag)}
    assert len(gateway.relay.deliveries_for(tag)) == len(recipients)
    return [found[address.translate(LOWER)] for address in recipients]


@each_way
def test_mail_that_sendmail_hands_in_goes_each_way(gateway, way):
    recipients = way.recipients()
    way.prepare(gateway, recipients)
    addresses = [recipient.address for recipient in recipients]
    found = hand_in(gateway, addresses, "-R", "hdrs", headers=[("X-Peg-Route", "0")])
    line = "peg-milter.*: from=<%s>, .* way=(.*)" % DEFAULT_SENDER
    assert gateway.log.wait_for(line).group(1) == way.decision
    assert [delivery.instance for delivery in found] == way.instances
    for address, delivery in zip(addresses, found):
        assert delivery.recipient == address or way is ways.RESPELL
        assert delivery.sender == DEFAULT_SENDER and delivery.sender_params["RET"] == "HDRS"
        assert delivery.params == {"ORCPT": "rfc822;" + address}
        assert not delivery.headers("X-Peg-Route")


# Where a recipient must be respelled its NOTIFY is lost: of mail that sendmail hands in Postfix
# does not tell milters the parameters.
@pytest.mark.parametrize("way", (ways.PLAIN, ways.FILTER, ways.NO_SPELLING), ids=repr)
def test_notify_of_mail_that_sendmail_hands_in_reaches_the_relay(gateway, way):
    recipients = way.recipients()
    way.prepare(gateway, recipients)
    found = hand_in(gateway, [recipient.address for recipient in recipients], "-N", "never")
    assert [delivery.params["NOTIFY"] for delivery in found] == ["NEVER"] * len(recipients)


@pytest.mark.parametrize("header, instance", [("To", 1), ("Cc", 0), ("Bcc", 0)])
def test_mail_that_sendmail_hands_in_is_classified_by_its_headers(gateway, header, instance):
    assert gateway.reload_rules("X-Level /^urgent/ to 1\nX-Level /^urgent/ cc 0\n")
    address = "anna@%s.example" % new_tag()
    headers = [("X-Level", "urgent"), (header, address)]
    (delivery,) = hand_in(gateway, [address], headers=headers)
    assert delivery.instance == instance


def test_sendmail_may_find_the_recipients_in_the_headers(gateway):
    anna, bert = ("%s@Dest.Example" % (name + new_tag()) for name in ("Urgent.", "Routine."))
    gateway.sendmail("-t", stdin="X-Test-Tag: %s\nTo: %s\nBcc: %s\n\nbody\n" % (anna, anna, bert))
    found = gateway.relay.wait_for(2, tag=anna)
    assert {d.recipient: d.instance for d in found} == {anna: ways.URGENT, bert: ways.ROUTINE}
