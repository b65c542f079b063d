"""peg.prom: valid for Prometheus, right, and of the same shape in each round."""

import contextlib
import os
import re
import socket
import subprocess
import time
import urllib.request

import pytest

from harness import queues, ways
from harness.gateway import Gateway
from harness.keeper import status, tidy
from harness.mail import new_tag
from harness.metrics import NODE_EXPORTER, PROMTOOL, Metrics, promtool, strict_values
from harness.monitor_process import FIGURES, MonitorProcess
from harness.tcpmap_process import speaks_to_service_managers
from test_prometheus_files import documented

QUEUES = ("incoming", "active", "deferred", "hold")
PATIENCE_S = 30
LATER = "451 4.3.0 try again later"
FLOW = "peg_postfix_%s_%s_total"
NEVER = "550 5.1.1 no such user"

pytestmark = pytest.mark.skipif(
    not speaks_to_service_managers(), reason="built without libsystemd"
)


@pytest.fixture(scope="module", name="measured")
def gateway_of_these_tests():
    """Two priorities, decided by addresses; its own peg-monitor stays off."""
    conf = {
        "DEFAULT_PRIORITY": 0,
        "QUEUE_LIMIT_DEFAULT": 100,
        "QUEUE_LIMIT[1]": 7,
        "QUEUE_AGE_LIMIT_FRONTEND": "1h",
        "BOUNCE_COMMAND[0]": "false",
        "BOUNCE_COMMAND[1]": "true",
    }
    with Gateway(priority_count=2, conf=conf, rules=ways.RULES) as gateway:
        gateway.ctl("stop", "monitor")
        yield gateway


@pytest.fixture(scope="module", name="monitor")
def its_monitor(measured):
    with MonitorProcess(measured) as process:
        yield process


def name_of(instance):
    return "postfix-frontend" if instance == "frontend" else "postfix%d" % instance


def labels_of(instance):
    """Those of its metrics: name and priority."""
    return name_of(instance), "" if instance == "frontend" else str(instance)


def take(monitor):
    return Metrics(monitor.new_metrics())


def growth(before, after, prefix=""):
    """{(metric, labels): difference} of the counters that have grown, of such names."""
    counters = after.counters()
    grown = {key: value - before.values[key] for key, value in counters.items()}
    return {key: n for key, n in grown.items() if n != 0 and key[0].startswith(prefix)}


def content_of(number):
    return b"Subject: %d\r\n\r\n%s\r\n" % (number, b"x" * 50 * number)


@contextlib.contextmanager
def waiting_mail(gateway, count):
    """So many messages that instance 1 has deferred, and as many on hold in the frontend."""
    gateway.relay.refuse_recipient(".", LATER)
    with gateway.sender() as sender:
        sent = [
            sender.send(bcc=["urgent.%s@dest.example" % new_tag()], content=content_of(number))
            for number in range(count)
        ]
    for message in sent:
        address = message.recipients[0].address
        gateway.log.wait_for(r"postfix1/.*to=<%s>.*status=deferred" % re.escape(address))
    held = [{"bcc": ["routine.%s@dest.example" % new_tag()]} for _ in range(count)]
    queues.send_to_hold(gateway, held)
    try:
        yield
    finally:
        gateway.relay.behave()
        queues.release(gateway)
        gateway.flush(1)
        gateway.wait_until_empty()


# Form


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here")
def test_promtool_has_nothing_to_say_about_it(monitor):
    assert promtool("check", "metrics", stdin=monitor.new_metrics()) == ("", 0)


def test_openmetrics_reads_the_same_values(monitor):
    text = monitor.new_metrics()
    assert text.endswith("\n# EOF\n")
    assert strict_values(text) == Metrics(text).values


def test_a_label_stands_at_each_sample_of_its_metric(monitor):
    metrics = take(monitor)
    for name, labels in metrics.labels.items():
        for metric, values in metrics.values:
            assert metric != name or len(values) == len(labels), name


def test_all_of_it_is_documented(measured, monitor):
    tidy(measured, "--force")  # before that there may be no snapshot
    metrics = take(monitor)
    found = {name: (kind, metrics.labels[name]) for name, kind in metrics.types.items()}
    assert found == documented()


def test_what_there_is_stays_the_same_from_round_to_round(measured, monitor):
    before = take(monitor)
    with waiting_mail(measured, 1):
        during = take(monitor)
    after = take(monitor)
    assert set(before.values) == set(during.values) == set(after.values)


# Values


