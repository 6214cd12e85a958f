"""The client against a real server: one life of a task after the other."""

from datetime import UTC, datetime, timedelta

import pytest

import tasker
from tasker.testing.server import TaskerServer

HOOK = "http://localhost:9/hook"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with TaskerServer(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def client(server):
    with tasker.Client(server.url, retries=0) as client:
        yield client


def test_a_call_is_scheduled_changed_and_cancelled_by_its_key(client):
    made = client.schedule(HOOK, delay="3d", json={"order": 17}, key="order-17", tags=["a"])
    assert made.outcome == "created"
    task = client.get(made.id)
    assert (task.state, task.type, task.key) == ("todo", "webhook", "order-17")
    assert task.fields == {"url": HOOK, "json": {"order": 17}, "tags": ["a"]}

    with pytest.raises(tasker.KeyInUse) as refusal:
        client.schedule(HOOK, delay=3, key="order-17")
    assert refusal.value.holder == made.id
    assert (refusal.value.code, refusal.value.status) == ("key_in_use", 409)

    changed = client.update(made.id, delay=timedelta(days=1), json=None, body="x", if_match=task.etag)
    assert changed.fields == {"url": HOOK, "body": "x", "tags": ["a"]}
    with pytest.raises(tasker.RevisionPassed):
        client.update(made.id, body="y", if_match=task.etag)

    assert client.by_key("order-17").cancel().state == "cancelled"
    client.delete(made.id)
    with pytest.raises(tasker.TaskNotFound):
        client.get(made.id)


def test_many_tasks_are_sent_in_chunks_and_found_on_all_pages(client):
    progress = []
    items = ({"url": HOOK, "delay": "1h", "tags": ["many"]} for _ in range(1_100))
    made = list(client.schedule_many(items, chunk=500, on_progress=progress.append))
    assert progress == [500, 1_000, 1_100]
    found = list(client.find(tag="many"))
    assert [task.id for task in found] == [each.id for each in made]
    assert len(list(client.find(tag="many", limit=700))) == 700
    assert client.count(tag="many") == 1_100


def test_a_refused_chunk_names_the_places_among_all(client):
    good, bad = {"url": HOOK, "delay": 1}, {"url": "http://", "delay": 1}
    with pytest.raises(tasker.InvalidTasks) as refusal:
        list(client.schedule_many([good, good, good, bad], chunk=2))
    assert [each.index for each in refusal.value.refusals] == [3]


def test_a_job_is_claimed_and_its_end_is_told(client):
    made = client.create("job", {"queue": "reports", "json": {"customer": 42}}, delay=0)
    (job,) = client.queues.claim("reports", wait=20)
    assert (job.id, job.attempt, job.json) == (made.id, 1, {"customer": 42})
    assert client.completions.heartbeat(job.token, progress=0.5).state == "in_progress"
    assert client.get(job.id).progress.progress == 0.5
    assert client.completions.complete(job.token, {"pages": 3}).state == "done"
    assert client.wait(job.id, 20).result == {"pages": 3}
    with pytest.raises(tasker.CompletedBefore):
        client.completions.complete(job.token)


def test_a_task_is_run_now_and_explained(client):
    made = client.create("hash", {"secret": "correct-horse"}, delay="1h")
    client.run(made.id)
    assert client.wait(made.id, timeout=60).state == "done"
    assert client.explain(made.id).reason == "done"
    assert [each.outcome for each in client.attempts(made.id)] == ["succeeded"]
    assert [each.event for each in client.history(made.id).history] == ["created", "change", "attempt"]


@pytest.mark.anyio
async def test_the_same_names_are_awaited(server):
    async with tasker.AsyncClient(server.url) as client:
        made = await client.schedule(HOOK, at=datetime.now(UTC) + timedelta(hours=1), tags=["async"])
        assert [task.id async for task in client.find(tag="async")] == [made.id]
        assert [each.outcome async for each in client.schedule_many([{"url": HOOK, "delay": 9}])] == ["created"]
        await client.delete(made.id)


def test_no_log_shows_a_key_a_token_or_what_is_sent(server, caplog):
    caplog.set_level(0)
    with tasker.Client(server.url, "canary-key") as client:
        client.schedule(HOOK, delay=60, headers={"x-secret": "canary-header"}, body="canary-body")
        with pytest.raises(tasker.InvalidToken):
            client.completions.complete("canary-token")
    assert "POST" in caplog.text
    assert "canary" not in caplog.text
