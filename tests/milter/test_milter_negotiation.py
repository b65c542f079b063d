"""What peg-milter asks of Postfix, and what it does where less is offered."""

import pytest
from harness import milter_protocol as protocol
from harness.milter_client import ACCEPT, CONTINUE, MilterGone
from milter_process import shipped_rules

RULES = shipped_rules()
URGENT = "urgent@dest.example"  # with X-Priority: 1 always, as others without
ALL_COMMANDS = sorted(protocol.NOT_SENT)
WANTED = {protocol.MAIL, protocol.RCPT, protocol.HEADER}
NO_REPLIES = sum(protocol.NO_REPLY.values())
NEEDED = ["addheader", "chgheader", "addrcpt_par", "delrcpt"]


@pytest.fixture(name="milter")
def milter_that_is_shared(lasting_milter):
    return lasting_milter


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_only_sender_recipients_and_headers_are_asked_for(postfix, command):
    assert postfix.negotiated.wants(command) == (command in WANTED)


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_no_step_before_the_end_waits_for_an_answer(postfix, command):
    assert not postfix.negotiated.answers(command)


def test_only_the_changes_that_it_makes_are_reserved(postfix):
    reserved = {name for name in protocol.ACTIONS if postfix.negotiated.may(name)}
    assert reserved == set(NEEDED) | {"setsymlist"}


# For each stage of macros, a list of names; for an empty one Postfix would send what it likes.
NONE = ["{none}"]
MACROS = {stage: NONE for stage in protocol.MACRO_STAGES.values()}
MACROS[protocol.MACRO_STAGES[protocol.RCPT]] = ["{rcpt_addr}"]
MACROS[protocol.MACRO_STAGES[protocol.EOM]] = ["i", "v"]


@pytest.mark.parametrize("rules", ["", "Subject /e/ all 0\n{rcpt_addr} /d/ all 4\n"])
def test_only_the_macros_that_it_reads_are_asked_for(make_milter, rules):
    with make_milter(rules=rules).connect() as postfix:
        assert postfix.negotiated.macros == MACROS


def test_the_macros_of_the_rules_are_asked_for_once_each_with_one_that_always_comes(make_milter):
    milter = make_milter(
        rules="{auth_authen} /a/ all 1\n{client_addr} /b/ all 2\n"
        "{auth_authen} /c/ all 3\n{rcpt_addr} /d/ all 4\nSubject /e/ all 0\n"
    )
    with milter.connect() as postfix:
        macros = postfix.negotiated.macros
    mail = macros[protocol.MACRO_STAGES[protocol.MAIL]]
    assert mail[0] == "{mail_addr}" and sorted(mail[1:]) == ["{auth_authen}", "{client_addr}"]
    macros[protocol.MACRO_STAGES[protocol.MAIL]] = NONE
    assert macros == MACROS


def test_where_every_step_must_be_answered_it_answers_that_all_is_well(milter):
    with milter.connect(negotiate=False) as mta:
        mta.negotiate(steps=protocol.ALL_STEPS & ~NO_REPLIES)
        mta.connect()
        assert mta.mail("alice@source.example") == CONTINUE
        assert mta.rcpt(URGENT) == CONTINUE
        assert mta.header("X-Priority", "1") == CONTINUE
        assert mta.end().decision.priorities == {4: 1}


@pytest.mark.parametrize("command", sorted(WANTED))
def test_where_one_step_must_be_answered_it_answers_that_one(milter, command):
    with milter.connect(negotiate=False) as mta:
        mta.negotiate(steps=protocol.ALL_STEPS & ~protocol.NO_REPLY[command])
        answers = {
            protocol.MAIL: mta.mail("alice@source.example"),
            protocol.RCPT: mta.rcpt(URGENT),
            protocol.HEADER: mta.header("X-Priority", "1"),
        }
        assert answers == {c: CONTINUE if c == command else None for c in WANTED}
        assert mta.end().decision.priorities == {4: 1}


def test_an_mta_that_cannot_leave_out_any_step_is_served(milter):
    with milter.connect(negotiate=False) as mta:
        mta.negotiate(steps=protocol.SMFIP_SKIP)
        assert mta.negotiated.steps == 0
        result = mta.send([URGENT], [("X-Priority", "1")])
        assert result.final in (ACCEPT, CONTINUE) and result.decision.priorities == {4: 1}


def test_an_mta_that_sends_all_macros_unasked_is_served(make_milter):
    milter = make_milter(rules="{auth_authen} /^alarm/ all 4\n")
    with milter.connect(negotiate=False, macros={"{auth_authen}": "alarm-1"}) as mta:
        mta.negotiate(actions=protocol.ALL_ACTIONS & ~protocol.ACTIONS["setsymlist"])
        assert mta.negotiated.macros == {}
        assert mta.send(["bob@dest.example"]).decision.priorities == {4: 1}


@pytest.mark.parametrize("action", NEEDED)
def test_an_mta_that_does_not_let_it_do_its_work_is_refused_with_a_reason(milter, action):
    mark = milter.log.mark()
    mta = milter.connect(negotiate=False)
    with pytest.raises(MilterGone):
        mta.negotiate(actions=protocol.ALL_ACTIONS & ~protocol.ACTIONS[action])
    mta.close()
    line = milter.log.wait_for("does not let a milter change headers and recipients", mark)
    assert "Postfix 2.6 or later is needed" in line
    assert milter.message(["bob@dest.example"]).decision.way == "plain"


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4, 5])
def test_an_older_protocol_is_refused_or_served_but_never_left_without_an_answer(milter, version):
    mta = milter.connect(negotiate=False)
    try:
        mta.negotiate(version=version, actions=0x3F, steps=0x7F)
    except MilterGone:
        pass
    else:
        assert mta.send(["bob@dest.example"]).decision.way == "plain"
    mta.close()
    assert milter.message(["carl@dest.example"]).decision.way == "plain"


def test_a_newer_protocol_with_unknown_steps_and_actions_is_served(milter):
    with milter.connect(negotiate=False) as mta:
        negotiated = mta.negotiate(version=99, actions=0x1FF | 1 << 27, steps=0x1FFFFF | 1 << 28)
        assert not negotiated.actions >> 9 and not negotiated.steps >> 21
        assert mta.send(["bob@dest.example"]).decision.way == "plain"
