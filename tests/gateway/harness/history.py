"""Older versions, out of the history of the repository; a shallow clone and an archive have none."""

import os
import subprocess

from .installation import REPOSITORY


def has(commit):
    known = ["git", "-C", REPOSITORY, "cat-file", "-e", commit]
    try:
        return subprocess.run(known, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def unpack(commit, folder):
    """Write the sources as they were into a folder, which is made where it is missing."""
    os.makedirs(folder, exist_ok=True)
    archive = subprocess.Popen(["git", "-C", REPOSITORY, "archive", commit], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
    assert archive.wait() == 0
