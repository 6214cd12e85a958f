"""Tasks whose time was said by the clocks of a zone, and what newer zones make of them."""

import pytest
from msgspec.structs import replace
from steps import SECOND, another_try, begin, claimed, work

from tasker.interfaces.queue import REZONE_LIMIT
from tasker.model.change import Change
from tasker.model.instants import text
from tasker.model.new_task import NewTask, OnConflict, Outcome
from tasker.model.operation import Action
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

OLD, NEW = "2027a", "2027b"
SAID = {"local_time": "2027-03-28T02:30:00", "time_zone": "Europe/Berlin", "zones": OLD}


def a_local_task(clock, *, in_seconds=100, zones=OLD, **members):
    return replace(a_task(due_at=clock.now() + in_seconds * SECOND), **SAID | {"zones": zones} | members)


def said(task):
    return {name: getattr(task, name) for name in SAID}


def times(task):
    return task.due_at, task.execution_at, task.execution_time


NOTHING_SAID = dict.fromkeys(SAID)


async def stored(store, clock, **how):
    task = a_local_task(clock, **how)
    await store.create([task])
    return task


async def test_a_local_time_is_kept_beside_the_moment_and_plain_tasks_have_none(store, clock):
    local, plain = a_local_task(clock), a_task(due_at=clock.now() + SECOND)
    await store.create([local, plain])
    assert said(await store.get(local.id)) == SAID
    assert said(await store.get(plain.id)) == NOTHING_SAID


async def test_one_that_replaces_another_brings_its_time_and_one_that_is_made_with_a_key_too(store, clock):
    first = replace(a_task(due_at=clock.now() + SECOND), key="k", holds_key=True)
    second = a_local_task(clock, key="k", holds_key=True)
    third = replace(a_task(due_at=clock.now() + 5 * SECOND), key="k", holds_key=True)
    for task, expected in ((first, NOTHING_SAID), (second, SAID), (third, NOTHING_SAID)):
        (made,) = await store.make([NewTask(task=task, on_conflict=OnConflict.REPLACE)])
        assert said(await store.get(made.id)) == expected


async def test_a_debounced_task_whose_longest_wait_is_over_is_no_longer_due_by_the_clock(store, clock):
    task = a_local_task(clock, key="k", holds_key=True)
    for longest, expected in ((100, SAID), (10, NOTHING_SAID)):
        new = NewTask(task=task, on_conflict=OnConflict.DEBOUNCE, max_wait=longest * SECOND)
        (made,) = await store.make([new])
        assert said(await store.get(made.id)) == expected
    assert made.outcome is Outcome.REPLACED


async def test_a_change_gives_a_local_time_and_takes_it(store, clock):
    plain = a_task(due_at=clock.now() + SECOND)
    await store.create([plain])
    for new in (SAID, NOTHING_SAID):
        task = await store.get(plain.id)
        change = Change(task=replace(task, **new), revision=task.revision, waited=0, has_new_payload=False)
        await store.change(change)
        assert said(await store.get(plain.id)) == new


async def test_a_task_that_is_run_now_or_postponed_has_another_time(store, clock):
    run, postponed = await stored(store, clock), await stored(store, clock)
    await clock.advance(1)
    await store.run_now(run.id)
    await work(store, await begin(store, clock, Action.POSTPONE, ids=[postponed.id], by=SECOND))
    for task in (run, postponed):
        assert said(await store.get(task.id)) == NOTHING_SAID


async def test_one_that_is_due_already_keeps_its_time_when_it_is_run_now(store, clock):
    task = await stored(store, clock, in_seconds=0)
    await clock.advance(1)
    await store.run_now(task.id)
    assert said(await store.get(task.id)) == SAID


async def test_one_that_waits_for_a_retry_keeps_its_time_when_it_is_run_now_or_postponed(store, clock):
    task = await stored(store, clock, in_seconds=0)
    await store.settle(await claimed(store), another_try(clock))
    await clock.advance(1)
    await work(store, await begin(store, clock, Action.POSTPONE, ids=[task.id], by=SECOND))
    await store.run_now(task.id)
    assert said(await store.get(task.id)) == SAID


async def rezone(store, version, place):
    """How many tasks are looked at, and how many moved: of each its id is told once."""
    rezoned = await store.rezone(version, place)
    assert len(set(rezoned.moved)) == len(rezoned.moved)
    for task_id in rezoned.moved:
        assert (await store.get(task_id)).zones == version
    return rezoned.looked_at, len(rezoned.moved)


