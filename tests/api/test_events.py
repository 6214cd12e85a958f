"""``GET /events``: what happens, as it happens."""

from urllib.parse import quote

import pytest
import rest_server
from event_reading import events_of, reading
from fates import NEAR, webhook

pytestmark = pytest.mark.anyio


async def test_a_create_is_told_at_once_with_what_it_was_given_and_nothing_secret(server):
    given = {"key": "order-17", "tags": ["customer:42", "reminder"], "headers": {"x-token": "hush"}}
    url = "http://me:hush@localhost:9000/hook?token=hush"
    async with reading(server) as stream:
        task_id = await server.new(webhook(**given, url=url))
        frame = await stream.frame()
    assert frame.event == "created"
    assert frame.data == {
        "at": "2027-01-15T08:00:00.000000Z",
        "node": server.store.node_id,
        "id": task_id,
        "type": "webhook",
        "state": "todo",
        "key": "order-17",
        "tags": ["customer:42", "reminder"],
        "destination": "http://localhost:9000",
        "due_at": "2027-01-15T08:00:10.000000Z",
    }
    assert "hush" not in frame.text
    assert frame.id == f"{server.store.node_id}/1800000000000000/1"


async def test_whatever_a_caller_does_to_a_task_is_told(server):
    async with reading(server) as stream:

        async def told(event):
            await server.clock.advance(1)
            data = await stream.next(event)
            assert data["id"] == task_id
            return data.get("state"), data.get("change")

        task_id = await server.new(webhook(key="a"))
        assert await told("created") == ("todo", None)
        await server.call("PATCH", f"/tasks/{task_id}", {"webhook": {"body": "y"}})
        assert await told("changed") == ("todo", "patched")
        replacing = webhook(key="a", on_conflict="replace")
        replacing["webhook"]["execution_time"] = rest_server.LATER
        await server.call("POST", "/tasks/new", replacing)
        assert await told("changed") == ("todo", "replaced")
        await server.call("POST", f"/tasks/{task_id}/run")
        assert await told("changed") == ("todo", "run")
        await server.call("POST", f"/tasks/{task_id}/cancel")
        assert await told("ended") == ("cancelled", None)
        await server.call("POST", f"/tasks/{task_id}/retry")
        assert await told("changed") == ("todo", "retried")
        await server.call("DELETE", f"/tasks/{task_id}")
        assert await told("deleted") == ("todo", None)


async def test_what_is_refused_or_changes_nothing_is_not_told(server):
    task_id = await server.new(webhook(key="a"))
    async with reading(server) as stream:
        await server.call("POST", "/tasks/new", webhook(key="a"))
        await server.call("POST", "/tasks/new", webhook(key="a", on_conflict="keep"))
        await server.call("PATCH", f"/tasks/{task_id}", {"webhook": {"body": "x"}})
        await server.call("POST", f"/tasks/{task_id}/retry")
        await server.call("POST", f"/tasks/{task_id}/cancel")
        assert (await stream.next("ended"))["state"] == "cancelled"
        await server.call("POST", f"/tasks/{task_id}/cancel")
        await server.new()
        await server.clock.advance(1)
        assert (await stream.next("created"))["type"] == "hash"


async def test_the_cancel_of_a_running_task_is_a_change(server):
    task_id = await server.new(webhook())
    await server.clock.advance(NEAR)
    await server.store.claim_due({1: 1, 2: 1})
    async with reading(server) as stream:
        await server.call("POST", f"/tasks/{task_id}/cancel")
        data = await stream.next("changed")
    assert (data["state"], data["change"]) == ("in_progress", "cancel_requested")


async def test_a_batch_is_told_task_by_task(server):
    async with reading(server) as stream:
        reply = await server.call("POST", "/tasks/batch", [webhook(tags=[str(number)]) for number in range(3)])
        await server.clock.advance(1)
        told = [await stream.next("created") for _ in range(3)]
    assert [each["id"] for each in told] == [each["id"] for each in reply.json["tasks"]]
    assert [each["tags"] for each in told] == [["0"], ["1"], ["2"]]


async def test_destinations_are_told_of(server):
    reply = await server.call("POST", "/destinations", {"url": "http://localhost:9000"})
    path = f"/destinations/{reply.json['id']}"
    async with reading(server) as stream:
        for call in ("pause", "resume"):
            await server.call("POST", f"{path}/{call}")
        await server.call("PATCH", path, {"max_running": 3})
        await server.clock.advance(1)
        told = [await stream.next("destination") for _ in range(3)]
    assert {each["destination"] for each in told} == {"http://localhost:9000"}
    assert [each["change"] for each in told] == ["paused", "resumed", "limited"]


