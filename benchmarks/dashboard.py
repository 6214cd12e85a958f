"""How long each page of the dashboard takes with five million tasks."""

import time
from statistics import median
from typing import Final
from urllib.request import urlopen

from benchmarks import database
from benchmarks.figures import Figure
from benchmarks.server import new_folder, running_server
from tasker.dashboard.screens.all import PLACES
from tasker.testing.server import TaskerServer

_WAITING: Final = 5_000_000
_ASKED: Final = 9
"""How often a page is asked for in a round, in turn with the others."""


def measure(rounds: int) -> list[Figure]:
    """Return the rows about the dashboard."""
    took: dict[str, list[float]] = {}
    with new_folder() as folder:
        seconds = database.fill_with_waiting(folder / "tasks.db", _WAITING)
        print(f"  {_WAITING:,} tasks loaded in {seconds:.0f} s", flush=True)
        with running_server(folder) as server:
            paths = _paths(server)
            for _ in range(rounds):
                for path, times in _times(server, paths).items():
                    took.setdefault(path, []).append(median(times))
    return [
        Figure(name=f"{_WAITING:,} waiting: GET {path}", unit="ms", rounds=times, at_most=200)
        for path, times in took.items()
    ]


def _paths(server: TaskerServer) -> dict[str, str]:
    """All places, a filter, a month, and a task: what it is called in the figures, and its path."""
    task = server.call("GET", "/tasks?limit=1")["tasks"][0]
    (fields,) = task.values()
    asked = [*(f"/ui{place.path}" for place, _ in PLACES), "/ui/tasks?state=todo&sort=-due", "/ui/timeline?span=30d"]
    return {path: path for path in asked} | {"/ui/tasks/{id}": f"/ui/tasks/{fields['id']}"}


def _times(server: TaskerServer, paths: dict[str, str]) -> dict[str, list[float]]:
    """How many milliseconds each page took, at each time."""
    took: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(_ASKED):
        for name, path in paths.items():
            began = time.perf_counter()
            with urlopen(server.url + path) as answer:
                answer.read()
            took[name].append((time.perf_counter() - began) * 1e3)
    return took
