"""Unit files of systemd, as far as the tests need them: sections, drop-ins, template instances."""

import glob
import os
import re

FOLDERS = ("/etc/systemd/system", "/usr/local/lib/systemd/system")


def find(name, root=""):
    """The file of a unit, which for an instance is that of its template; None: there is none."""
    template = re.sub(r"@[^.]*\.", "@.", name)
    for candidate in (name, template):
        for folder in FOLDERS:
            path = os.path.join(root + folder, candidate)
            if os.path.isfile(path):
                return path
    return None


class UnitFile:
    """What a unit says, its drop-ins included; an empty value takes back those before it.

    root   of an installation, by default the system
    """

    def __init__(self, name, root=""):
        self.name = name
        self._values = {}
        path = find(name, root)
        if path is None:
            raise FileNotFoundError("there is no unit " + name)
        drop_ins = [glob.glob("%s%s/%s.d/*.conf" % (root, folder, name)) for folder in FOLDERS]
        for file in [path] + sorted(sum(drop_ins, [])):
            self._read(file)

    def all(self, key):
        """All values of a key, in order."""
        return self._values.get(key, [])

    def one(self, key, default=None):
        """The last value of a key."""
        return (self.all(key) or [default])[-1]

    def words(self, key):
        """The words of all values of a key."""
        return [word.strip('"') for value in self.all(key) for word in value.split()]

    def _read(self, file):
        instance = re.search(r"@([^.]*)\.", self.name)
        with open(file) as lines:
            for line in map(str.strip, lines):
                if not line or line[0] in "#;[":
                    continue
                key, value = line.split("=", 1)
                if instance:
                    value = value.replace("%i", instance.group(1))
                value = value.replace("%%", "%")
                if value:
                    self._values.setdefault(key, []).append(value)
                else:
                    self._values[key] = []
