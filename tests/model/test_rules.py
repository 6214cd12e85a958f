"""Retry and settlement."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasker.model import instants, lifecycle
from tasker.model.attempt import Failed, Succeeded
from tasker.model.lifecycle import MOVES, Move
from tasker.model.retry import RetryPolicy
from tasker.model.task import State, TaskFault

policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 1000),
    initial_delay=st.floats(0, 86_400).map(lambda seconds: timedelta(seconds=seconds)),
    factor=st.floats(1, 1000),
    max_delay=st.floats(0, 86_400).map(lambda seconds: timedelta(seconds=seconds)),
    jitter=st.floats(0, 1),
)
rands = st.floats(0, 1, exclude_max=True)
attempts = st.integers(1, 1001)
FAULT = TaskFault("x", "y")


@given(policies, attempts, rands)
def test_a_wait_is_never_negative_and_never_longer_than_the_longest(policy, attempt, rand):
    wait = policy.delay_after(attempt, rand=rand)
    assert (wait is None) == (attempt >= policy.max_attempts)
    assert wait is None or timedelta(0) <= wait <= policy.max_delay


@given(policies, rands)
def test_jitter_stays_within_its_band(policy, rand):
    wait = policy.delay_after(1, rand=rand)
    if wait is not None:
        first = min(policy.initial_delay, policy.max_delay)
        slack = timedelta(microseconds=2)
        assert first * (1 - policy.jitter) - slack <= wait <= first * (1 + policy.jitter) + slack


@given(policies, attempts)
def test_without_jitter_a_wait_is_never_shorter_than_the_one_before(policy, attempt):
    steady = replace(policy, jitter=0, max_attempts=2000)
    first, second = (steady.delay_after(number, rand=0.5) for number in (attempt, attempt + 1))
    assert first <= second
    exact = min(steady.initial_delay, steady.max_delay)
    assert steady.delay_after(1, rand=0.5) == exact


@given(policies, attempts, rands, rands)
def test_without_jitter_chance_decides_nothing(policy, attempt, rand, other):
    steady = replace(policy, jitter=0)
    assert steady.delay_after(attempt, rand=rand) == steady.delay_after(attempt, rand=other)


@given(policies, rands)
def test_of_the_attempts_all_but_the_last_are_followed_by_another(policy, rand):
    assert policy.delay_after(policy.max_attempts, rand=rand) is None
    if policy.max_attempts > 1:
        assert policy.delay_after(policy.max_attempts - 1, rand=rand) is not None


def test_the_defaults_wait_1_3_and_9_seconds_and_at_most_6_hours_ten_attempts_in_all():
    steady = RetryPolicy(jitter=0)
    waits = [steady.delay_after(attempt, rand=0.5) for attempt in range(1, 11)]
    assert waits[:3] == [timedelta(seconds=wait) for wait in (1, 3, 9)]
    assert waits[8:] == [timedelta(seconds=3**8), None]
    assert replace(steady, max_attempts=99).delay_after(90, rand=0.5) == timedelta(hours=6)


def test_no_move_leaves_an_end_but_deletion_and_only_that_makes_a_task_vanish():
    for move, (sources, target) in MOVES.items():
        if move is not Move.DELETE:
            assert sources.isdisjoint({State.DONE, State.FAILED}), move
            assert target is not None, move
    assert MOVES[Move.DELETE].sources == {*State} - {State.IN_PROGRESS}


@given(
    policies,
    attempts,
    rands,
    st.sampled_from([Succeeded(), Succeeded(b"1"), Failed(FAULT), Failed(FAULT, permanent=True)]),
    st.integers(0, instants.LAST),
)
def test_every_outcome_is_a_move_of_the_table(policy, attempt, rand, outcome, now):
    settled = lifecycle.settle(outcome, attempt=attempt, retry=policy, started_at=5, now=now, rand=rand)

    assert State.IN_PROGRESS in MOVES[settled.move].sources
    assert settled.started_at == 5
    assert (settled.due_at is None) == (settled.move is not Move.RETRY)
    assert (settled.ended_at is None) == (settled.state is State.TODO)
    assert settled.ended_at in (None, now)
    if isinstance(outcome, Succeeded):
        assert (settled.move, settled.result, settled.fault) == (Move.COMPLETE, outcome.result, None)
        return
    wait = None if outcome.permanent else policy.delay_after(attempt, rand=rand)
    assert (settled.move, settled.result, settled.fault) == (Move.FAIL if wait is None else Move.RETRY, None, FAULT)
    if wait is not None:
        assert settled.due_at == min(now + wait // timedelta(microseconds=1), instants.LAST)
