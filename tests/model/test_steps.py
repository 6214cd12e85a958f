"""Spans of time in steps."""

from hypothesis import given
from hypothesis import strategies as st

from tasker.model.instants import LAST, SECOND
from tasker.model.steps import Steps, readable_length

moments = st.integers(0, LAST - 1)
lengths = st.integers(1, 400 * 86_400).map(lambda seconds: seconds * SECOND)


@given(moments, moments, lengths)
def test_steps_cover_a_span_and_begin_at_multiples_of_their_length(one, other, length):
    first, until = min(one, other), max(one, other) + 1
    steps = Steps.over(first, until, length)
    assert steps.start % length == 0
    assert 0 <= first - steps.start < length
    assert 0 <= steps.start + steps.length * steps.count - until < length
    assert steps.place(first) == 0
    assert steps.place(until - 1) == steps.count - 1


@given(st.integers(1, LAST))
def test_a_length_that_nobody_asked_for_makes_few_steps(span):
    length = readable_length(span)
    assert -(-span // length) <= 60
    assert length % SECOND == 0


@given(st.integers(1, LAST), st.sampled_from([60 * SECOND, 3_600 * SECOND]))
def test_it_is_a_multiple_of_the_shortest_that_may_be(span, least):
    assert readable_length(span, least=least) % least == 0
