"""POST /operations: what is asked for, what is refused, and what is shown."""

import asyncio

import pytest
from fates import NEAR, OVERLOADED, failed_task, run, webhook, worked
from rest_server import HASH, on_one_store

from tasker.filters import FILTERS

pytestmark = pytest.mark.anyio

NOBODY = "019bbade-01c6-7d11-821f-bc1538901f12"


async def begin(server, *, status=202, headers=None, **body):
    reply = await server.call("POST", "/operations", body, headers)
    assert reply.status == status, reply
    assert reply.headers["location"] == f"/operations/{reply.json['id']}"
    return reply.json


async def done(server, **body):
    """Begin an operation, and have it worked on; how it is shown then."""
    begun = await begin(server, **body)
    await server.clock.step(0)
    await worked(server)
    return (await server.call("GET", f"/operations/{begun['id']}")).json


async def states(server, *ids):
    return [next(iter((await server.call("GET", f"/tasks/{id_}")).json.values()))["state"] for id_ in ids]


async def test_an_operation_is_shown_as_it_begins_and_as_it_ends(server):
    ids = [await server.new(webhook(tags=["customer:42"])) for _ in range(3)]
    other = await server.new()
    await server.clock.step(1)
    begun = await begin(server, action="cancel", filter={"tag": "customer:42", "state": ["todo", "failed"]})
    assert begun == {
        "id": begun["id"],
        "action": "cancel",
        "state": "running",
        "dry_run": False,
        "matched": 0,
        "changed": 0,
        "refused": 0,
        "reasons": {},
        "refusals": [],
        "created_at": "2027-01-15T08:00:01.000000Z",
        "ended_at": None,
        "filter": {"state": ["todo", "failed"], "tag": ["customer:42"]},
    }
    await worked(server)
    assert await states(server, *ids, other) == ["cancelled"] * 3 + ["todo"]
    ended = (await server.call("GET", f"/operations/{begun['id']}")).json
    assert ended == begun | {
        "state": "done", "matched": 3, "changed": 3, "ended_at": "2027-01-15T08:00:01.000000Z"
    }  # fmt: skip


async def test_all_that_failed_tonight_is_retried_a_few_in_a_second(server):
    ids = [await server.new(webhook(retry={"max_attempts": 1})) for _ in range(3)]
    await server.clock.step(NEAR)
    assert await run(server, OVERLOADED) == 3
    filter_ = {"state": "failed", "ended_after": "2027-01-15T00:00:00Z", "destination": "http://localhost:9000"}
    operation = await done(server, action="retry", filter=filter_, per_second=0.5)
    assert (operation["changed"], operation["per_second"]) == (3, 0.5)
    due = [(await server.call("GET", f"/tasks/{id_}/explain")).json["due_in_seconds"] for id_ in ids]
    assert sorted(due) == [0.0, 2.0, 4.0]


async def test_named_tasks_are_postponed_and_it_is_said_which_were_not(server):
    failed, waiting = await failed_task(server), await server.new()
    operation = await done(server, action="postpone", ids=[failed, waiting, NOBODY], by="1d")
    assert (operation["matched"], operation["changed"], operation["refused"]) == (3, 1, 2)
    assert (operation["ids"], operation["by_seconds"], "filter" in operation) == (3, 86_400.0, False)
    assert operation["reasons"] == {"task_not_todo": 1, "task_not_found": 1}
    assert [(each["id"], each["code"]) for each in operation["refusals"]] == [
        (failed, "task_not_todo"), (NOBODY, "task_not_found")
    ]  # fmt: skip
    assert "only a task that is todo" in operation["refusals"][0]["msg"]
    shown = (await server.call("GET", f"/tasks/{waiting}")).json["hash"]
    assert shown["execution_time"] == "2126-02-11T15:30:00.000000Z"


