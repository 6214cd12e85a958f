"""GET /audit and GET /tasks/{id}/history: who has changed what, and what happened to a task."""

import asyncio

import pytest
from fates import DONE, NEAR, OVERLOADED, REFUSED, SOON, claim, destination_of, end, failed_task, run, webhook, worked
from rest_server import LATER, on_one_store, running

from tasker.api.routes.all import CALLS
from tasker.model.audit import Action, Kind
from tasker.model.circuit import THRESHOLD
from tasker.wire.audit import ActionWord, KindWord

pytestmark = pytest.mark.anyio

ADMIN, GRAFANA, SHOP = "key-of-admin", "key-of-grafana", "key-of-shop"
KEYS = {"api_keys": (ADMIN, f"{GRAFANA} read grafana", f"{SHOP} write the web shop")}
LOCAL = {"id": "local", "name": "local"}
NOBODY = "019bbade-01c6-7d11-821f-bc1538901f12"


def bearer(key):
    return {"authorization": f"Bearer {key}"}


async def log(server, query="", headers=None):
    """The rows of the first page, the latest first."""
    reply = await server.call("GET", f"/audit{query}", headers=headers)
    assert reply.status == 200, reply
    return reply.json["audit"]


async def line(server, task_id, headers=None):
    reply = await server.call("GET", f"/tasks/{task_id}/history", headers=headers)
    assert reply.status == 200, reply
    return reply.json


def in_short(rows):
    return [(row["action"], row["kind"], row.get("subject")) for row in rows]


# One row for each call that changes something


async def a_task(server):
    return await server.new(webhook(key="order 17"))


async def a_failed_task(server):
    return await failed_task(server, key="order 17")


async def a_destination(server):
    return (await destination_of(server, await server.new(webhook())))["id"]


async def a_paused_destination(server):
    id_ = await a_destination(server)
    await server.store.pause(id_)
    return id_


async def an_open_destination(server):
    for _ in range(THRESHOLD):
        await server.new(webhook())
    await server.clock.step(NEAR)
    while await run(server, REFUSED):
        pass
    waiting = await server.new({"webhook": {"delay": "1s", "url": "http://localhost:9000/hook"}})
    await server.clock.step(1)
    assert not await claim(server), "it is held"
    return (await destination_of(server, waiting))["id"]


async def nothing(server):
    return ""


async def all_paused(server):
    await server.store.pause_all()
    return ""


async def an_operation(server):
    reply = await server.call("POST", "/operations", {"action": "run", "filter": {"tag": "x"}})
    return reply.json["id"]


PAST = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}
SCHEDULE = {"every": "1h", "task": {"webhook": {"url": "http://localhost:9000/hook"}}}


async def a_schedule(server):
    assert (await server.call("PUT", "/schedules/nightly", SCHEDULE)).status == 201
    return "nightly"


async def the_name_of_a_schedule(server):
    return "nightly"


