"""What the clocks of a zone show, and the moment at which they do.

The zone is handed in, whoever knows it: see ``zones.py`` for those of a server.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from tasker.errors import cut
from tasker.model import instants
from tasker.model.instants import LAST, SECOND, Instant

Wall: TypeAlias = int
"""What a clock on the wall shows, as microseconds since it showed 1970-01-01T00:00:00."""

_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?", re.ASCII)
_EXAMPLE: Final = "such as 2027-03-28T09:00:00"
_DAY: Final = r"\d{4}-\d\d-\d\d"
_TIME: Final = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_MISTAKES: Final = tuple(
    (re.compile(pattern, re.ASCII), right)
    for pattern, right in (
        (rf"{_DAY}[Tt ]{_TIME} ?(?:[Zz]|[+-]\d\d(?::?\d\d)?)", "no offset: time_zone says what it is"),
        (_DAY, "a time of day after the day"),
        (rf"{_DAY} {_TIME}", "a T between the day and the time of day"),
        (rf"{_DAY}[Tt]\d\d:\d\d", "seconds after the minutes"),
        (rf"{_DAY}[Tt]{_TIME}", "hours up to 23, minutes up to 59 and seconds up to 60"),
    )
)
"""What people write in place of a local time, and what would be right."""
_WALL_START: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock shows has no zone
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class TimeNote(Enum):
    """What is special about a local time. The words are what users see."""

    NORMAL = "normal"
    """Nothing: the clocks show it once."""
    MOVED_BY_GAP = "moved_by_gap"
    """The clocks are put forward over it: it is the first moment after that."""
    FIRST_OF_TWO = "first_of_two"
    """The clocks are put back, and show it again later: it is the first time."""
    SECOND_OF_TWO = "second_of_two"
    """The second time. Only what follows the clock has it: a local time that somebody wrote never does."""


class Place(Struct, frozen=True):
    """Where a local time lies."""

    first: Instant
    """When the clocks show it first; of one that they pass over, the first moment after the gap."""
    second: Instant | None
    """When they show it again; None: they do not."""
    note: TimeNote
    """Of ``first``."""


def parse(local_time: str) -> Wall:
    """Return what the clock shows at *local_time*, rounded up to a whole microsecond, as ``instants.parse`` does.

    Raises:
        ValueError: it is no date and time without an offset. The message says what would be right.

    >>> parse("1970-01-01T00:00:01")
    1000000
    """
    if not _LOCAL.fullmatch(local_time):
        right = next((right for pattern, right in _MISTAKES if pattern.fullmatch(local_time)), None)
        raise ValueError(f"expected {right or 'a date and a time of day'}, {_EXAMPLE}, got: {cut(local_time)!r}")
    try:
        return instants.parse(f"{local_time}Z")
    except ValueError:
        raise ValueError(f"expected a day of the calendar up to the year 9999, got: {cut(local_time)!r}") from None


def text(wall: Wall) -> str:
    """Return *wall* as text that ``parse`` reads.

    >>> text(1_000_000)
    '1970-01-01T00:00:01'
    """
    return (_WALL_START + wall * _MICROSECOND).isoformat()


def wall_at(moment: Instant, zone: tzinfo) -> Wall:
    """Return what the clocks of *zone* show at *moment*.

    Raises:
        OverflowError: that is before the year 1 or after the year 9999.
    """
    return moment + _offset_at(moment, zone)


def place(wall: Wall, zone: tzinfo) -> Place:
    """Return when the clocks of *zone* show *wall*."""
    naive = _WALL_START + wall * _MICROSECOND
    before, after = (_offset(naive.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if before == after:
        return Place(wall - before, None, TimeNote.NORMAL)
    if before > after:
        return Place(wall - before, wall - after, TimeNote.FIRST_OF_TWO)
    return Place(_gap_end(wall - after, wall - before, zone), None, TimeNote.MOVED_BY_GAP)


def moment_of(local_time: str, zone: tzinfo) -> tuple[Instant, TimeNote]:
    """Return the moment at which the clocks of *zone* show *local_time*, and what is special about it.

    One that does not exist is the first moment after the gap, one that comes twice the first.

    Raises:
        ValueError: it is no local time, or lies beyond the year 9999 in UTC. The message says what
            would be right.

    >>> from zoneinfo import ZoneInfo
    >>> moment, note = moment_of("2027-03-28T02:30:00", ZoneInfo("Europe/Berlin"))
    >>> instants.text(moment), note.value
    ('2027-03-28T01:00:00.000000Z', 'moved_by_gap')
    """
    placed = place(parse(local_time), zone)
    if placed.first > LAST:
        raise ValueError(f"expected a time up to the year 9999 in UTC, got: {cut(local_time)!r}")
    return placed.first, placed.note


@lru_cache(maxsize=1_024)  # runs of many schedules are due at the same times
def text_with_offset(moment: Instant, zone: tzinfo) -> str:
    """Return *moment* as RFC 3339 text, in the local time of *zone* with its offset.

    The offset is rounded to whole minutes where that of the zone has seconds, and the time with it:
    the text names the same moment. In UTC where the local time is beyond the years 1 to 9999.

    >>> from zoneinfo import ZoneInfo
    >>> text_with_offset(0, ZoneInfo("Europe/Berlin"))
    '1970-01-01T01:00:00+01:00'
    """
    try:
        minutes = round(_offset_at(moment, zone) / (60 * SECOND))
        local = (_WALL_START + (moment + minutes * 60 * SECOND) * _MICROSECOND).isoformat()
    except OverflowError:
        return instants.text(moment)
    sign = "-" if minutes < 0 else "+"
    return f"{local}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _offset_at(moment: Instant, zone: tzinfo) -> int:
    return _offset((_START + moment * _MICROSECOND).astimezone(zone))


def _offset(moment: datetime) -> int:
    """Microseconds by which the clocks are ahead of UTC."""
    offset = moment.utcoffset()
    assert offset is not None  # noqa: S101 - it has a zone
    return offset // _MICROSECOND


def _gap_end(before: Instant, after: Instant, zone: tzinfo) -> Instant:
    """Return when the clocks were put forward: between *before*, when they were not yet, and *after*.

    Clocks are put forward at whole seconds.
    """
    low, high = before // SECOND, -(-after // SECOND)
    old = _offset_at(low * SECOND, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(middle * SECOND, zone) == old:
            low = middle
        else:
            high = middle
    return high * SECOND
