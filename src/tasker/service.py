"""What callers can do with tasks. Every door goes through here, so that all of them validate and store alike."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from tasker import __version__, explaining
from tasker.engine.engine import Engine
from tasker.errors import DestinationNotFoundError, InvalidTaskError, TaskNotFoundError
from tasker.ids import new_id, parse_id
from tasker.interfaces import Page, Store, TaskFilter, TaskType
from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.task import Task, TaskId
from tasker.task_types.webhook import checked_callback
from tasker.wire.destinations import DestinationChange, DestinationView
from tasker.wire.fields import Callback, TaskFields
from tasker.wire.server import NodeView, PoolView, Stats, count_by_word
from tasker.wire.tasks import AttemptView, Explanation, attempt_view

COUNTED_TO: Final = 10_000
"""Where ``stats`` stops counting the tasks in a state: its cost does not grow with the store."""


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
        execution_at = _moment("execution_time", execution_time)
        if execution_at <= now:
            raise InvalidTaskError(
                "execution_time", f"expected a time in the future, got: {execution_time!r}; here it is {instants.text(now)}"
            )
        expires_at = None if request.expires_at is UNSET else _moment("expires_at", request.expires_at)
        if expires_at is not None and expires_at <= execution_at:
            raise InvalidTaskError("expires_at", f"expected a time after execution_time, got: {request.expires_at!r}")
        fields = _with_common(task_type.prepare(request), request)
        task = Task(
            id=new_id(now),
            type=task_type.name,
            pool=task_type.pool,
            payload=msgspec.json.encode(fields),
            execution_time=execution_time,
            execution_at=execution_at,
            due_at=execution_at,
            destination=task_type.destination(fields),
            expires_at=expires_at,
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

    async def retry(self, task_id: str) -> Task:
        """Have a failed task run again, now, and return it as it stands then.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskNotFailedError: it has not failed.
            TaskExpiredError: its ``expires_at`` has passed.
        """
        id_ = _parsed_id(task_id)
        await self._store.retry(id_)
        task = await self._store.get(id_)
        self._engine.queue.announce(task.due_at, task.pool)
        return task

    async def attempts(self, task_id: str) -> Sequence[AttemptView]:
        """Return what is kept of the attempts of a task that have ended, oldest first.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        return [attempt_view(record) for record in await self._store.attempts(_parsed_id(task_id))]

    async def explain(self, task_id: str) -> Explanation:
        """Return why a task is where it is, and what comes next.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
        """
        standing = await self._store.standing(_parsed_id(task_id))
        has_slot = self._engine.slots.free.get(standing.task.pool, 0) > 0
        return explaining.explain(standing, now=self._store.clock.now(), has_free_slot=has_slot)

    async def destinations(self, *, after: int, limit: int) -> Sequence[DestinationView]:
        """Return up to *limit* destinations with ids greater than *after*, by id."""
        now = self._store.clock.now()
        return [explaining.destination_view(record, now) for record in await self._store.gates(after=after, limit=limit)]

    async def destination(self, destination_id: str) -> DestinationView:
        """Return a destination.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        record = await self._store.gate(_parsed_gate(destination_id))
        return explaining.destination_view(record, self._store.clock.now())

    async def pause(self, destination_id: str) -> DestinationView:
        """Let no more tasks of a destination start, and return the destination as it stands then.

        What is running goes on. Twice is as good as once.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        await self._store.pause(_parsed_gate(destination_id))
        self._engine.queue.ring()
        return await self.destination(destination_id)

    async def resume(self, destination_id: str) -> DestinationView:
        """Let the tasks of a destination start again, and return the destination as it stands then.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        await self._store.resume(_parsed_gate(destination_id))
        self._engine.queue.ring()
        return await self.destination(destination_id)

    async def change(self, destination_id: str, change: DestinationChange) -> DestinationView:
        """Change a destination and return it as it stands then.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        await self._store.limit(_parsed_gate(destination_id), change.max_running)
        self._engine.queue.ring()
        return await self.destination(destination_id)

    async def page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return one page of a list; see ``Store.list_page``."""
        return await self._store.list_page(which, after=after, limit=limit)

    async def delete(self, task_id: str) -> None:
        """Delete a task for good: it never starts any more.

        Raises:
            TaskNotFoundError: no task has this id, or it is not a UUID.
            TaskRunningError: it is running.
        """
        await self._store.delete(_parsed_id(task_id))
        self._engine.telemetry.deleted += 1

    async def stats(self) -> Stats:
        """Return what this process has counted and measured, and how many tasks are stored."""
        slots = self._engine.slots
        counts = await self._store.count(up_to=COUNTED_TO)
        return Stats(
            version=__version__,
            started_at=instants.text(self._started_at),
            lateness_seconds=self._engine.telemetry.lateness(),
            tasks=count_by_word(counts),
            tasks_counted_to=COUNTED_TO,
            clock_offset_seconds=self._store.clock_offset,
            pools={
                task_type.name: PoolView(slots=slots.total[task_type.pool], running=slots.running(task_type.pool))
                for task_type in self._engine.types
            },
            totals=self._engine.telemetry.totals(),
        )

    async def nodes(self) -> Sequence[NodeView]:
        """Return the nodes that share the store, in the order in which they started."""
        return [
            NodeView(
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


def _moment(field: str, text: str) -> Instant:
    try:
        return instants.parse(text)
    except ValueError as error:
        raise InvalidTaskError(field, str(error)) from None


def _with_common(fields: TaskFields, request: TaskFields) -> TaskFields:
    """Return *fields* with what every task type takes from *request*, checked."""
    return msgspec.structs.replace(
        fields,
        retry=request.retry,
        expires_at=request.expires_at,
        on_success=_checked("on_success", request.on_success),
        on_failure=_checked("on_failure", request.on_failure),
    )


def _checked(field: str, callback: Callback | UnsetType) -> Callback | UnsetType:
    return UNSET if callback is UNSET else checked_callback(callback, field=field)


def _parsed_id(text: str) -> TaskId:
    try:
        return parse_id(text)
    except ValueError:
        raise TaskNotFoundError(text if len(text) <= 60 else text[:60] + "...") from None


def _parsed_gate(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    raise DestinationNotFoundError(text if len(text) <= 60 else text[:60] + "...")