FILTERED = [
    ("type=hash", []),
    ("type=webhook", ["a", "b", "c"]),
    ("state=todo&state=done", ["a", "b", "c"]),
    ("state=failed", []),
    ("tag=red", ["a", "b"]),
    ("tag=red&tag=big", ["b"]),
    ("key_prefix=order-", ["a", "b"]),
    ("key_prefix=order-2", ["b"]),
    ("destination=http%3A%2F%2Flocalhost%3A9000", ["a", "b"]),
    ("destination=fleet", ["c"]),
    ("destination=http%3A%2F%2Fother.example%3A80", ["c"]),
    ("tag=red&key_prefix=order-1", ["a"]),
    ("tag=red&type=hash", []),
]


async def test_a_reader_may_want_what_happens_to_one_schedule_and_its_runs(server):
    async with reading(server, "?schedule=a") as stream:
        for name in ("b", "a"):
            await server.call("PUT", f"/schedules/{name}", {"every": "1h", "task": webhook_of_a_schedule()})
        await server.call("POST", "/schedules/b/run")
        await server.call("POST", "/schedules/a/run")
        await server.clock.advance(1)
        told = [(frame.event, frame.data["schedule"]) for frame in [await stream.frame() for _ in range(3)]]
    assert told == [("created", "a"), ("schedule", "a"), ("created", "a")]


def webhook_of_a_schedule():
    return {"webhook": {"url": "http://localhost:9000/hook"}}


@pytest.mark.parametrize(("query", "expected"), FILTERED)
async def test_a_reader_is_told_of_what_passes_all_its_filters(server, query, expected):
    async with reading(server, f"?{query}") as stream, reading(server) as all_:
        for body, more in (
            ("a", {"tags": ["red"], "key": "order-1"}),
            ("b", {"tags": ["big", "red"], "key": "order-2"}),
            ("c", {"url": "http://other.example/x", "group": "fleet"}),
        ):
            await server.new(webhook(**{"body": body, **more}))
        await server.clock.advance(1)
        keys = {(await all_.frame()).data["id"]: name for name in "abc"}
        told = [keys[(await stream.next("created"))["id"]] for _ in expected]
        assert told == expected
        assert not any(
            each.cursor < channel.end
            for channel in events_of(server).streams._channels.values()
            for each in channel.subscribers
        ), "there is no more"


async def test_a_destination_may_be_named_by_its_id(server):
    await server.new(webhook())
    (destination,) = (await server.call("GET", "/destinations")).json
    async with reading(server, f"?destination={destination['id']}") as stream:
        await server.new()
        task_id = await server.new(webhook())
        assert (await stream.next("created"))["id"] == task_id
    assert await server.refused("GET", "/events?destination=999", status=404)
    for name in ("²", "1234567890"):  # no ids: names that nobody has
        async with reading(server, f"?destination={quote(name)}") as stream:
            assert stream.first


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("state=gone", "state: expected one of todo, in_progress, done, failed, cancelled, got: 'gone'"),
        ("tag=", "tag: expected 1 to 100 characters, got 0"),
        ("type=a&type=b", "type: expected one value, got 2"),
        ("signals=yes", "signals: expected 1, got: 'yes'"),
        ("signals=1&signals=1", "signals: expected one value, got 2"),
        ("error=x", None),
    ],
)
async def test_what_cannot_be_used_is_refused(server, query, problem):
    text = await server.refused("GET", f"/events?{query}")
    assert problem is None or text == problem
    assert not events_of(server).is_on


async def test_what_an_operation_does_is_told(server):
    engine = server.service.tasks._engine
    ids = [await server.new(webhook(tags=["a"])) for _ in range(3)]
    async with reading(server) as stream:

        async def told(action, **more):
            await server.clock.advance(0.1)  # an operation meets what was stored before it
            await server.call("POST", "/operations", {"action": action, "filter": {"tag": "a"}, **more})
            while (await engine.operations.step()).done:
                await server.clock.advance(0)
            await server.clock.advance(1)
            frames = []
            while not frames or frames[-1].data.get("status") != "done":
                frames.append(await stream.frame())
            tasks = [each for each in frames if each.event != "operation"]
            assert [each.data["id"] for each in tasks] == ids
            assert frames[-1].data["changed"] == 3
            return {(each.event, each.data["state"], each.data.get("change")) for each in tasks}

        assert await told("postpone", by="1h") == {("changed", "todo", "postponed")}
        assert await told("cancel") == {("ended", "cancelled", None)}
        assert await told("retry") == {("changed", "todo", "retried")}
        assert await told("change", change={"webhook": {"body": "y"}}) == {("changed", "todo", "patched")}
        assert await told("delete") == {("deleted", "todo", None)}


async def test_a_name_of_a_filter_may_be_anything_that_a_key_may_be(server):
    async with reading(server, f"?key_prefix={quote('Ä/ö')}") as stream:
        task_id = await server.new(webhook(key="Ä/ö:1"))
        assert (await stream.next("created"))["id"] == task_id
