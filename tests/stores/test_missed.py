"""Times that were missed: what came due while no node looked has one run, each its own, or none."""

from datetime import timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, claim_all, success

from tasker.filters import query_of
from tasker.ids import new_id
from tasker.model import schedule as rules
from tasker.model.change import Change
from tasker.model.lateness import DOWN_AFTER, Span
from tasker.model.schedule import Missed, Overlap, Plan, Schedule, Template, advance, begun
from tasker.model.task import Admission, RunKind, State

pytestmark = pytest.mark.anyio

OUTAGE = 630
"""Seconds in which the ten times of a schedule pass that comes every minute."""


async def put(store, clock, *, every=60, expires_after=None, **plan):
    """Store a schedule that begins now, with a node that looks."""
    await store.claim_due({})
    now = clock.now()
    template = Template(type="webhook", pool=WEBHOOK, payload=Raw(b'{"url":"http://a/"}'), expires_after=expires_after)
    plan = Plan(every=every * SECOND, anchor=now, **plan)
    schedule = Schedule(name="a", revision=1, type="webhook", plan=plan, template=template)
    stored, run = begun(schedule, after=now, now=now, new_id=new_id)
    await store.put_schedule(stored, run, seen=None)
    return await store.schedule("a")


async def step(store, clock):
    """Have the schedule go on until nothing is left to do. Return how many steps that took."""
    steps = 0
    while found := (await store.due_schedules(limit=10)).schedules:
        down = await store.down_spans(since=min(each.next_at for each in found))
        assert down.known_until == clock.now()
        advances = [advance(each, now=down.known_until, spans=down.spans, new_id=new_id) for each in found]
        assert (await store.advance_schedules(advances)).count == len(found)
        steps += 1
    return steps


async def claim(store, started):
    """Claim what is due, decide of it, and note what starts: the numbers of the times, counted in seconds."""
    for attempt in await claim_all(store, 2_000):
        admission = attempt.admission
        if attempt.asks_to_start:
            (admitted,) = await store.admit([attempt])
            admission = admitted.admission
        if admission is Admission.STARTED:
            started.append(attempt)


async def run_on(store, clock, *, first="step"):
    """Let the node do all that there is to do, each run ending at once. Return what has started: times and ``missed``.

    Before anything else it looks, as it does when it starts.
    """
    started, ended = [], []
    await store.claim_due({})
    if first == "claim":
        await claim(store, started)
    for _ in range(20):
        await step(store, clock)
        await claim(store, started)
        for attempt in started[len(ended) :]:
            await store.settle(attempt, success(clock))
            ended.append(attempt.task_id)
        if not (await store.release_runs()).count and not (await store.due_schedules(limit=1)).schedules:
            break
    tasks = [await store.get(task_id) for task_id in ended]
    return [(task.scheduled_for, task.missed) for task in tasks]


