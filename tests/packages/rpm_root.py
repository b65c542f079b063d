"""A Debian with real Postfix in which an RPM package is installed that was built on this machine:
its programs find the libraries that they were built with, and its scripts run as rpm runs them.
"""

import functools
import os
import re

import debian_root
from debian_packages import BUILD, NAME, run
from harness.programs import programs


def libraries():
    """The Debian packages with the libraries of our programs."""
    said = "".join(run("ldd", os.path.join(BUILD, program)).stdout for program in programs())
    paths = {os.path.realpath(path) for path in re.findall(r"=> (/\S+)", said)}
    # dpkg may know a file below /lib that is below /usr/lib: by its folder and its name.
    files = ["*/" + "/".join(path.split("/")[-2:]) for path in paths]
    listed = run("dpkg-query", "--search", *files).stdout
    return sorted(set(re.findall(r"(?m)^([^\s:,]+)(?::\w+)?: /", listed)))


@functools.lru_cache(maxsize=None)
def base():
    """The folder of a Debian with Postfix, rpm, and what our programs need."""
    return debian_root.base(libraries() + ["passwd", "postfix", "procps", "rpm"])


class RpmRoot(debian_root.Root):
    """Where rpm takes the place of apt. No systemd runs there: PEG_START=yes starts things."""

    def rpm(self, *arguments, environment=(), check=True):
        """Returns all that rpm and the scripts of the packages say."""
        command = ["rpm", "--dbpath", "/var/lib/rpm", "--force-debian", *arguments]
        done = self.run("env", *environment, *command, check=check)
        return done.stdout + done.stderr

    def install(self, package, environment=("PEG_START=yes",)):
        """Install or upgrade it; the same version again counts as an upgrade."""
        name = "/tmp/" + os.path.basename(package)
        self.copy(package, name)
        return self.rpm("-U", "--nodeps", "--replacepkgs", name, environment=environment)

    def remove(self, *environment, check=True):
        return self.rpm("-e", "--nodeps", NAME, environment=environment, check=check)
