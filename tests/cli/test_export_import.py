"""``tasker export`` and ``tasker import``: tasks as the calls that create them, from one server to another."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from tasker.cli.connecting import Session
from tasker.testing.server import TaskerServer

URL = "http://localhost:9/hook"
ZONE = {"local_time": "2127-03-28T09:00:00", "time_zone": "Europe/Berlin"}
RICH = {
    "webhook": {
        **ZONE,
        "url": URL,
        "method": "PUT",
        "json": {"n": [1, "ä"]},
        "key": "rich",
        "tags": ["rich"],
        "group": "customers",
        "retry": {"max_attempts": 3},
        "on_failure": "http://localhost:9/failed",
        "expires_at": "2127-04-01T00:00:00.000000Z",
        "keep": "9d",
    }
}
OTHERS = [
    {"job": {"execution_time": "2127-01-01T00:00:00+01:00", "queue": "reports", "json": 7}},
    {"webhook": {"execution_time": "2127-01-02T00:00:00Z", "url": URL, "body": "a\0b"}},
]
SECRET = [
    {"hash": {"execution_time": "2127-01-01T00:00:00Z", "secret": "geheim"}},
    {"webhook": {"execution_time": "2127-01-01T00:00:00Z", "url": URL, "headers": {"authorization": "Bearer geheim"}}},
    {"webhook": {"execution_time": "2127-01-01T00:00:00Z", "url": "http://me:geheim@localhost:9/"}},
    {"webhook": {"execution_time": "2127-01-01T00:00:00Z", "url": URL, "on_success": "http://me:geheim@h/"}},
]


def lines(tasks):
    return "".join(json.dumps(task) + "\n" for task in tasks).encode()


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A server with tasks of many kinds, waiting and not."""
    with TaskerServer(tmp_path_factory.mktemp("old")) as server:
        client = server.client
        for task in (RICH, *OTHERS, *SECRET):
            client.request("POST", "/tasks/new", json=task)
        client.schedules.put("nightly", URL, every="1d")
        client.create("webhook", {"delay": "1d", "url": URL, "key": "gone"})
        client.by_key("gone").cancel()
        yield server


