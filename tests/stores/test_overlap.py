"""Which runs of a schedule start: what goes on, what waits for that, and how many there are to be."""

import asyncio

import pytest
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, another_try, claim_all, failure, success

from tasker.errors import ClaimLostError
from tasker.explaining import explain
from tasker.filters import REASONS, query_of
from tasker.ids import new_id
from tasker.interfaces.queue import Claim
from tasker.model.gate import Destination, GateKind
from tasker.model.schedule import Overlap, Plan, Schedule, Template, advance, begun, changed
from tasker.model.task import Admission, RunKind, State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

MINUTE = 60 * SECOND
STARTED, OVERLAP, BEHIND = Admission.STARTED, Admission.OVERLAP, Admission.BEHIND


async def put(store, clock, overlap=Overlap.SKIP, *, payload=b'{"url":"http://a/"}', destination=None, **plan):
    await store.claim_due({})  # a node looks: nothing is missed
    now = clock.now()
    schedule = Schedule(
        name="a",
        revision=1,
        type="webhook",
        plan=Plan(every=MINUTE, anchor=now, overlap=overlap, **plan),
        template=Template(type="webhook", pool=WEBHOOK, payload=Raw(payload), destination=destination),
    )
    stored, run = begun(schedule, after=now, now=now, new_id=new_id)
    await store.put_schedule(stored, run, seen=None)
    return await store.schedule("a")


async def come_due(store, clock):
    """Let the next time of the schedule pass, have it go on, and claim what is due."""
    await clock.advance(60)
    due = await store.due_schedules(limit=10)
    await store.advance_schedules([advance(each, now=clock.now(), new_id=new_id) for each in due.schedules])
    return await claim_all(store, 100)


async def decide(store, *attempts):
    """Ask for all, those that started with their claim among them."""
    return [each.admission for each in await store.admit(attempts)]


async def task_of(store, attempt):
    return await store.get(attempt.task_id)


async def test_a_run_starts_with_its_claim_and_is_counted(store, clock):
    await put(store, clock)
    (first,) = await come_due(store, clock)
    assert (first.admission, first.asks_to_start) == (STARTED, False)
    task = await task_of(store, first)
    assert (task.state, task.admission) == (State.IN_PROGRESS, STARTED)
    assert (await store.schedule("a")).started == 1
    assert await decide(store, first) == [STARTED], "whoever asks hears the same"
    assert (await store.schedule("a")).started == 1
    await store.settle(first, success(clock))
    assert (await task_of(store, first)).state is State.DONE


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        (Overlap.SKIP, [OVERLAP, OVERLAP]),
        (Overlap.QUEUE, [BEHIND, OVERLAP]),
        (Overlap.ALLOW, [STARTED, STARTED]),
    ],
)
async def test_what_comes_while_a_run_goes_on(store, clock, overlap, expected):
    await put(store, clock, overlap)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    got = []
    for admission in expected:
        (attempt,) = await come_due(store, clock)
        got += await decide(store, attempt)
        task = await task_of(store, attempt)
        assert task.admission is admission
        if admission is not STARTED:
            assert (task.attempts, task.node) == (0, None)
            assert task.state is (State.TODO if admission is BEHIND else State.CANCELLED)
            with pytest.raises(ClaimLostError):
                await store.settle(attempt, success(clock))
    assert got == expected
    assert (await store.schedule("a")).skipped == got.count(OVERLAP)
    assert (await store.schedule("a")).started == 1 + got.count(STARTED)


async def test_what_does_not_start_with_its_claim_is_decided_by_whoever_asks(store, clock):
    await put(store, clock)
    (first,) = await come_due(store, clock)
    (second,) = await come_due(store, clock)
    assert (first.asks_to_start, second.asks_to_start) == (False, True)
    task = await task_of(store, second)
    assert (task.state, task.admission) == (State.IN_PROGRESS, None)
    assert (await store.schedule("a")).started == 1


async def test_of_runs_that_are_claimed_together_the_first_starts_and_the_rest_is_asked(store, clock):
    await put(store, clock)
    await come_due_without_claim(store, clock)
    first, second = await claim_all(store, 100)
    assert first.due_at < second.due_at
    assert [first.admission, second.admission] == [STARTED, None]
    assert await decide(store, first, second) == [STARTED, OVERLAP]
    stands = await store.schedule("a")
    assert (stands.started, stands.skipped) == (1, 1)


async def test_runs_that_may_overlap_start_together_and_are_counted_each(store, clock):
    seen = await put(store, clock, Overlap.ALLOW, max_runs=4)
    await come_due_without_claim(store, clock)
    now = clock.now()
    await store.add_runs(seen, [seen.asked_run(now, new_id(now), RunKind.MANUAL, now=now)])
    attempts = await claim_all(store, 100)
    assert [each.admission for each in attempts] == [STARTED] * 3
    assert (await store.schedule("a")).started == 2, "what somebody asked for is not counted"


