"""Workers that pull: what they claim, how long they wait for it, and what becomes of what nobody takes."""

import asyncio

import pytest
import rest_server
from rest_server import LATER, WEBHOOK

from polling import holds
from tasker.errors import StoreUnavailableError
from tasker.interfaces.task_type import TaskType
from tasker.task_types.pulled import PulledType
from tasker.task_types.registry import Registry
from tasker.wire.fields import TaskFields

pytestmark = pytest.mark.anyio


def a_job(queue="reports", **members):
    return {"job": {"queue": queue, "delay": 0, **members}}


async def claim(server, queue="reports", *, headers=None, **body):
    reply = await server.call("POST", f"/queues/{queue}/claim", body, headers)
    assert reply.status == 200, reply
    return reply.json["jobs"]


async def waiting(server, queue="reports", **body):
    """A connection on which a worker waits, once it is in line."""
    connection = await server.connect()
    before = in_line(server, queue)
    await connection.send(rest_server.request_bytes("POST", f"/queues/{queue}/claim", {"wait": 60, **body}))
    await holds(lambda: in_line(server, queue) == before + 1)
    return connection


def in_line(server, queue="reports"):
    lines = server.service.queues._engine.pulls._lines
    return sum(len(line.waiters) for destination, line in lines.items() if destination.name == queue)


async def jobs_of(connection):
    reply = await connection.reply()
    assert reply.status == 200, reply
    await connection.close()
    return reply.json["jobs"]


async def test_a_worker_is_given_what_it_needs_to_do_the_job_and_to_tell_how_it_ended(server):
    task_id = await server.new(a_job(json={"month": 7}, tags=["pdf"], key="july", timeout=300, keep="1d"))
    (job,) = await claim(server, lease="10m")
    token, lease_until = job.pop("token"), job.pop("lease_until")
    assert job == {
        "type": "job",
        "id": task_id,
        "attempt": 1,
        "execution_time": job["execution_time"],
        "key": "july",
        "queue": "reports",
        "json": {"month": 7},
        "tags": ["pdf"],
        "timeout": 300,
        "keep": "1d",
    }
    assert token.startswith(f"{task_id}.")
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["job"]
    assert (shown["state"], shown["attempts"]) == ("in_progress", 1)
    assert lease_until > shown["started_at"]
    assert await claim(server) == []


async def test_a_claim_takes_as_many_as_it_says_earliest_first(server):
    ids = [await server.new(a_job()) for _ in range(5)]
    assert [job["id"] for job in await claim(server, max=3)] == ids[:3]
    assert [job["id"] for job in await claim(server, max=3)] == ids[3:]


async def test_what_is_not_due_or_of_another_queue_is_not_given(server):
    await server.new({"job": {"queue": "reports", "execution_time": LATER}})
    await server.new(a_job("other"))
    await server.new(WEBHOOK)
    assert await claim(server, max=9) == []


async def test_who_waits_is_told_of_a_job_as_soon_as_it_is_stored(server):
    worker = await waiting(server)
    task_id = await server.new(a_job())
    assert [job["id"] for job in await jobs_of(worker)] == [task_id]


async def test_who_waits_is_told_of_a_job_at_its_time(server):
    worker = await waiting(server)
    task_id = await server.new(a_job(delay=2))
    await server.clock.advance(1.999_999)
    assert in_line(server) == 1
    await server.clock.advance(0.000_001)
    (job,) = await jobs_of(worker)
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["job"]
    assert (job["id"], shown["lateness_seconds"]) == (task_id, 0)


async def told(server, what, job, body=None, *, status=200):
    """What a worker is answered who tells of its job."""
    reply = await server.call("POST", f"/completions/{what}", body, {"authorization": f"Bearer {job['token']}"})
    assert reply.status == status, reply
    return reply.json


