"""Why a task is where it is."""

import pytest
from fates import DONE, NEAR, OVERLOADED, REFUSED, claim, destination_of, end, failed_task, run, webhook

from tasker.model.circuit import FIRST_WAIT, THRESHOLD
from tasker.model.task import Pool

pytestmark = pytest.mark.anyio

ORIGIN = "http://localhost:9000"


async def explained(server, task_id):
    reply = await server.call("GET", f"/tasks/{task_id}/explain")
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    return reply.json


async def broken_destination(server):
    """Tasks of a destination whose circuit has just opened; the id of one that is due."""
    for _ in range(THRESHOLD):
        await server.new(webhook(retry={"max_attempts": 1}))
    await server.clock.step(NEAR)
    assert await run(server, REFUSED) == THRESHOLD
    task_id = await server.new(webhook(execution_time="2027-01-15T08:00:10.5Z"))
    await server.clock.step(0.5)
    return task_id


async def test_a_task_waits_while_its_destination_is_let_in_again(server):
    await broken_destination(server)
    task_ids = [await server.new(webhook(execution_time="2027-01-15T08:00:11Z")) for _ in range(2)]
    await server.clock.step(FIRST_WAIT.total_seconds())
    assert await run(server, DONE) == 1
    (attempt,) = await claim(server)
    assert attempt.task_id == task_ids[0]

    answer = await explained(server, task_ids[1])

    assert (answer["reason"], answer["destination"]["circuit"]["state"]) == ("full", "recovering")
    assert answer["msg"].startswith(f"the destination {ORIGIN} answers again and is let in by doubling")


async def test_a_task_waits_for_its_time(server):
    task_id = await server.new(webhook())

    assert await explained(server, task_id) == {
        "id": task_id,
        "state": "todo",
        "reason": "waiting",
        "msg": "it waits for its time: 2027-01-15T08:00:10.000000Z, in 10.000 s",
        "next_attempt": 1,
        "max_attempts": 10,
        "due_at": "2027-01-15T08:00:10.000000Z",
        "due_in_seconds": 10.0,
        "expected_at": None,
        "node": None,
        "running_since": None,
        "last_error": None,
        "destination": {
            "id": 1,
            "name": ORIGIN,
            "kind": "host",
            "paused": False,
            "max_running": None,
            "max_per_second": None,
            "burst": 1,
            "running": 0,
            "held": 0,
            "circuit": {"state": "closed", "failures": 0, "open_until": None},
        },
    }


async def test_a_task_waits_for_its_next_attempt(server):
    task_id = await server.new(webhook(retry={"max_attempts": 5, "initial_delay": 2, "jitter": 0}))
    await server.clock.step(NEAR)
    await run(server, OVERLOADED)

    answer = await explained(server, task_id)

    assert (answer["state"], answer["reason"], answer["next_attempt"], answer["max_attempts"]) == (
        "todo",
        "retrying",
        2,
        5,
    )
    assert answer["due_in_seconds"] == 2.0
    assert answer["last_error"]["code"] == "status_500"
    assert answer["msg"] == "retry 1 of 4 after status_500 comes at 2027-01-15T08:00:12.000000Z, in 2.000 s"


async def test_a_task_is_due_and_a_slot_is_free(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)

    answer = await explained(server, task_id)

    assert (answer["reason"], answer["due_in_seconds"]) == ("due", 0)


