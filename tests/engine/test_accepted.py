"""Attempts that are accepted: the slot is free at once, and the deadline is kept to."""

import asyncio
from datetime import timedelta

import pytest

from tasker.event_filters import Interest
from tasker.interfaces.queue import Claim
from tasker.model.attempt import Accepted, Failed, Succeeded
from tasker.model.instants import SECOND
from tasker.model.task import Fault, State

pytestmark = pytest.mark.anyio


@pytest.fixture
def slots():
    return 1


@pytest.fixture
def accepting(bench):
    """Has every attempt of the first type that is to ``accept`` be accepted for a minute."""
    task_type = bench.types[0]
    end = task_type._end

    async def accept(do):
        return Accepted(timedelta(minutes=1)) if do == "accept" else await end(do)

    task_type._end = accept
    return bench


async def states(bench, *task_ids):
    return [(await bench.store.get(task_id)).state for task_id in task_ids]


async def test_an_accepted_attempt_holds_no_slot_and_no_drain(accepting):
    first = await accepting.add("accept", at=1)
    second = await accepting.add("succeed", at=1)
    await accepting.clock.advance(1)
    assert [task_id for task_id, *_ in accepting.starts] == [first, second], "there is one slot"
    assert await states(accepting, first, second) == [State.IN_PROGRESS, State.DONE]
    assert accepting.telemetry.done == 1

    draining = asyncio.ensure_future(accepting.engine.drain(timedelta(seconds=30)))
    await accepting.clock.advance(0.001)
    assert draining.done(), "nothing is waited for"
    assert await states(accepting, first) == [State.IN_PROGRESS]


async def test_a_deadline_that_passes_fails_the_attempt_and_its_retry_comes(accepting):
    task_id = await accepting.add("accept", at=1, max_attempts=2, initial_delay=10, jitter=0)
    await accepting.clock.advance(1)
    task = await accepting.store.get(task_id)
    assert task.deadline == accepting.clock.now() + 60 * SECOND
    await accepting.clock.advance(59.999)
    assert await states(accepting, task_id) == [State.IN_PROGRESS]

    await accepting.clock.advance(0.001)
    task = await accepting.store.get(task_id)
    assert (task.state, task.last_fault.code) == (State.TODO, "completion_timeout")
    assert accepting.telemetry.retried == 1
    await accepting.clock.advance(10)
    assert [number for _, number, _ in accepting.starts] == [1, 2]
    await accepting.clock.advance(60)
    assert await states(accepting, task_id) == [State.FAILED]
    assert accepting.telemetry.failed == 1
    (first, second) = await accepting.store.attempts(task_id)
    assert (first.fault.code, second.fault.code) == ("completion_timeout", "completion_timeout")


async def test_readers_of_events_are_told_that_it_was_accepted_and_until_when_it_waits(accepting):
    events = accepting.engine.events
    reader = events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
    await accepting.add("accept", at=1, max_attempts=1)
    await accepting.clock.advance(1)
    *_, (_, accepted) = events.streams.ring.after(0)
    until = accepting.clock.now() + 60 * SECOND
    await accepting.clock.advance(60)
    reader.leave()
    assert (accepted.state, accepted.attempt, accepted.deadline) == ("in_progress", 1, until)
    kinds = [event.kind.value for _, event in events.streams.ring.after(0)]
    assert kinds == ["started", "accepted", "ended"]


async def test_whoever_waits_for_the_end_is_told_of_a_deadline(accepting):
    task_id = await accepting.add("accept", at=1, max_attempts=1)
    with accepting.engine.waiters.joined(task_id) as over:
        await accepting.clock.advance(60.9)
        assert not over.is_set()
        await accepting.clock.advance(0.1)
        assert over.is_set()


async def running(bench):
    """A task whose attempt waits to be let end: its id, and its claim."""
    task_id = await bench.add("wait", at=1, max_attempts=2, initial_delay=10, jitter=0)
    await bench.clock.advance(1)
    (claim,) = await bench.store.claims()
    return task_id, claim


async def test_an_end_that_is_told_before_the_answer_counts_and_the_answer_is_void(bench):
    task_id, claim = await running(bench)
    assert await bench.engine.completions.end(claim, Succeeded(b"7")) is State.DONE
    assert bench.engine.slots.free[1] == 0, "the request is still under way"

    bench.types[0].may_end.set()
    await bench.clock.advance(0.001)
    task = await bench.store.get(task_id)
    assert (task.state, task.result) == (State.DONE, b"7")
    assert (bench.telemetry.done, bench.telemetry.claims_lost) == (1, 0)
    assert bench.telemetry.attempts == 1, "it is counted once"
    assert bench.engine.slots.free[1] == 1
    assert len(await bench.store.attempts(task_id)) == 1


async def test_a_failure_that_is_told_before_the_answer_is_followed_by_a_retry_in_time(bench):
    task_id, claim = await running(bench)
    assert await bench.engine.completions.end(claim, Failed(Fault("no_paper", "x"))) is State.TODO
    bench.types[0].may_end.set()
    await bench.clock.advance(0.001)
    assert (await bench.store.get(task_id)).last_fault.code == "no_paper"
    await bench.clock.advance(10)
    assert (await bench.store.get(task_id)).state is State.DONE
    assert [number for _, number, _ in bench.starts] == [1, 2]


async def test_a_drain_while_a_request_is_under_way_leaves_an_end_that_was_told(bench):
    task_id, claim = await running(bench)
    await bench.engine.completions.end(claim, Succeeded())
    before = await bench.store.get(task_id)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(0)))
    await bench.clock.advance(6)
    await draining
    assert await bench.store.get(task_id) == before
    assert before.state is State.DONE


async def test_a_moved_deadline_is_kept_to(accepting):
    task_id = await accepting.add("accept", at=1, max_attempts=1)
    await accepting.clock.advance(1)
    attempt = accepting.types[0].attempts[0]
    claim = Claim(task_id, attempt.fence)
    await accepting.clock.advance(59)
    await accepting.engine.completions.beat(claim, progress=None, msg=None, deadline=timedelta(seconds=5))
    await accepting.clock.advance(4.999)
    assert await states(accepting, task_id) == [State.IN_PROGRESS]
    await accepting.clock.advance(0.001)
    assert await states(accepting, task_id) == [State.FAILED]


async def test_a_deadline_that_was_moved_forward_is_kept_to_by_the_alarm(accepting):
    task_id = await accepting.add("accept", at=1, max_attempts=1)
    await accepting.clock.advance(1)
    claim = Claim(task_id, accepting.types[0].attempts[0].fence)
    await accepting.engine.completions.beat(claim, progress=None, msg=None, deadline=timedelta(seconds=0.25))
    await accepting.clock.advance(0.25)
    assert await states(accepting, task_id) == [State.FAILED]


async def test_a_cancel_of_an_accepted_task_is_counted_once(accepting):
    task_id = await accepting.add("accept", at=1)
    await accepting.clock.advance(1)
    await accepting.store.cancel(task_id)
    await accepting.clock.advance(120)
    assert await states(accepting, task_id) == [State.CANCELLED]
    assert accepting.telemetry.failed == accepting.telemetry.retried == 0
