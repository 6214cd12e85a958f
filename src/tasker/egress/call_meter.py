"""What the HTTP client counts of its calls, in plain numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final

from tasker.egress.connector import Durations, Origin
from tasker.model.histogram import PHASE_BOUNDS, TOGETHER, Histogram

DESTINATIONS_NAMED: Final = 50
"""How many destinations are told apart: the first that are called. They keep their names until the
process ends; all others are counted together."""

OTHERS: Final = "other"
"""What those are called."""

RESULTS: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""What came of a call: no status, or its class."""

_WHERE_AND_HOW: Final = itemgetter(0, 1)
"""Of what is kept of a call: where it went, and the status."""

PHASES: Final = ("lookup", "connect", "tls", "first_byte", "total")
"""The parts of a call. A call on a connection that was kept open has only the last two."""


class CallMeter:
    """Counts calls by phase, and by destination and result. Belongs to one event loop."""

    def __init__(self) -> None:
        self._phases: Mapping[str, Histogram] = {phase: Histogram(PHASE_BOUNDS) for phase in PHASES}
        self._uncounted: list[tuple[Origin | None, int | None, float | None, float]] = []
        """Of the latest calls: where they went, the status, and the last two phases, which every call
        has."""
        self._by_origin: dict[Origin, list[int]] = {}
        self._others = [0] * len(RESULTS)

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
        self._uncounted.append((origin, status, first_byte, total))
        if len(self._uncounted) == TOGETHER:
            self._count_up()
        if durations.connect is not None or durations.dns is not None:
            self._connected(durations)

    @property
    def phases(self) -> Mapping[str, Histogram]:
        """How long each phase took, in microseconds. ``connect`` is without TLS."""
        self._count_up()
        return self._phases

    def by_destination(self) -> Mapping[str, Sequence[int]]:
        """Return the number of calls for each of ``RESULTS``, by host and port.

        The last one is ``OTHERS``, if there is any.
        """
        self._count_up()
        found: dict[str, list[int]] = {}
        for origin, results in self._by_origin.items():
            host = f"[{origin.host}]" if ":" in origin.host else origin.host
            _add(found.setdefault(f"{host}:{origin.port}", [0] * len(RESULTS)), results)
        if any(self._others):
            found[OTHERS] = list(self._others)
        return found

    def _results_of(self, origin: Origin) -> list[int]:
        if origin not in self._by_origin and len(self._by_origin) >= DESTINATIONS_NAMED:
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
                self._phases[phase].observe(max(int(seconds * 1_000_000), 0))

    def _count_up(self) -> None:
        """Count the calls that are not counted yet."""
        uncounted, self._uncounted = self._uncounted, []
        for (origin, status), calls in Counter(map(_WHERE_AND_HOW, uncounted)).items():
            if origin is not None:
                self._results_of(origin)[0 if status is None else min(status // 100, 5)] += calls
        self._phases["total"].observe_all([int(total * 1_000_000) for _, _, _, total in uncounted])
        self._phases["first_byte"].observe_all(
            [int(first_byte * 1_000_000) for _, _, first_byte, _ in uncounted if first_byte is not None]
        )


def _add(to: list[int], more: Sequence[int]) -> None:
    for place, count in enumerate(more):
        to[place] += count
