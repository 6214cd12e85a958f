"""Schedules beside everything else that an engine does."""

import asyncio

import pytest
from msgspec import Raw
from structlog.testing import capture_logs

from polling import holds
from tasker.engine.schedules import AT_ONCE
from tasker.event_filters import Interest
from tasker.ids import new_id
from tasker.model.event import EventKind
from tasker.model.instants import SECOND
from tasker.model.schedule import Missed, Overlap, Plan, Schedule, Template, begun
from tasker.model.task import Admission, State

pytestmark = pytest.mark.anyio


async def look(bench):
    """Look for due tasks, as an engine does that is started."""
    await bench.store.claim_due({})


async def put(bench, name="a", *, every, do="succeed", **plan):
    await look(bench)
    now = bench.clock.now()
    schedule = Schedule(
        name=name,
        revision=1,
        type="scripted",
        plan=Plan(every=every * SECOND, anchor=now, **plan),
        template=Template(type="scripted", pool=bench.types[0].pool, payload=Raw(b'{"do":"%b"}' % do.encode())),
    )
    stored, run = begun(schedule, after=now, now=now, new_id=new_id)
    await bench.store.put_schedule(stored, run, seen=None)
    bench.engine.schedules.made([run])
    bench.engine.announce_schedule(stored.look_at)


@pytest.mark.parametrize("slots", [1])
async def test_each_run_starts_at_its_time_whatever_became_of_the_one_before(bench, clock):
    await put(bench, every=10, do="fail", overlap=Overlap.ALLOW)
    for number in (1, 2, 3):
        await clock.advance(9.999)
        assert len([start for start in bench.starts if start[1] == 1]) == number - 1
        await clock.advance(0.001)
        await holds(lambda number=number: len({start[0] for start in bench.starts}) == number)
    firsts = [at for _, attempt, at in bench.starts if attempt == 1]
    assert firsts == [10, 20, 30]


async def test_a_run_that_hangs_does_not_hold_up_the_next_if_that_is_allowed(bench, clock):
    await put(bench, every=10, do="wait", overlap=Overlap.ALLOW)
    await clock.advance(10)
    await holds(lambda: len(bench.starts) == 1)
    await clock.advance(10)
    await holds(lambda: len(bench.starts) == 2)
    assert [at for *_, at in bench.starts] == [10, 20]


async def test_once_a_run_is_called_off_the_next_stands_within_a_second(bench, clock):
    await put(bench, every=3_600)
    stands = await bench.store.schedule("a")
    await bench.store.cancel(await bench.store.queued_run("a", stands.next_at))
    await clock.advance(1)

    await holds(lambda: bench.telemetry.scheduled == 2)
    assert await bench.store.queued_run("a", stands.next_at + 3_600 * SECOND) is not None


async def test_readers_of_events_are_told_of_the_run_that_is_gone_once_as_many_as_wanted_have_started(bench, clock):
    events = bench.engine.events
    reader = events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
    await put(bench, every=10, max_runs=1, jitter=5 * SECOND)
    await clock.advance(15)
    await holds(lambda: len(bench.starts) == 1)
    await clock.advance(15)
    told = [event for _, event in events.streams.ring.after(0)]
    reader.leave()
    second = [event for event in told if event.kind is EventKind.CREATED][1].id
    (gone,) = [event for event in told if event.kind is EventKind.DELETED]
    assert (gone.id, gone.type, gone.state, gone.destination) == (second, "scripted", "todo", "scripted")
    assert {event.schedule for event in told} == {"a"}, "whatever is told of a run says whose it is"
    assert len(bench.starts) == 1


async def test_many_schedules_go_on_in_steps_and_each_once(idle_bench, clock):
    for number in range(AT_ONCE + 20):
        await put(idle_bench, f"s{number}", every=60)
    await clock.advance(60)
    step = idle_bench.engine.schedules.step
    assert (await step()).done == 0, "it is not known what was missed"
    await look(idle_bench)
    first = await step()
    assert (first.done, first.next_at <= clock.now()) == (AT_ONCE, True)
    assert (await step()).done == 20
    last = await step()
    assert (last.done, last.next_at) == (0, clock.now() + 60 * SECOND)
    counts = await idle_bench.store.count(up_to=1_000)
    assert counts[State.TODO] == 2 * (AT_ONCE + 20)
    assert idle_bench.telemetry.scheduled == 2 * (AT_ONCE + 20)


