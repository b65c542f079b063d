"""The rules are reloaded again and again under load, and half of them are broken.

Each message is decided by one whole ruleset, and by one that was in force while it was sent. Broken
rules are refused with file and line, and the ones before stay in force.
"""

import itertools
import re
import time

import pytest

from harness import torture
from harness.backlog import CONF as LONG_QUEUE_IDS
from harness.gateway import Gateway
from harness.load import Load
from harness.mail import new_tag

RELOADS = torture.count(60, 1000)
CONF = "etc/priority-email-gateway.conf"
RULES = "etc/priority-email-gateway.rules"
PRIORITIES = range(5)
# What breaks a ruleset, and what is said of it behind the line's number.
FAULTS = (
    ("X-Gen /(/ all 0\n", "9: missing closing parenthesis"),
    ("X-Gen /./ all 5\n", "15: a priority from 0 to 4 is needed"),
    ("X-Gen /./ some 0\n", "11: recipients are needed"),
    ("X-Gen /./ all\n", "14: a priority from 0 to 4 is needed"),
    ("X-Gen\n", "6: a pattern between slashes is needed"),
    ("X-Gen /. all 0\n", "7: the pattern has no closing slash"),
    ("{no such /./ all 0\n", "1: Postfix has no milter macro {no"),
    ("X-Gen /\0/ all 0\n", "1: a NUL byte"),
)


def first_of(generation):
    """The priority of To in the rules of this generation; that of the others is one more.

    So the two of a message say which rules each of its recipients was decided by.
    """
    return generation % len(PRIORITIES)


def second_of(generation):
    return (generation + 1) % len(PRIORITIES)


def rules_of(generation):
    """Rules of which any part alone would give other priorities than the whole."""
    lines = ["X-Gen /./ all %d\n" % ((generation + 2) % len(PRIORITIES))] * (generation % 3)
    lines += ["X-Gen /^%d$/ all 0\n" % n for n in range(100)]
    lines.append("X-Gen /./ to %d\n" % first_of(generation))
    lines.append("X-Gen /./ cc %d\n" % second_of(generation))
    return "".join(lines)


class PairPlan:
    """A message to one in To and one in Cc, whom nobody has sent anything to before."""

    def __init__(self, _dice):
        self.to, self.cc = ("%s.%s@dest.example" % (name, new_tag()) for name in ("anna", "bert"))

    def send(self, sender, **options):
        return sender.send(to=[self.to], cc=[self.cc], headers=[("X-Gen", "x")], **options)


class Generations:
    """Which generation of the rules was in force when."""

    def __init__(self):
        self._changes = [(0, float("-inf"), time.monotonic())]

    def change(self, generation, began):
        """It has come into force between began and now."""
        self._changes.append((generation, began, time.monotonic()))

    def during(self, began, ended):
        """The generations that may have been in force at some time in between."""
        lasts = [following[2] for following in self._changes[1:]] + [float("inf")]
        return {
            generation
            for (generation, first, _), last in zip(self._changes, lasts)
            if first <= ended and began <= last
        }


@pytest.fixture(scope="module", name="changing_gateway")
def gateway_of_these_tests():
    with Gateway(rules=rules_of(0), template_conf=LONG_QUEUE_IDS) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def first_rules_in_the_end(changing_gateway):
    yield
    changing_gateway.write_conf({})
    assert changing_gateway.reload_rules(rules_of(0))


def break_rules(gateway, generation, fault, complaint):
    """Reload rules with a fault between good lines that must not count."""
    good = rules_of(generation)
    since = gateway.log.end()
    assert not gateway.reload_rules(good + fault + good)
    place = "%s:%d:" % (gateway.path(RULES), good.count("\n") + 1)
    assert gateway.log.find(r"peg-milter\[\d+\]: .*" + re.escape(place + complaint), since)
    assert gateway.log.find("reload refused: the old rules stay in force", since)


def break_conf(gateway, generation):
    """Reload good rules with a fault in line 2 of the configuration."""
    since = gateway.log.end()
    gateway.write_conf({"DEFAULT_PRIORITY": 5})
    assert not gateway.reload_rules(rules_of(generation))
    gateway.write_conf({})
    assert gateway.log.find(r"peg-milter.*%s:2: DEFAULT_PRIORITY" % gateway.path(CONF), since)


def test_every_message_is_decided_by_one_whole_ruleset(changing_gateway):
    generations = Generations()
    faults = itertools.cycle(FAULTS + (None,))
    load = Load(changing_gateway, torture.dice(), make_plan=PairPlan, pause_s=0)
    with load:
        load.wait_for(5)
        for number in range(1, RELOADS + 1):
            if number % 2:
                fault = next(faults)
                if fault:
                    break_rules(changing_gateway, number, *fault)
                else:
                    break_conf(changing_gateway, number)
            else:
                began = time.monotonic()
                assert changing_gateway.reload_rules(rules_of(number))
                generations.change(number, began)
            load.wait_for(1)
    changing_gateway.wait_until_empty(timeout=120)
    pairs = {(first_of(n), second_of(n)): n % len(PRIORITIES) for n in PRIORITIES}
    seen = set()
    for attempt in load.accepted:
        plan, delivered = attempt.plan, changing_gateway.delivered(attempt.sent)
        pair = delivered[plan.to], delivered[plan.cc]
        allowed = generations.during(attempt.began, attempt.ended)
        assert pair in pairs, (attempt.sent, delivered)
        assert pairs[pair] in {generation % len(PRIORITIES) for generation in allowed}
        seen.add(pair)
    assert seen == set(pairs)
    assert load.lost == load.refused == 0
