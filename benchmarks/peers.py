"""The limits that stand beside the figures, each as bare as it can be, in a process of its own on the server's core."""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import apsw
import uvicorn
import uvloop

from benchmarks.machine import SERVER_CORE, running_on
from benchmarks.sink import BODY_LENGTH, percentile
from tasker import node
from tasker.access import Access
from tasker.api.app import build_app, make_context
from tasker.api.rewriting import Rewriting
from tasker.config import Settings
from tasker.egress.http_client import Request
from tasker.egress.pooled_client import PooledClient
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.ids import new_id
from tasker.model.gate import queue_named
from tasker.model.new_task import NewTask
from tasker.model.task import Pool, Task
from tasker.service.service import Service
from tasker.stores import migrate, queries
from tasker.stores.postgres import inserter, schema
from tasker.stores.postgres.connection import Connector, as_json
from tasker.stores.sqlite.connection import connect
from tasker.stores.sqlite.store import SqliteStore
from tasker.task_types.hash import HashType, phc_string
from tasker.task_types.registry import Registry
from tasker.task_types.webhook import WebhookType
from tasker.testing.task_factory import a_task
from tasker.timing.alarm import Alarm
from tasker.timing.clock import SystemClock

_CLAIM: Final = """
UPDATE task SET state = 1, attempts = attempts + 1, started_at = now()
 WHERE id IN (SELECT id FROM task WHERE pool = 1 AND state = 0 AND held_by IS NULL AND due_at <= now()
               ORDER BY due_at, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, (SELECT payload FROM payload WHERE payload.id = task.id)
"""
_SETTLE: Final = "UPDATE task SET state = 2, ended_at = now() WHERE id = ANY ($1::uuid[]) AND state = 1"


def ask(name: str, *arguments: object, cores: set[int] = SERVER_CORE) -> dict[str, float]:
    """Run the peer *name* and return its figures."""
    command = [sys.executable, "-m", "benchmarks.peers", name, *map(str, arguments)]
    with running_on(cores):
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, float] = json.loads(printed.splitlines()[-1])  # before it stands what is logged
    return figures


@contextlib.contextmanager
def running_handler() -> Iterator[str]:
    """Run the server without a store until the block ends. Yields its URL."""
    with running_on(SERVER_CORE):
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", "handler"], stdout=subprocess.PIPE, text=True
        )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


class _NoStore:
    """Stores nothing, at once."""

    ailment = None
    node_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self) -> None:
        self.clock = SystemClock()

    async def create(self, tasks: Sequence[Task]) -> None:
        pass


async def _handler() -> None:
    """The same server and the same request: decoded, validated, given an id, answered."""
    store: Any = _NoStore()
    settings = Settings(listen_port=0)
    registry = Registry([WebhookType(PooledClient(), store.clock, slots=1), HashType(iterations=1, slots=1)])
    engine = Engine(store, registry.types, Telemetry(), rand=random.random, rewriting=Rewriting(registry))
    engine.key_ring.asks = False
    app = build_app(
        make_context(Service(store, engine, registry), registry, settings), Access(settings, engine.key_ring)
    )
    listening = node._bind(settings.listen_ip, settings.listen_port)
    node._listen(listening)
    print(node._url(listening), flush=True)
    await uvicorn.Server(node._uvicorn_config(app, settings)).serve(sockets=[listening])


async def _client(url: str, count: str, at_once: str) -> dict[str, float]:
    """The bare HTTP client: so many posts, so many at once, nothing recorded."""
    client = PooledClient()
    request = Request("POST", url, {"content-type": "application/json"}, b"%0*d" % (BODY_LENGTH, 0), 30.0)

    async def post() -> None:
        await client.send(request, lambda: None)

    return {"per_second": await _per_second(post, int(count), int(at_once))}


async def _aiohttp(url: str, count: str, at_once: str) -> dict[str, float]:
    """The same with aiohttp."""
    body = b"%0*d" % (BODY_LENGTH, 0)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post() -> None:
            async with session.post(url, data=body) as response:
                await response.read()

        return {"per_second": await _per_second(post, int(count), int(at_once))}


