"""Power loss: whatever was acknowledged is on stable storage before the caller hears of it."""

import random
from pathlib import Path

import pytest
from msgspec import Raw
from vfs import RecordingVFS

from databases import FOLLOW
from tasker.ids import new_id
from tasker.model import lifecycle
from tasker.model.attempt import Succeeded
from tasker.model.instants import SECOND
from tasker.model.new_task import NewTask
from tasker.model.retry import RetryPolicy
from tasker.model.schedule import Plan, Schedule, Template, advance, begun
from tasker.model.task import Admission, Pool, State
from tasker.stores.sqlite.connection import connect
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

WEBHOOK = Pool(1)
SECTOR = 512
IMAGES_PER_MOMENT = 3


def write_image(events, folder, rand):
    """Write the files as a power loss after *events* may leave them: what was synced, and any part of what was not.

    A write may be there, be missing, or be torn at any sector.
    """
    files = {}
    unsynced = {}
    for event in events:
        if event.what == "sync":
            for write in unsynced.pop(event.file, []):
                apply(files, write)
        else:
            unsynced.setdefault(event.file, []).append(event)
    for writes in unsynced.values():
        for write in writes:
            if write.what == "truncate" or not write.data:
                continue  # a truncation that did not reach the disk
            for start in range(0, len(write.data), SECTOR):
                if rand.random() < 0.5:
                    apply(files, write._replace(offset=write.offset + start, data=write.data[start : start + SECTOR]))
    for name, content in files.items():
        (folder / Path(name).name).write_bytes(content)
    return folder / "tasks.db"


def apply(files, write):
    content = files.setdefault(write.file, bytearray())
    if write.what == "truncate":
        del content[write.offset :]
        return
    content.extend(bytes(max(write.offset + len(write.data) - len(content), 0)))
    content[write.offset : write.offset + len(write.data)] = write.data


