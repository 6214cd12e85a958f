"""The engine's promises, on the manual clock."""

import asyncio
from datetime import timedelta

import pytest

from tasker.errors import StoreUnavailableError, TaskRunningError
from tasker.model.task import State

pytestmark = pytest.mark.anyio


async def test_a_task_starts_at_its_due_time_and_not_before(bench, clock):
    task = await bench.add("succeed", at=5)

    await clock.advance(4.999999)
    assert bench.starts == []

    await clock.advance(0.000001)
    assert bench.starts == [(task, 1, 5)]
    assert (await bench.store.get(task)).state is State.DONE
    assert bench.telemetry.lateness().max == 0


async def test_an_earlier_task_moves_the_alarm(bench, clock):
    late = await bench.add("succeed", at=0.9)
    await clock.advance(0.1)
    early = await bench.add("succeed", at=0.4)
    await clock.advance(1)
    assert bench.starts == [(early, 1, 0.4), (late, 1, 0.9)]


async def test_a_deleted_task_never_starts(bench, clock):
    task = await bench.add("succeed", at=5)
    await clock.advance(4.999999)
    await bench.store.delete(task)
    await clock.advance(10)
    assert bench.starts == []


async def test_a_failed_attempt_is_followed_by_others_until_none_is_left(bench, clock):
    task = await bench.add("fail", at=1, max_attempts=3, initial_delay=2, factor=5, jitter=0)
    await clock.advance(1)
    waiting = await bench.store.get(task)
    assert (waiting.state, waiting.last_error.code) == (State.TODO, "no")
    await clock.advance(100)
    assert bench.starts == [(task, 1, 1), (task, 2, 3), (task, 3, 13)]
    assert (await bench.store.get(task)).state is State.FAILED


@pytest.mark.parametrize("do", ["raise", "return nonsense"])
async def test_a_task_type_that_misbehaves_fails_its_own_attempt_alone(bench, clock, do):
    bad = await bench.add(do, at=1, max_attempts=1)
    good = await bench.add("succeed", at=2)
    await clock.advance(2)
    ended = await bench.store.get(bad)
    assert (ended.state, ended.last_error.code) == (State.FAILED, "internal_error")
    assert "1234" not in ended.last_error.msg
    assert (await bench.store.get(good)).state is State.DONE


async def test_an_attempt_that_hangs_is_settled_as_timeout_and_frees_its_slot(bench, clock):
    other = bench.types[1]
    hung = await bench.add("hang", at=1, type_=other, max_attempts=1)
    following = await bench.add("succeed", at=2, type_=other)
    await clock.advance(30.9)
    assert (await bench.store.get(hung)).state is State.IN_PROGRESS
    await clock.advance(0.1)
    assert (await bench.store.get(hung)).last_error.code == "timeout"
    assert (await bench.store.get(following)).state is State.DONE


async def test_a_thread_that_cannot_be_cancelled_keeps_its_slot_and_its_late_result_is_void(bench, clock):
    other = bench.types[1]
    hung = await bench.add("hang like a thread", at=1, type_=other, max_attempts=1)
    following = await bench.add("succeed", at=2, type_=other)
    await clock.advance(60)
    assert (await bench.store.get(hung)).state is State.FAILED
    assert (await bench.store.get(following)).state is State.TODO, "its slot is still taken"

    other.may_end.set()
    await clock.advance(1)
    assert (await bench.store.get(hung)).state is State.FAILED
    assert (await bench.store.get(following)).state is State.DONE


async def test_slots_bound_what_runs_at_once_and_pools_do_not_wait_for_each_other(bench, clock):
    scripted, other = bench.types
    waiting = [await bench.add("wait", at=1) for _ in range(3)]
    free = await bench.add("succeed", at=1, type_=other)
    await clock.advance(5)
    assert [task for task, *_ in scripted.starts] == waiting[:2]
    assert [task for task, *_ in other.starts] == [free]

    scripted.may_end.set()
    await clock.advance(0)
    assert [task for task, *_ in scripted.starts] == waiting


async def test_a_running_task_cannot_be_deleted(bench, clock):
    task = await bench.add("wait", at=1)
    await clock.advance(1)
    with pytest.raises(TaskRunningError):
        await bench.store.delete(task)


async def test_a_drain_lets_running_attempts_end_and_claims_nothing_more(bench, clock):
    running, waiting = await bench.add("wait", at=1), await bench.add("succeed", at=2)
    await clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=30)))
    await clock.advance(5)
    assert not draining.done()
    bench.types[0].may_end.set()
    await clock.advance(0)
    await draining
    assert (await bench.store.get(running)).state is State.DONE
    assert (await bench.store.get(waiting)).state is State.TODO


async def test_what_still_runs_after_the_grace_period_is_given_back_unused(bench, clock):
    task = await bench.add("hang", at=1)
    await clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=3)))
    await clock.advance(2.9)
    assert (await bench.store.get(task)).state is State.IN_PROGRESS
    await clock.advance(0.1)
    await draining
    given_back = await bench.store.get(task)
    assert (given_back.state, given_back.attempts, given_back.crashes) == (State.TODO, 0, 0)


async def test_a_lost_wake_up_costs_at_most_a_second(bench, clock):
    await clock.advance(0.5)
    task = await bench.add("succeed", at=0.6, announce=False)
    await clock.advance(0.49)
    assert bench.starts == []
    await clock.advance(0.01)
    assert bench.starts == [(task, 1, 1.0)]


async def test_a_clock_set_forth_starts_what_is_due_then_and_one_set_back_waits_for_its_time(bench, clock):
    task = await bench.add("succeed", at=3600)
    await clock.step(3599)
    await clock.step(-1000)
    await clock.advance(1000.999999)
    assert bench.starts == []
    await clock.advance(0.000001)
    assert [start[0] for start in bench.starts] == [task]


async def test_an_end_that_cannot_be_written_is_written_later_and_its_slot_is_kept(bench, clock, monkeypatch):
    other = bench.types[1]
    settle = bench.store.settle

    async def failing(*_):
        raise StoreUnavailableError("an input/output error")

    monkeypatch.setattr(bench.store, "settle", failing)
    first, second = [await bench.add("succeed", at=1, type_=other) for _ in range(2)]
    await clock.advance(10)
    assert [task for task, *_ in other.starts] == [first]
    monkeypatch.setattr(bench.store, "settle", settle)
    await clock.advance(1)
    assert (await bench.store.get(first)).state is State.DONE
    assert [task for task, *_ in other.starts] == [first, second], "and the task was run once"


async def test_a_slot_that_is_released_while_a_claim_runs_is_used_at_once(bench, clock, monkeypatch):
    claim_due, pool = bench.store.claim_due, bench.types[0].pool

    async def claim_while_what_runs_ends(free):
        claimed = await claim_due(free)
        bench.types[0].may_end.set()
        while bench.engine.slots.running(pool):  # noqa: ASYNC110 - a few turns of the loop, no waiting
            await asyncio.sleep(0)
        return claimed

    held = await bench.add("hold", at=1)
    others = [await bench.add("succeed", at=2), await bench.add("succeed", at=2)]
    await clock.advance(1.5)
    monkeypatch.setattr(bench.store, "claim_due", claim_while_what_runs_ends)
    await clock.advance(0.5)

    assert bench.starts == [(held, 1, 1), *((other, 1, 2) for other in others)]
