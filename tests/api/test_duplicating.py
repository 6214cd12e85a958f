"""POST /tasks/{id}/duplicate: another task like one that is stored."""

import pytest
from fates import NEAR, failed_task, webhook
from rest_server import HASH, LATER, on_one_store

from tasker.model import instants
from tasker.model.gate import GateKind

pytestmark = pytest.mark.anyio

GIVEN = {
    "url": "http://me:password@localhost:9000/hook?token=1",
    "method": "PUT",
    "headers": {"x-token": "secret"},
    "retry": {"max_attempts": 3, "factor": 2.0},
    "tags": ["a", "b"],
    "group": "shop",
    "keep": "1d",
    "timeout": 5.0,
    "on_failure": {"url": "http://localhost:9000/failed", "headers": {"x-key": "secret"}},
}
ITS_OWN = {"id", "created_at", "execution_time", "key", "state", "attempts", "last_error", "ended_at", "started_at"}


async def shown(server, task_id):
    (task,) = (await server.call("GET", f"/tasks/{task_id}")).json.values()
    return task


def same(task):
    return {name: value for name, value in task.items() if name not in ITS_OWN}


async def duplicate(server, task_id, body=None, headers=None):
    return await server.call("POST", f"/tasks/{task_id}/duplicate", body or {"delay": "1h"}, headers)


async def test_the_copy_has_all_that_the_task_was_given_and_not_its_key(server):
    old = await server.new(webhook(key="order-17", **GIVEN))
    reply = await duplicate(server, old)
    assert reply.status == 201
    new = reply.json["id"]
    due_at = instants.text(server.clock.now() + 3600 * instants.SECOND)
    assert reply.json == {"id": new, "execution_time": due_at}
    assert reply.headers["location"] == f"/tasks/{new}"
    before, after = await shown(server, old), await shown(server, new)
    assert same(after) == same(before)
    assert after["headers"] == GIVEN["headers"], "its secrets, too"
    assert (after["state"], after["execution_time"], after["attempts"]) == ("todo", due_at, 0)
    assert "key" not in after
    assert before["key"] == "order-17"
    found = (await server.call("GET", "/tasks?tag=b&group=shop")).json["tasks"]
    assert {each["webhook"]["id"] for each in found} == {old, new}
    standing = await server.store.standing(new)
    assert [(each.gate.kind, each.gate.name) for each in (standing.gate, standing.host)] == [
        (GateKind.GROUP, "shop"),
        (GateKind.HOST, "http://localhost:9000"),
    ]
    task, other = await server.store.get(old), await server.store.get(new)
    assert (other.payload, other.keep, other.patience) == (task.payload, task.keep, task.patience)


async def test_the_copy_of_a_hash_has_its_secret(server):
    new = (await duplicate(server, await server.new(HASH), {"execution_time": LATER})).json["id"]
    assert await shown(server, new) == {
        **await shown(server, new),
        "secret": HASH["hash"]["secret"],
        "execution_time": LATER,
    }


async def test_what_has_ended_can_be_copied_and_the_copy_is_new(server):
    old = await failed_task(server, key="order-17")
    new = (await duplicate(server, old, {"delay": 0})).json["id"]
    task = await shown(server, new)
    assert (task["state"], task["last_error"], task["attempts"]) == ("todo", None, 0)
    assert (await shown(server, old))["state"] == "failed"


async def test_the_copy_expires_as_long_after_its_time(server):
    now = server.clock.now()
    times = {"execution_time": instants.text(now + 60 * instants.SECOND)}
    old = await server.new(webhook(**times, expires_at=instants.text(now + 90 * instants.SECOND)))
    new = (await duplicate(server, old)).json["id"]
    assert (await shown(server, new))["expires_at"] == instants.text(now + 3630 * instants.SECOND)


async def test_by_key_it_is_the_holder_or_else_the_newest_that_had_it(server):
    old = await failed_task(server, key="order/17")
    soon = instants.text(server.clock.now() + NEAR * instants.SECOND)
    newest = await failed_task(server, key="order/17", execution_time=soon)
    for expected in (newest, old):
        reply = await server.call("POST", "/tasks/key/order%2F17/duplicate", {"delay": "1h"})
        assert reply.status == 201
        row = (await server.call("GET", "/audit?action=duplicate")).json["audit"][0]
        assert (row["subject"], row["changes"]["duplicate"]["after"]) == (expected, reply.json["id"])
        await server.call("POST", f"/tasks/{old}/retry")  # it takes the key back
    refused = await server.call("POST", "/tasks/key/order-18/duplicate", {"delay": "1h"})
    assert (refused.status, refused.json["code"]) == (404, "task_not_found")


async def test_with_an_idempotency_key_one_is_made_however_often_it_is_sent(server):
    old = await server.new(webhook())
    named = {"idempotency-key": "once"}
    first = await duplicate(server, old, headers=named)
    await server.call("DELETE", f"/tasks/{old}")
    again = await duplicate(server, old, headers=named)
    assert (again.status, again.body, again.headers["location"]) == (201, first.body, first.headers["location"])
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await server.call("GET", "/tasks")).json["tasks"]) == 1
    rows = (await server.call("GET", "/audit?action=duplicate")).json["audit"]
    assert [(row["subject"], row["changes"]) for row in rows] == [(old, {"duplicate": {"after": first.json["id"]}})]


@on_one_store
@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "execution_time", "it is missing; or delay, or local_time, in its place"),
        ({"delay": 1, "execution_time": LATER}, "delay", "expected delay or execution_time, got both"),
        ({"delay": "soon"}, "delay", "expected"),
        ({"execution_time": "2020-01-01T00:00:00Z"}, "execution_time", "expected a time in the future"),
        ({"execution_time": "tomorrow"}, "execution_time", "expected"),
        ({"delay": 1, "key": "x"}, "key", "unknown"),
    ],
)
async def test_what_it_cannot_use_is_refused(server, body, field, says):
    old = await server.new(webhook())
    reply = await server.call("POST", f"/tasks/{old}/duplicate", body)
    assert (reply.status, reply.json["code"]) == (400, "invalid_request")
    assert reply.json["field"] == field
    assert says in reply.json["msg"]
    assert len((await server.call("GET", "/tasks")).json["tasks"]) == 1


async def test_what_is_not_there_cannot_be_copied(server):
    for path in ("01a20f63-2f5b-7bd0-a33e-6c8a3d0a1c52", "x"):
        reply = await duplicate(server, path)
        assert (reply.status, reply.json["code"]) == (404, "task_not_found")
