"""What `make install` puts in place for systemd, judged by systemd's own tools, and the original's
names of commands.
"""

import os
import re
import shutil
import subprocess

import pytest
from harness.installation import REPOSITORY, Installation
from harness.tcpmap_process import speaks_to_service_managers
from harness.unit_file import UnitFile

DAEMONS = ["peg-milter.service", "peg-tcpmap.service", "peg-monitor.service"]
UNITS = DAEMONS + [
    "peg-tcpmap.socket",
    "peg-frontend.service",
    "peg-urgent.service",
    "peg-instance@4.service",
    "priority-email-gateway.target",
    "system-peg.slice",
]
PREFIX = "usr/local"
EXPOSURE_MAX = 2.0
LINKS = {
    "update-priority-email-gateway": "peg-gen",
    "priority-email-gateway-showQueues": "peg-showqueues",
}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None or not speaks_to_service_managers(),
    reason="needs systemd's tools, and to be built with libsystemd",
)


def make(target, root, prefix="/" + PREFIX):
    build = os.environ.get("PEG_BUILD") or REPOSITORY + "/build"
    subprocess.run(
        ["make", "-s", "-C", REPOSITORY, target, "DESTDIR=%s" % root, "PREFIX=" + prefix]
        + ["BUILD=%s" % os.path.relpath(build, REPOSITORY)],
        check=True,
    )


