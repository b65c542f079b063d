"""What helps urgent mail through a flood of other mail, one thing after the other, on ours."""

import contextlib

import stress
import urgent
from figures import Figure, Section
from fleet import BATCH, NICE, each
from traffic import percentile

NO_LEVELS = each("NICE_LEVEL", dict.fromkeys(NICE, 0))
SLIGHT_LEVELS = each(
    "NICE_LEVEL", {0: 2, 1: 1, 2: 0, 3: -1, 4: -2, "frontend": 0, "urgent": -2}
)
NO_BATCH = each("SCHED_BATCH", dict.fromkeys(BATCH, "no"))
ALL_BATCH = each("SCHED_BATCH", dict.fromkeys(BATCH, "yes"))
SHORT_QUEUE = "1000"  # messages that are active, as soon full here as 20,000 are on a real one


class Remedy:
    """What a gateway has against it.

    by          who takes urgent mail: "frontend", "urgent", or "reserved", an smtpd in the frontend
                whose cleanup does not wait for the queue manager
    flow_delay  in_flow_delay of the frontend
    processes   of its smtpd for all mail
    active      its qmgr_message_active_limit
    shares      {NICE_LEVEL... or SCHED_BATCH...: value}, beside those of the fleet
    """

    def __init__(self, title, by, flow_delay="1s", processes="-", active="20000", shares=None):
        self.title = title
        self.by = by
        self.flow_delay = flow_delay
        self.processes = processes
        self.active = active
        self.shares = shares or {}


REMEDIES = {
    "nothing": Remedy("one listener for all, in_flow_delay=0", "frontend", flow_delay="0"),
    "flow_delay": Remedy("one listener for all, in_flow_delay=1s", "frontend"),
    "few": Remedy("one listener, 20 smtpd processes", "frontend", processes=stress.FEW_PROCESSES),
    "reserved": Remedy("an smtpd for urgent clients in the frontend", "reserved"),
    "reserved_full": Remedy(
        "an smtpd for urgent clients in the frontend, whose active queue is full",
        "reserved",
        active=SHORT_QUEUE,
    ),
    "urgent_even": Remedy("urgent frontend, all nice levels 0", "urgent", shares=NO_LEVELS),
    "urgent_slight": Remedy("urgent frontend, nice levels 2 to -2", "urgent", shares=SLIGHT_LEVELS),
    "urgent_other": Remedy("urgent frontend, SCHED_BATCH for none", "urgent", shares=NO_BATCH),
    "urgent_batch": Remedy("urgent frontend, SCHED_BATCH for all", "urgent", shares=ALL_BATCH),
    "urgent": Remedy("urgent frontend", "urgent"),
    "urgent_full": Remedy(
        "urgent frontend, the other's active queue full", "urgent", active=SHORT_QUEUE
    ),
    "urgent_few_even": Remedy(
        "urgent frontend, 20 smtpd processes in the other, all nice levels 0",
        "urgent",
        processes=stress.FEW_PROCESSES,
        shares=NO_LEVELS,
    ),
    "urgent_few": Remedy(
        "urgent frontend, 20 smtpd processes in the other", "urgent", processes=stress.FEW_PROCESSES
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
    reserved = "127.0.0.1:%d/inet" % ports["reserved"]
    smtpd = "%s n - n - - smtpd -o cleanup_service_name=cleanup-reserved"
    cleanup = "cleanup-reserved unix n - n - 0 cleanup -o in_flow_delay=0"
    gateway.set_postfix_conf("frontend", "in_flow_delay", remedy.flow_delay)
    gateway.set_postfix_conf("frontend", "qmgr_message_active_limit", remedy.active)
    gateway.postconf("frontend", "-M", reserved + "=" + smtpd % reserved.replace("/", " "))
    gateway.postconf("frontend", "-M", "cleanup-reserved/unix=" + cleanup)
    try:
        with stress.few_processes(gateway, remedy.processes), gateway.configured(remedy.shares):
            yield ports[remedy.by]
    finally:
        gateway.set_postfix_conf("frontend", "in_flow_delay", "0")
        gateway.set_postfix_conf("frontend", "qmgr_message_active_limit", None)
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
        for share in (50, 99):
            figures.append(
                Figure(
                    "remedies_%s_p%d" % (name, share),
                    "flood, %s: p%d" % (remedy.title, share),
                    [percentile(together, share)],
                    "ms",
                    digits=0,
                    is_kept=True,
                )
            )
    text = (
        "Ours while routine mail comes as fast as 100 sessions can send it, and an urgent message "
        "a second, %d a round; nice levels and SCHED_BATCH as they are shipped, and "
        "in_flow_delay=1s, where nothing else is said." % messages
    )
    return Section("remedies", "What helps urgent mail through a flood", text, figures)