@pytest.fixture
def new(tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    with TaskerServer(folder) as server:
        yield server


@pytest.fixture
def tasker(typist, old):
    return typist(old.url)


def ordered(tasks):
    return sorted(tasks, key=lambda task: json.dumps(task, sort_keys=True))


def exported(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        return [json.loads(line) for line in file]


def test_what_waits_is_exported_as_it_was_asked_for_and_imported_once_however_often(tasker, old, new, tmp_path):
    done = tasker("export", "waiting.ndjson", "--output", "json")
    assert done.code == 8
    assert "4 tasks with secrets, headers or passwords left out; --with-secrets exports them, too" in done.err
    assert "1 runs of schedules are left out" in done.err
    assert done.json == {"exported": 3, "runs": 1, "with_secrets": 4}
    assert ordered(exported(tmp_path / "waiting.ndjson")) == ordered([RICH, *OTHERS])
    assert (tmp_path / "waiting.ndjson").stat().st_mode & 0o777 == 0o600
    assert "geheim" not in done.out + done.err + (tmp_path / "waiting.ndjson").read_text()

    there = {"TASKER_URL": new.url}
    dry = tasker.done("import", "waiting.ndjson", "--dry-run", **there)
    assert "3 would be created, 0 of which are due at once" in dry.err
    assert list(new.client.find()) == []
    for _ in range(2):
        done = tasker.done("import", "waiting.ndjson", **there)
        assert len(list(new.client.find())) == 3
    again = tasker.done("export", "-", **there)
    assert ordered(again.lines) == ordered([RICH, *OTHERS])
    assert next(iter(new.client.find(key="rich"))).local_time == ZONE["local_time"]


def test_secrets_are_exported_if_somebody_says_so_and_gz_packs(tasker, new, tmp_path):
    done = tasker.done("export", "all.ndjson.gz", "--with-secrets")
    assert "7 exported" in done.err
    assert ordered(exported(tmp_path / "all.ndjson.gz")) == ordered([RICH, *OTHERS, *SECRET])
    tasker.done("import", "all.ndjson.gz", TASKER_URL=new.url)
    assert len(list(new.client.find())) == 7


def test_a_task_that_is_deleted_during_an_export_is_left_out(tasker, new, monkeypatch):
    gone, _ = (new.client.request("POST", "/tasks/new", json=task)["id"] for task in SECRET[:2])
    call = Session.call

    def late(session, method, path, *more, **query):
        if path == f"/tasks/{gone}":
            new.call("DELETE", path)
        return call(session, method, path, *more, **query)

    monkeypatch.setattr(Session, "call", late)
    assert tasker.done("export", "--with-secrets", TASKER_URL=new.url).lines == SECRET[1:2]


def test_filters_say_what_is_exported(tasker):
    assert [line["webhook"]["key"] for line in tasker.done("export", "--tag", "rich").lines] == ["rich"]
    (cancelled,) = tasker.done("export", "--state", "cancelled").lines
    assert cancelled["webhook"]["key"] == "gone"


def test_keys_that_others_hold_are_skipped_or_end_the_import(tasker, new, tmp_path):
    client = new.client
    client.create("webhook", {"delay": "1d", "url": URL, "key": "rich"})
    (tmp_path / "some.ndjson").write_bytes(lines([RICH, *OTHERS]))
    there = {"TASKER_URL": new.url}
    line = tasker.refused(4, "import", "some.ndjson", **there)
    assert line.startswith("tasker: line 1: ")
    assert line.endswith("; none is created")
    done = tasker.done("import", "some.ndjson", "--on-conflict", "skip", "--output", "json", **there)
    assert done.json == {"tasks": 3, "created": 2, "kept": 1, "imported_before": 0, "expired": 0, "at_once": 0}
    assert "1 left out: another task holds their key" in done.err


def test_what_is_late_runs_at_once_and_what_has_expired_is_left_out(tasker, new, tmp_path):
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    late = {"job": {"execution_time": hour_ago, "queue": "reports"}}
    local = {"job": {"local_time": hour_ago[:19], "time_zone": "UTC", "queue": "reports"}}
    expired = {"job": {"execution_time": hour_ago, "expires_at": hour_ago, "queue": "reports"}}
    (tmp_path / "late.ndjson").write_bytes(lines([late, local, expired]))
    done = tasker.done("import", "late.ndjson", "--output", "json", TASKER_URL=new.url)
    assert (done.json["created"], done.json["expired"], done.json["at_once"]) == (2, 1, 2)
    assert len(new.client.queues.claim("reports", max=5)) == 2


def test_an_import_that_is_refused_half_way_says_where_and_goes_on_once_the_file_is_right(tasker, new, tmp_path):
    task = {"webhook": {"execution_time": "2127-01-01T00:00:00Z", "url": URL}}
    wrong = {"webhook": {"execution_time": "2127-01-01T00:00:00Z", "url": "ftp://h"}}
    file = tmp_path / "many.ndjson"
    file.write_bytes(lines([task] * 1_000) + b"\n" + lines([task, wrong]))
    there = {"TASKER_URL": new.url}
    line = tasker.refused(8, "import", file, **there)
    assert "line 1003: webhook.url: expected" in line
    assert line.endswith("; 1000 are created, and no other from line 1002 on")
    file.write_bytes(lines([task] * 1_000) + b"\n" + lines([task, task]))
    tasker.done("import", file, **there)
    count = new.client.request("GET", "/tasks?count=capped&limit=1")["count"]
    assert count == 1_002


def test_what_cannot_be_used_is_refused(tasker, tmp_path):
    (tmp_path / "there.ndjson").write_text("")
    (tmp_path / "bad.ndjson").write_text('{"webhook": 1}\n')
    (tmp_path / "bad.ndjson.gz").write_text("plain")
    (tmp_path / "damaged.ndjson.gz").write_bytes(gzip.compress(lines([RICH]))[:20] + b"\xff" * 40)
    for arguments, words in (
        (("export", "there.ndjson"), "expected a file that is not there yet"),
        (("import", "none.ndjson"), "expected a file that is there"),
        (("import", "bad.ndjson"), "line 1: expected an object with one member"),
        (("import", "bad.ndjson.gz"), "expected a whole file of gzip"),
        (("import", "damaged.ndjson.gz"), "expected a whole file of gzip"),
    ):
        assert words in tasker.refused(2, *arguments)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "bad.ndjson",
        "bad.ndjson.gz",
        "damaged.ndjson.gz",
        "there.ndjson",
    ]
