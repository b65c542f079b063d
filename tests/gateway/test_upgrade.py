"""A gateway that an older version made and runs, with edits of its operator and mail in its queues, is
taken over by `peg-gen apply` of this version.

The older version is built from the history of the repository.
"""

import os
import re
import subprocess

import pytest

from harness import history
from harness.backlog import CONF
from harness.plan import RULES, headers

OLDER = "4df255ed0f6344dabb8ef96c519e7c53a2a2ff43"
AWAY = 3  # the instance that is stopped, so that the frontend has mail
EDITS = {
    "postfix-frontend/main.cf": "\n# the operator's own words\nsmtpd_banner = $myhostname at service\n",
    "postfix-frontend/master.cf": "# one more\n127.0.0.1:%d inet n - n - 7 smtpd\n  -o smtpd_helo_required=yes\n",
    "postfix4/main.cf": "smtp_helo_timeout = 77s\nsmtpd_milters = inet:127.0.0.1:9\n",
    "postfix4/master.cf": "slow unix - - n - 1 smtp\n\t-o smtp_helo_timeout=99s\n",
}


@pytest.fixture(scope="module", name="older_build")
def programs_of_the_older_version(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("older"))
    history.unpack(OLDER, folder)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(
        ["make", "-s", "-C", folder, "-j2", "all", "CFLAGS=-O1"],
        check=True, env=environment, stdout=subprocess.DEVNULL,
    )
    for path in (folder, os.path.dirname(folder)):
        os.chmod(path, 0o755)
    return os.path.join(folder, "build")


def edit(gateway):
    """What operators do; returns {file: what must still stand there}."""
    port = gateway.ports.spare[3]
    kept = {name: text % port if "%d" in text else text for name, text in EDITS.items()}
    # First: postconf itself moves comments behind an entry that it changes.
    listener = "127.0.0.1:%d/inet/smtpd_helo_required=no" % gateway.ports.frontend
    subprocess.run(["postconf", "-c", gateway.config_dir("frontend"), "-Pe", listener], check=True)
    for name, text in kept.items():
        with open(gateway.path("etc/" + name), "a") as file:
            file.write(text)
    return kept


def waiting_mail(gateway):
    """Mail in all queues: {Sent: {address: the instance that must deliver it}}."""
    sent = {}

    def send(priority, *addresses, cc=(), cc_priority=None):
        message = gateway.send(
            to=list(addresses), cc=list(cc), headers=headers(priority, cc_priority)
        )
        sent[message] = {address: priority for address in addresses}
        sent[message].update({address: cc_priority for address in cc})
        return message

    gateway.relay.refuse_recipient("^later", "451 4.3.0 try again later")
    send(4, "later.a@dest.example")
    gateway.log.wait_for(r"postfix4/smtp\S+: .*to=<later.a@.*status=deferred")
    subprocess.run(["postfix", "-c", gateway.config_dir(AWAY), "stop"], stderr=subprocess.DEVNULL)
    plain = send(AWAY, "anna@dest.example")
    held = send(AWAY, "bert@dest.example")
    gateway.log.wait_for(r"postfix-frontend/smtp\S+: \S*%s: .*deferred" % plain.queue_id)
    gateway.log.wait_for(r"postfix-frontend/smtp\S+: \S*%s: .*deferred" % held.queue_id)
    gateway.postsuper("frontend", "-h", held.queue_id)
    # The same recipient at another priority: it cannot go plainly.
    other = send(1, "anna@dest.example")
    assert gateway.decision(other).way == "filter"
    return sent, held


@pytest.mark.skipif(not history.has(OLDER), reason="needs the history of the repository")
def test_a_gateway_of_an_older_version_is_taken_over_with_its_mail(private_gateway, older_build):
    gateway = private_gateway(rules=RULES, template_conf=CONF, start=False)
    build, gateway.build = gateway.build, older_build
    gateway.write()
    kept = edit(gateway)
    gateway.run()
    older_pids = [gateway.daemon_pid(name) for name in ("peg-milter", "peg-tcpmap")]
    sent, held = waiting_mail(gateway)

    gateway.build = build
    shown = gateway.gen("diff").stdout
    assert re.search(r"postfix4/main.cf: maximal_queue_lifetime = 86400s \(was: not set\)", shown)
    applied = gateway.gen("apply").stdout
    assert "restarted: peg-milter\n" in applied and "restarted: peg-tcpmap\n" in applied
    gateway.ctl("start")
    assert gateway.gen("diff").stdout == "nothing to change\n"
    for name, text in kept.items():
        with open(gateway.path("etc/" + name)) as file:
            found = file.read()
        if name == "postfix4/main.cf":  # an instance's milters are the operator's, too
            assert "smtpd_milters = inet:127.0.0.1:9\n" in found
            text = "smtp_helo_timeout = 77s\n"
        assert text in found, name
    services = gateway.postfix_services("frontend")
    own = [line for line in services if line.startswith("127.0.0.1:%d " % gateway.ports.frontend)]
    assert len(own) == 1 and "smtpd_helo_required=no" in own[0]
    pids = [gateway.daemon_pid(name) for name in ("peg-milter", "peg-tcpmap")]
    assert not set(pids) & set(older_pids)

    gateway.relay.behave()
    gateway.postsuper("frontend", "-H", held.queue_id)
    gateway.flush("frontend")
    gateway.flush(4)
    for message, instances in sent.items():
        assert gateway.delivered(message) == instances
    again = gateway.send(to=["later.a@dest.example"], headers=headers(0))
    assert gateway.delivered(again) == {"later.a@dest.example": 0}
