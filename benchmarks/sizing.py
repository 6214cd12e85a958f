"""What tasks take on the disk, and what a server takes, for ``docs/sizing.md``: not a question of speed."""

import contextlib
import random
import re
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw
import msgspec

from benchmarks import database
from benchmarks.figures import Figure
from benchmarks.server import running_server
from benchmarks.sink import running_sink
from tasker.model.instants import SECOND
from tasker.model.task import Task
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.server import TaskerServer
from tasker.testing.task_factory import a_task
from tasker.wire.fields import WebhookFields

_TASKS: Final = 100_000
_ENDED: Final = 20_000
_BODIES: Final = {"a small body": "hello", "a body of 1 KiB": "x" * 1024}
_URL: Final = "http://localhost:9000/hook"
_WAITERS: Final = 1_000
_INDEXES: Final = (
    "SELECT sum(pg_indexes_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
)
_SIZE: Final = (
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
)


def measure(rounds: int) -> list[Figure]:
    """Return the rows about sizes. They are the same in each round, so that there is one."""
    del rounds
    figures = []
    with PostgresServer() as postgres:
        for store in database.STORES:
            for name, body in _BODIES.items():
                figures += _per_task(store, postgres, name, body)
            figures += _ended(store, postgres)
        for store in database.STORES:
            figures += _server(store, postgres)
    return figures


def _per_task(store: str, postgres: PostgresServer, body_name: str, body: str) -> list[Figure]:
    """Measure waiting webhooks, which are due at random moments of 24 hours."""
    name = f"a waiting webhook on {store}, with {body_name}"
    with database.new_database(store, postgres) as (folder, url):
        database.store(url, [])
        before = _bytes(store, postgres, folder, url)
        due_times = [database.now() + random.randrange(3_600, 90_000) * SECOND for _ in range(_TASKS)]
        database.store(url, [_webhook(due_at, body) for due_at in due_times])
        figures = [Figure(name=name, unit="bytes", rounds=[(_bytes(store, postgres, folder, url) - before) / _TASKS])]
        if store == "PostgreSQL":
            indexes = int(postgres.execute(_INDEXES, database=url.rpartition("/")[2])) / _TASKS
            figures.append(Figure(name=f"{name}: indexes", unit="bytes", rounds=[indexes]))
    return figures


def _webhook(due_at: int, body: str) -> Task:
    payload = msgspec.json.encode(WebhookFields(url=_URL, body=body))
    return a_task(due_at=due_at, payload=payload, host="http://localhost:9000")


def _ended(store: str, postgres: PostgresServer) -> list[Figure]:
    """Measure webhooks that have been delivered at the first attempt, and are kept."""
    with database.new_database(store, postgres) as (folder, url), running_sink() as sink:
        database.store(url, [])
        before, log = _bytes(store, postgres, folder, url), postgres.execute("SELECT pg_current_wal_lsn()")
        database.store(url, database.webhooks(sink.url, [database.now()] * _ENDED))
        with running_server(folder, "--database-url", url, "--max-deliveries", "200"):
            sink.wait_for(_ENDED)
        written = int(postgres.execute(f"SELECT (pg_current_wal_lsn() - '{log}')::bigint"))
        grown = _bytes(store, postgres, folder, url) - before
    figures = [
        Figure(name=f"a webhook that is done, with its attempt, on {store}", unit="bytes", rounds=[grown / _ENDED])
    ]
    if store == "PostgreSQL":
        name = "a webhook from its create to its end on PostgreSQL: log"
        figures.append(Figure(name=name, unit="bytes", rounds=[written / _ENDED]))
    return figures


def _bytes(store: str, postgres: PostgresServer, folder: Path, url: str) -> int:
    """Return what the database takes, without pages that are free again, and without its log."""
    if store == "SQLite":
        connection = apsw.Connection(str(folder / "tasks.db"))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        pages: int = connection.pragma("page_count") - connection.pragma("freelist_count")
        size: int = pages * connection.pragma("page_size")
        connection.close()
        return size
    name = url.rpartition("/")[2]
    postgres.execute("VACUUM", database=name)
    return int(postgres.execute(_SIZE, database=name))


def _server(store: str, postgres: PostgresServer) -> list[Figure]:
    """Measure a server that has nothing to do, and what callers cost who wait for the end of a task."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        database.new_database(store, postgres) as (folder, url),
        running_server(folder, "--database-url", url) as server,
    ):
        assert server.process is not None
        task_id = server.call("POST", "/tasks/new", {"hash": {"delay": "1d", "secret": "x"}})["id"]
        idle, files = _memory(server.process.pid), _files(server.process.pid)
        with _waiting(server, task_id):
            waiting, with_them = _memory(server.process.pid), _files(server.process.pid)
    each = (waiting - idle) / _WAITERS * 1_000
    return [
        Figure(name=f"an idle server on {store}: memory", unit="MiB", rounds=[idle]),
        Figure(name=f"an idle server on {store}: open files", unit="files", rounds=[files]),
        Figure(name=f"1,000 callers who wait for a task on {store}: memory", unit="MiB", rounds=[each]),
        Figure(
            name=f"1,000 callers who wait for a task on {store}: open files", unit="files", rounds=[with_them - files]
        ),
    ]


@contextlib.contextmanager
def _waiting(server: TaskerServer, task_id: str) -> Iterator[None]:
    """Have callers wait for the end of a task while the block lasts."""
    host, port = re.findall(r"//(.+):(\d+)", server.url)[0]
    request = f"GET /tasks/{task_id}?wait=60 HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
    callers = []
    for _ in range(_WAITERS):
        caller = socket.create_connection((host, int(port)))
        caller.sendall(request)
        callers.append(caller)
    time.sleep(3)  # all have been read by then
    yield
    for caller in callers:
        caller.close()


def _memory(process_id: int) -> float:
    """The memory that a process uses now, in MiB."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def _files(process_id: int) -> int:
    """The descriptors that a process has open."""
    return len(list(Path(f"/proc/{process_id}/fd").iterdir()))
