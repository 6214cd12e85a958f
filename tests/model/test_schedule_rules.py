"""How schedules go on: pure rules."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from tasker.model import instants
from tasker.model.instants import LAST, SECOND
from tasker.model.schedule import CATCH_UP, RUNS_AT_ONCE, Plan, Schedule, Template, advance, begun, changed
from tasker.model.task import TaskId

NOW = instants.parse("2027-03-26T12:00:00Z")
HOUR = 3_600 * SECOND


def new_id(now):
    return TaskId(str(now))


def a_schedule(name="a", **members):
    plan = {key: members.pop(key) for key in list(members) if key in Plan.__struct_fields__}
    if "cron" not in plan:
        plan = {"every": HOUR, "anchor": NOW, **plan}
    template = members.pop("template", Template(type="webhook", pool=1, payload=Raw(b'{"url":"http://a/"}')))
    return Schedule(name=name, revision=1, type="webhook", plan=Plan(**plan), template=template, **members)


def started(schedule, *, after=NOW, now=NOW):
    return begun(schedule, after=after, now=now, new_id=new_id)


def goes_on(schedule, now):
    step = advance(schedule, now=now, new_id=new_id)
    return replace(schedule, next_at=step.next_at, look_at=step.look_at), step.runs


def test_a_plan_is_the_same_after_it_was_stored():
    plan = Plan(cron="0 9 * * *", time_zone="Europe/Berlin", starts_at=NOW, ends_at=NOW + 1, jitter=5, tags=("a",))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_a_run_is_written_in_the_time_of_its_zone():
    schedule, run = started(a_schedule(cron="0 9 * * *", time_zone="Europe/Berlin"))
    assert run.execution_time == "2027-03-27T09:00:00+01:00"
    schedule, runs = goes_on(schedule, schedule.next_at)
    assert [run.execution_time for run in runs] == ["2027-03-28T09:00:00+02:00"]
    assert run.execution_at == instants.parse(run.execution_time) == run.scheduled_for


@pytest.mark.parametrize(
    ("bounds", "first"),
    [
        ({}, NOW + HOUR),
        ({"starts_at": NOW + 5 * HOUR}, NOW + 5 * HOUR),
        ({"starts_at": NOW + 5 * HOUR + 1}, NOW + 6 * HOUR),
        ({"starts_at": NOW - 5 * HOUR}, NOW + HOUR),
        ({"ends_at": NOW + HOUR}, None),
        ({"ends_at": NOW + HOUR + 1}, NOW + HOUR),
    ],
)
def test_times_lie_between_the_start_and_the_end(bounds, first):
    schedule, run = started(a_schedule(**bounds))
    assert (run and run.scheduled_for, schedule.look_at) == (first, first)


def test_with_a_jitter_a_run_is_due_later_by_a_time_that_is_always_the_same():
    runs = [started(a_schedule(name, jitter=HOUR))[1] for name in ("a", "a", "b")]
    assert runs[0].due_at == runs[1].due_at != runs[2].due_at
    for run in runs:
        assert run.scheduled_for == NOW + HOUR <= run.due_at == run.execution_at < NOW + 2 * HOUR


def test_a_run_expires_after_it_is_due():
    template = Template(type="webhook", pool=1, payload=Raw(b"{}"), expires_after=5)
    _, run = started(a_schedule(template=template, jitter=HOUR))
    assert run.expires_at == run.due_at + 5
    late = a_schedule(template=replace(template, expires_after=LAST))
    assert started(late)[1].expires_at == LAST


def test_a_run_has_the_tags_of_its_schedule_each_once():
    template = Template(type="webhook", pool=1, payload=Raw(b'{"tags":["x","y"],"url":"u"}'), tags=("x", "y"))
    _, run = started(a_schedule(template=template, tags=("y", "z")))
    assert run.tags == ("x", "y", "z")
    assert msgspec.json.decode(run.payload) == {"tags": ["x", "y", "z"], "url": "u"}


@given(
    late=st.integers(0, 40 * HOUR),
    every=st.integers(1, 3 * 3_600),
    steps=st.lists(st.integers(0, 2 * HOUR), max_size=5),
)
def test_each_time_of_the_last_day_has_one_run_however_late_it_is_looked_at(late, every, steps):
    schedule, first = started(a_schedule(every=every * SECOND))
    times, now = [first.scheduled_for], schedule.next_at + late
    passed_over = now - CATCH_UP
    for on in itertools.chain([0], steps):
        now += on
        while schedule.look_at <= now and len(times) < 500:
            schedule, runs = goes_on(schedule, now)
            assert 0 < len(runs) <= RUNS_AT_ONCE
            times += [run.scheduled_for for run in runs]
    assert times == sorted(set(times))
    if len(times) < 500:
        assert times[-1] > now
        later = [time for time in times if time > max(passed_over, NOW + every * SECOND)]
        assert all(b - a == every * SECOND for a, b in itertools.pairwise(later))
        assert not later or later[0] - max(passed_over, times[0]) <= every * SECOND


def test_one_whose_run_was_called_off_goes_on_with_the_time_after_that():
    schedule, run = started(a_schedule())
    schedule, runs = goes_on(replace(schedule, look_at=0), NOW)
    assert [each.scheduled_for for each in runs] == [run.scheduled_for + HOUR]
    assert schedule.look_at == schedule.next_at == run.scheduled_for + HOUR


def test_one_that_comes_to_its_end_is_not_looked_at_any_more():
    schedule, _ = started(a_schedule(ends_at=NOW + 2 * HOUR))
    schedule, runs = goes_on(schedule, NOW + HOUR)
    assert (list(runs), schedule.next_at, schedule.look_at) == ([], NOW + HOUR, None)


def test_a_change_that_leaves_the_times_leaves_the_next_one():
    before, _ = started(a_schedule())
    before, _ = goes_on(replace(before, look_at=0), NOW)
    after, run = changed(before, replace(before, revision=2), now=NOW, new_id=new_id)
    assert after.next_at == run.scheduled_for == before.next_at == NOW + 2 * HOUR


def test_a_change_of_the_times_begins_after_now_even_if_the_next_one_was_years_ahead():
    before = replace(a_schedule(), next_at=NOW + 10_000 * HOUR, look_at=NOW + 10_000 * HOUR)
    new = replace(before, plan=replace(before.plan, every=2 * HOUR))
    after, run = changed(before, new, now=NOW, new_id=new_id)
    assert after.next_at == run.scheduled_for == NOW + 2 * HOUR


def test_a_change_of_one_that_has_ended_with_the_same_times_makes_no_run():
    before = replace(a_schedule(ends_at=NOW), next_at=NOW - HOUR)
    after, run = changed(before, replace(before, revision=2), now=NOW, new_id=new_id)
    assert (after.look_at, run) == (None, None)


def test_a_paused_one_makes_no_run():
    schedule, run = started(a_schedule(is_paused=True))
    assert (schedule.next_at, schedule.look_at, run) == (None, None, None)
