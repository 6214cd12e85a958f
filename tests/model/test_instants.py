"""RFC 3339 text and instants."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.model import instants

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instant = st.integers(instants.parse("0001-01-01T00:00:00Z"), instants.LAST)
first, last = datetime(1971, 1, 1), datetime(9998, 12, 30)  # noqa: DTZ001 - the strategy adds the zone
moments = st.datetimes(first, last, timezones=offsets)


def written(zone):
    """The offset of *zone* as RFC 3339 has it."""
    return datetime(2000, 1, 1, tzinfo=zone).isoformat()[19:]


@given(moments)
def test_any_offset_names_the_same_moment(moment):
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instants.parse(moment.isoformat()) == expected
    assert instants.parse(moment.isoformat().replace("T", "t")) == expected
    assert instants.parse(instants.text(expected)) == expected


@given(instant)
def test_what_is_written_is_read_as_the_same_moment(moment):
    text = instants.text(moment)
    assert instants.parse(text) == moment
    assert instants.parse(text.lower()) == moment
    assert instants.parse(text.replace("Z", "-00:00")) == moment


@given(instant, instant)
def test_texts_sort_as_their_moments_do(one, other):
    assert (instants.text(one) < instants.text(other)) == (one < other)


@given(st.integers(-62_135_596_800, 253_402_300_798), st.text("0123456789", min_size=1, max_size=30))
def test_a_fraction_of_any_length_is_rounded_up_to_a_microsecond(second, digits):
    whole = instants.text(second * instants.SECOND)[:19]
    moment = instants.parse(f"{whole}.{digits}Z")
    exact = second * instants.SECOND * 10 ** len(digits) + int(digits) * instants.SECOND
    assert (moment - 1) * 10 ** len(digits) < exact <= moment * 10 ** len(digits)


@given(st.dates(date(1, 1, 2), date(9999, 12, 30)), offsets)
def test_a_leap_second_is_the_second_after_it_anywhere(day, zone):
    offset = written(zone)
    leap = instants.parse(f"{day}T23:59:60{offset}")
    assert leap == instants.parse(f"{day}T23:59:59{offset}") + instants.SECOND
    assert instants.parse(f"{day}T23:59:60.25{offset}") == leap + instants.SECOND // 4


@given(instant, offsets)
def test_what_names_a_moment_up_to_the_year_9999_is_read_and_anything_later_refused(moment, zone):
    minutes = zone.utcoffset(None) // timedelta(minutes=1)
    named = f"{instants.text(moment)[:-1]}{written(zone)}"
    right = moment - minutes * 60 * instants.SECOND
    if right <= instants.LAST:
        assert instants.parse(named) == right
    else:
        with pytest.raises(ValueError, match="year 9999"):
            instants.parse(named)


nearly = st.from_regex(
    re.compile(
        r"\d{4}-[0-3]\d-[0-3]\d[Tt ]?[0-3]\d:[0-7]\d:[0-7]\d(\.\d{0,12})?([Zz]|[+-][0-3]\d:?[0-7]\d)?", re.ASCII
    ),
    fullmatch=True,
)
"""Times that are nearly right, and right ones among them."""


@given(st.text() | nearly)
def test_whatever_is_read_it_is_a_moment_or_a_refusal_of_one_line(text):
    try:
        answer = instants.parse(text)
    except ValueError as refusal:
        answer = str(refusal)
    if isinstance(answer, str):
        assert re.fullmatch(r"expected .{1,400}", answer)
    else:
        assert answer <= instants.LAST


@given(st.integers(0, instants.LAST), st.timedeltas(timedelta(0), timedelta(days=10**6)))
def test_a_delay_leads_exactly_as_far_on_but_never_past_the_last_moment(moment, delay):
    exact = moment + delay.days * 86_400 * instants.SECOND + delay.seconds * instants.SECOND + delay.microseconds
    assert instants.after(moment, delay) == min(exact, instants.LAST)


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [
        ("0", 0),
        ("000000001", 1),
        ("0000000000", 0),
        ("1234560", 123456),
        ("123456001", 123457),
        ("999999999", 1_000_000),
    ],
)
def test_digits_finer_than_a_microsecond_round_up(fraction, microseconds):
    assert instants.parse(f"1970-01-01T00:00:00.{fraction}Z") == microseconds


def test_a_leap_second_is_the_second_after():
    assert instants.parse("2016-12-31T23:59:60Z") == instants.parse("2017-01-01T00:00:00z")


def test_the_last_moment_is_the_end_of_the_year_9999_in_utc():
    assert instants.parse("9999-12-31T23:59:59.999999Z") == instants.LAST
    assert instants.parse("9999-12-31T23:59:59+23:59") < instants.LAST
    for beyond in ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01"):
        with pytest.raises(ValueError, match="year 9999"):
            instants.parse(beyond)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2126-01-01",
        "2126-01-01T00:00:00",
        "2126-01-01 00:00:00Z",
        "2126-W01-1T00:00:00Z",
        "21260101T000000Z",
        "2126-01-01T000000.0Z",
        "2126-01-01T00:00:00,5Z",
        "2126-01-01x00:00:00Z",
        "2126-02-30T00:00:00Z",
        "2126-13-01T00:00:00Z",
        "2126-01-01T24:00:00Z",
        "2126-01-01T00:60:00Z",
        "2126-01-01T00:00:61Z",
        "2126-01-01T00:00:00+24:00",
        "2126-01-01T00:00:00+0100",
        "2126-01-01T00:00:00.Z",
        "0000-01-01T00:00:00Z",
        "٢١٢٦-01-01T00:00:00Z",
        " 2126-01-01T00:00:00Z",
        "2126-01-01T00:00:00Z\n",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        instants.parse(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2126-02-10T16:30:00", "expected an offset at the end, Z for UTC"),
        ("2126-02-10 16:30:00", "expected an offset at the end, Z for UTC"),
        ("2126-02-10", "expected a time of day and an offset after the day"),
        ("2126-02-10 16:30:00+01:00", "expected a T between the day and the time of day"),
        ("2126-02-10T16:30:00 Z", "expected no blank before the offset"),
        ("2126-02-10T16:30:00+0100", "expected an offset in hours and minutes with a colon between them"),
        ("2126-02-10T16:30:00+01", "expected an offset in hours and minutes with a colon between them"),
        ("2126-02-10T16:30Z", "expected seconds after the minutes"),
        ("2126-02-10T16:30:00,5Z", "expected a point before the fraction of the second"),
        ("2126-02-10T24:00:00Z", "expected hours up to 23"),
        ("2126-02-30T16:00:00Z", "expected a day of the calendar"),
        ("1763900000", "if these are seconds since 1970, write 2025-11-23T12:13:20Z"),
        ("1763900000.5", "if these are seconds since 1970, write 2025-11-23T12:13:20Z"),
        ("1763900000123", "if these are milliseconds since 1970, write 2025-11-23T12:13:20Z"),
        ("17", "expected an RFC 3339 time, such as"),
        ("tomorrow", "expected an RFC 3339 time with an offset, such as"),
    ],
)
def test_a_mistake_in_a_time_is_called_by_its_name(text, right):
    with pytest.raises(ValueError, match=r"^expected ") as refusal:
        instants.parse(text)
    assert right in str(refusal.value)
    assert str(refusal.value).endswith(f"got: {text!r}")
