"""Ids and keys of callers: how a task meets another, and how it is named by its key."""

import asyncio
from urllib.parse import quote

import pytest
from fates import DONE, NEAR, OVERLOADED, claim, end, run, webhook
from rest_server import HASH, on_one_store, problem_in

from tasker.ids import new_id

pytestmark = pytest.mark.anyio

IN_AN_HOUR, IN_TWO_HOURS = "2027-01-15T09:00:00.000000Z", "2027-01-15T10:00:00.000000Z"


def a_hash(**members):
    return {"hash": {"secret": "correct-horse", "delay": "1h"} | members}


async def new(server, request, headers=None):
    """Make a task; the status of the answer, and its body."""
    reply = await server.call("POST", "/tasks/new", request, headers)
    if reply.status < 300:
        assert reply.headers["location"] == f"/tasks/{reply.json['id']}"
    else:
        problem_in(reply)
    return reply.status, reply.json


async def shown(server, path):
    reply = await server.call("GET", path)
    assert reply.status == 200, reply
    return next(iter(reply.json.values()))


async def test_a_create_with_an_id_can_be_sent_again(server):
    request = a_hash(id=new_id(server.clock.now()))
    created = {"id": request["hash"]["id"], "execution_time": IN_AN_HOUR, "outcome": "created"}

    assert await new(server, request) == (201, created)
    assert await new(server, request) == (200, created | {"outcome": "kept"})
    status, problem = await new(server, a_hash(id=created["id"], delay="2h"))
    assert (status, problem["code"]) == (409, "id_in_use")
    assert (await shown(server, f"/tasks/{created['id']}"))["execution_time"] == IN_AN_HOUR


async def test_a_create_with_an_id_can_be_sent_again_once_its_time_has_passed(server):
    request = webhook(id=new_id(server.clock.now()))
    assert (await new(server, request))[0] == 201
    await server.clock.step(NEAR)
    await run(server, DONE)

    status, made = await new(server, request)

    assert (status, made["outcome"]) == (200, "kept")
    status, problem = await new(server, webhook(id=new_id(server.clock.now())))
    assert (status, problem["field"]) == (400, "webhook.execution_time"), "this one was never created"


async def test_spaces_around_what_was_sent_are_no_content(server):
    request = b'{"hash":{"id":"%b","delay":0,"secret":"x"}}' % new_id(server.clock.now()).encode()
    assert (await new(server, request))[0] == 201
    assert (await new(server, b" \r\n" + request + b"\n\t"))[0] == 200
    assert (await new(server, request.replace(b":0", b": 0")))[0] == 409


DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("offset", "status"), [(-DAY, 201), (DAY, 201), (-DAY - 1_000, 400), (DAY + 1_000, 400)], ids=str
)
async def test_an_id_is_of_a_moment_within_a_day(server, offset, status):
    assert (await new(server, a_hash(id=new_id(server.clock.now() + offset))))[0] == status


@on_one_store
@pytest.mark.parametrize(
    "task_id", ["", "x", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "." * 9_000]
)
async def test_what_is_no_id_of_version_7_is_refused(server, task_id):
    status, problem = await new(server, a_hash(id=task_id))

    assert (status, problem["field"]) == (400, "hash.id")
    assert len(problem["msg"]) < 200


async def test_another_task_with_the_key_is_refused_and_the_holder_named(server):
    status, first = await new(server, a_hash(key="order-17"))
    assert (status, first["outcome"], first["execution_time"]) == (201, "created", IN_AN_HOUR)

    status, problem = await new(server, a_hash(key="order-17"))

    assert (status, problem["code"], problem["holder"]) == (409, "key_in_use", first["id"])
    assert (await new(server, a_hash(key="order-18")))[0] == 201
    assert (await shown(server, f"/tasks/{first['id']}"))["key"] == "order-17"


async def test_keep_answers_with_the_holder_and_changes_nothing(server):
    _, first = await new(server, a_hash(key="k"))
    before = await shown(server, "/tasks/key/k")

    assert await new(server, a_hash(key="k", delay=0, on_conflict="keep")) == (200, first | {"outcome": "kept"})
    assert await shown(server, "/tasks/key/k") == before


async def test_replace_makes_the_holder_another_task_under_its_id(server):
    _, first = await new(server, a_hash(key="k", tags=["a"], keep="1d"))
    before = await shown(server, "/tasks/key/k")
    await server.clock.step(1)

    request = {"hash": {"key": "k", "secret": "other", "execution_time": IN_TWO_HOURS, "on_conflict": "replace"}}
    status, replaced = await new(server, request)

    assert (status, replaced) == (
        200,
        {"id": first["id"], "execution_time": IN_TWO_HOURS, "outcome": "replaced"},
    )
    after = await shown(server, "/tasks/key/k")
    assert (after["secret"], after["execution_time"], after["created_at"]) == (
        "other",
        IN_TWO_HOURS,
        before["created_at"],
    )
    assert {"tags", "keep"}.isdisjoint(after)


async def test_what_runs_is_not_replaced_but_succeeded_by_what_is_debounced(server):
    _, first = await new(server, webhook(key="k"))
    await server.clock.step(NEAR)
    (attempt,) = await claim(server)
    later = {"webhook": {"url": "http://h/", "body": "x", "delay": 5, "key": "k"}}

    status, problem = await new(server, {"webhook": later["webhook"] | {"on_conflict": "replace"}})
    assert (status, problem["code"]) == (409, "task_running")
    status, successor = await new(server, {"webhook": later["webhook"] | {"on_conflict": "debounce"}})
    assert (status, successor["outcome"]) == (201, "created")
    assert successor["id"] != first["id"]
    assert (await shown(server, "/tasks/key/k"))["id"] == successor["id"]
    await end(server, attempt, OVERLOADED)
    assert (await shown(server, f"/tasks/{first['id']}"))["state"] == "todo", "it goes on by its own policy"


