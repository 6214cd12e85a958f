"""An inbox on PostgreSQL, with nodes that take from it and applications that write into it, on the manual clock."""

import contextlib
import functools
import itertools
import json

import asyncpg

from tasker.api.new_task import NewTaskDecoder
from tasker.engine.engine import Engine
from tasker.engine.telemetry import Telemetry
from tasker.ids import new_id
from tasker.service.service import Service
from tasker.stores.postgres.url import read
from tasker.task_types.job import JobType
from tasker.task_types.registry import Registry
from tasker.task_types.webhook import WebhookType

_moments = itertools.count()
"""Microseconds, so that ids come in the order of their rows."""

URL = "http://localhost:9000/hook"


class Node:
    """What takes from the inbox, on one store. Its engine is not started: ``take`` makes its steps."""

    def __init__(self, store, *, types=None, largest=1_000_000):
        self.store = store
        registry = Registry(types or [WebhookType(None, store.clock, slots=4), JobType()])
        self.telemetry = Telemetry()
        self.engine = Engine(store, registry.types, self.telemetry, rand=lambda: 0.5, rewriting=None)
        self.service = Service(store, self.engine, registry)
        self.step = functools.partial(self.service.inbox.take, decode=NewTaskDecoder(registry).decode, largest=largest)

    async def take(self, limit=100):
        """Go through the inbox once. Return how many rows were looked at."""
        after, count = None, 0
        while True:
            looked = await self.step(after, limit)
            count += looked.count
            if looked.next is None:
                return count
            after = looked.next


class Application:
    """Another program, with a connection of its own."""

    def __init__(self, connection, clock):
        self.connection = connection
        self._clock = clock

    async def insert(self, request=None, *, row_id=None, **members):
        """Write a row; by default a webhook that is due in a minute, with *members*. Return its id."""
        row_id = row_id or new_id(self._clock.now() + next(_moments))
        if request is None:
            when = {} if {"delay", "execution_time", "local_time"} & members.keys() else {"delay": 60}
            request = {"webhook": {"url": URL, "json": {}, **when, **members}}
        await self.connection.execute(
            "INSERT INTO tasker_inbox (id, request) VALUES ($1, $2::text::jsonb)", row_id, json.dumps(request)
        )
        return row_id

    async def rows(self):
        """Return the errors of the rows that it sees, by their ids."""
        rows = await self.connection.fetch("SELECT id, error FROM tasker_inbox ORDER BY id")
        return {str(row["id"]): row["error"] for row in rows}


@contextlib.asynccontextmanager
async def application(kind, **how):
    """Connect as a program does that is not tasker's."""
    (host,) = read(kind._url).hosts
    connection = await asyncpg.connect(host, ssl=False, **how)
    try:
        yield Application(connection, kind.clock)
    finally:
        await connection.close()