CANCEL_ALL = {"action": "cancel", "filter": {"tag": "x"}}
TASK_CALLS = {
    ("PATCH", ""): (a_task, {"webhook": {"body": "y"}}, "change"),
    ("DELETE", ""): (a_task, None, "delete"),
    ("POST", "/run"): (a_task, None, "run"),
    ("POST", "/cancel"): (a_task, None, "cancel"),
    ("POST", "/retry"): (a_failed_task, None, "retry"),
    ("POST", "/duplicate"): (a_task, {"delay": "1h"}, "duplicate"),
}
CHANGING = {
    **{(method, "/tasks/{id}" + what): how for (method, what), how in TASK_CALLS.items()},
    **{(method, "/tasks/key/{key}" + what): how for (method, what), how in TASK_CALLS.items()},
    ("PATCH", "/destinations/{id}"): (a_destination, {"max_running": 3}, "limit"),
    ("POST", "/destinations/{id}/pause"): (a_destination, None, "pause"),
    ("POST", "/destinations/{id}/resume"): (a_paused_destination, None, "resume"),
    ("POST", "/destinations/{id}/probe"): (an_open_destination, None, "probe"),
    ("POST", "/destinations"): (a_destination, {"url": "http://localhost:9000/", "burst": 2}, "limit"),
    ("POST", "/operations"): (a_task, CANCEL_ALL, "begin"),
    ("POST", "/operations/{id}/cancel"): (an_operation, None, "cancel"),
    ("PUT", "/schedules/{name}"): (the_name_of_a_schedule, SCHEDULE, "create"),
    ("DELETE", "/schedules/{name}"): (a_schedule, None, "delete"),
    ("POST", "/schedules/{name}/pause"): (a_schedule, None, "pause"),
    ("POST", "/schedules/{name}/resume"): (a_schedule, None, "resume"),
    ("POST", "/schedules/{name}/run"): (a_schedule, None, "run"),
    ("POST", "/schedules/{name}/backfill"): (a_schedule, PAST, "backfill"),
    ("POST", "/pause"): (nothing, None, "pause"),
    ("POST", "/resume"): (all_paused, None, "resume"),
}
"""Every call that changes something: what there has to be before, its body, and its action."""
CREATING = {("POST", "/tasks/new"), ("POST", "/tasks/batch")}
"""Of a task its ``created_at`` and ``created_by`` say it."""
LOOKING = {("POST", "/schedules/preview")}
"""What changes nothing."""
ENDING = {
    *(("POST", "/queues/claim"), ("POST", "/queues/{queue}/claim")),
    *(("POST", f"/completions/{end}") for end in ("complete", "fail", "heartbeat", "release")),
}
"""What a receiver says of an attempt, and that a worker has claimed it, is in its record."""
ELSEWHERE = {
    *(("POST", "/keys"), ("DELETE", "/keys/{id}")),
    *(("POST", "/pause"), ("POST", "/resume"), ("POST", "/dev/clock")),
    *(("POST", "/inbox/{id}/retry"), ("DELETE", "/inbox/{id}")),
}
"""The rows of keys are looked at in ``test_api_keys``: who calls has another key then. Those of what
has no id: ``test_pausing_everything`` and ``test_dev_clock``. The inbox is PostgreSQL's alone: ``test_inbox_calls``."""


def test_every_call_that_changes_something_is_looked_at_here():
    assert {(call.method, call.path) for call in CALLS if call.method != "GET"} == {
        *CHANGING,
        *CREATING,
        *LOOKING,
        *ENDING,
        *ELSEWHERE,
    }


@pytest.mark.parametrize(("method", "path"), CHANGING, ids=lambda part: part)
async def test_a_call_that_changes_something_leaves_one_row_and_one_that_is_refused_none(server, method, path):
    make, body, action = CHANGING[method, path]
    id_ = await make(server)
    before = await log(server)
    path = path.replace("{id}", str(id_)).replace("{name}", str(id_)).replace("{key}", "order%2017")

    reply = await server.call(method, path, body)
    assert reply.status in (200, 201, 202, 204), reply
    (row, *others) = await log(server)
    assert others == before
    assert (row["action"], row["by"]) == (action, LOCAL)
    if path in ("/pause", "/resume"):
        assert (row["kind"], "subject" in row) == ("server", False)
        return
    kind = path.split("/")[1].removesuffix("s")
    assert row["kind"] == kind
    assert row["subject"] == (reply.json["id"] if path == "/operations" else str(id_))
    if kind == "destination":
        assert row["name"] == "http://localhost:9000"

    missing = path.replace(str(id_), "4711" if kind == "destination" else NOBODY)
    if missing != path and method != "PUT":
        assert (await server.call(method, missing, body)).status == 404
    assert await log(server) == [row, *others]


async def test_a_dry_run_and_a_call_that_changes_nothing_leave_no_row(server):
    task_id = await a_task(server)
    id_ = (await destination_of(server, task_id))["id"]
    for method, path, body in (
        ("PATCH", f"/tasks/{task_id}", {"webhook": {"body": "x"}}),
        ("POST", f"/destinations/{id_}/resume", None),
        ("PATCH", f"/destinations/{id_}", {"max_running": None}),
        ("POST", "/destinations", {"url": "http://another:1/"}),
        ("POST", "/resume", None),
        ("POST", "/operations", {**CANCEL_ALL, "dry_run": True}),
    ):
        assert (await server.call(method, path, body)).status == 200
    assert await log(server) == []


