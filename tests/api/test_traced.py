"""A task keeps the trace of the request that creates it."""

import pytest
from fates import webhook
from rest_server import HASH

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = f"00-{TRACE}-b7ad6b7169203331-01"
OTHER = f"00-{TRACE}-00f067aa0ba902b7-00"
IN_IT = {"traceparent": GIVEN}


async def traceparent(server, task_id):
    (task,) = (await server.call("GET", f"/tasks/{task_id}")).json.values()
    return task.get("traceparent")


@pytest.mark.parametrize("body", [webhook(), HASH, webhook(key="order-17")])
async def test_a_task_keeps_the_traceparent_of_its_request(server, body):
    reply = await server.call("POST", "/tasks/new", body, IN_IT)
    assert reply.status == 201
    assert await traceparent(server, reply.json["id"]) == GIVEN


async def test_with_an_idempotency_key_too(server):
    named = {"idempotency-key": "once"}
    first = await server.call("POST", "/tasks/new", webhook(), {**IN_IT, **named})
    again = await server.call("POST", "/tasks/new", webhook(), {"traceparent": OTHER, **named})
    assert again.json == first.json
    assert await traceparent(server, first.json["id"]) == GIVEN


@pytest.mark.parametrize("value", ["", "00", f"ff{GIVEN[2:]}", GIVEN.upper(), f"{GIVEN}-more"])
async def test_one_that_is_none_is_ignored(server, value):
    reply = await server.call("POST", "/tasks/new", webhook(), {"traceparent": value})
    assert reply.status == 201
    assert await traceparent(server, reply.json["id"]) is None


async def test_a_task_may_name_it_itself_and_then_a_wrong_one_is_refused(server):
    reply = await server.call("POST", "/tasks/new", webhook(traceparent=OTHER), IN_IT)
    assert await traceparent(server, reply.json["id"]) == OTHER
    problem = (await server.call("POST", "/tasks/new", webhook(traceparent="00-1-2-3"))).json
    assert (problem["status"], problem["field"]) == (400, "webhook.traceparent")
    assert "expected a traceparent as W3C Trace Context says" in problem["msg"]


async def test_all_tasks_of_a_batch_are_in_the_trace_but_those_that_name_another(server):
    reply = await server.call("POST", "/tasks/batch", [webhook(), webhook(traceparent=OTHER)], IN_IT)
    kept = [await traceparent(server, each["id"]) for each in reply.json["tasks"]]
    assert kept == [GIVEN, OTHER]


async def test_a_copy_is_in_the_trace_of_its_own_request(server):
    old = await server.new(webhook(traceparent=OTHER))
    for headers, kept in ((IN_IT, GIVEN), ({}, None)):
        reply = await server.call("POST", f"/tasks/{old}/duplicate", {"delay": "1h"}, headers)
        assert await traceparent(server, reply.json["id"]) == kept
    assert await traceparent(server, old) == OTHER


async def test_a_task_of_a_request_without_one_is_stored_without_a_byte_of_it(server):
    task = await server.store.get(await server.new(webhook()))
    assert b"trace" not in task.payload
