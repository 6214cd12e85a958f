"""What has happened to a task, a destination, a node or an operation, as readers of events are told."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tasker.model.instants import Instant
from tasker.model.operation import Operation
from tasker.model.task import State, Task, TaskId


class EventKind(StrEnum):
    """What an event tells of."""

    CREATED = "created"
    """A task was stored."""
    STARTED = "started"
    """An attempt has begun."""
    ACCEPTED = "accepted"
    """The receiver has accepted an attempt, and reports later how it ends."""
    ENDED = "ended"
    """An attempt has ended, or a task has ended without one. The state says what the task is now."""
    CHANGED = "changed"
    """A task was changed, or is due at another time, or is to be cancelled."""
    DELETED = "deleted"
    """A task is gone."""
    DESTINATION = "destination"
    """A destination was paused, resumed, probed or limited, or its circuit has opened or closed."""
    NODE = "node"
    """A node has joined, is stopping, or is gone; or it starts no tasks any more because everything is paused, or does
    again."""
    OPERATION = "operation"
    """An operation was created, has gone on, or has ended."""
    SCHEDULE = "schedule"
    """A schedule was created, changed, paused, resumed or deleted."""

    __hash__ = str.__hash__  # that of an enumeration is a call of Python's, for each event


class EventChange(StrEnum):
    """What exactly has happened, where the kind does not say it all."""

    PATCHED = "patched"
    REPLACED = "replaced"
    """Of a task: another took its place under its key. It has the id that it had."""
    RUN = "run"
    RETRIED = "retried"
    POSTPONED = "postponed"
    MOVED_BY_ZONES = "moved_by_zones"
    """Of a task with a local time: by newer time zones, that is another moment."""
    CANCEL_REQUESTED = "cancel_requested"
    """Of a task that runs: it ends once its attempt does."""
    PRUNED = "pruned"
    """Of tasks: they ended so long ago that they are not kept any longer."""
    PAUSED = "paused"
    RESUMED = "resumed"
    PROBED = "probed"
    LIMITED = "limited"
    OPENED = "opened"
    CLOSED = "closed"
    CREATED = "created"
    DELETED = "deleted"
    JOINED = "joined"
    STOPPING = "stopping"
    GONE = "gone"


class Event(Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True, gc=False):
    """Something that has happened. It has no URL, header, body or secret.

    Nodes send it to each other as an array: a new member comes last, and has a default. The garbage collector need not
    look at it: nothing in it leads back to it.
    """

    kind: EventKind
    at: Instant
    """When it happened, by the store's clock as the node knows it."""
    node: str
    """The node that did it, or saw it."""
    id: str | None = None
    """Of the task or the operation; None: it is about several tasks, a destination or a node."""
    type: str | None = None
    """Of the task."""
    state: str | None = None
    """Of the task, in a word, once this has happened."""
    key: str | None = None
    tags: Sequence[str] = ()
    destination: str | None = None
    """The host that the task goes to, or its type; or the destination that it is about."""
    group: str | None = None
    due_at: Instant | None = None
    """When the task's next attempt is due, or when the latest was."""
    attempt: int | None = None
    code: str | None = None
    """Why the attempt or the task failed."""
    change: EventChange | None = None
    count: int | None = None
    """How many tasks it is about, if there are several."""
    action: str | None = None
    """Of an operation, as are the following."""
    status: str | None = None
    matched: int | None = None
    changed: int | None = None
    refused: int | None = None
    schedule: str | None = None
    """The name of the schedule that it is about, or whose run the task is."""
    deadline: Instant | None = None
    """Of ``ACCEPTED``: until when the task waits for its completion."""


class Traits(Struct, frozen=True):
    """What of a task's payload events say."""

    tags: Sequence[str] = ()
    destination: str | None = None
    group: str | None = None


UNKNOWN: Final = Traits()
"""Of a task whose payload cannot be read here."""


def traits_of(task: Task) -> Traits:
    """Return what a task that is to be stored says of itself. What is read back does not: see ``Task.tags``."""
    destination = None if task.destination is None else task.destination.name
    if task.host is None:
        return Traits(task.tags, destination)
    return Traits(task.tags, task.host.name, destination)


def task_event(
    kind: EventKind,
    task: Task,
    traits: Traits,
    *,
    at: Instant,
    node: str,
    task_id: TaskId | None = None,
    change: EventChange | None = None,
) -> Event:
    """Return the event that something has happened to *task*, which is as it is now.

    Args:
        task_id: if the task has another id than it says.
    """
    fault = task.last_fault if task.state is State.FAILED else None
    return Event(
        kind=kind,
        at=at,
        node=node,
        id=task_id or task.id,
        type=task.type,
        state=task.state.word,
        key=task.key,
        tags=traits.tags,
        destination=traits.destination,
        group=traits.group,
        due_at=task.due_at,
        attempt=task.attempts or None,
        code=None if fault is None else fault.code,
        change=change,
        schedule=task.schedule,
    )


def removed_run_event(run: Task, *, at: Instant, node: str) -> Event:
    """Return the event that a *run* of a schedule is gone, which had not started. When it was due is not said."""
    return replace(task_event(EventKind.DELETED, run, traits_of(run), at=at, node=node), due_at=None)


def operation_event(operation: Operation, *, at: Instant, node: str) -> Event:
    """Return the event that something has happened to *operation*, which is as it is now."""
    return Event(
        kind=EventKind.OPERATION,
        at=at,
        node=node,
        id=operation.id,
        action=operation.action.value,
        status=operation.state.word,
        matched=operation.matched,
        changed=operation.changed,
        refused=operation.refused,
    )


_ID: Final = re.compile(r"([0-9a-f-]{1,36})/(\d{1,18})/(\d{1,18})", re.ASCII)


class EventId(Struct, frozen=True):
    """Names a place in what one node has recorded without a pause."""

    node: str
    start: Instant
    """When that node began to record."""
    number: int
    """Of the event, from 1; 0: before the first."""

    def __str__(self) -> str:
        """The id as readers get it.

        >>> str(EventId("0b0c9d5c-5a4e-4c54-9d3c-1f8f6f2b9d11", 1800000000000000, 17))
        '0b0c9d5c-5a4e-4c54-9d3c-1f8f6f2b9d11/1800000000000000/17'
        """
        return f"{self.node}/{self.start}/{self.number}"

    @staticmethod
    def of(text: str) -> "EventId | None":
        """Return the id that *text* is; None: it is none.

        >>> EventId.of("0b0c9d5c/1800000000000000/17").number, EventId.of("17")
        (17, None)
        """
        match = _ID.fullmatch(text)
        return None if match is None else EventId(match[1], int(match[2]), int(match[3]))
