"""The audit log of several nodes: each change has one row, whichever of them make it at once."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from kinds import Postgres
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, failure

from tasker.callers import Caller, Scope
from tasker.errors import TaskerError
from tasker.model.audit import Action, AuditQuery, Kind
from tasker.model.circuit import THRESHOLD
from tasker.model.gate import Destination, GateKind
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = Destination(GateKind.HOST, "http://a:80")


@pytest.fixture
async def stores(tmp_path):
    """Three nodes on one database."""
    kind = Postgres(tmp_path)
    nodes = [await kind.open(), await kind._open(), await kind._open()]
    for node in nodes:
        node.kind = kind
    yield nodes
    for node in nodes[:-1]:
        await node.close()
    await kind.close()


async def log(store):
    return (await store.audit(AuditQuery(), after=None, limit=1_000)).records


def callers():
    return [Caller(frozenset(Scope), f"k{place}", "x") for place in range(3)]


async def test_of_many_who_change_a_task_at_once_each_that_did_has_its_row(stores):
    tasks = [a_task(due_at=stores[0].clock.now() + 60 * SECOND) for _ in range(20)]
    await stores[0].create(tasks)

    async def do(store, caller, task, action):
        entry = caller.entry(action, Kind.TASK, task.id)
        call = {Action.CANCEL: store.cancel, Action.RETRY: store.retry, Action.DELETE: store.delete}[action]
        try:
            came = await call(task.id, entry=entry)
        except TaskerError:
            return None
        return (caller.id, action, task.id) if action is not Action.CANCEL or came.is_new else None

    came = await asyncio.gather(
        *(
            do(store, caller, task, action)
            for task in tasks
            for action in (Action.CANCEL, Action.RETRY, Action.CANCEL, Action.DELETE)
            for store, caller in zip(stores, callers(), strict=True)
        )
    )

    rows = Counter((row.by.id, row.action, row.subject) for row in await log(stores[1]))
    assert rows == Counter(each for each in came if each is not None)
    assert sum(action is Action.DELETE for _, action, _ in rows) == len(tasks)


async def test_of_nodes_that_hear_of_failures_at_once_one_writes_that_the_circuit_opened(stores):
    kind = stores[0].kind
    await stores[0].create([replace(a_task(due_at=kind.clock.now()), destination=HOST) for _ in range(3 * THRESHOLD)])
    attempts = [(store, each) for store in stores for each in (await store.claim_due({WEBHOOK: 20})).attempts]
    assert len(attempts) == 3 * THRESHOLD

    await asyncio.gather(*(store.settle(each, failure(kind.clock, is_alive=False)) for store, each in attempts))

    assert [row.action for row in await log(stores[2])] == [Action.CIRCUIT_OPENED]


async def test_deletes_of_the_same_tasks_on_several_nodes_do_not_wait_for_each_other(stores):
    for _ in range(5):
        tasks = [a_task(due_at=stores[0].clock.now() + 60 * SECOND) for _ in range(50)]
        await stores[0].create(tasks)
        orders = (tasks, tasks[::-1], [*tasks[25:], *tasks[:25]])
        came = await asyncio.gather(
            *(
                store.delete(task.id, entry=caller.entry(Action.DELETE, Kind.TASK, task.id))
                for store, caller, order in zip(stores, callers(), orders, strict=True)
                for task in order
            ),
            return_exceptions=True,
        )
        assert Counter(type(each).__name__ for each in came) == {"NoneType": 50, "TaskNotFoundError": 100}
    assert len(await log(stores[0])) == 250


async def test_nodes_that_prune_at_once_delete_each_row_once(stores):
    kind = stores[0].kind
    gate = await stores[0].make_gate(HOST)
    for place in range(30):
        call = stores[place % 3].pause if place % 2 == 0 else stores[place % 3].resume
        await call(gate, entry=callers()[0].entry(Action.PAUSE, Kind.DESTINATION, str(gate)))
    await kind.clock.move(10)

    gone = await asyncio.gather(*(store.prune_audit(older_than=timedelta(seconds=5)) for store in stores))

    assert sum(gone) == 30
    assert await log(stores[0]) == []