def test_queues_are_those_of_postqueue(measured, monitor):
    with contextlib.ExitStack() as stack:
        stack.enter_context(waiting_mail(measured, 3))
        for instance in measured.instances():  # nothing moves any more
            stack.enter_context(queues.halted(measured, instance))
        metrics = take(monitor)
        taken = metrics["peg_survey_timestamp_seconds"]
        for instance in measured.instances():
            queued = measured.queue(instance)
            for queue in QUEUES:
                found = [m for m in queued if m["queue_name"] == queue]
                oldest = min([m["arrival_time"] for m in found], default=taken)
                here = labels_of(instance) + (queue,)
                assert metrics.of("peg_queue_messages", *here) == len(found)
                size = sum(m["message_size"] for m in found)
                assert metrics.of("peg_queue_bytes", *here) == size
                recipients = sum(len(m["recipients"]) for m in found)
                assert metrics.of("peg_queue_recipients", *here) == recipients
                age = metrics.of("peg_queue_oldest_message_age_seconds", *here)
                assert 0 <= taken - oldest - age < 2  # whole seconds, both
        assert metrics.of("peg_queue_messages", "postfix1", "1", "deferred") == 3
        assert metrics.of("peg_queue_messages", "postfix-frontend", "", "hold") == 3


def test_limits_are_those_of_the_configuration(monitor):
    metrics = take(monitor)
    for queue in QUEUES:
        for instance, messages, age_s in (("frontend", 0, 3600), (0, 100, 0), (1, 7, 0)):
            here = labels_of(instance) + (queue,)
            assert metrics.of("peg_queue_messages_limit", *here) == messages
            assert metrics.of("peg_queue_age_limit_seconds", *here) == age_s
    assert metrics["peg_default_priority"] == 0
    assert metrics.of("peg_postfix_priority", "postfix1", "1") == 1


def test_each_way_of_a_message_is_counted(measured, monitor):
    before = take(monitor)
    for way in (ways.PLAIN, ways.FILTER, ways.RESPELL):
        way.send(measured)
    grown = growth(before, take(monitor))
    # The last two find a claim that a message made, which is plain.
    assert grown["peg_messages_total", ("plain",)] == 3
    assert grown["peg_messages_total", ("filter",)] == 1
    assert grown["peg_messages_total", ("respell",)] == 1
    assert grown["peg_claims_total", ("conflict",)] >= 2
    assert grown["peg_journal_syncs_total", ()] > 0