def run(*words):
    """Run a program; returns all that it says."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def files_in(root):
    found = set()
    for folder, _, names in os.walk(root):
        found |= {os.path.relpath(os.path.join(folder, name), root) for name in names}
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """An installation with the units of the distribution beside ours."""
    made = tmp_path_factory.mktemp("units")
    make("install", made)
    yield made


@pytest.fixture(scope="module")
def whole_root(root):
    shutil.copytree(
        "/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True, dirs_exist_ok=True
    )
    yield root


@needs_systemd
def test_the_units_are_clean(whole_root):
    assert run("systemd-analyze", "verify", "--man=no", "--root=%s" % whole_root, *UNITS) == ""


@needs_systemd
@pytest.mark.parametrize("name", ["peg-frontend.service", "peg-urgent.service"])
def test_a_frontend_starts_last_and_stops_first(root, name):
    """systemd stops in the reverse of the order in which it starts."""
    frontend = UnitFile(name, str(root))
    assert {"peg-milter.service", "peg-tcpmap.service"} <= set(frontend.words("After"))
    instance = UnitFile("peg-instance@4.service", str(root))
    assert name in instance.words("Before")


@needs_systemd
def test_the_units_of_the_frontends_are_in_step(root):
    texts = {}
    for name in ("frontend", "urgent"):
        path = root / PREFIX / "lib/systemd/system" / ("peg-%s.service" % name)
        lines = path.read_text().split("[Unit]", 1)[1].split("[Install]")[0].strip().splitlines()
        texts[name] = [line for line in lines if not line.startswith("Description=")]
    as_urgent = [line.replace("frontend", "urgent") for line in texts["frontend"]]
    own = "RequiresMountsFor=/var/spool/postfix-frontend"  # where peg-milter's socket is
    assert [line for line in texts["urgent"] if line != own] == as_urgent


@needs_systemd
def test_nothing_is_given_up_for_good(root):
    for name in UNITS:
        if name.endswith(".service"):
            unit = UnitFile(name, str(root))
            assert unit.one("Restart") == "on-failure" and unit.one("StartLimitIntervalSec") == "0"
            # Connections that wait at its socket start it no more often than this, twenty in 2 s.
            assert 1 <= int(unit.one("RestartSec")) <= 5


@needs_systemd
def test_nice_levels_count_between_all_services(root):
    """No control group of the cpu controller may stand between them, whatever else asks for one."""
    assert UnitFile("system-peg.slice", str(root)).words("DisableControllers") == ["cpu"]
    names = os.listdir(root / PREFIX / "lib/systemd/system")
    services = [name for name in names if name.endswith(".service")]
    assert len(services) >= 5
    for name in services:
        assert UnitFile(name, str(root)).words("Slice") == ["system-peg.slice"], name


@needs_systemd
@pytest.mark.parametrize("unit", DAEMONS)
def test_the_daemons_are_little_exposed(root, unit):
    path = root / PREFIX / "lib/systemd/system" / unit
    said = run("systemd-analyze", "security", "--no-pager", "--offline=true", str(path))
    exposure = re.search(r"Overall exposure level for %s: ([0-9.]+)" % re.escape(unit), said)
    assert float(exposure.group(1)) <= EXPOSURE_MAX, said


@needs_systemd
def test_instances_are_part_of_the_target_once_they_are_enabled(whole_root):
    run("systemctl", "--root=%s" % whole_root, "enable", "peg-instance@4.service")
    wants = whole_root / "etc/systemd/system/priority-email-gateway.target.wants"
    assert os.readlink(wants / "peg-instance@4.service").endswith("/peg-instance@.service")
    run("systemctl", "--root=%s" % whole_root, "enable", "priority-email-gateway.target")
    boot = whole_root / "etc/systemd/system/multi-user.target.wants"
    assert os.path.islink(boot / "priority-email-gateway.target")
    shutil.rmtree(whole_root / "etc/systemd")


@needs_systemd
@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users and their folders")
def test_users_and_the_run_folder_are_made(root):
    run("systemd-sysusers", "--root=%s" % root)
    with open(root / "etc/passwd") as passwd:
        users = {line.split(":")[0]: line.rstrip().split(":") for line in passwd}
    for name in ("peg", "bouncecommand"):
        assert 0 < int(users[name][2]) < 1000
        assert users[name][6].endswith("nologin")
    with open(root / "etc/group") as groups:
        assert any(line.startswith("peg-monitor:") for line in groups)
    run("systemd-tmpfiles", "--root=%s" % root, "--create")
    status = os.stat(root / "run/priority-email-gateway")
    assert (status.st_uid, status.st_mode & 0o7777) == (int(users["peg"][2]), 0o755)


def test_uninstall_takes_away_what_install_brought_and_nothing_else(tmp_path):
    conf = tmp_path / "etc/priority-email-gateway.conf"
    mine = tmp_path / PREFIX / "sbin/mine"
    for file in (conf, mine):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine\n")
    before = files_in(tmp_path)
    make("install", tmp_path)
    installed = files_in(tmp_path) - before
    programs = {os.path.basename(name) for name in installed if "/sbin/" in name}
    assert {"peg-gen", "peg-ctl", "peg-milter", "peg-tcpmap"} | set(LINKS) <= programs
    documents = ["metrics.md", "priority-email-gateway.rules.yml", "priority-email-gateway.json"]
    documents += ["guide/README.md", "guide/routing.svg", "guide/fr/README.md"]
    for name in documents:
        assert "%s/share/doc/priority-email-gateway/%s" % (PREFIX, name) in installed
    for page in os.listdir(os.path.join(REPOSITORY, "man")):
        assert "%s/share/man/man%s/%s" % (PREFIX, page[-1], page) in installed
    assert conf.read_text() == "mine\n"
    make("uninstall", tmp_path)
    assert files_in(tmp_path) - before == {"etc/priority-email-gateway.rules"}
    assert not os.path.exists(tmp_path / PREFIX / "share/doc/priority-email-gateway")


def test_a_prefix_is_that_of_the_units_too(tmp_path):
    make("install", tmp_path, prefix="/usr")
    folder = tmp_path / "usr/lib/systemd/system"
    for name in os.listdir(folder) if speaks_to_service_managers() else ():
        text = (folder / name).read_text()
        assert "@sbindir@" not in text and "/usr/local" not in text
        assert not name.endswith(".service") or "=/usr/sbin/peg-" in text or "+/usr/sbin/" in text


def test_the_names_of_the_original_are_links(root):
    for link, program in LINKS.items():
        assert os.readlink(root / PREFIX / "sbin" / link) == program


@pytest.fixture
def installation():
    """A gateway that is made and not running, whose link has something to do."""
    made = Installation()
    try:
        made.write()
        made.write_conf({"RELAY_HOST": "[192.0.2.1]"})
        yield made
    finally:
        made.ports.release()
        shutil.rmtree(made.root)


def test_the_names_of_the_original_do_what_they_did(root, installation):
    sbin = root / PREFIX / "sbin"
    update = str(sbin / "update-priority-email-gateway")
    assert "relayhost" in run(update, "diff", "--root", installation.root)
    assert "relayhost" in run(update, "--root", installation.root)
    assert "nothing to change" in run(update, "--root", installation.root, "--no-restart")
    said = run(str(sbin / "priority-email-gateway-showQueues"), "--root", installation.root)
    assert said.startswith("Message count in incoming, active, deferred and hold queues")
    done = subprocess.run([str(sbin / "peg-gen")], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2 and b"a command is needed" in done.stderr
