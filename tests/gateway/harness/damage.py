"""Flipping bits in files, as disks do now and then."""

import re


def flip(path, offset):
    """Flip the lowest bit of one byte: a digit becomes another one."""
    with open(path, "r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def place_of(path, pattern):
    """The offset of the one match of a regular expression (bytes) in a file."""
    with open(path, "rb") as file:
        (match,) = re.finditer(pattern, file.read())
    return match.start()
