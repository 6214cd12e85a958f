"""An upgrade on PostgreSQL: nodes of the version before go on, and when the last has ended, none can join."""

import asyncio
import contextlib
import uuid
from datetime import timedelta

import asyncpg
import pytest
import structlog
from kinds import Postgres

from databases import FOLLOW, give_manual_clock
from tasker.errors import DatabaseError, SchemaOutdatedError
from tasker.model.retry import STANDARD
from tasker.stores import migrate
from tasker.stores.migrate import Migration
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.lease import LEASE, PATIENCE
from tasker.stores.postgres.store import PostgresStore

pytestmark = pytest.mark.anyio

MIGRATIONS = migrate.load("tasker.stores.postgres")
KNOWN = len(MIGRATIONS)
LAST_CONTRACT = max(migration.number for migration in MIGRATIONS if migration.contracts)
BEFORE = next(migration.number for migration in MIGRATIONS if migration.name == "finding_and_changing") - 1
"""The tables of the version before."""


class OlderNode:
    """A node of the version before: what it writes, with its statements."""

    def __init__(self, nodes):
        self._connection = nodes.connection
        self.id = str(uuid.uuid4())

    async def renew(self):
        await self._connection.execute(
            "INSERT INTO node (id, address, version, started_at, lease_until) "
            "VALUES ($1, 'http://old', '0', tasker_now(), tasker_now() + $2::interval) "
            "ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until",
            self.id,
            LEASE,
        )

    async def end(self):
        await self._connection.execute("UPDATE node SET lease_until = tasker_now() WHERE id = $1", self.id)

    async def create(self):
        task_id = str(uuid.uuid4())
        await self._connection.execute(
            "WITH stored AS (INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time) "
            "VALUES ($1, 'webhook', 0, 1, tasker_now(), tasker_now(), 't')) "
            "INSERT INTO payload (id, payload) VALUES ($1, '{}')",
            task_id,
        )
        return task_id

    async def claim(self, task_id):
        await self._connection.execute(
            "UPDATE task SET state = 1, attempts = 1, fence = 1, node = $2 WHERE id = $1", task_id, self.id
        )


@contextlib.asynccontextmanager
async def session(nodes):
    connection = await Connector(nodes._url, is_pooled=False).connect()
    yield connection
    await connection.close()


async def another(nodes, *, migrates):
    store = PostgresStore(
        nodes._url,
        follow=FOLLOW,
        base_clock=nodes.machine,
        address="http://127.0.0.1:8081",
        version="0",
        migrates=migrates,
    )
    await store.open()
    return store


@pytest.fixture
async def nodes(tmp_path):
    """A database with the tables of the version before, one of whose nodes is running: ``nodes.older``."""
    kind = Postgres(tmp_path)
    store = await kind.open()
    await store.close()
    await kind.connection.execute(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
        "CREATE TABLE tasker_schema (version integer NOT NULL, least integer NOT NULL)"
    )
    for migration in MIGRATIONS[:BEFORE]:
        await kind.connection.execute(migration.sql)
    await kind.connection.execute("INSERT INTO tasker_schema VALUES ($1, 0)", BEFORE)
    await give_manual_clock(kind.connection, kind.machine.now())
    kind.older = OlderNode(kind)
    await kind.older.renew()
    yield kind
    await kind.close()


async def versions(nodes):
    return tuple(await nodes.connection.fetchrow("SELECT version, least FROM tasker_schema"))


async def test_while_a_node_of_the_version_before_is_running_the_tables_suit_both(nodes):
    store = await nodes._open()
    assert store.is_upgrading
    assert await versions(nodes) == (LAST_CONTRACT - 1, 0)
    task_id = await nodes.older.create()
    await nodes.older.renew()
    task = await store.get(task_id)
    assert task.created_at == nodes.clock.now()
    assert timedelta(microseconds=task.patience) == STANDARD.patience()
    assert [each.task_id for each in (await store.claim_due({task.pool: 5})).attempts] == [task_id]


async def test_the_upgrade_is_finished_once_the_last_lease_of_an_older_node_has_ended_and_not_before(nodes):
    store = await nodes._open()
    await nodes.clock.move(LEASE.total_seconds() - 0.000001)
    await store.renew()
    assert store.is_upgrading
    await nodes.clock.move(0.000001)
    await store.renew()
    assert not store.is_upgrading
    assert await versions(nodes) == (KNOWN, LAST_CONTRACT)


async def test_a_node_that_ends_in_order_ends_the_wait_at_once(nodes):
    store = await nodes._open()
    await nodes.older.end()
    await store.renew()
    assert not store.is_upgrading


async def test_what_an_older_node_left_running_is_taken_back_first(nodes):
    store = await nodes._open()
    task_id = await nodes.older.create()
    await nodes.older.claim(task_id)
    await nodes.clock.move(LEASE.total_seconds() + PATIENCE.total_seconds())
    await store.renew()
    assert store.is_upgrading, "it may still write how the attempt ended"
    assert (await store.take_back()).todo == 1
    await store.renew()
    assert not store.is_upgrading