async def test_tasks_are_changed_as_one_alone_is(server):
    secret = {"x-key": "canary"}
    plain, other_type = (
        await server.new(webhook(tags=["a"])),
        await server.new({"hash": HASH["hash"] | {"tags": ["a"]}}),
    )
    with_headers = await server.new(webhook(tags=["a"], headers=secret))
    change = {"webhook": {"url": "http://localhost:9001/new", "tags": ["a", "moved"]}}
    await server.clock.step(1)
    preview = await begin(server, status=200, action="change", filter={"tag": "a"}, change=change, dry_run=True)
    operation = await done(server, action="change", filter={"tag": "a"}, change=change)
    for each in (preview, operation):
        assert (each["matched"], each["changed"]) == (3, 1)
        assert each["reasons"] == {"headers_needed": 1, "invalid_task": 1}
    assert {each["id"] for each in operation["refusals"]} == {other_type, with_headers}
    assert (await server.call("GET", f"/tasks/{plain}")).json["webhook"]["url"] == "http://localhost:9001/new"
    (moved,) = (await server.call("GET", "/tasks?tag=moved")).json["tasks"]
    assert moved["webhook"]["id"] == plain

    change["webhook"]["headers"] = {"x-key": "canary-anew"}
    operation = await done(server, action="change", ids=[plain, with_headers], change=change)
    assert (operation["changed"], operation["refused"]) == (2, 0)
    assert "canary" not in str(operation)
    assert operation["change"]["webhook"]["headers"] == {"x-key": "***"}
    shown = (await server.call("GET", f"/tasks/{with_headers}")).json["webhook"]
    assert (shown["url"], shown["headers"]) == ("http://localhost:9001/new", {"x-key": "canary-anew"})

    change["webhook"]["headers"] = {"x-key": "***"}
    operation = await done(server, action="change", ids=[plain, NOBODY], change=change)
    assert operation["reasons"] == {"masked_value": 1, "task_not_found": 1}


async def test_all_tasks_are_deleted_if_that_is_said(server):
    for _ in range(120):
        await server.new()
    await server.clock.step(1)
    operation = await done(server, action="delete", all=True)
    assert (operation["changed"], operation["filter"]) == (120, {})
    assert (await server.call("GET", "/tasks")).json["tasks"] == []


async def test_a_dry_run_says_what_would_change_at_once_and_changes_nothing(server):
    failed, waiting = await failed_task(server), await server.new()
    operation = await begin(server, status=200, action="retry", all=True, dry_run=True)
    assert (operation["state"], operation["dry_run"]) == ("done", True)
    assert (operation["matched"], operation["changed"], operation["reasons"]) == (2, 1, {"task_not_failed": 1})
    assert await states(server, failed, waiting) == ["failed", "todo"]
    assert (await server.call("GET", f"/operations/{operation['id']}")).json == operation


async def test_a_dry_run_over_many_tasks_goes_on_in_the_background(server, monkeypatch):
    for _ in range(9):
        await server.new()
    await server.clock.step(1)
    monkeypatch.setattr("tasker.stores.finding.MOST_LOOKED_AT", 4)
    begun = await begin(server, action="cancel", filter={"type": "hash"}, dry_run=True)
    assert begun["state"] == "running"
    await worked(server)
    operation = (await server.call("GET", f"/operations/{begun['id']}")).json
    assert (operation["state"], operation["matched"], operation["changed"]) == ("done", 9, 9)
    assert (await server.call("GET", "/tasks?state=cancelled")).json["tasks"] == []


async def test_an_operation_is_cancelled(server):
    await server.new()
    begun = await begin(server, action="delete", all=True)
    reply = await server.call("POST", f"/operations/{begun['id']}/cancel")
    assert (reply.status, reply.json["state"], reply.json["matched"]) == (200, "cancelled", 0)
    await worked(server)
    assert (await server.call("POST", f"/operations/{begun['id']}/cancel")).json == reply.json
    assert len((await server.call("GET", "/tasks")).json["tasks"]) == 1


async def test_operations_are_listed_page_by_page_latest_first(server):
    assert (await server.call("GET", "/operations")).json == {"operations": [], "next": None}
    begun = []
    for _ in range(5):
        await server.clock.step(1)
        begun.append(await begin(server, action="run", all=True))
    assert (await server.call("GET", "/operations")).json == {"operations": begun[::-1], "next": None}
    shown, path = [], "/operations?limit=2"
    while path is not None:
        reply = await server.call("GET", path)
        shown += reply.json["operations"]
        path = reply.json["next"]
        assert reply.headers.get("link") == (None if path is None else f'<{path}>; rel="next"')
    assert shown == begun[::-1]


async def test_an_operation_that_is_not_there_is_not_found(server):
    for id_ in (NOBODY, "17"):
        await server.refused("GET", f"/operations/{id_}", status=404)
        await server.refused("POST", f"/operations/{id_}/cancel", status=404)