async def test_what_a_worker_has_done_is_the_result(server):
    task_id = await server.new(a_job())
    (job,) = await claim(server)
    assert (await told(server, "complete", job, {"result": {"pages": 3}}))["state"] == "done"
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["job"]
    assert (shown["state"], shown["result"], shown["attempts"]) == ("done", {"pages": 3}, 1)
    (record,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert (record["number"], record["error"]) == (1, None)
    assert record["node"] == server.store.node_id
    assert (await told(server, "complete", job, status=409))["code"] == "completed_before"


async def test_what_failed_comes_again_as_its_retry_policy_says(server):
    task_id = await server.new(a_job(retry={"max_attempts": 2, "initial_delay": 10, "jitter": 0}))
    (job,) = await claim(server)
    assert (await told(server, "fail", job, {"code": "no_paper", "msg": "it is out of paper"}))["state"] == "todo"
    worker = await waiting(server)
    explained = (await server.call("GET", f"/tasks/{task_id}/explain")).json
    assert (explained["reason"], explained["last_error"]["code"]) == ("retrying", "no_paper")
    await server.clock.advance(10)
    (job,) = await jobs_of(worker)
    assert (job["id"], job["attempt"]) == (task_id, 2)
    assert (await told(server, "fail", job))["state"] == "failed"
    assert len((await server.call("GET", f"/tasks/{task_id}/attempts")).json) == 2


async def test_heartbeats_move_the_end_of_the_lease_as_far_as_the_lease_is_long(server):
    await server.new(a_job())
    (job,) = await claim(server, lease="10m")
    await server.clock.advance(300)
    beat = await told(server, "heartbeat", job, {"progress": 0.5})
    assert beat["deadline"] > job["lease_until"]
    moved = await told(server, "heartbeat", job, {"deadline": "1h"})
    assert moved["deadline"] > beat["deadline"]
    shown = (await server.call("GET", f"/tasks/{job['id']}")).json["job"]
    assert (shown["state"], shown["deadline"]) == ("in_progress", moved["deadline"])
    explained = (await server.call("GET", f"/tasks/{job['id']}/explain")).json
    assert explained["reason"] == "completion"
    assert "a worker has claimed attempt 1" in explained["msg"]


async def test_who_has_lost_a_job_is_told_so_and_changes_nothing(server):
    task_id = await server.new(a_job())
    (first,) = await claim(server, lease=3)
    await server.clock.advance(3)
    assert (await server.store.end_leases()).taken.todo == 1
    (second,) = await claim(server)
    assert (second["id"], second["attempt"]) == (task_id, 1)
    for what in ("complete", "fail", "heartbeat"):
        assert (await told(server, what, first, status=409))["code"] == "completion_late"
    assert (await told(server, "complete", second))["state"] == "done"


async def test_the_third_lease_in_a_row_that_ends_ends_the_job(server):
    task_id = await server.new(a_job())
    for _ in range(3):
        (job,) = await claim(server, lease=3)
        await server.clock.advance(3)
        await server.store.end_leases()
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["job"]
    assert (shown["state"], shown["last_error"]["code"]) == ("failed", "crashed_worker")
    assert (await told(server, "complete", job, status=409))["code"] == "completion_late"


async def test_who_has_a_job_that_is_cancelled_is_told_so(server):
    task_id = await server.new(a_job())
    (job,) = await claim(server)
    assert (await server.call("DELETE", f"/tasks/{task_id}")).status == 409
    assert (await server.call("POST", f"/tasks/{task_id}/cancel")).json["job"]["state"] == "cancelled"
    for what in ("heartbeat", "complete", "fail"):
        assert (await told(server, what, job, status=409))["code"] == "cancelled"


async def test_a_job_has_a_history_as_any_task_and_needs_no_slot(server):
    task_id = await server.new(a_job())
    (job,) = await claim(server)
    await told(server, "complete", job)
    history = (await server.call("GET", f"/tasks/{task_id}/history")).json
    assert "attempt" in str(history)
    assert "job" not in (await server.call("GET", "/stats")).json["pools"]


async def test_first_come_first_served(server):
    workers = [await waiting(server) for _ in range(3)]
    ids = [await server.new(a_job()) for _ in range(3)]
    assert [[job["id"] for job in await jobs_of(worker)] for worker in workers] == [[task_id] for task_id in ids]


async def test_a_batch_reaches_all_who_wait(server):
    workers = [await waiting(server, "a"), await waiting(server, "b")]
    reply = await server.call("POST", "/tasks/batch", [a_job("b"), a_job("a")])
    assert reply.status == 201
    assert [len(await jobs_of(worker)) for worker in workers] == [1, 1]


@pytest.mark.parametrize("move", ["run", "resume", "retry", "change"])
async def test_whatever_makes_a_job_due_wakes_who_waits(server, move):
    task_id = await server.new({"job": {"queue": "reports", "execution_time": LATER}})
    listed = (await server.call("GET", "/destinations")).json
    gate = listed[0]["id"]
    if move == "retry":
        await server.call("POST", f"/tasks/{task_id}/cancel")
    if move == "resume":
        await server.call("POST", f"/destinations/{gate}/pause")
        await server.call("POST", f"/tasks/{task_id}/run")
    worker = await waiting(server)
    match move:
        case "run" | "retry":
            reply = await server.call("POST", f"/tasks/{task_id}/{move}")
        case "resume":
            reply = await server.call("POST", f"/destinations/{gate}/resume")
        case "change":
            await server.new(a_job("elsewhere", key="k"))
            reply = await server.call("PATCH", "/tasks/key/k", {"job": {"queue": "reports"}})
            task_id = reply.json["job"]["id"]
    assert reply.status == 200, reply
    assert [job["id"] for job in await jobs_of(worker)] == [task_id]


async def test_who_has_waited_in_vain_is_told_so_after_its_time(server):
    worker = await waiting(server, wait=5)
    await server.clock.advance(4.999)
    assert in_line(server) == 1
    await server.clock.advance(0.001)
    assert await jobs_of(worker) == []


async def test_who_does_not_wait_is_answered_at_once_behind_those_who_do(server):
    worker = await waiting(server)
    assert await claim(server) == []
    assert in_line(server) == 1
    task_id = await server.new(a_job())
    assert [job["id"] for job in await jobs_of(worker)] == [task_id]


async def test_who_hangs_up_gets_nothing_and_the_next_in_line_does(server):
    first, second = await waiting(server), await waiting(server)
    first.hang_up()
    await holds(lambda: in_line(server) == 1)
    task_id = await server.new(a_job())
    assert [job["id"] for job in await jobs_of(second)] == [task_id]
    shown = (await server.call("GET", f"/tasks/{task_id}")).json["job"]
    assert shown["attempts"] == 1


async def test_who_ends_its_side_is_told_that_it_gets_nothing_and_that_is_no_defect(server, logged):
    worker = await waiting(server)
    worker.end_sending()
    assert await jobs_of(worker) == []
    assert [line for line in logged if line["log_level"] == "error"] == []


async def test_jobs_that_were_claimed_for_who_hung_up_meanwhile_are_given_back(server, monkeypatch):
    started, goes_on = asyncio.Event(), asyncio.Event()
    pull = server.store.pull

    async def slow_pull(*args, **members):
        pulled = await pull(*args, **members)
        if pulled.attempts:
            started.set()
            await goes_on.wait()
        return pulled

    task_id = await server.new(a_job())
    monkeypatch.setattr(server.store, "pull", slow_pull)
    worker = await server.connect()
    await worker.send(rest_server.request_bytes("POST", "/queues/reports/claim", {"wait": 60}))
    await started.wait()
    monkeypatch.undo()
    worker.hang_up()
    line = next(iter(server.service.queues._engine.pulls._lines.values()))
    await holds(lambda: line.waiters[0].is_gone)
    goes_on.set()
    second = await server.connect()
    await second.send(rest_server.request_bytes("POST", "/queues/reports/claim", {"wait": 60}))
    (job,) = await jobs_of(second)
    assert (job["id"], job["attempt"]) == (task_id, 1)


async def test_an_answer_that_was_not_written_gives_back_what_it_has(server):
    """The worker leaves after the claim, before its answer is sent."""
    task_id = await server.new(a_job())
    service = server.service.queues
    has_begun, has_left = asyncio.Event(), asyncio.Event()
    claim_of = service.claim

    async def claim_and_leave(*args, when_left, **members):
        pulled = await claim_of(*args, when_left=lambda end: when_left(lambda: (end(), has_left.set())), **members)
        has_begun.set()
        worker.hang_up()
        await has_left.wait()
        return pulled

    service.claim = claim_and_leave
    worker = await server.connect()
    await worker.send(rest_server.request_bytes("POST", "/queues/reports/claim", {}))
    await has_begun.wait()
    service.claim = claim_of

    (job,) = await claim(server, wait=60)
    assert (job["id"], job["attempt"]) == (task_id, 1)


async def test_when_the_server_stops_who_waits_is_told(server):
    worker = await waiting(server)
    server.service.queues._engine.pulls.close()
    assert await jobs_of(worker) == []
    assert await claim(server, wait=60) == []


async def test_without_room_for_more_who_wait_the_answer_comes_at_once(server, monkeypatch):
    monkeypatch.setattr(server.service.queues._engine.waiters, "_room", 1)
    worker = await waiting(server)
    assert await claim(server, wait=60) == []
    await worker.close()


async def test_while_the_store_is_out_of_reach_who_does_not_wait_is_refused(server, monkeypatch):
    async def fails(*_, **__):
        raise StoreUnavailableError("it is away")

    monkeypatch.setattr(server.store, "pull", fails)
    reply = await server.call("POST", "/queues/reports/claim", {})
    assert (reply.status, reply.json["code"]) == (503, "store_unavailable")


@pytest.mark.parametrize(
    ("queue", "body", "field", "expected"),
    [
        ("reports", {"max": 0}, "max", ">= 1"),
        ("reports", {"max": 101}, "max", "<= 100"),
        ("reports", {"wait": 61}, "wait", "<= 60"),
        ("reports", {"wait": -1}, "wait", ">= 0"),
        ("reports", {"lease": 2.9}, "lease", "expected 3s to 1d, got: 2.9"),
        ("reports", {"lease": "2d"}, "lease", "expected 3s to 1d, got: 2d"),
        ("reports", {"lease": "soon"}, "lease", "expected seconds as a number"),
        ("reports", {"leese": 1}, "leese", "expected one of max, wait, lease"),
        ("a%20b", {}, "queue", "expected the name of a queue: 1 to 100 letters, digits"),
        ("a" * 101, {}, "queue", "expected the name of a queue: 1 to 100 letters, digits"),
        ("type:job", {}, "queue", "type:job"),
        ("type:No", {}, "queue", "got: 'type:No'"),
    ],
)
async def test_a_claim_that_cannot_be_made_is_refused(server, queue, body, field, expected):
    if queue == "type:job":
        assert await claim(server, queue) == []  # every pulled type has one
        return
    reply = await server.call("POST", f"/queues/{queue}/claim", body)
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, "invalid_request", field)
    assert expected in reply.json["msg"]


