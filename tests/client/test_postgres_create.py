"""tasker.postgres: one INSERT in the caller's transaction, with each driver for real."""

import asyncio
import contextlib
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import psycopg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from databases import execute, new_database
from tasker import NaiveTimeError
from tasker.postgres import create, schedule
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector

URL = "http://localhost:9000/hook"


@pytest.fixture(scope="module")
def database():
    """The URL of a database with tasker's tables, and what connects to it as the role of an application."""
    url = new_database()
    asyncio.run(schema.prepare(Connector(url, is_pooled=False), migrates=True))
    role = f"app_{url[-8:]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN; GRANT INSERT ON tasker_inbox TO {role}")
        connection.execute(f"CREATE TABLE orders (id int); GRANT ALL ON orders TO {role}")
    yield url, url.replace("postgres@", f"{role}@")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}")
    execute(f"DROP ROLE {role}")


@pytest.fixture
def rows(database):
    """Returns the requests that were committed, by their ids."""
    with psycopg.connect(database[0], autocommit=True) as connection:
        connection.execute("TRUNCATE tasker_inbox, orders")
        yield lambda: dict(connection.execute("SELECT id::text, request FROM tasker_inbox").fetchall())


def sqlalchemy_url(url, driver):
    return url.replace("postgresql://", f"postgresql+{driver}://")


async def with_asyncpg(url, use, *, commits):
    connection = await asyncpg.connect(url)
    transaction = connection.transaction(isolation="serializable")
    await transaction.start()
    await connection.execute("INSERT INTO orders VALUES (17)")
    made = await use(connection)
    await (transaction.commit() if commits else transaction.rollback())
    await connection.close()
    return made


async def with_a_pool_of_asyncpg(url, use, *, commits):
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        # Whatever the program has its driver make of JSON.
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=repr, decoder=str)
        transaction = connection.transaction()
        await transaction.start()
        made = await use(connection)
        await (transaction.commit() if commits else transaction.rollback())
        return made


async def with_psycopg(url, use, *, commits):
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO orders VALUES (17)")
        made = use(connection)
        connection.commit() if commits else connection.rollback()
        return made


async def with_a_cursor_of_psycopg(url, use, *, commits):
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        made = use(cursor)
        connection.commit() if commits else connection.rollback()
        return made


async def with_asynchronous_psycopg(url, use, *, commits):
    async with await psycopg.AsyncConnection.connect(url) as connection:
        made = await use(connection)
        await (connection.commit() if commits else connection.rollback())
        return made


async def with_sqlalchemy(url, use, *, commits):
    engine = sqlalchemy.create_engine(sqlalchemy_url(url, "psycopg"))
    with engine.connect() as connection:
        made = use(connection)
        connection.commit() if commits else connection.rollback()
    engine.dispose()
    return made


async def with_a_session_of_sqlalchemy(url, use, *, commits):
    engine = sqlalchemy.create_engine(sqlalchemy_url(url, "psycopg"))
    with Session(engine) as session:
        made = use(session)
        session.commit() if commits else session.rollback()
    engine.dispose()
    return made


async def with_asynchronous_sqlalchemy(url, use, *, commits):
    engine = create_async_engine(sqlalchemy_url(url, "asyncpg"))
    async with engine.connect() as connection:
        made = await use(connection)
        await (connection.commit() if commits else connection.rollback())
    await engine.dispose()
    return made


async def with_an_asynchronous_session_of_sqlalchemy(url, use, *, commits):
    engine = create_async_engine(sqlalchemy_url(url, "psycopg"))
    async with AsyncSession(engine) as session:
        made = await use(session)
        await (session.commit() if commits else session.rollback())
    await engine.dispose()
    return made


async def with_a_driver_of_django(url, use, *, commits):
    class DatabaseWrapper:  # which has no execute of its own
        __module__ = "django.db.backends.postgresql.base"

        def __init__(self, connection):
            self.cursor = connection.cursor

    with psycopg.connect(url) as connection:
        made = use(DatabaseWrapper(connection))
        connection.commit() if commits else connection.rollback()
        return made


WAYS = [value for name, value in list(globals().items()) if name.startswith("with_")]
each_way = pytest.mark.parametrize("way", WAYS, ids=[way.__name__[5:] for way in WAYS])


@pytest.mark.anyio
@each_way
async def test_a_row_is_there_if_and_only_if_the_transaction_commits(way, database, rows):
    members = {"json": {"who": "Zoë % $1 :id 'x' \\u0000"}, "tags": ("a",), "key": "k", "on_conflict": "keep"}

    def use(connection):
        return schedule(connection, URL, delay=timedelta(days=3), **members)

    await way(database[1], use, commits=False)
    assert rows() == {}
    task_id = await way(database[1], use, commits=True)

    webhook = {"url": URL, "delay": 259_200, **members, "tags": ["a"]}
    assert rows() == {task_id: {"webhook": webhook}}
    assert UUID(task_id).version == 7


