"""Who shares a store: leases, what stands as running here, and the list of nodes."""

import math

import pytest
from steps import WEBHOOK, claimed, running

from tasker.errors import ClaimLostError
from tasker.interfaces.queue import Claim
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_a_lease_is_trusted_for_a_while_from_before_it_was_asked_for(store, clock):
    before = store.clock.monotonic()
    trusted_until = await store.renew()
    assert trusted_until == math.inf or 10 < trusted_until - before <= 30
    await clock.advance(1)
    assert await store.renew() >= trusted_until


async def test_what_is_claimed_is_held_until_it_is_settled_or_given_back(store, clock):
    assert await store.claims() == []
    attempt = await running(store, clock)
    assert await store.claims() == [Claim(attempt.task_id, attempt.fence)]

    await store.give_back(Claim(attempt.task_id, attempt.fence))

    assert await store.claims() == []
    task = await store.get(attempt.task_id)
    assert (task.state, task.attempts) == (State.TODO, 0)
    with pytest.raises(ClaimLostError):
        await store.give_back(Claim(attempt.task_id, attempt.fence))


async def test_what_another_node_holds_is_not_held_here(store, clock, after_death):
    await running(store, clock)
    assert await (await after_death(store)).claims() == []


async def test_a_node_is_listed_with_what_it_runs(store, clock):
    await store.create([a_task(due_at=clock.now()), a_task(due_at=clock.now())])
    await claimed(store, WEBHOOK)

    [node] = await store.nodes()

    assert node.running == 1
    assert node.started_at <= clock.now()
    assert node.lease_until is None or node.lease_until > clock.now()


async def test_a_store_says_how_far_its_clock_is_ahead(store):
    assert abs(store.clock_offset) < 1
