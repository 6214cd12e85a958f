"""``GET /events``: what happens, as it happens."""

import asyncio
import contextlib
import json
from datetime import timedelta
from urllib.parse import quote

import pytest
import rest_server
from fates import NEAR, webhook

from polling import holds

pytestmark = pytest.mark.anyio


class Frame:
    """A server-sent event."""

    def __init__(self, text):
        lines = [line.partition(": ") for line in text.splitlines() if not line.startswith(":")]
        members = {name: value for name, _, value in lines}
        self.text = text
        self.event, self.id = members.get("event"), members.get("id")
        self.data = json.loads(members["data"]) if "data" in members else None

    def __repr__(self):
        return self.text


class Stream:
    """A reader of events. Its first block is that with ``retry``."""

    def __init__(self, connection, head):
        self._connection, self.head = connection, head
        self._left = ""
        self.first = None

    async def frame(self):
        """The next block, whatever it is; None: the stream has ended in order."""
        async with asyncio.timeout(20):
            while "\n\n" not in self._left:
                size = int(await self._connection._reader.readline(), 16)
                part = await self._connection._reader.readexactly(size)
                await self._connection._reader.readline()
                if not size:
                    return None
                self._left += part.decode()
        text, _, self._left = self._left.partition("\n\n")
        return Frame(text)

    async def frames(self, count):
        return [await self.frame() for _ in range(count)]

    async def next(self, event):
        """The next event, which has this name; its data."""
        frame = await self.frame()
        assert frame.event == event, frame
        return frame.data

    def is_read(self):
        """Whether nothing has come since the last block."""
        return not self._left and not self._connection._reader._buffer

    async def close(self):
        await self._connection.close()

    def hang_up(self):
        self._connection.hang_up()


@contextlib.asynccontextmanager
async def reading(server, query="", last_id=None, headers=None):
    connection = await server.connect()
    headers = (headers or {}) | ({} if last_id is None else {"last-event-id": last_id})
    await connection.send(rest_server.request_bytes("GET", f"/events{query}", headers=headers))
    head = await connection._reader.readuntil(b"\r\n\r\n")
    stream = Stream(connection, head.decode())
    assert "200 OK" in stream.head, stream.head
    stream.first = await stream.frame()
    yield stream
    await stream.close()


def events_of(server):
    return server.service.tasks._engine.events


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


async def test_the_stream_says_that_it_is_one_and_that_nobody_is_to_keep_it(server):
    async with reading(server) as stream:
        head = stream.head.lower()
        assert "content-type: text/event-stream" in head
        assert "cache-control: no-store" in head
        assert "x-accel-buffering: no" in head
        assert stream.first.text.startswith("retry: 2000\nid: ")


async def test_head_is_answered_without_a_stream(server):
    reply = await server.call("HEAD", "/events")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert not events_of(server)._readers


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


async def test_events_that_come_soon_after_each_other_are_told_together(server):
    async with reading(server) as stream:
        await server.new()
        await stream.next("created")
        for _ in range(5):
            await server.new()
        await server.clock.advance(0.249999)
        channel = next(iter(events_of(server).streams._channels.values()))
        (subscriber,) = channel.subscribers
        assert channel.end - subscriber.cursor == 5
        await server.clock.advance(0.000001)
        for _ in range(5):
            await stream.next("created")


async def test_of_more_than_a_hundred_in_a_second_the_rest_is_counted_once_a_second(server):
    async with reading(server) as stream:
        await server.call("POST", "/tasks/batch", [webhook() for _ in range(350)])
        await server.clock.advance(0.999999)
        told = await stream.frames(100)
        assert {each.event for each in told} == {"created"}
        await server.new()
        await server.clock.advance(0.000001)
        gap = await stream.frame()
        assert (gap.event, gap.data) == ("gap", {"counts": {"created": 251}})
        assert gap.id.endswith("/351"), "a reader that comes back goes on behind what was left out"
        await server.clock.advance(1)
        await server.new()
        assert (await stream.frame()).event == "created"


