"""A node that does not get all the connections that it needs is not ready, and says so."""

import asyncio
import time
import uuid

import pytest
import structlog

from databases import FOLLOW, execute, new_database
from tasker.errors import StoreUnavailableError
from tasker.model.task import Pool
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.links import LOOK_SECONDS
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

NEEDED = 10


@pytest.fixture
def role():
    """A role that may connect as often as a node needs, and the URL of a database of its own."""
    url, name = new_database(), f"role_{uuid.uuid4().hex}"
    execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT {NEEDED + 1}")
    execute(f"ALTER DATABASE {url.rpartition('/')[2]} OWNER TO {name}")
    yield name, f"postgresql://{name}:x@{url.partition('@')[2]}"
    execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
    execute(f"DROP ROLE {name}")


def limit(name, connections):
    execute(f"ALTER ROLE {name} CONNECTION LIMIT {connections}")


async def until(clock, condition):
    """Let the clock go on until *condition* holds. The database is real, and takes as long as it takes."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await clock.advance(LOOK_SECONDS)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("given", [3, 4, 5, 9])
async def test_a_node_with_some_of_its_connections_is_not_ready_until_it_has_all(role, given):
    name, url = role
    clock = ManualClock()
    await schema.prepare(Connector(url, is_pooled=False), migrates=True)
    store = PostgresStore(url, follow=FOLLOW, base_clock=clock, address="http://127.0.0.1:8080", version="0")
    limit(name, given)
    with structlog.testing.capture_logs() as lines:
        await store.open()
        said = f"needs {NEEDED} connections to it, and has {given}: it takes no more connections"
        await until(clock, lambda: said in str(store.ailment))  # at first, that of the start may still count
        line = [line for line in lines if line["log_level"] == "warning" and "needed" in line][-1]
        assert (line["needed"], line["given"]) == (NEEDED, given)
        limit(name, -1)
        await until(clock, lambda: store.ailment is None)
        assert [line["needed"] for line in lines if "again" in line["event"]] == [NEEDED]
    await store.create([a_task(due_at=store.clock.now())])
    await store.close()


async def test_a_node_that_loses_connections_later_is_not_ready_and_claims_nothing_that_it_could_not_end(role):
    name, url = role
    clock = ManualClock()
    store = PostgresStore(url, follow=FOLLOW, base_clock=clock, address="http://127.0.0.1:8080", version="0")
    await store.open()
    assert store.ailment is None
    await store.create([a_task(due_at=store.clock.now() - 1)])
    limit(name, 1)
    store._settling.drop()
    await until(clock, lambda: store.ailment is not None)
    with pytest.raises(StoreUnavailableError, match="no more connections"):
        await store.claim_due({Pool(1): 1})
    limit(name, -1)
    await until(clock, lambda: store._links.ailment is None)
    assert len((await store.claim_due({Pool(1): 1})).attempts) == 1
    assert store.ailment is None
    await store.close()


async def test_a_store_that_is_closed_leaves_no_connection_behind(nodes):
    store = await nodes.open()
    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    assert await nodes.connection.fetchval(sessions) == NEEDED
    await store.close()
    deadline = time.monotonic() + 30
    while await nodes.connection.fetchval(sessions):  # they end a moment later
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_a_store_that_is_closed_does_not_wait_for_a_database_that_does_not_answer(nodes):
    store = await nodes.open()
    await store.create([a_task(due_at=nodes.clock.now()) for _ in range(12)])
    await nodes.clock.advance(1)
    attempts = (await store.claim_due({Pool(1): 12})).attempts
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM task FOR UPDATE")
        giving_back = [asyncio.ensure_future(store.give_back(each)) for each in attempts]
        await asyncio.sleep(0)  # one waits for its row, the others for the connection
        async with asyncio.timeout(30):  # one after the other, they would wait for a minute
            await store.close()
        came_of = await asyncio.gather(*giving_back, return_exceptions=True)
    assert [type(each) for each in came_of] == [StoreUnavailableError] * 12
