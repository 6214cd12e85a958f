"""Changing what tasks were given."""

import asyncio

import msgspec
import pytest
from kinds import Postgres
from steps import SECOND, WEBHOOK, another_try, claimed, failure, next_due, running, success

from tasker.errors import RevisionPassedError, TaskNotFoundError
from tasker.model.change import Change
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import text
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

NEW = b'{"url":"http://localhost/","body":"y"}'
A, B = "http://a.example:80", "http://b.example:80"


def a_change(task, *, revision=None, host=None, **members):
    changed = msgspec.structs.replace(
        task, destination=None if host is None else Destination(GateKind.HOST, host), **members
    )
    return Change(
        task=changed,
        revision=task.revision if revision is None else revision,
        waited=0,
        has_new_payload="payload" in members,
    )


def at(moment):
    return {"due_at": moment, "execution_at": moment, "execution_time": text(moment)}


async def stored(store, clock, **how):
    task = a_task(due_at=clock.now() + 10 * SECOND, **how)
    await store.create([task])
    return await store.get(task.id)


async def test_a_changed_task_runs_in_its_new_form_and_is_a_revision_further(store, clock):
    task = await stored(store, clock)
    await store.change(a_change(task, payload=NEW, keep=7, patience=8, expires_at=clock.now() + 60 * SECOND))
    changed = await store.get(task.id)
    assert (changed.payload, changed.revision) == (NEW, task.revision + 1)
    assert (changed.keep, changed.patience, changed.expires_at) == (7, 8, clock.now() + 60 * SECOND)
    await clock.advance(10)
    assert (await claimed(store)).payload == NEW


async def test_one_moved_later_does_not_start_at_its_old_time_and_one_moved_earlier_is_on_time(store, clock):
    later, earlier = await stored(store, clock), await stored(store, clock)
    await store.change(a_change(later, **at(clock.now() + 30 * SECOND)))
    await store.change(a_change(earlier, **at(clock.now() + SECOND)))
    assert await next_due(store, WEBHOOK) == clock.now() + SECOND
    await clock.advance(1)
    assert (await claimed(store)).task_id == earlier.id
    await clock.advance(28.999999)
    assert await next_due(store, WEBHOOK) == clock.now() + 1
    await clock.advance(0.000001)
    assert (await claimed(store)).task_id == later.id


async def test_a_task_that_its_host_holds_waits_for_the_other_host_and_not_for_that_one(store, clock):
    task = a_task(due_at=clock.now(), host=A, group="g")
    await store.create([task])
    host = await store.make_gate(task.host)
    await store.pause(host)
    for _ in range(2):
        assert not (await store.claim_due({WEBHOOK: 9})).attempts
    assert (await store.standing(task.id)).held_by == host
    moved = msgspec.structs.replace(task, host=Destination(GateKind.HOST, B))
    await store.change(Change(task=moved, revision=0, waited=0, has_new_payload=False))
    assert (await store.standing(task.id)).held_by is None
    assert (await claimed(store)).task_id == task.id


async def test_a_change_of_another_revision_writes_nothing(store, clock):
    task = await stored(store, clock)
    for revision in (task.revision - 1, task.revision + 1):
        with pytest.raises(RevisionPassedError):
            await store.change(a_change(task, revision=revision, payload=NEW))
    assert await store.get(task.id) == task
    with pytest.raises(TaskNotFoundError):
        await store.change(a_change(a_task(due_at=clock.now())))


async def test_of_changes_made_from_one_revision_one_is_written(store, clock):
    task = await stored(store, clock)
    changes = [a_change(task, payload=b'{"body":"%d"}' % number) for number in range(20)]
    found = await asyncio.gather(*map(store.change, changes), return_exceptions=True)
    assert [type(each) for each in found if each is not None] == [RevisionPassedError] * 19
    won = changes[found.index(None)]
    assert (await store.get(task.id)).payload == won.task.payload


async def test_every_write_that_shows_is_a_revision(store, clock):
    attempt = await running(store, clock)
    seen = [(await store.get(attempt.task_id)).revision]
    await store.give_back(attempt)
    seen.append((await store.get(attempt.task_id)).revision)
    await store.settle(await claimed(store), another_try(clock, in_seconds=0))
    seen.append((await store.get(attempt.task_id)).revision)
    await store.settle(await claimed(store), failure(clock))
    seen.append((await store.get(attempt.task_id)).revision)
    await store.retry(attempt.task_id)
    seen.append((await store.get(attempt.task_id)).revision)
    await store.cancel(attempt.task_id)
    seen.append((await store.get(attempt.task_id)).revision)
    assert seen == [1, 2, 4, 6, 7, 8]


async def test_running_a_task_now_and_its_expiry_are_revisions_and_what_changes_nothing_is_none(store, clock):
    task = await stored(store, clock, expires_at=clock.now() + 60 * SECOND)
    await store.run_now(task.id)
    await store.run_now(task.id)
    assert (await store.get(task.id)).revision == task.revision + 1
    await clock.advance(60)
    await store.expire()
    assert (await store.get(task.id)).revision == task.revision + 2


