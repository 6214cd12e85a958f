"""Moves what waits by newer time zones."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from tasker.errors import StoreError
from tasker.interfaces.store import Store
from tasker.model import walls, zones
from tasker.model.instants import Instant
from tasker.model.task import TaskId
from tasker.timing.alarm import sleep

LOOK: Final = timedelta(minutes=1)
"""How often it is looked for tasks that nodes with older zones have stored meanwhile."""

AGAIN: Final = timedelta(seconds=1)
"""After this time it is tried again to reach the store."""

_log = structlog.get_logger()


class Rezoning:
    """Finds the moments of what waits anew where older zones than this node's have found them.

    These are tasks with a local time, and the queued runs of schedules. If the store has seen newer
    zones than this node's, all stays as it is. Any number of nodes may do so at once.
    """

    def __init__(
        self,
        store: Store,
        *,
        reschedule: Callable[[], Awaitable[int]],
        moved: Callable[[Sequence[TaskId]], Awaitable[None]],
        ring: Callable[[], None],
        version: str = zones.VERSION,
    ) -> None:
        """Make the job.

        Args:
            reschedule: does the same for schedules, and returns of how many the run was replaced.
            moved: called with tasks that have moved.
            ring: called when tasks have moved: they may be due.
            version: of this node's zones.
        """
        self._store = store
        self._reschedule = reschedule
        self._moved = moved
        self._ring = ring
        self._version = version
        self._is_newest = False

    async def until_done(self, *, is_stopped: Callable[[], bool]) -> None:
        """Return once all that waits now is moved, or as soon as the node stops. Done before the node claims.

        While the store cannot be reached, it is tried again and again.
        """
        while not is_stopped():
            try:
                await self._move_all(is_stopped)
            except StoreError as error:
                _log.warning("cannot look for what newer time zones move, trying again", reason=str(error))
                await sleep(self._store.clock, AGAIN.total_seconds())
            except Exception:  # noqa: BLE001 - the node must claim all the same
                _log.exception("cannot look for what newer time zones move")
                return
            else:
                return

    async def run_once(self) -> timedelta:
        """Move some tasks that nodes with older zones have stored since the start. Return after how long to go on.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or everything, was written.
        """
        if not self._is_newest:
            return LOOK
        rezoned = await self._store.rezone(self._version, place)
        if rezoned.moved:
            _log.info("newer time zones: moved what waits", zones=self._version, tasks=len(rezoned.moved))
            self._ring()
            await self._moved(rezoned.moved)
        return timedelta(0) if rezoned.looked_at else LOOK

    async def _move_all(self, is_stopped: Callable[[], bool]) -> None:
        newest = await self._store.zones()
        if newest > self._version:
            _log.warning(
                "the time zones of this node are older than those of others or of an earlier start: it moves nothing, "
                "and may find other moments for new tasks and runs; update the package tzdata",
                zones=self._version,
                newest=newest,
            )
            return
        moved = 0
        while not is_stopped():
            rezoned = await self._store.rezone(self._version, place)
            moved += len(rezoned.moved)
            await self._moved(rezoned.moved)
            if not rezoned.looked_at:
                break
        else:
            return
        self._is_newest = True
        if newest == self._version:
            return
        schedules = await self._reschedule()
        await self._store.note_zones(self._version)
        if newest:  # else this is the first start
            _log.info(
                "newer time zones: moved what waits",
                zones=self._version,
                before=newest,
                tasks=moved,
                schedules=schedules,
            )


def place(local_time: str, time_zone: str) -> Instant | None:
    """Return the moment of a local time by this node's zones; None: it is not known here."""
    try:
        return walls.moment_of(local_time, zones.zone_named(time_zone))[0]
    except ValueError:
        return None
