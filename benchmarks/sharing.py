"""Whether one endpoint that never answers makes the others late."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

from benchmarks import database
from benchmarks.delivering import steadily_due
from benchmarks.figures import Figure
from benchmarks.server import new_folder, running_server
from benchmarks.sink import Report, running_sink
from tasker.model.instants import SECOND

_PER_SECOND: Final = 500
_SECONDS: Final = 60
_DEAD: Final = 10_000
_DEAD_DUE_AFTER: Final = 10 * SECOND


def measure(rounds: int) -> list[Figure]:
    """Return the rows about fairness."""
    beside: list[Report] = []
    alone: list[Report] = []
    for _ in range(rounds):
        beside.append(_deliver(dead=_DEAD))
        alone.append(_deliver(dead=0))
    return [
        Figure(
            name=f"lateness p99 of others, {_DEAD:,} due at once for an endpoint that never answers",
            unit="ms",
            rounds=[report.p99_ms for report in beside],
            limit="the same without them",
            limit_rounds=[report.p99_ms for report in alone],
            most=1.1,
        ),
        Figure(
            name="the same, max",
            unit="ms",
            rounds=[report.most_ms for report in beside],
            limit="the same without them",
            limit_rounds=[report.most_ms for report in alone],
        ),
    ]


def _deliver(*, dead: int) -> Report:
    """Deliver for a minute and return what the sink saw.

    After ten seconds *dead* tasks for the dead endpoint are due.
    """
    with running_sink() as sink, _dead_endpoint() as dead_url, new_folder() as folder:
        first = database.now() + 4 * SECOND
        others = database.webhooks(sink.url, steadily_due(first, per_second=_PER_SECOND, seconds=_SECONDS))
        database.store(f"sqlite:{folder}/tasks.db", others)
        database.store(f"sqlite:{folder}/tasks.db", database.webhooks(dead_url, [first + _DEAD_DUE_AFTER] * dead))
        with running_server(folder, "--grace-period", "0"):
            assert database.now() < first, "some were due before the server was ready"
            return sink.wait_for(len(others))


@contextlib.contextmanager
def _dead_endpoint() -> Iterator[str]:
    """Take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=4_096) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
