"""How fast many tasks are stored by one request, and how long claims wait meanwhile."""

import json
import time
from urllib.request import Request, urlopen

from benchmarks import peers
from benchmarks.figures import Figure
from benchmarks.server import new_folder, running_server

_TASKS = 10_000
_BATCHES = 5


def measure(rounds: int) -> list[Figure]:
    """Return the rows about batches."""
    batches: list[float] = []
    raw: list[float] = []
    waits: dict[int, list[float]] = {1_000: [], _TASKS: []}
    for _ in range(rounds):
        with new_folder() as folder, running_server(folder) as server:
            batches.append(_per_second(server.url))
        raw.append(peers.ask("rows", _TASKS)["per_second"])
        for count, longest in waits.items():
            longest.append(peers.ask("waits", count)["max_ms"])
    return [
        Figure(
            name=f"tasks in batches of {_TASKS:,}",
            unit="/s",
            rounds=batches,
            limit="the same rows, inserted 64 at a time",
            limit_rounds=raw,
            least=0.6,
        ),
        *(
            Figure(
                name=f"a claim beside a batch of {count:,}, longest wait",
                unit="ms",
                rounds=waits[count],
                at_most=most,
            )
            for count, most in ((1_000, 10), (_TASKS, 60))
        ),
    ]


def _per_second(url: str) -> float:
    task = {"webhook": {"execution_time": "2126-02-10T16:30:00Z", "url": "http://127.0.0.1:9/", "body": "x" * 100}}
    body = json.dumps([task] * _TASKS).encode()
    seconds = 0.0
    for _ in range(_BATCHES):
        request = Request(f"{url}/tasks/batch", body, {"content-type": "application/json"})
        start = time.perf_counter()
        with urlopen(request, timeout=60) as response:
            response.read()
        seconds += time.perf_counter() - start
    return _BATCHES * _TASKS / seconds
