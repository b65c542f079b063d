"""An upgrade from the package of an older version, which is built from the history of the repository."""

import os
import tempfile

import pytest

from debian_packages import FOLDER, run
from debian_root import CONF
from harness import history

OLDER = {
    "deb": "3428bbb604e668061390722335de7be454fb5f09",
    "rpm": "c3e30ce14030b63bc6bd5199d8d83ba8027a5f8a",
}
# Where they have their version, which gets another one: each program has it in its bytes.
VERSION, OLDER_VERSION = "0.1.0", "0.0.9"
VERSIONED = {
    "deb": ["lib/options.h", "debian/changelog"],
    "rpm": ["lib/options.h", "rpm/priority-email-gateway.spec"],
}
DAEMONS = ("peg-milter", "peg-tcpmap", "peg-monitor")
AWAY = 2  # the instance that is stopped, so that the frontend has mail
EDITS = {
    CONF: "QUEUE_LIMIT_DEFAULT=7\n",
    "/etc/priority-email-gateway.rules": "# the operator's own words\n",
    "/etc/postfix-frontend/main.cf": "# more of them\nsmtpd_helo_required = yes\n",
    "/etc/postfix4/main.cf": "smtp_helo_name = here.example\n",
    "/etc/postfix4/master.cf": "slow unix - - n - 1 smtp\n  -o smtp_helo_timeout=99s\n",
}


def needs_history(kind):
    return pytest.mark.skipif(
        not history.has(OLDER[kind]), reason="needs the history of the repository"
    )


def build(kind):
    """The folder with the package as `make deb` or `make rpm` of then builds it. It is kept."""
    out = os.path.join(FOLDER, "older-%s-%s" % (kind, OLDER[kind][:12]))
    if not os.path.isdir(out):
        with tempfile.TemporaryDirectory() as tree:
            history.unpack(OLDER[kind], tree)
            for name in VERSIONED[kind]:
                with open(os.path.join(tree, name), "r+") as file:
                    text = file.read().replace(VERSION, OLDER_VERSION)
                    file.seek(0)
                    file.write(text)
            run(os.path.join(tree, "packaging/make-" + kind), out + ".unfinished")
        os.rename(out + ".unfinished", out)
    return out


def waiting_mail(root):
    """Mail in two instances and in the frontend: {tag: the instance that must deliver it}."""
    root.use_relay_host()
    tags = root.make_backlog()
    root.run("peg-ctl", "stop", str(AWAY))
    tags[root.send("3").tag] = AWAY
    root.wait_for(lambda: root.queued("postfix-frontend") == 1)
    return tags


def sums(root):
    """{daemon: the sum of its program}"""
    said = root.run("sha256sum", *("/usr/sbin/" + name for name in DAEMONS)).stdout
    return dict(zip(DAEMONS, (line.split()[0] for line in said.splitlines())))


def check_upgrade(root, older, current):
    """Edits stay, only what has another program restarts, mail of before and after goes its way."""
    root.install(older)
    root.all_run()
    tags = waiting_mail(root)
    root.append(EDITS)
    before, programs = root.status(), sums(root)

    root.install(current)
    changed = {name for name, digest in sums(root).items() if digest != programs[name]}
    assert changed == set(DAEMONS)
    assert {name for name, pid in root.status().items() if pid != before[name]} == changed
    for path, text in EDITS.items():
        assert text in root.read(path), path
    assert root.run("peg-gen", "diff").stdout == "nothing to change\n"

    with root.relay_host() as relay:
        root.run("peg-ctl", "start")
        root.all_run()
        root.flush("postfix0", "postfix4", "postfix-frontend")
        relay.wait_for(len(tags), timeout=60)
        for priority, number in (("1", 4), ("3", 2), ("5", 0)):
            tags[root.send(priority).tag] = number
        relay.wait_for(len(tags), timeout=60)
        assert {d.tag: d.instance for d in relay.deliveries} == tags
