"""When a destination that fails is left alone: a circuit breaker, as a pure rule.

Source: Michael Nygard, *Release It!*, on the pattern and its three states.
"""

from datetime import timedelta
from enum import Enum
from typing import Final

import msgspec
from msgspec.structs import replace

from tasker.model.instants import SECOND, Instant, after

THRESHOLD: Final = 10
"""Failures in a row, all of them the destination's own fault, that open its circuit."""

FIRST_WAIT: Final = timedelta(seconds=5)
"""How long a circuit stays open at first. Each probe that fails doubles it."""

LONGEST_WAIT: Final = timedelta(minutes=5)

RECOVERY: Final = 10
"""For so many seconds after its circuit has closed a destination is let in by doubling."""


class CircuitState(Enum):
    """What may be called."""

    CLOSED = "closed"
    """Everything: the destination works, as far as is known."""
    OPEN = "open"
    """Nothing."""
    HALF_OPEN = "half_open"
    """One attempt at a time, as a probe."""
    RECOVERING = "recovering"
    """A few, and twice as many with each second: it has closed a moment ago."""


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
    closed_at: Instant | None = None
    """When the circuit closed last; None: it is not closed, or it never was open."""

    def state(self, now: Instant) -> CircuitState:
        """What may be called at *now*."""
        if self.failures >= THRESHOLD:
            return CircuitState.OPEN if self.open_until > now else CircuitState.HALF_OPEN
        if self.closed_at is not None and 0 <= now - self.closed_at < RECOVERY * SECOND:
            return CircuitState.RECOVERING
        return CircuitState.CLOSED

    def recovery_room(self, *, let_in: int, running: int, now: Instant) -> int:
        """Return how many may start at *now* while it is recovering, 0 or more.

        In the first second after it closed that is 1, in the second 2, then 4, and so on; and so
        many at most run at once. What was not used in one second may be used later.

        Args:
            let_in: how many have started since it closed.
            running: how many are running.

        >>> circuit = Circuit(closed_at=0)
        >>> circuit.recovery_room(let_in=0, running=0, now=0), circuit.recovery_room(let_in=3, running=1, now=2_000_000)
        (1, 3)
        """
        most = 1 << self._seconds_closed(now)
        return max(min(2 * most - 1 - let_in, most - running), 0)

    def next_step_at(self, now: Instant) -> Instant:
        """When more may start than at *now*, while it is recovering, whether others end or not."""
        return now if self.closed_at is None else self.closed_at + (self._seconds_closed(now) + 1) * SECOND

    def _seconds_closed(self, now: Instant) -> int:
        return 0 if self.closed_at is None else (now - self.closed_at) // SECOND

    def heard(self, is_alive: bool, now: Instant) -> "Circuit":
        """Return the circuit after an attempt ended at *now* that showed whether the destination works.

        >>> broken = Circuit(failures=9).heard(False, now=0)
        >>> broken.state(0), broken.state(5_000_000), broken.heard(False, now=5_000_000).open_until
        (<CircuitState.OPEN: 'open'>, <CircuitState.HALF_OPEN: 'half_open'>, 15000000)
        """
        if is_alive:
            if self.failures >= THRESHOLD:
                return Circuit(closed_at=now)
            return replace(self, failures=0) if self.failures else self
        if self.state(now) is CircuitState.OPEN:
            return self
        failures = self.failures + 1
        if failures < THRESHOLD:
            return replace(self, failures=failures)
        since = now if failures == THRESHOLD or self.broken_since is None else self.broken_since
        return Circuit(failures, after(now, _wait(failures - THRESHOLD)), since)


def turned(circuit: Circuit) -> CircuitState:
    """Return what *circuit* has turned to by what it heard last, if it has turned: ``OPEN`` or ``CLOSED``."""
    return CircuitState.OPEN if circuit.failures >= THRESHOLD else CircuitState.CLOSED


def _wait(probes: int) -> timedelta:
    """How long a circuit stays open after so many probes have failed."""
    return min(FIRST_WAIT * (1 << min(probes, 16)), LONGEST_WAIT)
