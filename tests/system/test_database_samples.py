"""Databases that released versions have left behind: a server of this version goes on with each of them.

``tests/samples/VERSION`` is written by ``tools/database_samples.py``, which also says what is in it.
"""

import asyncio
import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from databases import new_database, query
from polling import until
from tasker.stores import migrate
from tasker.stores.postgres.connection import Connector
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

SAMPLES = sorted((Path(__file__).parents[1] / "samples").iterdir())
STORES = ("sqlite", "postgresql")
HOW = (
    "the migrations no longer make the tables of {0}. If {0} is not released yet, write its sample anew: "
    "make sample. If it is, take that change back, and write another migration"
)
NOT_FILLED = {"staged", "queue_waiter", "mark"}
"""Tables whose rows last for moments only, and the one with a row by which a server is kept from starting."""

FOREVER = ("--keep-done", "forever", "--keep-failed", "forever", "--keep-audit", "forever")
STILL = {"done", "failed", "cancelled"}
"""States in which nothing happens to a task by itself."""

MOVING = {"state", "attempts", "last_error", "started_at", "ended_at", "deadline", "progress"}
"""What changes by itself of tasks that were running or due; and lateness."""

OF_A_DESTINATION = {"id", "name", "kind", "paused", "max_running", "max_per_second", "burst"}

POSTGRES_TABLES = """
    SELECT c.relname FROM pg_class AS c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""
POSTGRES_SHAPE = """
    SELECT concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
                     attcollation::regcollation, pg_get_expr(adbin, adrelid))
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION SELECT concat_ws(' ', relname, relkind, relpersistence, reloptions)
            FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION SELECT pg_get_functiondef(oid) FROM pg_proc
           WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    UNION SELECT concat_ws(' ', oid::regprocedure, prokind)
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""
"""Every table, index, function, constraint and trigger."""


@pytest.fixture(scope="module", params=[f"{folder.name}-{store}" for folder in SAMPLES for store in STORES])
def sample(request, tmp_path_factory):
    version, _, store = request.param.rpartition("-")
    folder = next(each for each in SAMPLES if each.name == version)
    return {"sqlite": SqliteSample, "postgresql": PostgresSample}[store](folder, tmp_path_factory.mktemp("sample"))


class SqliteSample:
    """A SQLite file as a version has left it."""

    def __init__(self, sample, folder):
        self.version, self.folder = sample.name, folder
        self.shown = json.loads((sample / "shown.json").read_text())["sqlite"]
        self.url = f"sqlite:{folder}/tasks.db"
        (folder / "tasks.db").write_bytes(gzip.decompress((sample / "sqlite.db.gz").read_bytes()))
        connection = apsw.Connection(str(folder / "tasks.db"))
        self.number = connection.pragma("user_version")
        self.shape = self._shape(connection)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        self.empty = {name for name in tables if not [*connection.execute(f"SELECT 1 FROM {name} LIMIT 1")]}
        connection.close()

    def made_by_migrations(self, number=None):
        """What the migrations make, up to the one with this number."""
        connection = apsw.Connection(":memory:")
        for migration in migrate.load("tasker.stores.sqlite")[:number]:
            connection.execute(migration.sql)
        return self._shape(connection)

    def shape_now(self):
        """Of the same database."""
        connection = apsw.Connection(str(self.folder / "tasks.db"), flags=apsw.SQLITE_OPEN_READONLY)
        shape = self._shape(connection)
        connection.close()
        return shape

    @staticmethod
    def _shape(connection):
        """Every table and index, without comments and blanks."""
        rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL")
        return {re.sub(r"\s+", "", re.sub(r"--.*", "", sql)) for (sql,) in rows}


class PostgresSample:
    """A PostgreSQL database as a version has left it."""

    def __init__(self, sample, folder):
        self.version, self.folder = sample.name, folder
        self.shown = json.loads((sample / "shown.json").read_text())["postgresql"]
        self.url = new_database()
        run(self.url, (sample / "postgresql.sql").read_text())
        self.number = query(self.url, "SELECT version FROM tasker_schema")[0][0]
        self.shape = set(query(self.url, POSTGRES_SHAPE))
        tables = [name for (name,) in query(self.url, POSTGRES_TABLES)]
        self.empty = {name for name in tables if not query(self.url, f"SELECT 1 FROM {name} LIMIT 1")}

    def made_by_migrations(self, number=None):
        """As ``SqliteSample`` has it."""
        url = new_database()
        run(url, "CREATE TABLE tasker_schema (version integer NOT NULL, least integer NOT NULL)")
        for migration in migrate.load("tasker.stores.postgres")[:number]:
            run(url, migration.sql)
        return set(query(url, POSTGRES_SHAPE))

    def shape_now(self):
        """As ``SqliteSample`` has it."""
        return set(query(self.url, POSTGRES_SHAPE))


