"""GET /stats/history and GET /failures."""

import pytest
from fates import NEAR, OVERLOADED, REFUSED, claim, end, failed_task, webhook, worked

from tasker.model import instants
from tasker.model.fingerprint import fingerprint_of
from tasker.model.history import HOUR, MINUTE
from tasker.model.task import Fault

pytestmark = pytest.mark.anyio


async def asked(server, path):
    reply = await server.call("GET", path)
    assert reply.status == 200, reply
    assert reply.headers["cache-control"] == "no-store"
    return reply.json


async def test_what_was_created_is_counted_in_its_step(server):
    await server.new(webhook())
    await server.new()
    answered = await asked(server, "/stats/history")
    assert answered["step_seconds"] == 3_600
    assert answered["lateness_bounds_seconds"][0] == 0.0001
    assert answered["lateness_bounds_seconds"][-1] == 3_600
    assert answered["destinations"] == []
    *others, last = answered["steps"]
    assert instants.parse(last["from"]) == server.clock.now() // HOUR * HOUR
    assert last["created"] == {"webhook": 1, "hash": 1}
    assert all(step == {**step, "created": {}, "attempts": {}, "lateness": {}, "destinations": {}} for step in others)
    minutes = await asked(server, f"/stats/history?step=1m&from={instants.text(server.clock.now() - 5 * MINUTE)}")
    assert [step["created"] for step in minutes["steps"] if step["created"]] == [{"webhook": 1, "hash": 1}]


async def test_the_span_goes_back_no_further_than_what_is_kept_allows(server):
    old = instants.text(server.clock.now() - 49 * HOUR)
    msg = await server.refused("GET", f"/stats/history?from={old}&step=5m")
    assert msg == "step: expected 1h or a multiple of it from 2 days ago back, got: '5m'"
    answered = await asked(server, f"/stats/history?from={old}")
    assert answered["step_seconds"] == 3_600
    msg = await server.refused("GET", "/stats/history?step=90s")
    assert msg == "step: expected 1m or a multiple of it, got: '90s'"
    assert (await server.refused("GET", "/stats/history?from=9999-01-01T00:00:00Z")).startswith(
        "from: expected an earlier time than to, which, if it is not given, is "
    )


async def test_nothing_has_failed_where_nothing_has(server):
    answered = await asked(server, "/failures")
    assert (answered["failures"], answered["others"]) == ([], 0)


def attempts_fail(server, task_id, *, count=1, msg="the target answered 500", at=0):
    """As if an engine had made attempts."""
    failures = server.service.statistics._engine.telemetry.failures
    fault = Fault("status_500", msg, fingerprint_of("webhook", "status_500", 500, msg))
    for _ in range(count):
        failures.attempt_failed(task_id, "webhook", fault, status=500, at=server.clock.now() - at)


async def test_what_failed_is_shown_in_groups_and_its_tasks_are_found(server):
    failed = await failed_task(server)
    task = (await server.call("GET", f"/tasks/{failed}")).json["webhook"]
    fingerprint = task["last_error"]["fingerprint"]
    await server.clock.step(3_600)
    attempts_fail(server, failed, count=2, at=5 * MINUTE)
    attempts_fail(server, failed, msg="another 17", at=MINUTE)
    server.service.statistics._engine.telemetry.failures.ended("expired", "too late", 1, at=server.clock.now())
    answered = await asked(server, "/failures")
    first, second, third = answered["failures"]
    assert first == {
        "fingerprint": fingerprint,
        "type": "webhook",
        "code": "status_500",
        "status": 500,
        "msg": "the target answered #",
        "count": 2,
        "first_at": instants.text(server.clock.now() - 5 * MINUTE),
        "last_at": instants.text(server.clock.now() - 5 * MINUTE),
        "example": {"id": failed, "msg": "the target answered 500"},
    }
    assert (third["msg"], third["example"]["msg"]) == ("another #", "another 17")
    assert second == {**second, "fingerprint": None, "type": None, "code": "expired", "status": None, "example": None}
    for word, ids in ((fingerprint, [failed]), ("0" * 16, [])):
        found = (await asked(server, f"/tasks?fingerprint={word}&state=failed"))["tasks"]
        assert [each["webhook"]["id"] for each in found] == ids
    attempt = (await asked(server, f"/tasks/{failed}/attempts"))[0]
    assert attempt["error"]["fingerprint"] == fingerprint


