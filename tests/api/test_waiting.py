"""``GET /tasks/{id}?wait=``: the answer waits until the task has ended."""

import asyncio
import contextlib
from datetime import timedelta
from urllib.parse import quote

import pytest
import rest_server
from fates import DONE, NEAR, OVERLOADED, REFUSED, failed_task, run, webhook

from polling import holds

pytestmark = pytest.mark.anyio


def waiters_of(server):
    return server.service.tasks._engine.waiters


async def begin(server, path, method="GET", *, waiting=1):
    """Send a request that waits; its connection."""
    connection = await server.connect()
    await connection.send(rest_server.request_bytes(method, path))
    await holds(lambda: waiters_of(server)._count == waiting)
    return connection


@contextlib.asynccontextmanager
async def looking(server):
    """The engine's look at what has ended, without its engine."""
    job = asyncio.ensure_future(server.service.tasks._engine._repeat(waiters_of(server).run_once))
    yield
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


@pytest.mark.parametrize("outcome", [DONE, OVERLOADED])
async def test_it_is_answered_once_the_task_has_ended_as_a_get_would_be(server, outcome):
    task_id = await server.new(webhook(retry={"max_attempts": 1}))
    async with looking(server):
        connection = await begin(server, f"/tasks/{task_id}?wait=60")
        await server.clock.advance(NEAR)
        assert await run(server, outcome) == 1
        await server.clock.advance(1)
        reply = await connection.reply()
    assert reply.json["webhook"]["state"] == ("done" if outcome is DONE else "failed")
    plain = await server.call("GET", f"/tasks/{task_id}")
    assert (reply.body, reply.headers["etag"]) == (plain.body, plain.headers["etag"])
    assert (await connection.request("GET", f"/tasks/{task_id}")).status == 200, "the connection can be used again"
    await connection.close()


async def test_a_failed_attempt_that_is_to_be_retried_is_no_end(server):
    task_id = await server.new(webhook(retry={"max_attempts": 2, "initial_delay": 1000}))
    await server.clock.advance(NEAR)
    async with looking(server):
        connection = await begin(server, f"/tasks/{task_id}?wait=30")
        await run(server, REFUSED)
        await server.clock.advance(29.999999)
        assert waiters_of(server)._count == 1
        await server.clock.advance(0.000001)
        assert (await connection.reply()).json["webhook"]["state"] == "todo"
    await connection.close()


async def test_after_the_time_it_is_answered_as_it_is_and_not_before(server):
    task_id = await server.new()
    connection = await begin(server, f"/tasks/{task_id}?wait=2.5")
    await server.clock.advance(2.499999)
    assert waiters_of(server)._count == 1
    await server.clock.advance(0.000001)
    assert (await connection.reply()).json["hash"]["state"] == "todo"
    await connection.close()


async def test_one_that_has_ended_and_a_wait_of_0_are_answered_at_once(server):
    task_id = await failed_task(server)
    assert (await server.call("GET", f"/tasks/{task_id}?wait=60")).json["webhook"]["state"] == "failed"
    waiting = await server.new()
    connection = await server.connect()
    await connection.send(rest_server.request_bytes("GET", f"/tasks/{waiting}?wait=0"))
    await holds(lambda: server.clock._calls or waiters_of(server)._count == 0)
    await server.clock.advance(0)
    assert (await connection.reply()).json["hash"]["state"] == "todo"
    await connection.close()


async def test_what_a_caller_of_this_node_does_to_the_task_is_told_at_once(server):
    cancelled, deleted = await server.new(), await server.new()
    first = await begin(server, f"/tasks/{cancelled}?wait=60")
    second = await begin(server, f"/tasks/{deleted}?wait=60", waiting=2)
    await server.call("POST", f"/tasks/{cancelled}/cancel")
    assert (await first.reply()).json["hash"]["state"] == "cancelled"
    await server.call("DELETE", f"/tasks/{deleted}")
    reply = await second.reply()
    assert (reply.status, reply.json["code"]) == (404, "task_not_found")
    for connection in (first, second):
        await connection.close()


