"""What a caller's words of a filter become, and cursors."""

import pytest

from tasker.errors import InvalidQueryError
from tasker.filters import FILTERS, Order, query_of, words_of
from tasker.model.task import STATES, State

SOME = {
    "state": ["failed", "todo"],
    "type": ["webhook"],
    "tag": ["b", "a"],
    "destination": ["17"],
    "due_after": ["2026-01-01T01:00:00+01:00"],
}


def test_the_words_of_a_query_make_the_same_query():
    query = query_of(SOME)
    assert query_of(words_of(query)) == query
    assert words_of(query)["due_after"] == ["2026-01-01T00:00:00.000000Z"]


def test_the_order_of_values_makes_no_difference():
    assert query_of(SOME) == query_of(SOME | {"tag": ["a", "b", "a"], "state": ["todo", "failed"]})


@pytest.mark.parametrize("words", [{}, SOME, {"key": ["a"]}])
def test_a_cursor_says_the_position_to_its_own_query_alone(words):
    query = query_of(words)
    assert query.position(query.cursor("17.4")) == "17.4"
    for other in ({"state": ["done"]}, SOME | {"tag": ["a"]}):
        with pytest.raises(InvalidQueryError, match="same filters"):
            query_of(other).position(query.cursor("17.4"))


@pytest.mark.parametrize("place", range(0, 12, 3))
def test_a_damaged_cursor_is_refused(place):
    query = query_of({})
    cursor = query.cursor("1800000000000000.4")
    damaged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
    with pytest.raises(InvalidQueryError):
        query.position(damaged)


def test_the_order_is_that_of_arrival_where_a_filter_has_an_index_of_its_own():
    for name in ("key", "key_prefix", "tag"):
        assert query_of({name: ["a"]}).order is Order.CREATED
    assert query_of({"state": ["todo"]}).order is Order.DUE


@pytest.mark.parametrize(
    ("words", "states"),
    [
        ({}, set(STATES)),
        ({"state": ["todo"]}, {State.TODO}),
        ({"reason": ["due"]}, {State.TODO}),
        ({"reason": ["due"], "state": ["done"]}, set()),
        ({"ended_after": ["2026-01-01T00:00:00Z"]}, {State.DONE, State.FAILED, State.CANCELLED}),
    ],
)
def test_filters_say_in_which_states_a_task_may_be(words, states):
    assert query_of(words).states == states


def test_the_names_of_filters_are_those_of_the_documentation():
    assert len({each.name for each in FILTERS}) == len(FILTERS)
