"""The gateways that ours is measured against, from the same template of Postfix's configuration.

    N   frontend and instances; a cdb map of the recipients' domains instead of a classification
    M   N, with a milter that does nothing and has Postfix tell it everything
    A   the original's way: qpsmtpd as content filter, which puts each recipient into a private
        domain for its priority and hands the message back to the frontend
    P   one Postfix

Each has a listener of its own for urgent clients, as far as that goes in one Postfix: processes of
their own for smtpd and cleanup, which in_flow_delay does not slow down.
"""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import time

from harness import processes, template
from harness.installation import Installation

import cpu

HERE = os.path.dirname(os.path.abspath(__file__))
QPSMTPD = "qpsmtpd-prefork"
QPSMTPD_CHILDREN = 40
PATIENCE_S = 30


def master_pid(gateway, instance):
    """The process id of a Postfix."""
    return processes.read_pid(gateway.queue_dir(instance) + "/pid/master.pid")


class Rival(Installation):
    """A gateway that is not ours: frontend and instances of Postfix, with our names of both.

    nice    {instance: nice level}
    """

    def __init__(self, root, kind, program, template_conf, nice):
        priority_count = 0 if kind == "P" else 5
        super().__init__(root, priority_count=priority_count, template_conf=template_conf)
        self.kind = kind
        self._program = program  # idle_milter
        self._nice = nice
        self._filter = None

    # Life

    def start(self):
        """Write and start everything; returns when the frontend answers."""
        for folder in ("etc", "var/log", "var/lib", "var/spool", "run"):
            os.makedirs(self.path(folder), exist_ok=True)
        for instance in self.instances():
            self._write_postfix(instance)
        if self.kind == "A":
            self._start_qpsmtpd()
        elif self.kind == "M":
            self._start_milter()
        for instance in self.instances():
            self.start_postfix(instance)

    def stop(self):
        """End everything, and delete the folder."""
        for instance in self.instances():
            subprocess.run(
                ["postfix", "-c", self.config_dir(instance), "stop"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        left = processes.end_all(lambda: processes.belonging_to(self.root))
        self._stop_filter()
        self.ports.release()
        shutil.rmtree(self.root, ignore_errors=True)
        if left:
            print("bench: had to be ended: %s" % left, file=sys.stderr)

    def start_postfix(self, instance):
        """Start the frontend or an instance."""
        level = 0 if self.kind == "P" else self._nice[instance]
        nice = ["nice", "-n", str(level)]
        self._run(nice + ["postfix", "-c", self.config_dir(instance), "start"])
        with contextlib.suppress(FileNotFoundError):  # so it is called where sessions are groups
            with open("/proc/%d/autogroup" % master_pid(self, instance), "w") as group:
                group.write(str(level))

    def stop_postfix(self, instance):
        """Stop the frontend or an instance, as `postfix stop` does."""
        self._run(["postfix", "-c", self.config_dir(instance), "stop"])

    def reload_postfix(self, instance):
        """Have it read main.cf anew."""
        self._run(["postfix", "-c", self.config_dir(instance), "reload"])

    def parts(self):
        """{part: [process ids]} whose trees are all of it."""
        masters = {i: master_pid(self, i) for i in self.instances()}
        found = {"frontend": [masters.pop("frontend")], "instances": list(masters.values())}
        if self._filter:
            found["qpsmtpd" if self.kind == "A" else "milter"] = [self._filter.pid]
        return {part: pids for part, pids in found.items() if pids}

    # Postfix

    def postconf(self, instance, *arguments):
        """postconf(1)."""
        self._run(["postconf", "-c", self.config_dir(instance)] + list(arguments))

    def _write_postfix(self, instance):
        folder = self.config_dir(instance)
        name = os.path.basename(folder)
        conf = {
            "queue_directory": self.queue_dir(instance),
            "data_directory": self.path("var/lib/" + name),
            "syslog_name": name,
            "mail_name": name,
        }
        conf.update(self._template_conf)
        conf.update(self._frontend_conf() if instance == "frontend" else self._instance_conf())
        os.makedirs(folder)
        os.makedirs(conf["queue_directory"])
        os.makedirs(conf["data_directory"])
        shutil.chown(conf["data_directory"], "postfix")
        with open(folder + "/main.cf", "w") as main:
            main.write(template.main_cf(self.root, conf))
        services = template.master_cf()
        services = re.sub(r"(?m)^smtp +inet .*\n", "", services)
        with open(folder + "/master.cf", "w") as master:
            master.write(services + self._listeners(instance))
        if "transport_maps" in conf:
            self._write_transport(folder + "/transport")
        if "recipient_canonical_maps" in conf:
            with open(folder + "/canonical", "w") as file:
                file.write("/^(.*)\\.prio[0-9]+\\.private$/ ${1}\n")

    def _port(self, instance):
        return self.ports.instance_base + instance

    def _frontend_conf(self):
        relay = "[127.0.0.1]:%d" % self.ports.relay
        conf = {
            "P": {"relayhost": relay},
            "N": {"transport_maps": "cdb:$config_directory/transport"},
            "A": {"transport_maps": "hash:$config_directory/transport"},
        }
        if self.kind == "M":
            return dict(conf["N"], smtpd_milters="unix:%s" % self._milter_socket())
        return conf[self.kind]

    def _instance_conf(self):
        conf = {"relayhost": "[127.0.0.1]:%d" % self.ports.relay}
        if self.kind == "A":
            conf["recipient_canonical_classes"] = "envelope_recipient"
            conf["recipient_canonical_maps"] = "regexp:$config_directory/canonical"
        return conf

    def _listeners(self, instance):
        if instance != "frontend":
            return "127.0.0.1:%d inet n - n - - smtpd\n" % self._port(instance)
        filtered, back = "", ""
        if self.kind == "A":
            filtered = " -o content_filter=smtp:[127.0.0.1]:%d" % self.ports.spare[0]
            back = (
                "127.0.0.1:%d inet n - n - - smtpd -o content_filter= -o receive_override_options="
                "no_unknown_recipient_checks,no_header_body_checks,no_milters\n"
                % self.ports.spare[1]
            )
        listener = "127.0.0.1:%d inet n - n - - smtpd" + filtered
        services = [
            listener % self.ports.frontend,
            listener % self.ports.urgent + " -o cleanup_service_name=cleanup-urgent",
            "cleanup-urgent unix n - n - 0 cleanup -o in_flow_delay=0",
            back,
        ]
        return "\n".join(services)

    def _write_transport(self, path):
        name = ".prio%d.private" if self.kind == "A" else "p%d.dest.example"
        lines = ["%s smtp:[127.0.0.1]:%d\n" % (name % n, self._port(n)) for n in range(5)]
        with open(path, "w") as file:
            file.write("".join(lines + ["* smtp:[127.0.0.1]:%d\n" % self._port(2)]))
        self._run(["postmap", "%s:%s" % ("hash" if self.kind == "A" else "cdb", path)])

    # What stands beside it

    def _milter_socket(self):
        return self.path("run/milter")

    def _start_milter(self):
        command = [self._program, self._milter_socket(), "all"]
        self._filter = subprocess.Popen(command)
        self._wait_until(lambda: os.path.exists(self._milter_socket()))

    def _start_qpsmtpd(self):
        folder, plugins = self.path("etc/qpsmtpd"), self.path("etc/qpsmtpd-plugins")
        shutil.copytree(os.path.join(HERE, "qpsmtpd"), plugins)
        files = {
            "plugins": "no_reverse_dns\naccept_all\nprivate_priority_domain\n"
            "queue/smtp-forward 127.0.0.1 %d\n" % self.ports.spare[1],
            "plugin_dirs": "%s\n/usr/share/qpsmtpd/plugins\n" % plugins,
            "priority_rules": PRIORITY_RULES,
            "loglevel": "2\n",
            "me": "filter.gateway.example\n",
            "size_threshold": "1000000\n",  # below that a message takes no file of its own
            "spool_dir": self.path("var/spool/qpsmtpd") + "\n",
        }
        os.makedirs(folder)
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        os.makedirs(self.path("var/spool/qpsmtpd"), 0o700)
        shutil.chown(self.path("var/spool/qpsmtpd"), "qpsmtpd", pwd.getpwnam("qpsmtpd").pw_gid)
        # --renice-parent would end every child at once, and rules of the house are 15 children.
        count = str(QPSMTPD_CHILDREN)
        command = [QPSMTPD, "--user", "qpsmtpd", "--port", str(self.ports.spare[0])]
        command += ["--listen-address", "127.0.0.1", "--children", count]
        command += ["--idle-children", count, "--max-from-ip", count]
        with open(self.path("var/log/qpsmtpd.log"), "wb") as log:
            self._filter = subprocess.Popen(
                command, stderr=log, stdout=log, env=dict(os.environ, QPSMTPD_CONFIG=folder)
            )
        self._wait_until(lambda: len(cpu.tree([self._filter.pid])) == 1 + QPSMTPD_CHILDREN)

    def _wait_until(self, is_done):
        deadline = time.monotonic() + PATIENCE_S
        while not is_done():
            if time.monotonic() > deadline or self._filter.poll() is not None:
                raise AssertionError("%s: its filter does not start" % self.kind)
            time.sleep(0.05)

    def _stop_filter(self):
        if self._filter is not None:
            self._filter.terminate()
            self._filter.wait()
            self._filter = None


# Those of PLAIN_RULES in tests/gateway/harness/installation.py.
PRIORITY_RULES = """\
X-Priority ^5 all 0
X-Priority ^4 all 1
X-Priority ^2 all 3
X-Priority ^1 all 4
X-XIMF-Primary-Precedence ^priority to 3
X-XIMF-Primary-Precedence ^flash to 4
X-XIMF-Copy-Precedence ^priority cc 3
X-XIMF-Copy-Precedence ^flash cc 4
"""
