"""What the HTTP client counts of its calls, in plain numbers."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

from tasker.egress.connector import Durations, Origin
from tasker.model.histogram import PHASE_BOUNDS, Histogram

DESTINATIONS_NAMED: Final = 50
"""How many destinations are told apart: the first that are called. They keep their names until the
process ends; all others are counted together."""

OTHERS: Final = "other"
"""What those are called."""

RESULTS: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""What came of a call: no status, or its class."""

PHASES: Final = ("lookup", "connect", "tls", "first_byte", "total")
"""The parts of a call. A call on a connection that was kept open has only the last two."""


class CallMeter:
    """Counts calls by phase, and by destination and result. Belongs to one event loop."""

    def __init__(self) -> None:
        self.phases: Mapping[str, Histogram] = {phase: Histogram(PHASE_BOUNDS) for phase in PHASES}
        """How long each phase took, in microseconds. ``connect`` is without TLS."""
        self._by_origin: dict[Origin, list[int]] = {}
        self._others = [0] * len(RESULTS)
        self._first_byte = self.phases["first_byte"]
        self._total = self.phases["total"]

    def ended(
        self, origin: Origin | None, durations: Durations, first_byte: float | None, total: float, status: int | None
    ) -> None:
        """Count a call.

        Args:
            origin: where it went; None: its URL says nothing that can be called.
            durations: how long its connection took; nothing there if it was open already.
            first_byte: seconds from the request to the answer's first byte; None: there was none.
            total: seconds from the beginning to the end.
            status: of the answer; None: there was none.
        """
        # Every call comes here: what is the same as Histogram.observe is written out.
        micros, histogram = int(total * 1_000_000), self._total
        histogram.counts[bisect_left(PHASE_BOUNDS, micros)] += 1
        histogram.sum += micros
        if first_byte is not None:
            micros, histogram = int(first_byte * 1_000_000), self._first_byte
            histogram.counts[bisect_left(PHASE_BOUNDS, micros)] += 1
            histogram.sum += micros
        if durations.connect is not None or durations.dns is not None:
            self._connected(durations)
        if origin is not None:
            results = self._by_origin.get(origin) or self._results_of(origin)
            results[0 if status is None else min(status // 100, 5)] += 1

    def by_destination(self) -> Mapping[str, Sequence[int]]:
        """Return the number of calls for each of ``RESULTS``, by host and port.

        The last one is ``OTHERS``, if there is any.
        """
        found: dict[str, list[int]] = {}
        for origin, results in self._by_origin.items():
            host = f"[{origin.host}]" if ":" in origin.host else origin.host
            _add(found.setdefault(f"{host}:{origin.port}", [0] * len(RESULTS)), results)
        if any(self._others):
            found[OTHERS] = list(self._others)
        return found

    def _results_of(self, origin: Origin) -> list[int]:
        if len(self._by_origin) >= DESTINATIONS_NAMED:
            return self._others
        return self._by_origin.setdefault(origin, [0] * len(RESULTS))

    def _connected(self, durations: Durations) -> None:
        tls = durations.tls or 0.0
        for phase, seconds in (
            ("lookup", durations.dns),
            ("connect", None if durations.connect is None else durations.connect - tls),
            ("tls", durations.tls),
        ):
            if seconds is not None:
                self.phases[phase].observe(max(int(seconds * 1_000_000), 0))


def _add(to: list[int], more: Sequence[int]) -> None:
    for place, count in enumerate(more):
        to[place] += count
