"""Moments: RFC 3339 text on the outside, whole microseconds since 1970 UTC on the inside."""

import re
from datetime import UTC, date, datetime, timedelta
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
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_USUAL: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:[0-5]\d)",
    re.ASCII,
)
"""What Python reads as RFC 3339 does, or not at all, and much quicker than it can be done here."""
_EPOCH_IN_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = r"\d{4}-\d\d-\d\d"
_TIME: Final = r"\d\d:\d\d:\d\d(?:\.\d+)?"
_OFFSET: Final = r"(?:[Zz]|[+-]\d\d:\d\d)"
_MISTAKES: Final = tuple(
    (re.compile(pattern, re.ASCII), right)
    for pattern, right in (
        (_DAY, "a time of day and an offset after the day"),
        (rf"{_DAY}[Tt ]{_TIME}", "an offset at the end, Z for UTC"),
        (rf"{_DAY} {_TIME}{_OFFSET}", "a T between the day and the time of day"),
        (rf"{_DAY}[Tt ]{_TIME} {_OFFSET}", "no blank before the offset"),
        (rf"{_DAY}[Tt ]{_TIME}[+-]\d{{2}}(?:\d{{2}})?", "an offset in hours and minutes with a colon between them"),
        (rf"{_DAY}[Tt ]\d\d:\d\d{_OFFSET}?", "seconds after the minutes"),
        (rf"{_DAY}[Tt ]\d\d:\d\d:\d\d,\d+{_OFFSET}", "a point before the fraction of the second"),
        (
            rf"{_DAY}[Tt ]{_TIME}{_OFFSET}",
            "hours up to 23, minutes up to 59, seconds up to 60 and an offset up to 23:59",
        ),
    )
)
"""What people write in place of RFC 3339, and what would be right."""
_NUMBER: Final = re.compile(r"\d{1,19}(?:\.\d+)?", re.ASCII)
_SINCE_1970: Final = (10**8, 10**10)
"""Seconds between 1973 and 2286: a number between them is likely to be a time that a program
wrote."""


def parse(text: str) -> Instant:
    """Return the moment that the RFC 3339 date-time *text* names, rounded up to a whole microsecond.

    Rounding up keeps a task from starting early when its time has more digits than the store. A
    leap second (``:60``) is the second after. The letters may be lower case, the offset may be
    anything up to 23:59.

    Source: RFC 3339, section 5.6.

    Raises:
        ValueError: *text* is not such a time, or lies beyond the year 9999 in UTC. The message says
            what would be right.

    >>> parse("1970-01-01T01:00:00.0000001+01:00")
    1
    """
    moment = _usual(text)
    if moment is not None and moment <= LAST:
        return moment
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{_what_is_wrong(text)}, got: {_shown(text)}")
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


def _usual(text: str) -> Instant | None:
    """Return the moment that *text* names; None if it takes more to find that out."""
    if not _USUAL.fullmatch(text):
        return None
    try:
        since = datetime.fromisoformat(text) - _EPOCH_IN_UTC
    except ValueError:  # no day of the calendar, no time of the day
        return None
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def _what_is_wrong(text: str) -> str:
    """Say what would be right where *text* is no time of RFC 3339: the nearest mistake that has a name."""
    example = "such as 2126-02-10T16:30:00+01:00"
    if _NUMBER.fullmatch(text):
        number = float(text[:20])
        for unit, per_second in (("seconds", 1), ("milliseconds", 1_000)):
            if _SINCE_1970[0] <= number / per_second <= _SINCE_1970[1]:
                meant = (_EPOCH + timedelta(seconds=round(number / per_second))).isoformat()
                return f"expected an RFC 3339 time, {example}; if these are {unit} since 1970, write {meant}Z"
        return f"expected an RFC 3339 time, {example}"
    for pattern, right in _MISTAKES:
        if pattern.fullmatch(text):
            return f"expected {right}, {example}"
    return f"expected an RFC 3339 time with an offset, {example}"


def text(moment: Instant) -> str:
    """Return *moment*, of the years 1 to 9999, as RFC 3339 text in UTC with six digits after the point.

    >>> text(0)
    '1970-01-01T00:00:00.000000Z'
    """
    return f"{(_EPOCH + timedelta(microseconds=moment)).isoformat(timespec='microseconds')}Z"


def after(moment: Instant, delay: timedelta) -> Instant:
    """Return the moment *delay* after *moment*, at the latest ``LAST``."""
    return min(moment + delay // timedelta(microseconds=1), LAST)


def microseconds(length: timedelta) -> int:
    """Return *length* as moments are counted."""
    return length // timedelta(microseconds=1)


def seconds(duration: int) -> float:
    """Return a *duration* between two instants, which is in microseconds, in seconds."""
    return duration / SECOND


def _shown(text: str) -> str:
    """Shorten what a user sent, so that an error message stays a line."""
    return repr(cut(text))
