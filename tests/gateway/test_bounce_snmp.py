"""The example of the manual: snmptrap(1) as bounce command, and what snmptrapd(8) hears."""

import os
import socket
import subprocess
import time

import pytest

from harness.gateway import Gateway

# NET-SNMP-EXAMPLES-MIB: netSnmpExampleHeartbeatNotification, and texts below netSnmpExampleScalars
TRAP = "1.3.6.1.4.1.8072.2.3.0.1"
TEXT = "1.3.6.1.4.1.8072.2.1.%d.0"
FACTS = ["INSTANCE", "PRIORITY", "QUEUE_ID", "SENDER", "RECIPIENTS", "REASON", "COUNT"]


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TrapReceiver:
    """snmptrapd on a port of its own, which writes a line for each trap."""

    def __init__(self, folder):
        self.port = free_udp_port()
        self._log = os.path.join(folder, "traps")
        conf = os.path.join(folder, "snmptrapd.conf")
        with open(conf, "w") as file:
            file.write("authCommunity log secret\nformat2 %W|%v\\n\n")
        self._process = subprocess.Popen(
            ["snmptrapd", "-f", "-C", "-c", conf, "-Lf", self._log, "-m", "", "-On", "-OQ"]
            + ["-p", os.path.join(folder, "snmptrapd.pid"), "udp:127.0.0.1:%d" % self.port],
            env=dict(os.environ, SNMP_PERSISTENT_DIR=folder),
        )

    def wait_for(self, text, timeout=20):
        """What was heard, once it holds this text."""
        deadline = time.monotonic() + timeout
        while True:
            heard = ""
            if os.path.exists(self._log):
                with open(self._log, errors="replace") as file:
                    heard = file.read()
            if text in heard:
                return heard
            assert time.monotonic() < deadline and self._process.poll() is None, heard
            time.sleep(0.05)

    def stop(self):
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def receiver(tmp_path):
    receiver = TrapReceiver(str(tmp_path))
    try:
        receiver.wait_for("NET-SNMP version")
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
