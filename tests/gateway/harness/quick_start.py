"""Postfix's own way to start without a check of all its files, which takes eighty programs each time:
for a test that is about something else. Also a program:

    python3 -m harness.quick_start /etc/postfix0 /etc/postfix1
    postfix -c /etc/postfix0 start
"""

import os
import shutil
import subprocess
import sys

FLAG = "quick-start"  # postfix-script removes it when it starts
PARAMETERS = ("queue_directory", "data_directory", "mail_owner", "setgid_group", "meta_directory")


def prepare(config_dirs):
    """Make the folders that these Postfixes lack, as `postfix start` would, and spare the next one
    its check.
    """
    for config_dir in config_dirs:
        values = _values(config_dir)
        for path, owner, group, mode in _folders(values):
            if not os.path.isdir(path):
                os.mkdir(path)
                shutil.chown(path, owner, None if group == "-" else group)
                os.chmod(path, mode)
        with open(os.path.join(values["queue_directory"], FLAG), "w"):
            pass


def _values(config_dir):
    command = ["postconf", "-c", config_dir, "-hx", *PARAMETERS]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, universal_newlines=True)
    return dict(zip(PARAMETERS, done.stdout.splitlines()))


def _folders(values):
    """Those that post-install makes, as postfix-files has them."""
    with open(os.path.join(values["meta_directory"], "postfix-files")) as lines:
        listed = [line for line in lines if line.startswith(("$queue_directory", "$data_directory"))]
    for line in listed:
        path, _type, owner, group, mode, _flags = line.strip().split(":")
        yield (*(_expanded(word, values) for word in (path, owner, group)), int(mode, 8))


def _expanded(word, values):
    parameter, slash, rest = word.partition("/")
    return values[parameter[1:]] + slash + rest if word[0] == "$" else word


if __name__ == "__main__":
    prepare(sys.argv[1:])
