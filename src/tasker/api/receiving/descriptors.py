"""How many callers may be connected.

The system grants a process so many descriptors, and callers must not take the last.
"""

import resource
from typing import Final

import structlog

from tasker.timing.clock import Clock

LOG_SECONDS: Final = 10.0
"""How often the log says that callers were turned away, at most."""

_log = structlog.get_logger()


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
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._limit = limit
        self._of_callers = None if limit == resource.RLIM_INFINITY else max(limit - kept, limit // 2)
        self._clock = clock
        self._turned_away = 0
        self._is_waiting = False  # before it logs again

    def has_room_for(self, descriptor: int) -> bool:
        """Return whether the caller who was given *descriptor* may stay.

        The system gives the lowest number that is free (POSIX.1-2017, 2.14), so that the number
        says how many are in use.
        """
        if self._of_callers is None or descriptor < self._of_callers:
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