async def test_the_last_run_of_a_schedule_does_not_start_with_its_claim(store, clock):
    """No more runs are made then, and some are removed: that is durable."""
    await put(store, clock, Overlap.ALLOW, max_runs=2)
    (first,) = await come_due(store, clock)
    (last,) = await come_due(store, clock)
    assert (first.admission, last.admission) == (STARTED, None)
    assert await decide(store, last) == [STARTED]


async def test_runs_of_other_schedules_and_plain_tasks_are_claimed_beside_one_that_is_asked(store, clock):
    await put(store, clock)
    await come_due(store, clock)
    now = clock.now()
    other = Schedule(
        name="b",
        revision=1,
        type="webhook",
        plan=Plan(every=MINUTE, anchor=now),
        template=Template(type="webhook", pool=WEBHOOK, payload=Raw(b"{}")),
    )
    await store.put_schedule(*begun(other, after=now, now=now, new_id=new_id), seen=None)
    await store.create([a_task(due_at=clock.now() + SECOND)])
    attempts = await come_due(store, clock)
    assert {(each.schedule, each.admission) for each in attempts} == {("a", None), ("b", STARTED), (None, None)}
    assert [(await store.schedule(name)).started for name in "ab"] == [1, 1]


async def test_a_run_goes_on_between_its_attempts_and_in_other_hands(store, clock):
    await put(store, clock)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    await store.settle(first, another_try(clock))
    again, second = sorted(await come_due(store, clock), key=lambda each: each.number, reverse=True)
    assert again.task_id == first.task_id
    assert not again.asks_to_start, "what has started is not asked again"
    assert await decide(store, second) == [OVERLAP]
    await store.settle(again, failure(clock))
    (third,) = await come_due(store, clock)
    assert await decide(store, third) == [STARTED]


async def test_what_has_not_started_stops_nobody(store, clock):
    await put(store, clock)
    (held,) = await come_due(store, clock)
    (second,) = await come_due(store, clock)
    assert held.admission is STARTED
    await store.give_back(Claim(held.task_id, held.fence))
    assert (await task_of(store, held)).admission is Admission.NOT_BEGUN
    assert await decide(store, second) == [STARTED], "the other was given back before it began"
    (again,) = await claim_all(store, 1)
    assert (again.task_id, again.admission) == (held.task_id, Admission.NOT_BEGUN)
    assert await decide(store, again) == [OVERLAP]
    assert (await store.schedule("a")).started == 2, "both were counted, each once"


async def test_of_runs_that_ask_at_once_the_first_one_starts(store, clock):
    await put(store, clock)
    await come_due_without_claim(store, clock)
    attempts = await claim_all(store, 100)
    assert len(attempts) == 2
    one, other = await asyncio.gather(store.admit(attempts[:1]), store.admit(attempts[1:]))
    assert sorted([one[0].admission, other[0].admission]) == [STARTED, OVERLAP]


async def come_due_without_claim(store, clock):
    for _ in range(2):
        due = await store.due_schedules(limit=10)
        await store.advance_schedules([advance(each, now=clock.now(), new_id=new_id) for each in due.schedules])
        await clock.advance(60)


async def test_what_waits_is_let_go_once_nothing_goes_on_and_starts_then(store, clock):
    await put(store, clock, Overlap.QUEUE)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    (second,) = await come_due(store, clock)
    await decide(store, second)
    assert (await store.due_schedules(limit=1)).has_waiting
    assert (await store.release_runs()).count == 0
    assert await claim_all(store, 10) == [], "it is not in the queue"
    await clock.advance(5)
    await store.settle(first, success(clock))
    assert (await store.release_runs()).count == 1
    assert not (await store.due_schedules(limit=1)).has_waiting
    (again,) = await claim_all(store, 10)
    assert (again.task_id, again.number) == (second.task_id, 1)
    assert again.late_held == 5 * SECOND
    assert await decide(store, again) == [STARTED]


async def test_what_waits_is_found_and_counted_for_the_reason_that_is_explained(store, clock):
    await put(store, clock, Overlap.QUEUE, destination=Destination(GateKind.HOST, "http://a:80"))
    (first,) = await come_due(store, clock)
    await decide(store, first)
    (second,) = await come_due(store, clock)
    await decide(store, second)
    waits = (await task_of(store, second)).id
    assert await why(store, clock, waits) == "overlap"
    await store.pause_all()
    assert await why(store, clock, waits) == "paused_all"
    await store.resume_all()
    gate = (await store.standing(waits)).gate.gate.id
    await store.pause(gate)
    assert await why(store, clock, waits) == "paused"
    await store.resume(gate)
    assert await why(store, clock, waits) == "overlap"
    await store.settle(first, success(clock))
    await store.release_runs()
    assert await why(store, clock, waits) == "due", "it is in the queue"