async def test_the_task_that_holds_a_key_is_waited_for_too(server):
    task_id = await server.new(webhook(key="order-17"))
    connection = await begin(server, "/tasks/key/order-17?wait=60")
    await server.call("POST", "/tasks/key/order-17/cancel")
    task = (await connection.reply()).json["webhook"]
    assert (task["id"], task["state"]) == (task_id, "cancelled")
    await connection.close()


async def test_head_waits_as_get_does(server):
    task_id = await server.new()
    connection = await begin(server, f"/tasks/{task_id}?wait=60", "HEAD")
    await server.call("POST", f"/tasks/{task_id}/cancel")
    reply = await connection.reply(head=True)
    plain = await server.call("HEAD", f"/tasks/{task_id}")
    assert (reply.status, reply.headers["etag"]) == (200, plain.headers["etag"])
    await connection.close()


@pytest.mark.parametrize(
    "wait", ["61", "60.000001", "-1", "1e1", "nan", "inf", "30s", "", " 30", "1.0000001", "\u0663"]
)
async def test_other_waits_are_refused(server, wait):
    task_id = await server.new()
    text = await server.refused("GET", f"/tasks/{task_id}?wait={quote(wait)}")
    assert text.startswith("wait: expected a number of seconds from 0 to 60, got: ")


@pytest.mark.parametrize("wait", ["0", "60", "60.0", "0.5", "00"])
async def test_waits_up_to_a_minute_are_taken(server, wait):
    task_id = await failed_task(server)
    assert (await server.call("GET", f"/tasks/{task_id}?wait={wait}")).status == 200


@pytest.mark.parametrize("task_id", ["01a20f5f-cad1-7ddf-9a84-7874a503bf14", "nonsense"])
async def test_what_does_not_exist_is_not_waited_for(server, task_id):
    assert await server.refused("GET", f"/tasks/{task_id}?wait=60", status=404)


async def test_beyond_the_room_there_is_it_is_answered_at_once(server):
    waiters_of(server)._room = 1
    task_id = await server.new()
    first = await begin(server, f"/tasks/{task_id}?wait=60")
    assert (await server.call("GET", f"/tasks/{task_id}?wait=60")).json["hash"]["state"] == "todo"
    assert waiters_of(server)._count == 1
    await first.close()


@pytest.mark.parametrize("how", ["hang_up", "close"])
async def test_a_caller_who_hangs_up_makes_room(server, how):
    task_id = await server.new()
    connection = await begin(server, f"/tasks/{task_id}?wait=60")
    if how == "hang_up":
        connection.hang_up()
    else:
        await connection.close()
    await holds(lambda: waiters_of(server)._count == 0)
    assert (await server.call("GET", f"/tasks/{task_id}")).status == 200


async def test_a_caller_who_ends_its_side_is_answered_then(server):
    task_id = await server.new()
    connection = await begin(server, f"/tasks/{task_id}?wait=60")
    connection.end_sending()
    reply = await connection.reply()
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    await connection.close()


async def test_a_caller_who_has_ended_its_side_before_is_answered_at_once(server):
    task_id = await server.new()
    connection = await server.connect()
    await connection.send(rest_server.request_bytes("GET", f"/tasks/{task_id}?wait=60"))
    connection.end_sending()
    assert (await connection.reply()).status == 200
    await connection.close()


async def test_requests_behind_one_that_waits_are_answered_after_it(server):
    task_id = await server.new()
    path = f"/tasks/{task_id}"
    connection = await begin(server, f"{path}?wait=60")
    await connection.send(rest_server.request_bytes("GET", path))
    await server.call("POST", f"{path}/cancel")
    assert [(await connection.reply()).json["hash"]["state"] for _ in range(2)] == ["cancelled"] * 2
    await connection.close()


async def test_a_drain_answers_all_who_wait(server):
    task_id = await server.new()
    connection = await begin(server, f"/tasks/{task_id}?wait=60")
    await server.service.tasks._engine.drain(timedelta(0))
    assert (await connection.reply()).json["hash"]["state"] == "todo"
    await connection.close()
