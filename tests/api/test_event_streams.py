"""``GET /events`` as a stream: how often a reader is told, where it goes on, and how it ends."""

import asyncio
from datetime import timedelta

import pytest
import rest_server
from event_reading import events_of, reading
from fates import webhook

from polling import holds

pytestmark = pytest.mark.anyio


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


async def test_of_events_that_nobody_wants_singly_the_kinds_are_kept(server):
    async with reading(server, "?signals=1") as stream:
        await server.new()
        signal = await stream.frame()
        await server.new()
    async with reading(server, "?signals=1", last_id=signal.id) as stream:
        assert await stream.next("signal") == {"changed": ["created"]}
    for query in ("", "?signals=1&state=todo"):
        async with reading(server, query, last_id=signal.id) as stream:
            assert "reason" in await stream.next("reset")
            task_id = await server.new()
            known = await stream.frame()
            assert known.data == {"changed": ["created"]} if query else known.data["id"] == task_id


async def test_what_follows_a_place_is_kept_although_others_have_yet_to_hear_of_its_kind(server):
    async with reading(server, "?signals=1") as stream:
        await server.new()
        await stream.next("signal")
        await server.new()  # the signal of which comes a quarter of a second after the first
        async with reading(server, "?signals=1") as other:
            place = other.first.id
        await server.new()
        async with reading(server, "?signals=1", last_id=place) as other:
            assert await other.next("signal") == {"changed": ["created"]}


async def test_events_of_a_kind_that_all_will_hear_of_are_not_recorded_one_by_one(server):
    async with reading(server, "?signals=1") as stream:
        await server.new()
        await stream.next("signal")
        for _ in range(5):
            await server.new()
        assert events_of(server).streams.ring.last == 2
        await server.clock.advance(0.25)
        assert await stream.next("signal") == {"changed": ["created"]}
        await server.new()
        assert events_of(server).streams.ring.last == 3


async def test_events_are_kept_singly_from_the_first_reader_on_who_wants_them(server):
    async with reading(server, "?signals=1") as signals:
        await server.new()
        await signals.next("signal")
        async with reading(server) as stream:
            first = stream.first
        await server.clock.advance(1)
        task_id = await server.new()
        assert await signals.next("signal") == {"changed": ["created"]}
        async with reading(server, last_id=first.id) as stream:
            assert (await stream.next("created"))["id"] == task_id


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


async def test_many_readers_of_signals_are_told_at_most_every_second(server):
    async with reading(server, "?signals=1") as signals:
        events_of(server).streams._watchers = 20
        await server.new()
        await signals.next("signal")
        (channel,) = events_of(server).streams._channels.values()
        (subscriber,) = channel.subscribers
        await server.new()
        await server.clock.advance(0.999999)
        assert subscriber.cursor == channel.end, "it was told of what nobody was to know yet"
        assert channel.has_untold
        await server.clock.advance(0.000001)
        assert await signals.next("signal") == {"changed": ["created"]}
        events_of(server).streams._watchers = 1


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
