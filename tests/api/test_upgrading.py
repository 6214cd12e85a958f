"""While nodes of the version before may be running, what they cannot read is refused, and the rest works."""

import pytest
import rest_server
from fates import NEAR, OVERLOADED, run, webhook

from tasker.service.upgrading import NEWER_MEMBERS
from tasker.stores.sqlite.store import SqliteStore
from tasker.wire.fields import RequestFields

pytestmark = pytest.mark.anyio

BY_THE_CLOCK = {"local_time": "2126-02-10T16:30:00", "time_zone": "UTC"}
GIVEN = {
    "tags": ["a"],
    "keep": "1d",
    "group": "shop",
    "key": "order-17",
    "body_base64": "eA==",
    **BY_THE_CLOCK,
    "completion": {"deadline": "1h"},
}
"""Newer members of a webhook, with a value."""


@pytest.fixture
async def server(anyio_backend):
    async with rest_server.running(public_url="https://tasks.example.org") as server:
        yield server


@pytest.fixture
def upgrading(monkeypatch):
    """Let nodes of the version before be running, until it is called."""
    monkeypatch.setattr(SqliteStore, "is_upgrading", True)
    return lambda: monkeypatch.setattr(SqliteStore, "is_upgrading", False)


async def test_each_newer_member_has_a_value_here(server):
    known = {*server.registry.webhooks.fields.__struct_fields__, *RequestFields.__struct_fields__}
    assert set(GIVEN) == {member for member in NEWER_MEMBERS if member in known}


@pytest.mark.parametrize("member", GIVEN)
async def test_a_member_that_older_nodes_do_not_know_is_refused_until_they_have_ended(server, upgrading, member):
    asked = webhook(**{member: GIVEN[member]})
    if member == "body_base64":
        del asked["webhook"]["body"]
    if member in BY_THE_CLOCK:  # neither is of use alone
        del asked["webhook"]["execution_time"]
        asked["webhook"] |= BY_THE_CLOCK
        member = "local_time"

    reply = await server.call("POST", "/tasks/new", asked)

    assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "upgrade_unfinished", "10")
    assert reply.json["msg"].startswith(f"webhook.{member} can be used once no node of the previous version is running")
    assert "tasker db migrate" in reply.json["msg"]
    assert (await server.call("GET", "/tasks/state/todo")).json == []
    upgrading()
    assert (await server.call("POST", "/tasks/new", asked)).status == 201


async def test_not_one_task_of_a_batch_has_such_a_member(server, upgrading):
    reply = await server.call("POST", "/tasks/batch", [webhook(), webhook(tags=["a"])])
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("GET", "/tasks/state/todo")).json == []
    assert (await server.call("POST", "/tasks/batch", [webhook(), webhook()])).status == 201


async def test_nothing_is_cancelled_until_they_have_ended(server, upgrading):
    task_id = await server.new(webhook())
    reply = await server.call("POST", f"/tasks/{task_id}/cancel")
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]["state"] == "todo"
    upgrading()
    assert (await server.call("POST", f"/tasks/{task_id}/cancel")).status == 200


async def test_nothing_is_changed_until_they_have_ended(server, upgrading):
    task_id = await server.new(webhook())
    patch = {"webhook": {"body": "y"}}
    reply = await server.call("PATCH", f"/tasks/{task_id}", patch)
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("GET", f"/tasks/{task_id}")).json["webhook"]["body"] == "x"
    upgrading()
    assert (await server.call("PATCH", f"/tasks/{task_id}", patch)).status == 200


@pytest.mark.parametrize(
    "newer", [{"group": "shop"}, {"url": "http://a/", "max_per_second": 1}, {"url": "http://a/", "burst": 2}]
)
async def test_neither_groups_nor_rates_are_made_until_they_have_ended(server, upgrading, newer):
    made = (await server.call("POST", "/destinations", {"url": "http://a/", "max_running": 3})).json
    reply = await server.call("POST", "/destinations", newer)
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    reply = await server.call("PATCH", f"/destinations/{made['id']}", {"max_per_second": 1})
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("PATCH", f"/destinations/{made['id']}", {"max_running": None})).status == 200
    assert [each["name"] for each in (await server.call("GET", "/destinations")).json] == ["http://a:80"]
    upgrading()
    assert (await server.call("POST", "/destinations", newer)).status == 200


@pytest.mark.parametrize("action", [{"action": "cancel"}, {"action": "change", "change": {"webhook": {"keep": "1d"}}}])
async def test_an_operation_cancels_and_changes_nothing_until_they_have_ended(server, upgrading, action):
    asked = {"filter": {"state": "todo"}, **action}
    reply = await server.call("POST", "/operations", asked)
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("POST", "/operations", asked | {"dry_run": True})).status == 200
    run = {"action": "run", "filter": {"state": "todo"}}
    assert (await server.call("POST", "/operations", run)).status == 202
    upgrading()
    assert (await server.call("POST", "/operations", asked)).status == 202


async def test_what_older_nodes_can_read_works_meanwhile(server, upgrading):
    task_id = await server.new(webhook(retry={"max_attempts": 1}, on_cancel="http://localhost:9000/told"))
    assert (await server.call("POST", f"/tasks/{task_id}/run")).status == 200
    await server.clock.step(NEAR)
    assert await run(server, OVERLOADED) == 1
    assert (await server.call("POST", f"/tasks/{task_id}/retry")).status == 200
    later = await server.new({"webhook": {"delay": "1d", "url": "http://localhost:9000/hook", "body": "x"}})
    assert (await server.call("DELETE", f"/tasks/{later}")).status == 204


async def test_no_key_is_made_until_they_have_ended_since_they_would_not_ask_for_it(server, upgrading):
    asked = {"name": "owner", "role": "admin"}
    reply = await server.call("POST", "/keys", asked)
    assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("GET", "/tasks")).status == 200, "none is asked for"
    upgrading()
    assert (await server.call("POST", "/keys", asked)).status == 201


async def test_schedules_are_neither_put_nor_paused_nor_deleted_until_they_have_ended(server, upgrading):
    asked = {"every": "1h", "task": {"webhook": {"url": "http://localhost:9000/hook"}}}
    for method, path, body in (
        ("PUT", "/schedules/a", asked),
        ("POST", "/schedules/a/pause", None),
        ("POST", "/schedules/a/resume", None),
        ("DELETE", "/schedules/a", None),
    ):
        reply = await server.call(method, path, body)
        assert (reply.status, reply.json["code"]) == (503, "upgrade_unfinished")
    assert (await server.call("GET", "/schedules")).json["schedules"] == []
    upgrading()
    assert (await server.call("PUT", "/schedules/a", asked)).status == 201
