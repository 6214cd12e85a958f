"""Readers of PostgreSQL share some connections: none of them has one for long."""

import asyncio

import pytest

from tasker.filters import query_of
from tasker.model.steps import Steps
from tasker.stores import finding
from tasker.stores.postgres.reader import READERS
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

MINUTE = 60_000_000
COUNTED = 200


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(lambda store, _: store.count_found(query_of({})), id="what is found"),
        pytest.param(lambda store, clock: store.count_due(Steps(clock.now(), MINUTE, 1)), id="what is due"),
    ],
)
async def test_who_reads_one_task_does_not_wait_for_those_who_count(nodes, monkeypatch, count):
    store = await nodes.open()
    monkeypatch.setattr(finding, "AT_ONCE", 1)
    tasks = [a_task(due_at=nodes.clock.now()) for _ in range(COUNTED)]
    await store.create(tasks)
    ended = []

    async def noted(name, what):
        await what
        ended.append(name)

    await asyncio.gather(
        *(noted("count", count(store, nodes.clock)) for _ in range(READERS)),
        noted("task", store.get(tasks[0].id)),
    )

    assert ended == ["task", *["count"] * READERS]
