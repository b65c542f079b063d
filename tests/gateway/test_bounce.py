"""The bounce event: BOUNCE_COMMAND runs when a Postfix returns a message to its sender."""

import email
import pwd
import re

import pytest

from harness.gateway import Gateway
from harness.recorder import Recorder

REFUSED = "550 5.1.1 no such user"
NAMES = {"INSTANCE", "PRIORITY", "QUEUE_ID", "SENDER", "RECIPIENTS", "REASON", "COUNT"}


@pytest.fixture(scope="module", name="bouncing")
def gateway_of_these_tests():
    gateway = Gateway()
    gateway.recorder = Recorder(gateway.root)
    gateway.words = gateway.recorder.command + " $PEG_BOUNCE_SENDER 'a b' \"r=$PEG_BOUNCE_RECIPIENTS\""
    gateway.conf = {
        "BOUNCE_COMMAND_DEFAULT": gateway.words,
        "BOUNCE_COMMAND_FRONTEND": gateway.recorder.command,
        "BOUNCE_COMMAND_LIMIT": 1000,
        "MAXIMAL_QUEUE_LIFETIME[1]": "2s",
        "QUEUE_RUN_DELAY[1]": "1s",
    }
    with gateway:
        gateway.write_conf(gateway.conf)
        gateway.gen("apply")
        yield gateway


@pytest.fixture(autouse=True)
def own_calls_only(bouncing):
    bouncing.recorder.clear()
    yield
    bouncing.write_conf(bouncing.conf)


def handled(gateway, count=1, instance="postfix4"):
    """Wait until local(8) is done with so many notices."""
    pattern = r"%s/local\S+: .*relay=peg-bounce,.*status=(\w+)" % instance
    return [match.group(1) for match in gateway.log.wait_for_several(pattern, count)]


def settled(gateway):
    """Wait until all queues are empty, so that nothing can run any more."""
    gateway.wait_until_empty()
    return gateway.recorder.calls()


def queue_id(gateway, instance, sent):
    """The queue ID that a message had in an instance."""
    pattern = r"postfix%d/smtpd\S+: (\w+): client=.*orig_queue_id=%s" % (instance, sent.queue_id)
    return gateway.log.wait_for(pattern).group(1)