@pytest.mark.anyio
async def test_any_type_is_created_and_the_caller_may_name_its_id(database, rows):
    named = "01a20f5f-cad1-7ddf-9a84-7874a503bf14"

    def use(connection):
        return create(
            connection,
            "job",
            {"queue": "reports", "json": None},
            at=datetime(2126, 2, 10, 15, 30, tzinfo=UTC),
            id=named.upper(),
        )

    assert await with_psycopg(database[1], use, commits=True) == named
    assert rows() == {named: {"job": {"queue": "reports", "json": None, "execution_time": "2126-02-10T15:30:00+00:00"}}}
    with pytest.raises(psycopg.errors.UniqueViolation):
        await with_psycopg(database[1], use, commits=True)


def test_a_body_of_bytes_is_sent_as_such(database, rows):
    with psycopg.connect(database[1]) as connection:
        task_id = schedule(connection, URL, delay="3d", body=b"\0\xff")
    assert rows()[task_id]["webhook"]["body_base64"] == "AP8="


def test_the_table_may_stand_in_a_schema(database):
    with psycopg.connect(database[0]) as connection:
        connection.execute(
            "CREATE SCHEMA apart; CREATE TABLE apart.tasker_inbox (LIKE public.tasker_inbox INCLUDING ALL)"
        )
        task_id = schedule(connection, URL, delay=1, schema="apart")
        assert connection.execute("SELECT id::text FROM apart.tasker_inbox").fetchone() == (task_id,)
        connection.rollback()


REFUSED = [
    ({"delay": 1, "id": "17"}, ValueError, "id: expected a UUID of version 7, got: '17'"),
    ({"delay": 1, "on_conflict": "replace"}, ValueError, "on_conflict: expected one of reject, keep in the inbox"),
    ({"delay": 1, "schema": 'x"y'}, ValueError, "schema: expected a name"),
    ({"delay": 1, "json": {"a": "\0"}}, ValueError, "without the character 0"),
    ({"delay": 1, "json": "\\\0"}, ValueError, "without the character 0"),
    ({"delay": 1, "idempotency_key": "x"}, TypeError, "idempotency_key: an option that is unknown here"),
    ({"dealy": 1}, TypeError, "dealy: an option that is unknown here"),
    ({}, ValueError, "expected one of at, delay and local_time"),
    ({"at": datetime(2126, 1, 1)}, NaiveTimeError, "at"),  # noqa: DTZ001 - it is what is refused
]


@pytest.mark.parametrize(("options", "error", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_what_cannot_be_used_is_said_before_anything_is_written(database, rows, options, error, words):
    with psycopg.connect(database[1]) as connection:
        with pytest.raises(error, match=words):
            schedule(connection, URL, **options)
        connection.commit()  # the transaction goes on
    assert rows() == {}


def test_what_is_no_connection_is_said_to_be_none():
    for other in (object(), None, "postgresql://", asyncpg.pool.Pool.__new__(asyncpg.pool.Pool)):
        with pytest.raises(TypeError, match="expected a connection, cursor or session of asyncpg"):
            schedule(other, URL, delay=1)


@pytest.mark.anyio
async def test_who_may_not_insert_hears_it_from_the_driver(database):
    with psycopg.connect(database[0], autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA IF NOT EXISTS apart; CREATE TABLE apart.tasker_inbox (id uuid, request jsonb)"
        )
    connection = await asyncpg.connect(database[1])
    with contextlib.closing(connection._transport), pytest.raises(asyncpg.InsufficientPrivilegeError):
        await schedule(connection, URL, delay=1, schema="apart")


def test_neither_a_driver_nor_the_server_is_imported():
    script = "import sys, tasker.postgres; print([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for name in ("asyncpg", "psycopg", "sqlalchemy", "httpx2", "starlette", "tasker.stores", "tasker.service"):
        assert f"'{name}'" not in loaded, name


def test_the_types_say_what_is_awaited(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
            import psycopg
            from sqlalchemy.ext.asyncio import AsyncSession
            from sqlalchemy.orm import Session
            from tasker.postgres import create, schedule

            def some(connection: psycopg.Connection, session: Session) -> None:
                task_id: str = schedule(connection, "http://x/", delay="3d")
                other_id: str = create(session, "job", {"queue": "a"}, delay=1, key="k")
                schedule(connection, "http://x/", dealy="3d")  # wrong 1
                schedule(connection, "http://x/", delay=1, on_conflict="replace")  # wrong 2
                wrong: int = schedule(connection, "http://x/", delay=1)  # wrong 3

            async def others(connection: psycopg.AsyncConnection, session: AsyncSession) -> None:
                task_id: str = await schedule(connection, "http://x/", delay="3d")
                other_id: str = await create(session, "job", {"queue": "a"}, delay=1)
                wrong: str = schedule(connection, "http://x/", delay=1)  # wrong 4
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", program], capture_output=True, text=True, check=False
    )
    lines = program.read_text().splitlines()
    wrong = sorted({int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line})
    assert [lines[number - 1].partition("# ")[2] for number in wrong] == [f"wrong {n}" for n in range(1, 5)], (
        done.stdout
    )
