"""Histograms count each value once, in the range it falls into."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tasker.model.histogram import LATENESS_BOUNDS, PHASE_BOUNDS, Histogram
from tasker.model.instants import SECOND

values = st.lists(st.one_of(st.integers(0, 5_000 * SECOND), st.sampled_from(LATENESS_BOUNDS), st.just(0)))


def test_the_bounds_of_lateness_go_from_100_microseconds_to_an_hour_in_even_steps():
    assert LATENESS_BOUNDS[0] == 100
    assert LATENESS_BOUNDS[-1] == 3_600 * SECOND
    steps = [after / before for before, after in itertools.pairwise(LATENESS_BOUNDS)]
    assert all(2 <= step <= 3 for step in steps)
    assert PHASE_BOUNDS[-1] == 60 * SECOND


@given(values, values)
def test_each_value_is_counted_once_and_at_or_below_its_bound(one_by_one, together):
    histogram = Histogram(LATENESS_BOUNDS)
    for value in one_by_one:
        histogram.observe(value)
    histogram.observe_all(together)
    values = one_by_one + together
    below, counted = 0, 0
    for bound, count in zip(LATENESS_BOUNDS, histogram.counts, strict=False):
        counted += count
        below = sum(value <= bound for value in values)
        assert counted == below
    assert (histogram.count, histogram.sum) == (len(values), sum(values))
    assert histogram.counts[-1] == len(values) - below