async def test_a_clock_that_may_be_years_ahead_is_logged(idle_bench, clock):
    await put(idle_bench, every=86_400)
    await clock.step(366 * 86_400 + 1)
    await look(idle_bench)
    with capture_logs() as lines:
        await idle_bench.engine.schedules.step()
    assert lines == []
    await clock.step(3 * 366 * 86_400)
    await look(idle_bench)
    with capture_logs() as lines:
        await idle_bench.engine.schedules.step()
    (line,) = lines
    assert (line["log_level"], line["schedules"], line["first"]) == ("warning", 1, "a")
    assert "resume" in line["event"]


async def test_what_comes_while_a_run_goes_on_is_left_out_without_an_attempt(bench, clock):
    await put(bench, every=10, do="wait")
    await clock.advance(10)
    await holds(lambda: len(bench.starts) == 1)
    await clock.advance(10)
    await holds(lambda: bench.telemetry.cancelled == 1)
    assert len(bench.starts) == 1
    first, left_out = reversed(await bench.store.runs("a", limit=2))
    assert (first.state, left_out.state) == (State.IN_PROGRESS, State.CANCELLED)
    assert (await bench.store.get(left_out.id)).attempts == 0
    assert bench.engine.slots.free[bench.types[0].pool] == bench.types[0].slots - 1, "its slot is free again"


async def test_what_waits_starts_as_soon_as_the_run_before_it_has_ended(bench, clock):
    waiting = await one_behind_another(bench, clock)
    assert len(bench.starts) == 1
    bench.types[0].may_end.set()
    await holds(lambda: len(bench.starts) == 2)
    assert bench.starts[1][0] == waiting
    assert bench.starts[1][2] == 20, "the clock stood still since"


async def test_what_another_node_has_had_wait_starts_as_soon_as_the_run_before_it_has_ended(bench, clock):
    """Or this one, before it died. Steps alone may always come while the next run goes on already."""
    waiting = await one_behind_another(bench, clock)
    bench.engine.aftermath._waited_for.clear()  # this node has not had it wait
    await clock.advance(1)
    await holds(lambda: bench.engine.schedules.has_waiting)

    bench.types[0].may_end.set()

    await holds(lambda: len(bench.starts) == 2)
    assert bench.starts[1][0] == waiting
    assert bench.starts[1][2] == 21, "the clock stood still since"


async def one_behind_another(bench, clock):
    """Have a run go on since 10 s, and one wait for it since 20 s. Return the id of that."""
    await put(bench, every=10, do="wait", overlap=Overlap.QUEUE)
    await clock.advance(10)
    await holds(lambda: len(bench.starts) == 1)
    await clock.advance(10)
    _, second = reversed(await bench.store.runs("a", limit=2))
    await becomes_behind(bench, second.id)
    return second.id


async def becomes_behind(bench, task_id):
    for _ in range(1_000):
        if (await bench.store.get(task_id)).admission is Admission.BEHIND:
            return
        await asyncio.sleep(0.001)
    pytest.fail("it does not wait")


@pytest.mark.parametrize("missed", Missed)
async def test_after_an_outage_what_was_missed_is_made_up_for_as_the_schedule_says(bench, clock, missed):
    await put(bench, every=10, missed=missed, overlap=Overlap.ALLOW)
    await clock.step(95)
    await clock.advance(1)
    await settles(bench, started={Missed.ONCE: 1, Missed.ALL: 9, Missed.NONE: 0}[missed])
    schedule = await bench.store.schedule("a")
    assert schedule.missed_times == {Missed.ONCE: 8, Missed.ALL: 0, Missed.NONE: 9}[missed]
    tasks = [await bench.store.get(run.id) for run in await bench.store.runs("a", limit=20)]
    stand = [task.missed for task in tasks if task.state is State.DONE]
    assert stand == {Missed.ONCE: [9], Missed.ALL: [1] * 9, Missed.NONE: []}[missed]
    assert bench.telemetry.cancelled == (missed is Missed.NONE), "the one that stood in the queue"
    await clock.advance(4)
    await holds(lambda: bench.starts[-1:] and bench.starts[-1][2] == 100)


async def settles(bench, *, started):
    """Wait until all that was missed is made up for, and so many runs have started and ended."""
    for _ in range(2_000):
        schedule = await bench.store.schedule("a")
        runs = await bench.store.runs("a", limit=20)
        is_done = schedule.look_at > bench.clock.now() and schedule.started == started
        if is_done and all(run.ended_at is not None for run in runs):
            return
        await asyncio.sleep(0.001)
    pytest.fail(f"it does not: {schedule}, {runs}")
