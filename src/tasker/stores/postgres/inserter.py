"""Stores new tasks, and what they name: the gates of their destinations, and the pairs of type and pool."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

from tasker.errors import StoreError, StoreFullError, StoreUnavailableError, TaskExistsError
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import Instant
from tasker.model.task import Pool, RunKind, State, Task, TaskId
from tasker.stores.postgres.connection import Connection, Link, as_json, sparse

_KNOWN_LIMIT: Final = 10_000


class Inserter:
    """Inserts on one link, and remembers what stands in the database.

    So a task of a known destination costs nothing more. Nothing is remembered beyond the connection
    that it was seen on: after a failover it may not be there.
    """

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        self._link = link
        self._sql = queries
        self._gates: dict[Destination, int] = {}
        self._type_pools: set[tuple[str, Pool]] = set()
        self._known_on = 0
        """Which of the link's connections it was seen on."""

    async def create_batch(self, batch: Sequence[Sequence[Task]]) -> Sequence[StoreError | TaskExistsError | None]:
        """Store what several callers want stored: each all or nothing. Return each one's error; None: it is stored."""
        single = [tasks for tasks in batch if len(tasks) == 1]
        try:
            stored = await self._create_repeatedly([tasks[0] for tasks in single]) if single else set()
        except StoreError as error:
            return [error] * len(batch)
        results: list[StoreError | TaskExistsError | None] = []
        for tasks in batch:
            if len(tasks) == 1:
                # An id that comes twice is stored for its first caller.
                is_stored = tasks[0].id in stored
                stored.discard(tasks[0].id)
                results.append(None if is_stored else TaskExistsError(tasks[0].id))
            else:
                results.append(await self._create_together(tasks))
        return results

    @asynccontextmanager
    async def transaction(self, connection: Connection) -> AsyncIterator[None]:
        """A transaction with inserts. What they made is forgotten if it is rolled back."""
        try:
            async with connection.transaction():
                yield
        except BaseException:
            self._forget()
            raise

    async def warm(self) -> None:
        """Insert nothing, so that PostgreSQL and asyncpg know the statements.

        They ask each other much at the first one.

        Raises:
            StoreUnavailableError: the first create will take longer.
        """
        await self._link.run(self._prepare)

    async def _prepare(self, connection: Connection) -> None:
        await self._learn(connection, set())
        await self._store(connection, [])

    async def insert(self, connection: Connection, tasks: Sequence[Task]) -> set[TaskId]:
        """Store those of *tasks*, if there are any, whose ids are not stored yet, and return which."""
        if not tasks:
            return set()
        await self.make_what_is_named(connection, tasks)
        return await self._store(connection, tasks)

    async def make_gate(self, destination: Destination) -> int:
        """Return the gate of *destination*, made if it is missing."""

        async def make(connection: Connection) -> int:
            await self._make_gates(connection, {destination})
            return self._gates[destination]

        return await self._link.run(make)

    async def gates_of(self, connection: Connection, task: Task) -> tuple[int | None, int | None]:
        """Return the gates of the destination and of the host of *task*, made if they are missing; None for none."""
        await self.make_what_is_named(connection, [task])
        return self._gate_of(task.destination), self._gate_of(task.host)

    def _gate_of(self, destination: Destination | None) -> int | None:
        return None if destination is None else self._gates[destination]

    async def _store(self, connection: Connection, tasks: Sequence[Task]) -> set[TaskId]:
        rows = await connection.fetch(
            self._sql["create_tasks"],
            as_json([_row(task, self._gate_of(task.destination), self._gate_of(task.host)) for task in tasks]),
            [task.payload for task in tasks],
            sparse([task.content for task in tasks]),
        )
        return {task.id for task in tasks} - {TaskId(str(row["id"])) for row in rows}

    async def _create_repeatedly(self, tasks: Sequence[Task]) -> set[TaskId]:
        """Store what is not stored yet and return which. If the connection breaks, once more: it may have been done."""
        try:
            return await self._link.run(lambda connection: self.insert(connection, tasks))
        except StoreFullError:
            raise
        except StoreUnavailableError:
            await self._link.run(lambda connection: self.insert(connection, tasks))
            stored = await self._link.run(
                lambda connection: connection.fetch(self._sql["existing_for_sure"], [task.id for task in tasks])
            )
            return {TaskId(str(row["id"])) for row in stored}

    async def _create_together(self, tasks: Sequence[Task]) -> StoreError | TaskExistsError | None:
        """Store several tasks of one caller, or none."""

        async def create(connection: Connection) -> None:
            async with self.transaction(connection):
                stored = await self.insert(connection, tasks)
                for task in tasks:
                    if task.id not in stored:
                        raise TaskExistsError(task.id)
                    stored.discard(task.id)

        try:
            await self._link.run(create)
        except (StoreError, TaskExistsError) as error:
            return error
        return None

    async def make_what_is_named(self, connection: Connection, tasks: Sequence[Task]) -> None:
        """Store the gates of *tasks*, and the pairs of type and pool, as far as they are missing."""
        await self._make_gates(
            connection, {each for task in tasks for each in (task.destination, task.host) if each is not None}
        )
        for task in tasks:
            if (task.type, task.pool) not in self._type_pools:
                await connection.execute(self._sql["insert_type_pool"], task.type, task.pool)
                self._type_pools.add((task.type, task.pool))

    async def _make_gates(self, connection: Connection, named: set[Destination]) -> None:
        if self._known_on != self._link.connections or len(self._gates) > _KNOWN_LIMIT:
            self._forget()
            self._known_on = self._link.connections
        unknown = named - self._gates.keys()
        if unknown:
            await self._learn(connection, unknown)
            if missing := unknown - self._gates.keys():
                await connection.execute(self._sql["insert_gates"], *_columns(missing))
                if any(destination.kind is GateKind.QUEUE for destination in missing):
                    await connection.execute(self._sql["open_queues"], *_columns(missing))
                await self._learn(connection, missing)  # another node may have been quicker

    async def _learn(self, connection: Connection, destinations: set[Destination]) -> None:
        rows = await connection.fetch(self._sql["gate_ids"], *_columns(destinations))
        self._gates |= {Destination(GateKind(row["kind"]), row["name"]): row["id"] for row in rows}

    def _forget(self) -> None:
        self._gates.clear()
        self._type_pools.clear()