async def test_signals_have_the_names_of_what_changed_at_most_every_quarter_of_a_second(server):
    async with reading(server, "?signals=1") as stream:
        task_id = await server.new()
        assert await stream.next("signal") == {"changed": ["created"]}
        for _ in range(300):
            await server.new()
        await server.call("DELETE", f"/tasks/{task_id}")
        (channel,) = events_of(server).streams._channels.values()
        await server.clock.advance(0.249999)
        assert channel.has_untold
        await server.clock.advance(0.000001)
        assert await stream.next("signal") == {"changed": ["created", "deleted"]}


async def test_a_reader_that_comes_back_goes_on_behind_the_last_that_it_knows(server):
    async with reading(server) as stream:
        ids = [await server.new() for _ in range(3)]
        await server.clock.advance(1)
        first, *_ = await stream.frames(3)
    ids.append(await server.new())
    async with reading(server, last_id=first.id) as stream:
        assert stream.first.id == first.id
        assert [(await stream.next("created"))["id"] for _ in range(3)] == ids[1:]
        await server.clock.advance(1)
        ids.append(await server.new())
        assert (await stream.next("created"))["id"] == ids[-1]
    async with reading(server, "?signals=1", last_id=first.id) as stream:
        assert await stream.next("signal") == {"changed": ["created"]}


async def test_a_reader_that_comes_back_is_told_no_more_than_a_hundred_a_second(server):
    async with reading(server) as stream:
        first = stream.first
    await server.call("POST", "/tasks/batch", [webhook() for _ in range(250)])
    async with reading(server, last_id=first.id) as stream:
        assert len({each.id for each in await stream.frames(100)}) == 100
        for seconds, count in ((1, 100), (1, 50)):
            await holds(lambda: server.clock._calls)
            await server.clock.advance(seconds)
            assert {each.event for each in await stream.frames(count)} == {"created"}
        await server.clock.advance(1)
        task_id = await server.new()
        assert (await stream.next("created"))["id"] == task_id


@pytest.mark.parametrize("last_id", ["nonsense", "x/1/2", "{node}/17/1", "{node}/{start}/2", "{other}/{start}/0"])
async def test_one_that_cannot_go_on_is_told_so(server, last_id):
    other = "00000000-0000-0000-0000-000000000000"
    last_id = last_id.format(node=server.store.node_id, start=server.clock.now(), other=other)
    async with reading(server, last_id=last_id) as stream:
        assert "reason" in await stream.next("reset")
        task_id = await server.new()
        assert (await stream.next("created"))["id"] == task_id


async def test_so_is_one_that_was_away_for_more_events_than_are_kept(server):
    async with reading(server) as stream:
        first = stream.first
    for _ in range(2):
        await server.call("POST", "/tasks/batch", [webhook() for _ in range(5_000)])
    async with reading(server, last_id=first.id) as stream:
        assert (await stream.frame()).event == "created", "exactly as many"
    await server.new()
    async with reading(server, last_id=first.id) as stream:
        assert (await stream.frame()).event == "reset"


async def test_recording_goes_on_for_a_minute_after_the_last_reader_has_left(server):
    events = events_of(server)
    assert not events.is_on
    async with reading(server) as stream:
        first = stream.first
        assert events.is_on
    await holds(lambda: not events._readers)
    await server.clock.advance(59.999999)
    task_id = await server.new()
    async with reading(server, last_id=first.id) as stream:
        assert (await stream.next("created"))["id"] == task_id
    await holds(lambda: not events._readers)
    await server.clock.advance(60)
    assert not events.is_on
    async with reading(server, last_id=first.id) as stream:
        assert (await stream.frame()).event == "reset"


async def test_a_comment_every_fifteen_seconds_says_up_to_where_there_was_nothing_to_tell(server):
    async with reading(server, "?type=webhook") as stream:
        await holds(lambda: server.clock._calls)
        await server.new()
        for _ in range(2):
            await server.clock.advance(14.999999)
            await server.call("GET", "/stats")  # what was sent before the answer has come by now
            assert stream.is_read()
            await server.clock.advance(0.000001)
            frame = await stream.frame()
            assert frame.text.startswith(": keep-alive")
            assert frame.event is None
            assert frame.id.endswith("/1")