async def test_newer_zones_move_what_waits_and_its_revision_goes_up(store, clock):
    task = await stored(store, clock)
    moment = clock.now() + 50 * SECOND
    asked = []

    def place(local_time, time_zone):
        asked.append((local_time, time_zone))
        return moment

    assert await rezone(store, NEW, place) == (1, 1)
    assert asked == [(SAID["local_time"], SAID["time_zone"])]
    moved = await store.get(task.id)
    assert (moved.due_at, moved.execution_at, moved.revision) == (moment, moment, 1)
    assert said(moved) == SAID | {"zones": NEW}
    assert moved.execution_time.endswith(("+01:00", "+02:00")), "as the clocks of the zone show it"
    assert await rezone(store, NEW, place) == (0, 0)
    await clock.advance(49.999999)
    assert (await store.claim_due({task.pool: 1})).attempts == ()
    await clock.advance(0.000001)
    assert (await claimed(store)).task_id == task.id


async def test_one_that_is_moved_into_the_past_is_due_now(store, clock):
    task = await stored(store, clock)
    assert await rezone(store, NEW, lambda *_: clock.now() - 1) == (1, 1)
    moved = await store.get(task.id)
    assert (moved.due_at, moved.execution_at) == (clock.now(), clock.now())
    assert (await claimed(store)).task_id == task.id


@pytest.mark.parametrize(("moment", "due"), [(-20, -10), (-5, -5), (5, 5)], ids=["earlier", "later", "to come"])
async def test_one_that_is_due_already_keeps_its_place_unless_it_is_due_later(store, clock, moment, due):
    task = await stored(store, clock, in_seconds=0)
    await clock.advance(10)
    now = clock.now()
    await store.rezone(NEW, lambda *_: now + moment * SECOND)
    assert (await store.get(task.id)).due_at == now + due * SECOND


async def test_what_stays_at_its_moment_is_not_written_anew_but_for_the_version(store, clock):
    task = await stored(store, clock)
    unknown = await stored(store, clock, time_zone="Mars/Base")
    places = {"Europe/Berlin": task.execution_at, "Mars/Base": None}
    assert await rezone(store, NEW, lambda _, zone: places[zone]) == (2, 0)
    for each in (task, unknown):
        found = await store.get(each.id)
        assert (times(found), found.revision, found.zones) == (times(each), 0, NEW)


async def test_what_runs_has_run_or_ended_or_is_of_the_same_or_newer_zones_stays(store, clock):
    waits_again, runs = [await stored(store, clock, in_seconds=0) for _ in range(2)]
    same, newer = [await stored(store, clock, zones=version) for version in (NEW, "2027c")]
    cancelled = await stored(store, clock)
    await store.cancel(cancelled.id)
    first, second = (await store.claim_due({runs.pool: 2})).attempts
    await store.settle(first, another_try(clock))
    before = {task.id: await store.get(task.id) for task in (waits_again, runs, same, newer, cancelled)}

    assert await rezone(store, NEW, lambda *_: clock.now() + SECOND) == (1, 0)

    for task_id, task in before.items():
        found = await store.get(task_id)
        assert times(found) == times(task)
        assert found.zones == (NEW if task_id == first.task_id else task.zones)
    assert second.task_id != first.task_id


async def test_they_are_looked_at_in_batches_the_earliest_first(store, clock):
    tasks = [a_local_task(clock, in_seconds=1 + (n * 7) % (REZONE_LIMIT + 3)) for n in range(REZONE_LIMIT + 3)]
    await store.create(tasks)
    late = max(task.due_at for task in tasks) + SECOND
    assert await rezone(store, NEW, lambda *_: late) == (REZONE_LIMIT, REZONE_LIMIT)
    left = [task.id for task in tasks if (await store.get(task.id)).zones == OLD]
    latest = sorted(tasks, key=lambda task: task.due_at)[-3:]
    assert sorted(left) == sorted(task.id for task in latest)
    assert await rezone(store, NEW, lambda *_: late) == (3, 3)
    assert await rezone(store, NEW, lambda *_: late) == (0, 0)


async def test_the_newest_version_that_was_noted_stands_in_the_store(store):
    assert await store.zones() == ""
    for version in (OLD, NEW, OLD):
        await store.note_zones(version)
    assert await store.zones() == NEW


async def test_the_text_of_a_moved_task_names_its_moment(store, clock):
    task = await stored(store, clock)
    await store.rezone(NEW, lambda *_: clock.now() + 7 * SECOND)
    moved = await store.get(task.id)
    assert text(moved.execution_at)[14:19] == moved.execution_time[14:19]
