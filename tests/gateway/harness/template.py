"""The Postfix configuration from which peg-gen makes the frontend and the instances.

Plain and hermetic: no DNS, no TLS, no chroot, no aliases, nothing of the host's own mail set-up.
"""

import os
import subprocess

MYHOSTNAME = "mail.gateway.example"
MYORIGIN = "origin.example"  # what Postfix appends to an address without a domain


def main_cf(root, extra=None):
    """The text of the template's main.cf, `extra` parameters ({name: value}) included."""
    parameters = {
        "compatibility_level": _compatibility_level(),
        "queue_directory": os.path.join(root, "var/spool/postfix"),
        "data_directory": os.path.join(root, "var/lib/postfix"),
        "maillog_file": os.path.join(root, "var/log/mail.log"),
        "maillog_file_prefixes": os.path.join(root, "var/log"),
        "myhostname": MYHOSTNAME,
        "myorigin": MYORIGIN,
        "mydestination": "",
        "mynetworks": "127.0.0.0/8 [::1]/128",
        "inet_protocols": "all",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "notify_classes": "",
        "biff": "no",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_peername_lookup": "no",
        "smtp_dns_support_level": "disabled",
        "disable_dns_lookups": "yes",
        "smtp_host_lookup": "native",
        "smtpd_tls_security_level": "none",
        "smtp_tls_security_level": "none",
        "in_flow_delay": "0",
        # A test that provokes rejections should not pay for each of them.
        "smtpd_error_sleep_time": "0",
    }
    parameters.update(extra or {})
    return "".join("%s = %s\n" % item for item in sorted(parameters.items()))


def master_cf():
    """Postfix's own master.cf without chroot and without pipes to other programs, with postlog."""
    meta_directory = _postconf_default("meta_directory")
    services = []
    with open(os.path.join(meta_directory, "master.cf.proto")) as proto:
        for line in proto:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if line[0].isspace():  # the arguments of the service above
                services[-1] += line
            else:
                services.append(_without_chroot(line))
    services = [service for service in services if service.split()[7] != "pipe"]
    if not any(service.startswith("postlog ") for service in services):
        services.append("postlog   unix-dgram n  -       n       -       1       postlogd\n")
    return "".join(services)


def write(root, extra=None):
    """Write ROOT/etc/postfix/main.cf and master.cf."""
    folder = os.path.join(root, "etc/postfix")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "main.cf"), "w") as main:
        main.write(main_cf(root, extra))
    with open(os.path.join(folder, "master.cf"), "w") as master:
        master.write(master_cf())


def _without_chroot(line):
    fields = line.split(None, 7)
    fields[4] = "n"
    return " ".join(field.ljust(9) for field in fields[:7]) + " " + fields[7]


def _compatibility_level():
    """Before 3.6 Postfix knows whole numbers."""
    version = _postconf_default("mail_version").split(".")
    return "3.6" if (int(version[0]), int(version[1])) >= (3, 6) else "2"


def _postconf_default(name):
    return subprocess.run(
        ["postconf", "-dh", name], stdout=subprocess.PIPE, check=True, universal_newlines=True
    ).stdout.strip()
