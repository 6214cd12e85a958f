"""When a schedule runs: cron expressions in a zone, and even intervals. Pure rules.

cronsim reads the expressions and says what the clock shows when they match. When the clock shows
it is decided here:

* An expression whose minute or hour begins with ``*`` follows the clock: it runs whenever the clock
  shows a time that matches. In an hour that comes twice it does so twice, and a time that the
  clocks pass over is no time.
* Any other names fixed times, and runs once for each: at the first of two, and at the end of the
  gap for one that the clocks pass over, however many it has in there.
"""

import re
from copy import copy
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field
from cronsim.explain import explain
from msgspec import Struct

from tasker.errors import cut
from tasker.model import instants, lengths, walls
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.walls import TimeNote, Wall

ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
"""What can be written in place of the five fields, and which those are."""

SHORTEST: Final = timedelta(seconds=1)
"""The shortest interval."""

DAY: Final = 86_400 * SECOND
"""Microseconds."""

_LONGEST_EXPRESSION: Final = 500
_END: Final = LAST - 86_400 * SECOND
"""No run is later: where the last day of the calendar is a day ahead, it has no date."""
_START: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock shows has no zone
_LEAP_YEAR: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - likewise
_MICROSECOND: Final = timedelta(microseconds=1)


class Occurrence(Struct, frozen=True):
    """A time of a recurrence."""

    scheduled_for: Instant
    """The moment."""
    local_time: str
    """What the clocks of the zone show then, such as ``2027-03-28T03:00:00``."""
    note: TimeNote
    """What is special about it."""


class Recurrence(Protocol):
    """When a schedule runs."""

    @property
    def words(self) -> str:
        """The same in plain words."""

    def following(self, after: Instant) -> Occurrence | None:
        """Return the first time later than *after*; None: there is none within 50 years, or up to the year 9999."""

    def count(self, since: Instant, until: Instant) -> int:
        """Return how many times there are from *since* on, before *until*. Takes no longer for more of them."""


class Expression:
    """A cron expression, in no zone yet. Equal texts give equal answers."""

    def __init__(self, text: str) -> None:
        """Read *text*: five fields, or one of the ``ALIASES``; upper and lower case are the same.

        Raises:
            ValueError: it is none, or never matches. The message names the field and says what
                would be right.
        """
        fields = _fields(text)
        for kind, value in zip(_KINDS, fields, strict=True):
            kind.check(value)
        self._normal = " ".join(fields)
        try:
            self._sim = CronSim(self._normal, _LEAP_YEAR)
            next(copy(self._sim))
        except (CronSimError, StopIteration):
            raise ValueError(
                f"expected a day that comes: no month of these has such a day, got: {cut(text)!r}"
            ) from None
        self.follows_clock: Final = fields[0].startswith("*") or fields[1].startswith("*")
        """Whether it runs whenever the clock shows a matching time; False: once for each fixed time."""

    @property
    def words(self) -> str:
        """The expression in plain words."""
        said = f"{_ORDINAL.sub(_ordinal, explain(self._normal))}."
        _, _, day, _, weekday = self._normal.split()
        if "*" in (day, weekday):
            return said
        if self._sim.day_and:
            return f"{said} Both must match, the day of month and the day of week (AND): one of them begins with *."
        return f"{said} One of the two is enough, the day of month or the day of week (OR)."

    def shown_after(self, wall: Wall) -> Wall | None:
        """Return the first matching time that a clock shows after *wall*, if it is never moved.

        None: there is none for 50 years, or up to the year 9999.
        """
        sim = copy(self._sim)
        try:
            sim.dt = _START + wall // SECOND * timedelta(seconds=1)
            return (next(sim) - _START) // _MICROSECOND
        except (StopIteration, OverflowError, ValueError):
            return None

    def matches(self, wall: Wall) -> bool:
        """Return whether a clock that shows *wall* shows a matching time."""
        return self.shown_after(wall - SECOND) == wall

    def count_shown(self, since: Wall, until: Wall) -> int:
        """Return how many matching times lie from *since* on, before *until*, which are of one day or its end."""
        day = since // DAY * DAY
        sim, date = self._sim, (_START + day * _MICROSECOND).date()
        if date.month not in sim.months or not sim.match_day(date):
            return 0
        if since == day and until == day + DAY:
            return len(sim.hours) * len(sim.minutes)
        shown = ((hour * 60 + minute) * 60 * SECOND for hour in sim.hours for minute in sim.minutes)
        return sum(since - day <= time < until - day for time in shown)


