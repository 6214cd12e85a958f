"""Ranges of time as people say them: *last night*, *next 2 h*, *2027-03-28 to 2027-03-29 12:00*. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

from tasker.errors import cut
from tasker.model import instants, lengths, walls, zones
from tasker.model.instants import Instant

Range: TypeAlias = tuple[Instant | None, Instant | None]
"""Where it begins, and where it ends: the end is no part of it. None: it has no such end."""

SUGGESTED: Final = (
    "last 15 min",
    "last 24 h",
    "last night",
    "today",
    "yesterday",
    "next hour",
    "tomorrow",
    "this week",
)
"""What a field for a range suggests."""

EXPECTED: Final = (
    "expected a range such as today, last night, last 24 h, next 15 min, this week, 2027-03-28, "
    "after 2027-03-28 09:00, or 2027-03-28 to 2027-03-30"
)

_AROUND: Final = re.compile(r"(last|past|next) +(\d+)? *([a-z]+)")
_PARTED: Final = re.compile(r" +to +| *\.\. *| +until +")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK: Final = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ t])?([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_FIRST: Final = instants.parse("0001-01-01T00:00:00Z")
_MIDNIGHT: Final = timedelta(0)
_EVENING: Final = timedelta(hours=18)
_MORNING: Final = timedelta(hours=6)


def range_of(words: str, now: Instant, zone: str) -> Range:
    """Return the range that *words* stand for.

    Days, weeks and nights are those of the clocks of *zone*: a week begins with Monday, a night lasts
    from 18:00 to 06:00. A day alone is the whole of it, and a minute alone that minute.

    Raises:
        ValueError: they stand for none. The message says what would be right.
    """
    said = " ".join(words.lower().split())
    known = zones.zone_named(zone)
    today = datetime.fromtimestamp(now / instants.SECOND, known).date()

    def at(day: date, since_midnight: timedelta = _MIDNIGHT) -> Instant:
        wall = datetime(day.year, day.month, day.day) + since_midnight  # noqa: DTZ001 - what a clock shows
        return _of_the_calendar(walls.moment_of(wall.isoformat(timespec="seconds"), known)[0])

    try:
        if said in _NAMED:
            return _NAMED[said](today, at)
        around = _AROUND.fullmatch(said)
        if around is not None:
            return _around(now, *around.groups())
        for word in ("after", "since", "from", "before"):
            if said.startswith(word + " "):
                begins, _ = _bounds(said.removeprefix(word + " "), today, at)
                return (None, begins) if word == "before" else (begins, None)
        ends = _PARTED.split(said)
        first = _bounds(ends[0], today, at)
        last = _bounds(ends[1], today, at) if len(ends) == 2 else first
    except (ValueError, OverflowError):
        raise ValueError(f"{EXPECTED}, got: {cut(words)!r}") from None
    # A moment ends a range, and a day is the last one of it.
    end = last[1] if len(ends) == 1 or not _CLOCK.fullmatch(ends[1]) else last[0]
    if len(ends) > 2 or end <= first[0]:
        raise ValueError(f"expected a range that ends after it begins, got: {cut(words)!r}")
    return first[0], end


_At: TypeAlias = Callable[..., Instant]
_A_DAY: Final = timedelta(days=1)
_A_WEEK: Final = timedelta(days=7)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


_NAMED: Final[Mapping[str, Callable[[date, _At], Range]]] = {
    "today": lambda day, at: (at(day), at(day + _A_DAY)),
    "yesterday": lambda day, at: (at(day - _A_DAY), at(day)),
    "tomorrow": lambda day, at: (at(day + _A_DAY), at(day + 2 * _A_DAY)),
    "tonight": lambda day, at: (at(day, _EVENING), at(day + _A_DAY, _MORNING)),
    "last night": lambda day, at: (at(day - _A_DAY, _EVENING), at(day, _MORNING)),
    "this week": lambda day, at: (at(_monday(day)), at(_monday(day) + _A_WEEK)),
    "last week": lambda day, at: (at(_monday(day) - _A_WEEK), at(_monday(day))),
    "next week": lambda day, at: (at(_monday(day) + _A_WEEK), at(_monday(day) + 2 * _A_WEEK)),
}


def _around(now: Instant, side: str, number: str | None, unit: str) -> Range:
    length = instants.microseconds(lengths.parse(f"{number or 1}{_UNITS.get(unit, '?')}"))
    return (now, now + length) if side == "next" else (max(now - length, 0), now)


def _bounds(said: str, today: date, at: _At) -> tuple[Instant, Instant]:
    """Return where the day or the minute that is *said* begins and ends; of an RFC 3339 time: twice that."""
    if _DAY.fullmatch(said):
        day = date.fromisoformat(said)
        return at(day), at(day + _A_DAY)
    if said in ("today", "yesterday", "tomorrow"):
        begins, ends = _NAMED[said](today, at)
        assert begins is not None  # noqa: S101 - days have both
        assert ends is not None  # noqa: S101 - as above
        return begins, ends
    clock = _CLOCK.fullmatch(said)
    if clock is not None:
        day = date.fromisoformat(clock[1]) if clock[1] else today
        begins = at(day, timedelta(hours=int(clock[2]), minutes=int(clock[3]), seconds=int(clock[4] or 0)))
        return begins, begins + (instants.SECOND if clock[4] else 60 * instants.SECOND)
    moment = _of_the_calendar(instants.parse(said.upper()))
    return moment, moment


def _of_the_calendar(moment: Instant) -> Instant:
    """Return a moment that can be written in UTC.

    Raises:
        ValueError: it is before the year 1 there.
    """
    if moment < _FIRST:
        raise ValueError
    return moment
