"""An installation that has its configuration and its queues, and nobody who serves them."""

import contextlib
import os
import shutil

from .installation import Installation

QUEUES = ("incoming", "active", "deferred", "hold")


def make_queues(installation):
    """Make the folders of all queues, as private as Postfix has them."""
    for instance in installation.instances():
        for queue in QUEUES:
            os.makedirs(os.path.join(installation.queue_dir(instance), queue), 0o700)


@contextlib.contextmanager
def forgotten(installation):
    """Whatever becomes of it in between, neither its folder nor its ports are kept."""
    try:
        yield installation
    finally:
        installation.ports.release()
        shutil.rmtree(installation.root)


@contextlib.contextmanager
def queue_folders(priority_count, conf=None):
    """`with queue_folders(2, {"DEFAULT_PRIORITY": 0}) as installation:` queues are empty."""
    installation = Installation(priority_count=priority_count)
    for folder in ("etc", "run"):
        os.makedirs(installation.path(folder))
    installation.write_conf(conf or {})
    make_queues(installation)
    with forgotten(installation):
        yield installation
