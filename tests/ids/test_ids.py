"""Ids: they are UUIDs of version 7, sort by time, and never come twice."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker.ids import new_id, parse_id
from tasker.model.instants import LAST

moments = st.integers(0, LAST)


@given(moments)
def test_an_id_is_a_uuid_of_version_7_that_names_its_millisecond(now):
    made = UUID(new_id(now))
    assert (made.version, made.variant, made.int >> 80) == (7, "specified in RFC 4122", now // 1000)


@given(moments, moments)
def test_ids_of_different_microseconds_sort_by_time(one, other):
    if one != other:
        assert (new_id(one) < new_id(other)) == (one < other)


def test_ids_of_one_moment_differ():
    assert len({new_id(7) for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("text", ["01A224F5-2FC3-77A1-BCF9-51EDBB47CCB9", "{01a224f52fc377a1bcf951edbb47ccb9}"])
def test_an_id_is_known_in_any_spelling_of_a_uuid(text):
    assert parse_id(text) == "01a224f5-2fc3-77a1-bcf9-51edbb47ccb9"
