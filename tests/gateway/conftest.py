"""Fixtures of the gateway tests.

gateway           one gateway for the whole run: five priorities, default parameters, shipped rules
private_gateway   makes a gateway for one test that stops things or changes the configuration
with_rules        gives the shared gateway other rules until the test is over
checked_gateway   two priorities, X-Priority 1 for the higher: for changes of Postfix's files
changes           makes such changes, which are undone when the test is over
"""

import os
import shutil
import signal

import pytest

from harness.changes import Changes
from harness.gateway import Gateway, running
from harness.installation import shipped_rules

LOG_TAIL_LINES = 60


def _need_root_and_postfix():
    if os.geteuid() != 0:
        pytest.skip("the gateway tests start Postfix and so must run as root")
    if shutil.which("postmulti") is None:
        pytest.skip("the gateway tests need Postfix (postmulti is not in PATH)")


def pytest_sessionstart():
    # So that a `kill` stops the gateways as Ctrl-C does.
    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    setattr(item, "failed_in_" + report.when, report.failed)
    if report.failed:
        for gateway in running():
            report.sections.append((gateway.log.path, gateway.log.tail(LOG_TAIL_LINES)))


def _remove(gateway, failed):
    gateway.remove(keep=failed and bool(os.environ.get("PEG_TEST_KEEP")))


@pytest.fixture(scope="session", name="gateway")
def shared_gateway(request):
    """The gateway that all tests share which leave it as they found it."""
    _need_root_and_postfix()
    gateway = Gateway(checked=True)
    try:
        yield gateway.start()
    finally:
        _remove(gateway, failed=request.session.testsfailed > 0)


@pytest.fixture
def private_gateway(request):
    """A function that makes gateways: the arguments of Gateway, and start=False to leave it off.

    They are stopped and removed when the test is over.
    """
    _need_root_and_postfix()
    made = []

    def make(start=True, **options):
        made.append(Gateway(**options))
        return made[-1].start() if start else made[-1]

    try:
        yield make
    finally:
        failed = getattr(request.node, "failed_in_call", True)
        for gateway in made:
            _remove(gateway, failed)


@pytest.fixture
def with_rules(gateway):
    """A function that gives the shared gateway these rules, and returns it."""

    def take(text):
        assert gateway.reload_rules(text), gateway.log.tail(10)
        return gateway

    try:
        yield take
    finally:
        assert gateway.reload_rules(shipped_rules())


@pytest.fixture(scope="module")
def checked_gateway():
    """A gateway with a frontend and two instances of which peg-gen check finds nothing to say."""
    _need_root_and_postfix()
    rule = "X-Priority /^1/ all 1\n"
    with Gateway(priority_count=2, conf={"DEFAULT_PRIORITY": 0}, rules=rule) as gateway:
        assert gateway.gen("check").stderr == ""
        yield gateway


@pytest.fixture
def changes(checked_gateway):
    """Changes of that gateway's frontend and its instance 1."""
    made = Changes(checked_gateway)
    yield made
    made.undo()
    if checked_gateway.queued():
        for instance in checked_gateway.instances():
            checked_gateway.postsuper(instance, "-d", "ALL")
    checked_gateway.ctl("start")


@pytest.fixture(autouse=True)
def _own_mail_only():
    """Each test sees only the deliveries and the log lines since its beginning."""
    for gateway in running():
        gateway.relay.behave()
        gateway.relay.clear()
        gateway.log.mark()