def test_a_message_that_is_returned_runs_the_command_once_with_all_that_is_known(bouncing):
    bouncing.relay.refuse_recipient("^(bob|carol)@", REFUSED)
    sent = bouncing.send(
        to=["bob@dest.example", "dan@dest.example", "carol@dest.example"], priority_header="1"
    )
    (call,) = settled(bouncing) or bouncing.recorder.wait_for(1)
    assert set(call.facts) == NAMES and set(call.environment) - {"LC_CTYPE"} == {
        "PEG_BOUNCE_" + name for name in NAMES
    } | {"PATH"}
    assert call.facts["INSTANCE"] == "postfix4" and call.facts["PRIORITY"] == "4"
    assert call.facts["QUEUE_ID"] == queue_id(bouncing, 4, sent)
    assert call.facts["SENDER"] == "alice@source.example" and call.facts["COUNT"] == "1"
    assert sorted(call.recipients) == ["bob@dest.example", "carol@dest.example"]
    assert call.facts["REASON"] == "\n".join(["5.1.1 " + REFUSED] * 2)
    assert call.argv == ["alice@source.example", "a b", "r=" + call.facts["RECIPIENTS"]]
    notice = email.message_from_string(call.notice)
    assert notice.get_content_type() == "multipart/report"
    assert [part.get_content_type() for part in notice.get_payload()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert "X-Test-Tag: " + sent.tag in call.notice
    assert "Message " + sent.tag not in call.notice


def test_the_command_runs_without_rights_and_no_shell_is_near(bouncing):
    bouncing.relay.refuse_recipient("bob", REFUSED)
    bouncing.send(to=["bob@dest.example"])
    (call,) = bouncing.recorder.wait_for(1)
    nobody = pwd.getpwnam("nobody")
    assert call.uids == [nobody.pw_uid] * 3 + [nobody.pw_gid] * 4
    assert call.capabilities == 0
    assert call.parents[:3] == ["peg-bounce", "local", "master"]


@pytest.mark.parametrize(
    "sender, recipient, reply",
    [
        ('"$(id)`id`;%s"@source.example', '"$(touch /tmp/x)\'"@dest.example', "550 $(id) `id` \"';|&"),
        ('"a\\"b c"@source.example', '"%n%s | x"@dest.example', "550 5.1.1 %s%n \x01\x1b[31m\x7f"),
        ("a-rf@source.example", "a+b=c/d@dest.example", "550-5.7.1 one\r\n550 5.7.1 two $HOME"),
    ],
)
def test_hostile_text_arrives_as_text(bouncing, sender, recipient, reply):
    bouncing.relay.refuse_recipient("@dest", reply)
    bouncing.send(to=[recipient], sender=sender, to_header="x@y.example", priority_header="1")
    (call,) = bouncing.recorder.wait_for(1)
    assert call.facts["SENDER"] == sender
    assert call.argv == [sender, "a b", "r=" + call.facts["RECIPIENTS"]]
    assert call.facts["RECIPIENTS"] == recipient
    reason = call.facts["REASON"]
    assert all(char >= " " and char != "\x7f" for char in reason)
    for word in re.findall(r"[!-~]+", reply.replace("550-", "")):
        assert word in reason


def test_a_message_that_is_too_old_is_returned_as_well(bouncing):
    bouncing.relay.refuse_recipient("emil", "451 4.3.0 later")
    sent = bouncing.send(to=["emil@dest.example"], priority_header="4")
    (call,) = bouncing.recorder.wait_for(1)
    assert call.facts["PRIORITY"] == "1" and call.recipients == ["emil@dest.example"]
    assert call.facts["QUEUE_ID"] == queue_id(bouncing, 1, sent)
    assert call.facts["REASON"] == "4.3.0 451 4.3.0 later"


def test_the_frontend_has_a_command_of_its_own(bouncing):
    bouncing.ctl("stop", "3")
    try:
        sent = bouncing.send(to=["fred@dest.example"], priority_header="2")
        bouncing.log.wait_for("%s: to=<fred@dest.example>.*status=deferred" % sent.queue_id)
        bouncing.postsuper("frontend", "-e", sent.queue_id)
        bouncing.flush("frontend")
        (call,) = bouncing.recorder.wait_for(1)
    finally:
        bouncing.ctl("start", "3")
    assert call.facts["INSTANCE"] == "postfix-frontend" and call.facts["PRIORITY"] == ""
    assert call.facts["QUEUE_ID"] == sent.queue_id and call.argv == []
    assert call.recipients == ["fred@dest.example"]


def test_mail_without_a_sender_goes_back_to_nobody(bouncing):
    bouncing.relay.refuse_recipient("bob", REFUSED)
    bouncing.send(to=["bob@dest.example"], sender="", priority_header="1")
    bouncing.log.wait_for(r"postfix4/discard\S+: \w+: to=<nobody@postfix4.invalid>")
    assert settled(bouncing) == [] and bouncing.relay.deliveries == []


def test_what_others_send_to_the_address_is_returned_and_runs_nothing(bouncing):
    genuine = (
        b"Received: by mail.gateway.example (postfix4)\r\n\tid 4ABC; Thu, 1 Jan 2026 12:00:00\r\n"
        b"Content-Type: multipart/report; boundary=b\r\nX-Priority: 1\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nX-postfix4-Queue-ID: 4ABC\r\n"
        b"X-postfix4-Sender: rfc822; eve@source.example\r\n\r\n"
        b"Final-Recipient: rfc822; bob@dest.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    bouncing.send(to=["bouncemanager@postfix4.invalid"], content=genuine)
    assert settled(bouncing) == []
    assert handled(bouncing)[0] == "bounced"
    bouncing.log.wait_for(r"peg-bounce\S+ warning: postfix4: mail from=<alice@source.example> is r")
    (returned,) = bouncing.relay.wait_for(1)
    assert returned.recipient == "alice@source.example"
    assert b"takes notices of its own mail system alone" in b" ".join(returned.content.split())


def test_a_sender_that_claims_the_address_has_the_command_run_once_all_the_same(bouncing):
    bouncing.relay.refuse_recipient("bob", REFUSED)
    bouncing.send(
        to=["bob@dest.example"], sender="bouncemanager@postfix4.invalid", priority_header="1"
    )
    assert handled(bouncing, count=2) == ["sent"] * 2  # what went back to the sender, and the notice
    (call,) = settled(bouncing)
    assert call.facts["SENDER"] == "bouncemanager@postfix4.invalid"


def test_mail_that_is_handed_in_here_runs_nothing_either(bouncing):
    bouncing.sendmail(
        "-f", "eve@source.example", "bouncemanager@postfix-frontend.invalid",
        stdin="Received: by mail.gateway.example (postfix-frontend)\n\tid 4ABC; x\n\nx\n",
    )
    assert handled(bouncing, instance="postfix-frontend")[0] == "bounced"
    assert settled(bouncing) == []


def test_bouncemanager_elsewhere_is_an_address_like_any_other(bouncing):
    sent = bouncing.send(to=["bouncemanager@origin.example", "bouncecommand@dest.example"])
    assert set(bouncing.delivered(sent).values()) == {2}
    assert settled(bouncing) == []


@pytest.mark.parametrize(
    "words, said",
    [
        ("/bin/false", "command ended with status 1"),
        ("/no/such/program", "/no/such/program cannot be run: No such file or directory"),
        ("/etc/passwd", "/etc/passwd cannot be run: "),
        ("sh -c 'kill -9 $$; echo'", "command was killed by signal 9"),
        ("printf '\\nout: %s'  $PEG_BOUNCE_COUNT", "status 0, output: .out: 1"),
    ],
)
def test_whatever_the_command_does_is_logged_and_the_notice_is_done_with(bouncing, words, said):
    bouncing.write_conf(dict(bouncing.conf, BOUNCE_COMMAND_DEFAULT=words))
    bouncing.relay.refuse_recipient("bob", REFUSED)
    bouncing.send(to=["bob@dest.example"], priority_header="1")
    bouncing.log.wait_for(r"peg-bounce\S+ .*postfix4: bounce of \w+: .*" + said)
    assert handled(bouncing) == ["sent"]
    bouncing.wait_until_empty()


def test_without_a_command_nothing_runs_and_nothing_leaves(bouncing):
    bouncing.write_conf({})
    bouncing.relay.refuse_recipient("bob", REFUSED)
    sent = bouncing.send(to=["bob@dest.example"], priority_header="1")
    assert handled(bouncing) == ["sent"]
    assert settled(bouncing) == []
    assert [d.recipient for d in bouncing.relay.deliveries] == [sent.sender]
    assert bouncing.log.find("peg-bounce.*(warning|error)") == []


def test_check_names_a_program_that_is_not_there(bouncing):
    bouncing.write_conf({"BOUNCE_COMMAND[4]": "nosuchprogram x"})
    done = bouncing.gen("check")
    assert "the bounce command of postfix4: there is no program nosuchprogram in " in done.stderr


def test_while_the_settings_cannot_be_read_the_event_waits(bouncing):
    bouncing.write_conf("BOUNCE_COMMAND_DEFAULT='a | b'\n")
    bouncing.relay.refuse_recipient("bob", REFUSED)
    bouncing.send(to=["bob@dest.example"], priority_header="1")
    assert handled(bouncing) == ["deferred"]
    assert bouncing.log.find(r'conf:1: BOUNCE_COMMAND_DEFAULT = "a \| b": "\|" is for a shell')
    assert bouncing.gen("check", check=False).returncode == 1
    bouncing.write_conf(bouncing.conf)
    bouncing.flush(4)
    assert len(bouncing.recorder.wait_for(1)) == 1
