"""INSTANCE_NEXTHOP: a priority that another gateway's instance delivers."""

import os

import pytest

from harness.plan import headers

RULES = "".join("X-To-Priority /^%d$/ to %d\nX-Cc-Priority /^%d$/ cc %d\n" % (n, n, n, n) for n in range(3))
AWAY = 1


@pytest.fixture(name="two")
def two_gateways(private_gateway):
    """(a gateway whose priority 1 is the other's, the other)"""
    other = private_gateway(priority_count=3, rules=RULES)
    nexthop = "[127.0.0.1]:%d" % (other.ports.instance_base + AWAY)
    conf = {"DEFAULT_PRIORITY": 2, "INSTANCE_NEXTHOP[%d]" % AWAY: nexthop}
    return private_gateway(priority_count=3, rules=RULES, conf=conf), other


def arrivals(relay, sent):
    return {d.recipient.lower(): d.instance for d in relay.deliveries_for(sent.tag)}


def test_a_priority_is_delivered_by_an_instance_of_another_gateway(two):
    gateway, other = two
    assert not os.path.exists(gateway.config_dir(AWAY))
    names = [line.split()[0] for line in gateway.ctl("status").stdout.splitlines()]
    assert "postfix0" in names and "postfix%d" % AWAY not in names
    assert "postfix%d" % AWAY not in gateway.tool("peg-showqueues").stdout
    sent = gateway.send(
        to=["anna@dest.example"], cc=["bert@dest.example"], headers=headers(AWAY, 0)
    )
    other.relay.wait_for(1, tag=sent.tag)
    gateway.relay.wait_for(1, tag=sent.tag)
    assert arrivals(other.relay, sent) == {"anna@dest.example": AWAY}
    assert arrivals(gateway.relay, sent) == {"bert@dest.example": 0}
    # The other way round the recipient's claim is in the way: the whole message is directed.
    directed = gateway.send(to=["bert@dest.example"], headers=headers(AWAY))
    other.relay.wait_for(1, tag=directed.tag)
    assert gateway.decision(directed).way == "filter"
    [arrived] = other.relay.deliveries_for(directed.tag)
    assert arrived.instance == AWAY and arrived.headers("X-Peg-Route") == []


def test_an_instance_moves_to_another_gateway_and_back(two):
    gateway, other = two
    count = {"PRIORITY_COUNT": 3, "DEFAULT_PRIORITY": 2}
    nexthop = "[127.0.0.1]:%d" % (other.ports.instance_base + AWAY)
    for relay, conf in (
        (gateway.relay, count),
        (other.relay, {**count, "INSTANCE_NEXTHOP[%d]" % AWAY: nexthop}),
    ):
        gateway.write_conf(conf)
        gateway.gen("apply")
        assert gateway.gen("diff").stdout == "nothing to change\n"
        sent = gateway.send(to=["carl@dest.example"], headers=headers(AWAY))
        relay.wait_for(1, tag=sent.tag)
        assert arrivals(relay, sent) == {"carl@dest.example": AWAY}
    assert not any("postfix%d" % AWAY in line for line in gateway.leftovers().values())


def test_the_template_serves_the_first_time_only(private_gateway):
    gateway = private_gateway(
        priority_count=2, rules="X-A /b/ all 1\n", conf={"DEFAULT_PRIORITY": 0}, start=False
    )
    gateway.write()
    with open(gateway.path("etc/postfix/main.cf"), "a") as template:
        template.write("smtp_helo_timeout = 99s\n")
    assert gateway.gen("diff").stdout == "nothing to change\n"
    gateway.write_conf({"PRIORITY_COUNT": 3, "DEFAULT_PRIORITY": 0})
    gateway.gen("apply")
    found = [gateway.postfix_conf(n).get("smtp_helo_timeout") for n in ("frontend", 0, 1, 2)]
    assert found == [None, None, None, "99s"]
