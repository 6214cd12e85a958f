"""What nodes lock while one hands out what a strict gate holds."""

import pytest
from steps import WEBHOOK, claim_all

from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST, GROUP = "http://a:80", "customer"


async def test_a_turn_does_not_wait_for_a_gate_that_another_node_has_locked(nodes):
    """That node may wait for this one's gate: then neither would go on."""
    store = await nodes.open()
    now = nodes.clock.now()
    task = a_task(due_at=now, host=HOST, group=GROUP)
    await store.create([task])
    host = next(each.gate for each in await store.gates(after=0, limit=10) if each.gate.name == HOST)
    await store.pause(host.id)
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM gate WHERE id = $1 FOR NO KEY UPDATE", host.id)
        assert list((await store.claim_due({WEBHOOK: 1})).attempts) == []
        assert store.ailment is None
    await claim_all(store, 1)  # its host holds it now
    await store.resume(host.id)
    assert [each.task_id for each in await claim_all(store, 1)] == [task.id]
