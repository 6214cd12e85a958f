"""The dashboard in the process of a test, on either store: pages without a network and without a browser."""

import contextlib
from collections import namedtuple
from datetime import timedelta
from urllib.parse import urlencode

from databases import FOLLOW, take_database
from tasker.access import Access
from tasker.api.app import make_context
from tasker.api.receiving import CUT, HANG_UP, LEFT, PEER, PUSH
from tasker.api.rewriting import Rewriting
from tasker.config import Settings
from tasker.dashboard.door import build_dashboard
from tasker.egress.pooled_client import PooledClient
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.node import make_registry
from tasker.service.service import Service
from tasker.stores.postgres.store import PostgresStore
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock

Answer = namedtuple("Answer", "status headers text is_whole")
"""``is_whole``: whether it came to its end."""

OF_A_FORM = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")]


class Pages:
    """The dashboard, and what is behind it."""

    def __init__(self, app, service, context, store, clock):
        self.app, self.service, self.context, self.store, self.clock = app, service, context, store, clock

    async def get(self, path, query=b"", *, method="GET", headers=()):
        return await self._ask(method, path, query, b"", headers)

    async def send(self, path, form, *, headers=()):
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return await self._ask("POST", path, b"", body, [*OF_A_FORM, *headers])

    async def _ask(self, method, path, query, body, headers):
        hung_up = []
        calls = {
            HANG_UP: lambda: hung_up.append(True),
            PEER: lambda: "127.0.0.1",
            LEFT: lambda leave: leave(),  # who asks for a stream leaves at once
            CUT: lambda: None,
            PUSH: lambda _: True,
        }
        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "path": f"/ui{path}",
            "query_string": query if isinstance(query, bytes) else urlencode(query).encode(),
            "headers": [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers)],
            "extensions": {name: {"call": call} for name, call in calls.items()},
        }
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        start, *parts = sent
        return Answer(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(part["body"] for part in parts).decode(),
            not hung_up and not parts[-1].get("more_body", False),
        )


@contextlib.asynccontextmanager
async def in_memory(clock):
    store = SqliteStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    yield store
    await store.close()


@contextlib.asynccontextmanager
async def on_postgres(clock):
    url, connection = await take_database(clock.now())
    store = PostgresStore(url, follow=FOLLOW, base_clock=clock, address="http://127.0.0.1:8080", version="0")
    await store.open()
    yield store
    await store.close()
    await connection.close()


STORES = {"sqlite": in_memory, "postgres": on_postgres}


@contextlib.asynccontextmanager
async def pages_on(store_kind="sqlite", **said):
    """The dashboard with these settings."""
    clock, settings = ManualClock(), Settings(**said)
    async with STORES[store_kind](clock) as store:
        registry = make_registry(settings, PooledClient(), clock, b"")
        engine = Engine(
            store,
            registry.types,
            Telemetry(),
            rand=lambda: 0.5,
            rewriting=Rewriting(registry),
            key_lines=settings.api_keys,
        )
        await engine.key_ring.refresh()
        service = Service(store, engine, registry)
        context = make_context(service, registry, settings)
        app = build_dashboard(context, Access(settings, engine.key_ring), settings)
        yield Pages(app, service, context, store, clock)
        await engine.drain(timedelta(0))
        for task_type in registry.types:
            await task_type.close()
