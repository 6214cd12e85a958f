"""Running failed tasks again, and what is kept of their attempts."""

import pytest
from fates import DONE, NEAR, OVERLOADED, REFUSED, claim, failed_task, run, webhook
from rest_server import JSON, request_bytes

pytestmark = pytest.mark.anyio

NOBODY = "019bbade-01c6-7d11-821f-bc1538901f12"


async def test_a_failed_task_runs_again_at_once_when_it_is_told_to(server):
    task_id = await failed_task(server, headers={"x-key": "k-17"})

    reply = await server.call("POST", f"/tasks/{task_id}/retry")

    task = reply.json["webhook"]
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json == (await server.call("GET", f"/tasks/{task_id}")).json
    assert (task["id"], task["state"], task["attempts"], task["ended_at"]) == (task_id, "todo", 1, None)
    assert task["last_error"]["code"] == "status_500"
    assert [attempt.task_id for attempt in await claim(server)] == [task_id]


async def test_after_a_retry_by_hand_attempts_count_on_and_the_policy_anew(server):
    task_id = await server.new(webhook(retry={"max_attempts": 2, "initial_delay": 0}))
    await server.clock.step(NEAR)
    for _ in range(2):
        assert await run(server, REFUSED) == 1
    assert await run(server, REFUSED) == 0

    await server.call("POST", f"/tasks/{task_id}/retry")
    for _ in range(2):
        assert await run(server, REFUSED) == 1

    task = (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]
    assert (task["state"], task["attempts"]) == ("failed", 4)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (None, {}),
        (None, JSON),
        (b"", JSON),
        (b"{}", {}),
        (b" {\r\n\t} ", {}),
        (b"", {"content-type": None}),
    ],
    ids=str,
)
async def test_a_retry_needs_no_body_and_no_declaration_of_one(server, body, headers):
    task_id = await failed_task(server)

    assert (await server.call("POST", f"/tasks/{task_id}/retry", body, headers)).status == 200


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b'{"a":1}', b"{}{}", b"\xff", b"x", b"[" * 5_000])
async def test_a_retry_with_something_to_say_is_refused(server, body):
    task_id = await failed_task(server)

    text = await server.refused("POST", f"/tasks/{task_id}/retry", body)

    assert text == "expected no body, or an empty object: this call takes nothing"
    assert (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]["state"] == "failed"


