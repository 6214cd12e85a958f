"""How lateness is split by cause."""

from hypothesis import given
from hypothesis import strategies as st

from tasker.model.lateness import LatenessByCause, by_cause, split_by_cause

moments = st.integers(0, 50)


@given(due_at=moments, started_at=moments, down=moments, held=moments)
def test_no_part_is_negative_and_they_add_up_to_the_lateness(due_at, started_at, down, held):
    parts = by_cause(due_at=due_at, started_at=started_at, down=down, held=held)
    assert min(parts.down, parts.held, parts.own) >= 0
    assert parts.down + parts.held + parts.own == parts.total == max(started_at - due_at, 0)


@given(due_at=moments, down=moments, held=moments, own=moments)
def test_what_was_counted_at_the_claim_is_kept(due_at, down, held, own):
    started_at = due_at + down + held + own
    parts = LatenessByCause(down=down, held=held, own=own)
    assert by_cause(due_at=due_at, started_at=started_at, down=down, held=held) == parts


@given(attempts=st.lists(st.tuples(moments, moments, moments, moments)))
def test_many_attempts_are_split_as_each_of_them(attempts):
    parts = [
        by_cause(due_at=due_at, started_at=started_at, down=down, held=held)
        for due_at, started_at, down, held in attempts
    ]
    assert split_by_cause(attempts) == tuple(
        [getattr(each, cause) for each in parts] for cause in ("down", "held", "own")
    )