class Calendar(Struct, frozen=True):
    """The times of a cron expression by the clocks of a zone."""

    expression: Expression
    zone: ZoneInfo

    @property
    def words(self) -> str:
        """See ``Recurrence``."""
        return self.expression.words

    def following(self, after: Instant) -> Occurrence | None:
        """See ``Recurrence``."""
        try:
            found = self._shown(after) if self.expression.follows_clock else self._fixed(after)
            return None if found is None or found > _END else self._occurrence(found)
        except OverflowError:
            return None

    def count(self, since: Instant, until: Instant) -> int:
        """See ``Recurrence``. Day by day: on one on which nobody moves the clocks, they show each time once."""
        count, at, until = 0, since, min(until, _END + 1)
        while at < until:
            shown = walls.wall_at(at, self.zone)
            day = shown // DAY * DAY
            begin, end = (walls.place(each, self.zone).first for each in (day, day + DAY))
            ahead = {shown - at, day - begin, day + DAY - end, walls.wall_at(begin - 1, self.zone) - begin + 1}
            stop = min(end if end > at else at + DAY, until)
            if len(ahead) == 1:  # by as much as the clocks are ahead of UTC on all of the day
                count += self.expression.count_shown(shown, shown + stop - at)
            else:
                count += self._count_one_by_one(at, stop)
            at = stop
        return count

    def _count_one_by_one(self, since: Instant, until: Instant) -> int:
        count, found = 0, self.following(since - 1)
        while found is not None and found.scheduled_for < until:
            count, found = count + 1, self.following(found.scheduled_for)
        return count

    def _fixed(self, after: Instant) -> Instant | None:
        wall = self.expression.shown_after(walls.wall_at(after, self.zone))
        while wall is not None:
            moment = walls.place(wall, self.zone).first
            if moment > after:
                return moment
            wall = self.expression.shown_after(wall)
        return None

    def _shown(self, after: Instant) -> Instant | None:
        now_shown = walls.wall_at(after, self.zone)
        found = self._shown_from(now_shown, after)
        here = walls.place(now_shown, self.zone)
        if here.second is None or after >= here.second:
            return found
        # The clock will be put back over what it shows now: some of that may match before what comes after.
        set_back_at = _set_back_at(after, here.second, self.zone)
        if found is not None and found < set_back_at:
            return found
        return self._shown_from(walls.wall_at(set_back_at, self.zone) - SECOND, set_back_at - 1)

    def _shown_from(self, wall: Wall, after: Instant) -> Instant | None:
        """Return the first moment later than *after* at which the clock shows a matching time later than *wall*."""
        shown = self.expression.shown_after(wall)
        while shown is not None:
            placed = walls.place(shown, self.zone)
            if placed.note is TimeNote.MOVED_BY_GAP:  # never shown: on with what the clock shows after the gap
                shown = self.expression.shown_after(walls.wall_at(placed.first, self.zone) - SECOND)
            elif placed.first > after:
                return placed.first
            elif placed.second is not None and placed.second > after:
                return placed.second
            else:
                shown = self.expression.shown_after(shown)
        return None

    def _occurrence(self, moment: Instant) -> Occurrence:
        plain = _occurrence(moment, self.zone)
        if self.expression.matches(walls.wall_at(moment, self.zone)):
            return plain
        return Occurrence(moment, plain.local_time, TimeNote.MOVED_BY_GAP)


