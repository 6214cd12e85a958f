"""PostgreSQL databases for tests, on a server that is started when the first one is asked for."""

import asyncio
import atexit
import functools
import os
import subprocess
import uuid

from tasker.callbacks import Callbacks
from tasker.model.task import Pool
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector
from tasker.testing.postgres_server import PostgresServer

URL_VARIABLE = "TASKER_TEST_POSTGRES_URL"
"""Names a server to use in place of one that the tests start: the URL of a database there whose
user may make others."""


def new_database():
    """Make a database without tables and return its URL."""
    name = f"tasker_{uuid.uuid4().hex}"
    execute(f"CREATE DATABASE {name}")
    server = os.environ.get(URL_VARIABLE) or own_server().url()
    return f"{server.rpartition('/')[0]}/{name}"


def execute(sql):
    """Run *sql* on the server, outside of the databases that tests have."""
    if URL_VARIABLE in os.environ:
        subprocess.run(["psql", "-X", "-q", os.environ[URL_VARIABLE], "-c", sql], check=True)
    else:
        own_server().execute(sql)


@functools.cache
def own_server():
    """The server of this run of the tests. Each test has a database to itself there, and leaves the server alone."""
    server = PostgresServer(fsync="off", synchronous_commit="on")  # nothing here outlives a power loss
    server.__enter__()
    atexit.register(server.__exit__, None, None, None)
    return server


SHAPE = """
    SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
      SELECT concat_ws(' ', relname, relkind) FROM pg_class WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull) FROM pg_attribute
                 WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
      UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(' ', conname, conrelid::regclass) FROM pg_constraint
      UNION ALL SELECT concat_ws(' ', tgname, tgrelid::regclass) FROM pg_trigger) AS parts (part)
"""
"""What tables and functions a database has."""

KEEP_ROWS = """
    CREATE SCHEMA at_first;
    DO $$ DECLARE name name; is_filled boolean; BEGIN
      FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
        IF is_filled THEN EXECUTE format('CREATE TABLE at_first.%I AS TABLE public.%I', name, name); END IF;
      END LOOP;
    END $$
"""
"""Remembers the rows that are in a database."""

END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
"""Ends the sessions that others have left, and with them their locks."""

EMPTY = """
    DO $$ DECLARE name name; BEGIN
      EXECUTE (SELECT format('TRUNCATE %s RESTART IDENTITY', string_agg(oid::regclass::text, ', ')) FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0);
      FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'at_first'::regnamespace LOOP
        EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE TABLE at_first.%I', name, name);
      END LOOP;
    END $$
"""
"""Leaves the rows that were remembered, and no others, in any table there is."""


_shared = []
"""The URL and the shape of the database that ``take_database`` gives to one test after the other."""


async def take_database(now):
    """Return the URL of a database with tasker's tables, and a connection to it.

    The tables are as migrations leave them, nobody else is connected, and the manual clock stands at
    *now*. It is that of the test before, for to make one takes longer than most tests; unless that
    test has changed the tables themselves.
    """
    while True:
        url, shape = _shared[0] if _shared else await _make_shared()
        # A test may hold a lock for as long as it needs.
        connection = await Connector(url, is_pooled=False).connect(idle_in_transaction_session_timeout="0")
        await connection.execute(END_SESSIONS)
        if await connection.fetchval(SHAPE) == shape:
            break
        await connection.close()
        _shared.clear()
    await connection.execute(EMPTY)
    await set_manual_clock(connection, now)
    return url, connection


async def _make_shared():
    url = f"{new_database()}?sslmode=disable"  # a context of TLS for each connection takes as long as the rest of it
    connector = Connector(url, is_pooled=False)
    await schema.prepare(connector, migrates=True)
    connection = await connector.connect()
    await give_manual_clock(connection, 0)
    await connection.execute(KEEP_ROWS)
    _shared.append((url, await connection.fetchval(SHAPE)))
    await connection.close()
    return _shared[0]


def query(url, sql):
    """Run *sql* in the database at *url* and return its rows as tuples. Not from within an event loop."""

    async def run():
        connection = await Connector(url, is_pooled=False).connect()
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(run())


async def give_manual_clock(connection, now):
    """Let the database of *connection* read its clock from a table, which stands at *now*."""
    await connection.execute("CREATE TABLE test_clock (now timestamptz NOT NULL)")
    await connection.execute("INSERT INTO test_clock VALUES ($1)", now)
    await connection.execute(
        "CREATE OR REPLACE FUNCTION tasker_now() RETURNS timestamptz LANGUAGE sql STABLE "
        "AS 'SELECT now FROM test_clock'"
    )


async def set_manual_clock(connection, now):
    """Move the clock that ``give_manual_clock`` gave."""
    await connection.execute("UPDATE test_clock SET now = $1", now)


FOLLOW = Callbacks(type_="webhook", pool=Pool(1)).follow
"""What follows the end of a task, in the stores of the tests."""
