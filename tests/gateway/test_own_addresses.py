"""Addresses that the template knows: the frontend takes and refuses what it did, and maps nothing."""

import os
import re
import subprocess

import pytest

from harness.changes import check
from harness.gateway import Gateway
from harness.mail import rcpt
from harness.template import MYORIGIN
from harness.urgent import FLASH

STRANGER = "127.0.0.9"  # not in mynetworks
TEMPLATE = {
    "mynetworks": "127.0.0.1/32 [::1]/128",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "mydestination": "own.example, " + MYORIGIN,
    "local_recipient_maps": "inline:{bob=x, amy=x, moved=x}",
    "virtual_alias_domains": "alias.example",
    "virtual_alias_maps": "texthash:$config_directory/maps/virtual",
    "virtual_mailbox_domains": "box.example",
    "virtual_mailbox_maps": "inline:{carol@box.example=x}",
    "relay_domains": "relayed.example",
    "relay_recipient_maps": "inline:{dan@relayed.example=x}",
    "smtpd_reject_unlisted_sender": "yes",
    "sender_canonical_maps": "inline:{former@own.example=bob@own.example}",
    "canonical_maps": "inline:{old@own.example=bob@own.example}",
    "recipient_canonical_maps": "inline:{older@own.example=amy@own.example}",
    "relocated_maps": "inline:{moved@own.example=moved@new.example}",
}
KNOWN = {  # and what an instance makes of it
    "bob@own.example": "bob@own.example",
    "amy": "amy@" + MYORIGIN,
    "sales@alias.example": "bob@own.example",
    "info@own.example": "amy@far.example",
    "carol@box.example": "carol@box.example",
    "dan@relayed.example": "dan@relayed.example",
    "old@own.example": "bob@own.example",
    "older@own.example": "amy@own.example",
    # smtpd finds another address in these than the queue manager does.
    "bob%own.example@own.example": "bob@own.example",
    '"dan@relayed.example"@own.example': "dan@relayed.example",
    "relayed.example!dan@own.example": "dan@relayed.example",
    "carol%box.example@own.example": "carol@box.example",
    "bob@[127.0.0.1]": "bob@[127.0.0.1]",
}
VIRTUAL = "sales@alias.example bob@own.example\ninfo@own.example amy@far.example\n"
REFUSED = {
    "nobody@own.example": "550 5.1.1 .*local recipient table",
    "nobody": "550 5.1.1 .*local recipient table",
    "nobody@alias.example": "550 5.1.1 .*virtual alias table",
    "nobody@box.example": "550 5.1.1 .*virtual mailbox table",
    "nobody@relayed.example": "550 5.1.1 .*relay recipient table",
    "moved@own.example": "550 5.1.6 .*new.example",
    "eve@far.example": "554 5.7.1 .*Relay access denied",
    "eve%far.example@own.example": "554 5.7.1 .*Relay access denied",
    "far.example!eve@own.example": "554 5.7.1 .*Relay access denied",
}


@pytest.fixture(scope="module", name="own")
def gateway_made_from_a_server_with_addresses_of_its_own():
    conf = dict(TEMPLATE)
    gateway = Gateway(template_conf=conf)
    for name in ("local_transport", "virtual_transport"):
        conf[name] = "smtp:[127.0.0.1]:%d" % gateway.ports.relay
    os.makedirs(gateway.path("etc/postfix/maps"))
    with open(gateway.path("etc/postfix/maps/virtual"), "w") as table:
        table.write(VIRTUAL)
    with gateway:
        yield gateway


@pytest.mark.parametrize("address", KNOWN)
def test_what_the_template_knows_is_taken_and_goes_by_its_priority(own, address):
    with own.sender(client=STRANGER) as stranger:
        sent = stranger.send(to=[rcpt(address, arrives_as=KNOWN[address])], headers=FLASH)
    assert own.delivered(sent) == {address: 4}
    own.log.wait_for(r"postfix-frontend/smtp\S+: %s: to=<%s[@>]" % (sent.queue_id, re.escape(address)))


@pytest.mark.parametrize("address", REFUSED)
def test_what_it_does_not_know_is_refused_at_once(own, address):
    with own.sender(client=STRANGER) as stranger:
        sent = stranger.send(to=[address], check=False)
    (reply,) = sent.rcpt_replies
    assert re.match(REFUSED[address], str(reply)), reply


def test_a_sender_whose_address_is_mapped_is_taken(own):
    to = rcpt("bob@own.example")
    with own.sender(client=STRANGER) as stranger:
        sent = stranger.send(to=[to], sender="former@own.example", headers=FLASH)
        refused = stranger.send(to=[to], sender="nobody@own.example", check=False)
    assert own.delivered(sent) == {to.address: 4}
    assert refused.rcpt_replies[0].text.startswith("5.1.0 "), refused.rcpt_replies


def test_local_programs_reach_addresses_of_all_kinds(own):
    own.sendmail("-f", "alice@source.example", *KNOWN, stdin="X-Priority: 1\n\ntest\n")
    arrived = {(found.recipient, found.instance) for found in own.relay.wait_for(len(KNOWN))}
    assert arrived == {(address, 4) for address in KNOWN.values()}


def test_nothing_is_amiss_and_an_option_that_maps_is_set_back(own):
    assert check(own) == (0, [])
    assert own.gen("diff").stdout == "nothing to change\n"
    option = "cleanup/unix/virtual_alias_maps"
    master = ["postconf", "-c", own.config_dir("frontend")]
    subprocess.run(master + ["-Pe", option + "=inline:{a=b}"], check=True)
    assert option + " = (was: inline:{a=b})" in own.gen("diff").stdout
    own.gen("apply")
    done = subprocess.run(master + ["-P", option], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().split() == [option, "="]


def test_what_an_earlier_version_left_empty_stays_empty(own):
    path = own.config_dir("frontend") + "/main.cf"
    mark = "# peg-gen: from /etc/priority-email-gateway.conf; what is changed here is set back\n"
    own.set_postfix_conf("frontend", "mydestination", "")
    with open(path) as file:
        text = file.read()
    try:
        with open(path, "w") as file:
            file.write(text.replace("mydestination =", mark + "mydestination ="))
        own.gen("apply")
        with open(path) as file:
            assert file.read() == text
    finally:
        own.set_postfix_conf("frontend", "mydestination", TEMPLATE["mydestination"])
        own.gen("apply")
