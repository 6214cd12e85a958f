"""A real server on a free port of this machine, over a real service and a real store."""

import asyncio
import contextlib
import functools
import json
import socket

import pytest
import uvicorn

from databases import FOLLOW, set_manual_clock, take_database
from tasker.access import Access
from tasker.api.app import build_app, make_context
from tasker.api.openapi.document import document_json
from tasker.api.receiving import receiving_protocol
from tasker.api.rewriting import Rewriting
from tasker.api.routes.all import CALLS
from tasker.config import Settings
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.service.service import Service
from tasker.stores.postgres.store import PostgresStore
from tasker.stores.sqlite.store import SqliteStore
from tasker.task_types.hash import HashType
from tasker.task_types.job import JobType
from tasker.task_types.registry import Registry
from tasker.task_types.webhook import WebhookType
from tasker.timing.clock import ManualClock

LATER = "2126-02-10T16:30:00+01:00"
"""After the moment at which the manual clock stands."""

HASH = {"hash": {"execution_time": LATER, "secret": "correct-horse"}}
WEBHOOK = {"webhook": {"execution_time": LATER, "url": "http://localhost:9000/hook", "body": "x"}}
JSON = {"content-type": "application/json"}


def registry_of(clock, *, public_url=None):
    webhook = WebhookType(None, clock, slots=4, public_url=public_url)
    return Registry([webhook, HashType(iterations=1_000, slots=1), JobType()])


@functools.cache
def description():
    """The description that every server here serves. To make it takes half of a server's start."""
    return document_json(CALLS, registry_of(ManualClock()))


