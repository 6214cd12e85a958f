"""What a page costs the database, in statements and steps of SQLite: it does not grow with what is stored."""

from contextlib import asynccontextmanager
from datetime import timedelta

import apsw
import pytest

from databases import FOLLOW
from tasker.access import Access
from tasker.api.app import make_context
from tasker.api.receiving import HANG_UP, PEER
from tasker.api.rewriting import Rewriting
from tasker.config import Settings
from tasker.dashboard.door import build_dashboard
from tasker.dashboard.screens.all import PAGES
from tasker.egress.pooled_client import PooledClient
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.interfaces.tasks import TaskFilter
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import Fault, State
from tasker.node import make_registry
from tasker.service.service import Service
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

FEW, MANY = 20_000, 60_000
"""Tasks. Counts are capped at 10,000, and look at some more to find that out."""

MOST_STATEMENTS = 40
"""Of one page."""

OF_EACH = {"/destinations": 50 * 6}
"""Pages that ask the same few things of each of the rows that they show: so many statements at most."""

NOT_ALONE = {"/live": "a stream", "/tasks/export.{form}": "all that match", "/sign-in": "it asks nothing"}
"""Pages that are left out."""

MONTH = 30 * 86_400 * SECOND
FAILED = 200


class Bench:
    """The dashboard on a store in memory, and what its statements cost."""

    def __init__(self, store, app):
        self.store = store
        self._app = app
        self._connection = store._writing.connection

    async def cost(self, path):
        """Ask for a page. Return how many statements it ran, and how many steps they took."""
        ran = []
        self._connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, ran.append)
        status = await self._get(path)
        self._connection.trace_v2(0, None)
        assert status == 200, path
        return len(ran), sum(each["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"] for each in ran)

    async def _get(self, path):
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": f"/ui{path}",
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
            "extensions": {HANG_UP: {"call": lambda: None}, PEER: {"call": lambda: "127.0.0.1"}},
        }
        statuses = []

        async def send(message):
            statuses.append(message.get("status"))

        await self._app(scope, None, send)
        return statuses[0]


@asynccontextmanager
async def bench_with(count):
    """So many tasks wait, due over the next month, and some have failed."""
    clock, settings = ManualClock(), Settings()
    store = SqliteStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    await store.create([a_task(due_at=clock.now(), host="http://a:80") for _ in range(FAILED)])
    for attempt in (await store.claim_due({1: FAILED * 2})).attempts:
        await store.settle(attempt, failed(clock))
    await store.create(
        [
            a_task(due_at=clock.now() + SECOND + each * (MONTH // count), host=f"http://{each % 50}:80")
            for each in range(count)
        ]
    )
    registry = make_registry(settings, PooledClient(), clock, b"")
    engine = Engine(store, registry.types, Telemetry(), rand=lambda: 0.5, rewriting=Rewriting(registry))
    await engine.key_ring.refresh()
    context = make_context(Service(store, engine, registry), registry, settings)
    yield Bench(store, build_dashboard(context, Access(settings, engine.key_ring), settings))
    await engine.drain(timedelta(0))
    for task_type in registry.types:
        await task_type.close()
    await store.close()


def failed(clock):
    now = clock.now()
    return Settlement(
        move=Move.FAIL, started_at=now, ended_at=now, fault=Fault("status_500", "the target answered 500")
    )


async def filled(store, path):
    """The path with what is stored in place of its names."""
    if path.startswith("/tasks/{id}"):
        task = (await store.list_page(TaskFilter(state=State.FAILED), after=None, limit=1)).tasks[0]
        return path.replace("{id}", task.id)
    if path.startswith("/destinations/{id}"):
        return path.replace("{id}", str(await store.make_gate(Destination(GateKind.HOST, "http://a:80"))))
    return None if "{" in path else path


async def costs(count):
    async with bench_with(count) as bench:
        found = {}
        for page in PAGES:
            if page.method == "GET" and page.path not in NOT_ALONE:
                path = await filled(bench.store, page.path)
                if path is not None:
                    await bench.cost(path)  # the first look at a gate or a name may be kept
                    found[page.path] = await bench.cost(path)
        for query in ("state=failed", "state=todo&sort=-due"):  # those that no index answers are cut off by the clock
            found[query] = await bench.cost(f"/tasks?{query}")
        return found


async def test_a_page_asks_little_and_no_more_of_a_larger_database():
    few, many = await costs(FEW), await costs(MANY)

    assert {
        path: statements for path, (statements, _) in many.items() if statements > OF_EACH.get(path, MOST_STATEMENTS)
    } == {}
    grown = {path: (few[path][1], steps) for path, (_, steps) in many.items() if steps > 1.2 * few[path][1] + 500}
    assert grown == {}
