"""Operations beside everything else that an engine does."""

import asyncio

import pytest

from tasker.engine.operations import LOOKED_AT_ONCE
from tasker.ids import new_id
from tasker.model.operation import Action, Asked, Operation
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_others_have_their_turn_while_many_tasks_are_looked_at(bench, clock):
    turns = []

    async def take_turns():
        while True:
            turns.append(len(turns))
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    operation = Operation(id=new_id(clock.now()), action=Action.RUN, asked=Asked(), is_dry_run=True)
    tasks = [a_task(due_at=clock.now())] * LOOKED_AT_ONCE

    try:
        looked = await bench.engine.operations.look_at(operation, tasks)
    finally:
        other.cancel()

    assert (looked.matched, looked.changed) == (LOOKED_AT_ONCE, LOOKED_AT_ONCE)
    assert len(turns) >= LOOKED_AT_ONCE // 50
