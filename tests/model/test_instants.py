"""RFC 3339 text and instants."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.model import instants

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1971, 1, 1), datetime(9998, 12, 30), timezones=offsets)  # noqa: DTZ001 - the strategy adds the zone


@given(moments)
def test_any_offset_names_the_same_moment(moment):
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instants.parse(moment.isoformat()) == expected
    assert instants.parse(moment.isoformat().replace("T", "t")) == expected
    assert instants.parse(instants.text(expected)) == expected


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [("0", 0), ("000000001", 1), ("0000000000", 0), ("1234560", 123456), ("123456001", 123457), ("999999999", 1_000_000)],
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
