"""The same on PostgreSQL: one node, two and three, and what only a shared database makes a question."""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from benchmarks import database, peers
from benchmarks.figures import Figure
from benchmarks.load import create_tasks
from benchmarks.server import new_folder, running_server
from benchmarks.sink import Report, running_sink
from tasker.callbacks import Callbacks
from tasker.model import instants
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import Pool
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.server import TaskerServer
from tasker.testing.task_factory import a_task
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.timing.clock import SystemClock

_FOLLOW: Final = Callbacks(type_="webhook", pool=Pool(1)).follow
_SECONDS: Final = 3
_PER_SECOND: Final = 500
_NULLS: Final = 30_000
_DEAD: Final = 200_000
_BURST: Final = 12_000
_MANY: Final = 64
_NULL_TYPE: Final = """
from datetime import timedelta
from tasker.model.attempt import Succeeded
from tasker.model.gate import Destination, GateKind
from tasker.model.task import Pool
from tasker.wire.fields import TaskFields

class Null:
    name, spellings, pool, slots, timeout, fields = "null", (), Pool(100), 500, timedelta(seconds=30), TaskFields
    def prepare(self, request):
        return request
    def destination(self, fields):
        return Destination(GateKind.TYPE, "null")
    async def run(self, attempt, fields, started):
        started()
        return Succeeded()
    async def close(self):
        pass
"""


def measure(rounds: int) -> list[Figure]:
    """Return the rows about PostgreSQL. It has all cores, as the nodes have: they share this machine."""
    with PostgresServer(shared_buffers="512MB", max_wal_size="4GB") as server:
        return [
            *_creates(server, rounds),
            *_null_tasks(server, rounds),
            *_bursts(server, rounds),
            *_lateness(server, rounds),
            *_dead(server),
            *_ends(server),
        ]


