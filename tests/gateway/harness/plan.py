"""Messages that name their priorities in headers of their own, and random ones of that kind.

A gateway that runs with RULES sends every recipient by the number in X-To-Priority, or in
X-Cc-Priority where it does not stand in To.
"""

import concurrent.futures
import itertools

PRIORITIES = range(5)
RULES = "".join(
    "X-To-Priority /^%d$/ to %d\nX-Cc-Priority /^%d$/ cc %d\n" % (n, n, n, n) for n in PRIORITIES
)
NAMES = "anna bert carl dora emil fred gina hugo ida jan".split()
SHARED = [
    "%s@%s" % (name, domain)
    for name in NAMES
    for domain in ("dest.example", "ward.hospital.example", "hq.example")
]


def headers(to_priority, cc_priority=None):
    """The headers for Sender.send(); None leaves the recipients to the default priority."""
    pairs = (("X-To-Priority", to_priority), ("X-Cc-Priority", cc_priority))
    return [(name, str(priority)) for name, priority in pairs if priority is not None]


def way_of_mail(gateway, address, priority):
    """Send a message, which goes by its priority; returns the way that was decided."""
    sent = gateway.send(to=[address], headers=headers(priority))
    delivered = gateway.delivered(sent)
    if delivered != {address: priority}:
        raise AssertionError("%s was to go by %d: %s" % (sent, priority, delivered))
    return gateway.decision(sent).way


class Plan:
    """One message that shall be sent: recipients {address: priority}, and where they stand.

    to_priority and cc_priority differ in one message of three.
    """

    def __init__(self, dice, shared):
        mixed = dice.random() < 1 / 3
        first, second = dice.sample(PRIORITIES, 2)
        chosen = [spelled(dice, a) for a in dice.sample(shared, dice.randint(1 + mixed, 4))]
        split = dice.randint(1, len(chosen) - 1) if mixed else dice.randint(0, len(chosen))
        self.to, others = chosen[:split], chosen[split:]
        self.cc, self.bcc = others[: len(others) // 2 + 1], others[len(others) // 2 + 1 :]
        self.to_priority = first
        self.cc_priority = second if mixed else first
        self.priorities = {address: self.to_priority for address in self.to}
        self.priorities.update({address: self.cc_priority for address in self.cc + self.bcc})

    def send(self, sender, **options):
        """Send it over this connection; returns Sent. More options are those of Sender.send()."""
        # In the header the domain may stand in another case: it is the same mailbox.
        return sender.send(
            to=self.to,
            cc=self.cc,
            bcc=self.bcc,
            to_header=", ".join(map(domain_in_small_letters, self.to)) or None,
            headers=headers(self.to_priority, self.cc_priority),
            **options
        )


def send_all(gateway, plans, connections, at=None):
    """Send the plans over so many connections at once, as Gateway.sender(); [(plan, Sent)]."""

    def send_share(share):
        with gateway.sender(at=at) as sender:
            return [(plan, plan.send(sender)) for plan in share]

    shares = [plans[n::connections] for n in range(connections)]
    with concurrent.futures.ThreadPoolExecutor(connections) as threads:
        return list(itertools.chain.from_iterable(threads.map(send_share, shares)))


def spelled(dice, address):
    """The same mailbox, now and then in another case: other senders spell it otherwise."""
    local, at, domain = address.partition("@")
    if dice.random() < 0.1:
        domain = "".join(dice.choice((c.lower(), c.upper())) for c in domain)
    if dice.random() < 0.05:
        local = local.capitalize()
    return local + at + domain


def domain_in_small_letters(address):
    """The address as it may be spelled where a message was respelled."""
    local, at, domain = address.partition("@")
    return local + at + domain.lower()