async def test_an_operation_retries_what_failed_alike(server):
    ids = [await server.new(webhook(retry={"max_attempts": 1})) for _ in range(2)]
    await server.clock.step(NEAR)
    attempts = {each.task_id: each for each in await claim(server)}
    await end(server, attempts[ids[0]], OVERLOADED)
    await end(server, attempts[ids[1]], REFUSED)
    fingerprint = (await server.call("GET", f"/tasks/{ids[0]}")).json["webhook"]["last_error"]["fingerprint"]
    await server.clock.step(1)
    body = {"action": "retry", "filter": {"fingerprint": fingerprint, "state": "failed"}}
    reply = await server.call("POST", "/operations", body)
    assert (reply.status, reply.json["filter"]["fingerprint"]) == (202, [fingerprint])
    await worked(server)
    states = [(await server.call("GET", f"/tasks/{each}")).json["webhook"]["state"] for each in ids]
    assert states == ["todo", "failed"]


async def test_a_fingerprint_that_is_none_is_refused(server):
    msg = "fingerprint: expected 16 of the characters 0-9 and a-f, as GET /failures shows them, got: 'ABC'"
    assert await server.refused("GET", "/tasks?fingerprint=ABC") == msg


async def test_minutes_at_the_ends_of_a_span_and_hours_between_them_count_each_failure_once(server):
    start = server.clock.now()
    attempts_fail(server, "t")
    await server.service.statistics.failures(0, 1)
    for _ in range(3 * 60):
        await server.clock.step(60)
        attempts_fail(server, "t")
        await server.service.statistics._engine.history.write()
    now = server.clock.now()
    assert now == start + 3 * HOUR

    async def count(first, until):
        found = await server.service.statistics.failures(first, until)
        return found.first - start, found.until - start, sum(group.count for group in found.groups)

    whole = await count(start, now + MINUTE)
    assert whole == (0, 3 * HOUR + MINUTE, 181)
    assert await count(start + 30 * MINUTE + 1, now - 1) == (30 * MINUTE, 3 * HOUR, 150)
    assert await count(start + 5 * MINUTE, start + 6 * MINUTE) == (5 * MINUTE, 6 * MINUTE, 1)
    parts = [await count(start + at * MINUTE, start + (at + 7) * MINUTE) for at in range(0, 182, 7)]
    assert sum(counted for *_, counted in parts) == 181


async def test_of_older_times_full_hours_are_told(server):
    attempts_fail(server, "t", count=3)
    start = server.clock.now()
    await server.service.statistics.failures(0, 1)
    await server.clock.step(50 * 3_600)
    answered = await asked(
        server, f"/failures?from={instants.text(start + MINUTE)}&to={instants.text(start + 2 * MINUTE)}"
    )
    assert (answered["from"], answered["to"]) == (instants.text(start), instants.text(start + HOUR))
    assert answered["failures"][0]["count"] == 3


async def test_the_smallest_of_many_groups_are_counted_together(server):
    failures = server.service.statistics._engine.telemetry.failures
    for number in range(150):
        fault = Fault("x", "y", f"{number:016x}")
        for _ in range(1 + (number < 60)):
            failures.attempt_failed("t", "webhook", fault, status=None, at=server.clock.now())
    answered = await asked(server, "/failures")
    assert len(answered["failures"]) == 100
    assert [group["count"] for group in answered["failures"]] == [2] * 60 + [1] * 40
    assert answered["others"] == 50
