"""Is the database fit, and are its tables up to date?"""

import asyncio
import socket

import pytest
import structlog

from databases import URL_VARIABLE, new_database, own_server
from tasker.errors import DatabaseError, DatabaseTooNewError, SchemaOutdatedError
from tasker.stores import migrate
from tasker.stores.postgres import schema
from tasker.stores.postgres.connection import Connector

pytestmark = pytest.mark.anyio

KNOWN = len(migrate.load("tasker.stores.postgres"))


@pytest.fixture
def url():
    return new_database()


async def prepare(url, *, migrates=True):
    await schema.prepare(Connector(url, is_pooled=False), migrates=migrates)


async def execute(url, sql):
    connection = await Connector(url, is_pooled=False).connect()
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def test_nodes_that_start_at_once_migrate_once(url):
    with structlog.testing.capture_logs() as lines:
        await asyncio.gather(*(prepare(url) for _ in range(8)))
    migrated = [line["number"] for line in lines if line["event"] == "migrated the database"]
    assert migrated == list(range(1, KNOWN + 1))
    assert [tuple(row) for row in await execute(url, "SELECT version, least FROM tasker_schema")] == [(KNOWN, KNOWN)]


async def test_tables_of_an_earlier_tasker_are_left_alone_if_they_are_to_be(url):
    with pytest.raises(SchemaOutdatedError, match="tasker db migrate"):
        await prepare(url, migrates=False)
    assert await execute(url, "SELECT FROM pg_tables WHERE schemaname = 'public'") == []
    await prepare(url)
    await prepare(url, migrates=False)


async def test_a_newer_tasker_is_lived_with_until_it_removes_what_this_one_needs(url):
    await prepare(url)
    await execute(url, f"UPDATE tasker_schema SET version = {KNOWN + 1}")
    await prepare(url)
    assert (await execute(url, "SELECT version FROM tasker_schema"))[0][0] == KNOWN + 1
    await execute(url, f"UPDATE tasker_schema SET least = {KNOWN + 1}")
    with pytest.raises(DatabaseTooNewError, match="a newer tasker wrote it"):
        await prepare(url)


async def test_a_database_of_another_program_is_left_alone(url):
    await execute(url, "CREATE TABLE task (name text)")
    with pytest.raises(DatabaseError, match="a database of its own"):
        await prepare(url)
    tables = await execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert [row[0] for row in tables] == ["task"]


async def test_a_database_that_is_not_in_utf8_is_refused(url):
    name = f"{url.rpartition('/')[2]}_latin"
    await execute(url, f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(DatabaseError, match="UTF8"):
        await prepare(f"{url}_latin")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace("127.0.0.1", "127.0.0.2").rpartition(":")[0] + ":1/x", "nothing is listening there"),
        (lambda url: url.replace("127.0.0.1", "db.invalid"), "its host is unknown"),
        (lambda url: f"{url}_missing", 'no database of this name .*_missing" does not exist'),
        (
            lambda url: url.replace("postgres@", "nobody:s3cret@"),
            r'does not let this user in \(role "\*\*\*" does not exist',
        ),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:x"), "URL cannot be used: expected HOST:PORT"),
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:9"), "URL cannot be used: expected HOST:PORT"),
        (lambda url: f"{url}?sslmode=s3cret", "URL cannot be used: expected sslmode"),
        (lambda url: f"{url}?sslmode=require", "rejected SSL upgrade"),
        (
            lambda url: f"{url}?sslmode=verify-full&sslrootcert=/missing",
            "cannot read /missing, which sslrootcert names",
        ),
        (lambda url: f"{url}?search_path=missing", "search_path names no schema that exists"),
        (lambda url: f"{url}?options=-csearch_path%3Dmissing", "search_path names no schema that exists"),
        (lambda url: f"{url}?sslmod=require", 'unrecognized configuration parameter "sslmod"'),
        (lambda url: f"{url}?work_mem=much", 'invalid value for parameter "work_mem"'),
    ],
)
async def test_what_cannot_be_reached_is_said_in_one_line_without_the_password(url, change, reason):
    with pytest.raises(DatabaseError, match=reason) as refusal:
        await prepare(change(url))
    assert "nobody" not in str(refusal.value)
    assert "s3cret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


async def test_a_url_may_say_what_other_programs_understand(url):
    said = (
        "connect_timeout=10&application_name=shop&keepalives=1&sslmode=prefer&options=-c%20search_path%3Dqueue,public"
    )
    await execute(url, "CREATE SCHEMA queue")
    await prepare(f"{url}?{said}")
    assert (await execute(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'queue'"))[0][0] > 5
    rows = await execute(
        f"{url}?{said}", "SELECT current_setting('application_name'), current_setting('enable_seqscan')"
    )
    assert tuple(rows[0]) == ("shop", "off")


async def test_a_host_that_does_not_answer_leaves_time_for_the_next(url):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = url.partition("@")[2].partition("/")[0]
        both = url.replace(place, f"127.0.0.1:{silent.getsockname()[1]},{place}")
        await prepare(f"{both}?connect_timeout=1")


@pytest.mark.skipif(
    URL_VARIABLE in __import__("os").environ, reason=f"the server of {URL_VARIABLE} is not ours to set up"
)
async def test_settings_under_which_a_201_promises_too_much_are_warned_of(url):
    with structlog.testing.capture_logs() as lines:
        await prepare(url)
    warned = [line["setting"] for line in lines if line["log_level"] == "warning"]
    assert warned == ["fsync"]
    assert own_server().execute("SHOW fsync") == "off"
