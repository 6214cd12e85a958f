"""What it takes to find tasks among five million."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Final

import apsw

from benchmarks import database
from benchmarks.figures import Figure
from benchmarks.machine import LOAD_CORE, running_on
from benchmarks.server import new_folder, running_server

_TASKS: Final = 5_000_000
_PAGES: Final = 20
"""Pages that are followed of each query, at most."""

_QUERIES: Final = {
    "by tag": "tag=customer:42",
    "by key": "key_prefix=order%201234",
    "failed, latest first": "state=failed&sort=-ended",
    "waiting": "state=todo&type=webhook",
    "by an error that few have": "error=status_410&sort=-created",
    "what is nowhere": "destination=http://nowhere:80",
}


def measure(rounds: int) -> list[Figure]:
    """Return the rows about finding tasks."""
    with new_folder() as filled:
        took = database.fill_with_waiting(filled / "tasks.db", _TASKS)
        _vary(filled / "tasks.db")
        print(f"  {_TASKS:,} tasks loaded in {took:.0f} s", flush=True)
        measured = [_measure(filled) for _ in range(rounds)]
    for name in _QUERIES:
        print(f"  {name}: {max(one[name] for one in measured):.1f} ms", flush=True)
    slowest = [max(one.values()) for one in measured]
    return [
        Figure(
            name=f"5,000,000 tasks: slowest page of {len(_QUERIES)} queries, {_PAGES} pages each",
            unit="ms",
            rounds=slowest,
            at_most=50,
        )
    ]


def _vary(path: Path) -> None:
    """Let tasks in a full database have ended, and have keys and tags."""
    connection = apsw.Connection(str(path))
    connection.pragma("synchronous", "OFF")
    connection.pragma("cache_size", -400_000)
    with connection:
        connection.execute(
            """UPDATE task SET state = 2 + (seq % 50 = 0), attempts = 1, started_at = due_at - 200000000000,
                      ended_at = due_at - 200000000000,
                      last_fault = CASE WHEN seq % 50 = 0 THEN '{"code":"status_500","msg":"no"}' END
                WHERE seq % 10 = 0"""
        )
        connection.execute("UPDATE task SET key = 'order ' || seq, holds_key = state = 0 WHERE seq % 100 = 1")
        connection.execute(
            "INSERT INTO tag (tag, task) SELECT 'customer:' || (seq / 5 % 1000), seq FROM task WHERE seq % 5 = 2"
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _measure(folder: Path) -> dict[str, float]:
    """The milliseconds of the slowest page of each query."""
    with running_server(folder) as server, running_on(LOAD_CORE):
        return {name: _slowest_page(server.url, f"/tasks?{query}") for name, query in _QUERIES.items()}


def _slowest_page(url: str, path: str | None) -> float:
    slowest = 0.0
    for _ in range(_PAGES):
        if path is None:
            break
        began = time.perf_counter()
        with urllib.request.urlopen(url + path) as answer:
            body = answer.read()
        slowest = max(slowest, time.perf_counter() - began)
        path = json.loads(body)["next"]
    return slowest * 1_000
