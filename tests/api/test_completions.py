"""What receivers of long jobs call: complete, fail, heartbeat, with the token of an attempt and no key."""

import json
from datetime import timedelta

import pytest
import rest_server
from fates import NEAR, claim
from msgspec.structs import replace

from tasker.interfaces.queue import Claim
from tasker.model import lifecycle
from tasker.model.attempt import Accepted, Exchange, Phases
from tasker.model.completion_token import TokenClaim, completion_token
from tasker.model.instants import SECOND
from tasker.model.retry import RetryPolicy
from tasker.model.task import Fault

pytestmark = pytest.mark.anyio

PUBLIC = "https://tasks.example.org/tasker"
MINUTES = 30


def long_job(**more):
    webhook = {"delay": NEAR, "url": "http://localhost:9000/hook", "completion": {"deadline": "30m"}}
    return {"webhook": webhook | more}


@pytest.fixture
async def server(anyio_backend):
    async with rest_server.running(public_url=PUBLIC) as server:
        yield server


async def task(server, task_id):
    (shown,) = (await server.call("GET", f"/tasks/{task_id}")).json.values()
    return shown


async def begun(server, **more):
    """A long job whose request is under way: its id, its attempt, and what its receiver shows."""
    task_id = await server.new(long_job(**more))
    await server.clock.step(NEAR)
    (attempt,) = await claim(server)
    key = await server.store.completion_key()
    token = completion_token(key, TokenClaim(attempt.task_id, attempt.fence))
    return task_id, attempt, {"authorization": f"Bearer {token}"}


async def accept(server, attempt):
    """Answer the request of *attempt* with 202."""
    outcome = Accepted(timedelta(minutes=MINUTES), exchange=Exchange(phases=Phases(), status=202, body="soon"))
    now = server.clock.now()
    await server.store.settle(
        attempt,
        lifecycle.settle(outcome, attempt=attempt, retry=RetryPolicy(), started_at=now, now=now, rand=0.5),
    )


async def accepted(server, **more):
    task_id, attempt, shown = await begun(server, **more)
    await accept(server, attempt)
    return task_id, shown


async def told(server, what, shown, body=None, *, status=200):
    reply = await server.call("POST", f"/completions/{what}", body, shown)
    assert reply.status == status, reply
    return reply.json


async def refused(server, what, shown, code, body=None, *, status=409):
    before = await server.store.count(up_to=100)
    reply = await told(server, what, shown, body, status=status)
    assert reply["code"] == code
    assert await server.store.count(up_to=100) == before
    return reply["msg"]


async def test_where_a_completion_is_told_is_kept_with_its_task(server):
    task_id = await server.new(long_job(completion={"deadline": 90, "counts": False, "url": "http://elsewhere/"}))
    assert (await task(server, task_id))["completion"] == {
        "deadline": 90,
        "counts": False,
        "url": f"{PUBLIC}/completions",
    }
    patch = {"webhook": {"completion": {"deadline": "1h"}}}
    (changed,) = (await server.call("PATCH", f"/tasks/{task_id}", patch)).json.values()
    assert changed["completion"] == {"deadline": "1h", "counts": False, "url": f"{PUBLIC}/completions"}


async def test_without_a_public_url_no_task_can_ask_for_a_completion():
    async with rest_server.running() as server:
        elsewhere = {"deadline": "30m", "url": "http://elsewhere/completions"}
        named = {"key": "k", "on_conflict": "replace"}
        for job in (long_job(), long_job(completion=elsewhere), long_job(completion=elsewhere, **named)):
            text = await server.refused("POST", "/tasks/new", job)
            assert text.startswith("webhook.completion: ")
            assert "--public-url" in text


@pytest.mark.parametrize("deadline", ["31d", 0, "x", 30 * 86_400 + 1])
async def test_a_deadline_is_at_most_thirty_days(server, deadline):
    text = await server.refused("POST", "/tasks/new", long_job(completion={"deadline": deadline}))
    assert text.startswith("webhook.completion.deadline: expected ")