# What a row says


async def test_the_row_of_a_change_says_what_was_changed_without_secrets_and_bodies(server):
    url = "http://me:%s@localhost:9000/hook?%s"
    task_id = await server.new(
        webhook(url=url % ("first-pass", "a"), headers={"X-Token": "first-token"}, body="first-body", keep="1d")
    )
    changed = {
        "url": url % ("second-pass", "b"),
        "headers": {"X-Token": "second-token"},
        "body": "second-body",
        "keep": None,
        "tags": ["x"],
        "execution_time": LATER,
        "on_failure": {"url": "http://me:third-pass@localhost/", "headers": {"X-Token": "third-token"}},
    }
    assert (await server.call("PATCH", f"/tasks/{task_id}", {"webhook": changed})).status == 200

    ((row,), text) = (await log(server), (await server.call("GET", "/audit")).body.decode())
    assert row["changes"] == {
        "url": {"before": url % ("***", "a"), "after": url % ("***", "b")},
        "headers": {"before": {"X-Token": "***"}, "after": {"X-Token": "***"}},
        "body": {},
        "keep": {"before": "1d"},
        "tags": {"after": ["x"]},
        "execution_time": {"before": SOON, "after": LATER},
        "on_failure": {"after": {"url": "http://me:***@localhost/", "headers": {"X-Token": "***"}}},
    }
    for secret in ("first", "second", "third"):
        assert secret not in text


async def test_the_secret_of_a_hash_is_not_in_its_row(server):
    task_id = await server.new({"hash": {"execution_time": LATER, "secret": "first-secret"}})
    assert (await server.call("PATCH", f"/tasks/{task_id}", {"hash": {"secret": "second-secret"}})).status == 200
    (row,) = await log(server)
    assert row["changes"] == {"secret": {"before": "***", "after": "***"}}


async def test_the_row_of_an_operation_says_what_it_was_asked_for(server):
    change = {"webhook": {"headers": {"X-Token": "a-token"}, "body": "a-body", "keep": "1d"}}
    for asked, said in (
        ({"action": "retry", "filter": {"tag": ["a", "b"]}, "per_second": 2.5}, {"filter": {"tag": ["a", "b"]}}),
        ({"action": "cancel", "ids": [NOBODY]}, {"ids": 1}),
        ({"action": "postpone", "filter": {"tag": "x"}, "by": "1h"}, {"filter": {"tag": ["x"]}, "by_seconds": 3600.0}),
        (
            {"action": "change", "filter": {"tag": "x"}, "change": change},
            {
                "filter": {"tag": ["x"]},
                "change": {"webhook": {"headers": {"X-Token": "***"}, "body": "***", "keep": "1d"}},
            },
        ),
    ):
        reply = await server.call("POST", "/operations", asked)
        assert reply.status == 202, reply
        row, *_ = await log(server)
        of_all = {name: asked[name] for name in ("action", "per_second") if name in asked}
        assert row["changes"] == {name: {"after": value} for name, value in (said | of_all).items()}
        assert (row["action"], row["kind"], row["subject"]) == ("begin", "operation", reply.json["id"])


async def test_with_keys_a_row_says_whose_key_it_was(server):
    async with running(**KEYS) as server:
        headers = bearer(SHOP)
        task_id = (await server.call("POST", "/tasks/new", webhook(), headers)).json["id"]
        await server.call("POST", f"/tasks/{task_id}/cancel", None, headers)
        await server.call("DELETE", f"/tasks/{task_id}", None, bearer(ADMIN))

        deleted, cancelled = await log(server, headers=bearer(ADMIN))

        assert cancelled["by"]["name"] == "the web shop"
        assert cancelled["by"]["id"] not in ("local", deleted["by"]["id"])
        only = await log(server, f"?by={cancelled['by']['id']}", bearer(ADMIN))
        assert only == [cancelled]
        text = (await server.call("GET", "/audit", headers=bearer(ADMIN))).body.decode()
        assert not any(key in text for key in (ADMIN, GRAFANA, SHOP))