def _columns(destinations: set[Destination]) -> tuple[list[int], list[str]]:
    return [int(destination.kind) for destination in destinations], [destination.name for destination in destinations]


class _Row(Struct, frozen=True, omit_defaults=True, gc=False):
    """A new task as ``create_tasks`` reads it: its members are the columns, but for those of bytes."""

    id: TaskId
    type: str
    pool: Pool
    due_at: Instant
    execution_at: Instant
    execution_time: str
    patience: int
    gate: int | None = None
    host_gate: int | None = None
    state: State = State.TODO
    expires_at: Instant | None = None
    parent_id: TaskId | None = None
    key: str | None = None
    holds_key: bool = False
    keep: int | None = None
    created_by: str | None = None
    schedule: str | None = None
    scheduled_for: Instant | None = None
    run_kind: RunKind | None = None
    local_time: str | None = None
    time_zone: str | None = None
    zones: str | None = None
    tags: tuple[str, ...] = ()


def _row(task: Task, gate: int | None, host_gate: int | None) -> _Row:
    return _Row(
        task.id,
        task.type,
        task.pool,
        task.due_at,
        task.execution_at,
        task.execution_time,
        task.patience,
        gate,
        host_gate,
        task.state,
        task.expires_at,
        task.parent_id,
        task.key,
        task.holds_key,
        task.keep,
        task.created_by,
        task.schedule,
        task.scheduled_for,
        task.run_kind,
        task.local_time,
        task.time_zone,
        task.zones,
        task.tags,
    )
