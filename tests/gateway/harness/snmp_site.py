"""A gateway whose peg-monitor serves an snmpd, which has read what peg-gen wrote for it."""

import contextlib
import os
import signal
import time

from . import processes
from .gateway import Gateway
from .mail_mibs import oid
from .monitor_process import FIGURES
from .snmp import Agent, TrapReceiver, wait_until

FRAGMENT = "etc/snmp/snmpd.priority-email-gateway.conf"
MONITOR_PID = "run/priority-email-gateway/peg-monitor.pid"
EXTEND = ".1.3.6.1.4.1.8072.1.3.2.3.1"
OUTPUT_FULL, RESULT = EXTEND + ".2", EXTEND + ".4"
EVENT_MIB = ".1.3.6.1.2.1.88.2"
RISING, FALLING = EVENT_MIB + ".0.2", EVENT_MIB + ".0.3"
HOT_TRIGGER, HOT_OID, HOT_VALUE = (EVENT_MIB + ".1.%d.0" % n for n in (1, 4, 5))
SNMP_TRAP_OID = ".1.3.6.1.6.3.1.1.4.1.0"
UP, DOWN = "1", "2"  # applOperStatus
HEADERS = ["5", "4", None, "2", "1"]  # X-Priority, by instance


def appl_index(instance):
    return {"frontend": 1, "urgent": 68}.get(instance) or instance + 2


def by_name(table, name):
    """The object of an extend line."""
    return "%s.%d.%s" % (table, len(name), ".".join(str(ord(letter)) for letter in name))


class Site:
    """A gateway, an snmpd that has read what peg-gen wrote, and where its traps go."""

    def __init__(self, folder, **options):
        self.gateway = Gateway(**options)
        self.round_times = None
        with contextlib.ExitStack() as stack:
            stack.callback(self.gateway.remove)
            self.receiver = TrapReceiver(folder)
            stack.callback(self.receiver.stop)
            os.makedirs(self.gateway.path("etc/snmp"))
            self.gateway.write()
            self.agent = Agent(folder, self.gateway.path(FRAGMENT), self.receiver.port)
            stack.callback(self.agent.stop)
            self.agent.start()
            self.gateway.run()
            self._stack = stack.pop_all()

    def close(self):
        self._stack.close()

    def wait_until_connected(self):
        self.agent.wait_for_value(oid("applName", 1), '"postfix-frontend"')

    def count_again(self):
        """Have peg-monitor do a round now."""
        os.kill(processes.read_pid(self.gateway.path(MONITOR_PID)), signal.SIGUSR1)

    def wait_for_trap(self, number, count=1):
        """Rounds until so many traps concern an object; returns them as [(notification, value)]."""

        def have():
            found = self.traps(number)
            if len(found) < count:
                self.count_again()
            return found if len(found) >= count else None

        return wait_until(have, self.receiver.heard)

    def traps(self, number):
        return [
            (facts[SNMP_TRAP_OID], facts[HOT_VALUE])
            for facts in self.receiver.traps((RISING, FALLING))
            if facts[HOT_OID] == number
        ]

    def last_round(self):
        """When what a round writes last was written; None: there was none."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self.figure("peg.prom")).st_mtime_ns
        return None

    def rounds(self, count=3):
        """Rounds that are over when this returns; the first may be one that was under way."""
        begun = time.time()
        for _ in range(count):
            last = self.last_round()
            self.count_again()
            wait_until(lambda: self.last_round() not in (None, last), self.gateway.log.tail)
        self.round_times = begun, time.time()

    def figure(self, name):
        return os.path.join(self.gateway.path(FIGURES), name)


def send(gateway, instance, to, **message):
    """Send a message through an instance; returns its queue ID there, when the frontend is rid of it."""
    sent = gateway.send(to=to, priority_header=HEADERS[instance], **message)
    there = gateway.log.wait_for(
        r"postfix%d/smtpd.*: (\w+): client=.*orig_queue_id=%s" % (instance, sent.queue_id)
    )
    gateway.log.wait_for(r"postfix-frontend/qmgr.*: %s: removed" % sent.queue_id)
    return there.group(1)


def send_to_deferred(gateway, instance, count):
    """Messages that an instance has deferred; returns their queue IDs when it has."""
    gateway.relay.refuse_recipient("^late", "451 4.3.0 try again later")
    to = ["late@dest.example", "later@dest.example"]
    queue_ids = [send(gateway, instance, to) for _ in range(count)]
    wait_until(lambda: gateway.queue_counts(instance)["deferred"] == count, gateway.log.tail)
    return queue_ids
