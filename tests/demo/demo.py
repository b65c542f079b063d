"""Shows a whole gateway at work: generates it, sends mail of every kind, tells where each went.

usage: demo.py DIR [--keep]

Exits 1 if one recipient went elsewhere than the table below says. With --keep the gateway goes on
running, and a small process takes the mail that leaves it, until `peg-ctl --root DIR stop`.
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "gateway"))

from harness import processes  # noqa: E402 (the path comes first)
from harness.gateway import Gateway  # noqa: E402
from harness.installation import ROOT_LEN_MAX  # noqa: E402
from harness.judge import Misdelivered  # noqa: E402
from harness.relay import Relay  # noqa: E402

MARKER = ".peg-demo"
WIDTH = 100
RESTART_GRACE_S = 15
SENDER = "alice@source.example"

# What is sent, and the instance where each recipient must come out: the promise of the shipped
# rules, written down here by hand.
MAIL = (
    ("X-Priority: 1", {"priority_header": "1"}, (("to", "bob", 4),)),
    ("X-Priority: 2", {"priority_header": "2"}, (("to", "carol", 3),)),
    ("X-Priority: 3", {"priority_header": "3"}, (("to", "dave", 2),)),
    ("X-Priority: 4", {"priority_header": "4"}, (("to", "erin", 1),)),
    ("X-Priority: 5", {"priority_header": "5"}, (("to", "frank", 0),)),
    ("no priority", {}, (("to", "grace", 2), ("cc", "heidi", 2), ("bcc", "ivan", 2))),
    (
        "XIMF flash, priority",
        {"primary_precedence": "flash", "copy_precedence": "priority"},
        (("to", "judy", 4), ("cc", "karl", 3), ("bcc", "lena", 3)),
    ),
    (
        "XIMF copy flash",
        {"copy_precedence": "Flash"},
        (("to", "mike", 2), ("cc", "nina", 4), ("bcc", "otto", 4)),
    ),
    (
        "both: last rule wins",
        {"priority_header": "5", "primary_precedence": "priority"},
        (("to", "paul", 3), ("cc", "quin", 0)),
    ),
    ("conflict: first", {"priority_header": "5"}, (("to", "ruth", 0),)),
    ("conflict: second", {"priority_header": "1"}, (("to", "ruth", 4),)),
    (
        "conflict, mixed",
        {"primary_precedence": "priority", "copy_precedence": "flash"},
        (("to", "ruth", 3), ("cc", "sara", 4)),
    ),
)
INSTRUCTIONS = """\
The gateway goes on running. Send it mail, for instance:
  swaks --server 127.0.0.1:{port} --to bob@dest.example --header 'X-Priority: 1'
  printf 'X-Priority: 1\\n\\nHello\\n' | sendmail -C {frontend} bob@dest.example
What leaves the instances comes to
  {mail}
See the queues, and the log:
  {build}/peg-showqueues --root {root}
  tail -f {log}
