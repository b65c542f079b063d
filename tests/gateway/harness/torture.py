"""Tests that get better with time: a short form for every run, a long one with PEG_TORTURE=1.

PEG_TEST_SEED is where their dice begin; a run prints it, so that it can be repeated.
"""

import os
import random
import time


def is_long():
    """Whether the long form was asked for."""
    return os.environ.get("PEG_TORTURE", "") not in ("", "0")


def count(short, long):
    """How many of something a test has: `short`, or `long` where there is time."""
    return long if is_long() else short


def seed():
    """The seed of a run, a str, which is printed."""
    chosen = os.environ.get("PEG_TEST_SEED") or str(random.SystemRandom().randrange(10**6))
    print("\nPEG_TEST_SEED=%s" % chosen)
    return chosen


def dice(part=""):
    """A random.Random with the seed of this run; another one for each part of it."""
    return random.Random("%s %s" % (seed(), part))


def let_pass(seconds):
    """Wait, in a long run, where time itself is what a test is about."""
    time.sleep(seconds)