class Reply:
    """One answer as it came over the wire."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:200]!r}"


class Connection:
    """A connection to the server, byte by byte."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    async def send(self, data):
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def request(self, method, path, body=None, headers=None):
        await self.send(request_bytes(method, path, body, headers))
        return await self.reply(head=method == "HEAD")

    async def reply(self, *, head=False):
        """Read one answer; None if the connection ended before it."""
        line = await self._reader.readline()
        if not line:
            return None
        status = int(line.split()[1])
        headers = {}
        while (line := await self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if head or status == 204:
            body = b""
        elif "content-length" in headers:
            body = await self._reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.read()
        return Reply(status, headers, body)

    async def _chunks(self):
        parts = []
        while size := int(await self._reader.readline(), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(parts)

    async def rest(self):
        """Everything until the server closes."""
        return await self._reader.read()

    def end_sending(self):
        self._writer.write_eof()

    def hang_up(self):
        """Close with a reset."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._writer.transport.abort()

    async def close(self):
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def request_bytes(method, path, body=None, headers=None):
    sent = {"host": "localhost", **(headers or {})}
    if body is not None:
        body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        sent = {"content-type": "application/json", "content-length": str(len(body)), **sent}
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in sent.items() if value is not None),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1") + (body or b"")


class Server:
    """A running server and what is behind it."""

    def __init__(self, settings, clock, store, service, registry):
        self.settings, self.clock, self.store, self.service, self.registry = settings, clock, store, service, registry
        self.app = build_app(make_context(service, registry, settings), Access(settings, service.keys.ring))
        self.port = 0
        self.uvicorn = None

    async def stop(self):
        """As uvicorn does it, without its pauses."""
        for listener in self.uvicorn.servers:
            listener.close()
        for connection in list(self.uvicorn.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                state = self.uvicorn.server_state
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.001)
        left = list(self.uvicorn.server_state.tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def connect(self, **options):
        return Connection(*await asyncio.open_connection("127.0.0.1", self.port, **options))

    async def call(self, method, path, body=None, headers=None):
        connection = await self.connect()
        try:
            return await connection.request(method, path, body, headers)
        finally:
            await connection.close()

    async def raw(self, data):
        """Send *data* and return everything that comes back until the server closes."""
        connection = await self.connect()
        try:
            await connection.send(data)
            return await connection.rest()
        finally:
            await connection.close()

    async def new(self, body=None):
        reply = await self.call("POST", "/tasks/new", body or HASH)
        assert reply.status == 201, reply
        return reply.json["id"]

    def in_order_of_arrival(self, ids):
        """*ids* of tasks of one moment, in the order in which they were created, as lists have them."""
        return sorted(ids) if isinstance(self.store, PostgresStore) else ids

    async def refused(self, method, path, body=None, headers=None, *, status=400):
        """The call is refused with a problem; its text."""
        reply = await self.call(method, path, body, headers)
        assert reply.status == status, reply
        return problem_in(reply)


def problem_in(reply):
    """Check that an answer is a problem, and return its text."""
    assert reply.headers["content-type"] == "application/problem+json", reply
    problem = reply.json
    assert problem["status"] == reply.status
    assert problem.get("type", "about:blank") == "about:blank"
    assert problem["msg"] == problem["detail"] != ""
    assert problem["title"]
    assert problem["code"]
    assert reply.body.endswith(b"}\n"), "in a terminal, the prompt follows on a line of its own"
    return problem["msg"]


@contextlib.asynccontextmanager
async def in_memory():
    """A clock, and an open store on it."""
    clock = ManualClock()
    store = SqliteStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    yield clock, store
    await store.close()


class DatabaseClock(ManualClock):
    """The clock of a database, which its node hears of, and of the node's machine."""

    def __init__(self):
        super().__init__()
        self.url = self.connection = self.store = None

    async def step(self, seconds):
        await super().step(seconds)
        await set_manual_clock(self.connection, self.now())
        await self.store.renew()


@contextlib.asynccontextmanager
async def on_postgres():
    """The same in a PostgreSQL database."""
    clock = DatabaseClock()
    clock.url, clock.connection = await take_database(clock.now())
    clock.store = PostgresStore(
        clock.url, follow=FOLLOW, base_clock=clock, address="http://127.0.0.1:8080", version="0"
    )
    await clock.store.open()
    yield clock, clock.store
    await clock.store.close()
    await clock.connection.close()


STORES = {"sqlite": in_memory, "postgres": on_postgres}

on_one_store = pytest.mark.parametrize("on_store", ["sqlite"], indirect=True)
"""For a test of what is refused before any store is asked, in a file whose tests run on every store."""

opened_store = in_memory
"""Where servers keep their tasks. Tests that run on every store replace it: see conftest.py."""


@contextlib.asynccontextmanager
async def running(tasks_of=None, *, service_of=None, **settings):
    """Run a server with *settings* until the block ends.

    *tasks_of* may wrap what the service does with tasks, *service_of* the whole of it.
    """
    async with opened_store() as (clock, store):
        registry = registry_of(clock, public_url=settings.get("public_url"))
        engine = Engine(
            store,
            registry.types,
            Telemetry(),
            rand=lambda: 0.5,
            rewriting=Rewriting(registry),
            key_lines=settings.get("api_keys", ()),
        )
        await engine.key_ring.refresh()
        service = Service(store, engine, registry)
        if tasks_of:
            service.tasks = tasks_of(service.tasks)
        settings = Settings(**settings)
        server = Server(settings, clock, store, service_of(service) if service_of else service, registry)
        async with listening(server):
            yield server
        for task_type in registry.types:
            if task_type.name == "hash":  # the webhook type has no client here
                await task_type.close()


@contextlib.asynccontextmanager
async def listening(server):
    """Let *server* answer until the block ends."""
    settings = server.settings
    config = uvicorn.Config(
        server.app,
        http=receiving_protocol(settings.header_timeout, settings.body_timeout, settings.keep_alive_timeout),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    accepting = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server.port = accepting.getsockname()[1]
    config.load()
    server.uvicorn = uvicorn.Server(config)
    server.uvicorn.lifespan = config.lifespan_class(config)
    await server.uvicorn.startup(sockets=[accepting])
    await server.uvicorn.on_tick(0)
    try:
        yield
    finally:
        await server.stop()
