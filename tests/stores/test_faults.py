"""A disk that fails: no write that was acknowledged is lost, reads go on, and the store mends itself."""

import asyncio

import apsw
import pytest
from vfs import RecordingVFS

from databases import FOLLOW
from tasker.errors import StoreBusyError, StoreFullError, StoreUnavailableError, TaskExistsError
from tasker.interfaces.queue import Settled
from tasker.interfaces.tasks import TaskFilter
from tasker.model import lifecycle
from tasker.model.attempt import Succeeded
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.retry import RetryPolicy
from tasker.model.task import Pool, State
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

WEBHOOK = Pool(1)


def settlement(clock, attempt):
    now = clock.now()
    return lifecycle.settle(Succeeded(b'"r"'), attempt=attempt, retry=RetryPolicy(), started_at=now, now=now, rand=0.5)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
async def test_a_fault_at_any_call_loses_nothing_and_passes(clock, tmp_path, error):
    """Break the n-th call to the file system, for n = 1, 2, ... until the story runs through without one."""
    for nth in range(1, 200):
        path = str(tmp_path / f"{nth}.db")
        vfs = RecordingVFS()
        store = SqliteStore(path, follow=FOLLOW, clock=clock, vfs=vfs.name)
        await store.open()
        broken = await run_story(store, clock, vfs, nth, error)
        await store.close()
        if not broken:
            assert nth > 10, "the story makes calls that can fail"
            return
    pytest.fail("the story never ran through without a fault")


async def run_story(store, clock, vfs, nth, error):
    """Create, claim, settle, delete, with one fault on the way, and check what was said.

    True if it came to the fault.
    """
    calls = 0

    def fail(_):
        nonlocal calls
        calls += 1
        if calls == nth:
            raise error("broken for once")

    stored, unknown = set(), set()
    vfs.fail = fail
    for _ in range(3):
        task = a_task(due_at=clock.now())
        try:
            await store.create([task])
            stored.add(task.id)
        except StoreUnavailableError:
            unknown.add(task.id)
        listed = {task.id for task in (await store.list_page(TaskFilter(), after=None, limit=100)).tasks}
        assert stored <= listed <= stored | unknown, "reads go on, and show what was acknowledged"

    attempts = await until_it_works(lambda: store.claim_due({WEBHOOK: 1}))
    (attempt,) = attempts.attempts
    await until_it_works(lambda: store.settle(attempt, settlement(clock, attempt)))
    assert (await store.get(attempt.task_id)).state is State.DONE
    doomed = next(iter(stored - {attempt.task_id}))
    await until_it_works(lambda: store.delete(doomed))
    assert store.ailment is None

    final = {task.id for task in (await store.list_page(TaskFilter(), after=None, limit=100)).tasks}
    assert stored - {doomed} <= final <= (stored | unknown) - {doomed}
    vfs.fail = lambda event: None
    return calls >= nth


async def until_it_works(ask):
    """The store mends itself: the second try is after the fault."""
    try:
        return await ask()
    except StoreUnavailableError:
        return await ask()


async def test_a_full_disk_stops_creates_and_claims_but_not_reads_and_all_resume(clock, tmp_path):
    vfs = RecordingVFS()
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
    await store.open()
    task = a_task(due_at=clock.now())
    await store.create([task])

    def full(event):
        if event.what == "write":
            raise apsw.FullError("no space")

    vfs.fail = full
    for _ in range(3):
        with pytest.raises(StoreFullError):
            await store.create([a_task(due_at=clock.now())])
        with pytest.raises(StoreFullError):
            await store.claim_due({WEBHOOK: 10})
    assert "space" in store.ailment
    assert (await store.get(task.id)).state is State.TODO

    vfs.fail = lambda event: None
    claimed = await store.claim_due({WEBHOOK: 10})
    assert [attempt.task_id for attempt in claimed.attempts] == [task.id]
    assert store.ailment is None
    await store.close()


async def test_one_write_that_breaks_a_constraint_fails_alone_in_its_group(clock, tmp_path):
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock)
    await store.open()
    first = a_task(due_at=clock.now())
    await store.create([first])
    others = [a_task(due_at=clock.now()) for _ in range(5)]

    results = await asyncio.gather(
        *(store.create([task]) for task in (*others[:3], first, *others[3:])),
        store.delete(first.id),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [*[type(None)] * 3, TaskExistsError, *[type(None)] * 3]
    for task in others:
        assert (await store.get(task.id)).state is State.TODO
    await store.close()


async def test_beyond_the_bound_callers_are_told_to_come_back_and_settles_still_have_room(clock, tmp_path):
    store = SqliteStore(str(tmp_path / "tasks.db"), follow=FOLLOW, clock=clock, pending_limit=3)
    await store.open()
    running = a_task(due_at=clock.now())
    await store.create([running])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts

    creates = [store.create([a_task(due_at=clock.now())]) for _ in range(5)]
    results = await asyncio.gather(*creates, store.settle(attempt, settlement(clock, attempt)), return_exceptions=True)

    assert [type(result) for result in results] == [*[type(None)] * 3, *[StoreBusyError] * 2, Settled]
    assert (await store.count(up_to=100))[State.TODO] == 3
    await store.close()


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
async def test_a_fault_at_any_call_keeps_an_answer_if_and_only_if_it_stores_its_task(clock, tmp_path, error):
    for nth in range(1, 50):
        vfs = RecordingVFS()
        store = SqliteStore(str(tmp_path / f"{nth}.db"), follow=FOLLOW, clock=clock, vfs=vfs.name)
        await store.open()
        calls = 0

        def fail(_, nth=nth):
            nonlocal calls
            calls += 1
            if calls == nth:
                raise error("broken for once")

        vfs.fail = fail
        request = Repeatable(id=b"i" * 32, fingerprint=b"f" * 32, answer=lambda task: task.id.encode(), retention=10**9)
        task, again = a_task(due_at=clock.now()), a_task(due_at=clock.now())
        try:
            came = await store.create_once(task, request)
        except StoreUnavailableError:
            vfs.fail = lambda event: None
            came = await until_it_works(lambda: store.create_once(again, request))  # noqa: B023
        (stored,) = (await store.list_page(TaskFilter(), after=None, limit=100)).tasks
        assert (await store.kept_answer(request.id)).answer == stored.id.encode()
        assert came in (task, again, KeptAnswer(b"f" * 32, task.id.encode()))
        came_to_it = calls >= nth
        vfs.fail = lambda event: None
        await store.close()
        if not came_to_it:
            assert nth > 3, "the story makes calls that can fail"
            return
    pytest.fail("the story never ran through without a fault")