async def test_a_drain_ends_all_streams_in_order(server):
    async with reading(server) as stream:
        await server.service.tasks._engine.drain(timedelta(0))
        assert (await stream.next("node"))["change"] == "stopping"
        assert "come back" in (await stream.next("closing"))["reason"]
        assert await stream.frame() is None
    assert "stopping" in await server.refused("GET", "/events", status=503)


async def test_readers_take_the_places_of_those_who_wait(server):
    waiters = server.service.tasks._engine.waiters
    waiters._room = 1
    async with reading(server):
        reply = await server.call("GET", "/events")
        assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "too_many_readers", "5")
        task_id = await server.new()
        assert (await server.call("GET", f"/tasks/{task_id}?wait=60")).json["hash"]["state"] == "todo"
    await holds(lambda: waiters._count == 0)


@pytest.mark.parametrize("how", ["hang_up", "close"])
async def test_a_reader_who_hangs_up_makes_room(server, how):
    async with reading(server) as stream:
        if how == "hang_up":
            stream.hang_up()
        else:
            await stream.close()
        await holds(lambda: not events_of(server)._readers)
    assert not events_of(server).streams._channels
    assert server.service.tasks._engine.waiters._count == 0


async def test_a_reader_who_is_too_slow_is_cut_off_and_the_others_are_not(server):
    connection = await server.connect(limit=1)
    await connection.send(rest_server.request_bytes("GET", "/events"))
    await holds(lambda: events_of(server).streams._channels)
    (channel,) = events_of(server).streams._channels.values()
    (slow,) = channel.subscribers
    async with reading(server) as stream:
        await holds(lambda: len(channel.subscribers) == 2)
        slow.news, slow.push = asyncio.Event(), lambda _: False  # as if its connection took nothing any more
        for _ in range(11):
            await server.call("POST", "/tasks/batch", [rest_server.WEBHOOK for _ in range(100)])
            await server.clock.advance(1)
            await stream.frames(100)
        await holds(lambda: len(events_of(server)._readers) == 1)
        await server.new()
        assert (await stream.frame()).event == "created"


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


async def test_the_stream_of_a_key_ends_when_it_is_revoked_and_the_others_go_on(server):
    async def made(name, sent):
        reply = await server.call("POST", "/keys", {"name": name, "role": "admin"}, headers=sent)
        return reply.json["id"], {"authorization": f"Bearer {reply.json['key']}"}

    async with reading(server) as without_key:
        _, admin = await made("admin", None)
        assert "key" in (await without_key.next("closing"))["reason"], "keys are asked for now"
    id_, other = await made("other", admin)
    async with reading(server, headers=other) as stream, reading(server, headers=admin) as stays:
        await server.call("DELETE", f"/keys/{id_}", headers=admin)
        assert "key" in (await stream.next("closing"))["reason"]
        assert await stream.frame() is None
        await server.call("POST", "/tasks/new", rest_server.HASH, headers=admin)
        assert (await stays.next("created"))["type"] == "hash"


async def test_many_readers_are_told_less_often_but_not_those_of_signals(server):
    async with reading(server) as stream, reading(server, "?signals=1") as signals:
        events_of(server).streams._readers = 600
        for expected in ("created", "signal"):
            await server.new()
            await (stream if expected == "created" else signals).next(expected)
            await server.clock.advance(2)
            await stream.next("created") if expected == "signal" else await signals.next("signal")
        await server.new()
        await stream.next("created")
        await signals.next("signal")
        await server.new()
        (single,) = (each for each in events_of(server).streams._channels.values() if not each.is_signals)
        (subscriber,) = single.subscribers
        await server.clock.advance(0.25)
        await signals.next("signal")
        await server.clock.advance(0.749999)
        assert subscriber.cursor < single.end
        await server.clock.advance(0.000001)
        await stream.next("created")
        events_of(server).streams._readers = 1
