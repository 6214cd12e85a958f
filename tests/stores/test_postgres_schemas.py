"""``--database-schema``: the tables stand apart from those of others, of another tasker among them."""

import asyncio

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK

from databases import FOLLOW, new_database
from tasker.errors import ConflictsError, DatabaseError, SchemaOutdatedError
from tasker.model.new_task import NewTask
from tasker.stores import queries
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def url():
    return new_database()


@pytest.fixture
async def connection(url):
    connection = await Connector(url, is_pooled=False).connect()
    yield connection
    await connection.close()


@pytest.fixture
async def opened(url):
    """Opens stores in schemas of one database, and closes them."""
    stores = []

    async def open_in(name, **how):
        store = PostgresStore(
            url, schema=name, follow=FOLLOW, base_clock=SystemClock(), address=f"http://{name}", version="0", **how
        )
        await store.open()
        stores.append(store)
        return store

    yield open_in
    for store in stores:
        await store.close()


async def prepare(url, name, *, migrates=True):
    await schema.prepare(Connector(url, is_pooled=False, schema=name), migrates=migrates)


async def tables(connection, name):
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", name)
    return {row["tablename"] for row in rows}


async def test_a_missing_schema_is_made_and_has_all_there_is(url, connection):
    await connection.execute("CREATE TABLE task (id text); CREATE TABLE orders (id text)")

    await asyncio.gather(*(prepare(url, "tasker_a") for _ in range(4)))

    assert await tables(connection, "public") == {"task", "orders"}
    assert {"task", "node", "tasker_inbox", "tasker_schema"} <= await tables(connection, "tasker_a")
    functions = await connection.fetch(
        "SELECT DISTINCT pronamespace::regnamespace::text AS place FROM pg_proc WHERE proname LIKE 'tasker%'"
    )
    assert [row["place"] for row in functions] == ["tasker_a"]


async def test_a_schema_is_not_made_when_tables_are_to_be_left_alone(url, connection):
    with pytest.raises(SchemaOutdatedError):
        await prepare(url, "tasker_a", migrates=False)
    assert await connection.fetchval("SELECT to_regnamespace('tasker_a')") is None


async def test_who_may_not_make_or_use_the_schema_is_told_what_to_run(url, connection):
    role = f"limited_{url[-8:]}"
    await connection.execute(f"CREATE ROLE {role} LOGIN; CREATE SCHEMA there")
    theirs = url.replace("postgres@", f"{role}@")
    try:
        with pytest.raises(DatabaseError, match=f"CREATE SCHEMA absent AUTHORIZATION {role}"):
            await prepare(theirs, "absent")
        with pytest.raises(DatabaseError, match=f"GRANT USAGE, CREATE ON SCHEMA there TO {role}"):
            await prepare(theirs, "there")

        await connection.execute(f"GRANT USAGE, CREATE ON SCHEMA there TO {role}")
        await prepare(theirs, "there")
        assert "task" in await tables(connection, "there")
    finally:
        await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_sessions_that_a_pooler_gives_another_schema_are_refused(url, connection):
    pooled = Connector(url, is_pooled=True, schema="tasker_a")  # which sets nothing
    with pytest.raises(DatabaseError, match="ALTER ROLE postgres SET search_path = tasker_a"):
        await schema.prepare(pooled, migrates=True)
    assert await tables(connection, "public") == set()

    name = url.rpartition("/")[2]
    await connection.execute(f"ALTER ROLE postgres IN DATABASE {name} SET search_path = tasker_a")
    await schema.prepare(pooled, migrates=True)

    assert "task" in await tables(connection, "tasker_a")


async def test_two_taskers_in_one_database_do_not_see_each_others_tasks_and_nodes(opened):
    one, other = await opened("one"), await opened("other")
    task = a_task(due_at=0)
    await one.create([task])

    assert (await other.claim_due({WEBHOOK: 5})).attempts == ()
    assert [attempt.task_id for attempt in (await one.claim_due({WEBHOOK: 5})).attempts] == [task.id]
    for store in (one, other):
        assert [node.id for node in await store.nodes()] == [store.node_id]
    await other.create([task])  # an id of theirs is free here


async def test_a_key_is_held_in_its_schema_alone_and_its_lock_too(opened, url):
    one, other = await opened("one"), await opened("other")
    held = await Connector(url, is_pooled=False, schema="one").connect(idle_in_transaction_session_timeout="0")

    def new(store):
        task = a_task(due_at=store.clock.now() + 3_600 * SECOND)
        return [NewTask(task=replace(task, key="k", holds_key=True))]

    try:
        async with held.transaction():
            await held.execute(queries.load("tasker.stores.postgres")["lock_keys"], ["k"])
            await asyncio.wait_for(other.make(new(other)), 4)
    finally:
        await held.close()
    await one.make(new(one))
    with pytest.raises(ConflictsError):
        await one.make(new(one))


async def test_what_one_tasker_says_the_other_does_not_hear(opened, url):
    one, another_one, other = await opened("one"), await opened("one"), await opened("other")
    rung = {store: asyncio.Event() for store in (one, another_one, other)}
    for store, event in rung.items():
        store.listen(event.set)

    one.wake_others()
    await asyncio.wait_for(rung[another_one].wait(), 10)
    other.wake_others()  # nobody
    one.wake_others()
    rung[another_one].clear()
    await asyncio.wait_for(rung[another_one].wait(), 10)  # behind what was said before

    assert not rung[other].is_set()
    assert not rung[one].is_set()


async def test_each_has_an_inbox_of_its_own_that_rings(opened, connection):
    one, other = await opened("one"), await opened("other")
    rung = {store: asyncio.Event() for store in (one, other)}
    for store, event in rung.items():
        store.watch_inbox(event.set)
    insert = "INSERT INTO {}.tasker_inbox (id, request) VALUES (gen_random_uuid(), '[]')"

    await connection.execute(insert.format("one"))
    await asyncio.wait_for(rung[one].wait(), 10)
    assert not rung[other].is_set()
    await connection.execute(insert.format("other"))
    await asyncio.wait_for(rung[other].wait(), 10)

    for store in (one, other):
        assert len(await store.waiting_rows(after=None, limit=10, largest=100)) == 1


async def test_a_schema_of_the_url_keeps_its_channels_apart_too(url, connection):
    await connection.execute("CREATE SCHEMA in_the_url")
    store = PostgresStore(
        f"{url}?options=-c%20search_path%3Din_the_url",
        follow=FOLLOW,
        base_clock=SystemClock(),
        address="http://x",
        version="0",
    )
    await store.open()
    try:
        assert store._bell._suffix == "_in_the_url"
    finally:
        await store.close()
