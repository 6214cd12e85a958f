"""Changing tasks, through the API."""

import asyncio

import pytest
from fates import DONE, NEAR, OVERLOADED, SOON, claim, destination_of, end, failed_task, run, webhook
from rest_server import JSON, running

from tasker.api.new_task import NewTaskDecoder
from tasker.api.patches import PatchDecoder
from tasker.callers import Caller, Scope

pytestmark = pytest.mark.anyio

LATEST = "2027-01-15T09:00:20+01:00"


async def patch(server, task_id, members, type_="webhook", **headers):
    return await server.call("PATCH", f"/tasks/{task_id}", {type_: members}, headers)


async def get(server, task_id):
    return await server.call("GET", f"/tasks/{task_id}")


async def test_a_change_is_answered_with_the_task_as_it_is_read(server):
    task_id = await server.new(webhook(tags=["a"], timeout=5))
    before = (await get(server, task_id)).json["webhook"]

    reply = await patch(server, task_id, {"body": "new", "timeout": None, "execution_time": LATEST})

    read = await get(server, task_id)
    assert (reply.status, reply.json, reply.headers["etag"]) == (200, read.json, read.headers["etag"])
    expected = {name: value for name, value in before.items() if name != "timeout"}
    assert reply.json == {"webhook": expected | {"body": "new", "execution_time": LATEST}}
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["cache-control"] == "no-store"


async def test_it_runs_in_its_new_form_at_its_new_time(server):
    task_id = await server.new(webhook())
    await patch(server, task_id, {"json": {"n": 1}, "execution_time": LATEST})
    await server.clock.step(NEAR)
    assert not await claim(server)
    await server.clock.step(NEAR)
    (attempt,) = await claim(server)
    assert attempt.payload == b'{"url":"http://localhost:9000/hook","json":{"n": 1}}'


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "Application/JSON; charset=utf-8"])
async def test_a_patch_may_be_declared_as_what_it_is(server, media_type):
    task_id = await server.new(webhook())
    reply = await patch(server, task_id, {"delay": 1}, **{"content-type": media_type})
    assert reply.status == 200


async def test_a_patch_that_is_declared_as_something_else_or_not_is_refused(server):
    task_id = await server.new(webhook())
    for media_type in ("text/plain", "application/json-patch+json", None):
        assert "application/merge-patch+json" in await server.refused(
            "PATCH", f"/tasks/{task_id}", {"webhook": {}}, {"content-type": media_type}, status=415
        )
    body = {"webhook": {}}
    merge_patch = {"content-type": "application/merge-patch+json"}
    await server.refused("POST", "/tasks/new", body, merge_patch, status=415)


