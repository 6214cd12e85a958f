"""How fast tasks are stored: from many connections at once, and from one."""

from benchmarks import peers
from benchmarks.figures import Figure
from benchmarks.load import Load, create_tasks
from benchmarks.server import new_folder, running_server

_SECONDS = 4


def measure(rounds: int) -> list[Figure]:
    """Return the rows about creates."""
    many: list[Load] = []
    one: list[Load] = []
    handler: list[Load] = []
    pattern: list[float] = []
    sync: list[dict[str, float]] = []
    for _ in range(rounds):
        with new_folder() as folder, running_server(folder) as server:
            many.append(create_tasks(server.url, connections=64, seconds=_SECONDS))
            one.append(create_tasks(server.url, connections=1, seconds=_SECONDS))
        with peers.running_handler() as url:
            handler.append(create_tasks(url, connections=64, seconds=_SECONDS))
        pattern.append(peers.ask("pattern", 2)["per_second"])
        sync.append(peers.ask("fdatasync", 2))
    creates = [load.per_second for load in many]
    return [
        Figure(
            name="durable creates, 64 connections",
            unit="/s",
            rounds=creates,
            limit="the handler without the store",
            limit_rounds=[load.per_second for load in handler],
            least=0.5,
        ),
        Figure(
            name="durable creates, 64 connections",
            unit="/s",
            rounds=creates,
            limit="one INSERT per transaction",
            limit_rounds=pattern,
            least=15,
        ),
        Figure(name="durable creates, 1 connection", unit="/s", rounds=[load.per_second for load in one]),
        Figure(
            name="a create on 1 connection, p50",
            unit="ms",
            rounds=[load.p50_ms for load in one],
            limit="one fdatasync, p50",
            limit_rounds=[figures["p50_ms"] for figures in sync],
            most=3,
        ),
        Figure(
            name="a create on 1 connection, p99",
            unit="ms",
            rounds=[load.p99_ms for load in one],
            limit="one fdatasync, p99",
            limit_rounds=[figures["p99_ms"] for figures in sync],
        ),
    ]