async def test_the_log_is_for_admins_and_the_history_of_a_task_for_whoever_may_read_it(server):
    async with running(**KEYS) as server:
        task_id = (await server.call("POST", "/tasks/new", webhook(), bearer(SHOP))).json["id"]
        for key in (GRAFANA, SHOP):
            await server.refused("GET", "/audit", headers=bearer(key), status=403)
            assert (await line(server, task_id, bearer(key)))["history"][0]["by"]["name"] == "the web shop"


# Who has created a task


async def test_a_task_says_who_has_created_it_if_a_key_was_asked_for(server):
    assert "created_by" not in (await server.call("GET", f"/tasks/{await server.new()}")).json["hash"]
    async with running(**KEYS) as server:
        shop, admin = bearer(SHOP), bearer(ADMIN)
        made = [
            (await server.call("POST", "/tasks/new", webhook(), shop)).json["id"],
            (await server.call("POST", "/tasks/new", webhook(key="a"), shop)).json["id"],
            (await server.call("POST", "/tasks/new", webhook(), {**shop, "Idempotency-Key": "k"})).json["id"],
            (await server.call("POST", "/tasks/new", webhook(key="b"), {**shop, "Idempotency-Key": "l"})).json["id"],
            *(each["id"] for each in (await server.call("POST", "/tasks/batch", [webhook()] * 3, shop)).json["tasks"]),
            (await server.call("POST", "/tasks/batch", [webhook()] * 120, shop)).json["tasks"][-1]["id"],
        ]
        for task_id in made:
            (task,) = (await server.call("GET", f"/tasks/{task_id}", headers=admin)).json.values()
            assert task["created_by"]["name"] == "the web shop"
            assert list(task).index("created_by") == list(task).index("created_at") + 1

        again = webhook(key="a", on_conflict="replace", body="y")
        assert (await server.call("POST", "/tasks/new", again, admin)).json["id"] == made[1]
        (task,) = (await server.call("GET", f"/tasks/{made[1]}", headers=admin)).json.values()
        assert task["created_by"]["id"] != "local"
        assert task["created_by"]["name"] != "the web shop"

        await server.call("PATCH", f"/tasks/{made[0]}", {"webhook": {"body": "y"}}, admin)
        (task,) = (await server.call("GET", f"/tasks/{made[0]}", headers=admin)).json.values()
        assert task["created_by"]["name"] == "the web shop"


# One line of time


async def test_the_history_of_a_task_has_its_attempts_and_its_changes_in_one_line(server):
    task_id = await server.new(webhook(retry={"max_attempts": 1}))
    assert await line(server, task_id) == {
        "history": [{"at": "2027-01-15T08:00:00.000000Z", "event": "created"}],
        "complete": True,
    }
    await server.clock.step(1)
    await server.call("PATCH", f"/tasks/{task_id}", {"webhook": {"body": "y"}})
    await server.clock.step(NEAR)
    assert await run(server, OVERLOADED) == 1
    await server.clock.step(1)
    await server.call("POST", "/operations", {"action": "retry", "ids": [task_id]})
    await server.clock.step(1)
    await worked(server)
    (attempt,) = await claim(server)
    await server.clock.step(1)
    await server.call("POST", f"/tasks/{task_id}/cancel")
    await end(server, attempt, DONE)

    history = (await line(server, task_id))["history"]

    assert [moment["at"] for moment in history] == sorted(moment["at"] for moment in history)
    assert [(moment["event"], *_what(moment)) for moment in history] == [
        ("created",),
        ("change", "task", "change"),
        ("attempt", 1, "failed"),
        ("change", "operation", "begin"),
        ("attempt", 2, "succeeded"),
        ("change", "task", "cancel"),
    ]
    assert history[3]["at"] == "2027-01-15T08:00:13.000000Z"
    assert history[3]["change"]["changes"]["action"] == {"after": "retry"}
    assert history[3]["change"]["by"] == LOCAL


def _what(moment):
    match moment["event"]:
        case "attempt":
            return moment["attempt"]["number"], moment["attempt"]["outcome"]
        case "change":
            return moment["change"]["kind"], moment["change"]["action"]
        case _:
            return ()


