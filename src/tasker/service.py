"""What callers can do with tasks. Every door goes through here, so that all of them validate and store alike."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

import msgspec
import uuid_utils

from tasker import __version__, wire
from tasker.engine.engine import Engine
from tasker.errors import InvalidTaskError, TaskNotFoundError
from tasker.interfaces import Page, Store, TaskFilter, TaskType
from tasker.model import instants
from tasker.model.task import Task, TaskId
from tasker.wire import TaskFields

PAGE_LENGTH: Final = 1_000
"""Tasks that ``pages`` reads at a time."""

COUNTED_TO: Final = 10_000
"""Where ``stats`` stops counting the tasks in a state: its cost does not grow with the store."""

_CANONICAL: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class Service:
    """Creates, reads and deletes tasks.

    Every method raises ``StoreUnavailableError`` when the store cannot be used now; ``create`` and ``delete`` also
    ``StoreBusyError``, when too many writes wait already and nothing was written.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine
        self._started_at = store.clock.now()

    async def create(self, task_type: TaskType, request: TaskFields, execution_time: str) -> TaskId:
        """Store a new task and return its id. Once this returns, the task survives a kill and a power loss.

        Args:
            request: what the task type is given, of the right types but not checked otherwise.
            execution_time: RFC 3339 with an offset, in the future by the store's clock.

        Raises:
            InvalidTaskError: ``field`` is the member's name, without that of the type.
        """
        now = self._store.clock.now()
        try:
            execution_at = instants.parse(execution_time)
        except ValueError as error:
            raise InvalidTaskError("execution_time", str(error)) from None
        if execution_at <= now:
            raise InvalidTaskError(
                "execution_time", f"expected a time in the future, got: {execution_time!r}; here it is {instants.text(now)}"
            )
        task = Task(
            id=_new_id(now),
            type=task_type.name,
            pool=task_type.pool,
            fields=msgspec.json.encode(task_type.prepare(request)),
            execution_time=execution_time,
            execution_at=execution_at,
            due_at=execution_at,
        )
        await self._store.create((task,))
        self._engine.telemetry.created += 1
        self._engine.queue.announce(execution_at, task_type.pool)
        return task.id

    async def get(self, task_id: str) -> Task:
        """Return a task. *task_id* is a UUID in any spelling.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return await self._store.get(_parsed_id(task_id))

    async def page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return one page of a list; see ``Store.list_page``."""
        return await self._store.list_page(which, after=after, limit=limit)

    async def pages(self, which: TaskFilter) -> AsyncIterator[Page]:
        """Yield a whole list, page by page, each read when it is asked for."""
        after: str | None = None
        while True:
            page = await self._store.list_page(which, after=after, limit=PAGE_LENGTH)
            yield page
            if page.next is None:
                return
            after = page.next

    async def delete(self, task_id: str) -> None:
        """Delete a task for good: it never starts any more.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskRunningError: it is running.
        """
        await self._store.delete(_parsed_id(task_id))
        self._engine.telemetry.deleted += 1

    async def stats(self) -> wire.Stats:
        """Return what this process has counted and measured, and how many tasks are stored."""
        slots = self._engine.slots
        counts = await self._store.count(up_to=COUNTED_TO)
        return wire.Stats(
            version=__version__,
            started_at=instants.text(self._started_at),
            lateness_seconds=self._engine.telemetry.lateness(),
            tasks=wire.count_by_word(counts),
            tasks_counted_to=COUNTED_TO,
            clock_offset_seconds=self._store.clock_offset,
            pools={
                task_type.name: wire.PoolView(slots=slots.total[task_type.pool], running=slots.running(task_type.pool))
                for task_type in self._engine.types
            },
            totals=self._engine.telemetry.totals(),
        )

    async def nodes(self) -> Sequence[wire.NodeView]:
        """Return the nodes that share the store, in the order in which they started."""
        return [
            wire.NodeView(
                id=node.id,
                address=node.address,
                version=node.version,
                started_at=instants.text(node.started_at),
                lease_until=None if node.lease_until is None else instants.text(node.lease_until),
                running=node.running,
            )
            for node in await self._store.nodes()
        ]

    def unready(self) -> str | None:
        """Return why this node should not be sent work now, in a few words; None if it should."""
        return "the server is stopping" if self._engine.draining else self._store.ailment


def _new_id(now: instants.Instant) -> TaskId:
    """A UUID version 7 of this moment (RFC 9562, section 5.7)."""
    return TaskId(str(uuid_utils.uuid7(nanoseconds=now * 1000)))


def _parsed_id(text: str) -> TaskId:
    if _CANONICAL.fullmatch(text):
        return TaskId(text)
    try:
        return TaskId(str(UUID(text)))
    except ValueError:
        raise TaskNotFoundError(text if len(text) <= 60 else text[:60] + "...") from None
