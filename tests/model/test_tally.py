"""Counts of spans: what they have grown by, and that they add up."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tasker.model.history import BUCKETS, OTHERS, Tally

names = st.sampled_from(["webhook", "hash"])
outcomes = st.sampled_from(["succeeded", "failed"])
counts = st.integers(1, 5)
tallies = st.builds(
    Tally,
    created=st.dictionaries(names, counts),
    attempts=st.dictionaries(outcomes, st.dictionaries(names, counts, min_size=1)),
    lateness=st.dictionaries(
        st.sampled_from(["own", "held"]),
        st.lists(st.integers(0, 3), max_size=BUCKETS - 1).map(lambda buckets: [*buckets, 1]),
    ),
    lateness_sum=st.dictionaries(st.sampled_from(["own", "held"]), counts),
)
gates = st.dictionaries(st.integers(0, 8), st.dictionaries(outcomes, counts, min_size=1))


def copy(tally):
    return msgspec.json.decode(msgspec.json.encode(tally), type=Tally)


@given(tallies, tallies)
def test_what_a_tally_has_grown_by_makes_it_again(before, grown):
    after = copy(before)
    after.add(grown)
    assert after.since(before) == grown
    assert after.since(Tally()) == after
    assert after.since(after).is_empty


@given(tallies, tallies)
def test_the_order_in_which_tallies_are_added_makes_no_difference(one, other):
    first, second = copy(one), copy(other)
    first.add(other)
    second.add(one)
    assert first == second


@given(gates, st.integers(0, 4))
def test_the_busiest_destinations_stay_and_nothing_is_lost(destinations, most):
    tally = Tally(destinations=destinations)
    kept = tally.with_busiest(most)

    def total(each):
        return sum(sum(by_outcome.values()) for by_outcome in each.destinations.values())

    assert total(kept) == total(tally)
    assert len(set(kept.destinations) - {OTHERS}) <= max(most, len(destinations) if len(destinations) <= most else 0)
    smallest = min((sum(kept.destinations[gate].values()) for gate in kept.destinations if gate != OTHERS), default=0)
    left = [sum(by.values()) for gate, by in destinations.items() if gate not in kept.destinations]
    assert all(count <= smallest for count in left) or most == 0


def test_a_tally_that_a_later_version_wrote_can_be_read():
    assert msgspec.json.decode(b'{"created":{"webhook":1},"renamed":{"x":1}}', type=Tally).created == {"webhook": 1}