@pytest.mark.parametrize(
    ("members", "field", "expected"),
    [
        ({"queue": ""}, "job.queue", "not empty"),
        ({"queue": "x" * 101}, "job.queue", "<= 100"),
        ({"queue": "a/b"}, "job.queue", "expected 1 to 100 letters, digits"),
        ({"queue": "type:job"}, "job.queue", "expected 1 to 100 letters, digits"),
        ({"queue": ".."}, "job.queue", "expected 1 to 100 letters, digits"),
        ({"group": "g"}, "job.group", "expected no group"),
        ({"timeout": 0}, "job.timeout", ">= 0.1"),
        ({"url": "http://localhost/"}, "job.url", "unknown"),
    ],
)
async def test_a_job_that_cannot_be_is_refused(server, members, field, expected):
    reply = await server.call("POST", "/tasks/new", a_job(**members))
    assert (reply.status, reply.json["field"]) == (400, field), reply
    assert expected in reply.json["msg"]


async def test_a_job_gets_no_group_by_a_change(server):
    task_id = await server.new(a_job())
    assert "expected no group" in await server.refused("PATCH", f"/tasks/{task_id}", {"job": {"group": "g"}})


async def test_a_queue_is_a_destination_that_can_be_made_paused_and_limited(server):
    made = await server.call("POST", "/destinations", {"queue": "reports", "max_running": 1})
    assert (made.json["name"], made.json["kind"], made.json["max_running"]) == ("reports", "queue", 1)
    for _ in range(2):
        await server.new(a_job())
    path = f"/destinations/{made.json['id']}"
    assert (await server.call("GET", path)).json["held"] == 2
    assert len(await claim(server, max=9)) == 1
    shown = (await server.call("GET", path)).json
    assert (shown["held"], shown["running"]) == (1, 1)
    await server.call("PATCH", path, {"max_running": None})
    await server.call("POST", f"{path}/pause")
    assert await claim(server) == []
    await server.call("POST", f"{path}/resume")
    assert len(await claim(server, max=9)) == 1


