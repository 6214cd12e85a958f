"""When schedules run: cron expressions by the clocks of every zone, and even intervals."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise

import pytest
import tzdata
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasker.model import instants, zones
from tasker.model.recurrence import ALIASES, Calendar, Expression, Interval, jitter, read_expression, read_interval
from tasker.model.walls import TimeNote

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def calendar(expression, zone):
    return Calendar(read_expression(expression), zones.zone_named(zone))


def instant(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


def times(recurrence, after, until):
    """The occurrences later than *after*, up to *until*; each stepped to from the one before alone."""
    found = []
    after, until = (instants.parse(moment) if isinstance(moment, str) else moment for moment in (after, until))
    while (next_one := recurrence.following(after)) is not None and next_one.scheduled_for <= until:
        found.append(next_one)
        after = next_one.scheduled_for
    return found


def told(recurrence, after, until):
    return [
        (instants.text(one.scheduled_for)[5:16], one.local_time[5:16], one.note.value)
        for one in times(recurrence, after, until)
    ]


# -- by the clocks, one by one


def test_a_fixed_time_that_the_clocks_pass_over_runs_at_the_end_of_the_gap_once():
    assert (
        told(calendar("0,15,30 2 * * *", "Europe/Berlin"), "2027-03-27T12:00:00Z", "2027-03-29T01:00:00Z")
        == [
            ("03-28T01:00", "03-28T03:00", "moved_by_gap"),
            ("03-29T00:00", "03-29T02:00", "normal"),
            ("03-29T00:15", "03-29T02:15", "normal"),
            ("03-29T00:30", "03-29T02:30", "normal"),
        ][:4]
    )


def test_a_time_at_the_end_of_the_gap_is_as_always():
    assert told(calendar("30 2,3 * * *", "Europe/Berlin"), "2027-03-27T12:00:00Z", "2027-03-28T12:00:00Z") == [
        ("03-28T01:00", "03-28T03:00", "moved_by_gap"),
        ("03-28T01:30", "03-28T03:30", "normal"),
    ]
    assert told(calendar("0 2,3 * * *", "Europe/Berlin"), "2027-03-27T12:00:00Z", "2027-03-28T12:00:00Z") == [
        ("03-28T01:00", "03-28T03:00", "normal"),
    ]


def test_a_fixed_time_that_comes_twice_runs_the_first_time():
    assert told(calendar("30 2 * * *", "Europe/Berlin"), "2027-10-30T12:00:00Z", "2027-11-01T12:00:00Z") == [
        ("10-31T00:30", "10-31T02:30", "first_of_two"),
        ("11-01T01:30", "11-01T02:30", "normal"),
    ]


def test_after_the_first_of_two_a_fixed_time_does_not_come_again():
    recurrence = calendar("30 2 * * *", "Europe/Berlin")
    for after in ("2027-10-31T00:30:00Z", "2027-10-31T00:59:59Z", "2027-10-31T01:00:00Z", "2027-10-31T01:10:00Z"):
        assert told(recurrence, after, "2027-11-01T12:00:00Z") == [("11-01T01:30", "11-01T02:30", "normal")]


def test_wildcards_follow_the_clock():
    assert told(calendar("0 * * * *", "Europe/Berlin"), "2027-10-30T23:00:00Z", "2027-10-31T02:00:00Z") == [
        ("10-31T00:00", "10-31T02:00", "first_of_two"),
        ("10-31T01:00", "10-31T02:00", "second_of_two"),
        ("10-31T02:00", "10-31T03:00", "normal"),
    ]
    assert told(calendar("*/30 2 * * *", "Europe/Berlin"), "2027-03-27T12:00:00Z", "2027-03-29T00:00:00Z") == [
        ("03-29T00:00", "03-29T02:00", "normal"),
    ]


def test_midnight_does_not_come_in_cairo():
    assert told(calendar("0 0 * * *", "Africa/Cairo"), "2027-04-29T00:00:00Z", "2027-04-30T23:00:00Z") == [
        ("04-29T22:00", "04-30T01:00", "moved_by_gap"),
        ("04-30T21:00", "05-01T00:00", "normal"),
    ]
    assert told(calendar("*/30 0 * * *", "Africa/Cairo"), "2027-04-29T00:00:00Z", "2027-04-30T23:00:00Z") == [
        ("04-30T21:00", "05-01T00:00", "normal"),
        ("04-30T21:30", "05-01T00:30", "normal"),
    ]


def test_lord_howe_moves_its_clocks_by_half_an_hour():
    assert told(calendar("0 2 * * *", "Australia/Lord_Howe"), "2027-10-01T18:00:00Z", "2027-10-03T18:00:00Z") == [
        ("10-02T15:30", "10-03T02:30", "moved_by_gap"),
        ("10-03T15:00", "10-04T02:00", "normal"),
    ]
    assert told(calendar("*/20 1,2 * * *", "Australia/Lord_Howe"), "2027-04-03T14:00:00Z", "2027-04-03T16:00:00Z") == [
        ("04-03T14:20", "04-04T01:20", "normal"),
        ("04-03T14:40", "04-04T01:40", "first_of_two"),
        ("04-03T15:10", "04-04T01:40", "second_of_two"),
        ("04-03T15:30", "04-04T02:00", "normal"),
        ("04-03T15:50", "04-04T02:20", "normal"),
    ]


def test_apia_had_no_30th_of_december_in_2011():
    assert told(calendar("0 9 * * *", "Pacific/Apia"), "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z") == [
        ("12-29T19:00", "12-29T09:00", "normal"),
        ("12-30T10:00", "12-31T00:00", "moved_by_gap"),
        ("12-30T19:00", "12-31T09:00", "normal"),
        ("12-31T19:00", "01-01T09:00", "normal"),
    ]
    assert told(calendar("0 9 * * FRI", "Pacific/Apia"), "2011-12-29T00:00:00Z", "2012-01-06T00:00:00Z") == [
        ("12-30T10:00", "12-31T00:00", "moved_by_gap"),
        ("01-05T19:00", "01-06T09:00", "normal"),
    ]


def test_a_zone_that_changes_its_offset_between_two_runs_keeps_the_local_time():
    assert told(calendar("0 9 * * 1", "Asia/Almaty"), "2024-02-25T00:00:00Z", "2024-03-05T00:00:00Z") == [
        ("02-26T03:00", "02-26T09:00", "normal"),
        ("03-04T04:00", "03-04T09:00", "normal"),
    ]


# -- by the clocks, in every zone


@dataclass(frozen=True)
class Shift:
    """Clocks are put forward or back."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def by(self):
        return self.after - self.before

    @property
    def edge(self):
        """What the clock shows first of what is passed over, or comes twice."""
        return (self.at + min(self.before, self.after)).replace(tzinfo=None)

    @property
    def length(self):
        return abs(self.by)


