"""What readers of events cost: 500 who are told some 10 events a second each, and 20 with ``signals=1``."""

import contextlib
from collections.abc import Iterator
from typing import Final

from benchmarks import database
from benchmarks.delivering import lateness_ms, steadily_due
from benchmarks.figures import Figure
from benchmarks.load import create_tasks
from benchmarks.readers import reading
from benchmarks.server import new_folder, running_server
from benchmarks.sink import BODY_LENGTH, Sink, running_sink
from tasker.model import instants
from tasker.model.instants import SECOND
from tasker.testing.server import TaskerServer

_READERS: Final = 500
_SIGNALS: Final = 20
_PER_SECOND: Final = 1_000
_SECONDS: Final = 8
_BATCH: Final = 1_000
_TAGS: Final = 200
"""A task of each starts and ends five times a second."""


def measure(rounds: int) -> list[Figure]:
    """Return the rows about readers of events."""
    creates: dict[bool, list[float]] = {True: [], False: []}
    late: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    told: list[float] = []
    for _ in range(rounds):
        for has_readers in (False, True):
            with new_folder() as folder, running_server(folder) as server, _watched(server, has_readers, 1_000, told):
                creates[has_readers].append(
                    create_tasks(server.url, connections=64, seconds=_SECONDS, extra="watched").per_second
                )
            with running_sink() as sink:
                late[has_readers].append(_deliver(sink, has_readers))
    return [
        Figure(
            name="durable creates, 64 connections, with 500 readers of events and 20 of signals",
            unit="/s",
            rounds=creates[True],
            limit="without readers",
            limit_rounds=creates[False],
            least=0.9,
        ),
        *(
            Figure(
                name=f"lateness at 1,000 tasks/s with 500 readers of events and 20 of signals, {name}",
                unit="ms",
                rounds=[figures[name] for figures in late[True]],
                limit="without readers",
                limit_rounds=[figures[name] for figures in late[False]],
                most=1.1,
            )
            for name in ("p50", "p99")
        ),
        Figure(name="events that a reader was told a second, while tasks were created", unit="/s", rounds=told),
    ]


def _deliver(sink: Sink, has_readers: bool) -> dict[str, float]:
    """Let a server deliver 1,000 webhooks a second at random moments. Return its lateness figures."""
    with new_folder() as folder, running_server(folder) as server, _watched(server, has_readers, _TAGS, None):
        due_times = steadily_due(database.now() + 15 * SECOND, per_second=_PER_SECOND, seconds=_SECONDS)
        for start in range(0, len(due_times), _BATCH):
            server.call(
                "POST",
                "/tasks/batch",
                [
                    {
                        "webhook": {
                            "execution_time": instants.text(due_at),
                            "url": sink.url,
                            "body": f"{due_at:0{BODY_LENGTH}}",
                            "tags": [f"watched:{place % _TAGS}"],
                        }
                    }
                    for place, due_at in enumerate(due_times[start : start + _BATCH])
                ],
            )
        assert database.now() < min(due_times), "they were due before all were created"
        sink.wait_for(len(due_times))
        return lateness_ms(server)


@contextlib.contextmanager
def _watched(server: TaskerServer, has_readers: bool, tags: int, told: list[float] | None) -> Iterator[None]:
    """Have events read while the block lasts, each reader those of one of so many tags."""
    if not has_readers:
        yield
        return
    paths = [f"/events?tag=watched:{place % tags}" for place in range(_READERS)] + ["/events?signals=1"] * _SIGNALS
    with reading(server.url, paths) as end:
        yield
        counted = end()
        assert counted["gaps"] == 0, counted
        if told is not None:
            told.append((counted["events"] - 4 * _SIGNALS * _SECONDS) / _READERS / _SECONDS)
