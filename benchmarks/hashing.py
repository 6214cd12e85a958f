"""How fast hashes are computed, and how late webhooks are beside them."""

import os
import random
import time
from datetime import datetime
from typing import Any, Final

from benchmarks import database, peers
from benchmarks.figures import Figure
from benchmarks.machine import ALL_CORES
from benchmarks.server import new_folder, running_server
from benchmarks.sink import percentile, running_sink
from tasker.model.instants import SECOND

_HASHES: Final = 100
_WEBHOOKS_PER_SECOND: Final = 100
_SECONDS: Final = 4
_THREADS: Final = os.cpu_count() or 1


def measure(rounds: int) -> list[Figure]:
    """Return the rows about hashes. The server has all cores here: the threads that hash and the rest share them."""
    hashes: list[float] = []
    late_ms: list[float] = []
    function: list[float] = []
    for _ in range(rounds):
        with running_sink() as sink, new_folder() as folder:
            first = database.now() + 2 * SECOND
            due_times = [first + random.randrange(_SECONDS * SECOND) for _ in range(_WEBHOOKS_PER_SECOND * _SECONDS)]
            tasks = database.hashes(_HASHES, due_at=first) + database.webhooks(sink.url, due_times)
            database.store(f"sqlite:{folder}/tasks.db", tasks)
            with running_server(folder, cores=ALL_CORES) as server:
                sink.wait_for(len(due_times))
                while server.call("GET", "/stats")["totals"]["done"] < len(tasks):
                    time.sleep(0.1)
                hashes.append(_per_second(server.call("GET", "/tasks/type/hash")))
                late_ms.append(_p99_ms(server.call("GET", "/tasks/type/webhook")))
        function.append(peers.ask("pbkdf2", _THREADS, _HASHES, cores=ALL_CORES)["per_second"])
    return [
        Figure(
            name="hashes, 100 webhooks/s beside",
            unit="/s",
            rounds=hashes,
            limit="the bare function",
            limit_rounds=function,
            least=0.95,
        ),
        Figure(name="lateness of the webhooks beside, p99", unit="ms", rounds=late_ms, at_most=10),
    ]


def _per_second(tasks: list[dict[str, Any]]) -> float:
    started = min(datetime.fromisoformat(task["started_at"]) for task in tasks)
    ended = max(datetime.fromisoformat(task["ended_at"]) for task in tasks)
    return len(tasks) / (ended - started).total_seconds()


def _p99_ms(tasks: list[dict[str, Any]]) -> float:
    return percentile(sorted(task["lateness_seconds"] * 1e3 for task in tasks), 99)
