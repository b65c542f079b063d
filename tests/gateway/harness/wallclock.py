"""The wall clock of the gateway's daemons, which a test can set: libfaketime, loaded into them.

No other clock of theirs changes, and no other program's wall clock.
"""

import glob
import os
import re
import time

from . import processes

FOLDERS = ["/usr/lib*/faketime", "/usr/lib/*/faketime"]  # of the package libfaketime


def library():
    """The path of libfaketime, or None where it is not installed."""
    found = [path for folder in FOLDERS for path in glob.glob(folder + "/libfaketime.so.1")]
    return found[0] if found else None


class WallClock:
    """Daemons, and our programs that are run by hand, see another time from now on."""

    def __init__(self, gateway):
        self._path = gateway.path("etc/wallclock")
        self._made_at = time.time()
        self.set("+0")
        gateway.under["wall clock"] = [
            "env",
            "LD_PRELOAD=" + library(),
            "FAKETIME_TIMESTAMP_FILE=" + self._path,
            "FAKETIME_NO_CACHE=1",  # look into the file each time
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ]

    def set(self, offset):
        """Set it: "+1d" is tomorrow, "-3600" an hour ago."""
        # Renamed into place: it is read at any time.
        with open(self._path + ".new", "w") as new:
            new.write(offset + "\n")
        os.rename(self._path + ".new", self._path)

    def clean(self):
        """Remove what the library has left behind of processes that ended otherwise than usual."""
        for path in glob.glob("/dev/shm/*faketime_*"):
            pid = re.search(r"_(\d+)$", path)
            if pid and os.stat(path).st_mtime >= self._made_at - 1:
                if not processes.is_running(int(pid.group(1))):
                    os.unlink(path)