async def test_an_older_node_cannot_come_or_come_back_once_it_is_finished(nodes):
    store = await nodes._open()
    await nodes.clock.move(LEASE.total_seconds())
    await store.renew()
    for node in (nodes.older, OlderNode(nodes)):
        with pytest.raises(asyncpg.CheckViolationError, match="this_tasker_is_too_old"):
            await node.renew()
    assert [each.address for each in await store.nodes() if each.lease_until > nodes.clock.now()] == [
        "http://127.0.0.1:8080"
    ]


async def test_an_older_node_that_is_about_to_join_is_waited_for_a_moment_and_then_again(nodes):
    store = await nodes._open()
    await nodes.older.end()
    async with session(nodes) as connection:
        late = OlderNode(nodes)
        late._connection = connection
        async with connection.transaction():
            await late.renew()
            await store.renew()
            assert store.is_upgrading
        await store.renew()
        assert store.is_upgrading, "it has joined"
        await late.end()
        await store.renew()
        assert not store.is_upgrading


async def test_an_older_node_does_not_slip_in_while_the_upgrade_is_finished(nodes):
    store = await nodes._open()
    await nodes.older.end()
    async with session(nodes) as connection:
        late = OlderNode(nodes)
        late._connection = connection
        async with nodes.connection.transaction():
            assert await schema.finish(nodes.connection, migrates=True)
            joining = asyncio.ensure_future(late.renew())
            waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            while not await nodes.connection.fetchval(waiting):  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.001)
        with pytest.raises(asyncpg.CheckViolationError):
            await joining
    await store.renew()
    assert not store.is_upgrading


async def test_without_the_right_to_migrate_a_node_waits_until_somebody_else_has_finished(nodes):
    with pytest.raises(SchemaOutdatedError):
        await another(nodes, migrates=False)
    await schema.prepare(Connector(nodes._url, is_pooled=False), migrates=True)
    store = await another(nodes, migrates=False)
    await nodes.older.end()
    await store.renew()
    assert store.is_upgrading
    with structlog.testing.capture_logs() as lines:
        await schema.prepare(Connector(nodes._url, is_pooled=False), migrates=True)
    assert [line["number"] for line in lines if line["event"] == "migrated the database"] == [LAST_CONTRACT]
    assert store.is_upgrading, "it has not looked yet"
    await store.renew()
    assert not store.is_upgrading
    await store.close()


async def test_a_migration_while_older_nodes_are_running_says_that_something_is_left_to_do(nodes):
    with structlog.testing.capture_logs() as lines:
        await schema.prepare(Connector(nodes._url, is_pooled=False), migrates=True)
        await schema.prepare(Connector(nodes._url, is_pooled=False), migrates=True)
    left = [line for line in lines if line["event"].startswith("nodes of an earlier version are running")]
    assert len(left) == 2


async def test_a_version_too_far_ahead_of_nodes_that_are_running_does_not_start(nodes):
    further = [*MIGRATIONS, Migration(KNOWN + 1, "further", "SELECT")]
    with pytest.raises(DatabaseError, match="nodes of a version before the previous one are running"):
        await schema._bring_up_to_date(nodes.connection, "here", further, schema=None, migrates=True)
    assert await versions(nodes) == (BEFORE, 0), "nothing was changed"
    await nodes.older.end()
    await schema._bring_up_to_date(nodes.connection, "here", further, schema=None, migrates=True)
    assert await versions(nodes) == (KNOWN + 1, LAST_CONTRACT)


async def test_a_trouble_of_the_database_while_it_is_finished_does_not_cost_the_lease(nodes):
    store = await nodes._open()
    await nodes.older.end()
    await nodes.connection.execute("DROP INDEX task_ended")
    with structlog.testing.capture_logs() as lines:
        assert await store.renew() > 0
        await store.renew()
    (line,) = lines
    assert "PostgreSQL's error 42704" in line["reason"]
    assert store.is_upgrading
    await nodes.connection.execute("CREATE INDEX task_ended ON task (state)")
    await store.renew()
    assert not store.is_upgrading


async def test_what_an_older_node_prunes_by_has_an_index_until_it_is_finished(nodes):
    store = await nodes._open()
    prune = (
        "EXPLAIN SELECT id FROM task WHERE state = 2 AND ended_at < tasker_now() - interval '1 day' "
        "ORDER BY ended_at LIMIT 500 FOR UPDATE SKIP LOCKED"
    )
    async with session(nodes) as connection:
        plan = [row[0] for row in await connection.fetch(prune)]
        assert any("Index Scan using task_ended on task" in line for line in plan), plan
        await nodes.older.end()
        await store.renew()
        assert await connection.fetchval("SELECT to_regclass('task_ended')") is None


async def test_since_when_a_circuit_is_open_is_counted_from_the_end_of_the_upgrade(nodes):
    await nodes.connection.execute(
        "INSERT INTO gate (kind, name, failures, open_until) "
        "VALUES (0, 'http://a', 12, 'infinity'), (0, 'http://b', 9, 'epoch')"
    )
    store = await nodes._open()
    await nodes.connection.execute("UPDATE gate SET broken_since = 'epoch'")  # as a node may have before
    await nodes.older.end()
    await store.renew()
    rows = await nodes.connection.fetch("SELECT broken_since FROM gate ORDER BY name")
    assert [row["broken_since"] for row in rows] == [nodes.clock.now(), None]
