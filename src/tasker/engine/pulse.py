"""Whether the jobs of the engine get on: a watchdog asks."""

from tasker.timing.clock import Clock


class Pulse:
    """Knows when each job reports next, at the latest.

    A job reports when it begins with a step, and says for how long it rests after one. So a job that
    waits for something that never comes is as silent as one that has died, or as all of them while the
    event loop hangs. A step that fails is no silence: while a database is down, jobs get on.
    """

    def __init__(self, clock: Clock) -> None:
        """Make it: no job has reported yet.

        Args:
            clock: the clock by which jobs rest.
        """
        self._clock = clock
        self._awaited: dict[str, float] = {}
        """When each reports next, by the monotonic clock."""

    def beat(self, job: str, *, rest: float = 0.0) -> None:
        """Say that *job* begins with a step, or does so in *rest* seconds at the latest. Watched from then on."""
        self._awaited[job] = self._clock.monotonic() + rest

    def end(self, job: str) -> None:
        """Say that *job* is over, as it should be. No effect if it never began."""
        self._awaited.pop(job, None)

    def silent(self, longest: float) -> str | None:
        """Return the job that has been silent the longest, if for more than *longest* seconds; None: all get on."""
        if not self._awaited:
            return None
        job = min(self._awaited, key=self._awaited.__getitem__)
        return job if self._clock.monotonic() - self._awaited[job] > longest else None
