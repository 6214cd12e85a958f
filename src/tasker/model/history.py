"""What was counted in a span of time, and what can be added up over spans and nodes."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct

from tasker.model.histogram import LATENESS_BOUNDS
from tasker.model.instants import Instant, microseconds
from tasker.model.lateness import LatenessByCause
from tasker.model.stats import ATTEMPT_OUTCOMES, AttemptOutcome

MINUTE: Final = microseconds(timedelta(minutes=1))
HOUR: Final = microseconds(timedelta(hours=1))

KEPT: Final[Mapping[int, timedelta]] = {MINUTE: timedelta(days=2), HOUR: timedelta(days=90)}
"""How long what was counted is kept, by how long the spans are."""

BUSIEST: Final = 50
"""Destinations that are told apart in a span."""

OTHERS: Final = 0
"""In place of the gate of the other destinations: no gate has this number."""

CAUSES: Final = LatenessByCause.__struct_fields__
BUCKETS: Final = len(LATENESS_BOUNDS) + 1


class Tally(Struct, kw_only=True, omit_defaults=True):
    """What was counted. Stored as JSON: members can be added, and must not change their meaning."""

    created: dict[str, int] = {}
    """Tasks that callers created, by type."""
    attempts: dict[str, dict[str, int]] = {}
    """Attempts that ended, by outcome and type."""
    lateness: dict[str, list[int]] = {}
    """How late they began: by cause, how many lie in each of the ranges of ``LATENESS_BOUNDS``, up to
    the last one in which any does."""
    lateness_sum: dict[str, int] = {}
    """Microseconds, by cause."""
    destinations: dict[int, dict[str, int]] = {}
    """Attempts that ended, by gate and outcome."""

    def add(self, other: "Tally") -> None:
        """Count what *other* counts here, too."""
        _add(self.created, other.created)
        for outcome, by_type in other.attempts.items():
            _add(self.attempts.setdefault(outcome, {}), by_type)
        for cause, buckets in other.lateness.items():
            into = self.lateness.setdefault(cause, [])
            into += [0] * (len(buckets) - len(into))
            for place, count in enumerate(buckets):
                into[place] += count
        _add(self.lateness_sum, other.lateness_sum)
        for gate, by_outcome in other.destinations.items():
            _add(self.destinations.setdefault(gate, {}), by_outcome)

    def since(self, before: "Tally") -> "Tally":
        """Return what was counted since *before*, a state that this one has grown from."""
        return Tally(
            created=_since(self.created, before.created),
            attempts={
                outcome: grown
                for outcome, by_type in self.attempts.items()
                if (grown := _since(by_type, before.attempts.get(outcome, {})))
            },
            lateness={
                cause: more
                for cause, buckets in self.lateness.items()
                if (more := _grown(buckets, before.lateness.get(cause, [])))
            },
            lateness_sum=_since(self.lateness_sum, before.lateness_sum),
        )

    def busiest(self, most: int) -> Sequence[int]:
        """Return the gates of up to so many destinations, those with the most attempts first."""
        by_count = Counter({gate: sum(by_outcome.values()) for gate, by_outcome in self.destinations.items()})
        by_count.pop(OTHERS, None)
        return [gate for gate, _ in by_count.most_common(most)]

    def with_busiest(self, most: int) -> "Tally":
        """Return the same with at most so many destinations, those with the most attempts; the others are one."""
        return self if len(self.destinations) <= most else self.with_destinations(self.busiest(most))

    def with_destinations(self, gates: Collection[int]) -> "Tally":
        """Return the same with the destinations of these gates; the others are one."""
        destinations: dict[int, dict[str, int]] = {}
        for gate, by_outcome in self.destinations.items():
            _add(destinations.setdefault(gate if gate in gates else OTHERS, {}), by_outcome)
        return msgspec.structs.replace(self, destinations=destinations)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not (self.created or self.attempts or self.lateness or self.destinations)


class HistoryRow(Struct, frozen=True):
    """What one node counted in a span."""

    length: int
    """Of the span, in microseconds: ``MINUTE`` or ``HOUR``."""
    at: Instant
    """When it began: a multiple of the length."""
    run: str
    """Who counted: a UUID, new for each process. A row is written anew as long as its span is under way."""
    counts: bytes
    """A ``Tally`` as JSON."""
    failures: bytes | None
    """A list of ``FailureGroup`` as JSON; None: nothing failed."""


class Kept(Struct, frozen=True):
    """A part of such a row, as it is read."""

    at: Instant
    run: str
    text: bytes
    """The counts, or the failures."""


def of_counters(
    *,
    created: Mapping[str, int],
    attempts: Mapping[AttemptOutcome, Mapping[str, int]],
    lateness: Mapping[str, Sequence[int]],
    lateness_sum: Mapping[str, int],
) -> Tally:
    """Return counters as they stand."""
    return Tally(
        created=dict(created),
        attempts={outcome: dict(attempts[outcome]) for outcome in ATTEMPT_OUTCOMES},
        lateness={cause: list(lateness[cause]) for cause in CAUSES},
        lateness_sum=dict(lateness_sum),
    )


def _add(into: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        into[name] = into.get(name, 0) + count


def _since(counts: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: grown for name, count in counts.items() if (grown := count - before.get(name, 0))}


def _grown(counts: Sequence[int], before: Sequence[int]) -> list[int]:
    grown = [count - (before[place] if place < len(before) else 0) for place, count in enumerate(counts)]
    while grown and not grown[-1]:
        grown.pop()
    return grown
