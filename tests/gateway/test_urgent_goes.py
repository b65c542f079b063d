"""The urgent frontend comes and goes, and ports move, while mail flows (URGENT_LISTEN)."""

import os

import pytest

from harness import torture
from harness.backlog import CONF
from harness.load import Load
from harness.plan import PRIORITIES, RULES, headers
from harness.processes import read_pid
from harness.snmp import wait_until
from harness.urgent import FRONTEND, URGENT, check, connects, pids, reloads, want


@pytest.fixture(name="grown")
def gateway_that_may_grow(private_gateway):
    return private_gateway(rules=RULES, template_conf=CONF)


def test_it_is_added_while_mail_flows_and_removed_again(grown):
    before = pids(grown)
    with Load(grown, torture.dice()) as load:
        load.wait_for(20)
        want(grown, True)
        grown.log.mark()
        done = grown.gen("apply")
        assert "started: postfix-urgent\n" in done.stdout
        assert reloads(grown, FRONTEND) == 0
        sent = grown.send(at=grown.urgent, to=["gina@dest.example"], headers=headers(4))
        load.wait_for(20)
        assert grown.delivered(sent) == {"gina@dest.example": 4}
        want(grown, False)
        done = grown.gen("apply")
        assert "postfix-urgent: no more registered as postfix-urgent" in done.stdout
        load.wait_for(20)
    load.check_exact()
    assert pids(grown) == before
    assert not any(URGENT in command for command in grown.leftovers().values())
    assert not connects(grown.urgent)
    assert os.path.isfile(grown.config_dir("urgent") + "/main.cf")
    assert grown.gen("diff").stdout == "nothing to change\n"
    # What was kept serves again.
    want(grown, True)
    grown.gen("apply")
    sent = grown.send(at=grown.urgent, to=["hugo@dest.example"], headers=headers(4))
    assert grown.delivered(sent) == {"hugo@dest.example": 4}