async def test_a_request_that_is_sent_again_begins_one_operation(server):
    body = {"action": "run", "filter": {"tag": "a"}}
    key = {"idempotency-key": "tonight"}
    first, again = [await server.call("POST", "/operations", body, key) for _ in range(2)]
    assert (again.status, again.body, again.headers["location"]) == (202, first.body, first.headers["location"])
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await server.call("GET", "/operations")).json["operations"]) == 1
    await server.refused("POST", "/operations", body | {"dry_run": True}, key, status=422)


@on_one_store
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "action"),
        ({"action": "explode", "all": True}, "action"),
        ({"action": "run"}, "expected one of a filter that is not empty, ids, and"),
        ({"action": "delete", "filter": {}}, "expected one of a filter that is not empty, ids, and"),
        ({"action": "run", "all": True, "ids": [NOBODY]}, "expected one of a filter"),
        ({"action": "run", "filter": {"tag": "a"}, "ids": [NOBODY]}, "expected one of a filter"),
        ({"action": "run", "filter": {"tag": "a"}, "all": True}, "expected one of a filter"),
        ({"action": "run", "filter": {"colour": "red"}}, "filter.colour"),
        ({"action": "run", "filter": {"tag": []}}, "filter.tag: expected at least one value"),
        ({"action": "run", "filter": {"tag": 17}}, "filter.tag"),
        ({"action": "run", "filter": {"state": "open"}}, "filter.state: expected one of todo, "),
        ({"action": "run", "filter": {"type": "mail"}}, "type: expected one of webhook, hash"),
        ({"action": "run", "filter": {"due_after": "tomorrow"}}, "filter.due_after: expected an RFC 3339 time"),
        ({"action": "run", "ids": []}, "ids"),
        ({"action": "run", "ids": [NOBODY, "17"]}, "ids[1]: expected a UUID, got: '17'"),
        ({"action": "postpone", "all": True}, "by: expected how long to postpone by"),
        ({"action": "postpone", "all": True, "by": "soon"}, "by: expected seconds as a number, or"),
        ({"action": "postpone", "all": True, "by": 0}, "by: expected more than 0 seconds"),
        ({"action": "run", "all": True, "by": 5}, "by: expected no such member"),
        ({"action": "change", "all": True}, "change: expected what to change"),
        ({"action": "run", "all": True, "change": {"hash": {}}}, "change: expected no such member"),
        ({"action": "change", "all": True, "change": {}}, "change: expected an object with one member"),
        ({"action": "change", "all": True, "change": {"mail": {}}}, "change.mail: "),
        ({"action": "change", "all": True, "change": 17}, "change: "),
        ({"action": "delete", "all": True, "per_second": 5}, "per_second: expected no such member"),
        ({"action": "run", "all": True, "per_second": 0}, "per_second"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name(server, body, text):
    await server.new(HASH)
    said = await server.refused("POST", "/operations", body)
    assert said.startswith(text), said
    assert (await server.call("GET", "/operations")).json["operations"] == []


async def test_every_filter_of_find_is_one_of_an_operation(server):
    words = {each.name: "2026-01-01T00:00:00Z" for each in FILTERS if each.name.endswith(("_after", "_before"))}
    words |= {"state": ["todo"], "type": "hash", "tag": ["a", "b"], "key": "a", "key_prefix": "a"}
    words |= {"destination": "a", "group": "a", "error": "a", "reason": "full", "parent": NOBODY, "schedule": "a"}
    words |= {"fingerprint": "55e8b44ee5b1ce7c", "queue": "a"}
    assert words.keys() == {each.name for each in FILTERS}
    operation = await done(server, action="cancel", filter=words)
    assert (operation["state"], operation["matched"]) == ("done", 0)


async def test_a_running_engine_works_on_operations(server):
    ids = [await server.new() for _ in range(7)]
    await server.clock.step(1)
    engine = server.service.operations._engine
    await engine.start()
    begun = await begin(server, action="cancel", filter={"type": "hash"})
    async with asyncio.timeout(20):
        while (await server.call("GET", f"/operations/{begun['id']}")).json["state"] == "running":
            pass
    await engine.drain(server.settings.grace_period)
    assert await states(server, *ids) == ["cancelled"] * 7
    assert engine.telemetry.cancelled == 7
