"""Cancelling tasks, and running them before their time."""

import pytest
from fates import DONE, NEAR, OVERLOADED, claim, destination_of, end, failed_task, run, webhook

pytestmark = pytest.mark.anyio


async def get(server, task_id):
    return (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]


async def test_a_waiting_task_is_cancelled_listed_and_can_be_run_again(server):
    task_id = await server.new(webhook())

    reply = await server.call("POST", f"/tasks/{task_id}/cancel")

    assert (reply.status, reply.json) == (200, {"webhook": await get(server, task_id)})
    assert reply.json["webhook"]["state"] == "cancelled"
    assert [task["webhook"]["id"] for task in (await server.call("GET", "/tasks/state/cancelled")).json] == [task_id]
    explained = (await server.call("GET", f"/tasks/{task_id}/explain")).json
    assert explained["msg"] == f"it was cancelled; POST /tasks/{task_id}/retry runs it again"
    assert (await server.call("POST", f"/tasks/{task_id}/cancel")).status == 200
    await server.clock.step(NEAR)
    assert not await claim(server)
    assert (await server.call("POST", f"/tasks/{task_id}/retry")).json["webhook"]["state"] == "todo"
    assert await run(server, DONE) == 1
    reply = await server.call("POST", f"/tasks/{task_id}/cancel")
    assert (reply.status, reply.json["code"]) == (409, "task_ended")


async def test_a_running_task_is_cancelled_when_its_attempt_has_failed(server):
    task_id = await server.new(webhook(on_cancel="http://localhost:9000/end"))
    await server.clock.step(NEAR)
    (attempt,) = await claim(server)

    reply = await server.call("POST", f"/tasks/{task_id}/cancel")

    assert (reply.status, reply.json["webhook"]["state"]) == (202, "in_progress")
    assert "was cancelled" in (await server.call("GET", f"/tasks/{task_id}/explain")).json["msg"]
    await end(server, attempt, OVERLOADED)
    assert (await get(server, task_id))["state"] == "cancelled"


async def test_a_task_runs_before_its_time_when_it_is_told_to(server):
    task_id = await server.new(webhook())
    assert not await claim(server)

    reply = await server.call("POST", f"/tasks/{task_id}/run")

    assert (reply.status, reply.json) == (200, {"webhook": await get(server, task_id)})
    assert reply.json["webhook"]["execution_time"] == "2027-01-15T08:00:00.000000Z"
    (attempt,) = await claim(server)
    await end(server, attempt, OVERLOADED)
    reply = await server.call("POST", f"/tasks/{task_id}/run")
    assert reply.json["webhook"]["execution_time"] == "2027-01-15T08:00:00.000000Z", "it waited for a retry"
    assert [each.number for each in await claim(server)] == [2]
    reply = await server.call("POST", f"/tasks/{task_id}/run")
    assert (reply.status, reply.json["code"]) == (409, "task_not_todo")


async def test_a_gate_holds_what_is_run_and_the_answer_says_so(server):
    task_id = await server.new(webhook())
    destination = (await destination_of(server, task_id))["id"]
    await server.call("POST", f"/destinations/{destination}/pause")

    reply = await server.call("POST", f"/tasks/{task_id}/run")

    assert (reply.status, reply.json["reason"], reply.json["due_in_seconds"]) == (202, "paused", 0)
    assert not await claim(server)


async def test_what_has_failed_is_neither_cancelled_nor_run_now(server):
    task_id = await failed_task(server)
    for call, code in (("cancel", "task_ended"), ("run", "task_not_todo")):
        reply = await server.call("POST", f"/tasks/{task_id}/{call}")
        assert (reply.status, reply.json["code"]) == (409, code)


async def test_what_has_expired_is_not_run(server):
    task_id = await server.new(webhook(expires_at="2027-01-15T08:00:11Z"))
    await server.clock.step(NEAR + 1)
    reply = await server.call("POST", f"/tasks/{task_id}/run")
    assert (reply.status, reply.json["code"]) == (409, "task_expired")


async def test_a_running_task_that_is_done_before_the_answer_is_not_said_to_be_cancelled(server, monkeypatch):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    (attempt,) = await claim(server)
    read = server.store.get

    async def read_once_it_is_done(id_):
        await end(server, attempt, DONE)
        return await read(id_)

    monkeypatch.setattr(server.store, "get", read_once_it_is_done)
    reply = await server.call("POST", f"/tasks/{task_id}/cancel")
    assert (reply.status, reply.json["webhook"]["state"]) == (202, "done")