class Interval(Struct, frozen=True):
    """Times that are evenly apart, in real seconds, whatever the clocks do."""

    every: timedelta
    """Whole seconds, at least ``SHORTEST``: see ``read_interval``."""
    anchor: Instant
    """The first time, which the others are counted from."""
    zone: ZoneInfo
    """In which the local times are told."""

    @property
    def words(self) -> str:
        """See ``Recurrence``."""
        return f"Every {lengths.shown(self.every)}, counted from {instants.text(self.anchor)}."

    def following(self, after: Instant) -> Occurrence | None:
        """See ``Recurrence``."""
        every = instants.microseconds(self.every)
        moment = self.anchor + max((after - self.anchor) // every + 1, 0) * every
        return None if moment > _END else _occurrence(moment, self.zone)

    def count(self, since: Instant, until: Instant) -> int:
        """See ``Recurrence``."""
        every = instants.microseconds(self.every)
        first, end = max(since, self.anchor) - self.anchor, min(until, _END + 1) - self.anchor
        return max(-(-end // every) - -(-first // every), 0)


@lru_cache(maxsize=1024)  # many schedules have one of a few
def read_expression(text: str) -> Expression:
    """Return the expression that *text* is.

    Raises:
        ValueError: as ``Expression``.
    """
    return Expression(text)


def read_interval(length: str | float) -> timedelta:
    """Return the interval that *length* says, as ``lengths.parse`` reads it.

    Raises:
        ValueError: it is no length, too short, or not of whole seconds. The message says what would
            be right.
    """
    every = lengths.parse(length)
    if every < SHORTEST or every % timedelta(seconds=1):
        raise ValueError(f"expected whole seconds, at least {lengths.shown(SHORTEST)}, got: {length}")
    return every


def jitter(schedule: str, scheduled_for: Instant, longest: timedelta) -> timedelta:
    """Return by how much the run of *schedule* for this time is put off: at least 0, and less than *longest*.

    Evenly spread over schedules and times, and always the same for the same two.

    >>> jitter("a", 0, timedelta(0))
    datetime.timedelta(0)
    """
    number = int.from_bytes(sha256(f"{schedule} {scheduled_for}".encode()).digest()[:8])
    return timedelta(microseconds=instants.microseconds(longest) * number >> 64)


def _occurrence(moment: Instant, zone: ZoneInfo) -> Occurrence:
    wall = walls.wall_at(moment, zone)
    placed = walls.place(wall, zone)
    note = TimeNote.SECOND_OF_TWO if moment == placed.second else placed.note
    return Occurrence(moment, walls.text(wall), note)


def _set_back_at(before: Instant, after: Instant, zone: ZoneInfo) -> Instant:
    """Return when the clocks are put back: later than *before*, when they show what they show again at *after*."""
    low, high = before // SECOND, after // SECOND
    old = walls.wall_at(before, zone) - before
    while high - low > 1:
        middle = (low + high) // 2
        if walls.wall_at(middle * SECOND, zone) - middle * SECOND == old:
            low = middle
        else:
            high = middle
    return high * SECOND


def _fields(text: str) -> list[str]:
    if len(text) > _LONGEST_EXPRESSION:
        raise ValueError(f"expected at most {_LONGEST_EXPRESSION} characters, got: {len(text)}")
    stripped = text.strip()
    if stripped.startswith("@"):
        if stripped.lower() not in ALIASES:
            raise ValueError(f"expected five fields or one of {', '.join(ALIASES)}, got: {cut(text)!r}")
        stripped = ALIASES[stripped.lower()]
    fields = stripped.upper().split()
    if len(fields) != len(_KINDS):
        named = ", ".join(kind.name for kind in _KINDS)
        none_else = "; there is none for seconds or years" if len(fields) > len(_KINDS) else ""
        raise ValueError(f"expected five fields ({named}{none_else}), got {len(fields)}: {cut(text)!r}")
    return fields


class _Kind(Struct, frozen=True):
    """One of the five fields."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...]
    field: Field
    """The same in cronsim."""
    special: str = ""
    """What else it takes."""

    def check(self, value: str) -> None:
        """Raise ``ValueError`` if *value* is nothing that this field takes."""
        for term in value.split(","):
            right = self._what_is_right(term)
            if right is not None:
                raise ValueError(f"{self.name}: expected {right}, got: {cut(term)!r}")

    def _what_is_right(self, term: str) -> str | None:
        """Return what would be right in place of *term*; None: it is right."""
        if not term:
            return "a value on each side of a comma"
        if "?" in term:
            return "* in place of ?"
        base, slash, step = term.partition("/")
        if slash:
            if not _NUMBER.fullmatch(step) or not 1 <= int(step) <= self.highest - self.lowest + 1:
                return f"a step of 1 to {self.highest - self.lowest + 1} after the /"
            if base != "*" and self._number(base.partition("-")[0]) is None:
                return "*, a value or a range before the /"
        start, dash, end = base.partition("-")
        if dash and "#" not in base:
            first, last = self._number(start), self._number(end)
            if first is not None and last is not None and last < first:
                return f"a range that goes up{self._sunday(end)}; write the two parts with a comma between them"
            if first is not None and first == last and slash:  # cronsim would step on from it to the end
                return "a range of more than one value before the /"
        try:
            self.field.parse(term)
        except (CronSimError, ValueError):
            return self._expected(term)
        return None

    def _expected(self, term: str) -> str:
        if self.field is Field.DAY and "W" in term:
            return "a day, or LW for the last weekday of the month: the weekday nearest to a day cannot be named"
        if self.field is Field.DOW and ("L" in term or "#" in term):
            return "5L for the last Friday of the month, or FRI#2 for the second one, 1 to 5"
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"*, {self.lowest} to {self.highest}{names}{self.special}, or a range or step of these"

    def _number(self, text: str) -> int | None:
        if text in self.names:
            return self.names.index(text) + (1 if self.field is Field.MONTH else 0)
        return int(text) if _NUMBER.fullmatch(text) else None

    def _sunday(self, end: str) -> str:
        return " (SUN is 0, and 7 at the end of a range of numbers)" if end == "SUN" else ""


_NUMBER: Final = re.compile(r"\d{1,4}", re.ASCII)
_ORDINAL: Final = re.compile(r"\b([2-9])([123])th\b")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_KINDS: Final = (
    _Kind("minute", 0, 59, (), Field.MINUTE),
    _Kind("hour", 0, 23, (), Field.HOUR),
    _Kind("day of month", 1, 31, (), Field.DAY, ", L for the last one or LW for the last weekday"),
    _Kind("month", 1, 12, _MONTHS, Field.MONTH),
    _Kind("day of week", 0, 7, _WEEKDAYS, Field.DOW, ", 5L for the last Friday or FRI#2 for the second one"),
)


def _ordinal(match: re.Match[str]) -> str:
    """Return a number such as 21 with the ending that it has in English."""
    return f"{match[1]}{match[2]}{('st', 'nd', 'rd')[int(match[2]) - 1]}"
