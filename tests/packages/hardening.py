"""How a program must have been built that speaks to strangers."""

import re

from debian_packages import run


def check(path):
    """Assert that the program is hardened."""
    assert "Type: DYN" in re.sub(" +", " ", run("readelf", "-hW", path).stdout), path
    dynamic = run("readelf", "-dW", path).stdout
    assert "BIND_NOW" in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic, path
    segments = run("readelf", "-lW", path).stdout
    assert "GNU_RELRO" in segments, path
    assert re.search(r"GNU_STACK .* RW +0x", segments), path
    symbols = run("readelf", "--dyn-syms", "-W", path).stdout
    assert "__stack_chk_fail" in symbols and "_chk@GLIBC" in symbols, path