def listens_alone(gateway, port, instance):
    """Whether the master of "frontend" or "urgent" listens on a port of 127.0.0.1, and nobody else."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    inodes = [row[9] for row in rows if row[1] == "0100007F:%04X" % port and row[3] == "0A"]
    folder = "/proc/%d/fd/" % read_pid(os.path.join(gateway.queue_dir(instance), "pid/master.pid"))
    try:
        links = [os.readlink(folder + fd) for fd in os.listdir(folder)]
    except FileNotFoundError:  # closed meanwhile
        return False
    return len(inodes) == 1 and "socket:[%s]" % inodes[0] in links


def check_receives(gateway, port, instance):
    """Wait until a frontend has a port, since a reload takes a moment, and hand in mail there."""
    wait_until(lambda: listens_alone(gateway, port, instance), lambda: "%s has no port" % instance)
    sent = gateway.send(at=("127.0.0.1", port), to=["gina@dest.example"], headers=headers(4))
    assert gateway.delivered(sent) == {"gina@dest.example": 4}
    gateway.log.wait_for(r"postfix-%s/qmgr\S+: %s: removed" % (instance, sent.queue_id))


def test_a_port_goes_from_one_frontend_to_the_other_and_back(grown):
    port, moved = grown.ports.frontend, grown.ports.urgent
    both = "127.0.0.1:%d 127.0.0.1:%d" % (port, moved)
    want(grown, False, FRONTEND_LISTEN=both)
    grown.gen("apply")
    check_receives(grown, moved, "frontend")
    want(grown, True)
    done = grown.gen("apply")
    assert "reloaded: postfix-frontend\n" in done.stdout
    assert "started: postfix-urgent\n" in done.stdout
    check_receives(grown, moved, "urgent")
    check_receives(grown, port, "frontend")
    swapped = {"FRONTEND_LISTEN": "127.0.0.1:%d" % moved, "URGENT_LISTEN": "127.0.0.1:%d" % port}
    want(grown, True, **swapped)
    grown.gen("apply")
    check_receives(grown, moved, "frontend")
    check_receives(grown, port, "urgent")
    want(grown, False, FRONTEND_LISTEN=both)
    grown.gen("apply")
    check_receives(grown, moved, "frontend")
    check_receives(grown, port, "frontend")
    assert check(grown) == (0, [])


def defer(gateway, priority):
    """Have a message wait in the urgent frontend, since the instance of its priority is away."""
    gateway.ctl("stop", str(priority))
    sent = gateway.send(at=gateway.urgent, to=["ida@dest.example"], headers=headers(priority))
    gateway.log.wait_for(r"%s/smtp\S+: .*to=<ida@.*status=deferred" % URGENT)
    return sent


def test_with_mail_it_stays_unless_it_is_drained(grown):
    want(grown, True)
    grown.gen("apply")
    sent = defer(grown, 3)
    want(grown, False)
    refused = grown.gen("apply", check=False)
    assert refused.returncode == 1
    assert 'URGENT_LISTEN = "" would remove postfix-urgent, which has 1 message' in refused.stderr
    assert "peg-gen apply --drain" in refused.stderr
    assert connects(grown.urgent)
    late = grown.gen("apply", "--drain=2", check=False)
    assert late.returncode == 1
    assert "1 messages are left in instances that are to be removed" in late.stderr
    assert not connects(grown.urgent)  # nothing new
    grown.ctl("start", "3")
    grown.gen("apply", "--drain")
    assert grown.delivered(sent) == {"ida@dest.example": 3}
    assert not any(URGENT in command for command in grown.leftovers().values())


def test_who_thinks_better_of_it_has_it_listen_again(grown):
    want(grown, True)
    grown.gen("apply")
    sent = defer(grown, 3)
    want(grown, False)
    assert grown.gen("apply", "--drain=1", check=False).returncode == 1
    want(grown, True)
    grown.gen("apply")
    wait_until(lambda: connects(grown.urgent), lambda: "it does not listen again")
    grown.ctl("start", "3")
    grown.flush("urgent")
    assert grown.delivered(sent) == {"ida@dest.example": 3}


def test_it_is_drained_while_the_other_is_stopped(grown):
    want(grown, True)
    grown.gen("apply")
    sent = defer(grown, 3)
    grown.ctl("stop", "frontend")
    want(grown, False)
    late = grown.gen("apply", "--drain=1", check=False)
    assert "1 messages are left in instances that are to be removed" in late.stderr
    grown.ctl("start", "3")
    grown.gen("apply", "--drain")
    assert grown.delivered(sent) == {"ida@dest.example": 3}
    assert not any(URGENT in command for command in grown.leftovers().values())


def test_with_mail_it_stays_in_a_gateway_that_is_stopped(grown):
    want(grown, True)
    grown.gen("apply")
    sent = defer(grown, 3)
    grown.ctl("stop")
    want(grown, False)
    for options in ((), ("--drain",)):
        refused = grown.gen("apply", *options, check=False)
        assert refused.returncode == 1 and "postfix-urgent, which has 1 message" in refused.stderr
    want(grown, True)
    grown.ctl("start")
    grown.flush("urgent")
    assert grown.delivered(sent) == {"ida@dest.example": 3}


def test_its_mail_is_waited_for_where_an_instance_goes(grown):
    last = max(PRIORITIES)
    want(grown, True)
    grown.gen("apply")
    sent = defer(grown, last)
    grown.write_rules("".join(l + "\n" for l in RULES.splitlines() if not l.endswith(str(last))))
    want(grown, True, PRIORITY_COUNT=last)
    grown.gen("apply", "--drain")
    assert grown.delivered(sent)["ida@dest.example"] in (last - 1, last)
    services = [line.split()[0] for line in grown.postfix_services("urgent")]
    assert "peg%d" % (last - 1) in services and "peg%d" % last not in services


def test_where_instances_move_its_mail_counts(grown):
    want(grown, True)
    grown.gen("apply")
    defer(grown, 3)
    want(grown, True, INSTANCE_PORT_BASE=grown.ports.instance_base + 10)
    refused = grown.gen("apply", check=False)
    assert refused.returncode == 1
    assert "move instances, and postfix-urgent has 1 message in its queue" in refused.stderr
    assert FRONTEND not in refused.stderr
