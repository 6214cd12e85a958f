"""Callers who wait until a task has ended, whichever node runs it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from tasker.interfaces.store import Store
from tasker.model.task import TaskId
from tasker.timing.alarm import sleep

LOOK: Final = timedelta(seconds=1)
"""How often the store is asked which tasks have ended, if nobody says so earlier."""

APART: Final = timedelta(seconds=0.1)
"""Between two looks, at least."""

ASKED: Final = 1_000
"""Tasks that one question to the store is about at most, so that it holds up nothing else."""

_SHARE: Final = 10
"""A look is followed by a pause of so many times as long as it took."""


class Waiters:
    """Tells callers of this node when the tasks that they wait for have ended.

    An end that this node writes is told at once. For all others the waiters share one look at the
    store, every second, and earlier when another node says that a task has ended. While nobody
    waits, the store is not asked.
    """

    def __init__(self, store: Store, *, room: int) -> None:
        """Let nobody wait yet.

        Args:
            room: how many may wait at once, those who read events included.
        """
        self._store = store
        self._room = room
        self._waiting: dict[TaskId, set[asyncio.Event]] = {}
        self._count = 0
        self._some = asyncio.Event()  # somebody waits
        self._rung = asyncio.Event()  # another node says that a task has ended
        self._is_closed = False

    def enter(self) -> bool:
        """Take a place for somebody who waits for something else. False: there is none, or the node is stopping."""
        if self._is_closed or self._count >= self._room:
            return False
        self._count += 1
        return True

    def leave(self) -> None:
        """Give back a place that was taken by ``enter``."""
        self._count -= 1

    @contextmanager
    def joined(self, task_id: TaskId) -> Iterator[asyncio.Event]:
        """Wait for the end of a task while the block lasts: the event is set once it has ended, or is deleted.

        An end before the block may be told late: read the task inside the block first. The event is
        also set when nobody may wait any longer: at once where there is no room, and by ``close``.
        """
        event = asyncio.Event()
        if self._is_closed or self._count >= self._room:
            event.set()
            yield event
            return
        self._waiting.setdefault(task_id, set()).add(event)
        self._count += 1
        self._some.set()
        try:
            yield event
        finally:
            self._leave(task_id, event)

    def tell(self, task_id: TaskId) -> None:
        """Say that a task has ended, or is deleted."""
        for event in self._waiting.get(task_id, ()):
            event.set()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._is_closed = True
        for task_id in self._waiting:
            self.tell(task_id)

    async def run_once(self) -> timedelta:
        """Wait until somebody waits, and a little longer; look once. Return when to come again.

        Raises:
            StoreUnavailableError: the store cannot be asked now.
        """
        await self._some.wait()
        self._store.watch_ends(self._rung.set)
        await sleep(self._store.clock, (LOOK - APART).total_seconds(), rung=self._rung)
        self._rung.clear()
        clock = self._store.clock
        began = clock.monotonic()
        await self._look()
        return max(APART, _SHARE * timedelta(seconds=clock.monotonic() - began))

    async def _look(self) -> None:
        """Ask the store, and tell those whose tasks have ended."""
        ids = tuple(self._waiting)
        for start in range(0, len(ids), ASKED):
            for task_id in await self._store.ended(ids[start : start + ASKED]):
                self.tell(task_id)

    def _leave(self, task_id: TaskId, event: asyncio.Event) -> None:
        self._count -= 1
        events = self._waiting[task_id]
        events.discard(event)
        if not events:
            del self._waiting[task_id]
        if not self._waiting:
            self._some.clear()
