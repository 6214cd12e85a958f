"""What the engine counts and measures, in plain numbers."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from tasker.model import instants
from tasker.model.failures import FailureGroups
from tasker.model.histogram import LATENESS_BOUNDS, TOGETHER, Histogram
from tasker.model.history import Tally, of_counters
from tasker.model.lateness import LatenessByCause
from tasker.model.stats import ATTEMPT_OUTCOMES, AttemptOutcome, CauseLateness, Lateness, Totals

LATENESS_KEPT: Final = 10_000
"""How many of the latest attempts the lateness figures speak of."""


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
    _uncounted: int = 0
    """How many of the latest attempts the histograms do not count yet."""
    _lateness: deque[LatenessByCause] = field(default_factory=lambda: deque(maxlen=LATENESS_KEPT))

    @property
    def created(self) -> int:
        """Tasks that callers have created."""
        return self.created_by_type.total()

    def attempt_began(self, lateness: LatenessByCause) -> None:
        """Count an attempt and how late it began."""
        self.attempts += 1
        self._lateness.append(lateness)
        self._uncounted += 1
        if self._uncounted == TOGETHER:
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
        latest = list(islice(reversed(self._lateness), self._uncounted))
        self._uncounted = 0
        self._down.observe_all([each.down for each in latest])
        self._held.observe_all([each.held for each in latest])
        self._own.observe_all([each.own for each in latest])

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

    def lateness(self) -> Lateness:
        """Return the nearest-rank percentiles of the latest attempts, in seconds."""
        return Lateness(len(self._lateness), *_percentiles(each.total for each in self._lateness))

    def lateness_by_cause(self) -> Mapping[str, CauseLateness]:
        """Return the same of each cause, and the sums."""
        found = {}
        for cause in LatenessByCause.__struct_fields__:
            parts = [getattr(each, cause) for each in self._lateness]
            found[cause] = CauseLateness(*_percentiles(parts), sum=instants.seconds(sum(parts)))
        return found

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


def _percentiles(durations: Iterable[int]) -> tuple[float | None, float | None, float | None]:
    """Return the median, the 99th percentile and the maximum of *durations*, by nearest rank, in seconds."""
    ordered = sorted(durations)
    if not ordered:
        return None, None, None
    places = [-(-len(ordered) * hundredths // 100) - 1 for hundredths in (50, 99, 100)]
    p50, p99, most = (instants.seconds(ordered[place]) for place in places)
    return p50, p99, most