def since(seen, found):
    """The times in minutes of the schedule, the first one being 1, with what they have."""
    return [((at - seen.plan.anchor) // seen.plan.every, what) for at, what in found]


async def left_out(store):
    page = await store.find(query_of({"schedule": ["a"], "state": ["cancelled"]}), after=None, limit=1000)
    return sorted((task.scheduled_for, task.admission) for task in page.tasks)


FIRST = pytest.mark.parametrize("first", ["step", "claim"])


@FIRST
@pytest.mark.parametrize("overlap", Overlap)
async def test_one_run_stands_for_all_that_was_missed(store, clock, first, overlap):
    seen = await put(store, clock, overlap=overlap)
    await clock.step(OUTAGE)
    assert since(seen, await run_on(store, clock, first=first)) == [(1, 10)]
    stands = await store.schedule("a")
    assert (stands.started, stands.skipped, stands.missed_times) == (1, 0, 9)
    assert stands.next_at == seen.plan.anchor + 11 * 60 * SECOND, "the next one stands"
    assert await left_out(store) == []


@FIRST
async def test_a_single_time_that_was_missed_says_so(store, clock, first):
    seen = await put(store, clock)
    await clock.step(90)
    assert since(seen, await run_on(store, clock, first=first)) == [(1, 1)]
    assert (await store.schedule("a")).missed_times == 0


@FIRST
@pytest.mark.parametrize("overlap", Overlap)
async def test_each_time_that_was_missed_has_its_run_the_oldest_first(store, clock, first, overlap):
    seen = await put(store, clock, overlap=overlap, missed=Missed.ALL)
    await clock.step(OUTAGE)
    assert since(seen, await run_on(store, clock, first=first)) == [(number, 1) for number in range(1, 11)]
    stands = await store.schedule("a")
    assert (stands.started, stands.skipped, stands.missed_times) == (10, 0, 0)


async def test_so_many_have_runs_of_their_own_and_no_more(store, clock, monkeypatch):
    monkeypatch.setattr(rules, "MOST_MISSED", 4)
    monkeypatch.setattr(rules, "RUNS_AT_ONCE", 2)
    seen = await put(store, clock, missed=Missed.ALL)
    await clock.step(OUTAGE)
    assert sorted(since(seen, await run_on(store, clock))) == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert (await store.schedule("a")).missed_times == 6


@FIRST
async def test_what_was_missed_has_no_run_if_that_is_said(store, clock, first):
    seen = await put(store, clock, missed=Missed.NONE)
    await clock.step(OUTAGE)
    assert await run_on(store, clock, first=first) == []
    stands = await store.schedule("a")
    assert (stands.started, stands.missed_times, stands.next_at) == (0, 10, seen.plan.anchor + 11 * 60 * SECOND)
    assert since(seen, await left_out(store)) == [(1, Admission.MISSED)], "the one that stood in the queue"
    await clock.advance(30)
    assert since(seen, await run_on(store, clock, first="claim")) == [(11, None)]


@FIRST
@pytest.mark.parametrize(("missed", "expected"), [(Missed.ONCE, [(9, 2)]), (Missed.ALL, [(9, 1), (10, 1)])])
async def test_what_was_missed_too_long_ago_has_no_run(store, clock, first, missed, expected):
    seen = await put(store, clock, missed=missed, missed_within=100 * SECOND)
    await clock.step(OUTAGE)
    assert since(seen, await run_on(store, clock, first=first)) == expected
    assert since(seen, await left_out(store)) == [(1, Admission.MISSED)]
    assert (await store.schedule("a")).missed_times == 10 - len(expected)


async def test_what_is_left_out_tells_nobody_that_an_attempt_was_used(store, clock):
    await put(store, clock, missed=Missed.NONE)
    await clock.step(OUTAGE)
    await run_on(store, clock, first="claim")
    (run,) = await store.runs("a", limit=5)
    task = await store.get(run.id)
    assert (task.state, task.attempts, task.node) == (State.CANCELLED, 0, None)


@pytest.mark.parametrize("way", ["cancel", "run_now"])
async def test_once_its_run_was_called_off_or_started_early_another_stands_for_the_rest(store, clock, way):
    seen = await put(store, clock)
    task_id = await store.queued_run("a", seen.next_at)
    await getattr(store, way)(task_id)
    expected = [(1, None)] if way == "run_now" else []
    assert since(seen, await run_on(store, clock)) == expected
    await clock.step(OUTAGE)
    assert since(seen, await run_on(store, clock)) == [(2, 9)]


@FIRST
async def test_a_run_that_was_given_a_later_time_was_not_missed(store, clock, first):
    seen = await put(store, clock, missed=Missed.NONE, overlap=Overlap.ALLOW)
    task = await store.get(await store.queued_run("a", seen.next_at))
    later = clock.now() + 2 * OUTAGE * SECOND
    moved = replace(task, due_at=later, execution_at=later)
    await store.change(Change(task=moved, revision=task.revision, waited=0, has_new_payload=False))
    await clock.step(OUTAGE)
    assert await run_on(store, clock, first=first) == []
    await clock.advance(OUTAGE)
    assert (1, None) in since(seen, await run_on(store, clock, first=first))


@FIRST
@pytest.mark.parametrize(("expires_after", "expected"), [(90, [(2, 9)]), (600, [(1, 10)])])
async def test_it_may_start_as_long_as_the_last_of_what_it_stands_for(store, clock, first, expires_after, expected):
    seen = await put(store, clock, expires_after=expires_after * SECOND)
    await clock.step(OUTAGE)
    await store.claim_due({})
    await store.expire()
    await step(store, clock)
    run = await store.get((await store.runs("a", limit=1))[0].id)
    if expires_after == 90 or first == "step":
        assert run.expires_at == seen.plan.anchor + (600 + expires_after) * SECOND
    assert since(seen, await run_on(store, clock, first=first)) == expected


async def test_of_runs_that_a_jitter_puts_off_only_what_is_due_while_nobody_looks_was_missed(store, clock):
    seen = await put(store, clock, jitter=60 * SECOND)
    due_at = [seen.plan.due_at("a", seen.next_at + number * 60 * SECOND) for number in range(20)]
    await clock.step(OUTAGE)
    last = sum(each < clock.now() for each in due_at)
    assert since(seen, await run_on(store, clock)) == [(1, last)]
    await clock.advance(60)
    assert since(seen, await run_on(store, clock))[:1] == [(last + 1, None)]


@FIRST
async def test_runs_that_stood_in_the_queue_together_merge_into_the_first(store, clock, first):
    seen = await put(store, clock, jitter=60 * SECOND)
    due_at = seen.plan.due_at("a", seen.next_at)
    await clock.advance((due_at - clock.now()) / SECOND - 0.5)
    await store.claim_due({})
    assert await step(store, clock) == 1, "its time has come, but it is not due yet: the next one stands, too"
    await clock.step(OUTAGE)
    started = since(seen, await run_on(store, clock, first=first))
    assert started[0][0] == 1
    assert len(started) == 1
    stands = await store.schedule("a")
    assert stands.missed_times == started[0][1] - 1
    assert since(seen, await left_out(store)) == [(2, Admission.MISSED)]


async def test_runs_that_somebody_asked_for_were_not_missed(store, clock):
    seen = await put(store, clock, missed=Missed.NONE)
    now = clock.now() + 10 * SECOND
    run = seen.asked_run(now, new_id(now), RunKind.MANUAL, now=now)
    await store.add_runs(seen, [run])
    await clock.step(OUTAGE)
    assert [missed for _, missed in await run_on(store, clock)] == [None]


async def test_times_while_it_is_paused_are_not_missed(store, clock):
    seen = await put(store, clock)
    await store.put_schedule(replace(seen, is_paused=True, look_at=None, revision=2), None, seen=seen)
    await clock.step(OUTAGE)
    assert await run_on(store, clock) == []
    assert (await store.schedule("a")).missed_times == 0


async def test_no_more_start_than_are_wanted(store, clock):
    seen = await put(store, clock, missed=Missed.ALL, max_runs=3, overlap=Overlap.ALLOW)
    await clock.step(OUTAGE)
    assert since(seen, await run_on(store, clock)) == [(1, 1), (2, 1), (3, 1)]
    assert (await store.schedule("a")).look_at is None


async def test_two_outages_have_a_run_each(store, clock):
    seen = await put(store, clock)
    await clock.step(OUTAGE)
    first = await run_on(store, clock, first="claim")
    await clock.step(OUTAGE - 30)
    assert since(seen, first + await run_on(store, clock, first="claim")) == [(1, 10), (11, 10)]


async def test_a_month_of_seconds_is_passed_in_one_step(store, clock):
    seen = await put(store, clock, every=1)
    await clock.step(30 * 86_400 + 0.5)
    await store.claim_due({})
    assert await step(store, clock) == 1
    assert since(seen, await run_on(store, clock)) == [(30 * 86_400 - 86_400 + 1, 86_400)]
    assert (await store.schedule("a")).missed_times == 30 * 86_400 - 1


async def test_until_a_node_looks_again_it_is_not_known_what_was_missed(store, clock):
    await store.claim_due({})
    looked_at = clock.now()
    await clock.step(DOWN_AFTER.total_seconds())
    assert (await store.down_spans(since=looked_at)).known_until == clock.now(), "it is no such span yet"
    await clock.step(0.000001)
    down = await store.down_spans(since=looked_at)
    assert (down.known_until, list(down.spans)) == (looked_at, [])
    await store.claim_due({})
    down = await store.down_spans(since=looked_at)
    assert (down.known_until, list(down.spans)) == (clock.now(), [Span(looked_at, clock.now())])
    assert list((await store.down_spans(since=clock.now())).spans) == []


async def test_a_process_that_hung_has_missed_nothing(store, clock):
    seen = await put(store, clock, overlap=Overlap.ALLOW)
    await clock.advance(OUTAGE)
    found = await run_on(store, clock)
    assert since(seen, found) == [(number, None) for number in range(1, 11)]


async def test_a_run_of_a_dead_node_goes_on_and_was_not_missed(store, clock, after_death):
    seen = await put(store, clock, overlap=Overlap.ALLOW)
    await clock.advance(60)
    await store.claim_due({})
    await step(store, clock)
    (attempt,) = await claim_all(store, 1)
    assert attempt.admission is Admission.STARTED
    store = await after_death(store)
    await clock.step(OUTAGE)
    await store.claim_due({})
    await store.take_back()
    found = since(seen, await run_on(store, clock, first="claim"))
    assert found[0] == (1, None)
    assert found[1][0] == 2
    assert found[1][1] >= 10
    assert len(found) == 2


# Several nodes


async def test_while_another_node_looks_nothing_is_missed(nodes):
    await nodes.open()
    other = await nodes.another()
    seen = await put(other, nodes.clock, overlap=Overlap.ALLOW)
    for _ in range(OUTAGE // 5):
        await nodes.clock.step(5)
        await other.claim_due({})
    found = await run_on(other, nodes.clock)
    assert since(seen, found) == [(number, None) for number in range(1, 11)]


async def test_a_run_that_is_being_claimed_on_another_node_stands_for_the_rest(nodes):
    one = await nodes.open()
    other = await nodes.another()
    seen = await put(one, nodes.clock)
    await nodes.clock.step(OUTAGE)
    await one.renew()
    (attempt,) = await claim_all(one, 10)
    await step(other, nodes.clock)
    assert await claim_all(other, 10) == []
    (admitted,) = await one.admit([attempt])
    assert admitted.admission is Admission.STARTED
    task = await one.get(attempt.task_id)
    assert since(seen, [(task.scheduled_for, task.missed)]) == [(1, 10)]
    assert (await one.schedule("a")).missed_times == 9
    assert timedelta(microseconds=attempt.late_down) > timedelta(0)