async def test_a_retry_with_too_long_a_body_is_refused(server):
    connection = await server.connect()
    await connection.send(
        f"POST /tasks/{NOBODY}/retry HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    )
    await connection.send(
        "transfer-encoding: chunked\r\n\r\n" + ("20000\r\n" + " " * 0x20000 + "\r\n") * 9 + "0\r\n\r\n"
    )
    reply = await connection.reply()

    assert (reply.status, reply.json["code"]) == (413, "body_too_large")
    await connection.close()


@pytest.mark.parametrize("state", ["todo", "in_progress", "done"])
async def test_a_task_that_has_not_failed_is_not_run_again(server, state):
    task_id = await server.new(webhook())
    if state != "todo":
        await server.clock.step(NEAR)
        await (run(server, DONE) if state == "done" else claim(server))

    reply = await server.call("POST", f"/tasks/{task_id}/retry")

    assert (reply.status, reply.json["code"]) == (409, "task_not_failed")
    assert f"is {state}" in reply.json["msg"]


async def test_a_task_whose_time_is_over_is_not_run_again(server):
    task_id = await failed_task(server, expires_at="2027-01-15T08:00:20Z")
    await server.clock.step(9.999999)
    assert (await server.call("POST", f"/tasks/{task_id}/retry")).status == 200
    await run(server, OVERLOADED)
    await server.clock.step(0.000001)

    reply = await server.call("POST", f"/tasks/{task_id}/retry")

    assert (reply.status, reply.json["code"]) == (409, "task_expired")
    assert "create a new task" in reply.json["msg"]


async def test_the_attempts_of_a_task_are_listed_oldest_first(server):
    task_id = await server.new(webhook(retry={"initial_delay": 2, "jitter": 0}))
    await server.clock.step(NEAR)
    await run(server, REFUSED)
    await server.clock.step(2.5)
    await run(server, OVERLOADED)

    reply = await server.call("GET", f"/tasks/{task_id}/attempts")

    node = (await server.call("GET", "/nodes")).json[0]["id"]
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json == [
        {
            "number": 1,
            "node": node,
            "due_at": "2027-01-15T08:00:10.000000Z",
            "started_at": "2027-01-15T08:00:10.000000Z",
            "ended_at": "2027-01-15T08:00:10.000000Z",
            "lateness_seconds": 0.0,
            "lateness_by_cause_seconds": {"down": 0.0, "held": 0.0, "own": 0.0},
            "outcome": "failed",
            "error": {
                "code": "connect_refused",
                "msg": "the target refuses connections",
                "fingerprint": "55e8b44ee5b1ce7c",
            },
        },
        {
            "number": 2,
            "node": node,
            "due_at": "2027-01-15T08:00:12.000000Z",
            "started_at": "2027-01-15T08:00:12.500000Z",
            "ended_at": "2027-01-15T08:00:12.500000Z",
            "lateness_seconds": 0.5,
            "lateness_by_cause_seconds": {"down": 0.0, "held": 0.0, "own": 0.5},
            "outcome": "failed",
            "error": {"code": "status_500", "msg": "the target answered 500", "fingerprint": "8c6ad028d04824ec"},
            "status": 500,
            "phases_seconds": {"dns": None, "connect": 0.001, "first_byte": 0.25, "total": 0.26},
            "response_headers": {"content-type": "text/plain"},
            "response_body": "oh no",
            "response_note": "cut off",
        },
    ]


async def test_a_task_without_ended_attempts_has_none(server):
    task_id = await server.new(webhook())
    await server.clock.step(NEAR)
    await claim(server)

    assert (await server.call("GET", f"/tasks/{task_id}/attempts")).json == []


@pytest.mark.parametrize("task_id", [NOBODY, "not-a-uuid", "%00", "new", "1" * 10_000])
@pytest.mark.parametrize(
    ("method", "what"), [("POST", "retry"), ("GET", "attempts"), ("GET", "explain"), ("HEAD", "explain")]
)
async def test_what_is_asked_of_a_task_that_there_is_not_is_not_found(server, method, what, task_id):
    reply = await server.call(method, f"/tasks/{task_id}/{what}")

    assert reply.status == 404
    if method != "HEAD":
        assert reply.json["code"] == "task_not_found"
        assert len(reply.json["msg"]) < 200


@pytest.mark.parametrize(
    ("method", "what", "allowed"),
    [
        ("GET", "retry", "POST"),
        ("DELETE", "retry", "POST"),
        ("POST", "attempts", "GET, HEAD"),
        ("PATCH", "explain", "GET, HEAD"),
    ],
)
async def test_the_calls_of_a_task_take_their_methods_only(server, method, what, allowed):
    reply = await server.call(method, f"/tasks/{NOBODY}/{what}")

    assert (reply.status, reply.headers["allow"]) == (405, allowed)


async def test_head_answers_about_a_task_as_get_does(server):
    task_id = await failed_task(server)
    for what in ("attempts", "explain"):
        head = await server.call("HEAD", f"/tasks/{task_id}/{what}")
        get = await server.call("GET", f"/tasks/{task_id}/{what}")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


async def test_many_retries_on_one_connection_are_all_answered(server):
    task_id = await failed_task(server)
    connection = await server.connect()
    await connection.send(request_bytes("POST", f"/tasks/{task_id}/retry") * 3)

    assert [(await connection.reply()).status for _ in range(3)] == [200, 409, 409]
    await connection.close()


async def test_lists_do_not_show_the_values_of_headers(server):
    callback = {"url": "http://localhost:9000/end", "headers": {"authorization": "Bearer end-secret"}}
    body = {"headers": {"x": "in the body"}}
    task_id = await server.new(
        webhook(headers={"authorization": "Bearer secret", "x-empty": ""}, body='{"headers": 1}', on_failure=callback)
    )
    plain = await server.new(
        {"webhook": {key: value for key, value in webhook(json=body)["webhook"].items() if key != "body"}}
    )

    lists = ["/tasks/type/webhook", "/tasks/state/todo", "/tasks/type/webhook?limit=9", "/tasks/state/todo?limit=9"]
    for path in lists:
        reply = await server.call("GET", path)
        assert b"secret" not in reply.body
        shown = {task["id"]: task for task in (each.get("webhook", each) for each in reply.json)}
        assert shown[task_id]["headers"] == {"authorization": "***", "x-empty": "***"}
        assert shown[task_id]["on_failure"] == callback | {"headers": {"authorization": "***"}}
        assert shown[task_id]["body"] == '{"headers": 1}'
        assert shown[plain]["json"] == body

    whole = (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]
    assert whole["headers"] == {"authorization": "Bearer secret", "x-empty": ""}
    assert whole["on_failure"] == callback
