"""What a backup of five million tasks takes, and how late others are meanwhile."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import database
from benchmarks.delivering import lateness_ms, steadily_due
from benchmarks.figures import Figure
from benchmarks.machine import ALL_CORES, running_on
from benchmarks.server import new_folder, running_server
from benchmarks.sink import Sink, running_sink
from tasker.model.instants import SECOND

_STORED: Final = 5_000_000
_PER_SECOND: Final = 1_000
_BEFORE: Final = 5
"""Seconds that it is steady before the backup begins, and after it has ended."""
_MIB: Final = 1 << 20


class _Round(NamedTuple):
    seconds: float
    late_p99_ms: float
    late_max_ms: float
    longest_log: float
    log_afterwards: float


def measure(rounds: int) -> list[Figure]:
    """Return the rows about backups."""
    beside: list[_Round] = []
    alone: list[_Round] = []
    with new_folder() as folder, running_sink() as sink:
        took = database.fill_with_waiting(folder / "tasks.db", _STORED)
        print(f"  {_STORED:,} tasks loaded in {took:.0f} s", flush=True)
        for _ in range(min(rounds, 1)):  # one takes minutes
            beside.append(_measure(folder, sink, seconds=None))
            alone.append(_measure(folder, sink, seconds=beside[-1].seconds))
    rest = {"limit": "without a backup"}
    return [
        Figure(
            name=f"a backup of {_STORED:,} tasks, beside 1,000 deliveries/s", unit="s", rounds=_of(beside, "seconds")
        ),
        Figure(
            name="the same, lateness p99 meanwhile",
            unit="ms",
            rounds=_of(beside, "late_p99_ms"),
            limit_rounds=_of(alone, "late_p99_ms"),
            **rest,
        ),
        Figure(
            name="the same, lateness max meanwhile",
            unit="ms",
            rounds=_of(beside, "late_max_ms"),
            limit_rounds=_of(alone, "late_max_ms"),
            **rest,
        ),
        Figure(
            name="the same, the write-ahead log at its longest",
            unit="MiB",
            rounds=_of(beside, "longest_log"),
            limit_rounds=_of(alone, "longest_log"),
            **rest,
        ),
        Figure(
            name="the same, the write-ahead log some seconds afterwards",
            unit="MiB",
            rounds=_of(beside, "log_afterwards"),
            at_most=32.1,
        ),
    ]


def _of(rounds: list[_Round], name: str) -> list[float]:
    return [getattr(one, name) for one in rounds]


def _measure(folder: Path, sink: Sink, *, seconds: float | None) -> _Round:
    """Deliver steadily, and make a backup meanwhile; or wait for so many *seconds* in its place."""
    expected = _STORED / 100_000 if seconds is None else seconds
    due = steadily_due(database.now() + 20 * SECOND, per_second=_PER_SECOND, seconds=int(expected) + 3 * _BEFORE)
    database.store(f"sqlite:{folder}/tasks.db", database.webhooks(sink.url, due))
    log = _Log(folder / "tasks.db-wal")
    with running_server(folder) as server:
        assert database.now() < min(due), "they were due before the server was ready"
        time.sleep((min(due) - database.now()) / SECOND + _BEFORE)
        with log:
            took = _back_up(folder) if seconds is None else _wait(seconds)
        late = lateness_ms(server)
        sink.wait_for(len(due))
        time.sleep(1)
        return _Round(took, late["p99"], late["max"], log.longest / _MIB, log.size() / _MIB)


def _back_up(folder: Path) -> float:
    with running_on(ALL_CORES):
        done = subprocess.run(
            [sys.executable, "-m", "tasker", "db", "backup", "copy.db"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    return float(json.loads(done.stdout)["seconds"])


def _wait(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


class _Log:
    """Watches how long the write-ahead log is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_over = threading.Event()
        self.longest = 0

    def size(self) -> int:
        return self._path.stat().st_size

    def __enter__(self) -> None:
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.1):
            self.longest = max(self.longest, self.size())
