"""What peg-milter says in the log about each message."""

import re


class Decision:
    """What peg-milter logged about a message.

    priorities  {priority: number of recipients}, from the highest
    rules       line numbers in the rules file, None for the default, in the order of priorities;
                a priority that two rules gave has two
    way         "plain", "filter" or "respell"
    """

    @staticmethod
    def line_of(queue_id):
        """A regular expression for the log line about the message with this queue ID."""
        return (
            r"peg-milter\[\d+\]: %s: from=.* priority=(?P<priority>\S+), "
            r"rule=(?P<rule>\S+), way=(?P<way>\w+)" % queue_id
        )

    def __init__(self, match):
        self.priorities = {}
        for priority, count in re.findall(r"(\d+):(\d+)", match["priority"]):
            total = self.priorities.get(int(priority), 0) + int(count)
            self.priorities[int(priority)] = total
        rules = re.findall(r"\d+|-", match["rule"])  # a list cut short ends in dots
        self.rules = [None if rule == "-" else int(rule) for rule in rules]
        self.way = match["way"]
