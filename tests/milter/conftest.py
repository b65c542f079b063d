"""Fixtures of the tests of peg-milter alone, which play Postfix towards it.

milter          one that runs with five priorities, the default 2, and the shipped rules
make_milter     makes one for a test that has its own rules or configuration, restarts it or ends it
lasting_milter  one that all tests of a module share, with its RULES: keys that one test claims are
                in use in the next

The programs are those in $PEG_BUILD, by default build/: a sanitizer build is tested in this way.
"""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "gateway"))  # its harness plays Postfix

from milter_process import MilterProcess, sanitizer_report  # noqa: E402  (after the path is set)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for process in MilterProcess.all:
            report.sections.append((process.root, "\n".join(process.log.lines()[-60:])))


@pytest.fixture
def make_milter():
    """A function that makes peg-milters: the arguments of MilterProcess, and start=False.

    Each must end as it should: with status 0, and without a word from a sanitizer.
    """
    made = []

    def make(start=True, **options):
        made.append(MilterProcess(**options))
        return made[-1].start() if start else made[-1]

    try:
        yield make
        for process in made:
            process.stop()
    finally:
        for process in made:
            process.remove()


@pytest.fixture
def milter(make_milter):
    """A peg-milter with the shipped rules."""
    return make_milter()


@pytest.fixture(scope="module")
def process_of_module(request):
    process = MilterProcess(rules=request.module.RULES)
    try:
        yield process.start()
        process.stop()
    finally:
        process.remove()


@pytest.fixture
def lasting_milter(process_of_module):
    """The peg-milter of the module; each test must leave it alive and well."""
    if not process_of_module.is_running():  # a test before this one has failed
        process_of_module.kill()
        process_of_module.start()
    pid, mark = process_of_module.pid, process_of_module.log.mark()
    yield process_of_module
    assert process_of_module.is_running() and process_of_module.pid == pid
    assert not sanitizer_report(process_of_module.log.text(mark))


@pytest.fixture
def postfix(milter):
    """A negotiated connection of Postfix to it."""
    with milter.connect() as connection:
        yield connection
