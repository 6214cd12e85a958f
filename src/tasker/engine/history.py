"""Writes down, minute by minute and hour by hour, what this node has counted."""

import uuid
from asyncio import Lock
from datetime import timedelta
from typing import Final

import msgspec

from tasker.engine.telemetry import Telemetry
from tasker.interfaces.store import Store
from tasker.model.failures import FailureGroups
from tasker.model.history import BUSIEST, HOUR, MINUTE, OTHERS, HistoryRow, Tally
from tasker.model.instants import Instant, microseconds

EVERY: Final = timedelta(seconds=10)
"""How often it is written what has been counted since: as much may be lost in a crash."""

PRUNE_EVERY: Final = timedelta(minutes=10)
"""How often it is looked for what is old, unless there is more."""

_AT_LEAST: Final = timedelta(seconds=0.1)
"""Between two looks: a clock that stands still comes no nearer to the next one."""

_WAITING: Final = 240
"""Rows that wait for the store to be written again: of about four hours. Older ones are dropped."""

_TOLD_APART: Final = 1_000
"""Destinations that are counted each for itself in a span that is under way."""


class _Span:
    """What was counted in the span under way."""

    def __init__(self, length: int, at: Instant) -> None:
        self.length = length
        self.at = at
        self.tally = Tally()
        self.failures = FailureGroups()

    @property
    def is_empty(self) -> bool:
        return self.tally.is_empty and not self.failures

    def row(self, run: str) -> HistoryRow:
        failures = self.failures.groups
        return HistoryRow(
            length=self.length,
            at=self.at,
            run=run,
            counts=msgspec.json.encode(self.tally.with_busiest(BUSIEST)),
            failures=msgspec.json.encode(failures) if failures else None,
        )


class History:
    """Takes down what the counters of this process have grown by. Costs nothing while nothing is counted.

    The minute and the hour under way are rows that are written anew as they grow. So nothing has to
    be rolled up later, and what a node has written stays when it dies.
    """

    def __init__(self, store: Store, telemetry: Telemetry) -> None:
        self._store = store
        self._telemetry = telemetry
        self._seen = telemetry.tally()
        self._run = str(uuid.uuid4())
        self._spans = self._begin(store.clock.now())
        self._ended: list[HistoryRow] = []
        """Of spans that are over, and are not written yet."""
        self._has_grown = False
        self._writing = Lock()
        self._prune_at = 0.0

    async def run_once(self) -> timedelta:
        """Write down what has been counted, and now and then delete what is old. Return after how long to go on.

        Raises:
            StoreUnavailableError, StoreBusyError: it is written the next time.
        """
        await self.write()
        now = self._store.clock.monotonic()
        if now >= self._prune_at:
            is_done = not await self._store.prune_history()
            self._prune_at = now + (PRUNE_EVERY.total_seconds() if is_done else 0.0)
        every = microseconds(EVERY)
        return max(timedelta(microseconds=every - self._store.clock.now() % every), _AT_LEAST)

    async def write(self) -> None:
        """Write down what has been counted up to now.

        Raises:
            StoreUnavailableError, StoreBusyError: it is written the next time.
        """
        async with self._writing:
            self._collect()
            if not (self._ended or self._has_grown):
                return
            under_way = [span.row(self._run) for span in self._spans if not span.is_empty] if self._has_grown else []
            await self._store.write_history([*self._ended, *under_way])
            self._has_grown = False
            self._ended.clear()

    def _collect(self) -> None:
        """Count what the counters have grown by, in the minute and the hour that it is now."""
        grown = self._grown()
        failures = self._telemetry.failures.drain()
        if failures or not grown.is_empty:
            for span in self._spans:  # of the latest look: nothing is counted far from it, unless the process hung
                span.tally.add(grown)
                span.tally = span.tally.with_busiest(_TOLD_APART)
                span.failures.add(failures)
            self._has_grown = True
        self._end_spans(self._store.clock.now())

    def _end_spans(self, now: Instant) -> None:
        """Begin new spans in place of those that are over."""
        is_set_back = now < self._spans[0].at
        for place, span in enumerate(self._spans):
            at = now // span.length * span.length
            if is_set_back or at != span.at:
                if not span.is_empty:
                    self._ended.append(span.row(self._run))
                self._spans[place] = _Span(span.length, at)
        if is_set_back:  # what was written for these moments stays: another row is begun for each
            self._run = str(uuid.uuid4())
        del self._ended[:-_WAITING]

    def _grown(self) -> Tally:
        tally = self._telemetry.tally()
        grown = tally.since(self._seen)
        self._seen = tally
        for outcome, by_gate in self._telemetry.drain_gates().items():
            for gate, count in by_gate.items():
                by_outcome = grown.destinations.setdefault(OTHERS if gate is None else gate, {})
                by_outcome[outcome] = by_outcome.get(outcome, 0) + count
        return grown

    @staticmethod
    def _begin(now: Instant) -> list[_Span]:
        return [_Span(length, now // length * length) for length in (MINUTE, HOUR)]
