"""Exactness: whatever is sent, no routing key that is in use ever gets a second priority."""

import os
import random
import threading

import pytest
from claims_model import RULES_BY_NUMBER, Claims, Message, PredictedClaims

SCALE = float(os.environ.get("PEG_TEST_SCALE", "1"))
DOMAINS = ["dest.example", "other.example", "mail.third.example"]
SHARED = ["user%d@%s" % (n, DOMAINS[n % 3]) for n in range(30)]
AWKWARD = ["u@[192.0.2.7]", "v@[IPv6:2001:db8::1]", "u@1.cn", "v@1.cn", "w@x.y"]


@pytest.fixture(name="milter")
def milter_by_number(make_milter):
    return make_milter(rules=RULES_BY_NUMBER)


def random_message(random_numbers, pool):
    """One to four recipients; in a third of the messages with different priorities."""
    recipients = random_numbers.sample(pool, random_numbers.randint(1, 4))
    cut = random_numbers.randint(0, len(recipients))
    to_priority = random_numbers.randrange(5)
    is_mixed = random_numbers.random() < 1 / 3
    cc_priority = random_numbers.randrange(5) if is_mixed else to_priority
    return Message(recipients[:cut], recipients[cut:], to_priority, cc_priority)


def random_case(random_numbers, address):
    local, _, domain = address.rpartition("@")
    cased = (random_numbers.choice((c.lower(), c.upper())) for c in domain)
    return "%s@%s" % (local, "".join(cased))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_of_a_random_sequence_goes_the_way_that_the_design_says(postfix, seed):
    random_numbers = random.Random(seed)
    claims = PredictedClaims()
    ways = set()
    for _ in range(int(600 * SCALE)):
        message = random_message(random_numbers, SHARED)
        result = postfix.send(message.recipients, message.headers)
        claims.accept(message, result)
        ways.add(result.decision.way)
    assert ways == {"plain", "filter", "respell"}


@pytest.mark.parametrize("seed", [3, 4])
def test_addresses_in_any_case_and_without_other_spellings_are_never_misrouted(postfix, seed):
    random_numbers = random.Random(seed)
    claims = Claims()
    for _ in range(int(600 * SCALE)):
        pool = [random_case(random_numbers, r) for r in SHARED[:6] + AWKWARD]
        message = random_message(random_numbers, pool)
        claims.accept(message, postfix.send(message.recipients, message.headers))


def test_a_hundred_sessions_at_once_with_conflicting_priorities_are_never_misrouted(milter):
    claims, failures = Claims(), []
    all_open = threading.Barrier(100)

    def session(seed):
        random_numbers = random.Random(seed)
        try:
            with milter.connect() as postfix:
                all_open.wait(60)
                for _ in range(max(2, int(10 * SCALE))):
                    message = random_message(random_numbers, SHARED[:12])
                    claims.accept(message, postfix.send(message.recipients, message.headers))
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)
            all_open.abort()

    threads = [threading.Thread(target=session, args=(seed,)) for seed in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_claims_outlive_the_process(milter, end):
    claims = PredictedClaims()
    for priority in range(5):
        message = Message(to=["p%d@dest.example" % priority], to_priority=priority)
        claims.accept(message, milter.message(message.recipients, message.headers))
    getattr(milter, end)()
    milter.start()
    for priority in range(5):
        for other in range(5):
            message = Message(to=["p%d@dest.example" % priority], to_priority=other)
            claims.accept(message, milter.message(message.recipients, message.headers))
