"""SIGUSR1: new rules, or the old ones; never none and never a mixture."""

import os
import re
import threading

import pytest
from harness import milter_protocol as protocol
from milter_process import CONF, CONF_FILE, RULES_FILE

SCALE = float(os.environ.get("PEG_TEST_SCALE", "1"))
BOB, CARL = "bob@dest.example", "carl@dest.example"


def all_to(priority):
    """Rules that send To recipients by one header and all others by another."""
    return "".join("%s /./ %s %d\n" % (h, h.lower(), priority) for h in ("To", "Cc"))


BOTH = [("To", BOB), ("Cc", CARL)]


def test_new_rules_are_in_force_for_the_next_message_on_an_open_connection(make_milter):
    milter = make_milter(rules=all_to(0))
    with milter.connect() as postfix:
        assert postfix.send([BOB, CARL], BOTH).decision.priorities == {0: 2}
        assert milter.signal_reload(rules=all_to(4))
        assert postfix.send([BOB, CARL], BOTH).decision.priorities == {4: 2}


def test_a_message_keeps_the_rules_that_it_began_with(make_milter):
    milter = make_milter(rules=all_to(0))
    with milter.connect(negotiate=False) as postfix:
        postfix.negotiate(steps=protocol.ALL_STEPS & ~protocol.NO_REPLY[protocol.HEADER])
        postfix.begin([BOB, CARL], BOTH[:1])  # the answer to the header says that it began
        assert milter.signal_reload(rules=all_to(4))
        postfix.header(*BOTH[1])
        assert postfix.end().decision.priorities == {0: 2}
        assert postfix.send([BOB, CARL], BOTH).decision.priorities == {4: 2}


def test_the_reload_is_logged_with_the_number_of_rules(make_milter):
    milter = make_milter(rules=all_to(0))
    assert milter.signal_reload(rules="# none\n")
    milter.log.wait_for(r"reloaded: 0 rules are in force now")
    assert milter.message([BOB], BOTH).decision.rules == [None]


def test_a_new_default_priority_is_in_force_after_a_reload(make_milter):
    milter = make_milter(rules="")
    assert milter.signal_reload(conf=CONF.replace("DEFAULT_PRIORITY=2", "DEFAULT_PRIORITY=3"))
    assert milter.message([BOB]).decision.priorities == {3: 1}


def journal_syncs(milter):
    """How often it has waited for the disk."""
    status = milter.tool("peg-decisions", "status")
    return int(re.search(r"^journal_syncs\s+(\d+)$", status, re.M).group(1))


def test_whether_a_decision_is_on_disk_first_follows_a_reload(make_milter):
    milter = make_milter(conf=CONF + "DECISION_SYNC=no\n")
    milter.message([BOB])
    assert journal_syncs(milter) == 0
    assert milter.signal_reload(conf=CONF)
    milter.message([BOB])
    assert journal_syncs(milter) == 1
    assert milter.signal_reload(conf=CONF + "DECISION_SYNC=no\n")
    milter.message([BOB])
    assert journal_syncs(milter) == 1


def test_what_takes_a_restart_is_named_at_a_reload_until_that_has_been_done(make_milter):
    milter = make_milter()
    conf = CONF.replace("TABLE_CAPACITY=100000", "TABLE_CAPACITY=2000")
    for text, warned in ((conf, True), (CONF, False), (conf, True)):
        mark = milter.log.mark()
        assert milter.signal_reload(conf=text + "DECISION_LIFETIME=700\n")
        said = milter.log.text(mark)
        assert ("TABLE_CAPACITY changes when peg-milter is restarted" in said) == warned
        assert said.count("restarted") == warned
    milter.stop()
    mark = milter.start().log.mark()
    assert milter.signal_reload()
    assert "restarted" not in milter.log.text(mark)


@pytest.mark.parametrize(
    "name, text, place",
    [
        (RULES_FILE, "To /./ all 1\nTo /(/ all 0\n", ":2:6: "),
        (RULES_FILE, "To /./ all 5\n", ":1:12: "),
        (RULES_FILE, "\0\0\0", ":1:1: "),
        (CONF_FILE, CONF + "NONSENSE=1\n", ":4:"),
        (CONF_FILE, "PRIORITY_COUNT=$(id)\n", ":1:"),
        (RULES_FILE, None, ": "),
        (CONF_FILE, None, ": cannot be read: No such file"),
    ],
)
def test_a_bad_file_is_refused_with_its_place_and_the_old_rules_stay(
    make_milter, name, text, place
):
    milter = make_milter(rules=all_to(0))
    mark = milter.log.mark()
    if text is None:
        os.unlink(milter.path(name))
    else:
        milter.write(name, text)
    with milter.connect() as postfix:
        assert not milter.signal_reload()
        assert milter.path(name) + place in milter.log.text(mark)
        milter.log.wait_for("reload refused: the old rules stay in force", mark)
        assert postfix.send([BOB, CARL], BOTH).decision.priorities == {0: 2}
    assert milter.signal_reload(conf=CONF, rules=all_to(4))
    assert milter.message([BOB, CARL], BOTH).decision.priorities == {4: 2}


def test_a_smaller_priority_count_that_a_rule_goes_beyond_is_refused(make_milter):
    milter = make_milter(rules=all_to(4))
    conf = CONF.replace("COUNT=5", "COUNT=3")
    assert not milter.signal_reload(conf=conf)
    assert milter.signal_reload(conf=conf, rules=all_to(1))
    assert milter.message([BOB, CARL], BOTH).decision.priorities == {1: 2}


def test_each_message_is_decided_by_one_whole_ruleset_while_many_reloads_come(make_milter):
    milter = make_milter(rules=all_to(0))
    over, failures, seen = threading.Event(), [], set()

    def send_until_over(number):
        recipients = ["bob%d@dest.example" % number, "carl%d@dest.example" % number]
        headers = [("To", recipients[0]), ("Cc", recipients[1])]
        try:
            with milter.connect() as postfix:
                while not over.is_set():
                    priorities = postfix.send(recipients, headers).decision.priorities
                    assert priorities in ({0: 2}, {4: 2})
                    seen.update(priorities)
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=send_until_over, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    try:
        for number in range(max(20, int(50 * SCALE))):
            assert milter.signal_reload(rules=all_to(4))
            assert not milter.signal_reload(rules=all_to(2) + "To /./ all 7\n")
            assert milter.signal_reload(rules=all_to(0), conf=CONF)
            assert not milter.signal_reload(conf=CONF + "NUMBER_%d=1\n" % number)
            milter.write(CONF_FILE, CONF)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == [] and seen == {0, 4}