async def test_a_running_or_done_task_is_not_changed_and_a_failed_one_is(store, clock):
    attempt = await running(store, clock)
    task = await store.get(attempt.task_id)
    with pytest.raises(RevisionPassedError):
        await store.change(a_change(task, payload=NEW))
    await store.settle(attempt, failure(clock))
    failed = await store.get(task.id)
    await store.change(a_change(failed, payload=NEW))
    changed = await store.get(task.id)
    assert (changed.state, changed.payload, changed.ended_at) == (State.FAILED, NEW, failed.ended_at)
    await store.retry(task.id)
    again = await claimed(store)
    assert again.payload == NEW
    await store.settle(again, success(clock))
    with pytest.raises(RevisionPassedError):
        await store.change(a_change(await store.get(task.id)))


async def held(store, clock):
    """A task that is held by the gate of A, which is paused."""
    task = a_task(due_at=clock.now(), host=A)
    await store.create([task])
    (record,) = await store.gates(after=0, limit=10)
    await store.pause(record.gate.id)
    await next_due(store, WEBHOOK)
    assert (await store.standing(task.id)).held_by is not None
    return await store.get(task.id), record.gate.id


async def test_a_change_of_the_host_clears_what_a_gate_holds(store, clock):
    task, _ = await held(store, clock)
    await store.change(a_change(task, host=B, payload=NEW))
    standing = await store.standing(task.id)
    assert (standing.held_by, standing.gate.gate.name) == (None, B)
    assert (await claimed(store)).payload == NEW


async def test_a_held_task_that_is_postponed_waits_for_its_time_and_then_for_its_gate(store, clock):
    task, gate = await held(store, clock)
    await store.change(a_change(task, host=A, **at(clock.now() + 5 * SECOND)))
    assert (await store.standing(task.id)).held_by is None
    await store.resume(gate)
    assert await next_due(store, WEBHOOK) in {clock.now(), clock.now() + 5 * SECOND}
    await clock.advance(5)
    assert (await claimed(store)).task_id == task.id


async def test_a_held_task_that_stays_where_it_was_stays_held(store, clock):
    task, gate = await held(store, clock)
    await store.change(a_change(task, host=A, payload=NEW))
    assert (await store.standing(task.id)).held_by is not None
    await store.resume(gate)
    assert (await claimed(store)).payload == NEW


@pytest.fixture
async def postgres(tmp_path):
    kind = Postgres(tmp_path)
    await kind.open()
    yield kind
    await kind.close()


HELD_UP = """
    CREATE OR REPLACE FUNCTION tasker_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      IF current_query() LIKE '%FOR NO KEY UPDATE SKIP LOCKED%' THEN
        PERFORM pg_advisory_xact_lock_shared(4711);
      END IF;
      RETURN (SELECT now FROM test_clock);
    END $$
"""
"""The clock waits for a lock, once a statement has its snapshot and before it locks a row."""


async def between_snapshot_and_lock(kind, statement, change):
    """Have *change* committed while *statement* has its snapshot and no lock yet. Return what it answers."""
    await kind.connection.execute(HELD_UP)
    await kind.connection.execute("SELECT pg_advisory_lock(4711)")
    answer = asyncio.ensure_future(statement)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(20):
        while await kind.connection.fetchval(waiting) == 0:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
    await kind.store.change(change)
    await kind.connection.execute("SELECT pg_advisory_unlock(4711)")
    return await answer


async def test_a_claim_that_began_before_a_change_and_locked_after_it_takes_the_new_form(postgres):
    store, clock = postgres.store, postgres.clock
    task = await stored(store, clock)
    await clock.advance(10)
    found = await between_snapshot_and_lock(postgres, store.claim_due({WEBHOOK: 1}), a_change(task, payload=NEW))
    assert [attempt.payload for attempt in found.attempts] == [NEW]


async def test_a_claim_of_what_a_gate_holds_takes_the_new_form_too(postgres):
    store, clock = postgres.store, postgres.clock
    task, gate = await held(store, clock)
    await store.resume(gate)
    change = a_change(task, host=A, payload=NEW)
    found = await between_snapshot_and_lock(postgres, store.claim_due({WEBHOOK: 1}), change)
    assert [attempt.payload for attempt in found.attempts] == [NEW]


async def test_a_claim_that_began_before_a_task_was_postponed_does_not_start_it(postgres):
    store, clock = postgres.store, postgres.clock
    task = await stored(store, clock)
    await clock.advance(10)
    change = a_change(task, **at(clock.now() + SECOND))
    found = await between_snapshot_and_lock(postgres, store.claim_due({WEBHOOK: 1}), change)
    assert list(found.attempts) == []
    assert (await store.get(task.id)).state is State.TODO


async def test_an_expiry_that_began_before_a_change_tells_of_the_end_where_the_change_says(postgres):
    store, clock = postgres.store, postgres.clock
    task = await stored(store, clock, expires_at=clock.now() + 5 * SECOND)
    await clock.advance(5)
    new = b'{"url":"http://localhost/","on_failure":"http://new.example/"}'
    await between_snapshot_and_lock(postgres, store.expire(), a_change(task, payload=new, expires_at=task.expires_at))
    assert b"http://new.example/" in (await claimed(store)).payload
