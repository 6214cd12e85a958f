"""Attempts in other hands: they wait to be told how they end, until their deadline, on no node."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import REFUSED, SECOND, WEBHOOK, accepted, another_try, claimed, ending_of, failure, listed, running, success

from tasker.errors import ClaimLostError, TaskEndedError, TaskRunningError
from tasker.filters import query_of
from tasker.interfaces.queue import Claim
from tasker.interfaces.tasks import TaskFilter
from tasker.model.attempt import AttemptRecord, Exchange, Phases
from tasker.model.completion_token import KEY_BYTES, TokenClaim, claim_of, completion_token
from tasker.model.gate import Limits
from tasker.model.lifecycle import TIMED_OUT, Move
from tasker.model.new_task import NewTask, OnConflict
from tasker.model.task import Progress, State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOST = "http://h:80"
TOLD = b'{"url":"http://h/","on_cancel":"http://h/c","on_failure":"http://h/f","on_success":"http://h/s"}'


def acceptance(clock, attempt, *, seconds=60, **what):
    record = AttemptRecord(
        number=attempt.number,
        node=attempt.node,
        due_at=attempt.due_at,
        started_at=clock.now(),
        ended_at=None,
        exchange=Exchange(phases=Phases(), status=202),
    )
    settlement = accepted(clock, record=record, **what)
    return replace(settlement, deadline=clock.now() + round(seconds * SECOND))


async def given_away(store, clock, *, seconds=60, counts=True, **how):
    """Create a task, claim it, and have its attempt go into other hands."""
    attempt = await running(store, clock, **how)
    settled = await store.settle(attempt, acceptance(clock, attempt, seconds=seconds, counts=counts))
    assert settled.move is Move.ACCEPT
    return attempt


def claim(attempt):
    return Claim(attempt.task_id, attempt.fence)


def timed_out(clock):
    """A judge that lets attempts fail for good."""
    return lambda awaited, now: failure(clock, TIMED_OUT, ending=ending_of(awaited.attempt, TIMED_OUT))


def never(awaited, now):
    raise AssertionError("nothing has passed")


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_an_end_and_an_acceptance_that_are_written_at_once_are_not_taken_for_each_other(
    store, clock, is_told_first
):
    attempt = await running(store, clock)
    told, accepts = success(clock, b"7", is_early=True), acceptance(clock, attempt)
    settles = [store.settle(attempt, each) for each in ([told, accepts] if is_told_first else [accepts, told])]
    settled = await asyncio.gather(*settles, return_exceptions=True)
    of_told, of_accepts = settled if is_told_first else settled[::-1]

    task = await store.get(attempt.task_id)
    if task.state is State.DONE:
        assert of_told.move is Move.COMPLETE
        assert isinstance(of_accepts, ClaimLostError)
    else:
        assert of_accepts.move is Move.ACCEPT
        assert isinstance(of_told, ClaimLostError)
        assert task.deadline is not None


async def test_whoever_reads_a_task_in_other_hands_finds_it_in_progress_on_no_node(store, clock):
    attempt = await given_away(store, clock)

    task = await store.get(attempt.task_id)
    assert (task.state, task.node, task.attempts, task.ended_at) == (State.IN_PROGRESS, None, 1, None)
    assert task.deadline == clock.now() + 60 * SECOND
    for which in (TaskFilter(state=State.IN_PROGRESS), TaskFilter(type="webhook"), TaskFilter()):
        assert [each.id for each in await listed(store, which)] == [attempt.task_id]
    for words in ({"state": ["in_progress"]}, {"state": ["in_progress"], "type": ["webhook"]}, {}):
        for sort in ("due", "-created"):
            assert [each.id for each in (await store.find(query_of(words, sort), after=None, limit=9)).tasks]
    assert (await store.count_found(query_of({"state": ["in_progress"]}))).count == 1
    counts = await store.count(up_to=10)
    assert counts[State.IN_PROGRESS] == 1
    assert State.WAITING not in counts
    assert await store.ended([attempt.task_id]) == []
    assert [node.running for node in await store.nodes()] == [0]
    assert (await store.standing(attempt.task_id)).task.deadline == task.deadline


async def test_what_is_kept_of_an_attempt_in_other_hands_has_no_end_yet(store, clock):
    attempt = await given_away(store, clock)
    (record,) = await store.attempts(attempt.task_id)
    assert (record.number, record.ended_at, record.exchange.status) == (1, None, 202)
    ended = replace(record, ended_at=clock.now())
    await store.settle(attempt, success(clock, record=ended))
    assert await store.attempts(attempt.task_id) == [ended]


async def test_an_attempt_in_other_hands_ends_as_any_other_and_once(store, clock):
    for settlement in (success(clock, b'{"pages":3}'), failure(clock), another_try(clock)):
        attempt = await given_away(store, clock)
        await store.settle(attempt, settlement)
        task = await store.get(attempt.task_id)
        assert (task.state, task.deadline) == (settlement.state, None)
        assert (task.result, task.last_fault) == (settlement.result, settlement.fault)
        for late in (success(clock), failure(clock), acceptance(clock, attempt)):
            with pytest.raises(ClaimLostError):
                await store.settle(attempt, late)
        with pytest.raises(ClaimLostError):
            await store.awaited(claim(attempt))
        assert await store.get(attempt.task_id) == task


async def test_an_attempt_that_still_runs_can_be_ended_from_outside_and_is_then_void(store, clock):
    attempt = await running(store, clock)
    awaited = await store.awaited(claim(attempt))
    assert (awaited.attempt, awaited.deadline, awaited.record) == (attempt, None, None)
    await store.settle(awaited.attempt, success(clock))
    with pytest.raises(ClaimLostError):
        await store.settle(attempt, acceptance(clock, attempt))
    assert (await store.get(attempt.task_id)).state is State.DONE


async def test_the_next_attempt_has_another_claim(store, clock):
    first = await given_away(store, clock)
    await store.settle(first, another_try(clock, in_seconds=1))
    await clock.advance(1)
    second = await claimed(store)
    assert (second.task_id, second.number) == (first.task_id, 2)
    for store_call in (store.awaited(claim(first)), store.settle(first, success(clock))):
        with pytest.raises(ClaimLostError):
            await store_call
    assert (await store.awaited(claim(second))).attempt == second


async def test_what_is_needed_to_end_an_attempt_is_read_with_its_claim(store, clock):
    attempt = await given_away(store, clock)
    awaited = await store.awaited(claim(attempt))
    assert awaited.attempt == attempt
    assert (awaited.started_at, awaited.deadline) == (clock.now(), clock.now() + 60 * SECOND)
    assert (awaited.is_cancelled, awaited.progress) == (False, None)
    assert awaited.record.exchange.status == 202
    with pytest.raises(ClaimLostError):
        await store.awaited(Claim(attempt.task_id, attempt.fence ^ 1))


async def test_a_deadline_ends_an_attempt_at_its_moment_and_not_before(store, clock):
    attempt = await given_away(store, clock, seconds=60, payload=TOLD)
    deadline = clock.now() + 60 * SECOND
    await clock.advance(59.999999)
    lapsed = await store.lapse(never)
    assert (list(lapsed.lapses), lapsed.next_at) == ([], deadline)

    await clock.advance(0.000001)
    lapsed = await store.lapse(timed_out(clock))
    (lapse,) = lapsed.lapses
    assert (lapse.awaited.attempt, lapse.settled.move, lapsed.next_at) == (attempt, Move.FAIL, None)
    assert [child.parent_id for child in lapse.settled.followed_by] == [attempt.task_id]
    task = await store.get(attempt.task_id)
    assert (task.state, task.last_fault, task.deadline) == (State.FAILED, TIMED_OUT, None)
    assert list((await store.lapse(never)).lapses) == []


async def test_deadlines_end_attempts_in_their_order_as_many_as_have_passed(store, clock):
    seconds = (30, 10, 20, 40)
    attempts = {each: await given_away(store, clock, seconds=each) for each in seconds}
    began = clock.now()
    await clock.advance(30)
    lapsed = await store.lapse(lambda awaited, now: another_try(clock))
    assert [lapse.awaited.attempt for lapse in lapsed.lapses] == [attempts[each] for each in (10, 20, 30)]
    assert lapsed.next_at == began + 40 * SECOND


async def test_what_is_told_of_progress_is_shown_and_moves_the_deadline_if_it_says_so(store, clock):
    attempt = await given_away(store, clock, seconds=60)
    before = await store.get(attempt.task_id)
    await clock.advance(10)

    beat = await store.beat(claim(attempt), progress=0.25, msg="page 1 of 4")
    assert (beat.deadline, beat.is_cancelled) == (before.deadline, False)
    task = await store.get(attempt.task_id)
    assert task.progress == Progress(attempt=1, at=clock.now(), progress=0.25, msg="page 1 of 4")
    assert task.revision == before.revision, "it is nothing that a change could overlook"
    assert (await store.awaited(claim(attempt))).progress == task.progress

    beat = await store.beat(claim(attempt), progress=None, msg=None, deadline=timedelta(minutes=5))
    assert beat.deadline == clock.now() + 300 * SECOND
    await clock.advance(299.999999)
    assert (await store.lapse(never)).next_at == beat.deadline
    await clock.advance(0.000001)
    assert len((await store.lapse(timed_out(clock))).lapses) == 1
    with pytest.raises(ClaimLostError):
        await store.beat(claim(attempt), progress=1.0, msg=None)


async def test_an_attempt_that_still_runs_has_no_deadline_to_move(store, clock):
    attempt = await running(store, clock)
    beat = await store.beat(claim(attempt), progress=0.5, msg=None, deadline=timedelta(seconds=1))
    assert beat.deadline is None
    await clock.advance(5)
    assert (await store.lapse(never)).next_at is None
    assert (await store.get(attempt.task_id)).progress.progress == 0.5


async def test_cancel_ends_a_task_in_other_hands_at_once_and_tells(store, clock):
    attempt = await given_away(store, clock, payload=TOLD)
    cancelled = await store.cancel(attempt.task_id)
    assert (cancelled.state, cancelled.is_new) == (State.CANCELLED, True)
    assert [child.parent_id for child in cancelled.followed_by] == [attempt.task_id]
    task = await store.get(attempt.task_id)
    assert (task.state, task.ended_at, task.deadline) == (State.CANCELLED, clock.now(), None)
    for late in (store.settle(attempt, success(clock)), store.beat(claim(attempt), progress=1.0, msg=None)):
        with pytest.raises(ClaimLostError):
            await late
    await clock.advance(3600)
    assert list((await store.lapse(never)).lapses) == []


async def test_what_was_cancelled_while_it_ran_goes_into_no_other_hands(store, clock):
    attempt = await running(store, clock, payload=TOLD)
    await store.cancel(attempt.task_id)
    assert (await store.awaited(claim(attempt))).is_cancelled
    assert (await store.beat(claim(attempt), progress=None, msg=None)).is_cancelled

    settlement = acceptance(clock, attempt)
    settled = await store.settle(attempt, replace(settlement, ending=replace(ending_of(attempt), state=State.WAITING)))
    assert settled.move is Move.STOP
    assert len(settled.followed_by) == 1
    task = await store.get(attempt.task_id)
    assert (task.state, task.ended_at, task.deadline) == (State.CANCELLED, clock.now(), None)
    with pytest.raises(ClaimLostError):
        await store.awaited(claim(attempt))


async def test_a_task_in_other_hands_is_neither_deleted_nor_given_back(store, clock):
    attempt = await given_away(store, clock)
    with pytest.raises(TaskRunningError):
        await store.delete(attempt.task_id)
    with pytest.raises(ClaimLostError):
        await store.give_back(attempt)
    assert await store.claims() == []
    await store.settle(attempt, success(clock))
    with pytest.raises(TaskEndedError):
        await store.cancel(attempt.task_id)


async def test_a_death_of_the_node_concerns_no_task_in_other_hands(store, clock, after_death):
    attempt = await given_away(store, clock, seconds=3600)
    before = await store.get(attempt.task_id)
    key = await store.completion_key()
    store = await after_death(store)
    taken = await store.take_back()
    assert (taken.todo, taken.failed, taken.cancelled) == (0, 0, 0)
    assert await store.get(attempt.task_id) == before
    assert await store.completion_key() == key, "the tokens that are out stay valid"
    await store.settle((await store.awaited(claim(attempt))).attempt, success(clock, b"1"))
    assert (await store.get(attempt.task_id)).result == b"1"


async def test_a_key_is_held_while_its_task_is_in_other_hands(store, clock):
    task = replace(a_task(due_at=clock.now()), key="k", holds_key=True)
    await store.make([NewTask(task=task)])
    attempt = await claimed(store)
    await store.settle(attempt, acceptance(clock, attempt))
    assert await store.id_of_key("k", or_newest=False) == task.id
    other = replace(a_task(due_at=clock.now() + 9), key="k", holds_key=True)
    (made,) = await store.make([NewTask(task=other, on_conflict=OnConflict.KEEP)])
    assert made.id == task.id
    (made,) = await store.make([NewTask(task=other, on_conflict=OnConflict.DEBOUNCE)])
    assert made.id == other.id, "it is running: another takes its key over"
    assert await store.id_of_key("k", or_newest=False) == other.id


@pytest.mark.parametrize("counts", [True, False])
async def test_what_is_in_other_hands_counts_in_max_running_if_it_is_to(store, clock, counts):
    first = await given_away(store, clock, counts=counts, host=HOST)
    await store.limit(first.gate, Limits(max_running=1))
    await store.create([a_task(due_at=clock.now(), host=HOST)])
    taken = (await store.claim_due({WEBHOOK: 9})).attempts
    assert len(taken) == (0 if counts else 1)
    assert (await store.gate(first.gate)).running == 1
    if not counts:
        return

    end = await store.settle(first, failure(clock))
    assert end.has_room
    assert len((await store.claim_due({WEBHOOK: 9})).attempts) == 1


async def test_a_cancel_makes_room_at_once(store, clock):
    first = await given_away(store, clock, host=HOST)
    await store.limit(first.gate, Limits(max_running=1))
    await store.create([a_task(due_at=clock.now(), host=HOST)])
    assert list((await store.claim_due({WEBHOOK: 9})).attempts) == []
    await store.cancel(first.task_id)
    assert len((await store.claim_due({WEBHOOK: 9})).attempts) == 1


async def test_a_passed_deadline_makes_room_at_once(store, clock):
    first = await given_away(store, clock, seconds=0.5, host=HOST)
    await store.limit(first.gate, Limits(max_running=1))
    await store.create([a_task(due_at=clock.now(), host=HOST)])
    assert list((await store.claim_due({WEBHOOK: 9})).attempts) == []
    await clock.advance(0.5)
    await store.lapse(timed_out(clock))
    assert len((await store.claim_due({WEBHOOK: 9})).attempts) == 1


async def test_an_acceptance_is_a_sign_of_life(store, clock):
    for _ in range(9):
        attempt = await running(store, clock, host=HOST)
        await store.settle(attempt, failure(clock, REFUSED, is_alive=False))
    attempt = await given_away(store, clock, host=HOST)
    assert (await store.gate(attempt.gate)).gate.circuit.failures == 0


async def test_tokens_are_of_one_claim_under_the_key_of_the_store(store, clock):
    key = await store.completion_key()
    assert len(key) == KEY_BYTES
    attempt = await running(store, clock)
    named = TokenClaim(attempt.task_id, attempt.fence)
    token = completion_token(key, named)
    assert claim_of(key, token) == named
    for wrong in (token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), f"{token}.", "", "a.b.c"):
        assert claim_of(key, wrong) is None
    assert claim_of(bytes(KEY_BYTES), token) is None
    other = completion_token(key, TokenClaim(attempt.task_id, attempt.fence ^ 1))
    assert claim_of(key, f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}") is None
