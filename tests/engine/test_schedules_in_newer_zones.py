"""Newer time zones: the queued run of a schedule stands where the clocks say."""

import pytest
import structlog
from msgspec import Raw
from msgspec.structs import replace

from tasker.engine.engine import Engine
from tasker.engine.schedules import AT_ONCE
from tasker.engine.telemetry import Telemetry
from tasker.errors import RevisionPassedError, TaskNotFoundError
from tasker.event_filters import Interest
from tasker.ids import new_id
from tasker.interfaces.tasks import TaskFilter
from tasker.model import zones
from tasker.model.change import Change
from tasker.model.event import EventKind
from tasker.model.instants import SECOND, parse, text
from tasker.model.schedule import Plan, Schedule, Template
from tasker.model.task import Pool, State
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

NOON, HOUR = parse("2126-02-10T11:00:00Z"), 3600 * SECOND
DAILY = Plan(cron="0 12 * * *", time_zone="Europe/Berlin")
TEMPLATE = Template(type="webhook", pool=Pool(1), payload=Raw(b'{"url":"http://localhost/"}'))


async def look(store):
    """Look for due tasks, as an engine does that is started."""
    await store.claim_due({})


@pytest.fixture
async def store():
    store = SqliteStore(":memory:", follow=lambda *_, **__: (), clock=ManualClock(now=NOON - 20 * HOUR))
    await store.open()
    await look(store)
    yield store
    await store.close()


@pytest.fixture
def schedules(store):
    return Engine(store, (), Telemetry(), rand=lambda: 0.0, rewriting=lambda _: None).schedules


async def put(store, plan, next_at, *, name="noon", said=None, **members):
    """A schedule whose run stands in the queue for a time, whatever the plan says; and that run.

    *said*: as other zones have put it.
    """
    schedule = Schedule(name=name, revision=7, type="webhook", plan=plan, template=TEMPLATE, next_at=next_at)
    schedule = replace(schedule, **({"look_at": next_at} | members))
    run = schedule.run(next_at, new_id(store.clock.now()))
    run = run if said is None else replace(run, execution_time=said)
    await store.put_schedule(schedule, None if schedule.is_paused else run, seen=None)
    return await store.schedule(name), run


async def queued(store):
    return [(text(task.due_at)[5:16], task.execution_time) for task in (await runs(store))]


async def runs(store):
    return (await store.list_page(TaskFilter(), after=None, limit=10)).tasks


