"""What the engine tells readers of events: attempts, and what the store does by itself."""

import asyncio
from datetime import timedelta

import pytest

from tasker.engine.events import Events
from tasker.event_filters import Interest
from tasker.model.circuit import FIRST_WAIT, THRESHOLD
from tasker.model.event import EventKind
from tasker.model.task import State

pytestmark = pytest.mark.anyio


@pytest.fixture
def kept():
    return {"keep_done": timedelta(seconds=30)}


@pytest.fixture
def told(bench):
    """What is told: of each event the kind, the state, the code and the number of the attempt."""
    reader = bench.engine.events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
    yield lambda: [
        (event.kind.value, event.state, event.code, event.attempt)
        for _, event in bench.engine.events.streams.ring.after(0)
    ]
    reader.leave()


async def test_an_attempt_that_succeeds(bench, told):
    await bench.add("succeed", at=1)
    await bench.clock.advance(1)
    assert told() == [("started", "in_progress", None, 1), ("ended", "done", None, 1)]


async def test_attempts_that_fail_until_none_is_left(bench, told):
    await bench.add("fail", at=1, max_attempts=2, initial_delay=5, jitter=0)
    await bench.clock.advance(1)
    assert told() == [("started", "in_progress", None, 1), ("ended", "todo", "no", 1)]
    (_, first), (_, second) = bench.engine.events.streams.ring.after(0)
    assert second.due_at - first.due_at == 5_000_000, "when the next one is due"
    await bench.clock.advance(5)
    assert told()[2:] == [("started", "in_progress", None, 2), ("ended", "failed", "no", 2)]


async def test_an_attempt_that_is_given_back(bench, told):
    await bench.add("hang", at=1)
    await bench.clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(0)))
    await bench.clock.advance(10)
    await draining
    assert ("ended", "todo", None, 1) in told()


async def test_a_task_that_was_cancelled_while_it_ran(bench, told):
    task = await bench.add("wait", at=1)
    await bench.clock.advance(1)
    await bench.store.cancel(task)
    bench.types[0].may_end.set()
    await bench.clock.advance(1)
    assert told()[-1][:2] == ("ended", "done"), "it has succeeded"


async def test_a_task_that_expires_and_the_callback_that_follows(bench, told):
    for _ in range(2):
        bench.engine.slots.take(bench.types[0].pool)
    task = await bench.add("succeed", at=1, expires=2, told={"on_failure": "http://localhost:9000/failed"})
    await bench.clock.advance(3)
    assert told() == [("created", "todo", None, None), ("ended", "failed", "expired", None)]
    (_, callback), (_, ended) = bench.engine.events.streams.ring.after(0)
    assert (callback.type, callback.destination) == ("webhook", "http://localhost:9000")
    assert (ended.id, ended.destination) == (task, "scripted")


async def test_what_a_dead_process_left_running_is_told_when_it_is_taken_back(idle_bench):
    bench, events = idle_bench, idle_bench.engine.events
    task = await bench.add("succeed", at=1, announce=False)
    await bench.clock.step(1)
    await bench.store.claim_due({bench.types[0].pool: 1})
    bench.store._writer._moves.recoverer._node = bytes(16)
    reader = events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
    await events.with_reports(bench.engine._recovery.run_once)()
    ((_, event),) = events.streams.ring.after(0)
    assert (event.kind, event.id, event.state) == (EventKind.ENDED, task, "todo")
    reader.leave()


async def test_what_is_pruned_is_told_as_a_number(bench, told):
    for _ in range(3):
        await bench.add("succeed", at=1)
    await bench.clock.advance(1)
    await bench.clock.advance(120)
    (_, event) = list(bench.engine.events.streams.ring.after(0))[-1]
    assert (event.kind, event.change, event.count, event.id) == ("deleted", "pruned", 3, None)


async def test_fields_that_cannot_be_read_are_no_hindrance(bench, told):
    await bench.add("", at=1, payload=b'{"do": 7, "tags": ["a"]}')
    await bench.clock.advance(1)
    assert told() == [("ended", "failed", "unreadable_payload", 1)]


async def test_another_node_that_begins_to_read_is_told_of_kinds_that_stand_in_the_next_signal_here(bench, monkeypatch):
    events, told = bench.engine.events, []
    monkeypatch.setattr(events.telling, "add", lambda event: told.append(event.kind))
    reader = events.join(Interest(), is_signals=True, push=lambda _: False, cut=lambda: None)
    for _ in range(2):
        await bench.add("succeed", at=1)
    await bench.clock.advance(1)
    assert {"started", "ended"} <= events.streams.heard, "both are still to be told here"
    events.telling.wanted(60)
    await bench.add("succeed", at=1)
    await bench.clock.advance(0)
    assert told == ["started", "ended"]
    reader.leave()


async def test_without_readers_nothing_is_noted(bench, monkeypatch):
    noted = []
    monkeypatch.setattr(Events, "_note", lambda _, event: noted.append(event))
    task = await bench.add("fail", at=1, max_attempts=2, initial_delay=1)
    await bench.add("succeed", at=1, expires=2)
    await bench.clock.advance(100)
    assert (await bench.store.get(task)).state is State.FAILED
    assert noted == []


async def test_a_circuit_that_opens_and_closes_is_told_with_the_name_of_its_destination(bench, told):
    def turns():
        return [
            (event.change, event.destination)
            for _, event in bench.engine.events.streams.ring.after(0)
            if event.kind is EventKind.DESTINATION
        ]

    for at in range(1, THRESHOLD + 1):
        await bench.add("fail by the destination's fault", at=at, host="http://a.example:80", max_attempts=1)
        assert turns() == []
        await bench.clock.advance(1)
    assert turns() == [("opened", "scripted")]
    await bench.add("succeed", at=THRESHOLD, host="http://a.example:80")
    await bench.clock.advance(FIRST_WAIT.total_seconds() + 1)
    assert turns()[1:] == [("closed", "scripted")]