def shifts_of(name, since=datetime(2011, 1, 1, tzinfo=UTC), until=datetime(2031, 1, 1, tzinfo=UTC)):
    zone = zones.zone_named(name)

    def offset(moment):
        return moment.astimezone(zone).utcoffset()

    days = [since + timedelta(days=n) for n in range(0, (until - since).days, 5)]
    for (early, before), (late, after) in pairwise((day, offset(day)) for day in days):
        if before != after:
            low, high = early, late
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            yield Shift(name, high, offset(low), offset(high))


@cache
def all_shifts():
    """One of each kind of shift that a zone has had since 2011, or will have; zones with equal data are one."""
    kinds, seen = {}, set()
    for name in sorted(zones.names()):
        data = resources.files(tzdata).joinpath("zoneinfo", *name.split("/")).read_bytes()
        if data not in seen:
            seen.add(data)
            for shift in shifts_of(name):
                kinds[name, shift.by, shift.edge.time()] = shift
    return list(kinds.values())


def stepped(fields, zone, after, until):
    """What ``following`` must say, by a walk through all the minutes: *fields* say which minutes match."""
    found, fixed = [], not fields.follows_clock
    moment = after.replace(second=0, microsecond=0) + MINUTE
    offset = (moment - MINUTE).astimezone(zone).utcoffset()
    while moment <= until:
        local = moment.astimezone(zone)
        forward, offset = local.utcoffset() - offset, local.utcoffset()
        shown = local.replace(tzinfo=None, fold=0)
        passed_over = (shown - forward + n * MINUTE for n in range(forward // MINUTE))
        if fields.match(shown):
            if not (fixed and local.fold):
                note = local.fold and TimeNote.SECOND_OF_TWO
                twin = local.replace(fold=1).utcoffset() < local.replace(fold=0).utcoffset()
                found.append((instant(moment), note or (TimeNote.FIRST_OF_TWO if twin else TimeNote.NORMAL)))
        elif fixed and any(fields.match(wall) for wall in passed_over):
            found.append((instant(moment), TimeNote.MOVED_BY_GAP))
        moment += MINUTE
    return found


@dataclass(frozen=True)
class Fields:
    """An expression, as text and as what each field matches."""

    texts: tuple[str, ...]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def follows_clock(self):
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    def match(self, wall):
        by_day, by_weekday = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        both = self.texts[2].startswith("*") or self.texts[4].startswith("*")
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.month in self.months
            and ((by_day and by_weekday) if both else (by_day or by_weekday))
        )


def field(lowest, highest, *likely):
    """Texts of one field, each with what it matches."""
    everything = range(lowest, highest + 1)
    value = st.sampled_from(likely) | st.sampled_from(everything) if likely else st.sampled_from(everything)
    steps = st.integers(1, 20).map(lambda step: min(step, len(everything)))
    return st.one_of(
        st.just(("*", frozenset(everything))),
        st.builds(lambda step: (f"*/{step}", frozenset(everything[::step])), steps),
        value.map(lambda one: (str(one), frozenset([one]))),
        st.lists(value, min_size=2, max_size=4).map(lambda some: (",".join(map(str, some)), frozenset(some))),
        st.builds(
            lambda ends, step: (f"{min(ends)}-{max(ends)}/{step}", frozenset(range(min(ends), max(ends) + 1, step))),
            st.sets(value, min_size=2),
            steps,
        ),
    )


@st.composite
def expressions(draw, day):
    """Expressions that are likely to match around *day*."""
    texts, sets = zip(
        draw(field(0, 59, 0, 15, 30)),
        draw(field(0, 23, 0, 1, 2, 3)),
        draw(st.just(("*", frozenset(range(1, 32)))) | field(1, 31, day.day)),
        draw(st.just(("*", frozenset(range(1, 13)))) | field(1, 12, day.month)),
        draw(st.just(("*", frozenset(range(7)))) | field(0, 6, day.isoweekday() % 7)),
        strict=True,
    )
    fields = Fields(texts, *sets)
    if "*" in (texts[2], texts[4]):
        assume(min(fields.days) <= max(monthrange(2028, month)[1] for month in fields.months))
    return fields


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_it_is_as_if_somebody_stood_before_the_clock_and_looked_at_every_minute(data):
    shift = data.draw(st.sampled_from(all_shifts()))
    fields = data.draw(expressions(shift.edge.date()))
    around = st.sampled_from((timedelta(), shift.length, -shift.length))
    after = shift.at + data.draw(around) + data.draw(st.timedeltas(-timedelta(hours=3), timedelta(hours=3)))
    until = after.replace(second=0, microsecond=0) + timedelta(hours=8)
    recurrence = calendar(" ".join(fields.texts), shift.zone)
    walked = stepped(fields, zones.zone_named(shift.zone), after, until)
    assert [(one.scheduled_for, one.note) for one in times(recurrence, instant(after), instant(until))] == walked


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_as_many_are_counted_as_come_one_by_one(data):
    shift = data.draw(st.sampled_from(all_shifts()))
    fields = data.draw(expressions(shift.edge.date()))
    recurrence = calendar(" ".join(fields.texts), shift.zone)
    since = instant(shift.at) + data.draw(st.integers(-4 * 86_400, 86_400)) * instants.SECOND
    until = since + data.draw(st.integers(0, 5 * 86_400)) * instants.SECOND
    assert recurrence.count(since, until) == len(times(recurrence, since - 1, until - 1))


def test_times_are_counted_as_quickly_as_days():
    recurrence = calendar("* * * * *", "Europe/Berlin")
    since, until = (instants.parse(f"{year}-01-01T00:00:00Z") for year in (2027, 2031))
    assert recurrence.count(since, until) == (until - since) // (60 * instants.SECOND)
    assert recurrence.count(instants.LAST - 10, instants.LAST) == recurrence.count(until, since) == 0


def test_the_rules_hold_on_every_day_of_every_zone_on_which_the_clocks_are_put_forward():
    forward = [shift for shift in all_shifts() if shift.by > timedelta()]
    assert len(forward) > 150
    assert {shift.zone for shift in forward} >= {"Africa/Cairo", "Australia/LHI", "Pacific/Apia"}
    for shift in forward:
        wall = shift.edge + shift.length // 2 // MINUTE * MINUTE
        after, until = instant(shift.at - timedelta(hours=6)), instant(shift.at + timedelta(hours=6))
        fixed = calendar(f"{wall.minute} {wall.hour} {wall.day} {wall.month} *", shift.zone)
        assert [(one.scheduled_for, one.note) for one in times(fixed, after, until)] == [
            (instant(shift.at), TimeNote.MOVED_BY_GAP)
        ], shift
        by_the_clock = calendar(f"*/1 {wall.hour} {wall.day} {wall.month} *", shift.zone)
        passed_over = {(shift.edge + n * MINUTE).isoformat() for n in range(shift.length // MINUTE)}
        assert passed_over.isdisjoint(one.local_time for one in times(by_the_clock, after, until)), shift


def test_the_rules_hold_on_every_day_of_every_zone_on_which_the_clocks_are_put_back():
    back = [shift for shift in all_shifts() if shift.by < timedelta()]
    assert len(back) > 150
    for shift in back:
        wall = shift.edge + shift.length // 2 // MINUTE * MINUTE
        after, until = instant(shift.at - shift.length - MINUTE), instant(shift.at + shift.length)
        fixed = calendar(f"{wall.minute} {wall.hour} {wall.day} {wall.month} *", shift.zone)
        first = instant(shift.at) - instants.microseconds(shift.edge + shift.length - wall)
        assert [(one.scheduled_for, one.note) for one in times(fixed, after, until)] == [
            (first, TimeNote.FIRST_OF_TWO)
        ], shift
        by_the_clock = calendar(f"{wall.minute} */1 * * *", shift.zone)
        assert [one.note for one in times(by_the_clock, after, until) if one.local_time == wall.isoformat()] == [
            TimeNote.FIRST_OF_TWO,
            TimeNote.SECOND_OF_TWO,
        ], shift


# -- expressions


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 9 * * MON-FRI", "At 09:00 on Monday through Friday."),
        ("@hourly", "At the start of every hour."),
        ("@Daily", "At 00:00 every day."),
        ("@weekly", "At 00:00 on Sunday."),
        ("@monthly", "At 00:00 on the first day of every month."),
        ("@yearly", "At 00:00 on January 1."),
        ("0 0 22 * *", "At 00:00 on the 22nd day of every month."),
        ("0 0 12 * *", "At 00:00 on the 12th day of every month."),
        (
            "0 0 13 * FRI",
            (
                "At 00:00 on the 13th day of month and on Friday. "
                "One of the two is enough, the day of month or the day of week (OR)."
            ),
        ),
        (
            "0 0 */2 * MON",
            (
                "At 00:00 on every second day of month if it's on Monday. "
                "Both must match, the day of month and the day of week (AND): one of them begins with *."
            ),
        ),
    ],
)
def test_an_expression_in_plain_words(expression, words):
    assert Expression(expression).words == words


def test_a_day_of_month_and_a_day_of_week_combine_with_or():
    days = [
        one.local_time[:10]
        for one in times(calendar("0 0 13 * FRI", "UTC"), "2027-08-01T00:00:00Z", "2027-08-21T00:00:00Z")
    ]
    assert days == ["2027-08-06", "2027-08-13", "2027-08-20"]
    days = [
        one.local_time[:10]
        for one in times(calendar("0 0 13 * SUN", "UTC"), "2027-08-01T00:00:00Z", "2027-08-16T00:00:00Z")
    ]
    assert days == ["2027-08-08", "2027-08-13", "2027-08-15"]


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_five_fields_that_it_stands_for(alias):
    short, long = calendar(alias, "Europe/Berlin"), calendar(ALIASES[alias], "Europe/Berlin")
    after = instants.parse("2027-01-01T00:00:00Z")
    for _ in range(10):
        assert short.following(after) == long.following(after)
        after = short.following(after).scheduled_for


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("* * * * * *", r"expected five fields \(minute, hour, day of month, month, day of week; .*\), got 6"),
        ("0 9 * *", r"expected five fields \(.*\), got 4"),
        ("", r"expected five fields \(.*\), got 0"),
        ("@reboot", "expected five fields or one of @hourly, @daily, @weekly, @monthly, @yearly"),
        ("60 * * * *", r"minute: expected \*, 0 to 59"),
        ("0 24 * * *", r"hour: expected \*, 0 to 23"),
        ("0 0 0 * *", r"day of month: expected \*, 1 to 31"),
        ("0 0 * 13 *", r"month: expected \*, 1 to 12 or JAN to DEC"),
        ("0 0 * * 8", r"day of week: expected \*, 0 to 7 or SUN to SAT"),
        ("0 0 15W * *", "day of month: expected a day, or LW .* weekday nearest"),
        ("0 0 ? * MON", r"day of month: expected \* in place of \?"),
        ("0 0 * * SAT-SUN", "day of week: expected a range that goes up .*SUN is 0"),
        ("0 17-9 * * *", "hour: expected a range that goes up"),
        ("*/0 * * * *", "minute: expected a step of 1 to 60"),
        ("*/90 * * * *", "minute: expected a step of 1 to 60"),
        ("L/2 * * * *", r"minute: expected \*, a value or a range before the /"),
        ("0 0 L/2 * *", r"day of month: expected \*, a value or a range before the /"),
        ("5-5/10 * * * *", "minute: expected a range of more than one value before the /"),
        ("1,,2 * * * *", "minute: expected a value on each side of a comma"),
        ("0 0 * * FRIL", "day of week: expected 5L for the last Friday"),
        ("0 0 * * FRI#6", "day of week: expected .* FRI#2"),
        ("0 0 30 2 *", "expected a day that comes"),
        ("0 0 31 4,6,9,11 *", "expected a day that comes"),
        ("0 0 LW * */6", "expected a day that comes"),
        (f"{'0,' * 300}0 * * * *", "expected at most 500 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_what_would_be_right(expression, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Expression(expression)


@given(st.text("0123456789*/,-LW#?@ MONFRIJAN²", max_size=20) | st.text(max_size=20))
def test_any_text_is_an_expression_or_is_refused(text):
    try:
        expression = Expression(text)
    except ValueError as error:
        assert str(error).count("expected") == 1  # noqa: PT017 - any text, most are refused
    else:
        assert expression.words.endswith(".")


def test_a_day_that_comes_every_eighth_year_comes():
    assert told(calendar("0 0 29 2 *", "UTC"), "2096-03-01T00:00:00Z", "2104-12-01T00:00:00Z") == [
        ("02-29T00:00", "02-29T00:00", "normal")
    ]


def test_nothing_follows_at_the_end_of_the_calendar():
    assert calendar("0 0 1 1 *", "UTC").following(instants.parse("9999-06-01T00:00:00Z")) is None
    assert calendar("* * * * *", "Pacific/Kiritimati").following(instants.LAST) is None
    every_day = Interval(timedelta(days=1), 0, zones.zone_named("Pacific/Kiritimati"))
    assert every_day.following(instants.LAST - 2 * 86_400 * instants.SECOND) is not None
    assert every_day.following(instants.LAST - 86_400 * instants.SECOND) is None


# -- intervals


def test_an_interval_counts_real_seconds_from_its_anchor():
    every = Interval(timedelta(minutes=45), instants.parse("2027-10-31T00:00:20Z"), zones.zone_named("Europe/Berlin"))
    assert told(every, "2027-10-01T00:00:00Z", "2027-10-31T02:00:00Z") == [
        ("10-31T00:00", "10-31T02:00", "first_of_two"),
        ("10-31T00:45", "10-31T02:45", "first_of_two"),
        ("10-31T01:30", "10-31T02:30", "second_of_two"),
    ]
    assert every.words == "Every 45m, counted from 2027-10-31T00:00:20.000000Z."


@given(st.integers(1, 10**6), st.integers(0, 10**16), st.integers(0, 10**16))
def test_of_the_times_of_an_interval_the_first_later_one_follows(seconds, anchor, after):
    every = Interval(timedelta(seconds=seconds), anchor, zones.zone_named("UTC"))
    moment = every.following(after).scheduled_for
    assert after < moment
    assert anchor <= moment
    assert (moment - anchor) % (seconds * instants.SECOND) == 0
    assert moment - seconds * instants.SECOND <= after or moment == anchor


@given(st.integers(1, 50), st.integers(0, 3000), st.integers(-300, 4000), st.integers(-300, 4000))
def test_the_times_of_an_interval_are_counted(seconds, anchor, since, until):
    recurrence = Interval(timedelta(seconds=seconds), anchor * 10**5, zones.zone_named("UTC"))
    since, until = since * 10**5, until * 10**5
    assert recurrence.count(since, until) == len(times(recurrence, since - 1, until - 1))


def test_an_interval_is_of_whole_seconds():
    assert read_interval("15m") == timedelta(minutes=15)
    assert read_interval(1) == timedelta(seconds=1)
    for length in (0, 0.5, 1.5, "0s"):
        with pytest.raises(ValueError, match="expected whole seconds, at least 1s, got: "):
            read_interval(length)
    with pytest.raises(ValueError, match="expected seconds as a number"):
        read_interval("often")


# -- jitter


def test_jitter_is_the_same_for_the_same_schedule_and_time_and_spread_evenly_otherwise():
    longest = timedelta(minutes=1)
    assert jitter("nightly", 7, longest) == jitter("nightly", 7, longest)
    assert jitter("nightly", 7, longest) != jitter("nightly", 8, longest)
    put_off = [jitter(f"schedule-{n}", 0, longest) for n in range(10_000)]
    assert timedelta() <= min(put_off) < timedelta(seconds=1)
    assert timedelta(seconds=59) < max(put_off) < longest
    mean = sum(put_off, timedelta()) / len(put_off)
    assert abs(mean - longest / 2) < timedelta(seconds=1)


def test_the_jitter_of_a_schedule_never_changes():
    """Nodes of two versions beside each other must agree."""
    assert jitter("nightly", 1_800_000_000_000_000, timedelta(minutes=1)) == timedelta(microseconds=40_548_043)
