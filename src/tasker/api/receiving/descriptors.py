"""How many callers may be connected.

The system grants a process so many descriptors, and callers must not take the last.
"""

import resource
import sys
from typing import Final

import structlog

from tasker.timing.clock import Clock

LOG_SECONDS: Final = 10.0
"""How often the log says that callers were turned away, at most."""

_log = structlog.get_logger()


def waiters_that_fit(kept: int) -> int:
    """Return how many callers may wait for something to happen: half of all descriptors.

    At least a quarter of those for callers are left to others, who want to be answered now.

    Args:
        kept: see ``Descriptors``.
    """
    limit, of_callers = _granted(kept)
    return min(limit // 2, of_callers * 3 // 4)


def _granted(kept: int) -> tuple[int, int]:
    """Return how many descriptors the process has, and how many of them are for callers."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        limit = sys.maxsize
    return limit, max(limit - kept, limit // 2)


class Descriptors:
    """Tells which callers there is a descriptor for, and logs that some were turned away.

    It logs not each of them, but how many. Without it the event loop would accept callers until
    none is left, and then drop them without a word (libuv), while the database and the webhooks
    found none either.
    """

    def __init__(self, clock: Clock, *, kept: int) -> None:
        """Look at the limit of the process.

        Args:
            kept: descriptors that callers do not get, but at most half of all.
        """
        self._limit, self._of_callers = _granted(kept)
        self._clock = clock
        self._turned_away = 0
        self._is_waiting = False  # before it logs again

    def has_room_for(self, descriptor: int) -> bool:
        """Return whether the caller who was given *descriptor* may stay.

        The system gives the lowest number that is free (POSIX.1-2017, 2.14), so that the number
        says how many are in use.
        """
        if descriptor < self._of_callers:
            return True
        self._turned_away += 1
        if not self._is_waiting:
            self._log()
        return False

    def _log(self) -> None:
        self._is_waiting = self._turned_away > 0
        if self._is_waiting:
            _log.warning(
                "callers were turned away: too many connections for the limit of open files (ulimit -n)",
                count=self._turned_away,
                files_for_callers=self._of_callers,
                limit=self._limit,
            )
            self._turned_away = 0
            self._clock.call_later(LOG_SECONDS, self._log)
