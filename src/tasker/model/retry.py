"""When a failed task runs again: a pure rule."""

from datetime import timedelta
from functools import lru_cache
from typing import Final

import msgspec


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a task whose attempt failed runs again: exponential backoff, or a schedule of waits; with jitter."""

    max_attempts: int = 10
    """Attempts in total, the first one included. 1 means never retry."""

    initial_delay: timedelta = timedelta(seconds=1)
    """Wait after the first failure; grows by ``factor`` with each further one. In JSON: seconds."""

    factor: float = 3.0
    """What each further wait is multiplied by. 1 means always the same wait."""

    max_delay: timedelta = timedelta(hours=6)
    """The longest wait, after jitter too. In JSON: seconds."""

    jitter: float = 0.1
    """Each wait is multiplied by a random factor in [1 - jitter, 1 + jitter], so that tasks that
    failed together spread out."""

    max_age: timedelta | None = None
    """No retry is due later than so long after the execution time; None: there is no such end. In
    JSON: seconds."""

    schedule: tuple[timedelta, ...] = ()
    """The waits one by one, in place of ``initial_delay`` and ``factor``; after the last of them
    that one again."""

    def delay_after(self, attempt: int, *, rand: float) -> timedelta | None:
        """Return the wait after attempt number *attempt* (from 1) failed, or None when none is left.

        Args:
            attempt: the number of the attempt that failed.
            rand: a random number in [0, 1), which picks the factor of the jitter.

        >>> RetryPolicy(jitter=0).delay_after(2, rand=0.5)
        datetime.timedelta(seconds=3)
        >>> RetryPolicy(max_attempts=3).delay_after(3, rand=0.5) is None
        True
        """
        if attempt >= self.max_attempts:
            return None
        ceiling = self.max_delay.total_seconds()
        wait = min(self._steady_wait(attempt), ceiling)
        wait *= 1 - self.jitter + 2 * self.jitter * rand
        return timedelta(seconds=min(wait, ceiling))  # again: jitter may have pushed it past the ceiling

    def waits_after(self, attempts: int) -> timedelta:
        """Return how long the waits after the first *attempts* attempts are, together and without jitter.

        >>> RetryPolicy(max_attempts=4).waits_after(2)
        datetime.timedelta(seconds=4)
        """
        return _waits_after(self, attempts)

    def patience(self) -> timedelta:
        """Return how long all the waits are, together and without jitter; no longer than ``max_age``.

        >>> RetryPolicy(max_attempts=4).patience(), RetryPolicy(max_attempts=1).patience()
        (datetime.timedelta(seconds=13), datetime.timedelta(0))
        """
        waits = self.waits_after(self.max_attempts - 1)
        return waits if self.max_age is None else min(waits, self.max_age)

    def _steady_wait(self, attempt: int) -> float:
        """Seconds, before jitter."""
        if self.schedule:
            return self.schedule[min(attempt, len(self.schedule)) - 1].total_seconds()
        try:
            return self.initial_delay.total_seconds() * self.factor ** (attempt - 1)
        except OverflowError:
            return self.max_delay.total_seconds() if self.initial_delay else 0.0


@lru_cache(maxsize=1024)  # most tasks have one of a few policies
def _waits_after(policy: RetryPolicy, attempts: int) -> timedelta:
    ceiling = policy.max_delay.total_seconds()
    waits = (min(policy._steady_wait(attempt), ceiling) for attempt in range(1, attempts + 1))  # noqa: SLF001
    return timedelta(seconds=sum(waits))


STANDARD: Final = RetryPolicy(
    schedule=(
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    ),
    max_attempts=10,
    max_delay=timedelta(hours=30),
    jitter=0.2,
)
"""Ten attempts over some 75 hours. Source: the example schedule of Standard Webhooks 1.0.0, with
jitter as Svix has it."""
