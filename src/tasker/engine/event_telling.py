"""Tells the other nodes what happens on this one, while any of them has readers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from tasker.errors import StoreError
from tasker.interfaces.store import Store
from tasker.model.event import Event
from tasker.timing.clock import Cancellable
from tasker.wire.event_notes import packed

APART: Final = timedelta(seconds=0.1)
"""Between two tellings."""

MOST: Final = 500
"""Events of a telling. Of those beyond it only is told how many of each kind there were."""


class EventTelling:
    """Collects events, and tells them a few times a second: many in one notification."""

    def __init__(self, store: Store, *, switched: Callable[[], None]) -> None:
        """Tell nobody yet.

        Args:
            switched: called when ``is_wanted`` has changed.
        """
        self.is_wanted = False
        """Whether any other node has readers, or had them a moment ago."""
        self._store = store
        self._switched = switched
        self._ending: Cancellable | None = None
        self._events: list[Event] = []
        self._missed: dict[str, int] = {}
        self._some = asyncio.Event()
        self._turn = asyncio.Lock()

    def wanted(self, seconds: float) -> None:
        """Say that another node has readers. It is told for so many seconds."""
        if self._ending is not None:
            self._ending.cancel()
        self._ending = self._store.clock.call_later(seconds, self._unwanted)
        if not self.is_wanted:
            self.is_wanted = True
            self._switched()

    def add(self, event: Event) -> None:
        """Have *event* told."""
        if len(self._events) < MOST:
            self._events.append(event)
            self._some.set()
        else:
            self.miss(event.kind, 1)

    def miss(self, kind: str, count: int) -> None:
        """Have it told that there were so many more events of a kind."""
        self._missed[kind] = self._missed.get(kind, 0) + count
        self._some.set()

    async def run_once(self) -> timedelta:
        """Wait until there is something to tell, and tell it. Return when to come again."""
        await self._some.wait()
        await self.flush()
        return APART

    async def flush(self) -> None:
        """Tell what there is. If that fails, the other nodes learn later how much it was."""
        async with self._turn:  # whoever comes meanwhile returns when that is told, too
            self._some.clear()
            events, self._events = self._events, []
            missed, self._missed = self._missed, {}
            try:
                await self._store.tell_events(packed(events, missed))
            except StoreError:
                if self.is_wanted:
                    for kind, count in (Counter(event.kind for event in events) + Counter(missed)).items():
                        self._missed[kind] = self._missed.get(kind, 0) + count
                    self._some.set()

    def _unwanted(self) -> None:
        self._ending = None
        self.is_wanted = False
        self._events.clear()
        self._missed.clear()
        self._some.clear()
        self._switched()
