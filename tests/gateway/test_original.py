"""What an operator of the system brings along that this one succeeds: the configuration as it was
shipped there works unchanged. And gateways of other sizes run.
"""

import pytest

from harness.plan import headers

# Names, values, quotes and order as they were shipped; the comments are ours.
SHIPPED = """\
# for update-priority-email-gateway

### count ###
PRIORITY_COUNT=5

DEFAULT_PRIORITY=2

# a domain, a host, [host]:port, ...
RELAY_HOST=""

MONITORING_DIR=/tmp/priority-email-gateway-monitoring

### frontend ###
QUEUE_RUN_DELAY_FRONTEND=300s
MAXIMAL_QUEUE_LIFETIME_FRONTEND=1d
BOUNCE_COMMAND_FRONTEND=""
NICE_LEVEL_FRONTEND=0
DSCP_CLASS_FRONTEND=BE

### filter ###
NICE_LEVEL_QPSMTPD=0
LIMIT_CONNECTIONS_QPSMTPD=100

### all instances ###
QUEUE_RUN_DELAY_DEFAULT=300s
MAXIMAL_QUEUE_LIFETIME_DEFAULT=1d
BOUNCE_COMMAND_DEFAULT=""
NICE_LEVEL_DEFAULT=0
DSCP_CLASS_DEFAULT=BE
""" + "".join(
    """
### instance %d ###
QUEUE_RUN_DELAY[%d]=%s
MAXIMAL_QUEUE_LIFETIME[%d]=%s
BOUNCE_COMMAND[%d]=""
NICE_LEVEL[%d]=%d
DSCP_CLASS[%d]=%s
""" % (n, n, delay, n, lifetime, n, n, nice, n, dscp)
    for n, (delay, lifetime, nice, dscp) in enumerate(
        [
            ("300s", "1d", 2, "BE"),
            ("200s", "1h", 1, "BE"),
            ("100s", "30m", 0, "BE"),
            ("60s", "20m", -1, "EF"),
            ("30s", "10m", -2, "EF"),
        ]
    )
)
TIMES = {  # queue_run_delay and minimal_backoff_time; maximal_queue_lifetime and bounce_queue_lifetime
    "frontend": ("300s", "86400s"),
    0: ("300s", "86400s"),
    1: ("200s", "3600s"),
    2: ("100s", "1800s"),
    3: ("60s", "1200s"),
    4: ("30s", "600s"),
}


def test_the_configuration_of_the_system_before_works_unchanged(private_gateway):
    gateway = private_gateway(conf=SHIPPED, start=False)
    gateway.write()
    assert gateway.gen("diff").stdout == "nothing to change\n"
    for instance, (delay, lifetime) in TIMES.items():
        found = gateway.postfix_conf(instance)
        assert (found["queue_run_delay"], found["minimal_backoff_time"]) == (delay, delay)
        times = (found["maximal_queue_lifetime"], found["bounce_queue_lifetime"])
        assert times == (lifetime, lifetime)
    # With the ports of a test, and a relay of its own, it delivers, too.
    ports = gateway.ports
    gateway.write_conf(
        SHIPPED.replace('RELAY_HOST=""', 'RELAY_HOST="[127.0.0.1]:%d"' % ports.relay)
        + "FRONTEND_LISTEN=127.0.0.1:%d\nINSTANCE_PORT_BASE=%d\nTCPMAP_LISTEN=127.0.0.1:%d\n"
        % (ports.frontend, ports.instance_base, ports.tcpmap)
    )
    gateway.gen("apply")
    gateway.run()
    sent = gateway.send(
        to=["anna@dest.example"], cc=["bert@dest.example"], primary_precedence="flash"
    )
    assert gateway.delivered(sent) == {"anna@dest.example": 4, "bert@dest.example": 2}


@pytest.mark.parametrize("count", [2, 16])
def test_gateways_have_as_many_priorities_as_they_are_told_to(private_gateway, count):
    rules = "".join("X-To-Priority /^%d$/ to %d\n" % (n, n) for n in range(count))
    gateway = private_gateway(
        priority_count=count, rules=rules, conf={"DEFAULT_PRIORITY": count - 1}
    )
    sent = [gateway.send(to=["p%d@dest.example" % n], headers=headers(n)) for n in range(count)]
    for n, message in enumerate(sent):
        assert gateway.delivered(message) == {"p%d@dest.example" % n: n}
    assert gateway.ctl("status").stdout.count(" running ") == count + 4
    assert gateway.tool("peg-showqueues").stdout.count(" * postfix") == count + 1