def run(url, sql):
    """Run statements in the database at *url*."""

    async def execute():
        connection = await Connector(url, is_pooled=False).connect()
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(execute())


@pytest.fixture(scope="module")
def server(sample):
    with TaskerServer(sample.folder, "--database-url", sample.url, *FOREVER, key=sample.shown["key"]) as server:
        yield server


@pytest.fixture(scope="module")
def call(sample, server):
    shown = {"authorization": f"Bearer {sample.shown['key']}"}
    return lambda method, path, body=None: server.call(method, path, body, headers=shown)


def pages(call, path, noun):
    """All of a list."""
    found = []
    while path:
        page = call("GET", path)
        found += page[noun]
        path = page["next"]
    return found


def common(before, now):
    """Return what *now* says of what *before* says. What is only in *now* came with a later version."""
    match before, now:
        case dict(), dict():
            return {name: common(value, now.get(name)) for name, value in before.items()}
        case list(), list() if len(before) == len(now):
            return [common(*pair) for pair in zip(before, now, strict=True)]
        case _:
            return now


def test_the_migrations_of_a_version_still_make_its_tables(sample):
    assert sample.shape == sample.made_by_migrations(sample.number), HOW.format(sample.version)


def test_a_sample_has_rows_in_every_table(sample):
    assert sample.empty <= NOT_FILLED, (
        f"write one of everything in tools/database_samples.py: {sample.empty - NOT_FILLED}"
    )


def test_a_server_brings_the_tables_to_where_those_of_a_new_database_are(sample, server):
    new = sample.made_by_migrations()
    until(lambda: sample.shape_now() == new, "the tables are those of a new database")


def test_every_task_is_there_as_it_was_and_nothing_else_is(sample, call):
    before = {task["id"]: task for each in sample.shown["tasks"] for task in each.values()}
    now = {task["id"]: task for each in pages(call, "/tasks?limit=1000", "tasks") for task in each.values()}
    assert set(before) == set(now)
    for task_id, task in before.items():
        if task["state"] in STILL or task["execution_time"] >= "2126":
            assert common(task, now[task_id]) == task
            attempts = sample.shown["attempts"][task_id]
            assert common(attempts, call("GET", f"/tasks/{task_id}/attempts")) == attempts
        else:
            stays = {name: value for name, value in task.items() if name not in MOVING and "lateness" not in name}
            assert common(stays, now[task_id]) == stays
    assert {task["state"] for task in before.values()} == {"todo", "in_progress", *STILL}


def test_schedules_destinations_operations_keys_and_the_audit_log_are_as_they_were(sample, call):
    shown = sample.shown
    for schedule in shown["schedules"]:
        assert common(schedule, call("GET", f"/schedules/{schedule['name']}")) == schedule
    before, now = (
        [{name: each[name] for name in OF_A_DESTINATION} for each in destinations]
        for destinations in (shown["destinations"], call("GET", "/destinations?limit=1000"))
    )
    assert before == now
    assert common(shown["operations"], pages(call, "/operations", "operations")) == shown["operations"]
    keys = [{name: value for name, value in key.items() if name != "used_at"} for key in shown["keys"]]
    assert common(keys, pages(call, "/keys", "keys")) == keys
    audit = pages(call, "/audit", "audit")
    assert common(shown["audit"], audit[-len(shown["audit"]) :]) == shown["audit"]


def test_it_goes_on_what_was_running_is_taken_back_and_what_is_held_stays_held(call):
    assert call("GET", "/tasks/key/held")["webhook"]["state"] == "todo"
    assert call("GET", f"/tasks/{call('GET', '/tasks/key/held')['webhook']['id']}/explain")["reason"] == "paused"
    running = call("GET", "/tasks/key/running")["webhook"]["id"]
    until(lambda: call("GET", f"/tasks/{running}/attempts"), "it has run again")  # nobody listens there now
    with WebhookReceiver() as receiver:
        new = call("POST", "/tasks/new", {"webhook": {"delay": 0, "url": receiver.url(), "body": "x"}})["id"]
        until(lambda: call("GET", f"/tasks/{new}")["webhook"]["state"] == "done", "a new task is sent")
    call("POST", "/tasks/key/order-17/cancel")
    assert call("GET", "/tasks/key/order-17")["webhook"]["state"] == "cancelled"


def test_what_tasker_relies_on_holds(sample, server):
    check = [sys.executable, "-m", "tasker", "db", "check", "--database-url", sample.url]
    done = subprocess.run(check, cwd=sample.folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
