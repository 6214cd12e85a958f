"""What the engine counts and measures, for ``/stats``."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tasker.model import instants
from tasker.model.instants import Instant
from tasker.model.stats import Lateness, Totals

LATENESS_KEPT: Final = 10_000
"""How many of the latest attempts the lateness figures speak of."""


@dataclass(kw_only=True)
class Telemetry:
    """Counts since the process started, and the lateness of the latest attempts. Belongs to one event loop."""

    created: int = 0
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
    _lateness: deque[int] = field(default_factory=lambda: deque(maxlen=LATENESS_KEPT))
    """In microseconds, as the difference of two instants."""

    def attempt_began(self, *, due_at: Instant, started_at: Instant) -> None:
        """Count an attempt and how late it began. Where a clock was set back meanwhile, it was not late."""
        self.attempts += 1
        self._lateness.append(max(started_at - due_at, 0))

    def lateness(self) -> Lateness:
        """Return the nearest-rank percentiles of the latest attempts, in seconds."""
        ordered = sorted(self._lateness)
        count = len(ordered)

        def percentile(hundredths: int) -> float | None:
            return instants.seconds(ordered[-(-count * hundredths // 100) - 1]) if ordered else None

        return Lateness(count, p50=percentile(50), p99=percentile(99), max=percentile(100))

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
