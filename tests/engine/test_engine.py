"""The engine's promises, on the manual clock."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from databases import FOLLOW
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.errors import StoreUnavailableError, TaskRunningError
from tasker.model.task import Pool, State
from tasker.stores.sqlite.store import SqliteStore

pytestmark = pytest.mark.anyio


async def test_a_task_starts_at_its_due_time_and_not_before(bench, clock):
    task = await bench.add("succeed", at=5)

    await clock.advance(4.999999)
    assert bench.starts == []

    await clock.advance(0.000001)
    assert bench.starts == [(task, 1, 5)]
    assert (await bench.store.get(task)).state is State.DONE
    assert (await bench.telemetry.lateness())[0].max == 0


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
    assert (waiting.state, waiting.last_fault.code) == (State.TODO, "no")
    await clock.advance(100)
    assert bench.starts == [(task, 1, 1), (task, 2, 3), (task, 3, 13)]
    assert (await bench.store.get(task)).state is State.FAILED


@pytest.mark.parametrize("do", ["raise", "return nonsense"])
async def test_a_task_type_that_misbehaves_fails_its_own_attempt_alone(bench, clock, do):
    bad = await bench.add(do, at=1, max_attempts=1)
    good = await bench.add("succeed", at=2)
    await clock.advance(2)
    ended = await bench.store.get(bad)
    assert (ended.state, ended.last_fault.code) == (State.FAILED, "internal_error")
    assert "1234" not in ended.last_fault.msg
    assert (await bench.store.get(good)).state is State.DONE


async def test_an_attempt_that_hangs_is_settled_as_timeout_and_frees_its_slot(bench, clock):
    other = bench.types[1]
    hung = await bench.add("hang", at=1, type_=other, max_attempts=1)
    following = await bench.add("succeed", at=2, type_=other)
    await clock.advance(30.9)
    assert (await bench.store.get(hung)).state is State.IN_PROGRESS
    await clock.advance(0.1)
    assert (await bench.store.get(hung)).last_fault.code == "timeout"
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

    held = await bench.add("wait", at=1)
    others = [await bench.add("succeed", at=2), await bench.add("succeed", at=2)]
    await clock.advance(1.5)
    monkeypatch.setattr(bench.store, "claim_due", claim_while_what_runs_ends)
    await clock.advance(0.5)

    assert bench.starts == [(held, 1, 1), *((other, 1, 2) for other in others)]


# When an attempt begins


async def test_of_many_that_are_due_at_once_each_runs_once_in_the_order_of_their_times_and_of_their_arrival(
    bench, clock
):
    later = [await bench.add("succeed", at=2) for _ in range(50)]
    sooner = [await bench.add("succeed", at=1.5) for _ in range(50)]
    await clock.step(10)

    assert [task for task, *_ in bench.starts] == sooner + later


async def test_an_attempt_that_follows_after_less_than_a_second_is_on_time(bench, clock):
    task = await bench.add("fail", at=1, max_attempts=2, initial_delay=0.3, jitter=0)
    await clock.advance(2)

    assert bench.starts == [(task, 1, 1), (task, 2, 1.3)]


async def test_a_task_that_is_stored_while_a_claim_runs_is_not_overlooked(bench, clock, monkeypatch):
    claim_due, added = bench.store.claim_due, []

    async def claim_while_a_task_is_stored(free):
        claimed = await claim_due(free)
        if not added:
            added.append(await bench.add("succeed", at=1.3))
        return claimed

    await clock.advance(0.5)
    monkeypatch.setattr(bench.store, "claim_due", claim_while_a_task_is_stored)
    await clock.advance(1)

    assert bench.starts == [(added[0], 1, 1.3)]


async def test_lateness_is_measured_where_the_task_type_says_that_it_starts(bench, clock):
    task = await bench.add("prepare a second, then succeed", at=5)
    await clock.advance(6)

    assert (await bench.telemetry.lateness())[0].max == 1
    assert (await bench.store.get(task)).started_at == clock.now()


async def test_an_attempt_that_does_not_say_when_it_starts_has_started_when_it_was_run(bench, clock):
    task = await bench.add("succeed without a word", at=5)
    await clock.advance(6)

    done = await bench.store.get(task)
    assert (done.state, done.started_at) == (State.DONE, done.due_at)


async def test_a_task_of_a_type_that_this_server_lacks_ends_failed_at_once(bench, clock):
    task = await bench.add("succeed", at=1, type_=type(bench.types[0])(clock, name="gone"))
    following = await bench.add("succeed", at=1)
    await clock.advance(1)

    ended = await bench.store.get(task)
    assert (ended.state, ended.last_fault.code) == (State.FAILED, "unknown_task_type")
    assert "gone" in ended.last_fault.msg
    assert (await bench.store.get(following)).state is State.DONE


# Attempts that do not end


async def test_after_a_timeout_the_task_runs_again_while_its_hung_attempt_still_holds_a_slot(bench, clock):
    scripted = bench.types[0]
    task = await bench.add("hang like a thread", at=1, max_attempts=3, initial_delay=1, jitter=0)
    await clock.advance(32)
    assert scripted.starts == [(task, 1, 1), (task, 2, 32)]
    assert bench.engine.slots.free[scripted.pool] == 0

    scripted.may_end.set()
    await clock.advance(0)

    ended = await bench.store.get(task)
    assert (ended.state, ended.attempts) == (State.DONE, 2)
    assert (bench.telemetry.retried, bench.telemetry.done, bench.telemetry.attempts) == (1, 1, 2), (
        "the late result is void"
    )
    assert bench.engine.slots.free[scripted.pool] == 2


async def test_setting_the_clock_forth_does_not_end_an_attempt(bench, clock):
    task = await bench.add("wait", at=1)
    await clock.advance(1)

    await clock.step(3600)
    await clock.advance(20)
    assert (await bench.store.get(task)).state is State.IN_PROGRESS

    bench.types[0].may_end.set()
    await clock.advance(0)
    assert (await bench.store.get(task)).state is State.DONE


async def test_an_answer_that_came_in_time_counts_when_the_timer_rings_before_it_is_read(bench, clock):
    """As after a pause of the process: the timer is overdue, and the answer waits to be read."""
    loop, scripted = asyncio.get_running_loop(), bench.types[0]
    task = await bench.add("wait", at=1, max_attempts=1)
    clock.call_later(31, lambda: loop.call_soon(scripted.may_end.set))
    await clock.advance(31)

    assert (await bench.store.get(task)).state is State.DONE


# Claims that are lost


async def test_the_result_of_an_attempt_whose_claim_is_lost_is_discarded_and_counted(bench, clock):
    scripted = bench.types[0]
    task = await bench.add("wait", at=1)
    await clock.advance(1)
    await bench.store.give_back(scripted.attempts[0])  # as when another node had found this one dead
    await clock.advance(1)
    assert [number for _, number, _ in scripted.starts] == [1, 1], "numbers count, they do not fence"

    with capture_logs() as logged:
        scripted.may_end.set()
        await clock.advance(0)

    assert (await bench.store.get(task)).state is State.DONE
    assert (bench.telemetry.claims_lost, bench.telemetry.done) == (1, 1)
    assert [line["task_id"] for line in logged if "claim is lost" in line["event"]] == [task]
    assert bench.engine.slots.free[scripted.pool] == 2


async def test_that_the_claim_of_an_attempt_that_hangs_is_lost_is_found_out_at_its_timeout(bench, clock):
    scripted = bench.types[0]
    task = await bench.add("hang like a thread", at=1, max_attempts=1)
    await clock.advance(1)
    await bench.store.give_back(scripted.attempts[0])
    await clock.advance(29.9)
    with capture_logs() as logged:
        await clock.advance(0.1)

    assert [line["task_id"] for line in logged if "claim is lost" in line["event"]] == [task]
    assert bench.telemetry.claims_lost == 1
    scripted.may_end.set()
    await clock.advance(0)
    assert ((await bench.store.get(task)).state, bench.telemetry.claims_lost) == (State.DONE, 1)


# What the service sees of it


async def test_a_pool_has_a_slot_until_all_are_taken(bench, clock):
    scripted = bench.types[0]
    assert not bench.engine.has_slot(Pool(77)), "nobody runs it here"
    for taken in range(2):
        assert bench.engine.has_slot(scripted.pool)
        await bench.add("wait", at=1)
        await clock.advance(1 - taken)
    assert not bench.engine.has_slot(scripted.pool)
    assert bench.engine.has_slot(bench.types[1].pool)


async def test_a_node_is_unready_while_its_store_ails_and_when_it_stops(bench, clock, monkeypatch):
    assert bench.engine.unready() is None
    monkeypatch.setattr(type(bench.store), "ailment", "the disk is full")
    assert bench.engine.unready() == "the disk is full"
    await bench.engine.drain(timedelta(0))
    assert bench.engine.unready() == "the server is stopping"


async def test_a_node_is_unready_while_its_machine_lacks_what_attempts_need(clock):
    store = SqliteStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    lacking = ["file descriptors"]
    engine = Engine(
        store,
        [],
        Telemetry(),
        rand=lambda: 0.5,
        rewriting=lambda _: None,
        lacks=lambda: lacking[0] if lacking else None,
    )
    assert engine.unready() == "file descriptors"
    lacking.clear()
    assert engine.unready() is None
    await store.close()


async def test_a_ring_makes_it_look_at_once(bench, clock):
    await clock.advance(0.1)
    task = await bench.add("succeed", at=0.2, announce=False)
    await clock.advance(0.2)
    bench.engine.ring()
    await clock.advance(0)
    assert bench.starts == [(task, 1, 0.3)]


# A store that fails


@pytest.mark.parametrize("error", [StoreUnavailableError("an input/output error"), ZeroDivisionError("a defect")])
async def test_a_claim_that_fails_is_made_again_within_a_second(bench, clock, monkeypatch, error):
    claim_due = bench.store.claim_due

    async def failing(_):
        raise error

    task = await bench.add("succeed", at=5)
    monkeypatch.setattr(bench.store, "claim_due", failing)
    with capture_logs() as logged:
        await clock.advance(7.5)
    assert bench.starts == []
    assert len([line for line in logged if "trying again" in line["event"]]) == 8, "at once, then every second"

    monkeypatch.setattr(bench.store, "claim_due", claim_due)
    await clock.advance(1)
    assert [start[0] for start in bench.starts] == [task]


async def test_an_end_that_is_being_written_is_not_cut_short_by_a_drain(bench, clock, monkeypatch):
    settle = bench.store.settle

    async def failing(*_):
        raise StoreUnavailableError("an input/output error")

    task = await bench.add("succeed", at=1)
    monkeypatch.setattr(bench.store, "settle", failing)
    await clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=0)))
    await clock.advance(2)
    assert not draining.done()
    monkeypatch.setattr(bench.store, "settle", settle)
    await clock.advance(1)
    await draining

    assert (await bench.store.get(task)).state is State.DONE
    assert bench.telemetry.given_back == 0


async def test_a_give_back_is_repeated_while_the_store_fails(bench, clock, monkeypatch):
    give_back = bench.store.give_back

    async def failing(*_):
        raise StoreUnavailableError("an input/output error")

    task = await bench.add("hang", at=1)
    await clock.advance(1)
    monkeypatch.setattr(bench.store, "give_back", failing)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=0)))
    await clock.advance(2)
    assert not draining.done()
    monkeypatch.setattr(bench.store, "give_back", give_back)
    await clock.advance(1)
    await draining

    assert ((await bench.store.get(task)).state, bench.telemetry.given_back) == (State.TODO, 1)


# Draining


async def test_a_drain_leaves_behind_what_ignores_its_cancellation(bench, clock):
    task = await bench.add("hang like a thread", at=1)
    await clock.advance(1)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(seconds=3)))
    await clock.advance(3)
    assert (await bench.store.get(task)).state is State.TODO, "it is given back all the same"
    assert not draining.done()

    with capture_logs() as logged:
        await clock.advance(5)
        await draining

    assert [line["task_id"] for line in logged if line["event"] == "left an attempt behind"] == [task]
    await bench.engine.drain(timedelta(0))  # comes again when everything is closed: the clock does not go on
    bench.types[0].may_end.set()
    await clock.advance(0)
    given_back = await bench.store.get(task)
    assert (given_back.state, given_back.attempts) == (State.TODO, 0), "its late result is void"


async def test_what_a_claim_takes_while_a_drain_begins_is_run(bench, clock, monkeypatch):
    claim_due = bench.store.claim_due

    async def claim_while_a_drain_begins(free):
        claimed = await claim_due(free)
        bench.engine.queue.stop()
        return claimed

    task = await bench.add("succeed", at=1)
    await clock.advance(0.5)
    monkeypatch.setattr(bench.store, "claim_due", claim_while_a_drain_begins)
    await clock.advance(0.5)
    await bench.engine.drain(timedelta(seconds=30))

    assert (await bench.store.get(task)).state is State.DONE


async def test_a_drain_may_come_twice_and_without_a_start(idle_bench):
    await idle_bench.engine.drain(timedelta(seconds=30))
    await idle_bench.engine.drain(timedelta(seconds=30))


# Recovery


async def crash(bench, task):
    """Leave *task* running and let another process take over the store."""
    claimed = await bench.store.claim_due({bench.types[0].pool: 1})
    assert [attempt.task_id for attempt in claimed.attempts] == [task]
    moves = bench.store._writer._moves
    moves.claimer._node = moves.recoverer._node = bytes(reversed(moves.claimer._node))
    bench.store._has_taken_back = False


async def test_what_a_dead_process_left_running_runs_again_at_once_without_having_used_up_an_attempt(idle_bench, clock):
    task = await idle_bench.add("fail", at=1, max_attempts=1)
    await clock.step(5)
    await crash(idle_bench, task)

    await idle_bench.engine.start()
    await clock.advance(0)

    assert idle_bench.starts == [(task, 1, 5)]
    ended = await idle_bench.store.get(task)
    assert (ended.state, ended.attempts, ended.crashes) == (State.FAILED, 1, 0), (
        "an attempt with an end resets the count"
    )
    assert idle_bench.telemetry.taken_back == 1


async def test_the_third_crash_in_a_row_ends_a_task_and_the_others_run(idle_bench, clock):
    task = await idle_bench.add("succeed", at=1)
    await clock.step(5)
    for crashes in (1, 2, 3):
        await crash(idle_bench, task)
        if crashes < 3:
            await idle_bench.store.take_back()
            assert (await idle_bench.store.get(task)).crashes == crashes
    other = await idle_bench.add("succeed", at=1)

    await idle_bench.engine.start()
    await clock.advance(0)

    ended = await idle_bench.store.get(task)
    assert (ended.state, ended.last_fault.code, ended.attempts) == (State.FAILED, "crashed_worker", 0)
    assert [start[0] for start in idle_bench.starts] == [other]
    assert (idle_bench.telemetry.taken_back, idle_bench.telemetry.failed) == (1, 1)


async def test_attempts_are_counted_by_what_came_of_them(bench, clock):
    await bench.add("fail", at=1, max_attempts=3, initial_delay=1, factor=1, jitter=0)
    await bench.add("succeed", at=1)
    running = await bench.add("wait", at=10, max_attempts=1)
    await clock.advance(10)
    await bench.store.cancel(running)
    await clock.advance(60)
    counts = {outcome: dict(by_type) for outcome, by_type in bench.telemetry.ended_by_type.items()}
    name = bench.types[0].name
    assert counts == {"succeeded": {name: 1}, "retried": {name: 2}, "failed": {name: 1}, "cancelled": {name: 1}}
    assert sum(sum(by_type.values()) for by_type in counts.values()) == bench.telemetry.attempts