async def test_explain_says_what_a_job_waits_for(server):
    task_id = await server.new(a_job())
    path = f"/tasks/{task_id}/explain"
    found = (await server.call("GET", path)).json
    assert (found["reason"], found["destination"]["kind"]) == ("unclaimed", "queue")
    assert "waits for a worker to claim it" in found["msg"]
    gate = found["destination"]["id"]
    await server.call("POST", f"/destinations/{gate}/pause")
    found = (await server.call("GET", path)).json
    assert found["reason"] == "paused"
    assert "the queue reports is paused" in found["msg"]
    await server.call("POST", f"/destinations/{gate}/resume")
    await server.call("PATCH", f"/destinations/{gate}", {"max_per_second": 1})
    await claim(server)
    other = await server.new(a_job())
    assert (await server.call("GET", f"/tasks/{other}/explain")).json["reason"] == "rate"


class RenderFields(TaskFields, frozen=True, kw_only=True):
    scene: str


class RenderType(PulledType):
    name = "render"
    fields = RenderFields


async def test_any_task_type_may_be_pulled_from_a_queue_of_its_own(monkeypatch):
    def registry_of(clock, **how):
        return Registry([*rest_server_registry(clock, **how).types, RenderType()])

    rest_server_registry = rest_server.registry_of
    monkeypatch.setattr(rest_server, "registry_of", registry_of)
    async with rest_server.running() as server:
        task_id = await server.new({"render": {"delay": 0, "scene": "sea"}})
        await server.new(a_job())
        (job,) = await claim(server, "type:render", max=9)
        assert (job["id"], job["type"], job["scene"]) == (task_id, "render", "sea")
        assert await claim(server, "type:no") == []  # another node may know it
        reply = await server.call("POST", "/queues/type:No/claim", {})
        assert "or type:job, type:render" in reply.json["msg"]


