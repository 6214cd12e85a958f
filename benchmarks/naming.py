"""What a create costs that names its task, on both stores: a key, an Idempotency-Key, three tags."""

from typing import Final

from benchmarks.figures import Figure
from benchmarks.load import create_tasks
from benchmarks.server import new_folder, running_server
from tasker.testing.postgres_server import PostgresServer

_SECONDS: Final = 3
_EXTRAS: Final = {"key": "a key", "idempotency": "an Idempotency-Key", "tags": "3 tags"}


def measure(rounds: int) -> list[Figure]:
    """Return the rows about creates that name their tasks, each beside plain ones."""
    rates: dict[tuple[str, str], list[float]] = {}
    with PostgresServer() as postgres:
        for place in range(rounds):
            for extra in ("plain", *_EXTRAS):
                for store in ("SQLite", "PostgreSQL"):
                    database = f"{extra}_{place}"
                    options = []
                    if store == "PostgreSQL":
                        postgres.execute(f"CREATE DATABASE {database}")
                        options = ["--database-url", postgres.url(database)]
                    with new_folder() as folder, running_server(folder, *options) as server:
                        load = create_tasks(server.url, connections=64, seconds=_SECONDS, extra=extra)
                    rates.setdefault((store, extra), []).append(load.per_second)
    return [
        Figure(
            name=f"creates with {name} on {store}",
            unit="/s",
            rounds=rates[store, extra],
            limit="plain creates",
            limit_rounds=rates[store, "plain"],
        )
        for store in ("SQLite", "PostgreSQL")
        for extra, name in _EXTRAS.items()
    ]
