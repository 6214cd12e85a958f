"""Schedules: the row drives. Each time has one run, whatever becomes of it, and the next stands in the queue."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, another_try, claim_all, claimed, success, work
from steps import begin as begin_operation

from tasker.errors import RevisionPassedError, ScheduleNotFoundError, TaskNotFoundError
from tasker.filters import query_of
from tasker.ids import new_id
from tasker.model.audit import Action as AuditAction
from tasker.model.audit import Actor, AuditQuery, Entry, Kind
from tasker.model.change import Change
from tasker.model.idempotency import Repeatable
from tasker.model.operation import Action
from tasker.model.schedule import CATCH_UP, RUNS_AT_ONCE, Plan, Schedule, Template, advance, begun, changed
from tasker.model.task import RunKind, State

pytestmark = pytest.mark.anyio

MINUTE = 60 * SECOND
HOST = "http://a.example:80"


def a_schedule(clock, name="a", *, every=60, url="http://localhost/", expires_after=None, **plan):
    """A schedule that begins now, with a run every so many seconds, and has not been stored."""
    return Schedule(
        name=name,
        revision=7,
        type="webhook",
        plan=Plan(every=every * SECOND, anchor=clock.now(), **plan),
        template=Template(
            type="webhook",
            pool=WEBHOOK,
            payload=Raw(b'{"url":"%b","body":"x"}' % url.encode()),
            expires_after=expires_after,
        ),
        put_by="k1 somebody",
    )


async def put(store, clock, name="a", **how):
    """Store a schedule, and return it as it is stored."""
    now = clock.now()
    schedule, run = begun(a_schedule(clock, name, **how), after=now, now=now, new_id=new_id)
    await store.put_schedule(schedule, run, seen=None)
    return await store.schedule(name)


async def go_on(store, clock):
    """Make the runs of all schedules that are to be looked at. Return them."""
    runs = []
    while True:
        due = await store.due_schedules(limit=10)
        if not due.schedules:
            assert due.next_at is None or due.next_at > clock.now()
            return runs
        advances = [advance(each, now=clock.now(), new_id=new_id) for each in due.schedules]
        advanced = await store.advance_schedules(advances)
        assert advanced.count == len(advances)
        runs += advanced.runs


async def queued(store, schedule):
    """The run that stands in the queue, as it is stored; None: none does."""
    task_id = await store.queued_run(schedule.name, schedule.next_at)
    return None if task_id is None else await store.get(task_id)


async def runs_of(store, name="a"):
    """The times of all runs of a schedule, earliest first, with their states."""
    page = await store.find(query_of({"schedule": [name]}), after=None, limit=1000)
    return sorted((task.scheduled_for, task.state) for task in page.tasks)


async def test_a_schedule_is_read_as_it_was_put_and_its_first_run_stands_in_the_queue(store, clock):
    now = clock.now()
    new = a_schedule(clock, tags=("t",))
    schedule, run = begun(new, after=now, now=now, new_id=new_id)
    done = await store.put_schedule(schedule, run, seen=None)

    assert (list(done.removed), done.run) == ([], run)
    assert await store.schedule("a") == replace(schedule, created_at=now, changed_at=now)
    assert schedule.next_at == schedule.look_at == now + MINUTE
    task = await queued(store, schedule)
    assert (task.schedule, task.scheduled_for, task.run_kind) == ("a", now + MINUTE, RunKind.REGULAR)
    assert (task.due_at, task.execution_at, task.created_by) == (now + MINUTE, now + MINUTE, "k1 somebody")
    assert task.payload == b'{"url":"http://localhost/","body":"x","tags":["t"]}'
    found = await store.find(query_of({"tag": ["t"]}), after=None, limit=10)
    assert [each.id for each in found.tasks] == [task.id]


async def test_the_next_run_is_made_when_the_time_has_passed_and_not_before(store, clock):
    schedule = await put(store, clock)
    await clock.advance(59.999999)
    due = await store.due_schedules(limit=10)
    assert (list(due.schedules), due.next_at) == ([], schedule.next_at)

    await clock.advance(0.000001)
    (seen,) = (await store.due_schedules(limit=10)).schedules
    assert seen == schedule
    (run,) = await go_on(store, clock)
    assert run.scheduled_for == schedule.next_at + MINUTE
    assert (await store.schedule("a")).next_at == run.scheduled_for
    assert (await claimed(store)).due_at == schedule.next_at, "the one before is due"


async def test_those_in_zones_that_are_left_to_others_are_passed_over(store, clock):
    for number, zone in enumerate((None, "Europe/Berlin", "Asia/Kolkata")):
        await put(store, clock, f"n{number}", every=60 + number, time_zone=zone)
    began = clock.now()
    await clock.advance(62)
    found = []
    for without in ((), ["Europe/Berlin"], {"Europe/Berlin", "Asia/Kolkata"}, ["Europe/Ber"]):
        due = await store.due_schedules(limit=10, without=without)
        found.append(([each.name for each in due.schedules], due.next_at - began))
    first = 60 * SECOND
    assert found == [
        (["n0", "n1", "n2"], first),
        (["n0", "n2"], first),
        (["n0"], first),
        (["n0", "n1", "n2"], first),
    ]
    await store.delete_schedule(await store.schedule("n0"))
    assert (await store.due_schedules(limit=1, without=["Europe/Berlin"])).next_at == began + 62 * SECOND


async def test_times_that_have_passed_have_their_runs_each_once(store, clock):
    schedule = await put(store, clock)
    await clock.advance(60 * (RUNS_AT_ONCE + 50))
    runs = await go_on(store, clock)
    assert len(runs) > RUNS_AT_ONCE, "more than one step makes"
    expected = [schedule.next_at + minutes * MINUTE for minutes in range(RUNS_AT_ONCE + 51)]
    assert sorted(at for at, _ in await runs_of(store)) == expected
    assert expected[-1] > clock.now()


async def test_times_that_passed_too_long_ago_have_none(store, clock):
    schedule = await put(store, clock, every=3_600)
    await clock.advance(50 * 3_600)
    await go_on(store, clock)
    times = [at for at, _ in await runs_of(store)]
    assert times[0] == schedule.next_at
    assert times[1] == clock.now() - CATCH_UP
    assert len(times) == 1 + 25 + 1


@pytest.mark.parametrize("way", ["cancel", "delete", "expire", "operation"])
async def test_once_the_run_has_left_the_queue_without_starting_the_next_one_is_made_at_once(store, clock, way):
    schedule = await put(store, clock, expires_after=SECOND if way == "expire" else None)
    task = await queued(store, schedule)
    match way:
        case "cancel":
            await store.cancel(task.id)
        case "delete":
            await store.delete(task.id)
        case "operation":
            await clock.advance(0.000_001)
            await work(store, await begin_operation(store, clock, Action.CANCEL, filter={"schedule": ["a"]}))
        case "expire":
            await clock.step(61)
            assert (await store.expire()).count == 1

    (run,) = await go_on(store, clock)
    assert run.scheduled_for == schedule.next_at + MINUTE
    assert await go_on(store, clock) == [], "and no more than that"
    stands = await store.schedule("a")
    assert (stands.next_at, stands.look_at) == (run.scheduled_for, run.scheduled_for)


async def test_a_run_that_left_the_queue_before_changes_nothing_when_it_goes(store, clock):
    schedule = await put(store, clock)
    task = await queued(store, schedule)
    await store.cancel(task.id)
    await go_on(store, clock)
    await store.delete(task.id)
    assert list((await store.due_schedules(limit=10)).schedules) == []


async def test_what_becomes_of_a_run_that_starts_does_not_matter(store, clock):
    schedule = await put(store, clock)
    task = await queued(store, schedule)
    await store.run_now(task.id)
    await store.settle(await claimed(store), another_try(clock, in_seconds=1))
    assert await queued(store, schedule) is None, "it has started"
    await clock.advance(1)
    attempt = await claimed(store)
    await store.cancel(task.id)
    assert (await store.due_schedules(limit=10)).next_at == schedule.next_at
    await store.settle(attempt, success(clock))
    await store.delete(task.id)
    assert (await store.due_schedules(limit=10)).next_at == schedule.next_at
    await clock.advance(59)
    assert [run.scheduled_for for run in await go_on(store, clock)] == [schedule.next_at + MINUTE]


async def test_a_run_that_is_moved_does_not_move_the_next(store, clock):
    schedule = await put(store, clock)
    task = await queued(store, schedule)
    moved = replace(task, due_at=task.due_at + 600 * SECOND, execution_at=task.execution_at + 600 * SECOND)
    await store.change(Change(task=moved, revision=task.revision, waited=0, has_new_payload=False))
    await clock.advance(60)
    assert [run.scheduled_for for run in await go_on(store, clock)] == [schedule.next_at + MINUTE]
    assert (await store.get(task.id)).state is State.TODO


async def change(store, clock, seen, after, **how):
    now = clock.now()
    schedule, run = changed(seen, after, now=now, new_id=new_id)
    return await store.put_schedule(schedule, run, seen=seen, **how)


async def test_a_change_replaces_the_run_that_stands_in_the_queue(store, clock):
    seen = await put(store, clock)
    old = await queued(store, seen)
    template = replace(seen.template, payload=Raw(b'{"url":"http://b/"}'))
    done = await change(store, clock, seen, replace(seen, template=template, revision=8))
    assert list(done.removed) == [old.id]
    with pytest.raises(TaskNotFoundError):
        await store.get(old.id)
    new = await queued(store, await store.schedule("a"))
    assert (new.payload, new.scheduled_for) == (b'{"url":"http://b/"}', old.scheduled_for)
    assert (await store.schedule("a")).revision == 8


async def test_a_run_that_was_claimed_before_the_change_runs_and_its_time_has_no_other(store, clock):
    seen = await put(store, clock)
    task = await queued(store, seen)
    await store.run_now(task.id)
    attempt = await claimed(store)
    done = await change(store, clock, seen, replace(seen, put_by=None, revision=8))
    assert (list(done.removed), done.run) == ([], None)
    (run,) = await go_on(store, clock)
    assert run.scheduled_for == seen.next_at + MINUTE, "the time has had its run"
    await store.settle(attempt, success(clock))
    assert [(at - seen.next_at, state) for at, state in await runs_of(store)] == [
        (0, State.DONE),
        (MINUTE, State.TODO),
    ]


async def test_a_run_that_is_due_is_not_replaced(store, clock):
    seen = await put(store, clock)
    task = await queued(store, seen)
    await clock.advance(60)
    await go_on(store, clock)
    seen = await store.schedule("a")
    await change(store, clock, seen, replace(seen, put_by=None, revision=8))
    assert (await claimed(store)).task_id == task.id


async def test_other_times_begin_after_now_and_the_same_times_never_go_back(store, clock):
    seen = await put(store, clock)
    await store.cancel((await queued(store, seen)).id)
    await go_on(store, clock)
    seen = await store.schedule("a")
    at = seen.next_at
    await store.delete((await queued(store, seen)).id)
    await go_on(store, clock)
    seen = await store.schedule("a")
    await change(store, clock, seen, replace(seen, put_by=None, revision=8))
    assert (await store.schedule("a")).next_at == at + MINUTE, "of a time whose run was deleted, none comes again"

    seen = await store.schedule("a")
    other = replace(seen, plan=replace(seen.plan, every=10 * SECOND), revision=9)
    await change(store, clock, seen, other)
    assert (await store.schedule("a")).next_at == clock.now() + 10 * SECOND


async def test_a_write_from_what_is_passed_writes_nothing(store, clock):
    seen = await put(store, clock)
    entry = Entry(by=Actor("k", "n"), action=AuditAction.CHANGE, kind=Kind.SCHEDULE, subject="a")
    run = seen.run(seen.next_at, new_id(clock.now()))
    for what in (
        store.put_schedule(seen, run, seen=None, entry=entry),
        store.put_schedule(seen, run, seen=replace(seen, revision=6), entry=entry),
        store.put_schedule(seen, run, seen=replace(seen, next_at=seen.next_at + 1), entry=entry),
        store.delete_schedule(replace(seen, revision=6), entry=entry),
        store.delete_schedule(replace(seen, next_at=None), entry=entry),
    ):
        with pytest.raises(RevisionPassedError):
            await what
    assert await store.schedule("a") == seen
    assert len(await runs_of(store)) == 1
    assert (await store.audit(AuditQuery(subject="a"), after=None, limit=10)).records == []


async def test_a_step_from_what_is_passed_writes_nothing(store, clock):
    seen = await put(store, clock)
    await clock.advance(60)
    step = advance(seen, now=clock.now(), new_id=new_id)
    first, second = await asyncio.gather(store.advance_schedules([step]), store.advance_schedules([step]))
    assert sorted([first.count, second.count]) == [0, 1]
    assert len(await runs_of(store)) == 2
    stands = await store.schedule("a")
    await change(store, clock, stands, replace(stands, put_by=None, revision=8))
    late = advance(stands, now=stands.next_at, new_id=new_id)
    assert (await store.advance_schedules([late])).count == 0


async def test_a_change_and_its_row_of_the_audit_log_are_one(store, clock):
    seen = await put(store, clock)
    entry = Entry(by=Actor("k", "n"), action=AuditAction.PAUSE, kind=Kind.SCHEDULE, subject="a")
    await store.put_schedule(replace(seen, is_paused=True, look_at=None, revision=8), None, seen=seen, entry=entry)
    (record,) = (await store.audit(AuditQuery(subject="a"), after=None, limit=10)).records
    assert (record.action, record.kind) == (AuditAction.PAUSE, Kind.SCHEDULE)


async def test_a_paused_schedule_has_no_run_in_the_queue_and_is_not_looked_at(store, clock):
    seen = await put(store, clock)
    await store.put_schedule(replace(seen, is_paused=True, look_at=None, revision=8), None, seen=seen)
    assert await runs_of(store) == []
    await clock.advance(3_600)
    assert await go_on(store, clock) == []

    seen = await store.schedule("a")
    resumed, run = begun(replace(seen, is_paused=False, revision=9), after=clock.now(), now=clock.now(), new_id=new_id)
    await store.put_schedule(resumed, run, seen=seen)
    assert [at for at, _ in await runs_of(store)] == [clock.now() + MINUTE], "the times in between have none"


async def test_resume_forgets_what_a_clock_that_was_ahead_has_left(store, clock):
    seen = await put(store, clock, every=86_400)
    await clock.step(10 * 366 * 86_400)
    await go_on(store, clock)
    ahead = await store.schedule("a")
    await clock.step(-10 * 366 * 86_400)
    assert ahead.next_at > clock.now() + 9 * 366 * 86_400 * SECOND
    assert await go_on(store, clock) == []
    now = clock.now()
    resumed, run = begun(replace(ahead, revision=8), after=now, now=now, new_id=new_id)
    await store.put_schedule(resumed, run, seen=ahead)
    stands = await store.schedule("a")
    assert stands.next_at == seen.next_at
    assert max(at for at, _ in await runs_of(store)) == stands.next_at


async def test_a_deleted_schedule_leaves_what_has_started_and_takes_what_stands_in_the_queue(store, clock):
    seen = await put(store, clock)
    await clock.advance(60)
    attempt = await claimed(store)
    await go_on(store, clock)
    seen = await store.schedule("a")
    removed = await store.delete_schedule(seen)
    assert len(removed) == 1
    with pytest.raises(ScheduleNotFoundError):
        await store.schedule("a")
    assert (await store.due_schedules(limit=10)).next_at is None
    await store.settle(attempt, success(clock))
    assert [state for _, state in await runs_of(store)] == [State.DONE], "it is found though its schedule is gone"
    (run,) = await store.runs("a", limit=10)
    assert (run.id, run.state, run.kind) == (attempt.task_id, State.DONE, RunKind.REGULAR)


async def test_a_schedule_made_anew_goes_on_after_the_runs_of_the_one_before(store, clock):
    seen = await put(store, clock)
    task = await queued(store, seen)
    await store.run_now(task.id)
    await store.settle(await claimed(store), success(clock))
    await store.delete_schedule(seen)
    anew = await put(store, clock)
    assert anew.look_at <= clock.now(), "the time has its run already"
    (run,) = await go_on(store, clock)
    assert run.scheduled_for == seen.next_at + MINUTE


async def test_with_a_jitter_runs_are_put_off_and_the_next_stands_before(store, clock):
    seen = await put(store, clock, jitter=30 * SECOND)
    task = await queued(store, seen)
    assert seen.next_at < task.due_at < seen.next_at + 30 * SECOND
    assert task.scheduled_for == seen.next_at
    await clock.advance(60)
    (run,) = await go_on(store, clock)
    assert run.scheduled_for == seen.next_at + MINUTE
    assert [state for _, state in await runs_of(store)] == [State.TODO, State.TODO]

    stands = await store.schedule("a")
    changed_ = await change(store, clock, stands, replace(stands, put_by=None, revision=8))
    assert list(changed_.removed) == [run.id], "the time of the other has come"
    stands = await store.schedule("a")
    removed = await store.delete_schedule(stands, reach=timedelta(seconds=30))
    assert task.id in removed, "but it was not due yet"
    assert await runs_of(store) == []


async def test_a_schedule_that_has_ended_is_not_looked_at_any_more(store, clock):
    seen = await put(store, clock, ends_at=clock.now() + 121 * SECOND)
    await clock.advance(60)
    assert len(await go_on(store, clock)) == 1
    await clock.advance(60)
    assert await go_on(store, clock) == []
    stands = await store.schedule("a")
    assert (stands.next_at, stands.look_at) == (seen.next_at + MINUTE, None)


async def test_schedules_are_listed_by_name_without_what_their_runs_are(store, clock):
    for name in ("b", "a.b", "a", "B"):
        await put(store, clock, name)
    names = [each.name for each in await store.schedules(after=None, limit=10)]
    assert names == ["B", "a", "a.b", "b"]
    first = await store.schedules(after=None, limit=2)
    second = await store.schedules(after=first[-1].name, limit=10)
    assert [each.name for each in (*first, *second)] == names
    assert {each.template for each in first} == {None}


async def test_the_latest_runs_come_first_and_what_waits_for_its_time_is_none(store, clock):
    seen = await put(store, clock)
    for _ in range(3):
        await clock.advance(60)
        await store.settle(await claimed(store), success(clock))
        await go_on(store, clock)
    runs = await store.runs("a", limit=2)
    assert [run.scheduled_for for run in runs] == [seen.next_at + 2 * MINUTE, seen.next_at + MINUTE]
    assert [run.ended_at for run in runs] == [run.scheduled_for for run in runs]


async def test_a_run_is_found_by_its_schedule_alone(store, clock):
    await put(store, clock, "a")
    await put(store, clock, "b")
    page = await store.find(query_of({"schedule": ["b"], "state": ["todo"]}), after=None, limit=10)
    assert [task.schedule for task in page.tasks] == ["b"]
    assert (await store.count_found(query_of({"schedule": ["a"]}))).count == 1


async def test_runs_that_somebody_asked_for_stand_beside_the_regular_ones(store, clock):
    seen = await put(store, clock)
    now = clock.now()
    for _ in range(2):
        asked = [
            seen.asked_run(seen.next_at - back * MINUTE, new_id(now + 2 - back), RunKind.BACKFILL, now=now)
            for back in (1, 0)
        ]
        assert await store.add_runs(seen, asked) == asked
    assert (await queued(store, seen)).run_kind is RunKind.REGULAR
    assert (await store.schedule("a")).next_at == seen.next_at
    attempts = await claim_all(store, 10)
    assert [(await store.get(each.task_id)).run_kind for each in attempts] == [RunKind.BACKFILL] * 4
    assert [run.kind for run in await store.runs("a", limit=10)] == [RunKind.BACKFILL] * 4
    await clock.advance(60)
    assert len(await go_on(store, clock)) == 1, "the regular one is made beside them"


@pytest.mark.parametrize(("count", "length"), [(250, 10), (5, 600_000)], ids=["many", "long ones"])
async def test_many_runs_are_all_there_or_none_and_a_request_makes_them_once(store, clock, count, length):
    seen = await put(store, clock, url=f"http://localhost/{'x' * length}")
    now = clock.now()
    runs = [
        replace(seen.asked_run(now, new_id(now + place), RunKind.BACKFILL, now=now), scheduled_for=now - place)
        for place in range(count)
    ]
    once = Repeatable(
        id=b"1" * 32, fingerprint=b"2" * 32, answer=lambda made: str(len(made)).encode(), retention=10**12
    )
    passed = replace(seen, revision=seen.revision + 1)
    with pytest.raises(RevisionPassedError):
        await store.add_runs(passed, runs, once)
    assert len(await runs_of(store)) == 1, "the regular one"

    assert await store.add_runs(seen, runs, once) == runs
    again = [replace(run, id=new_id(now + count + place)) for place, run in enumerate(runs)]
    kept = await store.add_runs(seen, again, once)
    assert kept.answer == str(count).encode()
    assert (await store.count_found(query_of({"schedule": ["a"]}))).count == count + 1
    attempts = await claim_all(store, 1_000)
    assert [each.task_id for each in attempts] == [run.id for run in runs], "in the order of their times"
    assert {attempt.payload for attempt in attempts} == {runs[0].payload}


async def test_runs_are_asked_for_of_a_schedule_as_it_is(store, clock):
    seen = await put(store, clock)
    now = clock.now()
    run = seen.asked_run(now, new_id(now), RunKind.MANUAL, now=now)
    entry = Entry(by=Actor("i", "n"), action=AuditAction.RUN, kind=Kind.SCHEDULE, subject="a")
    await change(store, clock, seen, replace(seen, put_by=None, revision=8))
    with pytest.raises(RevisionPassedError):
        await store.add_runs(seen, [run], entry=entry)
    await store.delete_schedule(await store.schedule("a"))
    with pytest.raises(RevisionPassedError):
        await store.add_runs(seen, [run], entry=entry)
    assert await runs_of(store) == []
    assert list((await store.audit(AuditQuery(), after=None, limit=10)).records) == []
