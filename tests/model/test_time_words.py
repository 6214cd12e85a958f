"""Moments, lengths and ranges of time in words."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasker.model import instants, walls, zones
from tasker.model.lengths import LONGEST
from tasker.model.time_words import SUGGESTED, bound_of, length_of, moment_of, range_of

BERLIN = zones.zone_named("Europe/Berlin")
NOW = instants.parse("2027-03-28T12:34:56+02:00")
"""A Sunday, in Berlin the day on which the clocks were put forward at 02:00."""


def shown(words, zone="Europe/Berlin"):
    return tuple(
        None if end is None else instants.text(end).replace(":00.000000Z", "Z")
        for end in range_of(words, NOW, zones.zone_named(zone))
    )


@pytest.mark.parametrize(
    ("words", "begins", "ends"),
    [
        ("today", "2027-03-27T23:00Z", "2027-03-28T22:00Z"),
        ("Yesterday", "2027-03-26T23:00Z", "2027-03-27T23:00Z"),
        ("tomorrow", "2027-03-28T22:00Z", "2027-03-29T22:00Z"),
        ("last night", "2027-03-27T17:00Z", "2027-03-28T04:00Z"),
        ("tonight", "2027-03-28T16:00Z", "2027-03-29T04:00Z"),
        ("this week", "2027-03-21T23:00Z", "2027-03-28T22:00Z"),
        ("last  week", "2027-03-14T23:00Z", "2027-03-21T23:00Z"),
        ("next week", "2027-03-28T22:00Z", "2027-04-04T22:00Z"),
        ("last 15 min", "2027-03-28T10:19:56.000000Z", "2027-03-28T10:34:56.000000Z"),
        ("last hour", "2027-03-28T09:34:56.000000Z", "2027-03-28T10:34:56.000000Z"),
        ("next 2h", "2027-03-28T10:34:56.000000Z", "2027-03-28T12:34:56.000000Z"),
        ("past 7 days", "2027-03-21T10:34:56.000000Z", "2027-03-28T10:34:56.000000Z"),
        ("2027-03-28", "2027-03-27T23:00Z", "2027-03-28T22:00Z"),
        ("2027-03-27 to 2027-03-28", "2027-03-26T23:00Z", "2027-03-28T22:00Z"),
        ("2027-03-27..today", "2027-03-26T23:00Z", "2027-03-28T22:00Z"),
        ("2027-03-27 18:00 to 2027-03-28 08:30", "2027-03-27T17:00Z", "2027-03-28T06:30Z"),
        ("09:00 to 10:00", "2027-03-28T07:00Z", "2027-03-28T08:00Z"),
        ("09:00", "2027-03-28T07:00Z", "2027-03-28T07:01Z"),
        ("2027-03-28 02:30", "2027-03-28T01:00Z", "2027-03-28T01:01Z"),
        ("after 2027-03-28", "2027-03-27T23:00Z", None),
        ("since 2027-03-28T09:00:00Z", "2027-03-28T09:00Z", None),
        ("before yesterday", None, "2027-03-26T23:00Z"),
    ],
)
def test_what_words_stand_for(words, begins, ends):
    assert shown(words) == (begins, ends)


def test_days_are_those_of_the_zone():
    assert shown("today", "UTC") == ("2027-03-28T00:00Z", "2027-03-29T00:00Z")


@pytest.mark.parametrize(
    "words", ["soon", "last", "last 5 fortnights", "2027-02-30", "25:00", "before", "1 to 2 to 3", "last 9999999999 d"]
)
def test_other_words_are_refused_with_what_would_be_right(words):
    with pytest.raises(ValueError, match="expected a range such as today"):
        range_of(words, NOW, zones.zone_named("UTC"))


@pytest.mark.parametrize("words", ["10:00 to 09:00", "2027-03-28 to 2027-03-26"])
def test_a_range_that_ends_before_it_begins_is_refused(words):
    with pytest.raises(ValueError, match="ends after it begins"):
        range_of(words, NOW, zones.zone_named("UTC"))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_does_harm(words):
    try:
        begins, ends = range_of(words, NOW, BERLIN)
    except ValueError:
        return
    assert begins is None or ends is None or begins < ends


@pytest.mark.parametrize("words", SUGGESTED)
def test_what_a_field_suggests_is_understood(words):
    begins, ends = range_of(words, NOW, BERLIN)

    assert begins < ends


def moment(words, zone=BERLIN):
    return instants.text(moment_of(words, NOW, zone).moment).removesuffix(".000000Z")


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("10 min", timedelta(minutes=10)),
        ("1h30m", timedelta(minutes=90)),
        ("1 hour 30 minutes", timedelta(minutes=90)),
        ("2 Weeks", timedelta(weeks=2)),
        ("1w2d3h4m5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("PT10M", timedelta(minutes=10)),
        ("p1dt2h", timedelta(hours=26)),
        ("P2W", timedelta(weeks=2)),
        ("0s", timedelta(0)),
    ],
)
def test_a_length_is_whole_numbers_with_units(words, length):
    assert length_of(words) == length


@pytest.mark.parametrize(
    "words", ["", "10", "m", "1.5h", "-1h", "30m1h", "1h1h", "1h 30", "5 fortnights", "P", "PT", "P1Y", "1h,30m", "h1"]
)
def test_what_is_no_length_is_refused_with_what_would_be_right(words):
    with pytest.raises(ValueError, match="expected a length of time such as 90s"):
        length_of(words)


def test_a_length_has_an_end():
    assert length_of("36500d") == LONGEST
    with pytest.raises(ValueError, match="at most 36500d"):
        length_of("36500d1s")
    with pytest.raises(ValueError, match="at most 36500d"):
        length_of("9999999999w")


@given(
    st.fixed_dictionaries({}, optional={unit: st.integers(0, 400) for unit in ("w", "d", "h", "m", "s")}).filter(bool)
)
def test_every_length_reads_back_however_it_is_spaced(parts):
    units = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    meant = timedelta(**{units[unit]: count for unit, count in parts.items()})
    ordered = [(unit, parts[unit]) for unit in units if unit in parts]

    assert length_of("".join(f"{count}{unit}" for unit, count in ordered)) == meant
    assert length_of(" ".join(f"{count} {units[unit]}" for unit, count in ordered)) == meant


@pytest.mark.parametrize(
    ("words", "stands_for"),
    [
        ("now", "2027-03-28T10:34:56"),
        ("in 10m", "2027-03-28T10:44:56"),
        ("10m", "2027-03-28T10:44:56"),
        ("In 1h 30m", "2027-03-28T12:04:56"),
        ("PT10M", "2027-03-28T10:44:56"),
        ("17:00", "2027-03-28T15:00:00"),
        ("12:34:57", "2027-03-28T10:34:57"),  # a second from now
        ("12:34:56", "2027-03-29T10:34:56"),  # now itself is past
        ("9:00", "2027-03-29T07:00:00"),
        ("today 17:00", "2027-03-28T15:00:00"),
        ("today 09:00", "2027-03-28T07:00:00"),  # named, so it may have passed
        ("tomorrow 09:00", "2027-03-29T07:00:00"),
        ("tomorrow at 09:00", "2027-03-29T07:00:00"),
        ("at 17:00", "2027-03-28T15:00:00"),
        ("yesterday 09:00", "2027-03-27T08:00:00"),
        ("mon 9:00", "2027-03-29T07:00:00"),
        ("Saturday 09:00", "2027-04-03T07:00:00"),
        ("sun 17:00", "2027-03-28T15:00:00"),  # it is Sunday
        ("sun 9:00", "2027-04-04T07:00:00"),
        ("2027-03-28 02:30", "2027-03-28T01:00:00"),  # in the gap: after it
        ("2027-10-31 02:30", "2027-10-31T00:30:00"),  # twice: the first
        ("2027-03-29T09:00", "2027-03-29T07:00:00"),
        ("2027-03-29T09:00:30", "2027-03-29T07:00:30"),
        ("2027-03-29T09:00:00+05:00", "2027-03-29T04:00:00"),
        ("2027-03-29t09:00:00z", "2027-03-29T09:00:00"),
        ("@1806217200", "2027-03-28T07:00:00"),
        ("@1806217200.5", "2027-03-28T07:00:00.500000Z"),
    ],
)
def test_what_a_moment_in_words_stands_for(words, stands_for):
    assert moment(words) == stands_for


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "expected a time such as in 10m"),
        ("soon", "expected a time such as in 10m"),
        ("in", "expected a time such as in 10m"),
        ("at", "expected a time such as in 10m"),
        ("24:00", "expected a time such as in 10m"),
        ("9", "expected a time such as in 10m"),
        ("morrow 09:00", "expected a time such as in 10m"),
        ("in a while", "expected a length of time"),
        ("10 parsecs", "expected a length of time"),
        ("tomorrow", "a time of day after the day, such as tomorrow 09:00"),
        ("mon", "a time of day after the day, such as mon 09:00"),
        ("2027-03-29", "a time of day after the day, such as 2027-03-29 09:00"),
        ("2027-02-30 09:00", "a day of the calendar"),
        ("9999-12-31 23:59", "the year 9999"),
        ("@1806217200000", "expected a time such as in 10m"),
        ("2027-03-29T09:00:00+5", "RFC 3339"),
    ],
)
def test_what_is_no_moment_is_refused_with_what_would_be_right(words, message):
    with pytest.raises(ValueError, match=message):
        moment_of(words, NOW, zones.zone_named("America/New_York"))


def test_a_moment_says_how_it_was_said():
    assert moment_of("10m", NOW, BERLIN).delay == timedelta(minutes=10)
    assert moment_of("now", NOW, BERLIN).delay == timedelta(0)
    told = moment_of("2027-03-28 02:30", NOW, BERLIN)
    assert (told.delay, told.local_time, told.note.value) == (None, "2027-03-28T02:30:00", "moved_by_gap")
    assert moment_of("2027-10-31 02:30", NOW, BERLIN).note.value == "first_of_two"
    assert moment_of("@0", NOW, BERLIN).local_time is None


WORDS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            [
                *"0123456789:-@.+TZpP ",
                "in ",
                "at ",
                "tomorrow ",
                "mon ",
                "10m",
                "1h",
                "17:00",
                "2027-03-28",
                " ago",
                "now",
            ]
        ),
        max_size=6,
    ).map("".join),
)


@settings(deadline=None)
@given(WORDS)
def test_no_words_of_a_moment_do_harm(words):
    for read in (moment_of, bound_of):
        try:
            read(words, NOW, BERLIN)
        except ValueError as error:
            assert str(error).startswith("expected ")  # noqa: PT017 - most words are refused


@settings(deadline=None)
@given(st.integers(0, 86_399), st.integers(0, 400 * 86_400), st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kolkata"]))
def test_a_time_of_day_is_the_next_one_that_the_clocks_show(of_day, later, zone_name):
    zone, now = zones.zone_named(zone_name), NOW + later * instants.SECOND
    hours, rest = divmod(of_day, 3_600)
    told = moment_of(f"{hours}:{rest // 60:02d}:{rest % 60:02d}", now, zone)

    assert now < told.moment
    assert told.moment - now <= 25 * 3_600 * instants.SECOND  # the day on which the clocks are put back
    if told.note is walls.TimeNote.NORMAL:
        assert walls.wall_at(told.moment, zone) % (86_400 * instants.SECOND) == of_day * instants.SECOND
    assert walls.moment_of(told.local_time, zone) == (told.moment, told.note)


@pytest.mark.parametrize(
    ("words", "stands_for"),
    [
        ("30d ago", "2027-02-26T10:34:56"),
        ("in 1h", "2027-03-28T11:34:56"),
        ("now", "2027-03-28T10:34:56"),
        ("yesterday", "2027-03-26T23:00:00"),
        ("2027-03-28", "2027-03-27T23:00:00"),
        ("09:00", "2027-03-28T07:00:00"),  # of today, though it has passed
        ("tomorrow 09:00", "2027-03-29T07:00:00"),
        ("@1806217200", "2027-03-28T07:00:00"),
        ("2027-03-28T09:00:00Z", "2027-03-28T09:00:00"),
    ],
)
def test_what_a_bound_in_words_stands_for(words, stands_for):
    assert instants.text(bound_of(words, NOW, BERLIN)).removesuffix(".000000Z") == stands_for


def test_a_bound_needs_the_direction_of_a_length():
    with pytest.raises(ValueError, match="expected 30d ago or in 30d"):
        bound_of("30d", NOW, BERLIN)
    with pytest.raises(ValueError, match="expected a time such as 30d ago"):
        bound_of("recently", NOW, BERLIN)
