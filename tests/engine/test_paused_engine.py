"""An engine while everything is paused. On the manual clock."""

from datetime import timedelta

import pytest
import structlog

from tasker.event_filters import interest_of
from tasker.model.instants import SECOND
from tasker.model.lateness import by_cause
from tasker.model.task import State

pytestmark = pytest.mark.anyio


async def test_nothing_starts_until_it_is_resumed_and_the_log_says_so(bench, clock):
    task = await bench.add("succeed", at=5)
    with structlog.testing.capture_logs() as lines:
        await bench.store.pause_all()
        await clock.advance(2)
        assert [line["event"] for line in lines] == ["everything is paused: no task starts until POST /resume"]
        assert lines[0]["log_level"] == "warning"
        await clock.advance(60)
        assert bench.starts == []

        await bench.store.resume_all()
        bench.engine.ring()
        await clock.advance(0)
        assert [line["event"] for line in lines[1:]] == ["tasks start again: everything was resumed"]
    assert bench.starts == [(task, 1, 62)]
    (kept,) = await bench.store.attempts(task)
    parts = by_cause(due_at=kept.due_at, started_at=kept.started_at, down=kept.late_down, held=kept.late_held)
    assert (parts.down, parts.held, parts.own) == (0, 57 * SECOND, 0)


async def test_an_engine_that_does_not_hear_of_it_goes_on_within_a_second(bench, clock):
    await bench.add("succeed", at=0)
    await bench.store.pause_all()
    await clock.advance(10)
    await bench.store.resume_all()
    await clock.advance(1)
    assert len(bench.starts) == 1


async def test_an_engine_that_starts_on_a_paused_store_starts_nothing_and_says_so(idle_bench, clock):
    await idle_bench.add("succeed", at=0)
    await idle_bench.store.pause_all()
    with structlog.testing.capture_logs() as lines:
        await idle_bench.engine.start()
        await clock.advance(10)
    assert idle_bench.starts == []
    assert [line["event"] for line in lines if "paused" in line["event"]] == [
        "everything is paused: no task starts until POST /resume"
    ]


async def test_what_runs_ends_and_what_expires_ends(bench, clock):
    running = await bench.add("wait", at=0)
    await clock.advance(1)
    await bench.store.pause_all()
    late = await bench.add("succeed", at=3, expires=20)
    bench.types[0].may_end.set()
    await clock.advance(30)
    assert (await bench.store.get(running)).state is State.DONE
    assert (await bench.store.get(late)).last_fault.code == "expired"
    assert not bench.engine.slots.running(bench.types[0].pool)


async def test_a_pause_does_not_keep_it_from_stopping(bench, clock):
    await bench.add("succeed", at=0)
    await bench.store.pause_all()
    await clock.advance(3)
    await bench.engine.drain(timedelta(0))
    assert bench.starts == []


async def test_readers_of_events_are_told_once_that_it_is_paused_and_once_that_it_goes_on(bench, clock):
    events = bench.engine.events
    told = []
    reader = events.join(interest_of({}), is_signals=False, push=lambda _: False, cut=lambda: None)
    record, events.streams.record = events.streams.record, lambda event: told.append(event) or record(event)

    await bench.store.pause_all()
    await clock.advance(3)
    assert [(event.kind, event.change) for event in told] == [("node", "paused")]

    await bench.store.resume_all()
    await clock.advance(3)
    assert [(event.kind, event.change) for event in told[1:]] == [("node", "resumed")]
    reader.leave()
