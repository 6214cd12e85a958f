"""Operations beside everything else that an engine does."""

import asyncio

import pytest
from msgspec import Raw

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


async def test_a_change_that_can_be_read_no_longer_refuses_every_task(bench, clock):
    asked = Asked(change=Raw(b'{"gone": {}}'))
    operation = Operation(id=new_id(clock.now()), action=Action.CHANGE, asked=asked, is_dry_run=True)

    looked = await bench.engine.operations.look_at(operation, [a_task(due_at=clock.now())] * 3)

    assert (looked.matched, looked.changed, looked.refused) == (3, 0, 3)
    assert looked.reasons == {"invalid_task": 3}
