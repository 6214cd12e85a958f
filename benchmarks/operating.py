"""How fast an operation goes over many tasks, and how late others are meanwhile."""

import time
from datetime import datetime
from typing import Final, NamedTuple

from benchmarks import database
from benchmarks.delivering import deliver_steadily, lateness_ms, steadily_due
from benchmarks.figures import Figure
from benchmarks.server import new_folder, running_server
from benchmarks.sink import running_sink
from tasker.model.instants import SECOND

_TASKS: Final = 100_000
_PER_SECOND: Final = 1_000
_SECONDS: Final = 20
_DAY: Final = 86_400 * SECOND


class _Round(NamedTuple):
    per_second: float
    late_ms: float


def measure(rounds: int) -> list[Figure]:
    """Return the rows about operations."""
    beside = [_measure() for _ in range(rounds)]
    alone: list[float] = []
    for _ in range(rounds):
        with running_sink() as sink, new_folder() as folder:
            alone.append(deliver_steadily(folder, sink)[0]["p99"])
    return [
        Figure(
            name=f"an operation that postpones {_TASKS:,} tasks",
            unit="/s",
            rounds=[one.per_second for one in beside],
        ),
        Figure(
            name="the same, lateness at 1,000 tasks/s beside it, p99",
            unit="ms",
            rounds=[one.late_ms for one in beside],
            limit="without it",
            limit_rounds=alone,
        ),
    ]


def _measure() -> _Round:
    with running_sink() as sink, new_folder() as folder:
        url = f"sqlite:{folder}/tasks.db"
        database.store(url, database.webhooks("http://localhost:9000/", [database.now() + _DAY] * _TASKS))
        due_times = steadily_due(database.now() + 3 * SECOND, per_second=_PER_SECOND, seconds=_SECONDS)
        database.store(url, database.webhooks(sink.url, due_times))
        with running_server(folder) as server:
            time.sleep(max(due_times[0] - database.now(), 0) / SECOND)
            asked = {"action": "postpone", "filter": {"destination": "http://localhost:9000"}, "by": "1d"}
            operation = server.call("POST", "/operations", asked)
            while operation["state"] == "running":
                time.sleep(0.1)
                operation = server.call("GET", f"/operations/{operation['id']}")
            assert operation["changed"] == _TASKS, operation
            began, ended = (datetime.fromisoformat(operation[name]) for name in ("created_at", "ended_at"))
            late_ms = lateness_ms(server)["p99"]
            sink.wait_for(len(due_times))
            return _Round(_TASKS / (ended - began).total_seconds(), late_ms)
