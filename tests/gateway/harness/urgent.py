"""Helpers for tests of the urgent frontend (URGENT_LISTEN)."""

import os
import socket
import subprocess

from harness.processes import read_pid

TO = "bob@dest.example"
URGENT, FRONTEND = "postfix-urgent", "postfix-frontend"
FLASH = [("X-Priority", "1")]


def pids(gateway):
    """{Postfix or daemon: pid} of all that runs beside the urgent frontend."""
    found = {p: gateway.daemon_pid(p) for p in ("peg-milter", "peg-tcpmap", "peg-monitor")}
    for instance in gateway.instances():
        if instance != "urgent":
            found[instance] = read_pid(os.path.join(gateway.queue_dir(instance), "pid/master.pid"))
    return found


def want(gateway, urgent, **conf):
    """Write the configuration with an urgent frontend, or without."""
    gateway.has_urgent = urgent
    gateway.write_conf(conf)


def check(gateway):
    """(exit status, lines on stderr) of peg-gen check."""
    done = gateway.gen("check", check=False)
    return done.returncode, done.stderr.splitlines()


def reloads(gateway, name):
    return len(gateway.log.find(r" %s/master\[\d+\]: reload -- " % name))


def connects(address):
    try:
        socket.create_connection(address, 10).close()
    except ConnectionRefusedError:
        return False
    return True


def edit(gateway, *words, instance="urgent"):
    """Change what is there as an operator does."""
    subprocess.run(["postconf", "-c", gateway.config_dir(instance), *words], check=True)


def listeners(gateway):
    """{service: entry} of the inet services of the urgent frontend."""
    services = [line.split(None, 2) for line in gateway.postfix_services("urgent")]
    return {words[0]: " ".join(words[2].split()) for words in services if words[1] == "inet"}
