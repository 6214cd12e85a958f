"""Gates of nodes that share a store: how tests make and look at them."""

import asyncio
import contextlib

from steps import SECOND, WEBHOOK, success

from tasker.model.circuit import THRESHOLD
from tasker.model.instants import LAST
from tasker.stores import queries
from tasker.stores.postgres.connection import Connector
from tasker.testing.task_factory import a_task

QUERIES = queries.load("tasker.stores.postgres")

HOST = "http://a.example:80"


async def hosted(nodes, count=1, host=HOST):
    tasks = [a_task(due_at=nodes.clock.now(), host=host) for _ in range(count)]
    await nodes.store.create(tasks)
    return [task.id for task in tasks]


async def the_gate(store):
    (record,) = await store.gates(after=0, limit=10)
    return record


@contextlib.asynccontextmanager
async def session(nodes):
    """A session of its own, for what another node may be in the middle of."""
    connection = await Connector(nodes._url, is_pooled=False).connect()
    yield connection
    await connection.close()


async def until_it_waits(nodes):
    """Return once a session waits for another's lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20):
        while await nodes.connection.fetchval(waiting) == 0:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def claim_all(nodes, store, *, free):
    """Claim, settle, and let time pass, until nothing is left. Return the ids in the order in which they came."""
    came = []
    for _ in range(200):
        claimed = await store.claim_due({WEBHOOK: free})
        for attempt in claimed.attempts:
            came.append(attempt.task_id)
            await store.settle(attempt, success(nodes.clock, is_alive=True))
        if claimed.next_due is None:
            return came
        await nodes.clock.advance(max(claimed.next_due - nodes.clock.now(), 0) / SECOND)
    raise AssertionError("there is always more")


async def claim_in(connection, store, *, free=1, look=512):
    """What a claim of *store* does first, in a session of its own."""
    arguments = (WEBHOOK, free, 1, store._node, look, None, THRESHOLD, LAST, 0, 0)
    return await connection.fetch(QUERIES["claim"], *arguments)
