"""The audit log: each change leaves its row, in the transaction of the change."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from steps import SECOND, begin, claimed, failure, running, step, success, work

from tasker.callers import Caller, Scope
from tasker.errors import (
    DestinationNotFoundError,
    InvalidQueryError,
    RevisionPassedError,
    StoreUnavailableError,
    TaskEndedError,
    TaskNotFoundError,
    TaskNotWaitingError,
    TaskRunningError,
)
from tasker.ids import new_id
from tasker.model import instants
from tasker.model.audit import TASKER, Action, Actor, AuditQuery, Kind, changed
from tasker.model.change import Change
from tasker.model.circuit import THRESHOLD
from tasker.model.gate import Destination, GateKind, Limits
from tasker.model.operation import Action as OperationAction
from tasker.model.operation import Asked, Batch, Match, Operation
from tasker.model.task import State, TaskId
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

SOMEBODY = Caller(frozenset(Scope), "k17", "billing team")
MINUTE = 60 * SECOND
HOST = Destination(GateKind.HOST, "http://a:80")


def by_somebody(action, subject, kind=Kind.TASK, **what):
    return SOMEBODY.entry(action, kind, str(subject), **what)


async def log(store, *, limit=100, **query):
    """The whole log, the latest first, page by page."""
    found, after = [], None
    while True:
        page = await store.audit(AuditQuery(**query), after=after, limit=limit)
        assert len(page.records) <= limit
        found += page.records
        if (after := page.next) is None:
            return found


async def rows(store, **query):
    """What the log says, the oldest first, in short."""
    return [(row.by.id, row.action.value, row.subject) for row in reversed(await log(store, **query))]


async def ended(store, clock, settlement=failure):
    attempt = await running(store, clock)
    await store.settle(attempt, settlement(clock))
    return attempt.task_id


async def test_a_new_store_has_an_empty_log(store):
    assert await log(store) == []


async def test_a_row_says_who_has_changed_what_and_when(store, clock):
    task = a_task(due_at=clock.now() + MINUTE)
    await store.create([task])
    await clock.advance(5)

    await store.run_now(task.id, entry=by_somebody(Action.RUN, task.id, changes={"a": changed(1, "x")}))

    (row,) = await log(store)
    assert (row.at, row.by) == (clock.now(), Actor("k17", "billing team"))
    assert (row.action, row.kind, row.subject, row.name) == (Action.RUN, Kind.TASK, task.id, None)
    assert row.changes == {"a": changed(1, "x")}


async def test_each_change_of_a_task_leaves_a_row(store, clock):
    task = a_task(due_at=clock.now() + MINUTE)
    await store.create([task])
    stored = await store.get(task.id)
    change = Change(task=replace(stored, payload=b'{"n":1}'), revision=0, waited=0, has_new_payload=True)
    await store.change(change, entry=by_somebody(Action.CHANGE, task.id))
    await store.run_now(task.id, entry=by_somebody(Action.RUN, task.id))
    await store.cancel(task.id, entry=by_somebody(Action.CANCEL, task.id))
    await store.retry(task.id, entry=by_somebody(Action.RETRY, task.id))
    await store.delete(task.id, entry=by_somebody(Action.DELETE, task.id))

    words = ("change", "run", "cancel", "retry", "delete")
    assert await rows(store) == [("k17", word, task.id) for word in words]


async def test_nobody_asks_for_a_row_and_none_is_written(store, clock):
    task = a_task(due_at=clock.now() + MINUTE)
    await store.create([task])
    await store.run_now(task.id)
    await store.cancel(task.id)
    await store.retry(task.id)
    await store.settle(await claimed(store), success(clock))
    await store.delete(task.id)
    assert await log(store) == []


async def test_what_is_refused_leaves_no_row(store, clock):
    done = await ended(store, clock, success)
    nobody = TaskId(new_id(clock.now()))
    attempt = await running(store, clock)
    for refused, error in (
        (store.run_now(done, entry=by_somebody(Action.RUN, done)), TaskNotWaitingError),
        (store.cancel(done, entry=by_somebody(Action.CANCEL, done)), TaskEndedError),
        (store.delete(nobody, entry=by_somebody(Action.DELETE, nobody)), TaskNotFoundError),
        (store.delete(attempt.task_id, entry=by_somebody(Action.DELETE, attempt.task_id)), TaskRunningError),
        (store.pause(1_000, entry=by_somebody(Action.PAUSE, 1_000, Kind.DESTINATION)), DestinationNotFoundError),
    ):
        with pytest.raises(error):
            await refused
    stored = await store.get(done)
    with pytest.raises(RevisionPassedError):
        await store.change(
            Change(task=stored, revision=stored.revision, waited=0, has_new_payload=False),
            entry=by_somebody(Action.CHANGE, done),
        )
    assert await log(store) == []


async def test_what_changes_nothing_leaves_no_row(store, clock):
    due = a_task(due_at=clock.now() - 1)
    await store.create([due])
    await store.run_now(due.id, entry=by_somebody(Action.RUN, due.id))  # it is due
    gate = await store.make_gate(HOST)
    await store.resume(gate, entry=by_somebody(Action.RESUME, gate, Kind.DESTINATION))
    await store.limit(gate, Limits(burst=1), entry=by_somebody(Action.LIMIT, gate, Kind.DESTINATION))
    assert await log(store) == []

    await store.cancel(due.id, entry=by_somebody(Action.CANCEL, due.id))
    await store.cancel(due.id, entry=by_somebody(Action.CANCEL, due.id))
    await store.pause(gate, entry=by_somebody(Action.PAUSE, gate, Kind.DESTINATION))
    await store.pause(gate, entry=by_somebody(Action.PAUSE, gate, Kind.DESTINATION))
    assert len(await log(store)) == 2


async def test_a_cancel_of_a_running_task_leaves_a_row(store, clock):
    attempt = await running(store, clock)
    await store.cancel(attempt.task_id, entry=by_somebody(Action.CANCEL, attempt.task_id))
    assert await rows(store) == [("k17", "cancel", attempt.task_id)]


async def test_the_row_of_a_delete_says_what_was_deleted(store, clock):
    task = replace(a_task(due_at=clock.now() + MINUTE), key='order "17" ä', holds_key=True)
    other = a_task(due_at=clock.now() + MINUTE)
    await store.create([task])
    await store.create([other])

    for each in (task, other):
        await store.delete(each.id, entry=by_somebody(Action.DELETE, each.id))

    of_other, of_task = await log(store)
    was = {"type": changed("webhook"), "execution_time": changed(task.execution_time)}
    assert of_task.changes == was | {"key": changed('order "17" ä')}
    assert of_other.changes == was


async def test_several_deletes_at_once_leave_a_row_each(store, clock):
    tasks = [a_task(due_at=clock.now() + MINUTE) for _ in range(20)]
    await store.create(tasks)
    callers = [Caller(frozenset(Scope), f"k{number}", "x") for number in range(4)]

    came = await asyncio.gather(
        *(
            store.delete(task.id, entry=callers[place % 4].entry(Action.DELETE, Kind.TASK, task.id))
            for place, task in enumerate([*tasks, tasks[0]])
        ),
        return_exceptions=True,
    )

    assert [type(each) for each in came] == [type(None)] * 20 + [TaskNotFoundError]
    assert sorted(await rows(store)) == sorted((f"k{place % 4}", "delete", task.id) for place, task in enumerate(tasks))


async def test_each_change_of_a_destination_leaves_a_row_with_its_name(store, clock):
    gate = await store.make_gate(HOST)
    limits = Limits(max_running=3, burst=2)
    await store.pause(gate, entry=by_somebody(Action.PAUSE, gate, Kind.DESTINATION))
    await store.resume(gate, entry=by_somebody(Action.RESUME, gate, Kind.DESTINATION))
    await store.limit(gate, limits, entry=by_somebody(Action.LIMIT, gate, Kind.DESTINATION))

    limited, resumed, paused = await log(store)
    assert [row.action for row in (paused, resumed, limited)] == [Action.PAUSE, Action.RESUME, Action.LIMIT]
    assert {row.name for row in (paused, resumed, limited)} == {HOST.name}
    assert limited.changes == {"max_running": changed(None, 3), "burst": changed(1, 2)}
    assert paused.changes == {}


async def to_host(store, clock):
    await store.create([replace(a_task(due_at=clock.now()), destination=HOST)])
    return await claimed(store)


async def failures(store, clock, count):
    for _ in range(count):
        await store.settle(await to_host(store, clock), failure(clock, is_alive=False))


async def test_a_circuit_leaves_a_row_when_it_opens_when_a_probe_fails_and_when_it_closes(store, clock):
    await failures(store, clock, THRESHOLD - 1)
    assert await log(store) == []

    await failures(store, clock, 1)
    await clock.advance(5)
    await failures(store, clock, 1)
    await clock.advance(10)
    await store.settle(await to_host(store, clock), success(clock, is_alive=True))

    closed, probed, opened = await log(store)
    assert [row.action for row in (opened, probed, closed)] == [
        Action.CIRCUIT_OPENED,
        Action.CIRCUIT_PROBED,
        Action.CIRCUIT_CLOSED,
    ]
    assert {(row.by, row.kind, row.name) for row in (opened, probed, closed)} == {(TASKER, Kind.DESTINATION, HOST.name)}
    assert opened.changes == {"open_until": changed(after=instants.text(opened.at + 5_000_000))}
    assert probed.changes == {"open_until": changed(after=instants.text(probed.at + 10_000_000))}


async def test_a_probe_by_hand_leaves_a_row(store, clock):
    await failures(store, clock, THRESHOLD)
    await store.create([replace(a_task(due_at=clock.now()), destination=HOST)])
    await store.claim_due({1: 1})  # it is held
    (opened,) = await log(store)

    await store.probe(int(opened.subject), entry=by_somebody(Action.PROBE, opened.subject, Kind.DESTINATION))

    assert await rows(store) == [("tasker", "circuit_opened", opened.subject), ("k17", "probe", opened.subject)]


async def begun(store, clock, action, **asked):
    new = Operation(id=new_id(clock.now()), action=action, asked=Asked(**asked))
    entry = by_somebody(Action.BEGIN, new.id, Kind.OPERATION, changes={"action": changed(after=action.value)})
    return await store.create_operation(new, entry=entry)


async def test_an_operation_is_one_row_and_the_tasks_that_it_changes_point_to_it(store, clock):
    waiting = [a_task(due_at=clock.now() + MINUTE) for _ in range(5)]
    await store.create(waiting)
    done = await ended(store, clock, success)
    await clock.advance(1)
    operation = await begun(store, clock, OperationAction.CANCEL)
    await clock.advance(1)
    await work(store, operation)

    assert await rows(store) == [("k17", "begin", operation.id)]
    for task in waiting:
        (row,) = await log(store, subject=task.id)
        assert (row.kind, row.subject, row.action, row.at) == (
            Kind.OPERATION,
            operation.id,
            Action.BEGIN,
            clock.now(),
        )
        assert row.changes == {"action": changed(after="cancel")}
    assert await log(store, subject=done) == []  # it was refused


@pytest.mark.parametrize("action", [each for each in OperationAction if each is not OperationAction.CHANGE])
async def test_tasks_point_to_every_kind_of_operation_the_deleted_ones_too(store, clock, action):
    failed = await ended(store, clock)
    waiting = a_task(due_at=clock.now() + MINUTE)
    await store.create([waiting])
    operation = await begun(store, clock, action, ids=[failed, waiting.id], **_how(action))
    assert (await store.next_operation()).id == operation.id
    batch = Batch([Match(failed, "1"), Match(waiting.id, "2")], None)
    worked = await store.operate(operation, batch, None)

    pointing = [task_id for task_id in (failed, waiting.id) if await log(store, subject=task_id)]
    assert len(pointing) == worked.operation.changed > 0


def _how(action):
    return {"by": 1_000_000} if action is OperationAction.POSTPONE else {}


async def test_a_cancel_of_an_operation_leaves_a_row_once(store, clock):
    operation = await begin(store, clock, OperationAction.CANCEL)
    for _ in range(2):
        await store.cancel_operation(operation.id, entry=by_somebody(Action.CANCEL, operation.id, Kind.OPERATION))
    assert await rows(store) == [("k17", "cancel", operation.id)]


async def test_the_line_of_a_task_has_what_was_done_to_it_alone_and_by_operations(store, clock):
    task, other = (a_task(due_at=clock.now() + MINUTE) for _ in range(2))
    await store.create([task, other])
    operations = []
    for action in (OperationAction.RUN, OperationAction.CANCEL):
        await clock.advance(1)
        operation = await begun(store, clock, action, filter={})
        operations.append(operation.id)
        await clock.advance(1)
        while operation.is_running:
            assert (await store.next_operation()).id == operation.id
            operation = await step(store, operation)
        await clock.advance(1)
        entry = by_somebody(Action.RETRY, task.id)
        if action is OperationAction.CANCEL:
            await store.retry(task.id, entry=entry)

    run, cancel = operations
    assert await rows(store, subject=task.id) == [
        ("k17", "begin", run),
        ("k17", "begin", cancel),
        ("k17", "retry", task.id),
    ]
    assert await rows(store, subject=task.id, limit=1) == await rows(store, subject=task.id)
    assert await rows(store, subject=other.id) == [("k17", "begin", run), ("k17", "begin", cancel)]


async def filled(store, clock):
    """Twelve rows, a second apart. Return the moments."""
    gate = await store.make_gate(HOST)
    moments = []
    for place in range(12):
        caller = Caller(frozenset(Scope), f"k{place % 3}", "x")
        how = (store.pause, Action.PAUSE) if place % 2 == 0 else (store.resume, Action.RESUME)
        await how[0](gate, entry=caller.entry(how[1], Kind.DESTINATION, str(gate)))
        moments.append(clock.now())
        await clock.advance(1)
    return gate, moments


async def test_the_log_is_read_in_pages_the_latest_first(store, clock):
    _, moments = await filled(store, clock)
    for limit in (1, 5, 11, 12, 13):
        assert [row.at for row in await log(store, limit=limit)] == moments[::-1]


async def test_the_filters_find_what_they_say(store, clock):
    gate, moments = await filled(store, clock)
    for limit in (2, 100):
        assert [row.at for row in await log(store, limit=limit, by="k1")] == moments[10::-3]
        assert [row.at for row in await log(store, limit=limit, action=Action.RESUME)] == moments[11::-2]
        assert [row.at for row in await log(store, limit=limit, since=moments[3], before=moments[6])] == [
            moments[5],
            moments[4],
            moments[3],
        ]
        assert len(await log(store, limit=limit, subject=str(gate), since=moments[1])) == 11
    assert await log(store, kind=Kind.TASK) == []
    assert await log(store, subject="another") == []
    assert len(await log(store, kind=Kind.DESTINATION, by="k0", action=Action.PAUSE)) == 2


@pytest.mark.parametrize("cursor", ["", "1", "a.b", "1.2.3", "-1.5", "9" * 19 + ".1"])
async def test_what_is_no_cursor_is_refused(store, cursor):
    with pytest.raises(InvalidQueryError):
        await store.audit(AuditQuery(), after=cursor, limit=1)


async def test_old_rows_and_pointers_are_pruned(store, clock):
    await filled(store, clock)
    task = a_task(due_at=clock.now() + MINUTE)
    await store.create([task])
    await clock.advance(1)
    await work(store, await begun(store, clock, OperationAction.CANCEL))

    assert await store.prune_audit(older_than=timedelta(seconds=100)) == 0
    assert await store.prune_audit(older_than=timedelta(seconds=7)) == 6
    assert len(await log(store)) == 7
    await clock.advance(100)
    assert await store.prune_audit(older_than=timedelta(seconds=90)) == 8
    assert await log(store) == await log(store, subject=task.id) == []
    assert await store.prune_audit(older_than=timedelta(seconds=90)) == 0


async def test_rows_outlive_the_node_that_wrote_them(store, clock, after_death):
    await filled(store, clock)
    store = await after_death(store)
    assert len(await log(store)) == 12


async def break_audit(kind, store):
    """From now on no row can be written."""
    statement = "ALTER TABLE audit RENAME TO gone"
    if isinstance(store, SqliteStore):
        store._writing.connection.execute(statement)
    else:
        await kind.connection.execute(statement)


async def test_there_is_no_change_without_its_row(kind, store, clock):
    waiting = [a_task(due_at=clock.now() + MINUTE) for _ in range(5)]
    await store.create(waiting)
    failed = await ended(store, clock)
    attempt = await running(store, clock)
    gate = await store.make_gate(HOST)
    operation = await begin(store, clock, OperationAction.CANCEL, filter={"tag": ["x"]})
    ids = [*(task.id for task in waiting), failed, attempt.task_id]
    before = [await store.get(task_id) for task_id in ids], await store.gate(gate), await store.operation(operation.id)
    change = Change(
        task=replace(before[0][0], payload=b"{}", due_at=1, execution_at=1),
        revision=before[0][0].revision,
        waited=0,
        has_new_payload=True,
    )
    new = Operation(id=new_id(clock.now()), action=OperationAction.CANCEL, asked=Asked())
    await break_audit(kind, store)

    for call in (
        store.change(change, entry=by_somebody(Action.CHANGE, ids[0])),
        store.run_now(ids[1], entry=by_somebody(Action.RUN, ids[1])),
        store.cancel(ids[2], entry=by_somebody(Action.CANCEL, ids[2])),
        store.cancel(attempt.task_id, entry=by_somebody(Action.CANCEL, attempt.task_id)),
        store.retry(failed, entry=by_somebody(Action.RETRY, failed)),
        store.delete(ids[3], entry=by_somebody(Action.DELETE, ids[3])),
        store.pause(gate, entry=by_somebody(Action.PAUSE, gate, Kind.DESTINATION)),
        store.limit(gate, Limits(burst=9), entry=by_somebody(Action.LIMIT, gate, Kind.DESTINATION)),
        store.create_operation(new, entry=by_somebody(Action.BEGIN, new.id, Kind.OPERATION)),
        store.cancel_operation(operation.id, entry=by_somebody(Action.CANCEL, operation.id, Kind.OPERATION)),
    ):
        with pytest.raises(StoreUnavailableError):
            await call

    after = [await store.get(task_id) for task_id in ids], await store.gate(gate), await store.operation(operation.id)
    assert after == before
    assert [each.id for each in await store.operations(before=None, limit=10)] == [operation.id]


async def test_an_end_that_turns_no_circuit_writes_no_row(kind, store, clock):
    attempts = [await running(store, clock) for _ in range(2)]
    await break_audit(kind, store)
    await store.settle(attempts[0], success(clock))
    await store.settle(attempts[1], failure(clock))
    assert (await store.get(attempts[0].task_id)).state is State.DONE
    await store.create([a_task(due_at=clock.now())])
    assert await claimed(store)


def test_a_value_that_is_too_long_stays_out():
    assert changed("a" * 2_000, 1) == changed(after=1)
    assert msgspec.json.encode(changed()) == b"{}"


async def test_a_change_of_something_that_the_store_does_not_keep_leaves_a_row_by_itself(store, clock):
    await store.note_change(SOMEBODY.entry(Action.SET_CLOCK, Kind.SERVER, changes={"advance": changed(after="3d")}))
    (record,) = await log(store)
    assert (record.at, record.action, record.kind, record.subject) == (clock.now(), Action.SET_CLOCK, Kind.SERVER, "")
    assert bytes(record.changes["advance"].after) == b'"3d"'
