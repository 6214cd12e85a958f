"""Ranges of time in words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasker.dashboard.ranges import SUGGESTED, range_of
from tasker.model import instants

NOW = instants.parse("2027-03-28T12:34:56+02:00")
"""A Sunday, in Berlin the day on which the clocks were put forward at 02:00."""


def shown(words, zone="Europe/Berlin"):
    return tuple(
        None if end is None else instants.text(end).replace(":00.000000Z", "Z") for end in range_of(words, NOW, zone)
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
        range_of(words, NOW, "UTC")


@pytest.mark.parametrize("words", ["10:00 to 09:00", "2027-03-28 to 2027-03-26"])
def test_a_range_that_ends_before_it_begins_is_refused(words):
    with pytest.raises(ValueError, match="ends after it begins"):
        range_of(words, NOW, "UTC")


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_does_harm(words):
    try:
        begins, ends = range_of(words, NOW, "Europe/Berlin")
    except ValueError:
        return
    assert begins is None or ends is None or begins < ends


@pytest.mark.parametrize("words", SUGGESTED)
def test_what_a_field_suggests_is_understood(words):
    begins, ends = range_of(words, NOW, "Europe/Berlin")

    assert begins < ends
