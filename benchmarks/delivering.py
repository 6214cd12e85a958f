"""How fast and how punctually webhooks are delivered."""

import random
from typing import Any, Final

from benchmarks import database, peers
from benchmarks.figures import Figure
from benchmarks.server import new_folder, running_server
from benchmarks.sink import Report, Sink, running_sink
from tasker.model.instants import SECOND, Instant
from tasker.testing.server import TaskerServer

_DUE: Final = 100_000
_AT_ONCE: Final = 100
_SLOTS: Final = 2 * _AT_ONCE
"""One destination alone gets half of them."""
_PER_SECOND: Final = 1_000
_SECONDS: Final = 8


def measure(rounds: int) -> list[Figure]:
    """Return the rows about deliveries."""
    return [*_throughput_and_burst(rounds), *_lateness(rounds)]


def deliver_steadily(server_folder: Any, sink: Sink, *, seconds: int = _SECONDS) -> tuple[dict[str, float], Report]:
    """Let a server deliver 1,000 webhooks a second at random moments. Return its lateness figures and the sink's."""
    due_times = steadily_due(database.now() + 3 * SECOND, per_second=_PER_SECOND, seconds=seconds)
    database.store(f"sqlite:{server_folder}/tasks.db", database.webhooks(sink.url, due_times))
    with running_server(server_folder) as server:
        came = sink.wait_for(len(due_times))
        return lateness_ms(server), came


def steadily_due(first: Instant, *, per_second: int, seconds: int) -> list[Instant]:
    """Random moments from *first* on."""
    return [first + random.randrange(seconds * SECOND) for _ in range(per_second * seconds)]


def lateness_ms(server: TaskerServer) -> dict[str, float]:
    """What the server says about its latest attempts, in milliseconds."""
    lateness = server.call("GET", "/stats")["lateness_seconds"]
    return {name: lateness[name] * 1e3 for name in ("p50", "p99", "max")}


def _throughput_and_burst(rounds: int) -> list[Figure]:
    overdue: list[Report] = []
    burst: list[Report] = []
    client: list[float] = []
    aiohttp: list[float] = []
    for _ in range(rounds):
        with running_sink() as sink:
            with new_folder() as folder:
                database.store(f"sqlite:{folder}/tasks.db", database.webhooks(sink.url, [database.now()] * _DUE))
                with running_server(folder, "--max-deliveries", str(_SLOTS)):
                    overdue.append(sink.wait_for(_DUE))
            for name, per_second in (("client", client), ("aiohttp", aiohttp)):
                per_second.append(peers.ask(name, sink.url, _DUE // 5, _AT_ONCE)["per_second"])
                sink.wait_for(_DUE // 5)
            with new_folder() as folder:
                tasks = database.webhooks(sink.url, [database.now() + 12 * SECOND] * _DUE)
                database.store(f"sqlite:{folder}/tasks.db", tasks)
                with running_server(folder, "--max-deliveries", str(_SLOTS)):
                    assert database.now() < tasks[0].due_at, "they were due before the server was ready"
                    burst.append(sink.wait_for(_DUE))
    delivered = [report.count / report.seconds for report in overdue]
    return [
        Figure(
            name="deliveries, 100,000 due, 100 at once",
            unit="/s",
            rounds=delivered,
            limit="aiohttp as the client, 100 at once",
            limit_rounds=aiohttp,
            least=0.7,
        ),
        Figure(
            name="deliveries, 100,000 due, 100 at once",
            unit="/s",
            rounds=delivered,
            limit="the bare HTTP client, 100 at once",
            limit_rounds=client,
        ),
        Figure(name="100,000 due at one instant: lateness p50", unit="ms", rounds=[report.p50_ms for report in burst]),
        Figure(name="100,000 due at one instant: lateness p99", unit="ms", rounds=[report.p99_ms for report in burst]),
        Figure(
            name="100,000 due at one instant: lateness max",
            unit="ms",
            rounds=[report.most_ms for report in burst],
            limit="100,000 ÷ deliveries/s of another run",
            limit_rounds=[_DUE / rate * 1e3 for rate in delivered],
            most=1.2,
        ),
    ]


def _lateness(rounds: int) -> list[Figure]:
    told: list[dict[str, float]] = []
    seen: list[Report] = []
    alarm: list[dict[str, float]] = []
    for _ in range(rounds):
        with running_sink() as sink, new_folder() as folder:
            figures, report = deliver_steadily(folder, sink)
            told.append(figures)
            seen.append(report)
        alarm.append(peers.ask("alarm", _PER_SECOND, _SECONDS))
    goals = {"p50": 1.0, "p99": 5.0, "max": None}
    return [
        *(
            Figure(
                name=f"lateness at 1,000 tasks/s, {name}",
                unit="ms",
                rounds=[figures[name] for figures in told],
                limit=f"the alarm alone, {name}",
                limit_rounds=[figures[name] for figures in alarm],
                at_most=goal,
            )
            for name, goal in goals.items()
        ),
        Figure(name="the same at the receiver, p99", unit="ms", rounds=[report.p99_ms for report in seen]),
        Figure(name="came early at the receiver", unit="of 8,000", rounds=[report.early for report in seen], at_most=0),
    ]
