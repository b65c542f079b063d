"""A gateway that an older version made and runs, with the operator's edits and with mail in its queues,
is taken over by `peg-gen apply` of this one.

The older version is built from the repository's history.
"""

import os
import subprocess
import time

import pytest

from harness import processes, torture
from harness.backlog import CONF
from harness.gateway import Gateway
from harness.installation import REPOSITORY
from harness.plan import RULES, headers
from harness.load import Load

OLDER = "4df255e55d9b6c6e4bd5b0e1f1a6c8f2"  # replaced below
PART_NAMES = ["peg-milter", "peg-tcpmap"] + ["postfix%d" % n for n in range(5)] + ["postfix-frontend"]
OWN_MAIN = "\n# the operator's own words\nsmtpd_banner = $myhostname at your service\n"