Stop everything:
  {build}/peg-ctl --root {root} stop"""
HEADINGS = ("message", "recipient", "rule that decided", "instance", "ms")


def parse_explanation(output):
    """{recipient: (rule as text, priority)} from what peg-explain prints."""
    line_form = re.compile(
        r"(?P<rcpt>.*): (?:to|cc|bcc), (?P<rule>.*), priority (?P<priority>\d+), instance \S+"
    )
    found = {}
    for line in output.splitlines():
        match = line_form.fullmatch(line.strip())
        if match:
            rule = re.sub(r"^rule (\d+) \((.*)\)$", r"\1: \2", match["rule"])
            found[match["rcpt"].strip("<>")] = (rule, int(match["priority"]))
    return found


def step(text, action):
    """Do one step with a line that says what, and how long it took."""
    print(("%s ... " % text), end="", flush=True)
    started = time.monotonic()
    result = action()
    print("%.1f s" % (time.monotonic() - started), flush=True)
    return result


def prepare_folder(folder):
    """Make the demo's folder empty, and return where it is.

    What an earlier demo left is stopped and deleted. Where a gateway cannot live in the folder it
    becomes a link to one in /tmp.
    """
    if read_marker(folder) is not None:
        left = processes.end_all(lambda: processes.belonging_to(folder), patience_s=0)
        if left:
            print("stopped %d processes of an earlier demo" % len(left))
        shutil.rmtree(os.path.realpath(folder))
    if os.path.islink(folder) and not os.path.exists(folder):
        os.unlink(folder)
    if os.path.exists(folder) and os.listdir(folder):
        raise SystemExit("demo: %s is not empty and not from an earlier demo" % folder)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    obstacle = why_not_there(folder)
    if obstacle is None:
        os.makedirs(folder, exist_ok=True)
    else:
        if os.path.exists(folder):
            os.rmdir(folder)
        os.symlink(tempfile.mkdtemp(prefix="peg-demo-"), folder)
        print("%s; the demo runs in %s" % (obstacle, os.path.realpath(folder)))
    root = os.path.realpath(folder)
    os.chmod(root, 0o755)
    with open(os.path.join(root, MARKER), "w") as text:
        text.write(os.urandom(8).hex())
    return root


def why_not_there(folder):
    """What keeps a gateway from living in the folder, or None."""
    above = os.path.realpath(folder)
    if len(os.fsencode(above)) > ROOT_LEN_MAX:
        return "the name of %s is too long for Postfix's log socket" % above
    while above != "/":
        above = os.path.dirname(above)
        if not os.stat(above).st_mode & stat.S_IXOTH:  # a home directory, perhaps
            return "%s is closed to the users that the daemons run as" % above
    return None


def send_everything(gateway):
    """Send MAIL in order; returns [(title, Sent, recipients)]."""
    sent = []
    with gateway.sender() as sender:
        for title, message, recipients in MAIL:
            groups = {"to": [], "cc": [], "bcc": []}
            for kind, name, _ in recipients:
                groups[kind].append(name + "@dest.example")
            sent.append((title, sender.send(sender=SENDER, **groups, **message), recipients))
    return sent


def judge_message(gateway, title, sent, recipients):
    """(rows of the table, faults) of one message."""
    explained = parse_explanation(
        gateway.tool(
            "peg-explain", "-f", SENDER, *[r.address for r in sent.recipients], stdin=sent.content
        ).stdout
    )
    try:
        gateway.delivered(sent, timeout=20)
        faults = []
    except Misdelivered as fault:
        faults = [str(fault)]
    arrived = {d.recipient.lower(): d for d in gateway.relay.deliveries_for(sent.tag)}
    rows = []
    for kind, name, expected in recipients:
        address = name + "@dest.example"
        delivery = arrived.get(address)
        rule, priority = explained.get(address, ("peg-explain does not say", None))
        instance = delivery.instance if delivery else None
        if delivery and instance != expected:
            faults.append("%s: %s went by %s, not %d" % (title, address, instance, expected))
        if priority != expected:
            faults.append("%s: peg-explain: %s: %s, not %d" % (title, address, rule, expected))
        rows.append(
            (
                title if not rows else "",
                "%-3s %s" % (kind, delivery.recipient if delivery else address),
                rule,
                "lost" if delivery is None else "postfix%s" % instance,
                "%.0f" % ((delivery.arrived_at - sent.started_at) * 1000) if delivery else "-",
            )
        )
    return rows, faults


def print_table(rows):
    """Aligned columns; the rule is cut where the line would be longer than the terminal."""
    widths = [max(len(row[column]) for row in rows + [HEADINGS]) for column in range(5)]
    widths[2] = min(widths[2], WIDTH - sum(widths) + widths[2] - 8)
    print()
    for row in [HEADINGS, tuple("-" * width for width in widths)] + rows:
        cells = [fit(cell, width) for cell, width in zip(row, widths)]
        print("  ".join(cells[:4] + [row[4].rjust(widths[4])]))
    print()


def fit(text, width):
    """The text in exactly `width` columns."""
    return text.ljust(width) if len(text) <= width else text[: width - 2] + ".."


def print_ways(gateway, sent):
    """How many messages left the frontend in which way of the claiming algorithm."""
    words = {
        "plain": "untouched",
        "filter": "by FILTER (conflict, all recipients at one priority)",
        "respell": "with letter case changed in a domain (conflict, mixed priorities)",
    }
    ways = [gateway.decision(message).way for _, message, _ in sent]
    for way, meaning in words.items():
        print("%3d messages went %s" % (ways.count(way), meaning))
    print()


def keep_taking_mail(gateway):
    """In a process of its own: take what leaves the gateway until the gateway is stopped."""
    mail_folder = gateway.path("mail")
    os.makedirs(mail_folder, exist_ok=True)
    if os.fork() > 0:
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    count = 0

    def keep(transaction):
        nonlocal count
        count += 1
        name = "%05d-%s" % (count, transaction.instance)
        with open(os.path.join(mail_folder, name), "wb") as message:
            message.write(transaction.content)

    relay = Relay(gateway.ports.relay, keep).start()
    wait_until_stopped(gateway)
    relay.stop()
    os._exit(0)


def wait_until_stopped(gateway):
    """Wait for the end of the gateway, of which a restart is none, or of its folder."""
    pid_file = gateway.path("var/spool/postfix-frontend/pid/master.pid")
    marker = read_marker(gateway.root)
    last_seen = time.monotonic()
    while time.monotonic() - last_seen < RESTART_GRACE_S and read_marker(gateway.root) == marker:
        pid = processes.read_pid(pid_file)
        if pid is not None and not processes.wait_gone(pid, timeout=5):
            last_seen = time.monotonic()
        else:
            time.sleep(0.5)


def read_marker(folder):
    """What prepare_folder() wrote there, None if it is gone."""
    try:
        with open(os.path.join(folder, MARKER)) as text:
            return text.read()
    except OSError:
        return None


def print_instructions(gateway):
    names = {
        "port": gateway.ports.frontend,
        "frontend": gateway.config_dir("frontend"),
        "mail": gateway.path("mail"),
        "log": gateway.log.path,
        "build": gateway.build,
        "root": gateway.root,
    }
    print(INSTRUCTIONS.format(**names))


def demonstrate(gateway, keep):
    """Run the whole demo; returns the faults."""
    step("generating a gateway under %s" % gateway.root, gateway.write)
    count = gateway.priority_count
    step("starting the frontend, %d instances and the daemons" % count, gateway.run)
    sent = step(
        "sending %d messages to 127.0.0.1:%d" % (len(MAIL), gateway.ports.frontend),
        lambda: send_everything(gateway),
    )
    judged = step(
        "waiting for them behind the instances",
        lambda: [judge_message(gateway, *message) for message in sent],
    )
    print_table([row for rows, _ in judged for row in rows])
    print_ways(gateway, sent)
    print(gateway.tool("peg-showqueues").stdout)
    faults = [fault for _, found in judged for fault in found]
    if not faults:
        print("Every recipient went where it should.")
    if keep and not faults:
        gateway.leave_running()
        keep_taking_mail(gateway)
        print_instructions(gateway)
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dir", help="the folder of the demo's gateway; made, or made anew")
    parser.add_argument("--keep", action="store_true", help="leave the gateway running")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("demo: Postfix is started by root only: sudo make demo")
    started = time.monotonic()
    gateway = Gateway(prepare_folder(os.path.abspath(options.dir)), checked=True)
    try:
        faults = demonstrate(gateway, options.keep)
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        print("failed")
        faults = [str(error)]
    finally:
        if gateway.is_started:
            step("stopping everything", gateway.stop)
    for fault in faults:
        print("demo: " + fault, file=sys.stderr)
    if faults:
        raise SystemExit("demo: not all went as it should; see %s" % gateway.log.path)
    print("Done in %.0f s." % (time.monotonic() - started))


if __name__ == "__main__":
    main()
