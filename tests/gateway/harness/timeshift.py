"""Hours that pass for the gateway in no time.

Claims are dated by CLOCK_BOOTTIME, and processes in a time namespace (time_namespaces(7)) have that
clock with an offset. Nothing else is different for them: no file, no socket, no wall clock.
"""

import subprocess


def is_possible():
    """Whether this system has time namespaces, and lets this user make one."""
    try:
        done = subprocess.run(
            ["unshare", "--time", "--boottime", "1", "true"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0


class TimeShift:
    """The gateway's time, which can be put forward.

    offset_s    by how much peg-milter, peg-tcpmap, and our programs that are run by hand, are ahead
    """

    def __init__(self, gateway):
        self.gateway = gateway
        self.offset_s = 0

    def let_pass(self, seconds, start_frontend=True):
        """Stop the daemons and the frontends, and start them `seconds` later.

        The frontends as well, since what Postfix remembers of its lookups is short-lived, too.
        """
        self.gateway.ctl("stop", "milter", "tcpmap", *self.gateway.frontends())
        self.offset_s += seconds
        self.gateway.under["time"] = ["unshare", "--time", "--boottime", str(self.offset_s), "--"]
        self.gateway.ctl("start", "milter", "tcpmap")
        if start_frontend:
            ours, self.gateway.under = self.gateway.under, {}
            self.gateway.start_milter()
            self.gateway.under = ours
