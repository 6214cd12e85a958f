"""Fills a database in bulk, while no server holds it."""

import asyncio
import contextlib
import random
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import apsw
import msgspec

from benchmarks.server import new_folder
from benchmarks.sink import BODY_LENGTH
from tasker.config import Settings
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.task import Task
from tasker.node import make_store
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock
from tasker.urls import origin
from tasker.wire.fields import HashFields, WebhookFields

STORES: Final = ("SQLite", "PostgreSQL")
_BATCH: Final = 5_000
_DAY: Final = 86_400 * instants.SECOND


def now() -> Instant:
    """The system's clock, which the server reads too."""
    return SystemClock().now()


@contextlib.contextmanager
def new_database(store: str, postgres: PostgresServer, filled: Path | None = None) -> Iterator[tuple[Path, str]]:
    """Make a folder, and a database there or in *postgres*; yield the folder, and the database's URL.

    Args:
        store: one of ``STORES``.
        filled: a folder with a SQLite database to copy; on PostgreSQL, the database ``filled`` is.
            None: it is empty.
    """
    with new_folder() as folder:
        if store == "SQLite":
            if filled is not None:
                shutil.copy(filled / "tasks.db", folder)
            yield folder, f"sqlite:{folder}/tasks.db"
        else:
            name = f"bench_{random.getrandbits(64):x}"
            postgres.execute(f"CREATE DATABASE {name}{'' if filled is None else ' TEMPLATE filled'}")
            yield folder, postgres.url(name)


def webhooks(url: str, due_times: Iterable[Instant]) -> list[Task]:
    """Webhooks whose body tells the sink when they were due."""
    host = origin(url)
    return [
        a_task(
            due_at=due_at,
            payload=msgspec.json.encode(WebhookFields(url=url, body=f"{due_at:0{BODY_LENGTH}}")),
            host=host,
        )
        for due_at in due_times
    ]


def hashes(count: int, *, due_at: Instant) -> list[Task]:
    """Hash tasks that are due together."""
    return [
        a_task(due_at=due_at, type_="hash", pool=2, payload=msgspec.json.encode(HashFields(secret=f"secret {n}")))
        for n in range(count)
    ]


def store(database_url: str, tasks: list[Task]) -> None:
    """Store *tasks* through the store itself. Makes a SQLite database if it is missing."""

    async def fill() -> None:
        into = make_store(Settings(database_url=database_url), address="")
        await into.open()
        for start in range(0, len(tasks), _BATCH):
            await into.create(tasks[start : start + _BATCH])
        await into.close()

    asyncio.run(fill())


def fill_with_waiting(path: Path, count: int) -> float:
    """Make a database of *count* webhooks, and return the seconds it took.

    They are due at random moments of 24 hours, the first in an hour. The rows are written before
    their indexes, which is faster by far.
    """
    began = time.monotonic()
    store(f"sqlite:{path}", [])
    connection = apsw.Connection(str(path))
    indexes = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL").fetchall()
    data = msgspec.json.encode(WebhookFields(url="http://localhost:9000/hook", body="hello"))
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -400_000)
    with connection:
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("INSERT INTO type_pool (type, pool) VALUES ('webhook', 1)")
        connection.execute("INSERT INTO gate (id, kind, name) VALUES (1, 0, 'http://localhost:9000')")
        connection.execute(
            """WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < :count),
                    drawn AS MATERIALIZED (SELECT seq, :first + abs(random() % :span) AS due_at FROM n)
               INSERT INTO task (seq, id, type, pool, gate, due_at, execution_at, execution_time)
               SELECT seq, unhex(printf('%012x7%s', :made + seq / 100, substr(hex(randomblob(10)), 2))),
                      'webhook', 1, 1, due_at, due_at,
                      strftime('%Y-%m-%dT%H:%M:%S', due_at / 1000000, 'unixepoch') || printf('.%06dZ', due_at % 1000000)
                 FROM drawn""",
            {"count": count, "first": now() + _DAY // 24, "span": _DAY, "made": now() // 1_000 - count // 100 - 1},
        )
        connection.execute(
            "INSERT INTO payload (seq, payload) SELECT seq, :payload FROM task ORDER BY seq", {"payload": data}
        )
        for _, sql in indexes:
            connection.execute(sql)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return time.monotonic() - began
