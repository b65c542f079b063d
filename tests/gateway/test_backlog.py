"""Mail of one priority that is more than its instance can deliver, or even take in hand."""

import re
import subprocess

import pytest

from harness.mail import new_tag
from harness.processes import halted

ACTIVE = "20"  # messages that a queue manager takes in hand
MANY = 200
STUCK = "30s"  # how long the frontend waits for an instance that says nothing
SHORT = "2s"  # the same in a test


@pytest.fixture(name="narrow")
def gateway_with_short_active_queues(private_gateway):
    """A gateway not yet started, whose frontend takes in hand no more than ACTIVE messages."""
    gateway = private_gateway(
        start=False,
        priority_count=2,
        rules="X-Priority /^1/ all 1\n",
        conf={"DEFAULT_PRIORITY": 0},
    )
    gateway.write()
    gateway.set_postfix_conf("frontend", "qmgr_message_active_limit", ACTIVE)
    return gateway


def send_routine_and_then_urgent(gateway):
    """MANY messages for instance 0, and one for instance 1, which has it when this returns."""
    with gateway.sender() as sender:
        routine = [sender.send(to=[new_tag() + "@dest.example"]) for _ in range(MANY)]
    urgent = gateway.send(to=["bob@dest.example"], priority_header="1")
    gateway.log.wait_for(r"postfix1/smtpd\S+ \w+: client=.*orig_queue_id=" + urgent.queue_id)
    return routine, urgent


def has_gone_its_way(gateway, routine, urgent):
    for sent in [urgent] + routine:
        (instance,) = gateway.delivered(sent).values()
        assert instance == (1 if sent is urgent else 0)


def test_what_an_instance_cannot_take_in_hand_waits_there_and_not_in_the_frontend(narrow):
    narrow.set_postfix_conf(0, "qmgr_message_active_limit", ACTIVE)
    narrow.set_postfix_conf(0, "in_flow_delay", "10s")
    narrow.run()
    with narrow.relay.holding():
        routine, urgent = send_routine_and_then_urgent(narrow)
    has_gone_its_way(narrow, routine, urgent)


def test_how_fast_mail_may_leave_this_host_is_not_how_fast_it_leaves_the_frontend(private_gateway):
    slow = {"default_destination_rate_delay": "600s"}
    gateway = private_gateway(template_conf=slow)
    for sent in [gateway.send(to=["bob@dest.example"], priority_header="1") for _ in range(3)]:
        gateway.log.wait_for(r"postfix4/smtpd\S+ \w+: client=.*orig_queue_id=" + sent.queue_id)
    assert gateway.postfix_conf(4, "default_destination_rate_delay") == "600s"


def be_impatient(gateway):
    """Have the frontend wait for an instance for SHORT in the place of STUCK."""
    for parameter, value in gateway.service_options("frontend", "peg0/unix").items():
        if value == STUCK:
            gateway.set_service_option("frontend", "peg0/unix", parameter, SHORT)


def test_no_step_before_the_final_dot_waits_longer_for_an_instance(narrow):
    after = {"smtp_data_done_timeout", "smtp_quit_timeout", "smtp_tls_session_cache_timeout"}
    defaults = subprocess.run(["postconf", "-d"], check=True, capture_output=True, text=True).stdout
    steps = dict(re.findall(r"^(smtp_\w+_timeout) = (\d+s)$", defaults, re.M))
    for transport in ("peg0/unix", "peg1-f/unix"):
        options = narrow.service_options("frontend", transport)
        assert not after & set(options)
        for step in steps.keys() - after:
            assert int(options.get(step, steps[step])[:-1]) <= int(STUCK[:-1]), step


@pytest.mark.parametrize("stuck, when", [
    ("smtpd", "receiving the initial server greeting"),
    ("cleanup", "sending XFORWARD"),  # smtpd keeps its answers until it has none to add
])
def test_the_mail_of_an_instance_that_hangs_does_not_keep_urgent_mail_waiting(narrow, stuck, when):
    be_impatient(narrow)
    narrow.run()
    narrow.delivered(narrow.send(to=["carl@dest.example"]))  # each program runs now
    programs = narrow.postfix_processes(0)
    pids = [pid for pid, program in programs.items() if program in ("master", stuck)]
    assert len(pids) == 2
    with halted(*pids):
        routine, urgent = send_routine_and_then_urgent(narrow)
        narrow.delivered(urgent)
        for sent in routine:
            narrow.log.wait_for(r"postfix-frontend/\S+ %s: to=.*status=deferred" % sent.queue_id)
    narrow.log.wait_for(r"postfix-frontend/smtp\S+ \w+: .* timed out while " + when)
    narrow.flush("frontend")
    has_gone_its_way(narrow, routine, urgent)
