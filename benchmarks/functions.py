"""How late a function of one's own starts, on a worker in another process."""

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Final

import tasker
from benchmarks.figures import Figure
from benchmarks.machine import LOAD_CORE, running_on
from benchmarks.server import new_folder, running_server

_APP: Final = """
import time

import tasker

app = tasker.App()


@app.task("asynchronous")
async def asynchronous() -> float:
    return time.time()


@app.task("in_a_thread")
def in_a_thread() -> float:
    return time.time()
"""
_KINDS: Final = {"asynchronous": "an async function", "in_a_thread": "a function in a thread"}
_CALLS: Final = 400
_PER_SECOND: Final = 20
_AHEAD: Final = timedelta(seconds=3)


def measure(rounds: int) -> list[Figure]:
    """Return the rows about functions: from the due time to the first line of the function, by the same clock."""
    late: dict[tuple[str, str], list[float]] = {}
    claimed: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for kind in _KINDS:
            with new_folder() as folder:
                (folder / "measured.py").write_text(_APP)
                with (
                    running_server(folder, "--app", "measured:app", "--app-workers", "0") as server,
                    _worker(folder, server.url),
                ):
                    started, given = _lateness(server.url, kind)
            for name, place in (("p50", 49), ("p99", 98)):
                late.setdefault((kind, name), []).append(quantiles(started, n=100)[place])
                claimed.setdefault((kind, name), []).append(quantiles(given, n=100)[place])
    return [
        Figure(
            name=f"{words} starts so late on a worker, {_PER_SECOND} a second, {name}",
            unit="ms",
            rounds=late[kind, name],
            limit="the claim that the server has noted",
            limit_rounds=claimed[kind, name],
        )
        for kind, words in _KINDS.items()
        for name in ("p50", "p99")
    ]


def _lateness(url: str, kind: str) -> tuple[list[float], list[float]]:
    """Return how late each call started, and how late it was claimed, in milliseconds."""
    first = datetime.now(UTC) + _AHEAD
    due = [first + timedelta(seconds=random.uniform(0, _CALLS / _PER_SECOND)) for _ in range(_CALLS)]
    with tasker.Client(url) as client:
        for made in client.schedule_many({kind: {"execution_time": at.isoformat()}} for at in due):
            assert made.outcome == "created"
        time.sleep(max((max(due) - datetime.now(UTC)).total_seconds(), 0))  # nothing else is asked meanwhile
        while client.count(type=kind, state="done") != _CALLS:
            time.sleep(0.5)
        started, claimed = [], []
        for task in client.find(type=kind):
            wanted = datetime.fromisoformat(task.execution_time).timestamp()
            started.append((task.result - wanted) * 1_000)
            claimed.append((task.lateness_seconds or 0) * 1_000)
        return started, claimed


@contextlib.contextmanager
def _worker(folder: Path, url: str) -> Iterator[None]:
    with running_on(LOAD_CORE):
        process = subprocess.Popen(
            [sys.executable, "-m", "tasker", "worker", "--app", "measured:app", "--url", url], cwd=folder
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
