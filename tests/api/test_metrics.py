"""``GET /metrics``: what is there, in which format, for whom."""

from pathlib import Path

import pytest
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain
from rest_server import HASH, WEBHOOK, running

from tasker.api.metrics import exposition as expositions
from tasker.api.metrics.exposition import FiguresCollector, exposition
from tasker.api.metrics.listener import build_metrics_app
from tasker.api.metrics.table import METRICS, PROCESS
from tasker.errors import StoreUnavailableError
from tasker.model.histogram import LATENESS_BOUNDS

OPEN = "application/openmetrics-text"

pytestmark = pytest.mark.anyio


def families(text, parse=plain):
    """The metrics of an exposition by name: their type, and their values by labels."""
    found = {}
    for family in parse(text):
        suffix = "_total" if family.type == "counter" else ""
        name = family.name.removesuffix(suffix) + suffix
        assert name not in found
        found[name] = (family.type, {(each.name, *sorted(each.labels.items())): each.value for each in family.samples})
    return found


async def read(server, **headers):
    reply = await server.call("GET", "/metrics", headers=headers)
    assert reply.status == 200
    return reply


async def values(server):
    """All samples, by name and labels."""
    found = families((await read(server)).body.decode())
    return {labels: value for _, samples in found.values() for labels, value in samples.items()}


async def test_every_metric_is_there_and_nothing_else(server):
    shown = families((await read(server)).body.decode())
    expected = {metric.name: metric.kind for metric in METRICS if not metric.absent}
    absent = {metric.name: metric.kind for metric in METRICS if metric.absent}
    of_process = {name: "counter" if name.endswith("_total") else "gauge" for name in PROCESS}
    kinds = {name: kind for name, (kind, _) in shown.items()}
    # A server that has refused nothing has no code to show.
    assert expected | of_process == {"tasker_requests_refused_total": "counter"} | {
        name: kind for name, kind in kinds.items() if name not in absent
    }
    assert kinds.items() <= (expected | absent | of_process).items()


async def test_the_values_of_labels_are_those_that_are_declared(server):
    await server.new(WEBHOOK)
    shown = families((await read(server)).body.decode())
    for metric in METRICS:
        labels = metric.labels or {}
        for sample in shown.get(metric.name, ("", {}))[1]:
            given = dict(sample[1:])
            given.pop("le", None)
            assert set(given) == set(metric.label_names)
            for name, known in labels.items():
                assert isinstance(known, str) or given[name] in known
            assert given.get("scope", "store") == "store"


@pytest.mark.parametrize(
    ("accept", "media_type", "parse"),
    [
        (None, "text/plain; version=0.0.4", plain),
        ("*/*", "text/plain; version=0.0.4", plain),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0", open_metrics),
        (
            f"{OPEN};version=1.0.0;q=0.5,{OPEN};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text; version=1.0.0",
            open_metrics,
        ),
    ],
)
async def test_the_reader_says_which_format_it_wants(server, accept, media_type, parse):
    reply = await read(server, **({} if accept is None else {"accept": accept}))
    assert reply.headers["content-type"].startswith(media_type)
    assert "tasker_lateness_seconds" in families(reply.body.decode(), parse)


async def test_what_callers_do_is_counted(server):
    before = await values(server)
    await server.new(HASH)
    await server.new(WEBHOOK)
    task = await server.new(WEBHOOK)
    await server.call("DELETE", f"/tasks/{task}")
    await server.refused("GET", "/nowhere", status=404)
    await server.refused("PUT", "/tasks/new", status=405)
    await server.refused("POST", "/tasks/new", {"hash": {}})
    await server.refused("GET", f"/tasks/{task}", status=404)
    grown = {
        labels: value - before.get(labels, 0)
        for labels, value in (await values(server)).items()
        if labels[0].startswith("tasker_") and labels[0].endswith("_total") and value != before.get(labels, 0)
    }
    assert grown == {
        ("tasker_tasks_created_total", ("type", "hash")): 1,
        ("tasker_tasks_created_total", ("type", "webhook")): 2,
        ("tasker_tasks_deleted_total",): 1,
        ("tasker_requests_refused_total", ("code", "not_found")): 1,
        ("tasker_requests_refused_total", ("code", "method_not_allowed")): 1,
        ("tasker_requests_refused_total", ("code", "invalid_task")): 1,
        ("tasker_requests_refused_total", ("code", "task_not_found")): 1,
    }


