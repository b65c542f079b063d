"""Blocks of TCP ports on 127.0.0.1 that belong to one gateway at a time.

A block is reserved by an abstract unix socket, which lives in the same network namespace as the
ports and goes away with the process that holds it, however that process ends.
"""

import os
import random
import socket

FIRST_PORT = 21000
BLOCK_LEN = 64
BLOCK_COUNT = 170  # ends at 31879, below the kernel's ephemeral ports
INSTANCE_OFFSET = 9  # room for the frontends' listeners, the table, the relay


class PortBlock:
    """One reserved block: named ports, some `spare` ones, then one an instance."""

    def __init__(self, number, reservation):
        self._reservation = reservation
        self.base = FIRST_PORT + number * BLOCK_LEN
        self.frontend = self.base
        self.tcpmap = self.base + 1
        self.relay = self.base + 2
        self.urgent = self.base + 3
        self.spare = tuple(range(self.base + 4, self.base + INSTANCE_OFFSET))
        self.instance_base = self.base + INSTANCE_OFFSET

    def release(self):
        """Give the block back. The ports must be closed by then."""
        self._reservation.close()


def reserve():
    """Reserve a block in which no port is in use; raises RuntimeError if there is none."""
    start = random.Random(os.urandom(8)).randrange(BLOCK_COUNT)
    for step in range(BLOCK_COUNT):
        number = (start + step) % BLOCK_COUNT
        reservation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            reservation.bind("\0peg-test-ports-%d" % number)
        except OSError:
            reservation.close()
            continue
        base = FIRST_PORT + number * BLOCK_LEN
        if all(_is_free(port) for port in range(base, base + BLOCK_LEN)):
            return PortBlock(number, reservation)
        reservation.close()
    raise RuntimeError(
        "no free block of %d ports between %d and %d"
        % (BLOCK_LEN, FIRST_PORT, FIRST_PORT + BLOCK_COUNT * BLOCK_LEN)
    )


def _is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As Postfix does: a connection in TIME_WAIT is no reason to leave the port alone.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