@pytest.mark.parametrize("name", ["Tasker-Completion-Token", "tasker_completion_url"])
async def test_nobody_else_says_what_tasker_says_of_a_completion(server, name):
    text = await server.refused("POST", "/tasks/new", long_job(headers={name: "x"}))
    assert "tasker makes it itself" in text


async def test_an_accepted_task_is_in_progress_and_explain_says_until_when(server):
    task_id, _ = await accepted(server)
    shown = await task(server, task_id)
    explained = (await server.call("GET", f"/tasks/{task_id}/explain")).json
    assert (shown["state"], explained["state"], explained["reason"]) == ("in_progress", "in_progress", "completion")
    assert shown["deadline"] in explained["msg"]
    assert explained["msg"].startswith("attempt 1 was accepted, and waits for its completion until ")
    assert explained["node"] is None
    (attempt,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert (attempt["outcome"], attempt["ended_at"], attempt["status"]) == ("accepted", None, 202)
    assert (await server.call("GET", f"/tasks/{task_id}/history")).status == 200
    reply = await server.call("DELETE", f"/tasks/{task_id}")
    assert (reply.status, reply.json["code"]) == (409, "task_running")


@pytest.mark.parametrize("body", [None, {}, {"result": {"pages": [1, 2.50, "ü", None]}}])
async def test_complete_ends_a_task_well_with_its_result(server, body):
    task_id, shown = await accepted(server, on_success="http://localhost:9000/done")
    assert await told(server, "complete", shown, body) == {"id": task_id, "state": "done", "deadline": None}
    ended = await task(server, task_id)
    assert ended["state"] == "done"
    result = (body or {}).get("result")
    assert ended.get("result") == result
    assert "deadline" not in ended
    (attempt,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert (attempt["outcome"], attempt["status"], attempt["response_body"]) == ("succeeded", 202, "soon")
    (child,) = (await server.call("GET", f"/tasks?parent={task_id}")).json["tasks"]
    summary = child["webhook"]["json"]
    assert (summary["state"], summary["status"], summary["result"]) == ("done", 202, result)


async def test_fail_is_followed_by_a_retry_that_comes_no_earlier_than_asked(server):
    task_id, shown = await accepted(server)
    details = {"page": 3, "why": ["\u0000"]}
    body = {"code": "no_paper", "msg": "tray 2 is empty", "details": details, "retry_after": "10m"}
    assert (await told(server, "fail", shown, body))["state"] == "todo"
    waiting = await task(server, task_id)
    error = waiting["last_error"]
    assert (error["code"], error["msg"], error["details"]) == ("no_paper", "tray 2 is empty", details)
    assert error["fingerprint"]
    assert (await server.store.get(task_id)).due_at == server.clock.now() + 600 * SECOND
    found = (await server.call("GET", "/tasks?error=no_paper&fields=summary")).json["tasks"]
    assert [each["webhook"]["id"] for each in found] == [task_id]
    assert "details" not in found[0]["webhook"]["last_error"]
    (attempt,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert (attempt["outcome"], attempt["error"]["details"]) == ("failed", details)


async def test_fail_without_retry_ends_a_task_and_hands_on_why(server):
    task_id, shown = await accepted(server, on_failure="http://localhost:9000/failed")
    assert (await told(server, "fail", shown, {"retry": False, "details": [1]}))["state"] == "failed"
    error = (await task(server, task_id))["last_error"]
    assert (error["code"], error["details"]) == ("reported_failure", [1])
    (child,) = (await server.call("GET", f"/tasks?parent={task_id}")).json["tasks"]
    assert child["webhook"]["json"]["error"]["details"] == [1]


async def test_a_completion_before_the_answer_counts_and_what_is_answered_is_noted(server):
    task_id, attempt, shown = await begun(server)
    assert (await told(server, "complete", shown, {"result": 7}))["state"] == "done"
    (record,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert record["outcome"] == "succeeded"
    assert "status" not in record

    exchange = Exchange(phases=Phases(), status=500, body="oh")
    assert await server.store.note_answer(attempt, exchange)
    ended = await task(server, task_id)
    assert (ended["state"], ended["result"], ended["last_error"]) == ("done", 7, None)
    (record,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert (record["outcome"], record["status"], record["response_body"]) == ("succeeded", 500, "oh")
    assert not await server.store.note_answer(attempt, exchange), "once"
    assert not await server.store.note_answer(replace(attempt, fence=attempt.fence ^ 1), exchange)


async def test_an_answer_that_comes_between_the_look_and_the_end_of_a_completion_is_kept(server, monkeypatch):
    task_id, attempt, shown = await begun(server)
    look = type(server.store).awaited
    looks = []

    async def awaited(store, claim):
        found = await look(store, claim)
        looks.append(found)
        if len(looks) == 1:
            await accept(server, attempt)
        return found

    monkeypatch.setattr(type(server.store), "awaited", awaited)
    assert (await told(server, "complete", shown))["state"] == "done"
    assert [found.deadline is None for found in looks] == [True, False]
    (record,) = (await server.call("GET", f"/tasks/{task_id}/attempts")).json
    assert (record["outcome"], record["status"]) == ("succeeded", 202)


async def test_a_heartbeat_shows_progress_and_moves_the_deadline(server):
    task_id, shown = await accepted(server)
    before = await server.store.get(task_id)
    reply = await told(server, "heartbeat", shown, {"progress": 0.25, "msg": "page 1"})
    assert (reply["state"], reply["deadline"]) == ("in_progress", (await task(server, task_id))["deadline"])
    progress = (await task(server, task_id))["progress"]
    assert (progress["progress"], progress["msg"]) == (0.25, "page 1")

    await server.clock.step(10)
    await told(server, "heartbeat", shown, {"deadline": "2h"})
    moved = await server.store.get(task_id)
    assert moved.deadline == server.clock.now() + 7_200 * SECOND > before.deadline
    assert (await task(server, task_id))["progress"]["progress"] is None, "nothing was said of it"


async def test_heartbeats_are_written_at_most_once_a_second(server):
    task_id, shown = await accepted(server)
    began = server.clock.now()
    written = []
    for seconds, progress in ((0, 0.1), (0.999_999, 0.2), (0.000_001, 0.3)):
        await server.clock.step(seconds)
        await told(server, "heartbeat", shown, {"progress": progress})
        found = await server.store.get(task_id)
        written.append((found.progress.at - began, found.progress.progress))
    assert written == [(0, 0.1), (0, 0.1), (SECOND, 0.3)]
    await told(server, "heartbeat", shown, {"progress": 0.4, "deadline": "1h"})
    assert (await server.store.get(task_id)).progress.progress == 0.4, "a moved deadline is always written"


async def test_the_etag_of_a_task_stays_while_its_receiver_tells_how_far_it_is(server):
    task_id, shown = await accepted(server)
    before = (await server.call("GET", f"/tasks/{task_id}")).headers["etag"]
    await told(server, "heartbeat", shown, {"progress": 0.5, "deadline": "2h"})
    reply = await server.call("GET", f"/tasks/{task_id}")
    assert reply.json["webhook"]["progress"]["progress"] == 0.5
    assert reply.headers["etag"] == before


async def test_a_second_end_is_refused_and_changes_nothing(server):
    task_id, shown = await accepted(server)
    await told(server, "complete", shown, {"result": 1})
    before = await server.store.get(task_id)
    for what in ("complete", "fail", "heartbeat"):
        assert "nothing was changed" in await refused(server, what, shown, "completed_before")
    assert await server.store.get(task_id) == before


async def test_a_failure_that_is_told_again_was_heard_whatever_the_next_attempt_comes_to(server):
    task_id, shown = await accepted(server)
    await told(server, "fail", shown, {"retry_after": 10})
    await refused(server, "fail", shown, "completed_before")
    await server.clock.step(10)
    await claim(server)
    await refused(server, "fail", shown, "completed_before")
    assert (await task(server, task_id))["state"] == "in_progress"


async def test_what_another_attempt_came_to_was_not_told_by_this_one(server):
    for outcome in (lifecycle.Succeeded(), lifecycle.Failed(Fault("connect_refused", "x"), permanent=True)):
        task_id, shown = await accepted(server)
        await lapse(server)
        await server.clock.step(3600)
        (attempt,) = await claim(server)
        now = server.clock.now()
        settlement = lifecycle.settle(outcome, attempt=attempt, retry=RetryPolicy(), started_at=now, now=now, rand=0.5)
        await server.store.settle(attempt, settlement)
        assert (await task(server, task_id))["state"] in ("done", "failed")
        await refused(server, "complete", shown, "completion_late")


async def lapse(server):
    """Let a deadline pass."""
    await server.clock.step(MINUTES * 60)
    await server.service.completions._completions._store.lapse(
        lambda awaited, now: lifecycle.settle(
            lifecycle.Failed(lifecycle.TIMED_OUT),
            attempt=awaited.attempt,
            retry=RetryPolicy(),
            started_at=awaited.started_at,
            now=now,
            rand=0.5,
            accepted=awaited.record,
        )
    )


async def test_a_late_end_is_refused_and_changes_nothing(server):
    task_id, shown = await accepted(server)
    await lapse(server)
    assert (await task(server, task_id))["last_error"]["code"] == "completion_timeout"
    before = await server.store.get(task_id)
    for what in ("complete", "fail", "heartbeat"):
        await refused(server, what, shown, "completion_late")
    assert await server.store.get(task_id) == before


async def test_after_a_cancel_the_receiver_is_told_so_that_it_can_stop(server):
    task_id, shown = await accepted(server, on_cancel="http://localhost:9000/off")
    reply = await server.call("POST", f"/tasks/{task_id}/cancel")
    assert (reply.status, reply.json["webhook"]["state"]) == (200, "cancelled")
    for what in ("heartbeat", "complete", "fail"):
        await refused(server, what, shown, "cancelled")
    assert len((await server.call("GET", f"/tasks?parent={task_id}")).json["tasks"]) == 1


async def test_a_heartbeat_of_what_was_cancelled_before_the_answer_says_so(server):
    task_id, _, shown = await begun(server)
    assert (await server.call("POST", f"/tasks/{task_id}/cancel")).status == 202
    await refused(server, "heartbeat", shown, "cancelled")
    assert (await told(server, "fail", shown))["state"] == "cancelled"


async def test_the_token_of_a_deleted_task_is_of_none(server):
    task_id, shown = await accepted(server)
    await told(server, "complete", shown)
    await server.call("DELETE", f"/tasks/{task_id}")
    await refused(server, "heartbeat", shown, "task_not_found", status=404)


@pytest.mark.parametrize("what", ["complete", "fail", "heartbeat"])
async def test_nobody_gets_in_without_a_token(server, what):
    _, shown = await accepted(server)
    token = shown["authorization"]
    wrong = [{}, {"authorization": "Bearer"}, {"authorization": "Basic eDp5"}, {"authorization": f"{token}x"}]
    wrong += [{"authorization": f"Bearer {'x' * 200}"}, {"authorization": token.replace("Bearer", "Basic")}]
    for headers in wrong:
        reply = await server.call("POST", f"/completions/{what}", None, headers)
        assert (reply.status, reply.json["code"]) == (401, "invalid_token")
        assert reply.headers["www-authenticate"] == "Bearer"
    reply = await server.call("POST", f"/completions/{what}", {"deadline": 0} if what == "heartbeat" else {})
    assert reply.status == 401, "whatever else is wrong"
    for wrong in (b"{not json", b'{"unknown": 1}', b'"' + b"x" * 100_000):
        for headers in ({}, {"content-type": "text/plain"}, {"origin": "https://evil.example"}):
            reply = await server.call("POST", f"/completions/{what}?x=1", wrong, headers)
            assert (reply.status, reply.json["code"]) == (401, "invalid_token"), "whoever shows no token learns nothing"
    await told(server, what, shown)


async def test_a_token_lets_in_where_keys_are_asked_for_and_whatever_the_host(monkeypatch):
    async with rest_server.running(public_url=PUBLIC, api_keys=("the-key",)) as server:
        owner = {"authorization": "Bearer the-key"}
        reply = await server.call("POST", "/tasks/new", long_job(), owner)
        await server.clock.step(NEAR)
        (attempt,) = await claim(server)
        token = completion_token(await server.store.completion_key(), TokenClaim(attempt.task_id, attempt.fence))
        for path in ("/completions/heartbeat", "/completions/complete"):
            await refused(server, "complete", owner, "invalid_token", status=401)
            shown = {"authorization": f"Bearer {token}", "host": "tasks.example.org"}
            assert (await server.call("POST", path, None, shown)).status == 200
        for path in ("/tasks", f"/tasks/{reply.json['id']}"):
            assert (await server.call("GET", path, None, shown)).status == 401, "a token is no key"


async def test_the_host_of_the_public_url_is_one_of_ours(server):
    assert (await server.call("GET", "/tasks", None, {"host": "tasks.example.org"})).status == 200
    assert (await server.call("GET", "/tasks", None, {"host": "other.example.org"})).status == 403


async def test_another_sites_page_tells_nothing(server):
    _, shown = await accepted(server)
    reply = await server.call("POST", "/completions/complete", None, shown | {"origin": "https://evil.example"})
    assert (reply.status, reply.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("complete", {"result": "x" * 65_535}, "result"),
        ("complete", b'{"result": "\xff"}', "result"),
        ("complete", b'{"result": "\\ud800"}', ""),
        ("complete", {"outcome": 1}, "outcome"),
        ("fail", {"details": "x" * 16_383}, "details"),
        ("fail", {"code": "No"}, "code"),
        ("fail", {"code": "status-500"}, "code"),
        ("fail", {"code": "two\n"}, "code"),
        ("fail", {"msg": "two\nlines"}, "msg"),
        ("fail", {"msg": ""}, "msg"),
        ("fail", {"retry_after": "soon"}, "retry_after"),
        ("heartbeat", {"progress": 1.1}, "progress"),
        ("heartbeat", {"msg": "\x00"}, "msg"),
        ("heartbeat", {"deadline": "31d"}, "deadline"),
        ("heartbeat", {"deadline": 0}, "deadline"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_its_name(server, what, body, field):
    task_id, shown = await accepted(server)
    before = await server.store.get(task_id)
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = await server.call("POST", f"/completions/{what}", body, shown)
    assert (reply.status, reply.json["code"], reply.json.get("field", "")) == (400, "invalid_request", field)
    assert await server.store.get(task_id) == before


async def test_what_is_as_long_as_it_may_be_is_kept(server):
    task_id, shown = await accepted(server)
    result = "x" * (64 * 1024 - 2)
    await told(server, "complete", shown, {"result": result})
    assert (await task(server, task_id))["result"] == result
    task_id, shown = await accepted(server)
    details = "x" * (16 * 1024 - 2)
    await told(server, "fail", shown, {"details": details})
    assert (await task(server, task_id))["last_error"]["details"] == details


async def test_a_body_that_is_too_large_is_not_read(server):
    _, shown = await accepted(server)
    reply = await server.call("POST", "/completions/complete", b"{" + b" " * 80_000 + b"}", shown)
    assert (reply.status, reply.json["code"]) == (413, "body_too_large")


async def test_whoever_waits_is_answered_when_the_end_is_told(server):
    task_id, shown = await accepted(server)
    with server.service.tasks._engine.waiters.joined(task_id) as over:
        await told(server, "heartbeat", shown)
        assert not over.is_set()
        await told(server, "complete", shown)
        assert over.is_set()


async def test_the_ends_that_are_told_are_counted_once(server):
    telemetry = server.service.tasks._engine.telemetry
    _, shown = await accepted(server)
    await told(server, "complete", shown)
    _, shown = await accepted(server)
    await told(server, "fail", shown, {"retry": False})
    _, _, shown = await begun(server)
    await told(server, "fail", shown)
    assert (telemetry.done, telemetry.failed, telemetry.retried) == (1, 1, 1)


async def test_the_claim_of_another_attempt_is_of_no_use(server):
    task_id, attempt, shown = await begun(server)
    await server.store.give_back(Claim(attempt.task_id, attempt.fence))
    (again,) = await claim(server)
    assert again.number == attempt.number
    await refused(server, "complete", shown, "completion_late")
    assert (await task(server, task_id))["state"] == "in_progress"
