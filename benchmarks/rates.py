"""How exactly a rate is kept by three nodes on PostgreSQL that share it, and whether it is used up."""

import asyncio
from typing import Final

from msgspec.structs import replace

from benchmarks import database
from benchmarks.clustered import new_database, running_nodes
from benchmarks.figures import Figure
from benchmarks.sink import running_sink
from tasker.config import Settings
from tasker.model.gate import Limits, group_named
from tasker.node import make_store
from tasker.testing.postgres_server import PostgresServer

_NODES: Final = 3
_PER_SECOND: Final = 100
_TASKS: Final = 1_000
_GROUP: Final = group_named("bench")


def measure(rounds: int) -> list[Figure]:
    """Return the rows about rates. The nodes have all cores: they share this machine."""
    with PostgresServer(shared_buffers="512MB", max_wal_size="4GB") as server:
        told = [_starts(server) for _ in range(rounds)]
    return [
        Figure(
            name=f"starts of a group with {_PER_SECOND}/s, {_NODES} nodes",
            unit="/s",
            rounds=[(len(starts) - 1) / (starts[-1] - starts[0]) for starts in told],
            limit="the rate",
            limit_rounds=[_PER_SECOND],
            least=0.95,
        ),
        Figure(
            name="the same: most starts beyond rate x T + burst in any T seconds",
            unit="starts",
            rounds=[_excess(starts) for starts in told],
            at_most=1,
        ),
    ]


def _starts(server: PostgresServer) -> list[float]:
    """Let tasks be due at once, and return when they started, in seconds."""
    url = new_database(server)
    with running_sink() as sink:
        tasks = database.webhooks(sink.url, [database.now()] * _TASKS)
        database.store(url, [replace(task, destination=_GROUP, host=task.destination) for task in tasks])
        asyncio.run(_limit(url))
        with running_nodes(server, _NODES, url=url):
            sink.wait_for(_TASKS)
    told = server.execute(
        "SELECT string_agg(extract(epoch FROM started_at)::text, ' ' ORDER BY started_at) FROM task",
        database=url.rpartition("/")[2],
    )
    return [float(start) for start in told.split()]


async def _limit(url: str) -> None:
    store = make_store(Settings(database_url=url), address="")
    await store.open()
    await store.limit(await store.make_gate(_GROUP), Limits(max_per_second=_PER_SECOND))
    await store.close()


def _excess(starts: list[float]) -> float:
    return max(
        count - (_PER_SECOND * (until - since) + 1)
        for first, since in enumerate(starts)
        for count, until in enumerate(starts[first:], 1)
    )
