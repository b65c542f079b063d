"""The example of the manual: snmptrap(1) as bounce command, and what snmptrapd(8) hears."""

import pytest

from harness.gateway import Gateway
from harness.snmp import TrapReceiver

# NET-SNMP-EXAMPLES-MIB: netSnmpExampleHeartbeatNotification, and texts below netSnmpExampleScalars
TRAP = "1.3.6.1.4.1.8072.2.3.0.1"
TEXT = "1.3.6.1.4.1.8072.2.1.%d.0"
FACTS = ["INSTANCE", "PRIORITY", "QUEUE_ID", "SENDER", "RECIPIENTS", "REASON", "COUNT"]


@pytest.fixture
def receiver(tmp_path):
    receiver = TrapReceiver(str(tmp_path))
    try:
        yield receiver
    finally:
        receiver.stop()


def test_a_real_trap_carries_the_facts(receiver):
    words = "snmptrap -v 2c -c secret -m '' 127.0.0.1:%d '' %s" % (receiver.port, TRAP)
    for number, fact in enumerate(FACTS):
        words += ' %s s "%s=$PEG_BOUNCE_%s"' % (TEXT % number, fact, fact)
    with Gateway(conf={"BOUNCE_COMMAND[4]": words}) as gateway:
        gateway.relay.refuse_recipient("bob", "550 5.1.1 no $(such) `user`; \"'|")
        sent = gateway.send(to=["bob@dest.example"], priority_header="1")
        gateway.log.wait_for(r"peg-bounce\S+ postfix4: bounce of .* command ended with status 0")
        heard = receiver.wait_for("COUNT=1")
        queue_id = gateway.log.wait_for(
            r"postfix4/smtpd\S+: (\w+): client=.*orig_queue_id=%s" % sent.queue_id
        ).group(1)
    assert ".%s" % TRAP in heard
    for fact in (
        "INSTANCE=postfix4",
        "PRIORITY=4",
        "QUEUE_ID=" + queue_id,
        "SENDER=alice@source.example",
        "RECIPIENTS=bob@dest.example",
        "REASON=5.1.1 550 5.1.1 no $(such) `user`; ",
    ):
        assert '"%s' % fact in heard
