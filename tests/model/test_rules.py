"""Retry and settlement."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasker.model import instants, lifecycle
from tasker.model.attempt import Accepted, Attempt, Exchange, Failed, Phases, Succeeded
from tasker.model.fingerprint import fingerprint_of
from tasker.model.instants import SECOND
from tasker.model.lifecycle import MOVES, Move
from tasker.model.retry import STANDARD, RetryPolicy
from tasker.model.task import Fault, Pool, State, TaskId

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
FAULT = Fault("x", "y")
ALIKE = replace(FAULT, fingerprint=fingerprint_of("webhook", "x", None, "y"))
"""As it is kept."""
STEADY = RetryPolicy(jitter=0)


def an_attempt(number=1, **what):
    known = {"due_at": 3, "execution_at": 2, "payload": b"{}", "fence": 7, "node": "n"}
    return Attempt(task_id=TaskId("t"), type="webhook", pool=Pool(1), number=number, **(known | what))


def settled(outcome, attempt=None, *, retry=STEADY, now=10, rand=0.5, accepted=None):
    attempt = attempt or an_attempt()
    return lifecycle.settle(outcome, attempt=attempt, retry=retry, started_at=5, now=now, rand=rand, accepted=accepted)


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


def test_the_standard_schedule_is_that_of_standard_webhooks_ten_attempts_within_75_hours():
    steady = replace(STANDARD, jitter=0)
    waits = [steady.delay_after(attempt, rand=0.5) for attempt in range(1, 11)]
    minutes = [wait.total_seconds() / 60 for wait in waits[:-1]]
    assert minutes == [5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440]
    assert waits[-1] is None
    assert sum(waits[:-1], timedelta(0)) == timedelta(hours=75, minutes=35, seconds=5)


@given(st.integers(1, 9), rands)
def test_the_standard_schedule_has_a_jitter_of_a_fifth(attempt, rand):
    steady = replace(STANDARD, jitter=0).delay_after(attempt, rand=0.5)
    slack = timedelta(microseconds=2)
    assert steady * 0.8 - slack <= STANDARD.delay_after(attempt, rand=rand) <= steady * 1.2 + slack


def test_a_schedule_that_ends_goes_on_with_its_last_wait():
    policy = RetryPolicy(schedule=(timedelta(seconds=1), timedelta(seconds=2)), jitter=0, max_attempts=9)
    assert [policy.delay_after(attempt, rand=0.5).seconds for attempt in (1, 2, 3, 8)] == [1, 2, 2, 2]


def test_of_the_ends_done_is_final_and_the_others_lead_back_to_todo_when_somebody_asks_for_it():
    for move, (sources, target) in MOVES.items():
        if move is Move.RETRY:
            assert (sources, target) == ({State.FAILED, State.CANCELLED}, State.TODO)
        elif move is not Move.DELETE:
            assert sources.isdisjoint({State.DONE, State.FAILED, State.CANCELLED}), move
            assert target is not None, move
    assert MOVES[Move.DELETE].sources == {*State} - {State.IN_PROGRESS, State.WAITING}


@given(
    policies,
    attempts,
    rands,
    st.sampled_from([Succeeded(), Succeeded(b"1"), Failed(FAULT), Failed(FAULT, permanent=True)]),
    st.integers(0, instants.LAST),
)
def test_every_outcome_is_a_move_of_the_table(policy, number, rand, outcome, now):
    found = settled(outcome, an_attempt(number), retry=policy, now=now, rand=rand)

    assert State.IN_PROGRESS in MOVES[found.move].sources
    assert found.started_at == 5
    assert (found.due_at is None) == (found.move is not Move.BACK_OFF)
    assert (found.ended_at is None) == (found.state is State.TODO)
    assert found.ended_at in (None, now)
    if isinstance(outcome, Succeeded):
        assert (found.move, found.result, found.fault) == (Move.COMPLETE, outcome.result, None)
        return
    wait = None if outcome.permanent else policy.delay_after(number, rand=rand)
    assert (found.move, found.result, found.fault) == (Move.FAIL if wait is None else Move.BACK_OFF, None, ALIKE)
    if wait is not None:
        assert found.due_at == min(now + wait // timedelta(microseconds=1), instants.LAST)


def test_the_next_attempt_comes_at_the_later_of_the_policys_wait_and_what_the_target_asks_for():
    for asked, wait in ((0.5, 1), (1, 1), (7, 7), (86_400, 86_400), (90_000, 86_400)):
        assert settled(Failed(FAULT, retry_after=timedelta(seconds=asked))).due_at == 10 + wait * SECOND


def test_what_the_target_asks_for_gives_no_attempt_that_the_policy_does_not():
    asked = Failed(FAULT, retry_after=timedelta(seconds=1))
    assert settled(asked, retry=RetryPolicy(max_attempts=1)).move is Move.FAIL
    assert settled(replace(asked, permanent=True)).move is Move.FAIL


def test_no_attempt_starts_later_than_the_greatest_age():
    aged = replace(STEADY, max_age=timedelta(seconds=1))
    at_the_last_moment = settled(Failed(FAULT), an_attempt(execution_at=10), retry=aged, now=10)
    assert at_the_last_moment.due_at == 10 + SECOND
    too_late = settled(Failed(FAULT), an_attempt(execution_at=9), retry=aged, now=10)
    assert (too_late.move, too_late.fault, too_late.ended_at) == (Move.FAIL, ALIKE, 10)


def test_a_task_whose_next_attempt_would_come_when_it_has_expired_expires_at_once_and_says_what_went_before():
    in_time = settled(Failed(FAULT), an_attempt(expires_at=10 + SECOND + 1))
    assert in_time.move is Move.BACK_OFF
    expired = settled(Failed(FAULT), an_attempt(expires_at=10 + SECOND))
    assert (expired.move, expired.fault.code) == (Move.FAIL, "expired")
    assert "x: y" in expired.fault.msg
    assert expired.fault.fingerprint == ALIKE.fingerprint, "it is found by it"
    assert expired.record.fault == ALIKE, "the attempt failed for its own reason"
    over = settled(Failed(FAULT, permanent=True), an_attempt(expires_at=10))
    assert over.fault == ALIKE, "it would not have been tried again anyway"


def test_after_a_retry_by_hand_the_policy_counts_anew():
    policy = replace(STEADY, max_attempts=2)
    assert settled(Failed(FAULT), an_attempt(3, retried_after=2), retry=policy).due_at == 10 + SECOND
    assert settled(Failed(FAULT), an_attempt(4, retried_after=2), retry=policy).move is Move.FAIL


def test_what_is_left_of_the_waits_is_what_comes_after_the_next_attempt():
    retry = RetryPolicy(initial_delay=timedelta(seconds=10), factor=2, max_attempts=4, jitter=0.5)
    assert retry.patience() == timedelta(seconds=70)
    ends = [settled(Failed(FAULT), an_attempt(number, retried_after=5), retry=retry) for number in (6, 7, 8, 9)]
    assert [end.waited for end in ends] == [10 * SECOND, 30 * SECOND, 70 * SECOND, None]


def test_the_waits_are_no_longer_than_the_greatest_age():
    assert RetryPolicy(max_age=timedelta(seconds=5)).patience() == timedelta(seconds=5)


def test_what_is_kept_of_an_attempt_is_what_it_was():
    exchange = Exchange(phases=Phases(total=0.5), status=500)
    kept = settled(Failed(FAULT, exchange=exchange, is_alive=False), an_attempt(4)).record
    assert (kept.number, kept.node, kept.due_at, kept.started_at, kept.ended_at) == (4, "n", 3, 5, 10)
    assert kept.fault == replace(FAULT, fingerprint=fingerprint_of("webhook", "x", 500, "y"))
    assert kept.exchange == exchange
    assert settled(Succeeded(exchange=exchange)).record.fault is None


def test_the_circuit_hears_what_an_attempt_shows():
    assert settled(Succeeded()).is_alive is True
    for is_alive in (True, False, None):
        assert settled(Failed(FAULT, is_alive=is_alive)).is_alive is is_alive
    accepted = settled(Accepted(timedelta(minutes=20)))
    assert accepted.is_alive is True
    for outcome in (Succeeded(), Failed(FAULT)):
        assert settled(outcome, accepted=accepted.record).is_alive is None, "it was alive long ago"
