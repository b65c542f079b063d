"""What is shipped for Prometheus and Grafana fits the metrics that there are."""

import json
import os
import re

import pytest

from harness.installation import REPOSITORY
from harness.metrics import PROMTOOL, Metrics, promtool

RULES = os.path.join(REPOSITORY, "conf/prometheus/priority-email-gateway.rules.yml")
RULES_TEST = os.path.join(REPOSITORY, "tests/gateway/prometheus/alerts.yml")
DASHBOARD = os.path.join(REPOSITORY, "conf/grafana/priority-email-gateway.json")
DOCUMENT = os.path.join(REPOSITORY, "docs/metrics.md")
WHOLE = os.path.join(REPOSITORY, "tests/unit/prom/whole.prom")  # to the letter what is written
WIDTH = 24  # of a dashboard
ROW = re.compile(r"\| `(?P<name>peg_\w+)` \| (?P<type>\w+) \| (?P<labels>[^|]*)\| [^|]+ \|")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@pytest.fixture(scope="module", name="whole")
def all_metrics():
    return Metrics(read(WHOLE))


@pytest.fixture(scope="module", name="dashboard")
def shipped_dashboard():
    return json.loads(read(DASHBOARD))


def metrics_in(text):
    return set(re.findall(r"\bpeg_[a-z_]+\b", text))


def expressions(dashboard):
    return [t["expr"] for p in dashboard["panels"] for t in p.get("targets", ())]


# The document


def documented():
    """{metric: (type, set of labels)} of the table."""
    rows = [ROW.fullmatch(line) for line in read(DOCUMENT).splitlines() if line.startswith("| `")]
    assert all(rows)
    return {
        row["name"]: (row["type"], set(re.findall(r"`(\w+)`", row["labels"]))) for row in rows
    }


def test_the_document_has_every_metric_with_its_type_and_labels(whole):
    assert documented() == {name: (whole.types[name], whole.labels[name]) for name in whole.types}


# Alerts


def alerts():
    return re.findall(r"^ *- alert: (\w+)$", read(RULES), re.M)


@needs_promtool
def test_the_rules_are_valid():
    said, exit_status = promtool("check", "rules", RULES)
    assert exit_status == 0 and "SUCCESS: %d rules found" % len(alerts()) in said


@needs_promtool
def test_alerts_fire_when_they_should_and_not_otherwise():
    said, exit_status = promtool("test", "rules", RULES_TEST)
    assert exit_status == 0, said


def test_each_alert_is_tested_and_says_what_to_do():
    tested = read(RULES_TEST)
    text = read(RULES)
    assert len(alerts()) == len(set(alerts())) > 0
    for block in re.split(r"^ *- alert: ", text, flags=re.M)[1:]:
        name = block.split("\n", 1)[0]
        firing = r'alertname="%s",alertstate="firing",.*\n *value: 1|alertname: %s\n' % (name, name)
        assert re.search(firing, tested), name
        for part in ("for: [1-9]", "severity: (critical|warning)\n"):
            assert re.search(part, block), name
        for part in ("summary", "description", "runbook"):
            assert re.search(r'^ *%s: ".+"$' % part, block, re.M), (name, part)


def test_alerts_use_metrics_that_there_are(whole):
    assert metrics_in(read(RULES)) <= set(whole.types)
    assert metrics_in(read(RULES_TEST)) <= set(whole.types)


# The dashboard


def test_panels_have_ids_of_their_own_and_none_is_over_another(dashboard):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) > 0
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= WIDTH
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) is panel["title"]


def test_panels_ask_the_chosen_source_about_the_chosen_gateways(dashboard):
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert metrics_in(variables["instance"]["definition"]) == {"peg_build_info"}
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == variables["instance"]["datasource"]
            assert target["datasource"]["uid"] == "${datasource}"
            chosen = re.findall(r'peg_\w+\{instance=~"\$instance"', target["expr"])
            assert len(chosen) == len(re.findall(r"\bpeg_\w+", target["expr"])), target["expr"]


def test_the_dashboard_shows_every_metric(dashboard, whole):
    assert metrics_in("\n".join(expressions(dashboard))) == set(whole.types)


@needs_promtool
def test_the_expressions_of_the_dashboard_are_valid(dashboard, tmp_path):
    lines = ["groups: [{name: dashboard, rules: ["]
    for number, expression in enumerate(expressions(dashboard)):
        record = {"record": "panel:%d" % number, "expr": expression.replace("$instance", "a")}
        lines.append(json.dumps(record) + ",")
    rules = tmp_path / "rules.yml"
    rules.write_text("\n".join(lines + ["]}]"]))
    said, exit_status = promtool("check", "rules", str(rules))
    assert exit_status == 0, said