async def test_debounced_calls_become_one_task_that_is_due_at_max_wait_at_the_latest(server):
    request = a_hash(key="k", delay=10, max_wait=15, on_conflict="debounce")
    _, first = await new(server, request)
    await server.clock.step(9)

    status, made = await new(server, request)

    assert (status, made["id"], made["outcome"]) == (200, first["id"], "replaced")
    assert made["execution_time"] == "2027-01-15T08:00:15.000000Z"
    assert (await shown(server, "/tasks/key/k"))["execution_time"] == made["execution_time"]


@on_one_store
@pytest.mark.parametrize(
    ("field", "members"),
    [
        ("key", {"key": ""}),
        ("key", {"key": "x" * 256}),
        ("key", {"key": "."}),
        ("key", {"key": ".."}),
        ("key", {"key": "a\nb"}),
        ("key", {"key": "a\x7f"}),
        ("on_conflict", {"key": "a", "on_conflict": "ignore"}),
        ("on_conflict", {"on_conflict": "keep"}),
        ("max_wait", {"key": "a", "max_wait": 5}),
        ("max_wait", {"key": "a", "on_conflict": "replace", "max_wait": 5}),
        ("max_wait", {"key": "a", "on_conflict": "debounce", "max_wait": "soon"}),
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(server, field, members):
    status, problem = await new(server, a_hash(**members))

    assert (status, problem["field"]) == (400, f"hash.{field}")


async def test_a_key_of_255_characters_is_taken_and_found(server):
    key = "\U0001f511" * 255
    _, made = await new(server, a_hash(key=key))

    assert (await shown(server, f"/tasks/key/{quote(key)}"))["id"] == made["id"]


@pytest.mark.parametrize("key", ["a/b", "/", "a b", "%2F", "käse", "state", "a?b#c", "run", "x/run", "\ufffd", "..."])
async def test_a_task_is_named_by_its_key_whatever_characters_that_has(server, key):
    _, made = await new(server, a_hash(key=key))
    path = f"/tasks/key/{quote(key, safe='')}"

    assert (await shown(server, path))["id"] == made["id"]
    assert (await server.call("POST", f"{path}/cancel")).json["hash"]["state"] == "cancelled"
    assert (await server.call("POST", f"{path}/retry")).json["hash"]["state"] == "todo"
    assert (await server.call("DELETE", path)).status == 204
    assert (await server.call("GET", path)).status == 404


async def test_an_encoded_slash_parts_no_path(server):
    assert (await server.call("POST", "/tasks%2Fnew", HASH)).status == 404
    assert (await server.call("GET", "/tasks/key/a/b")).status == 404


async def test_a_key_means_the_holder_or_for_a_look_and_a_retry_the_newest_that_had_it(server):
    ids = []
    for _ in range(2):
        _, made = await new(server, a_hash(key="k"))
        await server.call("POST", "/tasks/key/k/cancel")
        ids.append(made["id"])
        await server.clock.step(1)

    assert (await shown(server, "/tasks/key/k"))["id"] == ids[1]
    for method, path in (("POST", "/tasks/key/k/cancel"), ("POST", "/tasks/key/k/run"), ("DELETE", "/tasks/key/k")):
        reply = await server.call(method, path)
        assert (reply.status, reply.json["code"]) == (404, "task_not_found")
        assert "'k'" in problem_in(reply)
    assert (await server.call("POST", "/tasks/key/k/retry")).json["hash"]["id"] == ids[1]
    assert (await server.call("POST", "/tasks/key/k/run")).json["hash"]["id"] == ids[1]
    assert (await server.call("POST", "/tasks/key/other/retry")).status == 404


async def test_a_retry_takes_the_key_back_unless_another_task_holds_it(server):
    _, first = await new(server, a_hash(key="k"))
    await server.call("POST", "/tasks/key/k/cancel")
    _, second = await new(server, a_hash(key="k"))

    reply = await server.call("POST", f"/tasks/{first['id']}/retry")
    assert (reply.status, reply.json["code"], reply.json["holder"]) == (409, "key_in_use", second["id"])
    await server.call("DELETE", "/tasks/key/k")
    assert (await server.call("POST", f"/tasks/{first['id']}/retry")).status == 200
    assert (await new(server, a_hash(key="k")))[0] == 409


async def test_a_create_with_a_key_and_an_idempotency_key_is_answered_again_as_it_was(server):
    again = {"Idempotency-Key": "a"}
    request = a_hash(key="k", on_conflict="replace")
    _, first = await new(server, request)

    replaced = await new(server, request, again)
    await server.call("DELETE", "/tasks/key/k")

    assert replaced == (200, first | {"outcome": "replaced"})
    assert await new(server, request, again) == replaced
    assert (await server.call("GET", "/tasks/key/k")).status == 404
    refused = a_hash(key="k")
    await new(server, refused)
    assert (await new(server, refused, {"Idempotency-Key": "b"}))[0] == 409
    await server.call("DELETE", "/tasks/key/k")
    assert (await new(server, refused, {"Idempotency-Key": "b"}))[0] == 201, "a refusal is not kept"


async def test_of_many_at_once_with_one_key_one_creates(server):
    replies = await asyncio.gather(*(new(server, a_hash(key="k", on_conflict="keep")) for _ in range(50)))

    assert sorted(status for status, _ in replies) == [200] * 49 + [201]
    assert len({made["id"] for _, made in replies}) == 1