def _creates(server: PostgresServer, rounds: int) -> list[Figure]:
    by_count: dict[int, list[float]] = {1: [], 2: [], 3: []}
    plain: list[float] = []
    for _ in range(rounds):
        for count, creates in by_count.items():
            with running_nodes(server, count) as nodes, ThreadPoolExecutor(count) as threads:
                creating = partial(create_tasks, connections=66 // count, seconds=_SECONDS)
                loads = threads.map(creating, [node.url for node in nodes])
                creates.append(sum(load.per_second for load in loads))
        plain.append(peers.ask("asyncpg", new_database(server), 2)["per_second"])
    return [
        Figure(
            name=f"creates on PostgreSQL, {count} node{'s' * (count > 1)}",
            unit="/s",
            rounds=creates,
            limit="plain asyncpg, the same statement",
            limit_rounds=plain,
            at_least=15_000 if count == 1 else None,
        )
        for count, creates in by_count.items()
    ]


def _null_tasks(server: PostgresServer, rounds: int) -> list[Figure]:
    """Claims and settles of tasks that do nothing."""
    by_count: dict[int, list[float]] = {1: [], 2: [], 3: []}
    for _ in range(rounds):
        for count, rates in by_count.items():
            url = new_database(server)
            tasks = [a_task(due_at=database.now(), type_="null", pool=100, payload=b"{}") for _ in range(_NULLS)]
            database.store(url, tasks)
            with _null_package() as variables, running_nodes(server, count, url=url, variables=variables):
                name = url.rpartition("/")[2]
                while int(server.execute("SELECT count(*) FROM task WHERE state < 2", database=name)):
                    time.sleep(0.2)
                seconds = server.execute(
                    "SELECT extract(epoch FROM max(ended_at) - min(started_at)) FROM task", database=name
                )
                rates.append(_NULLS / float(seconds))
    return [
        Figure(
            name=f"claims and settles on PostgreSQL, {count} node{'s' * (count > 1)}",
            unit="/s",
            rounds=rates,
            at_least=15_000 if count == 2 else None,
        )
        for count, rates in by_count.items()
    ]


def _bursts(server: PostgresServer, rounds: int) -> list[Figure]:
    """Deliveries of what is due at once, with the defaults: to one destination, and to many."""
    rates: dict[tuple[int, int], list[float]] = {(count, hosts): [] for count in (1, 2) for hosts in (1, _MANY)}
    plain: list[float] = []
    for _ in range(rounds):
        for (count, hosts), rate in rates.items():
            url = new_database(server)
            with running_sink() as sink:
                due_at = database.now()
                tasks = database.webhooks(sink.url, [due_at] * _BURST)
                if hosts > 1:
                    tasks = [
                        replace(task, destination=Destination(GateKind.HOST, f"http://h{place % hosts}:80"))
                        for place, task in enumerate(tasks)
                    ]
                database.store(url, tasks)
                with running_nodes(server, count, url=url):
                    report = sink.wait_for(_BURST)
                    rate.append(report.count / report.seconds)
        url = new_database(server)
        database.store(url, database.webhooks("http://localhost:9/", [database.now()] * _BURST))
        plain.append(peers.ask("claims", url, 100)["per_second"])
    return [
        Figure(
            name=f"deliveries on PostgreSQL to {hosts} destination{'s' * (hosts > 1)}, {count} node{'s' * (count > 1)}",
            unit="/s",
            rounds=rate,
            limit="plain asyncpg, claim and settle",
            limit_rounds=plain,
            at_least=8_000 if hosts == 1 and count == 1 else None,
        )
        for (count, hosts), rate in rates.items()
    ]


def _lateness(server: PostgresServer, rounds: int) -> list[Figure]:
    told: list[Report] = []
    for _ in range(rounds):
        url = new_database(server)
        with running_sink() as sink:
            first = database.now() + 3 * SECOND
            due_times = [first + random.randrange(8 * SECOND) for _ in range(_PER_SECOND * 8)]
            database.store(url, database.webhooks(sink.url, due_times))
            with running_nodes(server, 1, url=url):
                told.append(sink.wait_for(len(due_times)))
    return [
        Figure(name="lateness on PostgreSQL at 500 tasks/s, p50", unit="ms", rounds=[report.p50_ms for report in told]),
        Figure(
            name="lateness on PostgreSQL at 500 tasks/s, p99",
            unit="ms",
            rounds=[report.p99_ms for report in told],
            at_most=20,
        ),
        Figure(name="came early at the receiver", unit="of 4,000", rounds=[report.early for report in told], at_most=0),
    ]


def _dead(server: PostgresServer) -> list[Figure]:
    """How long a claim takes when nothing has ended yet, and when many have and nobody has cleaned up."""

    async def claim_ms(url: str) -> tuple[float, float]:
        store = PostgresStore(
            url,
            follow=Callbacks(type_="webhook", pool=Pool(1)).follow,
            base_clock=SystemClock(),
            address="",
            version="",
        )
        await store.open()
        server.execute("ALTER TABLE task SET (autovacuum_enabled = off)", database=url.rpartition("/")[2])
        clean = await _claim_ms(store)
        for _ in range(_DEAD // 5_000):
            await store.create([a_task(due_at=store.clock.now() - SECOND) for _ in range(5_000)])
            for _ in range(10):
                await store.renew()
                await _claim_and_settle(store, 500)
        littered = await _claim_ms(store)
        await store.close()
        return clean, littered

    clean, littered = asyncio.run(claim_ms(new_database(server)))
    return [
        Figure(
            name="a claim of 1 task beside 200,000 dead rows, p50",
            unit="ms",
            rounds=[littered],
            limit="none dead",
            limit_rounds=[clean],
        )
    ]


async def _claim_ms(store: PostgresStore) -> float:
    took: list[float] = []
    for _ in range(200):
        await store.create([a_task(due_at=store.clock.now() - SECOND)])
        began = time.monotonic()
        await _claim_and_settle(store, 1, took=took, began=began)
    return statistics.median(took)


async def _claim_and_settle(
    store: PostgresStore, count: int, *, took: list[float] | None = None, began: float = 0.0
) -> None:
    attempts = (await store.claim_due({Pool(1): count})).attempts
    if took is not None:
        took.append((time.monotonic() - began) * 1e3)
    now = store.clock.now()
    done = Settlement(move=Move.COMPLETE, started_at=now, ended_at=now)
    await asyncio.gather(*(store.settle(attempt, done) for attempt in attempts))


def _ends(server: PostgresServer) -> list[Figure]:
    """How soon another node runs what a dead one was running, and how soon one stops that is told to."""
    with WebhookReceiver() as receiver, running_nodes(server, 2) as (first, second):
        body = {
            "execution_time": instants.text(database.now() + SECOND // 2),
            "url": receiver.url("/slow/60"),
            "body": "x",
        }
        first.call("POST", "/tasks/new", {"webhook": body})
        receiver.wait_for(1)
        running = {node["address"]: node["running"] for node in first.call("GET", "/nodes")}
        dying = first if running[first.url] else second
        began = time.monotonic()
        dying.kill()
        receiver.wait_for(2, timeout_seconds=60)
        recovery = time.monotonic() - began
        dying.start()
    with running_nodes(server, 1) as (node,):
        assert node.process is not None
        began = time.monotonic()
        node.process.send_signal(signal.SIGTERM)
        node.process.wait(30)
        stop = time.monotonic() - began
        node.start()
    return [
        Figure(name="recovery of a dead node's tasks", unit="s", rounds=[recovery], at_most=35),
        Figure(name="clean stop of an idle node", unit="s", rounds=[stop], at_most=1),
    ]


def new_database(server: PostgresServer) -> str:
    """Return the URL of a new database."""
    name = f"bench_{random.getrandbits(64):x}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)


@contextlib.contextmanager
def running_nodes(
    server: PostgresServer, count: int, *, url: str | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[list[TaskerServer]]:
    """Run so many nodes on a database until the block ends."""
    url = url or new_database(server)
    with contextlib.ExitStack() as stack:
        nodes = []
        for _ in range(count):
            folder = stack.enter_context(new_folder())
            with _environment(variables or {}):
                nodes.append(
                    stack.enter_context(
                        running_server(folder, "--database-url", url, cores=set(os.sched_getaffinity(0)))
                    )
                )
        yield nodes


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _null_package() -> Iterator[Mapping[str, str]]:
    """Make a package whose task type does nothing."""
    with new_folder() as folder:
        installed = folder / "null_type-1.0.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: null-type\nVersion: 1.0\n")
        (installed / "entry_points.txt").write_text("[tasker.task_types]\nnull = null_type:Null\n")
        (folder / "null_type.py").write_text(_NULL_TYPE)
        yield {"PYTHONPATH": str(Path(folder).resolve())}