async def test_the_history_of_what_is_no_task_is_not_found(server):
    for task_id in (NOBODY, "x"):
        await server.refused("GET", f"/tasks/{task_id}/history", status=404)


async def test_a_deleted_task_has_no_history_but_its_changes_are_found(server):
    task_id, other = await server.new(webhook()), await server.new(webhook(tags=["x"]))
    await server.clock.step(1)
    await server.call("POST", "/operations", {"action": "delete", "filter": {"tag": "x"}})
    await worked(server)
    await server.call("DELETE", f"/tasks/{task_id}")

    await server.refused("GET", f"/tasks/{task_id}/history", status=404)
    assert in_short(await log(server, f"?subject={task_id.upper()}")) == [("delete", "task", task_id)]
    ((action, kind, _),) = in_short(await log(server, f"?subject={other}"))
    assert (action, kind) == ("begin", "operation")


# Filters and pages


async def test_the_log_is_found_by_what_it_says_and_read_in_pages(server):
    id_ = await a_destination(server)
    for what in ("pause", "resume") * 3:
        await server.clock.step(1)
        assert (await server.call("POST", f"/destinations/{id_}/{what}")).status == 200
    rows = await log(server)
    assert [row["at"][17:19] for row in rows] == ["06", "05", "04", "03", "02", "01"]

    for query, places in (
        ("?action=pause", [1, 3, 5]),
        ("?kind=destination&action=resume", [0, 2, 4]),
        ("?kind=task", []),
        (f"?subject={id_}", [0, 1, 2, 3, 4, 5]),
        ("?by=tasker", []),
        ("?after=2027-01-15T08:00:02Z&before=2027-01-15T09:00:04%2B01:00", [3, 4]),
        ("?limit=2", [0, 1]),
    ):
        assert await log(server, query) == [rows[place] for place in places]

    found, path = [], "/audit?action=pause&limit=1"
    while path is not None:
        reply = await server.call("GET", path)
        found += reply.json["audit"]
        path = reply.json["next"]
        assert reply.headers.get("link") == (None if path is None else f'<{path}>; rel="next"')
    assert found == rows[1::2]


@on_one_store
@pytest.mark.parametrize(
    ("query", "parameter", "expected"),
    [
        ("action=stop", "action", "expected one of run, change"),
        ("kind=tasks", "kind", "expected one of task, destination"),
        ("after=yesterday", "after", "expected an RFC 3339 time"),
        ("before=1", "before", "expected an RFC 3339 time"),
        ("subject=%00", "subject", "expected an id"),
        ("by=a%0Ab", "by", "expected an id"),
        ("limit=0", "limit", "expected a whole number from 1 to 1000"),
        ("cursor=x", "cursor", "expected the cursor of a page before"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_refused(server, query, parameter, expected):
    reply = await server.call("GET", f"/audit?{query}")
    assert (reply.status, reply.json["code"], reply.json["field"]) == (400, "invalid_query", parameter)
    assert expected in reply.json["msg"]


async def test_circuits_are_in_the_log(server):
    id_ = await an_open_destination(server)
    (row,) = await log(server, "?action=circuit_opened")
    assert (row["by"], row["subject"]) == ({"id": "tasker", "name": "tasker"}, str(id_))
    assert list(row["changes"]) == ["open_until"]


def test_the_words_of_the_description_are_those_of_the_log():
    assert set(ActionWord.__args__) == {action.value for action in Action}
    assert set(KindWord.__args__) == {kind.value for kind in Kind}


async def test_many_changes_at_once_leave_a_row_each(server):
    ids = [await server.new(webhook()) for _ in range(10)]
    await asyncio.gather(
        *(server.call("POST", f"/tasks/{task_id}/cancel") for task_id in ids),
        *(server.call("DELETE", f"/tasks/{task_id}") for task_id in ids),
    )
    rows = in_short(await log(server))
    for task_id in ids:
        assert rows.count(("delete", "task", task_id)) == 1
        assert rows.count(("cancel", "task", task_id)) <= 1