async def _per_second(post: Callable[[], Awaitable[None]], count: int, at_once: int) -> float:
    left = count

    async def post_until_none_is_left() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await post()

    began = time.monotonic()
    await asyncio.gather(*(post_until_none_is_left() for _ in range(at_once)))
    return count / (time.monotonic() - began)


async def _alarm(per_second: str, seconds: str) -> dict[str, float]:
    """Sleeping until random moments, with nothing to do then."""
    clock = SystemClock()
    first = clock.now() + 100_000
    moments = sorted(first + int(random.random() * float(seconds) * 1e6) for _ in range(int(per_second) * int(seconds)))
    alarm = Alarm(clock)
    late: list[float] = []
    for moment in moments:
        while clock.now() < moment:
            await alarm.sleep_until(moment)
        late.append((clock.now() - moment) / 1e3)
    alarm.close()
    late.sort()
    return {"p50": percentile(late, 50), "p99": percentile(late, 99), "max": late[-1]}


def _pattern(seconds: str) -> dict[str, float]:
    """One INSERT per transaction with a rollback journal and a sync, as the earlier server wrote."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        connection = apsw.Connection(str(Path(folder) / "tasks.db"))
        connection.pragma("journal_mode", "DELETE")
        connection.pragma("synchronous", "FULL")
        connection.execute(
            "CREATE TABLE webhooks (id TEXT PRIMARY KEY, state TEXT, execution_time TEXT, url TEXT, body TEXT)"
        )
        began = time.monotonic()
        count = 0
        while time.monotonic() < began + float(seconds):
            row = (
                f"{random.getrandbits(128):032x}",
                "Todo",
                "2126-02-10T16:30:00Z",
                "http://localhost:9000/hook",
                "hello",
            )
            connection.execute("INSERT INTO webhooks VALUES (?, ?, ?, ?, ?)", row)
            count += 1
        per_second = count / (time.monotonic() - began)
        connection.close()
    return {"per_second": per_second}


async def _asyncpg(url: str, seconds: str) -> dict[str, float]:
    """Plain asyncpg: the statement that stores tasks, 64 at a time, one after the other on one connection."""
    await schema.prepare(Connector(url, is_pooled=False), migrates=True)
    connection = await Connector(url, is_pooled=False).connect()
    sql = queries.load("tasker.stores.postgres")["create_tasks"]
    now = SystemClock().now()
    count = 0
    began = time.monotonic()
    while time.monotonic() < began + float(seconds):
        tasks = [a_task(due_at=now + random.randrange(86_400 * 10**6)) for _ in range(64)]
        rows = as_json([inserter._row(task, None, None) for task in tasks])
        await connection.fetch(sql, rows, [task.payload for task in tasks], ())
        count += len(tasks)
    per_second = count / (time.monotonic() - began)
    await connection.close()
    return {"per_second": per_second}


async def _claims(url: str, at_once: str) -> dict[str, float]:
    """Plain asyncpg: claims and settles all that is due, so many at a time, one after the other on one connection."""
    connection = await Connector(url, is_pooled=False).connect()
    count = 0
    began = time.monotonic()
    while claimed := await connection.fetch(_CLAIM, int(at_once)):
        await connection.execute(_SETTLE, [row["id"] for row in claimed])
        count += len(claimed)
    per_second = count / (time.monotonic() - began)
    await connection.close()
    return {"per_second": per_second}


def _rows(count: str) -> dict[str, float]:
    """Plain apsw: the rows of so many tasks and their payloads, 64 at a time, in one synced transaction, five times."""
    texts = queries.load("tasker.stores.sqlite")
    payload = b'{"url":"http://127.0.0.1:9/","body":"%b"}' % (b"x" * 100)
    seconds, seq, rounds = 0.0, 0, 5
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        connection = _sqlite(Path(folder) / "tasks.db")
        for _ in range(rounds):
            tasks, payloads = [], []
            for _ in range(int(count)):
                seq += 1
                moment = SystemClock().now() + seq
                row: dict[str, object] = dict.fromkeys(_columns_of(texts["create_tasks"]))
                row |= {"seq": seq, "id": uuid.UUID(new_id(moment)).bytes, "type": "webhook", "state": 0, "pool": 1}
                row |= {"due_at": moment, "execution_at": moment, "execution_time": "2126-02-10T16:30:00Z", "gate": 1}
                row |= {"holds_key": 0, "patience": 0, "created_at": moment}
                tasks.append(tuple(row.values()))
                payloads.append((seq, payload))
            began = time.monotonic()
            connection.execute("BEGIN IMMEDIATE")
            for name, rows in (("create_tasks", tasks), ("create_payloads", payloads)):
                for start in range(0, len(rows), 64):
                    part = rows[start : start + 64]
                    places = ",".join([f"({','.join('?' * len(part[0]))})"] * len(part))
                    connection.execute(texts[name].format(rows=places), [value for each in part for value in each])
            connection.execute("COMMIT")
            seconds += time.monotonic() - began
        connection.close()
    return {"per_second": rounds * int(count) / seconds}


def _sqlite(path: Path) -> apsw.Connection:
    """A database with the tables of the store, and its settings."""
    connection = connect(path)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    for migration in migrate.load("tasker.stores.sqlite"):
        connection.execute(migration.sql)
    return connection


def _columns_of(insert: str) -> list[str]:
    return [name.strip() for name in insert[insert.index("(") + 1 : insert.index(")")].split(",")]


async def _waits(count: str) -> dict[str, float]:
    """The store alone: how long claims wait, one every millisecond, while so many tasks are made at once."""
    waits: list[float] = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = SqliteStore(str(Path(folder) / "tasks.db"), clock=SystemClock(), follow=lambda *_, **__: ())
        await store.open()
        due_at = store.clock.now() + 3_600 * 10**6
        new = [NewTask(task=a_task(due_at=due_at, host="http://127.0.0.1:9")) for _ in range(int(count))]
        making = asyncio.create_task(store.make(new))
        while not making.done():
            began = time.monotonic()
            await store.claim_due({Pool(1): 1})
            waits.append((time.monotonic() - began) * 1e3)
            await asyncio.sleep(0.001)
        await making
        await store.close()
    return {"max_ms": max(waits)}


async def _pulls(url: str, most: str, seconds: str) -> dict[str, float]:
    """The store alone: jobs of a full queue are pulled, so many at a time, one time after the other."""
    store = node.make_store(Settings(database_url=url), address="")
    await store.open()
    count = 0
    began = time.monotonic()
    while time.monotonic() < began + float(seconds):
        pulled = await store.pull(queue_named("reports"), most=int(most), lease=timedelta(hours=1))
        assert pulled.attempts, "there were no more jobs"
        count += len(pulled.attempts)
    per_second = count / (time.monotonic() - began)
    await store.close()
    return {"per_second": per_second}


def _fdatasync(seconds: str) -> dict[str, float]:
    """A write of 4 KiB to a file of its size, and its sync."""
    block = os.urandom(4096)
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=Path.cwd()) as file:
        limit = time.monotonic() + float(seconds)
        while time.monotonic() < limit:
            began = time.monotonic()
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
            took.append((time.monotonic() - began) * 1e3)
    took.sort()
    return {"p50_ms": percentile(took, 50), "p99_ms": percentile(took, 99)}


def _pbkdf2(threads: str, count: str) -> dict[str, float]:
    """The bare function, on threads of the lowest priority."""

    def be_nice() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)

    with ThreadPoolExecutor(int(threads), initializer=be_nice) as pool:
        began = time.monotonic()
        list(
            pool.map(lambda n: phc_string(b"secret %d" % n, bytes(16), Settings().pbkdf2_iterations), range(int(count)))
        )
        return {"per_second": int(count) / (time.monotonic() - began)}


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__.removeprefix("_"): function
    for function in (
        _handler,
        _client,
        _aiohttp,
        _alarm,
        _pattern,
        _asyncpg,
        _claims,
        _rows,
        _waits,
        _pulls,
        _fdatasync,
        _pbkdf2,
    )
}

if __name__ == "__main__":
    wanted, given = sys.argv[1], sys.argv[2:]
    function = _FUNCTIONS[wanted]
    print(json.dumps(uvloop.run(function(*given)) if asyncio.iscoroutinefunction(function) else function(*given)))
