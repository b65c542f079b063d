"""Instances come and go while mail keeps coming.

All of it arrives once. What its decision said it goes by, save that the mail of a priority that is
removed may go by the highest that is left.
"""

import subprocess
import time

import pytest

from harness import processes, torture
from harness.backlog import CONF
from harness.gateway import RELOAD_LINE
from harness.load import Load
from harness.plan import PRIORITIES, RULES, headers

LAST = max(PRIORITIES)
WITHOUT_LAST = "".join(line + "\n" for line in RULES.splitlines() if not line.endswith(str(LAST)))
OTHER_DEFAULT = 0  # not what any rule of a removed priority could be taken for


def use(gateway, count):
    """Write the configuration and the rules for so many priorities."""
    gateway.write_conf(
        {"PRIORITY_COUNT": count, "DEFAULT_PRIORITY": OTHER_DEFAULT, "DECISION_LIFETIME": 62}
    )
    gateway.write_rules(RULES if count > LAST else WITHOUT_LAST)


@pytest.fixture(name="grown")
def gateway_with_all_priorities(private_gateway):
    gateway = private_gateway(rules=RULES, template_conf=CONF, start=False)
    gateway.write()
    use(gateway, LAST + 1)
    gateway.gen("apply")
    return gateway.run()


def await_empty_queues(gateway, timeout=120):
    """As wait_until_empty().

    A message that is being delivered while its queue manager is replaced by a reload stays in
    `incoming` until the next message comes, or a flush.
    """
    deadline = time.monotonic() + timeout
    while gateway.queued() and time.monotonic() < deadline:
        for instance in gateway.instances():
            if instance != LAST:
                gateway.flush(instance)
        time.sleep(0.5)
    gateway.wait_until_empty(1)


def judged(load):
    """[(priorities that were decided, priority asked for, instance)] of each delivery.

    Exact for all priorities but the last, which was there for a part of the time only.
    """
    found = []
    await_empty_queues(load.gateway)
    for _, outcome in load.outcomes():
        decided = set(outcome.decision.priorities)
        for address, wanted, delivery in outcome.recipients():
            found.append((decided, wanted, delivery.instance))
            if outcome.way == "filter":
                allowed = {max(decided)}
            else:
                allowed = {wanted} if wanted < LAST else decided & {LAST, OTHER_DEFAULT}
            if LAST in allowed:
                allowed.add(LAST - 1)
            assert delivery.instance in allowed, (outcome.sent, address, outcome.way, decided)
    return found


def test_an_instance_is_removed_and_made_again_under_load(grown):
    with Load(grown, torture.dice()) as load:
        load.wait_for(20)
        use(grown, LAST)
        grown.gen("apply", "--drain")
        load.wait_for(20)
        use(grown, LAST + 1)
        grown.gen("apply")
        load.wait_for(20)
        use(grown, LAST)
        grown.gen("apply", "--drain=100")
        assert "postfix%d " % LAST not in grown.ctl("status").stdout
    found = judged(load)
    went = {(wanted, instance) for _, wanted, instance in found}
    assert {(LAST, LAST), (LAST, OTHER_DEFAULT)} <= went
    assert not any("postfix%d" % LAST in command for command in grown.leftovers().values())


def test_nothing_is_decided_for_a_priority_that_is_made_again_before_the_frontend_has_it(grown):
    use(grown, LAST)
    grown.gen("apply", "--drain")
    use(grown, LAST + 1)
    since = grown.log.end()
    masters = [pid for pid, name in grown.postfix_processes("frontend").items() if name == "master"]
    with processes.halted(*masters):
        applying = subprocess.Popen(grown.command("peg-gen", "apply"), stdout=subprocess.DEVNULL)
        grown.log.wait_for("postfix%d/master.* daemon started" % LAST, since=since)
        with pytest.raises(TimeoutError):  # its reload is the next step
            grown.log.wait_for(RELOAD_LINE, timeout=4, since=since)
    assert applying.wait(60) == 0
    assert grown.log.find(RELOAD_LINE, since=since)


def test_a_mark_that_the_frontend_does_not_know_yet_leads_to_the_highest_priority(grown):
    use(grown, LAST)
    grown.gen("apply", "--drain")
    # A cleanup process has read its table; it serves the next message, too.
    first = grown.send(to=["hugo@dest.example"], headers=headers(1))
    use(grown, LAST + 1)
    grown.gen("apply", "--no-restart")
    assert grown.reload_milter()
    second = grown.send(to=["hugo@dest.example"], headers=headers(LAST))
    assert grown.decision(second).way == "filter"
    assert grown.delivered(second) == {"hugo@dest.example": LAST - 1}
    assert grown.delivered(first) == {"hugo@dest.example": 1}
    # What was left alone then is taken over now.
    assert "started: postfix%d\n" % LAST in grown.gen("apply").stdout
    third = grown.send(to=["hugo@dest.example"], headers=headers(LAST))
    assert grown.delivered(third) == {"hugo@dest.example": LAST}


def test_what_cannot_be_delivered_keeps_its_instance(grown):
    grown.relay.refuse_recipient("^gina", "451 4.3.0 try again later")
    sent = grown.send(to=["gina@dest.example"], headers=headers(LAST))
    grown.log.wait_for(r"postfix%d/smtp\S+: .*to=<gina@.*status=deferred" % LAST)
    use(grown, LAST)
    refused = grown.gen("apply", check=False)
    assert refused.returncode == 1
    assert "postfix%d, which has 1 message in its queue" % LAST in refused.stderr
    assert "peg-gen apply --drain" in refused.stderr
    began = time.monotonic()
    late = grown.gen("apply", "--drain=2", check=False)
    assert late.returncode == 1 and time.monotonic() - began >= 2
    assert "1 messages are left in instances that are to be removed" in late.stderr
    assert "postfix%d running" % LAST in grown.ctl("status", check=False).stdout or grown.queue(LAST)
    # New mail does not go there any more, and the old mail leaves when it can.
    other = grown.send(to=["hugo@dest.example"], headers=headers(LAST))
    assert grown.delivered(other) == {"hugo@dest.example": OTHER_DEFAULT}
    grown.relay.behave()
    grown.gen("apply", "--drain")
    assert grown.delivered(sent) == {"gina@dest.example": LAST}
    assert not any("postfix%d" % LAST in command for command in grown.leftovers().values())


def test_an_instance_is_drained_in_a_gateway_that_runs_only(grown):
    grown.relay.refuse_recipient("^gina", "451 4.3.0 try again later")
    grown.send(to=["gina@dest.example"], headers=headers(LAST))
    grown.log.wait_for(r"postfix%d/smtp\S+: .*to=<gina@.*status=deferred" % LAST)
    grown.ctl("stop")
    use(grown, LAST)
    for options in ((), ("--drain",)):
        refused = grown.gen("apply", *options, check=False)
        assert refused.returncode == 1, options
        assert "postfix%d" % LAST in refused.stderr
    use(grown, LAST + 1)
    grown.gen("apply")
    grown.relay.behave()
    grown.ctl("start")
    grown.flush(LAST)
    grown.wait_until_empty()
