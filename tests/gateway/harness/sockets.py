"""Connecting to unix sockets whatever the length of their names."""

import os
import socket

SUN_PATH_LEN = 107


def connect_unix(path, timeout=None):
    """A connected socket; a name too long for sockaddr_un is reached through its open folder."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        if len(os.fsencode(path)) <= SUN_PATH_LEN:
            connection.connect(path)
        else:
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
            try:
                connection.connect("/proc/self/fd/%d/%s" % (folder, os.path.basename(path)))
            finally:
                os.close(folder)
    except OSError:
        connection.close()
        raise
    return connection
