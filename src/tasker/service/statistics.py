"""What is counted of tasks over time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from tasker.engine.engine import Engine
from tasker.errors import DestinationNotFoundError, StoreError
from tasker.interfaces.store import Store
from tasker.model.failures import FailureGroup, FailureGroups
from tasker.model.gate import Gate
from tasker.model.history import HOUR, KEPT, MINUTE, Kept, Tally
from tasker.model.instants import Instant, after
from tasker.model.steps import DueCounts, Steps

SHOWN_DESTINATIONS: Final = 10
"""Destinations that a history tells apart."""

SHOWN_GROUPS: Final = 100
"""Groups of failures that are shown."""

_PAGE: Final = 200
"""Rows that are read at a time."""

_AT_A_TIME: Final = 10
"""Rows that are added up before others have their turn of the event loop."""

_TOLD_APART: Final = 1_000
"""Groups of failures that are added up each for itself."""

_tally: Final = msgspec.json.Decoder(Tally).decode
_groups: Final = msgspec.json.Decoder(list[FailureGroup]).decode


class HistoryStats(Struct, frozen=True):
    """What was counted in each step."""

    tallies: Sequence[Tally]
    """With the busiest destinations of the whole span; the others are one."""
    destinations: Sequence[Gate]
    """These, the one with the most attempts first."""


class FailureStats(Struct, frozen=True):
    """What failed in a span."""

    first: Instant
    until: Instant
    groups: Sequence[FailureGroup]
    """Those with the most failures first, up to ``SHOWN_GROUPS``."""
    others: int
    """Failures that are in none of them."""


class _Part(Struct, frozen=True):
    """A part of a span, and how long the spans are whose rows tell of it."""

    length: int
    first: Instant
    until: Instant


class StatisticsService:
    """Counts. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine

    def now(self) -> Instant:
        """Return the time by the clock that decides what is due."""
        return self._store.clock.now()

    def finest(self, first: Instant) -> int:
        """Return how long a span is, in microseconds, of which something is kept from *first* on."""
        return MINUTE if first >= after(self.now(), -KEPT[MINUTE]) else HOUR

    async def due(self, steps: Steps) -> DueCounts:
        """Return how many tasks are due in each step; see ``Store.count_due``."""
        return await self._store.count_due(steps)

    async def history(self, steps: Steps, *, apart: Sequence[int] = ()) -> HistoryStats:
        """Return what all nodes have counted in each step. Those of other nodes may lack the latest seconds.

        Args:
            steps: their length is a multiple of ``finest``.
            apart: the ids of the destinations that are told apart; none: the busiest are.
        """
        await self._write()
        tallies = [Tally() for _ in range(steps.count)]
        length = HOUR if steps.length % HOUR == 0 else MINUTE
        async for row in self._rows(_Part(length, steps.start, steps.start + steps.length * steps.count)):
            tallies[steps.place(row.at)].add(_tally(row.text))
        total = Tally()
        for tally in tallies:
            total.add(Tally(destinations=tally.destinations))
        shown = apart or total.busiest(SHOWN_DESTINATIONS)
        return HistoryStats([tally.with_destinations(shown) for tally in tallies], await self._gates(shown))

    async def failures(self, first: Instant, until: Instant) -> FailureStats:
        """Return what failed from *first* on, before *until*, on all nodes. See ``history``.

        The span is widened to full minutes, or to full hours where no minutes are kept any more.
        """
        await self._write()
        groups = FailureGroups(most=_TOLD_APART)
        parts = _parts(first, until, is_fine=[self.finest(moment) == MINUTE for moment in (first, until)])
        for part in parts:
            async for row in self._rows(part, of_failures=True):
                groups.add(_groups(row.text))
        shown = groups.groups
        others = sum(group.count for group in shown[SHOWN_GROUPS:])
        return FailureStats(parts[0].first, parts[-1].until, shown[:SHOWN_GROUPS], others)

    async def _write(self) -> None:
        """Have what this node has counted up to now in the store, if that can be written."""
        with suppress(StoreError):
            await self._engine.history.write()

    async def _rows(self, part: _Part, *, of_failures: bool = False) -> AsyncIterator[Kept]:
        beyond: tuple[Instant, str] | None = None
        while True:
            rows = await self._store.history(
                part.length, part.first, part.until, beyond=beyond, limit=_PAGE, of_failures=of_failures
            )
            for place, row in enumerate(rows, 1):
                yield row
                if place % _AT_A_TIME == 0:
                    await asyncio.sleep(0)
            if len(rows) < _PAGE:
                return
            beyond = rows[-1].at, rows[-1].run

    async def _gates(self, gate_ids: Iterable[int]) -> Sequence[Gate]:
        gates = []
        for gate_id in gate_ids:
            with suppress(DestinationNotFoundError):
                gates.append((await self._store.gate(gate_id)).gate)
        return gates


def _parts(first: Instant, until: Instant, *, is_fine: Sequence[bool]) -> Sequence[_Part]:
    """Return the parts of a span: full hours, and minutes at its ends.

    Args:
        is_fine: whether minutes are kept of its beginning, and of its end.
    """
    begins_fine, ends_fine = is_fine
    start = first // MINUTE * MINUTE if begins_fine else first // HOUR * HOUR
    end = -(-until // MINUTE) * MINUTE if ends_fine else -(-until // HOUR) * HOUR
    first_hour, last_hour = -(-start // HOUR) * HOUR, end // HOUR * HOUR
    if first_hour >= last_hour:
        return [_Part(MINUTE, start, end)] if begins_fine else [_Part(HOUR, start, -(-end // HOUR) * HOUR)]
    parts = [
        _Part(MINUTE, start, first_hour),
        _Part(HOUR, first_hour, last_hour),
        _Part(MINUTE, last_hour, end),
    ]
    return [part for part in parts if part.first < part.until]
