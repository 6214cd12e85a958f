"""Jobs in the background: taking back what others left running, and deleting what ended long ago."""

import itertools
from datetime import timedelta

import pytest
import structlog

from databases import FOLLOW
from tasker.callers import OWNER
from tasker.engine.pruner import LOOK, PAUSE, Pruner
from tasker.engine.recovery import LOOK as RECOVERY_LOOK
from tasker.engine.recovery import Recovery
from tasker.engine.telemetry import Telemetry
from tasker.errors import StoreUnavailableError, TaskNotFoundError
from tasker.interfaces.queue import PRUNE_LIMIT, TakenBack
from tasker.model.audit import Action, AuditQuery, Kind
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import Fault, State
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(clock):
    store = SqliteStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    yield store
    await store.close()


async def ended(store, move, count=1):
    """Store *count* tasks that end now."""
    tasks = [a_task(due_at=store.clock.now()) for _ in range(count)]
    await store.create(tasks)
    for attempt in (await store.claim_due({tasks[0].pool: count})).attempts:
        fault = Fault("no", "it failed") if move is Move.FAIL else None
        now = store.clock.now()
        await store.settle(attempt, Settlement(move=move, started_at=now, ended_at=now, fault=fault))
    return [task.id for task in tasks]


async def are_gone(store, ids):
    gone = []
    for task_id in ids:
        try:
            await store.get(task_id)
            gone.append(False)
        except TaskNotFoundError:
            gone.append(True)
    return gone


async def test_each_state_is_kept_for_a_time_of_its_own(store, clock):
    done, failed = await ended(store, Move.COMPLETE), await ended(store, Move.FAIL)
    telemetry = Telemetry()
    pruner = Pruner(store, telemetry, keep_done=timedelta(days=7), keep_failed=timedelta(days=30), keep_audit=None)

    await clock.advance(7 * 86_400)
    assert await pruner.run_once() == LOOK
    assert await are_gone(store, done + failed) == [False, False]
    await clock.advance(0.000001)
    assert await pruner.run_once() == PAUSE, "there may be more"
    assert await are_gone(store, done + failed) == [True, False]
    await clock.advance(23 * 86_400)
    await pruner.run_once()
    assert await are_gone(store, done + failed) == [True, True]
    assert await pruner.run_once() == LOOK
    assert telemetry.pruned == 2


async def test_what_is_kept_for_ever_is_not_even_looked_for(store, clock, monkeypatch):
    done, failed = await ended(store, Move.COMPLETE), await ended(store, Move.FAIL)
    await clock.advance(100 * 365 * 86_400)
    asked = []
    prune = store.prune

    async def noted(state, *, older_than):
        asked.append(state)
        return await prune(state, older_than=older_than)

    monkeypatch.setattr(store, "prune", noted)
    await Pruner(store, Telemetry(), keep_done=None, keep_failed=None, keep_audit=None).run_once()
    assert (asked, await are_gone(store, done + failed)) == ([], [False, False])
    await Pruner(store, Telemetry(), keep_done=None, keep_failed=timedelta(0), keep_audit=None).run_once()
    assert (asked, await are_gone(store, done + failed)) == ([State.FAILED], [False, True])


async def test_many_are_deleted_a_batch_at_a_time(store, clock):
    await ended(store, Move.COMPLETE, count=PRUNE_LIMIT + 1)
    await clock.advance(1)
    telemetry = Telemetry()
    pruner = Pruner(store, telemetry, keep_done=timedelta(0), keep_failed=timedelta(0), keep_audit=None)
    waits, counts = [], []
    for _ in range(3):
        waits.append(await pruner.run_once())
        counts.append(telemetry.pruned)
    assert counts == [PRUNE_LIMIT, PRUNE_LIMIT + 1, PRUNE_LIMIT + 1]
    assert waits == [PAUSE, PAUSE, LOOK]


class TestInTheEngine:
    @pytest.fixture
    def kept(self):
        return {"keep_done": timedelta(seconds=100)}

    async def test_what_is_old_enough_goes_at_the_next_look(self, bench, clock):
        done = await bench.add("succeed", at=1)
        failed = await bench.add("fail", at=1, max_attempts=1)
        await clock.advance(2 * LOOK.total_seconds() - 0.000001)
        assert await are_gone(bench.store, [done, failed]) == [False, False]
        await clock.advance(0.000001)
        assert await are_gone(bench.store, [done, failed]) == [True, False]
        assert bench.telemetry.pruned == 1


async def test_what_is_taken_back_is_counted_and_looked_for_again_at_once(store, monkeypatch):
    found = [TakenBack(todo=2, failed=1), TakenBack(todo=0, failed=1), TakenBack(todo=0, failed=0)]

    async def take_back():
        return found.pop(0)

    monkeypatch.setattr(store, "take_back", take_back)
    telemetry = Telemetry()
    recovery = Recovery(store, telemetry)
    with structlog.testing.capture_logs() as lines:
        waits = [await recovery.run_once() for _ in range(3)]
    assert waits == [timedelta(0), timedelta(0), RECOVERY_LOOK]
    assert (telemetry.taken_back, telemetry.failed) == (4, 2)
    assert [(line["todo"], line["failed"]) for line in lines] == [(2, 1), (0, 1)]


async def test_a_job_that_fails_goes_on_and_holds_up_no_other(bench, clock, monkeypatch):
    tries = []

    async def take_back():
        tries.append(clock.monotonic())
        match len(tries):
            case 1:
                raise StoreUnavailableError("no connection to it")
            case 2:
                raise ZeroDivisionError("a defect")
        return TakenBack(todo=0, failed=0)

    monkeypatch.setattr(bench.store, "take_back", take_back)
    task = await bench.add("succeed", at=3)
    with structlog.testing.capture_logs() as lines:
        await clock.advance(9)

    assert [round(later - earlier, 6) for earlier, later in itertools.pairwise(tries)][:3] == [
        1,
        1,
        RECOVERY_LOOK.total_seconds(),
    ]
    assert bench.starts == [(task, 1, 3)]
    warning, error = [line for line in lines if line["log_level"] in ("warning", "error")]
    assert (warning["log_level"], warning["reason"]) == ("warning", str(StoreUnavailableError("no connection to it")))
    assert (error["log_level"], error["exc_info"]) == ("error", True)


async def test_what_the_audit_log_says_is_kept_for_a_time_of_its_own(store, clock):
    (task_id,) = await ended(store, Move.FAIL)
    await store.retry(task_id, entry=OWNER.entry(Action.RETRY, Kind.TASK, task_id))

    async def rows():
        return len((await store.audit(AuditQuery(), after=None, limit=10)).records)

    def pruner(keep_audit):
        return Pruner(store, Telemetry(), keep_done=None, keep_failed=None, keep_audit=keep_audit)

    await clock.advance(90 * 86_400)
    assert await pruner(None).run_once() == LOOK
    assert await pruner(timedelta(days=90)).run_once() == LOOK
    assert await rows() == 1
    await clock.advance(0.000001)
    assert await pruner(timedelta(days=90)).run_once() == PAUSE, "there may be more"
    assert await rows() == 0
