"""One of our daemons in a gateway of which nothing else runs."""

import subprocess

from harness.installation import Installation
from harness.logfile import LogFile


class DaemonAlone(Installation):
    """A gateway's folder with one daemon, `program`, that runs until the end of the block.

    conf and rules are for Installation. Attributes: pid while it runs, and daemon_log.
    """

    program = None

    def __init__(self, root, conf=None, rules=None):
        super().__init__(root, conf, rules)
        self.process = None
        self.daemon_log = LogFile(self.path(self.program + ".log"))

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        try:
            self.write()
            self.prepare()
            self.start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        self.stop()
        self.ports.release()

    def prepare(self):
        """What is to be done when the files are there, before it is started."""

    def start(self):
        """Start it, and wait until it is ready."""
        with open(self.daemon_log.path, "w") as log:
            self.process = subprocess.Popen(self.command(self.program, "-f"), stderr=log)
        self.daemon_log.wait_for("ready, ")

    def stop(self):
        """End it, if it runs."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None
