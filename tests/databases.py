"""PostgreSQL databases for tests, empty, on a server that is started when the first one is asked for."""

import asyncio
import atexit
import functools
import os
import subprocess
import uuid

from tasker.callbacks import Callbacks
from tasker.model.task import Pool
from tasker.stores.postgres.connection import Connector
from tasker.testing.postgres_server import PostgresServer

URL_VARIABLE = "TASKER_TEST_POSTGRES_URL"
"""Names a server to use in place of one that the tests start: the URL of a database there whose
user may make others."""


def new_database():
    """Make an empty database and return its URL."""
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
    """The server of this run of the tests. Each test has a database of its own there, and leaves the server alone."""
    server = PostgresServer(fsync="off", synchronous_commit="on")  # nothing here outlives a power loss
    server.__enter__()
    atexit.register(server.__exit__, None, None, None)
    return server


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
