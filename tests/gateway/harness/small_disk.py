"""A small file system that a test may fill up.

It is mounted in a mount namespace of this process and of all that it starts from then on, so that
nothing of it is left when they are gone.
"""

import ctypes
import errno
import os
import subprocess

CLONE_NEWNS = 0x20000
FILLER = "filler"
PAGE = bytes(4096)


def have_own_mounts():
    """Leave the machine's mount namespace for ever, for a copy; returns whether that may be."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    done = subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL)
    return done.returncode == 0


class SmallDisk:
    """`with SmallDisk(folder, size) as disk:` the folder, made where it is missing, is one.

    size    bytes
    """

    def __init__(self, folder, size):
        self.folder = folder
        self._size = size
        self._filler = os.path.join(folder, FILLER)

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        options = "size=%d,mode=0750" % self._size
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder], check=True)
        return self

    def __exit__(self, *exception):
        subprocess.run(["umount", "-l", self.folder], check=True)

    def fill(self):
        """Leave no free block; what is in the last one of a file has some bytes of room still."""
        with open(self._filler, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(PAGE)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self):
        """Give back what fill() took."""
        if os.path.exists(self._filler):
            os.unlink(self._filler)
