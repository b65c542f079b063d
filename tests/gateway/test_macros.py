"""What Postfix tells peg-milter beside the message, as Postfix's own log has it when it is verbose."""

import re
import subprocess

import pytest

EVENT = r"/(?:smtpd|cleanup)\[\d+\]: event: SMFIC_(\w+); macros:(.*)"
STEPS = ["CONNECT", "HELO", "MAIL", "RCPT", "DATA", "HEADER", "BODYEOB"]


def _make_verbose(gateway):
    gateway.set_postfix_conf("frontend", "debug_peer_list", "127.0.0.1")
    config_dir = gateway.config_dir("frontend")
    change = "cleanup/unix/command=cleanup -v"
    subprocess.run(["postconf", "-c", config_dir, "-F", change], check=True)


def _told(gateway):
    """{step: {macros}} of one message."""
    told = {}
    for line in gateway.log.lines():
        found = re.search(EVENT, line)
        if found:
            told.setdefault(found.group(1), set()).update(re.findall(r" (\S+)=", found.group(2)))
    return told


@pytest.mark.parametrize(
    "rules, of_sender",
    [("", set()), ("{client_addr} /^192/ all 1\n", {"{mail_addr}", "{client_addr}"})],
)
def test_postfix_sends_no_macro_that_is_not_read(private_gateway, rules, of_sender):
    conf = {"DEFAULT_PRIORITY": 0}
    gateway = private_gateway(start=False, priority_count=2, conf=conf, rules=rules)
    gateway.write()
    _make_verbose(gateway)
    gateway.run()
    sent = gateway.send(to=["bob@dest.example"], headers=[("X-Level", "1")])
    assert gateway.delivered(sent) == {"bob@dest.example": 0}
    read = {"MAIL": of_sender, "RCPT": {"{rcpt_addr}"}, "BODYEOB": {"i", "v"}}
    assert _told(gateway) == {step: read.get(step, set()) for step in STEPS}
