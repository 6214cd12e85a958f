"""What five million waiting tasks cost."""

import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import database
from benchmarks.delivering import deliver_steadily
from benchmarks.figures import Figure
from benchmarks.load import create_tasks
from benchmarks.machine import memory_mib
from benchmarks.server import new_folder, running_server
from benchmarks.sink import Sink, running_sink

_WAITING: Final = 5_000_000


class _Round(NamedTuple):
    ready_seconds: float
    memory_mib: float
    creates: float
    late_ms: float


def measure(rounds: int) -> list[Figure]:
    """Return the rows about waiting tasks."""
    full: list[_Round] = []
    empty: list[_Round] = []
    with new_folder() as filled, running_sink() as sink:
        took = database.fill_with_waiting(filled / "tasks.db", _WAITING)
        print(f"  {_WAITING:,} tasks loaded in {took:.0f} s", flush=True)
        for _ in range(rounds):
            full.append(_measure(filled, sink))
            with new_folder() as folder:
                empty.append(_measure(folder, sink))
    return [
        Figure(
            name="5,000,000 waiting: start to ready",
            unit="s",
            rounds=[one.ready_seconds for one in full],
            limit="none waiting",
            limit_rounds=[one.ready_seconds for one in empty],
            at_most=1,
        ),
        Figure(
            name="5,000,000 waiting: memory",
            unit="MiB",
            rounds=[one.memory_mib for one in full],
            limit="none waiting",
            limit_rounds=[one.memory_mib for one in empty],
            at_most=150,
        ),
        Figure(
            name="5,000,000 waiting: durable creates, 64 connections",
            unit="/s",
            rounds=[one.creates for one in full],
            limit="none waiting",
            limit_rounds=[one.creates for one in empty],
            least=0.3,
        ),
        Figure(
            name="5,000,000 waiting: lateness at 1,000 tasks/s, p99",
            unit="ms",
            rounds=[one.late_ms for one in full],
            limit="none waiting",
            limit_rounds=[one.late_ms for one in empty],
            most=1.5,
        ),
    ]


def _measure(folder: Path, sink: Sink) -> _Round:
    told, _ = deliver_steadily(folder, sink)
    began = time.monotonic()
    with running_server(folder) as server:
        ready = time.monotonic() - began
        creates = create_tasks(server.url, connections=64, seconds=4).per_second
        assert server.process is not None
        return _Round(ready, memory_mib(server.process.pid), creates, told["p99"])