async def test_the_buckets_of_lateness_are_those_of_the_model_in_seconds(server):
    bounds = [
        dict(labels[1:])["le"]
        for labels in await values(server)
        if labels[0] == "tasker_lateness_seconds_bucket" and ("cause", "own") in labels
    ]
    assert [float(bound) for bound in bounds] == [*(bound / 1_000_000 for bound in LATENESS_BOUNDS), float("inf")]


async def test_what_is_overdue_is_shown_with_its_age(server):
    await server.new({"webhook": {"delay": 1, "url": "http://localhost:9/x", "body": "x"}})
    await server.clock.step(31)
    shown = await values(server)
    overdue = {labels[1]: count for labels, count in shown.items() if labels[0] == "tasker_overdue_tasks" and count}
    assert overdue == {("reason", "due"): 1}
    assert shown["tasker_oldest_overdue_seconds", ("reason", "due"), ("scope", "store")] == 30


async def test_nothing_that_a_task_says_is_shown(server):
    await server.new(
        {"webhook": {"delay": 1, "url": "http://shopper:geheim@shop.example/hook?token=1", "body": "secret"}}
    )
    task = await server.new(HASH)
    await server.clock.step(9)
    text = (await read(server)).body.decode()
    for word in ("geheim", "shopper", "/hook", "token", "secret", "correct-horse", task, "://"):
        assert word not in text


@pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
async def test_without_the_database_the_node_still_shows_its_own(server, monkeypatch):
    async def refuse(_question):
        raise StoreUnavailableError("out of reach")

    monkeypatch.setattr(server.store, "_read", refuse)
    names = {labels[0] for labels in await values(server)}
    assert "tasker_tasks_created_total" in names
    assert {metric.name for metric in METRICS if metric.is_of_store}.isdisjoint(names)


async def test_a_key_needs_the_scope_metrics():
    key = "m" * 16
    async with running(api_keys=(f"{key} metrics prometheus",)) as server:
        assert (await server.call("GET", "/metrics")).status == 401
        assert (await server.call("GET", "/metrics", headers={"authorization": f"Bearer {key}"})).status == 200
        assert (await server.call("GET", "/tasks", headers={"authorization": f"Bearer {key}"})).status == 403


async def ask(app, path, method="GET"):
    """What an application of its own answers: the status and the body."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"anything.example")]}
    await app(scope, None, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def test_an_address_of_their_own_serves_the_metrics_and_nothing_else(server):
    app = build_metrics_app(server.service.metrics)
    status, body = await ask(app, "/metrics")
    assert status == 200
    assert b"tasker_ready 1.0" in body
    assert (await ask(app, "/metrics", "HEAD"))[0] == 200
    assert (await ask(app, "/metrics", "POST"))[0] == 405
    for path in ("/", "/tasks/new", "/stats", "/metrics/"):
        status, body = await ask(app, path)
        assert (status, b"GET /metrics and nothing else" in body) == (404, True)


async def test_all_counts_of_a_histogram_are_of_one_moment(server):
    figures = await server.service.metrics.read()
    figures.telemetry.lateness_histograms["own"].observe(123)
    shown = families((await exposition(figures, "")).body.decode())["tasker_lateness_seconds"][1]
    assert shown["tasker_lateness_seconds_count", ("cause", "own")] == 1
    assert shown["tasker_lateness_seconds_sum", ("cause", "own")] == 0.000123
    assert shown["tasker_lateness_seconds_bucket", ("cause", "own"), ("le", "+Inf")] == 1
    assert shown["tasker_lateness_seconds_bucket", ("cause", "own"), ("le", "0.0001")] == 0


@pytest.mark.parametrize("accept", ["", f"{OPEN}; version=1.0.0"])
async def test_written_in_parts_it_is_the_same_text(server, accept, monkeypatch):
    figures = await server.service.metrics.read()
    shown = await exposition(figures, accept)
    monkeypatch.setattr(expositions, "SAMPLES_AT_ONCE", 1)
    in_lines = await exposition(figures, accept)
    encode, media_type = choose_encoder(accept)
    whole = encode(FiguresCollector(figures))

    def lasting(text):  # what is not of the process, which goes on
        return [line for line in text.splitlines() if not line.startswith(b"process_")]

    assert lasting(shown.body) == lasting(in_lines.body) == lasting(whole)
    assert shown.media_type == media_type


def test_the_library_is_used_where_the_metrics_are_written_and_nowhere_else():
    source = Path(exposition.__code__.co_filename).parents[2]
    users = [path.name for path in source.rglob("*.py") if "prometheus_client" in path.read_text()]
    assert users == ["exposition.py"]
