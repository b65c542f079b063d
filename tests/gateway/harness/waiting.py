"""Mail that waits in the frontend's queue, at every priority and by every way, and its rivals.

The gateway runs with plan.RULES.
"""

import itertools

from . import keeper
from .judge import same_mailbox
from .mail import new_tag
from .plan import PRIORITIES, headers

# As Postfix shows them in its queue they look a little different, or could be something else.
ODD = (
    '"quo ted.%s"@dest.example',
    '"dot.%s"@dest.example',
    "Björn.%s@Dest.example",
    "w?.%s@dest.example",
)


class Waiting:
    """Messages that wait.

    sent        [Sent]
    instances   {address: instance} of each, in the same order
    keys        {routing key that was claimed for one of them: its priority}
    """

    def __init__(self, gateway, send):
        """send() takes a list of arguments for Sender.send(), sends them, and returns [Sent]."""
        self.gateway = gateway
        self._steps = itertools.cycle(PRIORITIES[1:])
        name = new_tag()
        taken, literal = "taken.%s@dest.example" % name, "u.%s@[192.0.2.7]" % name
        plain = [({"p%d.%s@Dest.example" % (n, name): n}, {}) for n in PRIORITIES]
        plain += [({address % name: 1}, {}) for address in ODD]
        plain += [
            ({"a.%s@dest.example" % name: 4}, {"b.%s@hq.example" % name: 1}),
            ({literal: 3}, {}),
            ({taken: 0}, {}),
        ]
        respelled = ({taken: 4}, {"s." + taken: 1})
        filtered = ({taken: 3}, {})
        by_default = {"d.%s@dest.example" % name: 2}
        messages = [_message(*group) for group in plain]
        messages += [dict(to=list(by_default)), _message(*respelled), _message(*filtered)]
        self.sent = send(messages)
        self.instances = [dict(to, **cc) for to, cc in plain]
        self.keys = {key: value for group in self.instances for key, value in group.items()}
        self.instances += [by_default, dict(respelled[0], **respelled[1]), filtered[0]]
        ways = [gateway.decision(sent).way for sent in self.sent]
        assert ways == ["plain"] * (len(ways) - 2) + ["respell", "filter"]
        spelling = keeper.recorded(gateway, self.sent[-2]).keys[taken]
        self.keys.update({**by_default, **respelled[1], spelling: 4})

    def defend_their_keys(self, with_splits=True):
        """Send mail to the same addresses, at another priority each time, which must not get them.

        All of it goes its own way. with_splits: also messages with one more priority.
        """
        self.check_rivals(self.send_rivals(with_splits))

    def send_rivals(self, with_splits=True):
        """The first half of defend_their_keys(); returns what check_rivals() wants."""
        step = next(self._steps)
        rivals = []
        with self.gateway.sender() as sender:
            for address, priority in self.keys.items():
                own, other = ((priority + n) % len(PRIORITIES) for n in (step, step + 1))
                sent = sender.send(to=[address], headers=headers(own))
                rivals.append((sent, {address: own}, "filter"))
                if with_splits and "[" not in address:
                    new = "new.%s@dest.example" % new_tag()
                    sent = sender.send(to=[address], cc=[new], headers=headers(own, other))
                    rivals.append((sent, {address: own, new: other}, "respell"))
        return rivals

    def check_rivals(self, rivals):
        """The second half of defend_their_keys()."""
        for sent, instances, way in rivals:
            assert self.gateway.decision(sent).way == way, sent
            assert self.gateway.delivered(sent) == instances

    def check_recorded(self):
        """What was decided for them is known."""
        for sent, instances in zip(self.sent, self.instances):
            recorded = keeper.recorded(self.gateway, sent)
            assert recorded, sent
            assert _by_mailbox(recorded.priorities) == _by_mailbox(instances)

    def check_delivered(self, timeout=60):
        """Wait until they have left, each recipient by its own instance."""
        for sent, instances in zip(self.sent, self.instances):
            assert self.gateway.delivered(sent, timeout) == instances


def _by_mailbox(numbers):
    return {same_mailbox(address): number for address, number in numbers.items()}


def _message(to, cc):
    priorities = (next(iter(group.values()), None) for group in (to, cc))
    return dict(to=list(to), cc=list(cc), headers=headers(*priorities))
