"""What helps urgent mail through a flood of other mail, one thing after the other, on ours."""

import contextlib

import stress
import urgent
from figures import Figure, Section
from fleet import NICE
from traffic import percentile

NO_LEVELS = {"NICE_LEVEL[%d]" % n: 0 for n in NICE}
NO_LEVELS["NICE_LEVEL_URGENT"] = 0
STEEP_LEVELS = {"NICE_LEVEL[%d]" % n: level for n, level in enumerate((15, 10, 10, -5, -10))}
STEEP_LEVELS.update(NICE_LEVEL_FRONTEND=10, NICE_LEVEL_URGENT=-10)
FEW_PROCESSES = "20"
SHORT_QUEUE = "1000"  # messages that are active, as soon full here as 20,000 are on a real one


class Remedy:
    """What a gateway has against it.

    by          who takes urgent mail: "frontend", "urgent", or "reserved", an smtpd in the frontend
                whose cleanup does not wait for the queue manager
    flow_delay  in_flow_delay of the frontend
    processes   of its smtpd for all mail
    active      its qmgr_message_active_limit
    levels      {NICE_LEVEL...: level}, beside those of the fleet
    """

    def __init__(self, title, by, flow_delay="1s", processes="-", active="20000", levels=None):
        self.title = title
        self.by = by
        self.flow_delay = flow_delay
        self.processes = processes
        self.active = active
        self.levels = levels or {}


REMEDIES = {
    "nothing": Remedy("one listener for all, in_flow_delay=0", "frontend", flow_delay="0"),
    "flow_delay": Remedy("one listener for all, in_flow_delay=1s as in all that follow", "frontend"),
    "few": Remedy("one listener, 20 smtpd processes", "frontend", processes=FEW_PROCESSES),
    "levels": Remedy("one listener, steep nice levels", "frontend", levels=STEEP_LEVELS),
    "reserved": Remedy("an smtpd for urgent clients in the frontend", "reserved"),
    "reserved_full": Remedy(
        "the same, when the frontend's active queue is full", "reserved", active=SHORT_QUEUE
    ),
    "urgent": Remedy("the urgent frontend", "urgent"),
    "urgent_full": Remedy(
        "the same, when the other's active queue is full", "urgent", active=SHORT_QUEUE
    ),
    "urgent_even": Remedy("the urgent frontend, all nice levels 0", "urgent", levels=NO_LEVELS),
    "urgent_steep": Remedy("the urgent frontend, steep nice levels", "urgent", levels=STEEP_LEVELS),
    "urgent_few": Remedy(
        "the urgent frontend, 20 smtpd processes in the other", "urgent", processes=FEW_PROCESSES
    ),
    "urgent_both": Remedy(
        "the urgent frontend, with both", "urgent", processes=FEW_PROCESSES, levels=STEEP_LEVELS
    ),
}


@contextlib.contextmanager
def _taken(gateway, remedy):
    """The gateway has it; yields the port for urgent mail."""
    ports = {
        "frontend": gateway.ports.frontend,
        "urgent": gateway.ports.urgent,
        "reserved": gateway.ports.spare[2],
    }
    service = "127.0.0.1:%d/inet" % ports["frontend"]
    reserved = "127.0.0.1:%d/inet" % ports["reserved"]
    smtpd = "%s n - n - - smtpd -o cleanup_service_name=cleanup-reserved"
    cleanup = "cleanup-reserved unix n - n - 0 cleanup -o in_flow_delay=0"
    gateway.set_postfix_conf("frontend", "in_flow_delay", remedy.flow_delay)
    gateway.set_postfix_conf("frontend", "qmgr_message_active_limit", remedy.active)
    gateway.postconf("frontend", "-F", "%s/process_limit=%s" % (service, remedy.processes))
    gateway.postconf("frontend", "-M", reserved + "=" + smtpd % reserved.replace("/", " "))
    gateway.postconf("frontend", "-M", "cleanup-reserved/unix=" + cleanup)
    try:
        gateway.reload_postfix("frontend")
        with gateway.configured(remedy.levels):
            yield ports[remedy.by]
    finally:
        gateway.set_postfix_conf("frontend", "in_flow_delay", "0")
        gateway.set_postfix_conf("frontend", "qmgr_message_active_limit", None)
        gateway.postconf("frontend", "-F", "%s/process_limit=-" % service)
        gateway.postconf("frontend", "-MX", reserved, "cleanup-reserved/unix")
        gateway.reload_postfix("frontend")


def remedies(bench):
    """A flood, and what each of them makes of the urgent mail in it."""
    rounds, messages = bench.rounds(2, 1), bench.rounds(15, 8)
    figures = []
    for name, remedy in REMEDIES.items():
        outcomes = []
        for _ in range(rounds):
            trial = stress.Trial(bench.fleet.entrant("yes"), 1)
            with _taken(trial.entrant.gateway, remedy) as port:
                outcomes.append(urgent.measure(trial, stress.flood, messages, port))
            bench.say("%s: %s" % (remedy.title, outcomes[-1]))
        together = sorted(value for outcome in outcomes for value in outcome.times)
        figures += [
            Figure("remedies_%s_p50" % name, remedy.title + ": p50", [percentile(together, 50)], "ms"),
            Figure("remedies_%s_p99" % name, "... p99", [percentile(together, 99)], "ms", digits=0),
        ]
    text = (
        "Ours while routine mail comes as fast as 100 sessions can send it, and an urgent message a "
        "second, %d a round. Steep nice levels: %s." % (messages, _told(STEEP_LEVELS))
    )
    return Section("remedies", "What helps urgent mail through a flood", text, figures)


def _told(levels):
    return ", ".join("%s=%d" % item for item in levels.items())