async def test_a_path_says_that_it_takes_a_patch(server):
    task_id = await server.new(webhook())
    reply = await server.call("PUT", f"/tasks/{task_id}", {}, JSON)
    assert (reply.status, reply.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH")


async def test_a_task_is_changed_by_its_key(server):
    task_id = await server.new(webhook(key="order/17"))
    reply = await server.call("PATCH", "/tasks/key/order%2F17", {"webhook": {"body": "new"}}, {"if-match": '"0"'})
    assert (reply.status, reply.json) == (200, (await get(server, task_id)).json)
    assert (reply.json["webhook"]["key"], reply.json["webhook"]["body"]) == ("order/17", "new")
    await server.call("POST", f"/tasks/{task_id}/cancel")
    assert (await server.call("PATCH", "/tasks/key/order%2F17", {"webhook": {}})).status == 404, "nobody holds it"


async def test_what_changes_nothing_is_answered_and_leaves_the_etag(server):
    task_id = await server.new(webhook(headers={"x": "y"}))
    first = await get(server, task_id)
    for members in ({}, {"body": "x", "execution_time": SOON}, {"headers": {"X": None, "x": "y"}}):
        reply = await patch(server, task_id, members)
        assert (reply.status, reply.headers["etag"], reply.json) == (200, first.headers["etag"], first.json)


async def test_everything_that_a_request_can_say_can_be_changed_and_removed(server):
    task_id = await server.new(webhook())
    members = {
        "url": "https://example.org/x",
        "method": "PUT",
        "headers": {"x-key": "v"},
        "json": [1],
        "retry": "standard",
        "timeout": 7.0,
        "success": ["2xx"],
        "expires_at": "2027-02-15T09:00:20.000000Z",
        "on_success": "https://example.org/done",
        "on_failure": {"url": "https://example.org/failed", "retry": {"max_attempts": 2}},
        "on_cancel": "https://example.org/cancelled",
        "tags": ["a", "b"],
        "keep": "7d",
    }
    shown = (await patch(server, task_id, members)).json["webhook"]
    assert {name: shown[name] for name in members} == members
    assert "body" not in shown
    removed = {name: None for name in members if name not in ("url", "json")} | {"body": "x", "headers": {}}
    shown = (await patch(server, task_id, removed)).json["webhook"]
    assert {name for name in members if name in shown} == {"url", "headers"}


async def test_an_unknown_task_is_not_found(server):
    for task_id in ("019bbade-01c6-7d11-821f-bc1538901f12", "no-id"):
        reply = await patch(server, task_id, {"delay": 1})
        assert (reply.status, reply.json["code"]) == (404, "task_not_found")


async def test_what_cannot_be_is_refused_with_its_place_and_nothing_is_changed(server):
    task_id = await server.new(webhook(headers={"x-key": "s3cret"}))
    first = await get(server, task_id)
    for body, status, code, field in (
        ({"webhook": {"timeout": 0}}, 400, "invalid_task", "webhook.timeout"),
        ({"webhook": {"id": task_id}}, 400, "invalid_task", "webhook.id"),
        ({"webhook": {"statee": 1}}, 400, "invalid_task", "webhook.statee"),
        ({"hash": {"secret": "x"}}, 400, "invalid_task", "hash"),
        ({"delay": 1}, 400, "invalid_task", None),
        (b"{", 400, "invalid_task", None),
        ({"webhook": {"headers": {"x-key": "***"}}}, 400, "masked_value", "webhook.headers.x-key"),
        ({"webhook": {"url": "http://evil.example/"}}, 409, "headers_needed", "webhook.headers"),
    ):
        reply = await server.call("PATCH", f"/tasks/{task_id}", body)
        assert (reply.status, reply.json["code"], reply.json.get("field")) == (status, code, field)
        assert b"s3cret" not in reply.body
    last = await get(server, task_id)
    assert (last.json, last.headers["etag"]) == (first.json, first.headers["etag"])


# States


async def test_a_task_that_failed_is_mended_and_run_again(server):
    task_id = await failed_task(server)
    reply = await patch(server, task_id, {"url": "http://localhost:9001/hook"})
    assert (reply.status, reply.json["webhook"]["state"]) == (200, "failed")
    refused = await patch(server, task_id, {"delay": "1d"})
    assert (refused.status, refused.json["code"]) == (409, "task_not_todo")
    await server.call("POST", f"/tasks/{task_id}/retry")
    (attempt,) = await claim(server)
    assert b"9001" in attempt.payload
    assert (await destination_of(server, task_id))["name"] == "http://localhost:9001"


async def test_a_cancelled_task_can_be_changed_and_stays_cancelled(server):
    task_id = await server.new(webhook())
    await server.call("POST", f"/tasks/{task_id}/cancel")
    reply = await patch(server, task_id, {"body": "new"})
    assert (reply.status, reply.json["webhook"]["state"]) == (200, "cancelled")
    await server.clock.step(NEAR)
    assert not await claim(server)


async def test_the_end_of_a_task_is_told_where_the_change_says(server):
    task_id = await server.new(webhook(on_cancel="http://old.example/"))
    await patch(server, task_id, {"on_cancel": {"url": "http://new.example/", "method": "PUT"}})
    await server.call("POST", f"/tasks/{task_id}/cancel")
    (told,) = (await server.call("GET", "/tasks/state/todo")).json
    assert (told["webhook"]["url"], told["webhook"]["method"]) == ("http://new.example/", "PUT")


async def test_a_running_task_and_one_that_is_done_are_not_changed(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    (attempt,) = await claim(server)
    reply = await patch(server, task_id, {"body": "new"})
    assert (reply.status, reply.json["code"]) == (409, "task_running")
    await end(server, attempt, DONE)
    reply = await patch(server, task_id, {"body": "new"})
    assert (reply.status, reply.json["code"]) == (409, "task_ended")
    assert "is done" in reply.json["msg"]


async def test_a_retry_that_is_waited_for_is_postponed_and_execution_time_stays(server):
    task_id = await server.new(webhook(retry={"initial_delay": 5}))
    await server.clock.step(NEAR)
    await run(server, OVERLOADED)
    reply = await patch(server, task_id, {"delay": 60})
    assert (reply.status, reply.json["webhook"]["execution_time"]) == (200, SOON)
    explained = (await server.call("GET", f"/tasks/{task_id}/explain")).json
    assert (explained["due_in_seconds"], explained["reason"]) == (60, "retrying")
    await server.clock.step(59.999999)
    assert not await claim(server)
    await server.clock.step(0.000001)
    assert len(await claim(server)) == 1


async def test_a_change_moves_a_task_out_of_what_its_destination_holds(server):
    task_id = await server.new(webhook())
    destination = (await destination_of(server, task_id))["id"]
    await server.call("POST", f"/destinations/{destination}/pause")
    await server.clock.step(NEAR)
    assert not await claim(server)
    held = (await server.call("GET", f"/destinations/{destination}")).json["held"]
    await patch(server, task_id, {"url": "http://localhost:9001/hook"})
    left = (await server.call("GET", f"/destinations/{destination}")).json["held"]
    assert (held, left) == (1, 0)
    (attempt,) = await claim(server)
    assert b"9001" in attempt.payload


async def test_a_task_moves_into_a_group_and_out_of_it(server):
    task_id = await server.new(webhook())
    group = (await server.call("POST", "/destinations", {"group": "g"})).json["id"]
    await server.call("POST", f"/destinations/{group}/pause")
    assert (await patch(server, task_id, {"group": "g"})).json["webhook"]["group"] == "g"
    assert (await destination_of(server, task_id))["id"] == group
    await server.clock.step(NEAR)
    for _ in range(2):
        assert not await claim(server)

    reply = await patch(server, task_id, {"group": None})

    assert "group" not in reply.json["webhook"]
    assert (await destination_of(server, task_id))["name"] == "http://localhost:9000"
    assert [attempt.task_id for attempt in await claim(server)] == [task_id]


# If-Match


async def test_if_match_takes_either_spelling_a_list_and_a_star(server):
    task_id = await server.new(webhook())
    for revision, value in enumerate(('"{}"', '"{}-masked"', '"x", "{}"', ',"{}" ,W/"9"', "*", " * ")):
        tag = value.format(revision)
        reply = await patch(server, task_id, {"body": f"body {value}"}, **{"if-match": tag})
        assert reply.status == 200, tag
        assert reply.headers["etag"] == f'"{revision + 1}"'


async def test_if_match_of_something_else_changes_nothing(server):
    task_id = await server.new(webhook())
    await patch(server, task_id, {"body": "1"})
    for tag in ('"0"', '"2"', 'W/"1"', '"01"', '"1-other"', '"masked"', '"1-masked-masked"', '""', '"0", W/"1"'):
        reply = await patch(server, task_id, {"body": "2"}, **{"if-match": tag})
        assert (reply.status, reply.json["code"]) == (412, "revision_passed"), tag
    assert (await get(server, task_id)).json["webhook"]["body"] == "1"
    assert (await patch(server, task_id, {}, **{"if-match": '"0"'})).status == 412, "also if nothing would change"


@pytest.mark.parametrize("value", ["1", "", "1,2", '"1" "2"', '"1', "*, *", 'w/"1"', "\xff"])
async def test_if_match_of_another_form_is_refused(server, value):
    task_id = await server.new(webhook())
    reply = await patch(server, task_id, {"body": "1"}, **{"if-match": value})
    assert (reply.status, reply.json["field"]) == (400, "If-Match")


async def test_of_many_that_name_one_revision_one_changes_the_task(server):
    task_id = await server.new(webhook())
    changes = [patch(server, task_id, {"body": str(number)}, **{"if-match": '"0"'}) for number in range(8)]
    replies = await asyncio.gather(*changes)
    assert sorted(reply.status for reply in replies) == [200] + [412] * 7
    won = next(reply for reply in replies if reply.status == 200)
    assert (await get(server, task_id)).json == won.json


async def test_changes_at_once_are_all_made(server):
    task_id = await server.new(webhook())
    changes = [patch(server, task_id, {"headers": {f"x-{number}": "v"}}) for number in range(12)]
    replies = await asyncio.gather(*changes)
    assert {reply.status for reply in replies} == {200}
    assert sorted(reply.headers["etag"] for reply in replies) == sorted(f'"{number}"' for number in range(1, 13))
    assert len((await get(server, task_id)).json["webhook"]["headers"]) == 12


async def test_who_may_not_see_secrets_gets_none_for_changing():
    async with running() as server:
        task_id = await server.new(webhook(headers={"x-key": "s3cret"}, url="http://me:s3cret@localhost/"))
        task = await server.service.tasks.change(
            Caller(frozenset({Scope.TASKS_WRITE})),
            task_id,
            PatchDecoder(server.registry).decode(b'{"webhook": {"headers": {"x-new": "n3w"}, "body": "y"}}'),
            decode=NewTaskDecoder(server.registry).decode,
        )
        assert (b"s3cret" in task.payload, b"n3w" in task.payload, b'"x-key":"***"' in task.payload) == (
            False,
            False,
            True,
        )
        assert (await get(server, task_id)).json["webhook"]["headers"] == {"x-key": "s3cret", "x-new": "n3w"}


# A claim at the same time


HELD_UP = """
    CREATE OR REPLACE FUNCTION tasker_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      IF current_query() LIKE '%FOR NO KEY UPDATE SKIP LOCKED%' THEN
        PERFORM pg_advisory_xact_lock_shared(4711);
      END IF;
      RETURN (SELECT now FROM test_clock);
    END $$
"""
"""The clock waits for a lock, once a statement has its snapshot and before it locks a row."""


@pytest.mark.parametrize("on_store", ["postgres"], indirect=True)
async def test_a_claim_that_began_before_a_change_was_answered_takes_the_new_form(server):
    connection = server.clock.connection
    task_id = await server.new(webhook())
    postponed = await server.new(webhook())
    await server.clock.step(NEAR)
    await connection.execute(HELD_UP)
    await connection.execute("SELECT pg_advisory_lock(4711)")
    claiming = asyncio.ensure_future(claim(server))
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(20):
        while await connection.fetchval(waiting) == 0:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)

    replies = [await patch(server, task_id, {"body": "new"}), await patch(server, postponed, {"delay": 5})]

    await connection.execute("SELECT pg_advisory_unlock(4711)")
    assert [reply.status for reply in replies] == [200, 200]
    assert [(attempt.task_id, b'"body":"new"' in attempt.payload) for attempt in await claiming] == [(task_id, True)]
    assert (await get(server, postponed)).json["webhook"]["state"] == "todo"
