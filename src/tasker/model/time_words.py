"""Moments, lengths and ranges of time as people say them: *tomorrow 09:00*, *1h30m*, *last night*. Pure.

The command line and the fields of the dashboard take them; the API takes none.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from msgspec import Struct

from tasker.errors import cut
from tasker.model import instants, lengths, walls
from tasker.model.instants import LAST, Instant
from tasker.model.walls import TimeNote

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

EXPECTED_RANGE: Final = (
    "expected a range such as today, last night, last 24 h, next 15 min, this week, 2027-03-28, "
    "after 2027-03-28 09:00, or 2027-03-28 to 2027-03-30"
)

EXPECTED_MOMENT: Final = (
    "expected a time such as in 10m, now, 17:00, tomorrow 09:00, mon 9:00, 2027-03-28 09:00, @1806217200 "
    "or 2027-03-28T09:00:00+02:00"
)

EXPECTED_BOUND: Final = (
    "expected a time such as 30d ago, in 1h, now, yesterday, 2027-03-28, today 09:00, @1806217200 "
    "or 2027-03-28T09:00:00+02:00"
)

EXPECTED_LENGTH: Final = "expected a length of time such as 90s, 10m, 1h30m, 7d or 2 weeks"


class Said(Struct, frozen=True):
    """A moment, and how it was said."""

    moment: Instant
    """By the clock that was handed in."""
    note: TimeNote = TimeNote.NORMAL
    """What is special about the local time, if it was said as one."""
    delay: timedelta | None = None
    """How long from now, if it was said so; not below 0."""
    local_time: str | None = None
    """What the clocks of the zone show, if it was said so: a text that ``walls.parse`` reads."""


_UNITS: Final[Mapping[str, timedelta]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
}
_PART: Final = re.compile(r"([0-9]{1,10}) ?([a-z]+) ?")
_ISO: Final = re.compile(r"p(?:([0-9]{1,10}w))?(?:([0-9]{1,10}d))?(?:t([0-9]{1,10}h)?([0-9]{1,10}m)?([0-9]{1,10}s)?)?")
_WEEKDAYS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            ("mon", "monday"),
            ("tue", "tues", "tuesday"),
            ("wed", "wednesday"),
            ("thu", "thur", "thurs", "thursday"),
            ("fri", "friday"),
            ("sat", "saturday"),
            ("sun", "sunday"),
        )
    )
    for name in names
}
"""The days of the week, as Python counts them."""
_AROUND: Final = re.compile(r"(last|past|next) +(.+)")
_PARTED: Final = re.compile(r" +to +| *\.\. *| +until +")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DAY_AND_TIME: Final = re.compile(rf"({_DAY.pattern})[ t]((?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)")
_SINCE_1970: Final = re.compile(r"@([0-9]{1,12})(?:\.([0-9]{1,9}))?")
_FIRST: Final = instants.parse("0001-01-01T00:00:00Z")
_MIDNIGHT: Final = timedelta(0)
_EVENING: Final = timedelta(hours=18)
_MORNING: Final = timedelta(hours=6)
_MINUTE: Final = timedelta(minutes=1)
_A_SECOND: Final = timedelta(seconds=1)
_A_DAY: Final = timedelta(days=1)
_A_WEEK: Final = timedelta(days=7)


def length_of(words: str) -> timedelta:
    """Return the length of time that *words* stand for: whole numbers with units, the largest unit first.

    ISO 8601 is understood, too, without years, months and fractions.

    Raises:
        ValueError: they stand for none, or for more than ``lengths.LONGEST``. The message says what
            would be right.

    >>> length_of("1h30m") == length_of("90 minutes") == length_of("PT1H30M") == timedelta(minutes=90)
    True
    """
    said = _plain(words)
    iso = _ISO.fullmatch(said)
    parts = _PART.findall("".join(filter(None, iso.groups())) if iso else said)
    if not parts or (not iso and not re.fullmatch(f"(?:{_PART.pattern})+", said)):
        raise ValueError(f"{EXPECTED_LENGTH}, got: {cut(words)!r}")
    units = [_UNITS.get(unit) for _, unit in parts]
    known = [unit for unit in units if unit is not None]
    if len(known) < len(units) or known != sorted(set(known), reverse=True):
        raise ValueError(f"{EXPECTED_LENGTH}, got: {cut(words)!r}")
    seconds = sum(int(count) * int(unit.total_seconds()) for (count, _), unit in zip(parts, known, strict=True))
    if seconds > lengths.LONGEST.total_seconds():  # looked at first: a timedelta does not hold every sum
        raise ValueError(f"expected at most {lengths.LONGEST.days}d, got: {cut(words)!r}")
    return timedelta(seconds=seconds)


def moment_of(words: str, now: Instant, zone: tzinfo) -> Said:
    """Return the moment that *words* stand for: one at which something is to be done.

    A length alone is one from now on. A time of day alone is the next time that the clocks of *zone*
    show it, and that of a weekday the next one: never a moment that has passed, but for one whose
    day was named. A local time that does not exist is the first moment after the gap, one that
    comes twice the first: as the ``local_time`` of a task.

    Raises:
        ValueError: they stand for none. The message says what would be right.
    """
    said = _plain(words)
    if said.startswith("in ") or _begins_length(said):
        length = length_of(said.removeprefix("in "))
        return Said(instants.after(now, length), delay=length)
    if said == "now":
        return Said(now, delay=timedelta(0))
    if said in _NAMED_DAYS or said in _WEEKDAYS or _DAY.fullmatch(said):
        raise ValueError(f"expected a time of day after the day, such as {said} 09:00, got: {cut(words)!r}")
    return _moment(said, words, now, zone, EXPECTED_MOMENT)


def bound_of(words: str, now: Instant, zone: tzinfo) -> Instant:
    """Return the moment that *words* stand for: one at which something begins, or before which it ends.

    A day alone stands for its beginning. A length needs its direction: ``30d ago`` or ``in 30d``.
    Else as ``moment_of``, but for a time of day alone, which is that of today.

    Raises:
        ValueError: they stand for none. The message says what would be right.
    """
    said = _plain(words)
    if said.endswith(" ago"):
        return max(now - instants.microseconds(length_of(said.removesuffix(" ago"))), _FIRST)
    if said.startswith("in "):
        return instants.after(now, length_of(said.removeprefix("in ")))
    if said == "now":
        return now
    if _begins_length(said):
        length_of(said)
        raise ValueError(f"expected {said} ago or in {said}, got: {cut(words)!r}")
    try:
        day = _day_of(said, _today(now, zone))
        if day is not None:
            return _at(day, _MIDNIGHT, zone)[0]
    except (ValueError, OverflowError):
        raise ValueError(f"{EXPECTED_BOUND}, got: {cut(words)!r}") from None
    return _moment(f"today {said}" if _TIME.fullmatch(said) else said, words, now, zone, EXPECTED_BOUND).moment


def range_of(words: str, now: Instant, zone: tzinfo) -> Range:
    """Return the range that *words* stand for.

    Days, weeks and nights are those of the clocks of *zone*: a week begins with Monday, a night lasts
    from 18:00 to 06:00. A day alone is the whole of it, and a minute alone that minute.

    Raises:
        ValueError: they stand for none. The message says what would be right.
    """
    said = _plain(words)
    try:
        today = _today(now, zone)

        def at(day: date, since_midnight: timedelta = _MIDNIGHT) -> Instant:
            return _at(day, since_midnight, zone)[0]

        if said in _NAMED:
            return _NAMED[said](today, at)
        around = _AROUND.fullmatch(said)
        if around is not None:
            return _around(now, around[1], around[2])
        for word in ("after", "since", "from", "before"):
            if said.startswith(word + " "):
                begins, _ = _bounds(said.removeprefix(word + " "), today, at)
                return (None, begins) if word == "before" else (begins, None)
        ends = _PARTED.split(said)
        first = _bounds(ends[0], today, at)
        last = _bounds(ends[1], today, at) if len(ends) == 2 else first
    except (ValueError, OverflowError):
        raise ValueError(f"{EXPECTED_RANGE}, got: {cut(words)!r}") from None
    # A moment ends a range, and a day is the last one of it.
    is_moment = len(ends) > 1 and bool(_TIME.fullmatch(ends[1]) or _DAY_AND_TIME.fullmatch(ends[1]))
    end = last[0] if is_moment else last[1]
    if len(ends) > 2 or end <= first[0]:
        raise ValueError(f"expected a range that ends after it begins, got: {cut(words)!r}")
    return first[0], end


_At: TypeAlias = Callable[..., Instant]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


_NAMED_DAYS: Final[Mapping[str, timedelta]] = {"yesterday": -_A_DAY, "today": timedelta(0), "tomorrow": _A_DAY}
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


def _plain(words: str) -> str:
    return " ".join(words.lower().split())


def _begins_length(said: str) -> bool:
    """Return whether *said* is a length, or was meant as one."""
    return _ISO.fullmatch(said) is not None or re.match(r"[0-9]+ ?[a-z]", said) is not None


def _today(now: Instant, zone: tzinfo) -> date:
    return datetime.fromtimestamp(now / instants.SECOND, zone).date()


def _at(day: date, since_midnight: timedelta, zone: tzinfo) -> tuple[Instant, TimeNote, str]:
    """Return when the clocks of *zone* show a time of *day*, what is special about it, and the local time as a text."""
    wall = datetime(day.year, day.month, day.day) + since_midnight  # noqa: DTZ001 - what a clock shows
    text = wall.isoformat(timespec="seconds")
    moment, note = walls.moment_of(text, zone)
    return _of_the_calendar(moment), note, text


def _moment(said: str, words: str, now: Instant, zone: tzinfo, expected: str) -> Said:
    """Return the moment of what is no length."""
    since = _SINCE_1970.fullmatch(said)
    if since is not None:
        fraction = (since[2] or "").ljust(9, "0")
        moment = int(since[1]) * instants.SECOND + -(-int(fraction) // 1_000)
        if moment > LAST:
            raise ValueError(f"expected seconds since 1970, up to the year 9999, got: {cut(words)!r}")
        return Said(moment)
    try:
        named = _of_the_clocks(said, now, zone)
    except OverflowError:
        raise ValueError(f"expected a time of the years 1 to 9999, got: {cut(words)!r}") from None
    except ValueError:
        raise ValueError(f"expected a day of the calendar up to the year 9999, got: {cut(words)!r}") from None
    if named is not None:
        return named
    if not _DAY.match(said):
        raise ValueError(f"{expected}, got: {cut(words)!r}")
    return Said(_of_the_calendar(instants.parse(said.upper())))


def _of_the_clocks(said: str, now: Instant, zone: tzinfo) -> Said | None:
    """Return the moment of a time of day, with or without its day; None: it is none."""
    day_words, _, time_words = said.rpartition(" ")
    day_words = day_words.removesuffix(" at") if day_words != "at" else ""  # tomorrow at 09:00
    joined = _DAY_AND_TIME.fullmatch(said)
    if joined is not None:
        day_words, time_words = joined.groups()
    time = _TIME.fullmatch(time_words)
    if time is None:
        return None
    today = _today(now, zone)
    since_midnight = _since_midnight(time)
    if not day_words or day_words in _WEEKDAYS:
        apart = _A_WEEK if day_words else _A_DAY
        ahead = (_WEEKDAYS[day_words] - today.weekday()) % 7 if day_words else 0
        day = today + timedelta(days=ahead)
        moment, note, text = _at(day, since_midnight, zone)
        if moment <= now:
            moment, note, text = _at(day + apart, since_midnight, zone)
        return Said(moment, note, local_time=text)
    found = _day_of(day_words, today)
    if found is None:
        return None
    moment, note, text = _at(found, since_midnight, zone)
    return Said(moment, note, local_time=text)


def _day_of(said: str, today: date) -> date | None:
    """Return the day that *said* names; None: it names none.

    Raises:
        ValueError: it is none of the calendar.
    """
    if said in _NAMED_DAYS:
        return today + _NAMED_DAYS[said]
    return date.fromisoformat(said) if _DAY.fullmatch(said) else None


def _since_midnight(time: re.Match[str]) -> timedelta:
    return timedelta(hours=int(time[1]), minutes=int(time[2]), seconds=int(time[3] or 0))


def _around(now: Instant, side: str, words: str) -> Range:
    length = instants.microseconds(length_of(words if words[0].isdigit() else f"1 {words}"))
    return (now, now + length) if side == "next" else (max(now - length, 0), now)


def _bounds(said: str, today: date, at: _At) -> tuple[Instant, Instant]:
    """Return where the day or the minute that is *said* begins and ends; of an RFC 3339 time: twice that."""
    day = _day_of(said, today)
    if day is not None:
        return at(day), at(day + _A_DAY)
    joined = _DAY_AND_TIME.fullmatch(said)
    time = _TIME.fullmatch(joined[2] if joined else said)
    if time is not None:
        begins = at(date.fromisoformat(joined[1]) if joined else today, _since_midnight(time))
        return begins, begins + instants.microseconds(_A_SECOND if time[3] else _MINUTE)
    moment = _of_the_calendar(instants.parse(said.upper()))
    return moment, moment


def _of_the_calendar(moment: Instant) -> Instant:
    """Return a moment that can be written in UTC.

    Raises:
        OverflowError: it is before the year 1 there.
    """
    if moment < _FIRST:
        raise OverflowError
    return moment


_SHOWN: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def length_in_words(seconds: float, *, is_brief: bool = False) -> str:
    """Return a length of time in the two largest units that say something; *is_brief*: in the largest, rounded.

    >>> [length_in_words(each) for each in (0, 0.0004, 0.25, 1.5, 59.96, 90, 7_200, 93_784)]
    ['0 s', '0.4 ms', '250 ms', '1.5 s', '1 min', '1 min 30 s', '2 h', '1 d 2 h']
    >>> length_in_words(-90), length_in_words(93_784, is_brief=True)
    ('-1 min 30 s', '1 d')
    >>> length_in_words(364.9 * 86_400, is_brief=True)
    '365 d'
    """
    if seconds < 0:
        return "-" + length_in_words(-seconds, is_brief=is_brief)
    if seconds == 0:
        return "0 s"
    if seconds < 1:
        return f"{short_number(seconds * 1000)} ms"
    if round(seconds, 1) < 60:
        return f"{short_number(seconds)} s"
    left = round(seconds)
    for place, (unit, size) in enumerate(_SHOWN):
        if left >= size:
            if is_brief:
                return f"{round(left / size)} {unit}"
            first, rest = divmod(left, size)
            smaller, of_it = _SHOWN[place + 1] if place + 1 < len(_SHOWN) else ("", 1)
            second = rest // of_it if smaller else 0
            return f"{first} {unit} {second} {smaller}" if second else f"{first} {unit}"
    return "0 s"


def short_number(number: float) -> str:
    """Return a number with as many digits as say something.

    >>> short_number(1.0), short_number(1.25), short_number(123.4)
    ('1', '1.2', '123')
    """
    return f"{number:.1f}".removesuffix(".0") if number < 100 else f"{number:.0f}"


def apart(moment: Instant, now: Instant, *, is_brief: bool = False) -> str:
    """Return how far a moment is away, in words.

    >>> apart(90_000_000, 0), apart(0, 3_600_000_000), apart(5, 5)
    ('in 1 min 30 s', '1 h ago', 'now')
    """
    seconds = (moment - now) / instants.SECOND
    if abs(seconds) < 1:
        return "now"
    text = length_in_words(abs(round(seconds)), is_brief=is_brief)
    return f"in {text}" if seconds > 0 else f"{text} ago"
