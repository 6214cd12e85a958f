"""Tells readers what happens, while there are any."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from tasker.engine.event_reader import Reader
from tasker.engine.event_streams import EventStreams
from tasker.engine.event_telling import EventTelling
from tasker.engine.event_traits import TraitsReader
from tasker.engine.waiters import Waiters
from tasker.errors import StoreError, TaskNotFoundError, TooManyReadersError
from tasker.event_filters import Interest
from tasker.interfaces.reports import Report
from tasker.interfaces.store import Store
from tasker.interfaces.task_type import TaskType
from tasker.model.attempt import Attempt
from tasker.model.event import (
    Event,
    EventChange,
    EventKind,
    operation_event,
    removed_run_event,
    task_event,
    traits_of,
)
from tasker.model.instants import Instant
from tasker.model.operation import Operation
from tasker.model.schedule import Schedule
from tasker.model.task import RunKind, State, Task, TaskId
from tasker.timing.clock import Cancellable
from tasker.wire.event_notes import unpacked
from tasker.wire.fields import TaskFields

T = TypeVar("T")

LINGER: Final = timedelta(seconds=60)
"""How long events are recorded after the last reader has left."""

MOST_READ: Final = 100
"""Tasks that are read at once to tell of each: a reader is told no more of them in a second."""

LOOK: Final = timedelta(seconds=2)
"""How often the other nodes are told that there are readers here, and which of them are there is looked up."""


class Events:
    """Records what happens, and tells it to readers: here, and on the other nodes.

    While nobody reads, on any node, and nobody has for ``LINGER``, ``is_on`` is False, and nothing
    is to be noted. Belongs to one event loop.
    """

    def __init__(self, store: Store, waiters: Waiters, types: Iterable[TaskType]) -> None:
        """Record nothing yet.

        Args:
            waiters: those who wait for the ends of tasks: readers take their places.
            types: read what tasks were given.
        """
        self.is_on = False
        """Whether anything is to be noted."""
        self.streams = EventStreams(store.clock, store.node_id)
        self.telling = EventTelling(store, switched=self._switch)
        self._store = store
        self._clock = store.clock
        self._waiters = waiters
        self._traits = TraitsReader(types)
        self._node = store.node_id
        self._readers: set[Reader] = set()
        self._lingering: Cancellable | None = None
        self._kinds_suffice = False
        """Whether nobody wants to know more of an event than its kind: to tell that costs next to nothing."""
        self._recording = asyncio.Event()
        self._others: set[str] | None = None
        self._reports: deque[Report] = deque()

    # Readers

    def join(
        self, interest: Interest, *, is_signals: bool, push: Callable[[bytes], bool], cut: Callable[[], None]
    ) -> Reader:
        """Let somebody read. Call ``Reader.leave`` in the end.

        Args:
            is_signals: whether only the kinds of events are told.
            push: sends a part past ``Reader.parts``, while that waits for news; returns False if it cannot.
            cut: called once the reader is too slow: the connection is to be closed at once.

        Raises:
            TooManyReadersError: half of all connections wait already, or the node is stopping.
        """
        if not self._waiters.enter():
            raise TooManyReadersError
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        reader = Reader(
            self.streams,
            interest,
            is_signals=is_signals,
            partial=self._store.events_partial,
            push=push,
            cut=cut,
            left=self._left,
        )
        self._readers.add(reader)
        self.streams.begin(whole=reader.needs_whole)
        if not self._recording.is_set():
            self._watch()
            self._recording.set()
        self._switch()
        return reader

    def _left(self, reader: Reader) -> None:
        if reader not in self._readers:
            return
        self._readers.discard(reader)
        self._waiters.leave()
        if not self._readers:
            self._lingering = self._clock.call_later(LINGER.total_seconds(), self._stop)

    def close(self) -> None:
        """End all streams: the node stops."""
        if self.is_on:
            self.node(self._node, EventChange.STOPPING)
        for reader in self._readers:
            reader.end("the server is stopping; come back, or go to another node")

    def _stop(self) -> None:
        self._lingering = self._others = None
        self.streams.stop()
        self._recording.clear()
        self._switch()

    def _switch(self) -> None:
        self.is_on = self.streams.is_recording or self.telling.is_wanted
        self._kinds_suffice = not (self.streams.keeps_whole or self.telling.is_wanted)
        self.streams.heard.clear()
        self._store.report_to(self._reported if self.is_on else None)

    # Other nodes

    async def run_once(self) -> timedelta:
        """While events are recorded: have the other nodes tell of theirs, and see which of them are there.

        Raises:
            StoreUnavailableError: the store cannot be asked now.
        """
        await self._recording.wait()
        self._watch()
        now = self._clock.now()
        nodes = await self._store.nodes()
        there = {each.id for each in nodes if each.lease_until is None or each.lease_until > now}
        if self._others is not None and self.streams.is_recording:
            for node in sorted(there - self._others):
                self.streams.record(self._node_event(node, EventChange.JOINED))
            for node in sorted(self._others - there):
                self.streams.record(self._node_event(node, EventChange.GONE))
        self._others = there if self.streams.is_recording else None  # it may have ended meanwhile
        return LOOK

    def _watch(self) -> None:
        self._store.watch_events(self._heard, self._lost)

    def _heard(self, text: str) -> None:
        """Another node tells."""
        if not self.streams.is_recording:
            return
        try:
            note = unpacked(text)
        except ValueError:
            self.streams.lost("another node tells of what this one does not know")
            return
        for event in note.events:
            self.streams.record(event)
        if note.missed:
            self.streams.missed(note.missed)

    def _lost(self) -> None:
        self.streams.lost("this node did not hear of the others for a moment")

    # What has happened. Nothing of this is to be called unless ``is_on``.

    def created(self, task: Task) -> None:
        """A task was stored. *task* is as it was made."""
        if EventKind.CREATED in self.streams.heard:
            return
        if self._kinds_suffice:
            self.streams.hear(EventKind.CREATED)
            return
        self._note(task_event(EventKind.CREATED, task, traits_of(task), at=self._clock.now(), node=self._node))

    def replaced(self, task: Task, task_id: TaskId) -> None:
        """The task with this id became *task*, which is as it was made."""
        self._note(
            task_event(
                EventKind.CHANGED,
                task,
                traits_of(task),
                at=self._clock.now(),
                node=self._node,
                task_id=task_id,
                change=EventChange.REPLACED,
            )
        )

    def moved(self, kind: EventKind, task: Task, change: EventChange | None = None) -> None:
        """Something has happened to a task that was read from the store."""
        traits = self._traits.of_payload(task.type, task.payload)
        self._note(task_event(kind, task, traits, at=self._clock.now(), node=self._node, change=change))

    def cancelled(self, task: Task) -> None:
        """A task was cancelled, which was read from the store since: it has ended, or does so with its attempt."""
        if task.state is State.CANCELLED:
            self.moved(EventKind.ENDED, task)
        elif task.is_cancelled:
            self.moved(EventKind.CHANGED, task, EventChange.CANCEL_REQUESTED)

    def circuit(self, attempt: Attempt, fields: TaskFields, change: EventChange) -> None:
        """The circuit of the host that an attempt went to has opened or closed."""
        destination = self._traits.of_fields(attempt.type, fields).destination
        if destination is not None:
            self.destination(destination, change)

    def started(self, attempt: Attempt, fields: TaskFields) -> None:
        """An attempt has begun."""
        if EventKind.STARTED not in self.streams.heard:  # seldom
            self._attempt(EventKind.STARTED, attempt, fields, State.IN_PROGRESS, due_at=attempt.due_at)

    def accepted(self, attempt: Attempt, fields: TaskFields, *, deadline: Instant) -> None:
        """An attempt is in other hands now, until *deadline* at most."""
        self._attempt(EventKind.ACCEPTED, attempt, fields, State.IN_PROGRESS, due_at=attempt.due_at, deadline=deadline)

    def ended(
        self, attempt: Attempt, fields: TaskFields, state: State, *, due_at: Instant | None, code: str | None
    ) -> None:
        """An attempt has ended, and the task is in *state* now."""
        if EventKind.ENDED not in self.streams.heard:
            self._attempt(EventKind.ENDED, attempt, fields, state, due_at=due_at or attempt.due_at, code=code)

    def _attempt(
        self,
        kind: EventKind,
        attempt: Attempt,
        fields: TaskFields,
        state: State,
        *,
        due_at: Instant,
        code: str | None = None,
        deadline: Instant | None = None,
    ) -> None:
        if self._kinds_suffice:
            self.streams.hear(kind)
            return
        has_read = type(fields) is not TaskFields
        traits = (
            self._traits.of_fields(attempt.type, fields)
            if has_read
            else self._traits.of_payload(attempt.type, attempt.payload)
        )
        self._note(
            Event(
                kind=kind,
                at=self._clock.now(),
                node=self._node,
                id=attempt.task_id,
                type=attempt.type,
                state=state.word,
                key=attempt.key,
                tags=traits.tags,
                destination=traits.destination,
                group=traits.group,
                due_at=due_at,
                attempt=attempt.number,
                code=code,
                schedule=attempt.schedule,
                deadline=deadline,
            )
        )

    def destination(self, name: str, change: EventChange) -> None:
        """Something has happened to a destination."""
        self._note(
            Event(kind=EventKind.DESTINATION, at=self._clock.now(), node=self._node, destination=name, change=change)
        )

    def node(self, node: str, change: EventChange) -> None:
        """Something has happened to a node."""
        self._note(self._node_event(node, change))

    def _node_event(self, node: str, change: EventChange) -> Event:
        return Event(kind=EventKind.NODE, at=self._clock.now(), node=node, change=change)

    def schedule(self, name: str, change: EventChange) -> None:
        """Something has happened to a schedule."""
        self._note(Event(kind=EventKind.SCHEDULE, at=self._clock.now(), node=self._node, schedule=name, change=change))

    def runs_removed(self, schedule: Schedule, ids: Iterable[TaskId]) -> None:
        """Runs of a schedule, which was read with its template, were taken out of the queue."""
        for task_id in ids:
            now = self._clock.now()
            run = schedule.asked_run(now, task_id, RunKind.REGULAR, now=now)
            self._note(removed_run_event(run, at=now, node=self._node))

    def runs_removed_after(self, attempt: Attempt, ids: Iterable[TaskId]) -> None:
        """Later runs of the schedule of an attempt were taken out of the queue: what these were, it is."""
        traits = self._traits.of_payload(attempt.type, attempt.payload)
        for task_id in ids:
            self._note(
                Event(
                    kind=EventKind.DELETED,
                    at=self._clock.now(),
                    node=self._node,
                    id=task_id,
                    type=attempt.type,
                    state=State.TODO.word,
                    tags=traits.tags,
                    destination=traits.destination,
                    group=traits.group,
                    schedule=attempt.schedule,
                )
            )

    async def moved_by_zones(self, ids: Sequence[TaskId]) -> None:
        """Newer time zones have moved tasks, which are read for that: the first ``MOST_READ``. May be called always."""
        if not self.is_on:
            return
        await self.moved_by_id(EventKind.CHANGED, ids[:MOST_READ], EventChange.MOVED_BY_ZONES)
        if len(ids) > MOST_READ:
            self._miss(EventKind.CHANGED, len(ids) - MOST_READ)

    def operation(self, operation: Operation) -> None:
        """An operation was created, or has gone on, or has ended."""
        self._note(operation_event(operation, at=self._clock.now(), node=self._node))

    async def moved_by_id(self, kind: EventKind, ids: Iterable[TaskId], change: EventChange | None = None) -> None:
        """Something has happened to tasks, which are read for that. One that is gone meanwhile is not told of."""
        for task in await self.read(ids):
            self.moved(kind, task, change)

    async def read(self, ids: Iterable[TaskId]) -> Sequence[Task]:
        """Return the tasks with these ids, as far as they are there and can be read."""
        tasks = []
        for task_id in ids:
            with contextlib.suppress(TaskNotFoundError, StoreError):
                tasks.append(await self._store.get(task_id))
        return tasks

    def with_reports(self, step: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """Return *step* of a job, which then also tells what the store has done by itself."""

        async def told() -> T:
            done = await step()
            while self._reports:
                report = self._reports.popleft()
                await self.moved_by_id(EventKind.ENDED, (*report.ended, *report.taken_back))
            return done

        return told

    def _reported(self, report: Report) -> None:
        for task in report.followed_by:
            self.created(task)
        if report.pruned:
            self._note(
                Event(
                    kind=EventKind.DELETED,
                    at=self._clock.now(),
                    node=self._node,
                    change=EventChange.PRUNED,
                    count=report.pruned,
                )
            )
        if report.ended or report.taken_back:
            self._reports.append(report)

    def _miss(self, kind: EventKind, count: int) -> None:
        """So many events of a kind are not told, but that there were some."""
        if self.streams.is_recording:
            self.streams.missed({kind: count})
        if self.telling.is_wanted:
            self.telling.miss(kind, count)

    def _note(self, event: Event) -> None:
        if self.streams.is_recording:
            self.streams.record(event)
        if self.telling.is_wanted:
            self.telling.add(event)
