"""What the engine counts and measures, in plain numbers."""

import asyncio
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tasker.model import instants
from tasker.model.failures import FailureGroups
from tasker.model.histogram import LATENESS_BOUNDS, TOGETHER, Histogram
from tasker.model.history import Tally, of_counters
from tasker.model.inbox import INBOX_OUTCOMES
from tasker.model.instants import Instant
from tasker.model.lateness import LatenessByCause, split_by_cause
from tasker.model.stats import ATTEMPT_OUTCOMES, AttemptOutcome, CauseLateness, Lateness, Totals

LATENESS_KEPT: Final = 10_000
"""How many of the latest attempts the lateness figures speak of."""

_SORTED_AT_ONCE: Final = 2_000


@dataclass(kw_only=True)
class Telemetry:
    """Counts since the process started, and the lateness of the latest attempts. Belongs to one event loop."""

    deleted: int = 0
    attempts: int = 0
    done: int = 0
    retried: int = 0
    failed: int = 0
    cancelled: int = 0
    given_back: int = 0
    taken_back: int = 0
    claims_lost: int = 0
    pruned: int = 0
    scheduled: int = 0
    """Runs that schedules have made."""
    from_inbox: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(INBOX_OUTCOMES, 0)))
    """What became of the rows of the inbox that this node took, by ``INBOX_OUTCOMES``."""
    created_by_type: Counter[str] = field(default_factory=Counter)
    """Tasks that callers have created, by task type. Callbacks and what operations make are not
    among them."""
    ended_by_type: Mapping[AttemptOutcome, Counter[str]] = field(
        default_factory=lambda: {outcome: Counter() for outcome in ATTEMPT_OUTCOMES}
    )
    """Attempts whose end is written, by what came of it, and by task type."""
    ended_by_gate: Mapping[AttemptOutcome, Counter[int | None]] = field(
        default_factory=lambda: {outcome: Counter() for outcome in ATTEMPT_OUTCOMES}
    )
    """The attempts of ``ended_by_type`` by the gate of their task, since ``drain_gates`` was called
    last; None: it has none."""
    failures: FailureGroups = field(default_factory=FailureGroups)
    """What failed since they were drained last."""
    _down: Histogram = field(default_factory=lambda: Histogram(LATENESS_BOUNDS))
    _held: Histogram = field(default_factory=lambda: Histogram(LATENESS_BOUNDS))
    _own: Histogram = field(default_factory=lambda: Histogram(LATENESS_BOUNDS))
    _uncounted: list[tuple[Instant, Instant, int, int]] = field(default_factory=list)
    """The latest attempts, which the histograms do not count yet: what ``attempt_began`` was told."""
    _latest: Mapping[str, "array[int]"] = field(
        default_factory=lambda: {cause: array("q") for cause in LatenessByCause.__struct_fields__}
    )
    """The lateness of the attempts before them, by cause: ``LATENESS_KEPT`` at most."""
    _known_figures: tuple[int, tuple[Lateness, Mapping[str, CauseLateness]]] | None = None
    """The lateness figures, and how many attempts there were when they were made."""

    @property
    def created(self) -> int:
        """Tasks that callers have created."""
        return self.created_by_type.total()

    def attempt_began(self, due_at: Instant, started_at: Instant, down: int, held: int) -> None:
        """Count an attempt and how late it began; *down* and *held* as in ``by_cause``."""
        self.attempts += 1
        self._uncounted.append((due_at, started_at, down, held))
        if len(self._uncounted) == TOGETHER:
            self._count_up()

    @property
    def lateness_histograms(self) -> Mapping[str, Histogram]:
        """Of every attempt since the process started, by the members of ``LatenessByCause``, in microseconds.

        Each attempt counts once in each: what a cause has no part in is 0.
        """
        self._count_up()
        return {"down": self._down, "held": self._held, "own": self._own}

    def _count_up(self) -> None:
        """Have the histograms count the attempts that they have not counted yet."""
        if not self._uncounted:
            return
        downs, helds, owns = split_by_cause(self._uncounted)
        for cause, histogram, parts in (
            ("down", self._down, downs),
            ("held", self._held, helds),
            ("own", self._own, owns),
        ):
            histogram.observe_all(parts)
            kept = self._latest[cause]
            kept.extend(parts)
            del kept[:-LATENESS_KEPT]
        self._uncounted.clear()

    def tally(self) -> Tally:
        """Return what has been counted since the process started, but for gates and failures."""
        histograms = self.lateness_histograms
        return of_counters(
            created=self.created_by_type,
            attempts=self.ended_by_type,
            lateness={cause: histogram.counts for cause, histogram in histograms.items()},
            lateness_sum={cause: histogram.sum for cause, histogram in histograms.items()},
        )

    def drain_gates(self) -> Mapping[AttemptOutcome, Counter[int | None]]:
        """Return the attempts by gate that were counted since the last call."""
        drained = self.ended_by_gate
        self.ended_by_gate = {outcome: Counter() for outcome in ATTEMPT_OUTCOMES}
        return drained

    async def lateness(self) -> tuple[Lateness, Mapping[str, CauseLateness]]:
        """Return the nearest-rank percentiles of the latest attempts, in seconds; and those of each cause, with sums.

        They are of the attempts that have begun when it is called. The event loop has its turns meanwhile.
        """
        known = self._known_figures
        if known is None or known[0] != self.attempts:
            self._count_up()
            attempts = self.attempts
            parts = {cause: kept.tolist() for cause, kept in self._latest.items()}
            by_cause = {
                cause: CauseLateness(*_percentiles(await _in_order(each)), sum=instants.seconds(sum(each)))
                for cause, each in parts.items()
            }
            if any(parts["down"]) or any(parts["held"]):
                shown = _percentiles(await _in_order([*map(sum, zip(*parts.values(), strict=True))]))
            else:  # as nearly always
                shown = by_cause["own"].p50, by_cause["own"].p99, by_cause["own"].max
            known = self._known_figures = attempts, (Lateness(len(parts["own"]), *shown), by_cause)
        return known[1]

    def totals(self) -> Totals:
        """Return the counts."""
        return Totals(
            created=self.created,
            deleted=self.deleted,
            attempts=self.attempts,
            done=self.done,
            retried=self.retried,
            failed=self.failed,
            cancelled=self.cancelled,
            given_back=self.given_back,
            taken_back=self.taken_back,
            claims_lost=self.claims_lost,
            pruned=self.pruned,
        )


async def _in_order(durations: Sequence[int]) -> Sequence[int]:
    """Return *durations* in order. All at once take a millisecond or two: it sorts some, and then some more."""
    ordered: list[int] = []
    for start in range(0, len(durations), _SORTED_AT_ONCE):
        ordered += sorted(durations[start : start + _SORTED_AT_ONCE])
        await asyncio.sleep(0)
    ordered.sort()  # of parts that are in order it is soon done
    return ordered


def _percentiles(ordered: Sequence[int]) -> tuple[float | None, float | None, float | None]:
    """Return the median, the 99th percentile and the maximum of durations in order, by nearest rank, in seconds."""
    if not ordered:
        return None, None, None
    places = [-(-len(ordered) * hundredths // 100) - 1 for hundredths in (50, 99, 100)]
    p50, p99, most = (instants.seconds(ordered[place]) for place in places)
    return p50, p99, most
