"""How fast jobs are created, and given to workers that pull, on both stores."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import database, peers
from benchmarks.figures import Figure
from benchmarks.load import claim_jobs, create_tasks
from benchmarks.server import new_folder, running_server
from tasker.model.task import Task
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.task_factory import a_task

_JOBS: Final = 100_000
"""Due from the start: more than are claimed."""
_SECONDS: Final = 3
_WORKERS: Final = 16
_AT_ONCE: Final = (1, 100)


class _Measured(NamedTuple):
    name: str
    rates: list[float]
    limit: str
    limit_rates: list[float]


def measure(rounds: int) -> list[Figure]:
    """Return the rows about jobs, each beside its limit."""
    measured = [
        *(_Measured(f"creates of jobs on {store}", [], "plain creates", []) for store in database.STORES),
        *(
            _Measured(f"jobs claimed {most} at a time by {_WORKERS} workers, on {store}", [], "the store alone", [])
            for store in database.STORES
            for most in _AT_ONCE
        ),
    ]
    creates, claims = measured[: len(database.STORES)], measured[len(database.STORES) :]
    with PostgresServer(shared_buffers="512MB", max_wal_size="4GB") as postgres, new_folder() as filled:
        database.store(f"sqlite:{filled}/tasks.db", _jobs())
        postgres.execute("CREATE DATABASE filled")
        database.store(postgres.url("filled"), _jobs())
        for _ in range(rounds):
            for store, row in zip(database.STORES, creates, strict=True):
                for extra, rates in (("job", row.rates), ("plain", row.limit_rates)):
                    with database.new_database(store, postgres) as (folder, url), _server(folder, url) as server_url:
                        load = create_tasks(server_url, connections=64, seconds=_SECONDS, extra=extra)
                        rates.append(load.per_second)
            for (store, most), row in zip(
                ((store, most) for store in database.STORES for most in _AT_ONCE), claims, strict=True
            ):
                with (
                    database.new_database(store, postgres, filled) as (folder, url),
                    _server(folder, url) as server_url,
                ):
                    row.rates.append(claim_jobs(server_url, most=most, connections=_WORKERS, seconds=_SECONDS))
                with database.new_database(store, postgres, filled) as (_, url):
                    row.limit_rates.append(peers.ask("pulls", url, most, _SECONDS)["per_second"])
    return [
        Figure(name=row.name, unit="/s", rounds=row.rates, limit=row.limit, limit_rounds=row.limit_rates)
        for row in measured
    ]


def _jobs() -> list[Task]:
    due_at = database.now()
    return [a_task(due_at=due_at, queue="reports") for _ in range(_JOBS)]


@contextlib.contextmanager
def _server(folder: Path, url: str) -> Iterator[str]:
    with running_server(folder, "--database-url", url) as server:
        yield server.url
