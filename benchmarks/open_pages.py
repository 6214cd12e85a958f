"""What open pages of the dashboard do to lateness: with and without them in turn, on either store."""

import time
from pathlib import Path
from typing import Final

from benchmarks import database
from benchmarks.delivering import lateness_ms, steadily_due
from benchmarks.figures import Figure
from benchmarks.server import running_server
from benchmarks.sink import BODY_LENGTH, Sink, running_sink
from benchmarks.visitors import visiting
from tasker.dashboard.screens.all import PLACES
from tasker.model import instants
from tasker.model.instants import SECOND
from tasker.testing.postgres_server import PostgresServer

_PER_SECOND: Final = 1_000
_SECONDS: Final = 16
_BATCH: Final = 1_000
_OPEN: Final = 20
"""Pages that are open at once."""

_SHOWN: Final = ("p50", "p99")


def measure(rounds: int) -> list[Figure]:
    """Return the rows about open pages. Each run is printed as it ends."""
    late: dict[tuple[str, bool], list[dict[str, float]]] = {}
    fetched: dict[str, list[float]] = {store: [] for store in database.STORES}
    with PostgresServer() as postgres:
        for store in database.STORES:
            for number in range(rounds):
                # In turn, and the rounds of one store together: PostgreSQL still tidies up behind the run before.
                for is_open in (False, True) if number % 2 == 0 else (True, False):
                    with running_sink() as sink, database.new_database(store, postgres) as (folder, url):
                        figures = _deliver(folder, url, sink, fetched[store] if is_open else None)
                    late.setdefault((store, is_open), []).append(figures)
                    said = ", ".join(f"{name} {figures[name]:.2f} ms" for name in _SHOWN)
                    print(f"  {store}, {_OPEN if is_open else 'no'} open pages: {said}", flush=True)
    return [
        figure
        for store in database.STORES
        for figure in (
            *(
                Figure(
                    name=f"{store}: lateness at 1,000 tasks/s with {_OPEN} open pages of the dashboard, {name}",
                    unit="ms",
                    rounds=[figures[name] for figures in late[store, True]],
                    limit="without open pages",
                    limit_rounds=[figures[name] for figures in late[store, False]],
                    most=1.05 if name == "p99" else None,
                )
                for name in _SHOWN
            ),
            Figure(name=f"{store}: pages that they fetched meanwhile", unit="/s", rounds=fetched[store]),
        )
    ]


def _deliver(folder: Path, url: str, sink: Sink, fetched: list[float] | None) -> dict[str, float]:
    """Let a server deliver 1,000 webhooks a second, and return its lateness figures.

    Args:
        fetched: pages are open meanwhile, and how many they fetched a second is added here; None: no page is open.
    """
    with running_server(folder, "--database-url", url) as server:
        due_times = steadily_due(database.now() + 15 * SECOND, per_second=_PER_SECOND, seconds=_SECONDS)
        for start in range(0, len(due_times), _BATCH):
            some = [
                {"webhook": {"execution_time": instants.text(at), "url": sink.url, "body": f"{at:0{BODY_LENGTH}}"}}
                for at in due_times[start : start + _BATCH]
            ]
            server.call("POST", "/tasks/batch", some)
        assert database.now() < min(due_times), "they were due before all were created"
        if fetched is None:
            sink.wait_for(len(due_times))
            return lateness_ms(server)
        paths = [f"/ui{place.path}" for place, _ in PLACES]
        with visiting(server.url, [paths[place % len(paths)] for place in range(_OPEN)]) as end:
            began = time.monotonic()
            sink.wait_for(len(due_times))
            fetched.append(end() / (time.monotonic() - began))
        return lateness_ms(server)