async def why(store, clock, task_id):
    """Why a task that is due does not run, as it is explained, found and counted alike."""
    standing = await store.standing(task_id)
    explained = explain(standing, now=clock.now(), max_attempts=1, has_free_slot=True).reason
    overdue = (await store.overdue(free_pools={WEBHOOK})).by_reason
    for reason in REASONS:
        page = await store.find(query_of({"reason": [reason]}), after=None, limit=9, free_pools={WEBHOOK})
        assert (task_id in [task.id for task in page.tasks]) == (reason == explained), reason
        assert reason not in overdue or (overdue[reason].oldest == standing.task.due_at) == (reason == explained), (
            reason
        )
    return explained


async def test_what_waits_can_be_cancelled_and_its_place_is_free(store, clock):
    await put(store, clock, Overlap.QUEUE)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    (second,) = await come_due(store, clock)
    await decide(store, second)
    await store.cancel(second.task_id)
    assert not (await store.due_schedules(limit=1)).has_waiting
    (third,) = await come_due(store, clock)
    assert await decide(store, third) == [BEHIND]


async def test_what_somebody_asked_for_waits_and_is_never_left_out(store, clock):
    seen = await put(store, clock)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    now = clock.now()
    runs = [seen.asked_run(now, new_id(now + place), RunKind.MANUAL, now=now) for place in range(3)]
    await store.add_runs(seen, runs)
    asked = await claim_all(store, 10)
    assert await decide(store, *asked) == [BEHIND] * 3
    await store.settle(first, success(clock))
    assert (await store.release_runs()).count == 1, "one after the other"
    (attempt,) = await claim_all(store, 10)
    assert attempt.task_id == runs[0].id
    assert await decide(store, attempt) == [STARTED]
    assert (await store.release_runs()).count == 0
    assert ((await store.schedule("a")).started, (await store.schedule("a")).skipped) == (1, 0)


async def test_a_run_that_was_left_out_waits_if_it_is_retried(store, clock):
    await put(store, clock)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    (second,) = await come_due(store, clock)
    await decide(store, second)
    await store.retry(second.task_id)
    (again,) = await claim_all(store, 10)
    assert await decide(store, again) == [BEHIND]


async def test_what_follows_a_cancelled_run_follows_one_that_was_left_out(store, clock):
    await put(store, clock, payload=b'{"url":"http://a/","on_cancel":{"url":"http://a/off"}}')
    (first,) = await come_due(store, clock)
    await decide(store, first)
    (second,) = await come_due(store, clock)
    (admitted,) = await store.admit([second])
    (follower,) = admitted.followed_by
    assert (await store.get(follower.id)).parent_id == second.task_id


async def test_a_run_whose_claim_is_lost_is_not_decided(store, clock):
    await put(store, clock)
    (_first,) = await come_due(store, clock)
    (second,) = await come_due(store, clock)
    await store.give_back(Claim(second.task_id, second.fence))
    assert await decide(store, second) == [None]
    assert (await task_of(store, second)).admission is None


async def test_runs_of_a_schedule_that_is_gone_start(store, clock):
    await put(store, clock)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    (second,) = await come_due(store, clock)
    await store.delete_schedule(await store.schedule("a"))
    assert await decide(store, second) == [STARTED]


async def test_a_run_that_was_hurried_and_left_out_makes_room_for_the_next(store, clock):
    await put(store, clock)
    (first,) = await come_due(store, clock)
    await decide(store, first)
    stands = await store.schedule("a")
    await store.run_now(await store.queued_run("a", stands.next_at))
    (hurried,) = await claim_all(store, 10)
    assert await decide(store, hurried) == [OVERLAP]
    assert (await store.schedule("a")).look_at <= clock.now()


async def test_once_as_many_have_started_as_are_wanted_no_more_are_made(store, clock):
    seen = await put(store, clock, max_runs=2)
    for _ in range(2):
        (attempt,) = await come_due(store, clock)
        (admitted,) = await store.admit([attempt])
        await store.settle(attempt, success(clock))
    stands = await store.schedule("a")
    assert (stands.started, stands.look_at) == (2, None)
    assert len(admitted.removed) == 1
    assert await store.queued_run("a", stands.next_at) is None
    assert await come_due(store, clock) == []

    more = replace(stands, revision=2, plan=replace(stands.plan, max_runs=3))
    schedule, run = changed(stands, more, now=clock.now(), new_id=new_id)
    await store.put_schedule(schedule, run, seen=stands)
    (attempt,) = await come_due(store, clock)
    assert await decide(store, attempt) == [STARTED]
    assert seen.plan.max_runs == 2


async def test_what_was_due_when_as_many_had_started_is_left_out(store, clock):
    await put(store, clock, Overlap.ALLOW, max_runs=1)
    await come_due_without_claim(store, clock)
    attempts = await claim_all(store, 10)
    assert await decide(store, *attempts) == [STARTED, *[Admission.MAX_RUNS] * (len(attempts) - 1)]
    assert len(attempts) > 1
    stands = await store.schedule("a")
    assert (stands.started, stands.skipped, stands.look_at) == (1, 0, None)
