"""How fast ``tasker db copy`` moves a database, beside what each database does alone with the same rows."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from benchmarks import database
from benchmarks.figures import Figure
from benchmarks.server import new_folder
from tasker import node
from tasker.config import Settings
from tasker.stores import copying
from tasker.testing.postgres_server import PostgresServer

_TASKS: Final = 1_000_000
_TABLES: Final = ("task", "payload")


class _Round(NamedTuple):
    """Tasks per second."""

    whole: float
    """With the comparison at the end."""
    copied: float
    """Without it."""
    alone: float
    """The database that is filled, by itself."""


def measure(rounds: int) -> list[Figure]:
    """Return the rows about moving house."""
    there, back = [], []
    for _ in range(rounds):
        with new_folder() as folder, PostgresServer() as postgres:
            source, target = f"sqlite:{folder}/tasks.db", f"sqlite:{folder}/back.db"
            database.fill_with_waiting(folder / "tasks.db", _TASKS)
            there.append((*_moved(source, postgres.url()), _copy_alone(postgres)))
            back.append((*_moved(postgres.url(), target), _insert_alone(folder)))
    return [
        figure
        for name, limit, taken in (
            ("SQLite to PostgreSQL", "the same rows by COPY from a file, into the same tables", there),
            ("PostgreSQL to SQLite", "the same rows by INSERT ... SELECT from a file, into the same tables", back),
        )
        for figure in _figures(name, limit, [_Round(*each) for each in taken])
    ]


def _figures(name: str, limit: str, taken: list[_Round]) -> Iterator[Figure]:
    yield Figure(
        name=f"tasker db copy of {_TASKS:,} tasks, {name}, without the comparison",
        unit="tasks/s",
        rounds=[each.copied for each in taken],
        limit=limit,
        limit_rounds=[each.alone for each in taken],
    )
    yield Figure(name="the same, with it", unit="tasks/s", rounds=[each.whole for each in taken])


class _Watch(copying.Watch):
    """Notes when the comparison begins."""

    compared_from = 0.0

    def begins(self, total: int, *, goes_on: bool) -> None:
        pass

    def begins_anew(self) -> None:
        pass

    def copied(self, rows: int) -> None:
        pass

    def compared(self, rows: int) -> None:
        self.compared_from = self.compared_from or time.monotonic()


def _moved(source: str, target: str) -> tuple[float, float]:
    watch = _Watch()
    settings = Settings()
    began = time.monotonic()

    async def run() -> None:
        async with contextlib.AsyncExitStack() as stack:
            ends = [
                await stack.enter_async_context(node.open_for_copy(dataclasses.replace(settings, database_url=url)))
                for url in (source, target)
            ]
            await copying.copy(ends[0], ends[1], watch)

    asyncio.run(run())
    return _TASKS / (time.monotonic() - began), _TASKS / (watch.compared_from - began)


def _copy_alone(postgres: PostgresServer) -> float:
    """Let PostgreSQL write the tables to files, and read them into empty ones with the same indexes."""
    seconds = 0.0
    for table in _TABLES:
        file = postgres.folder / "data" / f"{table}.copy"
        postgres.execute(f"COPY {table} TO '{file}' (FORMAT binary)")
        postgres.execute(f"CREATE TABLE {table}_alone (LIKE {table} INCLUDING ALL)")
        began = time.monotonic()
        postgres.execute(f"COPY {table}_alone FROM '{file}' (FORMAT binary)")
        seconds += time.monotonic() - began
        postgres.execute(f"DROP TABLE {table}_alone")
        file.unlink()
    return _TASKS / seconds


def _insert_alone(folder: Path) -> float:
    """Let SQLite read the tables of one file into those of another."""
    alone = folder / "alone.db"
    database.store(f"sqlite:{alone}", [])
    connection = apsw.Connection(str(alone))
    connection.execute("ATTACH ? AS source", (f"{folder}/back.db",))
    began = time.monotonic()
    with connection:
        for table in _TABLES:
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM source.{table} ORDER BY seq")
    seconds = time.monotonic() - began
    connection.close()
    return _TASKS / seconds
