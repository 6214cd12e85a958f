"""What is decided of a database that was restored, before any server runs: ``node.cancel_due``."""

import asyncio

import pytest

from databases import FOLLOW, new_database
from tasker import __version__, node
from tasker.config import Settings
from tasker.model.audit import LOCAL, Action, AuditQuery
from tasker.model.task import Pool, State
from tasker.stores.kind import StoreContext, kind_of
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock

pytestmark = pytest.mark.anyio

HOUR = 3600 * 1_000_000


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request, tmp_path):
    return Settings(database_url=f"sqlite:{tmp_path}/tasks.db" if request.param == "sqlite" else new_database())


async def opened(settings):
    context = StoreContext(clock=SystemClock(), follow=FOLLOW, version=__version__, pools={})
    store = kind_of(settings.database_url).make(settings.database_url, context)
    await store.open()
    return store


async def test_what_waited_ran_or_was_in_other_hands_is_cancelled_and_what_comes_later_is_not(settings):
    store = await opened(settings)
    now = store.clock.now()
    running, waiting, later = (a_task(due_at=now - 1), a_task(due_at=now), a_task(due_at=now + HOUR))
    await store.create([running])
    while not (await store.claim_due({Pool(1): 1})).attempts:
        pass
    await store.create([waiting, later])
    await store.close()

    due = await asyncio.to_thread(
        lambda: node.maintenance(settings).note_restored(now - HOUR, paused=True, with_ids=True)
    )
    assert set(due.ids) == {running.id, waiting.id}
    assert await node.cancel_due(settings, due) == 2

    store = await opened(settings)
    assert store.paused_at is None
    await store.take_back()
    states = [(await store.get(task.id)).state for task in (waiting, later)]
    assert states == [State.CANCELLED, State.TODO]
    assert (await store.claim_due({Pool(1): 10})).attempts == (), "the one that was running does not start again"
    records = (await store.audit(AuditQuery(), after=None, limit=10)).records
    assert sorted(record.action for record in records if record.by.id == LOCAL) == [
        Action.CANCEL,
        Action.CANCEL,
        Action.RESUME,
    ]
    await store.close()


async def test_a_pause_from_before_the_copy_goes_on(settings):
    store = await opened(settings)
    await store.pause_all()
    await store.create([a_task(due_at=store.clock.now())])
    copied_at = store.clock.now() + 1
    await store.close()
    due = await asyncio.to_thread(
        lambda: node.maintenance(settings).note_restored(copied_at, paused=True, with_ids=True)
    )
    assert await node.cancel_due(settings, due) == 1
    store = await opened(settings)
    assert store.paused_at is not None
    await store.close()
