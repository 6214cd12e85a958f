"""Moments: RFC 3339 text on the outside, whole microseconds since 1970 UTC on the inside."""

import re
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

from tasker.errors import cut

Instant: TypeAlias = int
"""A moment as microseconds since 1970-01-01T00:00:00 UTC, leap seconds not counted."""

SECOND: Final = 1_000_000
"""Microseconds in a second."""

LAST: Final[Instant] = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z, the last moment a task can be due."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - without a zone, which its texts would name as +00:00
_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


def parse(text: str) -> Instant:
    """Return the moment that the RFC 3339 date-time *text* names, rounded up to a whole microsecond.

    Rounding up keeps a task from starting early when its time has more digits than the store. A leap second
    (``:60``) is the second after. The letters may be lower case, the offset may be anything up to 23:59.

    Source: RFC 3339, section 5.6.

    Raises:
        ValueError: *text* is not such a time, or lies beyond the year 9999 in UTC. The message says what would be right.

    >>> parse("1970-01-01T01:00:00.0000001+01:00")
    1
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"expected an RFC 3339 time with an offset, such as 2126-02-10T16:30:00+01:00, got: {_shown(text)}")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH.toordinal()
    except ValueError:
        raise ValueError(f"expected a day of the calendar, got: {_shown(text)}") from None
    seconds = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if sign is not None:
        offset = int(offset_hours) * 3_600 + int(offset_minutes) * 60
        seconds += offset if sign == "-" else -offset
    moment = seconds * SECOND
    if fraction is not None:
        moment += int(fraction[:6].ljust(6, "0"))
        if fraction[6:].strip("0"):
            moment += 1
    if moment > LAST:
        raise ValueError(f"expected a time up to the year 9999 in UTC, got: {_shown(text)}")
    return moment


def text(moment: Instant) -> str:
    """Return *moment*, of the years 1 to 9999, as RFC 3339 text in UTC with six digits after the point.

    >>> text(0)
    '1970-01-01T00:00:00.000000Z'
    """
    return f"{(_EPOCH + timedelta(microseconds=moment)).isoformat(timespec='microseconds')}Z"


def after(moment: Instant, delay: timedelta) -> Instant:
    """Return the moment *delay* after *moment*, at the latest ``LAST``."""
    return min(moment + delay // timedelta(microseconds=1), LAST)


def seconds(duration: int) -> float:
    """Return a *duration* between two instants, which is in microseconds, in seconds."""
    return duration / SECOND


def _shown(text: str) -> str:
    """Shorten what a user sent, so that an error message stays a line."""
    return repr(cut(text))