async def test_a_task_waits_for_a_slot(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    for _ in range(4):
        server.service.tasks._engine.slots.take(Pool(1))

    assert (await explained(server, task_id))["reason"] == "no_slot"


async def test_a_task_waits_for_a_paused_destination(server):
    task_id = await server.new(webhook())
    await server.call("POST", f"/destinations/{(await destination_of(server, task_id))['id']}/pause")
    assert (await explained(server, task_id))["reason"] == "waiting"
    await server.clock.step(NEAR)
    assert list(await claim(server)) == []
    await server.store.expire()

    answer = await explained(server, task_id)

    assert (answer["state"], answer["reason"]) == ("todo", "paused")
    assert (answer["destination"]["paused"], answer["destination"]["held"]) == (True, 1)
    assert answer["msg"] == f"the destination {ORIGIN} is paused; POST /destinations/1/resume lets it go on"


async def test_a_task_waits_for_a_destination_that_fails(server):
    task_id = await broken_destination(server)

    answer = await explained(server, task_id)

    assert answer["reason"] == "circuit_open"
    assert answer["destination"]["circuit"] == {
        "state": "open",
        "failures": THRESHOLD,
        "open_until": "2027-01-15T08:00:15.000000Z",
    }
    assert f"has failed {THRESHOLD} times in a row" in answer["msg"]
    assert "2027-01-15T08:00:15.000000Z" in answer["msg"]


async def test_a_task_waits_while_its_destination_is_tried(server):
    task_id = await broken_destination(server)
    later = await server.new(webhook(execution_time="2027-01-15T08:00:11.000000Z"))
    await server.clock.step(FIRST_WAIT.total_seconds())

    assert [attempt.task_id for attempt in await claim(server)] == [task_id]

    answer = await explained(server, later)
    assert (answer["reason"], answer["destination"]["circuit"]["state"]) == ("circuit_open", "half_open")
    assert "one task at a time" in answer["msg"]


async def test_a_task_waits_for_a_full_destination(server):
    first = await server.new(webhook())
    second = await server.new(webhook())
    await server.call("PATCH", "/destinations/1", {"max_running": 1})
    await server.clock.step(NEAR)

    (attempt,) = await claim(server)

    running, waiting = (first, second) if attempt.task_id == first else (second, first)
    answer = await explained(server, waiting)
    assert (answer["state"], answer["reason"]) == ("todo", "full")
    assert (answer["destination"]["running"], answer["destination"]["held"]) == (1, 1)
    assert (await explained(server, running))["reason"] == "running"


async def test_a_task_waits_for_the_rate_of_its_destination_and_knows_until_when(server):
    tasks = [await server.new(webhook()) for _ in range(4)]
    await server.call("PATCH", "/destinations/1", {"max_per_second": 2})
    await server.clock.step(NEAR)
    assert [attempt.task_id for attempt in await claim(server)] == tasks[:1]

    second, last = await explained(server, tasks[1]), await explained(server, tasks[3])

    assert [each["reason"] for each in (second, last)] == ["rate", "rate"]
    assert [each["expected_at"] for each in (second, last)] == [
        "2027-01-15T08:00:10.500000Z",
        "2027-01-15T08:00:11.500000Z",
    ]
    assert last["msg"] == f"the destination {ORIGIN} lets 2 start in a second; its turn is at {last['expected_at']}"
    for task_id in tasks[1:]:
        await server.clock.step(0.499999)
        assert (await explained(server, task_id))["reason"] == "rate"
        assert list(await claim(server)) == []
        await server.clock.step(0.000001)
        assert [attempt.task_id for attempt in await claim(server)] == [task_id]


async def test_a_task_that_is_run_now_is_told_that_the_rate_or_the_limit_of_its_group_holds_it(server):
    group = (await server.call("POST", "/destinations", {"group": "g", "max_per_second": 1})).json
    await server.new(webhook(group="g"))
    await server.clock.step(NEAR)
    assert len(await claim(server)) == 1
    later = await server.new(webhook(execution_time="2027-01-16T00:00:00Z", group="g"))

    reply = await server.call("POST", f"/tasks/{later}/run")
    assert (reply.status, reply.json["reason"]) == (202, "rate")
    assert reply.json["expected_at"] == "2027-01-15T08:00:11.000000Z"
    assert reply.json["destination"]["id"] == group["id"]

    await server.call("PATCH", f"/destinations/{group['id']}", {"max_running": 1})
    for _ in range(2):
        assert (await server.call("POST", f"/tasks/{later}/run")).json["reason"] == "full"
        assert list(await claim(server)) == []
    assert (await explained(server, later))["reason"] == "full"


async def test_a_task_with_a_group_waits_for_its_host_too_and_says_for_which_of_both(server):
    task_id = await server.new(webhook(group="customer"))
    (host,) = [each for each in (await server.call("GET", "/destinations")).json if each["kind"] == "host"]
    assert (await explained(server, task_id))["destination"]["name"] == "customer"
    await server.call("POST", f"/destinations/{host['id']}/pause")
    await server.clock.step(NEAR)
    assert list(await claim(server)) == []

    answer = await explained(server, task_id)

    assert (answer["reason"], answer["destination"]["name"]) == ("paused", ORIGIN)
    await server.call("POST", f"/destinations/{host['id']}/resume")
    await server.call("POST", f"/destinations/{(await group_of(server))['id']}/pause")
    answer = await explained(server, task_id)
    assert answer["msg"].startswith("the group customer is paused; POST /destinations/")


async def group_of(server):
    return next(each for each in (await server.call("GET", "/destinations")).json if each["kind"] == "group")


async def test_a_running_task_says_where_and_since_when(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    await claim(server)

    answer = await explained(server, task_id)

    node = (await server.call("GET", "/nodes")).json[0]["id"]
    assert (answer["state"], answer["reason"], answer["node"]) == ("in_progress", "running", node)
    assert answer["running_since"] == "2027-01-15T08:00:10.000000Z"
    assert (answer["next_attempt"], answer["due_at"], answer["due_in_seconds"]) == (None, None, None)
    assert node in answer["msg"]


async def test_a_done_task_says_so(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    await run(server, DONE)

    answer = await explained(server, task_id)

    assert (answer["state"], answer["reason"], answer["msg"]) == ("done", "done", "attempt 1 succeeded")
    assert (answer["node"], answer["next_attempt"]) == (None, None)


async def test_a_failed_task_says_why_and_how_to_run_it_again(server):
    task_id = await failed_task(server)

    answer = await explained(server, task_id)

    assert (answer["state"], answer["reason"]) == ("failed", "failed")
    assert answer["msg"] == (
        f"it failed after 1 attempt: status_500, the target answered 500; POST /tasks/{task_id}/retry runs it again"
    )


async def test_a_failed_task_that_cannot_start_any_more_does_not_say_how_to_run_it_again(server):
    task_id = await server.new(webhook(expires_at="2027-01-15T08:00:11Z"))
    await server.clock.step(NEAR + 1)
    assert not await claim(server)
    await server.store.expire()

    answer = await explained(server, task_id)

    assert answer["msg"] == "it failed after 0 attempts: expired, the task could not start before its expires_at"
    assert (await server.call("POST", f"/tasks/{task_id}/retry")).status == 409


async def test_the_number_of_the_retry_counts_from_the_retry_by_hand(server):
    task_id = await server.new(webhook(retry={"max_attempts": 2, "initial_delay": 1, "jitter": 0}))
    await server.clock.step(NEAR)
    for _ in range(2):
        assert await run(server, OVERLOADED) == 1
        await server.clock.step(1)
    await server.call("POST", f"/tasks/{task_id}/retry")
    assert (await explained(server, task_id))["reason"] == "due"
    (attempt,) = await claim(server)
    await end(server, attempt, OVERLOADED)

    answer = await explained(server, task_id)

    assert (answer["next_attempt"], answer["reason"]) == (4, "retrying")
    assert answer["msg"].startswith("retry 1 of 1 after status_500")


async def test_an_explanation_carries_no_secret(server):
    task_id = await server.new(
        webhook(url="http://me:pass-word@localhost:9000/hook?token=tok-en", headers={"x-key": "k-17"}, body="the body")
    )

    reply = await server.call("GET", f"/tasks/{task_id}/explain")

    assert not [word for word in (b"pass-word", b"tok-en", b"k-17", b"the body") if word in reply.body]