def test_a_pulled_type_has_all_that_a_task_type_has():
    members = {name for name in vars(TaskType) if not name.startswith("_")}
    assert members <= {*dir(RenderType)}


async def key_of(server, admin=None, **members):
    """The headers of a caller with a new key."""
    made = await server.call("POST", "/keys", {"name": "k", **members}, admin)
    assert made.status == 201, made
    return {"authorization": f"Bearer {made.json['key']}"}


async def test_a_key_for_one_queue_claims_there_and_does_nothing_else(server):
    admin = await key_of(server, role="admin")
    worker = await key_of(server, admin, scopes=["queues:work:reports"])
    await server.call("POST", "/tasks/new", a_job(), admin)
    assert len(await claim(server, headers=worker)) == 1
    for method, path, body in (
        ("POST", "/queues/other/claim", {}),
        ("POST", "/tasks/new", a_job()),
        ("GET", "/tasks", None),
        ("GET", "/destinations", None),
    ):
        reply = await server.call(method, path, body, worker)
        assert (reply.status, reply.json["code"]) == (403, "scope_missing"), path
    reply = await server.call("POST", "/queues/other/claim", {}, worker)
    assert "lacks the scope queues:work:other" in reply.json["msg"]


async def test_a_key_for_all_queues_and_one_that_writes_claim_anywhere(server):
    admin = await key_of(server, role="admin")
    for worker in (await key_of(server, admin, scopes=["queues:work"]), await key_of(server, admin, role="write")):
        for queue in ("reports", "other"):
            assert await claim(server, queue, headers=worker) == []
    reader = await key_of(server, admin, role="read")
    assert (await server.call("POST", "/queues/reports/claim", {}, reader)).status == 403


async def test_a_scope_names_a_queue_as_jobs_do(server):
    for scope in ("queues:work:a b", "queues:work:", "queues:work:type:", "queues:works", "tasks"):
        reply = await server.call("POST", "/keys", {"name": "c", "scopes": [scope]})
        assert (reply.status, reply.json["field"]) == (400, "scopes[0]"), scope
        assert "expected one of metrics, tasks:read" in reply.json["msg"]


async def test_a_worker_whose_key_is_revoked_waits_no_longer(server):
    admin = await key_of(server, role="admin")
    worker = await key_of(server, admin, scopes=["queues:work"])
    connection = await server.connect()
    await connection.send(rest_server.request_bytes("POST", "/queues/reports/claim", {"wait": 60}, worker))
    await holds(lambda: in_line(server) == 1)
    key_id = worker["authorization"].split("_")[1]
    assert (await server.call("DELETE", f"/keys/{key_id}", None, admin)).status == 204
    assert (await connection.reply()).status == 401
    await connection.close()
