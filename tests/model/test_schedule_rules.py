"""How schedules go on: pure rules."""

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from tasker.model import instants
from tasker.model import schedule as rules
from tasker.model.instants import LAST, SECOND
from tasker.model.lateness import Span
from tasker.model.schedule import CATCH_UP, MOST_LATE, Missed, Plan, Schedule, Template, advance, begun, changed
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


def caught_up(schedule, now, spans=()):
    """Have it go on until it is not to be looked at. Return it, the steps, and what stands for what by span."""
    steps = []
    while schedule.look_at is not None and schedule.look_at <= now:
        step = advance(schedule, now=now, spans=spans, new_id=new_id)
        assert step.next_at > schedule.next_at or step.look_at is None
        schedule = replace(schedule, next_at=step.next_at, look_at=step.look_at)
        steps.append(step)
    return schedule, steps


@settings(deadline=None)
@given(late=st.integers(0, 40 * HOUR), every=st.integers(1, 3 * 3_600), jitter=st.sampled_from([0, 1]))
def test_while_a_node_is_up_each_time_of_the_last_day_has_one_run_however_late_it_is_looked_at(late, every, jitter):
    schedule, first = started(a_schedule(every=every * SECOND, jitter=jitter * every * SECOND))
    now = schedule.next_at + late
    schedule, steps = caught_up(schedule, now)
    times = [run.scheduled_for for step in steps for run in step.runs]
    since = now - min(CATCH_UP, MOST_LATE * every * SECOND)
    plan = schedule.plan
    expected = [
        time
        for time in plan.times(max(first.scheduled_for + 1, since - 2 * every * SECOND), now + 1)
        if time >= since or plan.due_at("a", time) > now
    ]
    assert times[:-1] == expected
    assert times[-1] == schedule.next_at > now
    assert len(steps) <= 6
    assert sum(step.missed_times for step in steps) == 0


def short_lived(limits):
    return st.lists(st.integers(0, 900), max_size=6).map(
        lambda ends: [Span(NOW + a * SECOND, NOW + b * SECOND) for a, b in itertools.pairwise(sorted(set(ends)))][::2]
    )


plans = st.fixed_dictionaries(
    {
        "every": st.sampled_from([1, 7, 60]).map(lambda every: every * SECOND),
        "missed": st.sampled_from(Missed),
        "missed_within": st.sampled_from([3, 100, 10_000]).map(lambda within: within * SECOND),
        "jitter": st.sampled_from([0, 0, 1, 5]).map(lambda jitter: jitter * SECOND),
    }
)


@settings(deadline=None)
@given(plan=plans, spans=short_lived(900), now=st.integers(0, 1_000), expires_after=st.sampled_from([None, SECOND]))
def test_what_becomes_of_each_time_is_as_it_would_be_if_one_looked_at_them_one_by_one(plan, spans, now, expires_after):
    now = NOW + now * SECOND
    spans = [span for span in spans if span.end_at <= now]
    template = Template(type="webhook", pool=1, payload=Raw(b"{}"), expires_after=expires_after)
    schedule, first = started(a_schedule(template=template, **plan))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "MOST_MISSED", 5)
        patch.setattr(rules, "RUNS_AT_ONCE", 3)
        schedule, steps = caught_up(schedule, now, spans)

    plan = schedule.plan
    own, stands_for, missed_times = [], {}, 0
    for time in plan.times(first.scheduled_for + 1, now + 1):
        due_at = plan.due_at("a", time)
        span = next((each for each in spans if each.begin_at < due_at < each.end_at), None)
        may_run = span is not None and span.end_at - time <= plan.missed_within
        if span is None:
            own.append((time, None))
        elif may_run and plan.missed is Missed.ONCE:
            stands_for.setdefault(span, []).append(time)
        elif may_run and plan.missed is Missed.ALL and plan.count(plan.runs_of(span)[0], time) < 5:
            own.append((time, 1))
        else:
            missed_times += 1
    made = [(run.scheduled_for, run.missed) for step in steps for run in step.runs]
    assert made[: len(own)] == own
    assert made[len(own) :] == ([(schedule.next_at, None)] if first.scheduled_for <= now else [])
    stand_ins = [each for step in steps for each in step.stand_ins]
    for span, times in stands_for.items():
        runs = [each.run for each in stand_ins if each.span == span]
        assert sum(run.missed for run in runs) == len(times)
        assert runs[0].scheduled_for == times[0]
        if expires_after is not None:
            assert runs[-1].expires_at == plan.due_at("a", times[-1]) + expires_after
        assert all(each.since <= times[0] <= times[-1] < each.until for each in stand_ins if each.span == span)
    assert {each.span for each in stand_ins} == stands_for.keys()
    merged = sum(map(len, stands_for.values())) - len(stand_ins)
    assert sum(step.missed_times for step in steps) == missed_times + merged


@pytest.mark.parametrize("missed", Missed)
def test_a_month_without_a_node_is_passed_in_few_steps(missed):
    schedule, _ = started(a_schedule(every=SECOND, missed=missed, missed_within=30 * CATCH_UP))
    span = Span(NOW, NOW + 30 * CATCH_UP)
    schedule, steps = caught_up(schedule, span.end_at, [span])
    assert schedule.next_at == span.end_at + SECOND
    assert len(steps) <= 6
    times = 30 * 86_400 - 2  # without the one that stands in the queue, and the one at the end, which was not missed
    runs = [run for step in steps for run in step.runs if run.missed]
    stand_ins = [each.run for step in steps for each in step.stand_ins]
    lots = {Missed.ONCE: [times], Missed.ALL: [1] * 999, Missed.NONE: []}[missed]
    assert [run.missed for run in (*runs, *stand_ins)] == lots
    assert sum(step.missed_times for step in steps) == times - len(lots)


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
