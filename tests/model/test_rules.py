"""Retry and settlement."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasker.model import lifecycle
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


@given(
    policies,
    attempts,
    rands,
    st.sampled_from([Succeeded(), Failed(TaskFault("x", "y")), Failed(TaskFault("x", "y"), permanent=True)]),
)
def test_every_outcome_is_a_move_of_the_table(policy, attempt, rand, outcome):
    settled = lifecycle.settle(outcome, attempt=attempt, retry=policy, started_at=5, now=10, rand=rand)

    assert State.IN_PROGRESS in MOVES[settled.move].sources
    assert settled.started_at == 5
    assert (settled.due_at is None) == (settled.move is not Move.RETRY)
    assert (settled.ended_at is None) == (settled.state is State.TODO)
    if isinstance(outcome, Failed) and outcome.permanent:
        assert settled.move is Move.FAIL
