"""When a failed task runs again: a pure rule."""

from datetime import timedelta

import msgspec


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a task whose attempt failed runs again: exponential backoff with jitter."""

    max_attempts: int = 10
    """Attempts in total, the first one included. 1 means never retry."""

    initial_delay: timedelta = timedelta(seconds=1)
    """Wait after the first failure; grows by ``factor`` with each further one. In JSON: seconds."""

    factor: float = 3.0
    """What each further wait is multiplied by. 1 means always the same wait."""

    max_delay: timedelta = timedelta(hours=6)
    """The longest wait, after jitter too. In JSON: seconds."""

    jitter: float = 0.1
    """Each wait is multiplied by a random factor in [1 - jitter, 1 + jitter], so that tasks that failed together spread out."""

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
        try:
            wait = min(self.initial_delay.total_seconds() * self.factor ** (attempt - 1), ceiling)
        except OverflowError:
            wait = ceiling if self.initial_delay else 0.0
        wait *= 1 - self.jitter + 2 * self.jitter * rand
        return timedelta(seconds=min(wait, ceiling))  # again: jitter may have pushed it past the ceiling