async def test_every_acknowledged_write_is_in_every_image_that_a_power_loss_can_leave(tmp_path):
    clock, vfs, rand = ManualClock(), RecordingVFS(), random.Random(7)
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    acknowledged = {}
    moments = []

    def note(task_id, *states):
        acknowledged[task_id] = states
        moments.append((len(vfs.events), dict(acknowledged)))

    for _ in range(12):
        kept, run, gone = (a_task(due_at=clock.now() + delay) for delay in (10**12, 0, 10**12))
        for task in (kept, run, gone):
            await store.create([task])
            note(task.id, State.TODO, State.IN_PROGRESS)
        (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
        now = clock.now()
        settled = lifecycle.settle(Succeeded(), attempt=attempt, retry=RetryPolicy(), started_at=now, now=now, rand=0.5)
        await store.settle(attempt, settled)
        note(run.id, State.DONE)
        await store.delete(gone.id)
        note(gone.id)

    for number, (length, expected) in enumerate(moments):
        for image in range(IMAGES_PER_MOMENT):
            folder = tmp_path / f"{number}-{image}"
            folder.mkdir()
            check_image(write_image(vfs.events[:length], folder, rand), expected)
    await store.close()


def check_image(path, expected):
    connection = connect(path)
    assert connection.pragma("integrity_check") == "ok"
    states = {
        id_.hex(): State(state)
        for id_, state in connection.execute("SELECT id, state FROM task JOIN payload USING (seq)")
    }
    connection.close()
    for task_id, allowed in expected.items():
        found = states.get(task_id.replace("-", ""))
        assert found in allowed if allowed else found is None, (task_id, found, allowed)


async def test_a_write_is_synced_before_its_caller_hears_of_it_and_a_claim_is_not(tmp_path):
    clock, vfs = ManualClock(), RecordingVFS()
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()

    vfs.events.clear()
    await store.create([a_task(due_at=clock.now())])
    assert [event.what for event in vfs.events][-1] == "sync"

    vfs.events.clear()
    await store.claim_due({WEBHOOK: 1})
    assert vfs.events, "a claim writes"
    assert "sync" not in {event.what for event in vfs.events}

    vfs.events.clear()
    await store.create([a_task(due_at=clock.now())])
    assert [event.what for event in vfs.events][-1] == "sync", "the level is set back after a claim"
    await store.close()


async def test_that_a_task_has_expired_is_synced_before_its_callback_can_be_sent(tmp_path):
    clock, vfs = ManualClock(), RecordingVFS()
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    await store.create([a_task(due_at=clock.now(), expires_at=clock.now() + 1)])
    await clock.advance(1)

    vfs.events.clear()
    assert (await store.expire()).count == 1
    assert [event.what for event in vfs.events][-1] == "sync"
    await store.close()


async def test_a_batch_is_synced_once_and_whole_in_every_image_that_a_power_loss_can_leave(tmp_path):
    clock, vfs, rand = ManualClock(), RecordingVFS(), random.Random(7)
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    before = len(vfs.events)
    tasks = [a_task(due_at=clock.now() + 10**12) for _ in range(1_200)]

    await store.make([NewTask(task=task) for task in tasks])

    length = len(vfs.events)
    assert [event.what for event in vfs.events[before:]].count("sync") == 1
    for image in range(IMAGES_PER_MOMENT):
        folder = tmp_path / str(image)
        folder.mkdir()
        path = write_image(vfs.events[:length], folder, rand)
        check_image(path, {task.id: [State.TODO] for task in tasks})
    # In the middle of it, there is none.
    for cut in (before + (length - before) // 3, length - 1):
        folder = tmp_path / f"cut-{cut}"
        folder.mkdir()
        path = write_image(vfs.events[:cut], folder, rand)
        connection = connect(path)
        assert connection.execute("SELECT count(*) FROM task").get == 0
        connection.close()
        again = SqliteStore(str(path), follow=FOLLOW, clock=clock)
        await again.open()
        await again.close()
        connection = connect(path)
        assert connection.execute("SELECT (SELECT count(*) FROM payload), (SELECT count(*) FROM staged)").get == (0, 0)
        connection.close()
    await store.close()


async def test_that_a_run_of_a_schedule_starts_is_as_little_synced_as_its_claim_and_lost_with_it(tmp_path):
    clock, vfs, rand = ManualClock(), RecordingVFS(), random.Random(7)
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    await put_schedule(store, clock)
    begun_with = len(vfs.events)
    (first,) = await come_due(store, clock, steps=False)
    assert first.admission is Admission.STARTED
    assert "sync" not in {event.what for event in vfs.events[begun_with:]}
    lengths = [begun_with, len(vfs.events)]
    (second,) = await come_due(store, clock)
    (left_out,) = await store.admit([second])
    assert left_out.admission is Admission.OVERLAP
    assert [event.what for event in vfs.events][-1] == "sync", "what ends a task is durable"
    lengths.append(len(vfs.events))

    for place, length in enumerate(lengths):
        for image in range(10):
            folder = tmp_path / f"{place}-{image}"
            folder.mkdir()
            connection = connect(write_image(vfs.events[:length], folder, rand))
            (started,) = connection.execute("SELECT started FROM run_count").fetchone()
            states = set(connection.execute("SELECT state, admission FROM task ORDER BY seq LIMIT 1"))
            assert states == {(State.IN_PROGRESS, Admission.STARTED) if started else (State.TODO, None)}
            assert started == 1 if place == 2 else started <= place
            connection.close()
    await store.close()


async def test_a_run_whose_start_a_power_loss_undoes_is_decided_anew_and_counted_once(tmp_path):
    clock, vfs = ManualClock(), RecordingVFS()
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    await put_schedule(store, clock)
    (first,) = await come_due(store, clock, steps=False)
    folder = tmp_path / "after"
    folder.mkdir()
    synced = max(place for place, event in enumerate(vfs.events, 1) if event.what == "sync")
    path = write_image(vfs.events[:synced], folder, random.Random(7))
    await store.close()

    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    assert (await store.schedule("a")).started == 0
    (again,) = (await store.claim_due({WEBHOOK: 1})).attempts
    assert (again.task_id, again.admission) == (first.task_id, Admission.STARTED)
    assert (await store.schedule("a")).started == 1
    await store.close()


async def put_schedule(store, clock):
    now = clock.now()
    schedule = Schedule(
        name="a",
        revision=1,
        type="webhook",
        plan=Plan(every=60 * SECOND, anchor=now),
        template=Template(type="webhook", pool=WEBHOOK, payload=Raw(b"{}")),
    )
    await store.put_schedule(*begun(schedule, after=now, now=now, new_id=new_id), seen=None)


async def come_due(store, clock, *, steps=True):
    """Let the next time of the schedule pass, have it go on if it *steps*, and claim what is due."""
    if steps:
        due = await store.due_schedules(limit=10)
        await store.advance_schedules([advance(each, now=clock.now(), new_id=new_id) for each in due.schedules])
    await clock.advance(60)
    return (await store.claim_due({WEBHOOK: 10})).attempts
