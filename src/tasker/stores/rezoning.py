"""What newer time zones make of a task that waits: the rule, for every store."""

from collections.abc import Callable

from msgspec import Struct

from tasker.model import walls, zones
from tasker.model.instants import Instant


class Moved(Struct, frozen=True):
    """When a task is due by newer zones."""

    at: Instant
    text: str
    """The same as ``execution_time``."""


def moved(
    due_at: Instant,
    execution_at: Instant,
    attempts: int,
    local_time: str,
    time_zone: str,
    *,
    place: Callable[[str, str], Instant | None],
    now: Instant,
) -> Moved | None:
    """Return when a task with a local time is due by newer zones; None: when it was.

    So it is if it has run, or has been given another time, such as that of a retry.

    Args:
        place: see ``Store.rezone``.
    """
    if attempts or due_at != execution_at:
        return None
    moment = place(local_time, time_zone)
    if moment is None:
        return None
    at = max(moment, min(execution_at, now))  # what is due already has waited since
    if at == execution_at:
        return None
    return Moved(at, walls.text_with_offset(at, zones.zone_named(time_zone)))
