"""The dashboard and the alert rules in ``deploy/`` go with the metrics that there are."""

import json
import re
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from promtool import needs_promtool, run

from tasker.api.metrics.table import METRICS, PROCESS
from tasker.testing.server import TaskerServer

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
RULE_TESTS = ROOT / "deploy" / "prometheus" / "alerts.test.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "tasker.json"
PAGE = ROOT / "docs" / "watching.md"

OF_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus adds."""


def rules():
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return group["rules"]


def panels():
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def queries():
    """Every query, with what it is called."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield f"{panel['title']}, {target['refId']}", target["expr"]
    for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]:
        for series in test["input_series"]:
            yield test["name"], series["series"]


QUERIES = [*queries()]
NAMES = [name for name, _ in QUERIES]
LABELS = {}
"""The labels of each name that can be asked for, each with its values; a text: they are not known beforehand."""
for metric in METRICS:
    labels = {**(metric.labels or {}), **({"scope": ("store",)} if metric.is_of_store else {})}
    if metric.kind == "histogram":
        LABELS |= {f"{metric.name}_bucket": {**labels, "le": "bounds"}}
        LABELS |= {f"{metric.name}_{part}": labels for part in ("sum", "count")}
    else:
        LABELS[metric.name] = labels
LABELS |= {name: {} for name in (*PROCESS, "up")}
OF_STORE = [metric.name for metric in METRICS if metric.is_of_store]


def names_in(text):
    return re.findall(r"\b(?:tasker|process)_\w+|\bup\b", text)


@pytest.mark.parametrize(("name", "query"), QUERIES, ids=NAMES)
def test_every_metric_and_every_value_of_a_label_that_is_named_exists(name, query):
    assert names_in(query), "a query is about something"
    for metric in names_in(query):
        assert metric in LABELS
    for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", query):
        for label, operator, text in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers):
            if label in OF_PROMETHEUS:
                continue
            known = LABELS[metric][label]
            if not isinstance(known, str):
                assert set(text.split("|") if "~" in operator else [text]) <= set(known), f"{metric} {label}"


@pytest.mark.parametrize(("name", "query"), QUERIES, ids=NAMES)
def test_what_every_node_says_of_the_store_is_not_added_up(name, query):
    if name in {test["name"] for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]}:
        return
    for metric in OF_STORE:
        for found in re.finditer(rf"\b{metric}\b", query):
            before = query[: found.start()]
            # What a node says may be added up before.
            of_one = r"(?:max_over_time\(|sum by \(instance\) \()?"
            assert re.search(rf"\bmax(?: by \([\w, ]+\))? ?\({of_one}$", before), query


def test_every_rule_says_what_it_is_about_and_is_tested_when_it_fires_and_when_not():
    tested = {}
    for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]:
        for case in test["alert_rule_test"]:
            tested.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert tested == {rule["alert"]: {True, False} for rule in rules()}
    for rule in rules():
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"].keys() == {"severity"}
        assert "$value" in rule["annotations"]["description"] or "$labels" in rule["annotations"]["description"]


def test_every_rule_is_explained():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (\w+) \| (\w+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert [(name, wait, severity) for name, _, wait, severity, _ in rows] == [
        (rule["alert"], rule["for"], rule["labels"]["severity"]) for rule in rules()
    ]


def test_every_metric_that_a_page_names_exists():
    for page in (PAGE, ROOT / "docs" / "metrics.md", ROOT / "docs" / "rest" / "server.md"):
        for name in re.findall(r"`?\b(tasker_\w+)", page.read_text()):
            assert name in LABELS or f"{name}_bucket" in LABELS, f"{page.name}: {name}"


def test_every_metric_is_drawn():
    drawn = {name for panel in panels() for target in panel["targets"] for name in names_in(target["expr"])}
    for metric in METRICS:
        assert drawn & {metric.name, f"{metric.name}_bucket", f"{metric.name}_sum"}, metric.name
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        assert panel["title"]
        assert panel["description"]


@needs_promtool
def test_the_rules_are_rules():
    assert f"{len(rules())} rules found" in run("check", "rules", RULES)


@needs_promtool
def test_the_rules_fire_when_they_should():
    run("test", "rules", RULE_TESTS.name, folder=RULE_TESTS.parent)


@needs_promtool
def test_every_query_of_the_dashboard_can_be_read(tmp_path):
    variables = {"$__rate_interval": "5m", "$job": "tasker", "$instance": ".*"}
    recorded = []
    for number, target in enumerate(target for panel in panels() for target in panel["targets"]):
        query = re.sub(r"\$\w+", lambda found: variables[found[0]], target["expr"])
        recorded.append({"record": f"query:{number}", "expr": query})
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in run("check", "rules", tmp_path / "queries.yml")


@needs_promtool
def test_promtool_finds_nothing_wrong_with_the_metrics(tmp_path):
    with TaskerServer(tmp_path) as server:
        server.call("POST", "/tasks/new", {"hash": {"delay": "1h", "secret": "x"}})
        with urlopen(f"{server.url}/metrics", timeout=30) as answer:
            text = answer.read().decode()
    run("check", "metrics", sent=text)


@needs_promtool
def test_what_the_page_has_prometheus_read_can_be_read(tmp_path):
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)):
        (tmp_path / "tasker.key").write_text("key")
        config = tmp_path / f"{number}.yml"
        here = block.replace("/etc/prometheus/tasker/alerts.yml", str(RULES))
        config.write_text(here.replace("/etc/prometheus", str(tmp_path)))
        run("check", "config", config)
