"""What the engine counts and measures, for ``/stats``."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tasker.model import instants
from tasker.wire.server import Lateness, Totals

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
    given_back: int = 0
    taken_back: int = 0
    claims_lost: int = 0
    pruned: int = 0
    _lateness: deque[int] = field(default_factory=lambda: deque(maxlen=LATENESS_KEPT))

    def attempt_began(self, lateness: int) -> None:
        """Count an attempt that began *lateness* microseconds after its due time."""
        self.attempts += 1
        self._lateness.append(lateness)

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
            given_back=self.given_back,
            taken_back=self.taken_back,
            claims_lost=self.claims_lost,
            pruned=self.pruned,
        )
