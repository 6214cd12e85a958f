"""When a destination that fails is left alone: a circuit breaker, as a pure rule.

Source: Michael Nygard, *Release It!*, on the pattern and its three states.
"""

from datetime import timedelta
from enum import Enum
from typing import Final

import msgspec

from tasker.model.instants import Instant, after

THRESHOLD: Final = 10
"""Failures in a row, all of them the destination's own fault, that open its circuit."""

FIRST_WAIT: Final = timedelta(seconds=5)
"""How long a circuit stays open at first. Each probe that fails doubles it."""

LONGEST_WAIT: Final = timedelta(minutes=5)


class CircuitState(Enum):
    """What may be called."""

    CLOSED = "closed"
    """Everything: the destination works, as far as is known."""
    OPEN = "open"
    """Nothing."""
    HALF_OPEN = "half_open"
    """One attempt at a time, as a probe."""


class Circuit(msgspec.Struct, frozen=True):
    """What is remembered of a destination's failures."""

    failures: int = 0
    """In a row. Stands still while the circuit is open: what was under way when it opened tells
    nothing new."""
    open_until: Instant = 0
    """When the next probe may start. Means something from ``THRESHOLD`` failures on."""
    broken_since: Instant | None = None
    """When the circuit left *closed*: probes that fail do not change it. None: it is closed, or
    nobody took it down."""

    def state(self, now: Instant) -> CircuitState:
        """What may be called at *now*."""
        if self.failures < THRESHOLD:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self.open_until > now else CircuitState.HALF_OPEN

    def heard(self, is_alive: bool, now: Instant) -> "Circuit":
        """Return the circuit after an attempt ended at *now* that showed whether the destination works.

        >>> broken = Circuit(failures=9).heard(False, now=0)
        >>> broken.state(0), broken.state(5_000_000), broken.heard(False, now=5_000_000).open_until
        (<CircuitState.OPEN: 'open'>, <CircuitState.HALF_OPEN: 'half_open'>, 15000000)
        """
        if is_alive:
            return _CLOSED
        if self.state(now) is CircuitState.OPEN:
            return self
        failures = self.failures + 1
        if failures < THRESHOLD:
            return Circuit(failures)
        since = now if failures == THRESHOLD or self.broken_since is None else self.broken_since
        return Circuit(failures, after(now, _wait(failures - THRESHOLD)), since)


def _wait(probes: int) -> timedelta:
    """How long a circuit stays open after so many probes have failed."""
    return min(FIRST_WAIT * (1 << min(probes, 16)), LONGEST_WAIT)


_CLOSED: Final = Circuit()