def settled(monitor):
    """The metrics once all that was received is known to have left."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        metrics = take(monitor)
        received, left = (
            {labels: n for (name, labels), n in metrics.values.items() if name == counter}
            for counter in (FLOW % ("received", "messages"), FLOW % ("left", "messages"))
        )
        if received == left:
            return metrics
        assert time.monotonic() < deadline, (received, left)
        time.sleep(0.1)


def received(before, after, instance):
    """How many messages this instance has received in between."""
    return growth(before, after).get((FLOW % ("received", "messages"), labels_of(instance)), 0)


def test_what_goes_through_is_what_was_sent(measured, monitor):
    measured.wait_until_empty()
    before = settled(monitor)
    # The size of a message can be read for as long as it is there.
    with measured.relay.holding(), measured.sender() as sender:
        for number in range(3):
            for name in ("urgent", "routine"):
                address = "%s.%s@dest.example" % (name, new_tag())
                sender.send(bcc=[address], content=content_of(number))
        deadline = time.monotonic() + PATIENCE_S
        while any(received(before, take(monitor), instance) < 3 for instance in (0, 1)):
            assert time.monotonic() < deadline
        waiting = measured.queue(1)
    grown = growth(before, settled(monitor), "peg_postfix_")
    size = sum(message["message_size"] for message in waiting)
    assert len(waiting) == 3 and size > 0
    for direction in ("received", "left"):
        for instance, messages in (("frontend", 6), (0, 3), (1, 3)):
            assert grown[FLOW % (direction, "messages"), labels_of(instance)] == messages
        assert grown[FLOW % (direction, "recipients"), labels_of(1)] == 3
        assert grown[FLOW % (direction, "bytes"), labels_of(1)] == size


def test_a_lookup_is_counted_and_that_it_missed(measured, monitor):
    measured.send(bcc=["urgent.known@dest.example"])
    measured.wait_until_empty()
    before = take(monitor)
    measured.look_up("urgent.known@dest.example")
    measured.look_up("%s@unknown.example" % new_tag())
    assert growth(before, take(monitor), "peg_lookup") == {
        ("peg_lookups_total", ()): 2,
        ("peg_lookup_misses_total", ()): 1,
    }


def test_decisions_are_those_of_peg_decisions(measured, monitor):
    measured.wait_until_empty()
    metrics = take(monitor)
    found = status(measured)
    same = {
        ("peg_table_capacity_claims",): "capacity",
        ("peg_table_live_claims",): "live_claims",
        ("peg_table_unsure",): "unsure",
        ("peg_claims_total", "claimed"): "claims",
        ("peg_claims_total", "conflict"): "conflicts",
        ("peg_claims_total", "full"): "full",
        ("peg_lookups_total",): "lookups",
        ("peg_lookup_misses_total",): "misses",
        ("peg_table_recoveries_total",): "recoveries",
        ("peg_queue_looks_total",): "scans",
        ("peg_messages_total", "plain"): "plain",
        ("peg_messages_total", "filter"): "filter",
        ("peg_messages_total", "respell"): "respell",
        ("peg_messages_undurable_total",): "undurable",
        ("peg_journal_syncs_total",): "journal_syncs",
        ("peg_snapshot_bytes",): "snapshot_bytes",
        ("peg_journal_segments",): "journal_segments",
        ("peg_journal_bytes",): "journal_bytes",
    }
    assert set(same.values()) == set(found)
    assert {name: metrics.of(*metric) for metric, name in same.items()} == found
    assert metrics["peg_journal_bytes"] > 0


def test_bounces_are_counted_and_how_their_commands_ended(measured, monitor):
    before = take(monitor)
    measured.relay.refuse_recipient("@dest", NEVER)
    with measured.sender() as sender:
        for address in ("routine.a", "routine.b", "urgent.c"):
            sender.send(bcc=[address + "@dest.example"])
    expected = {
        ("peg_bounces_total", ("postfix0", "0")): 2,
        ("peg_bounces_total", ("postfix1", "1")): 1,
        ("peg_bounce_commands_total", ("postfix0", "0", "failed")): 2,
        ("peg_bounce_commands_total", ("postfix1", "1", "done")): 1,
    }
    measured.wait_until_empty()  # notices are mail as well
    assert growth(before, take(monitor), "peg_bounce") == expected


# What goes on


def test_no_counter_goes_back_when_daemons_reload_and_restart(measured, monitor):
    ways.FILTER.send(measured)
    before = take(monitor)
    measured.reload_milter()
    measured.ctl("reload", "tcpmap")
    measured.ctl("restart", "milter", "tcpmap")
    ways.PLAIN.send(measured)
    after = take(monitor)
    assert all(value > 0 for value in growth(before, after).values())
    assert set(before.values) == set(after.values)
    assert growth(before, after)["peg_messages_total", ("plain",)] == 1
    for daemon in ("peg-milter", "peg-tcpmap"):
        start = "peg_daemon_start_time_seconds"
        assert after.of(start, daemon) > before.of(start, daemon)


def test_what_runs_is_up_and_what_does_not_is_down(measured, monitor):
    began = take(monitor)
    for instance in measured.instances():
        assert began.of("peg_postfix_up", *labels_of(instance)) == 1
        started = began.of("peg_postfix_start_time_seconds", *labels_of(instance))
        assert 0 < began["peg_survey_timestamp_seconds"] - started < 3600
    measured.ctl("stop", "0", "milter")
    metrics = take(monitor)
    assert metrics.of("peg_postfix_up", "postfix0", "0") == 0
    assert metrics.of("peg_postfix_up", "postfix1", "1") == 1
    assert metrics.of("peg_daemon_up", "peg-milter") == 0
    assert metrics.of("peg_daemon_up", "peg-tcpmap") == 1
    assert ("peg_postfix_start_time_seconds", ("postfix0", "0")) not in metrics.values
    measured.ctl("start")


# node_exporter


@contextlib.contextmanager
def node_exporter(folder):
    """Run it on that folder; yields a function that asks it for its Metrics."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % probe.getsockname()[1]
    with subprocess.Popen(
        [NODE_EXPORTER, "--collector.disable-defaults", "--collector.textfile"]
        + ["--collector.textfile.directory=%s" % folder, "--web.listen-address=" + address],
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield lambda: ask(address)
        finally:
            process.kill()


def ask(address):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen("http://%s/metrics" % address, timeout=5) as reply:
                return Metrics(reply.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def of_ours(metrics):
    return {key: value for key, value in metrics.values.items() if key[0].startswith("peg_")}


@pytest.mark.skipif(NODE_EXPORTER is None, reason="node_exporter is not here")
@pytest.mark.parametrize("by_link", [False, True], ids=["folder", "link"])
def test_node_exporter_passes_all_of_it_on(measured, monitor, tmp_path, by_link):
    folder = measured.path(FIGURES)
    if by_link:
        os.symlink(os.path.join(folder, "peg.prom"), tmp_path / "peg.prom")
        folder = str(tmp_path)
    written = take(monitor)
    with node_exporter(folder) as asked:
        found = asked()
        assert found["node_textfile_scrape_error"] == 0
        assert of_ours(found) == written.values
        ours = {name: kind for name, kind in found.types.items() if name.startswith("peg_")}
        assert ours == written.types
        newer = take(monitor)
        assert of_ours(asked()) == newer.values
