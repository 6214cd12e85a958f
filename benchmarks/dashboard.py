"""What the dashboard costs: how long each page takes with five million tasks, and what open pages do to lateness."""

import time
from statistics import median
from typing import Final
from urllib.request import urlopen

from benchmarks import database
from benchmarks.delivering import lateness_ms, steadily_due
from benchmarks.figures import Figure
from benchmarks.server import new_folder, running_server
from benchmarks.sink import BODY_LENGTH, Sink, running_sink
from benchmarks.visitors import visiting
from tasker.dashboard.screens.all import PLACES
from tasker.model import instants
from tasker.model.instants import SECOND
from tasker.testing.server import TaskerServer

_WAITING: Final = 5_000_000
_ASKED: Final = 9
"""How often a page is asked for in a round, in turn with the others."""

_PER_SECOND: Final = 1_000
_SECONDS: Final = 8
_BATCH: Final = 1_000
_OPEN: Final = 20
"""Pages that are open at once."""


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
    late: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    fetched: list[float] = []
    for _ in range(rounds):
        for is_open in (False, True):
            with running_sink() as sink:
                late[is_open].append(_deliver(sink, is_open, fetched))
    return [
        *(
            Figure(name=f"{_WAITING:,} waiting: GET {path}", unit="ms", rounds=times, at_most=200)
            for path, times in took.items()
        ),
        *(
            Figure(
                name=f"lateness at 1,000 tasks/s with {_OPEN} open pages of the dashboard, {name}",
                unit="ms",
                rounds=[figures[name] for figures in late[True]],
                limit="without open pages",
                limit_rounds=[figures[name] for figures in late[False]],
                most=1.05 if name == "p99" else None,
            )
            for name in ("p50", "p99")
        ),
        Figure(name="pages that they fetched meanwhile", unit="/s", rounds=fetched),
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


def _deliver(sink: Sink, is_open: bool, fetched: list[float]) -> dict[str, float]:
    """Let a server deliver 1,000 webhooks a second, while pages are open or not. Return its lateness figures."""
    with new_folder() as folder, running_server(folder) as server:
        due_times = steadily_due(database.now() + 15 * SECOND, per_second=_PER_SECOND, seconds=_SECONDS)
        for start in range(0, len(due_times), _BATCH):
            some = [
                {"webhook": {"execution_time": instants.text(at), "url": sink.url, "body": f"{at:0{BODY_LENGTH}}"}}
                for at in due_times[start : start + _BATCH]
            ]
            server.call("POST", "/tasks/batch", some)
        assert database.now() < min(due_times), "they were due before all were created"
        if not is_open:
            sink.wait_for(len(due_times))
            return lateness_ms(server)
        paths = [f"/ui{place.path}" for place, _ in PLACES]
        with visiting(server.url, [paths[place % len(paths)] for place in range(_OPEN)]) as end:
            began = time.monotonic()
            sink.wait_for(len(due_times))
            fetched.append(end() / (time.monotonic() - began))
        return lateness_ms(server)