@pytest.mark.parametrize("wrong", [-HOUR, HOUR, HOUR // 2, 3 * HOUR])
async def test_a_run_at_a_time_that_is_none_any_more_is_replaced(store, schedules, wrong):
    before, run = await put(store, DAILY, NOON + wrong)
    await store.clock.advance(5)
    assert await schedules.rezone() == 1
    assert await queued(store) == [("02-10T11:00", "2126-02-10T12:00:00+01:00")]
    with pytest.raises(TaskNotFoundError):
        await store.get(run.id)
    after = await store.schedule("noon")
    assert after == replace(before, next_at=NOON, look_at=NOON), "it is not another one for its callers"
    assert await schedules.rezone() == 0


async def test_readers_of_events_are_told_of_the_run_that_is_gone_and_of_the_other(store):
    engine = Engine(store, (), Telemetry(), rand=lambda: 0.0, rewriting=lambda _: None)
    reader = engine.events.join(Interest(), is_signals=False, push=lambda _: False, cut=lambda: None)
    _, run = await put(store, replace(DAILY, tags=("t",)), NOON + HOUR)
    assert await engine.schedules.rezone() == 1
    (_, gone), (_, made) = engine.events.streams.ring.after(0)
    reader.leave()
    assert (gone.kind, gone.id, gone.due_at) == (EventKind.DELETED, run.id, None)
    assert (made.kind, made.due_at) == (EventKind.CREATED, NOON)
    assert (gone.schedule, gone.tags) == (made.schedule, made.tags) == ("noon", ("t",))


async def go_on(store, schedules, *, days):
    """Let days pass, hour by hour, and give all runs that came due: when, and for which time."""
    for _ in range(24 * days):
        await store.clock.advance(3600)
        await look(store)
        while (await schedules.step()).done:
            pass
    return [moment for moment, *_ in await queued(store)]


async def test_a_time_that_comes_later_by_newer_zones_has_one_run_though_its_run_is_due_by_the_older(store, schedules):
    """At 12 there, when it was 10 in UTC; since the newer zones are here, that is at 11."""
    await store.clock.advance((19.5 * HOUR) // SECOND)
    await put(store, DAILY, NOON - HOUR, said="2126-02-10T12:00:00+02:00")
    assert await schedules.rezone() == 1
    assert await queued(store) == [("02-10T10:00", "2126-02-10T12:00:00+02:00")], "it is due, and stays"
    assert await schedules.rezone() == 0
    assert await go_on(store, schedules, days=2) == ["02-10T10:00", "02-11T11:00", "02-12T11:00"]


async def test_so_has_one_whose_run_has_started(store, schedules):
    await store.clock.advance((19.5 * HOUR) // SECOND)
    await put(store, DAILY, NOON - HOUR, said="2126-02-10T12:00:00+02:00")
    (attempt,) = (await store.claim_due({TEMPLATE.pool: 1})).attempts
    assert await schedules.rezone() == 1
    assert (await store.get(attempt.task_id)).state is State.IN_PROGRESS
    assert await go_on(store, schedules, days=1) == ["02-10T10:00", "02-11T11:00"]


async def test_so_has_the_time_before_the_run_that_stands_in_the_queue(store, schedules):
    """That of today has run by the older zones; by the newer ones, its time is still to come."""
    await store.clock.advance((19.5 * HOUR) // SECOND)
    await put(store, DAILY, NOON + 23 * HOUR, said="2126-02-11T12:00:00+02:00")
    assert await schedules.rezone() == 1
    assert await queued(store) == [("02-11T11:00", "2126-02-11T12:00:00+01:00")]


async def test_a_time_that_has_passed_by_newer_zones_has_its_run_now(store, schedules):
    await store.clock.advance((20.5 * HOUR) // SECOND)
    await put(store, DAILY, NOON + HOUR, said="2126-02-10T12:00:00+00:00")
    assert await schedules.rezone() == 1
    assert await queued(store) == [("02-10T11:00", "2126-02-10T12:00:00+01:00")]
    assert await go_on(store, schedules, days=1) == [f"02-{day}" for day in ("10T11:00", "11T11:00", "12T11:00")]


async def test_one_that_is_due_and_comes_earlier_by_newer_zones_goes_on_from_there(store, schedules):
    await store.clock.advance((21.5 * HOUR) // SECOND)
    await put(store, DAILY, NOON + HOUR, said="2126-02-10T12:00:00+00:00")
    assert await schedules.rezone() == 0
    assert await go_on(store, schedules, days=1) == [f"02-{day}" for day in ("10T12:00", "11T11:00", "12T11:00")]


async def test_a_run_that_somebody_has_moved_does_not_say_what_the_clocks_were_to_show(store, schedules):
    _, run = await put(store, DAILY, NOON + HOUR, said="2126-02-10T12:00:00+00:00")
    moved = replace(run, execution_at=NOON + 5 * HOUR, due_at=NOON + 5 * HOUR, execution_time="2126-02-10T16:00:00Z")
    await store.change(Change(task=moved, revision=0, waited=0, has_new_payload=False))
    assert await schedules.rezone() == 1
    assert [moment for moment, _ in await queued(store)] == ["02-10T11:00"]


async def test_a_run_of_which_it_is_not_known_stands_at_the_next_time(store, schedules):
    await store.clock.advance((20.5 * HOUR) // SECOND)
    await put(store, DAILY, NOON + HOUR)
    assert await schedules.rezone() == 1
    assert [moment for moment, _ in await queued(store)] == ["02-11T11:00"]


@pytest.mark.parametrize(
    ("plan", "next_at", "members"),
    [
        (DAILY, NOON, {}),
        (replace(DAILY, cron="0 * * * *"), NOON + HOUR, {}),
        (Plan(every=7 * HOUR, anchor=NOON), NOON + 7 * HOUR, {}),
        (DAILY, NOON + HOUR, {"is_paused": True, "look_at": None}),
        (DAILY, NOON - 20 * HOUR, {}),
    ],
    ids=["right", "right among others", "an interval", "paused", "due"],
)
async def test_one_that_is_right_or_due_or_paused_stays(store, schedules, plan, next_at, members):
    before, _ = await put(store, plan, next_at, **members)
    tasks = await runs(store)
    assert await schedules.rezone() == 0
    assert await store.schedule("noon") == before
    assert await runs(store) == tasks


async def test_one_that_has_no_time_left_has_no_run(store, schedules):
    await put(store, replace(DAILY, ends_at=NOON), NOON - HOUR)
    assert await schedules.rezone() == 1
    assert await runs(store) == []
    assert (await store.schedule("noon")).look_at is None


async def test_one_that_somebody_changes_meanwhile_is_left_to_them(store, schedules, monkeypatch):
    await put(store, DAILY, NOON + HOUR)

    async def passed(*_, **__):
        raise RevisionPassedError("noon", "schedule")

    monkeypatch.setattr(store, "put_schedule", passed)
    assert await schedules.rezone() == 0


async def test_one_in_a_zone_that_this_node_does_not_know_holds_up_no_other(store, schedules, monkeypatch):
    await put(store, DAILY, NOON + HOUR)
    await put(store, replace(DAILY, time_zone="Europe/London"), NOON + 2 * HOUR, name="london")
    knows_no_berlin(monkeypatch)
    with structlog.testing.capture_logs() as logs:
        assert await schedules.rezone() == 1, "in London"
        await store.clock.advance(30 * 3600)
        await look(store)
        assert (await schedules.step()).done == 1
        assert (await schedules.step()).done == 0
    errors = [(log["time_zone"], log["zones"], log["first"]) for log in logs if log["log_level"] == "error"]
    assert errors == [("Europe/Berlin", zones.VERSION, "noon")], "it is said once"
    monkeypatch.undo()
    other_node = Engine(store, (), Telemetry(), rand=lambda: 0.0, rewriting=lambda _: None).schedules
    assert (await other_node.step()).done == 1


def knows_no_berlin(monkeypatch):
    known = zones.names() - {"Europe/Berlin"}
    monkeypatch.setattr(zones, "names", lambda: known)


async def test_any_number_of_due_ones_in_unknown_zones_holds_up_no_other(store, schedules, monkeypatch):
    for number in range(AT_ONCE + 1):
        await put(store, DAILY, NOON, name=f"n{number}")
    await put(store, replace(DAILY, time_zone="Europe/London"), NOON + HOUR, name="london")
    knows_no_berlin(monkeypatch)
    await store.clock.advance(21 * 3600)
    await look(store)
    step = await schedules.step()
    assert step.done == 1, "at once"
    assert (await store.schedule("london")).next_at == NOON + 25 * HOUR
    step = await schedules.step()
    assert (step.done, step.next_at) == (0, NOON + 25 * HOUR), "at its moment, not when it is looked anyway"
