"""Any story with schedules: no time has two runs that start, none is missing or early, the next stands; no overlap.

Of what nobody was there for, each time is accounted for: it has its run, another stands for it, or it is counted.
"""

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_stories
from kinds import KINDS, MORTAL
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, another_try, success

from tasker.errors import RevisionPassedError, ScheduleNotFoundError
from tasker.filters import query_of
from tasker.ids import new_id
from tasker.model.schedule import Missed, Overlap, Plan, Schedule, Template, advance, begun, changed
from tasker.model.task import Admission, RunKind, State

NAMES = ["a", "b"]
names = st.sampled_from(NAMES)
intervals = st.sampled_from([10, 7, 60])
jitters = st.sampled_from([0, 5])
LONGEST_JITTER = 5 * SECOND
overlaps = st.sampled_from(list(Overlap))
misses = st.tuples(st.sampled_from(list(Missed)), st.sampled_from([40, 1_000]))
STATES = {
    Admission.STARTED: State.IN_PROGRESS,
    Admission.OVERLAP: State.CANCELLED,
    Admission.BEHIND: State.TODO,
    Admission.MISSED: State.CANCELLED,
}


class ScheduleStories(RuleBasedStateMachine):
    """A store, its nodes, and what has become of each time."""

    attempts = Bundle("attempts")
    """Handed out, and not settled."""
    seen = Bundle("seen")
    """Schedules as somebody has read them: they may be passed."""

    def __init__(self, name):
        super().__init__()
        self.mortal = name in MORTAL
        self.folder = Path(tempfile.mkdtemp())
        self.kind = KINDS[name](self.folder)
        self.loop = asyncio.Runner()
        self.store = self.run(self.kind.open())
        self.clock = self.kind.clock
        self.revision = 0
        self.since = {}
        """After which moment the times of a schedule have counted, since somebody last said so; of those that are
        not paused."""
        self.runs = {}
        """The ids of the runs that were made, by schedule and time."""
        self.started = {}
        """The id of the run that has started, by schedule and time."""
        self.hurried = set()
        """Runs that somebody had run now."""
        self.without_run = {}
        """How many times of a schedule were missed and have had no run of their own."""
        self.had_run = {}
        """And how many times it has passed by that had a run before, of a schedule with its name that is gone."""
        self.spans = set()
        """In which nobody looked."""

    def run(self, what):
        return self.loop.run(what)

    def teardown(self):
        try:
            self.run(self.kind.close())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    # What callers ask for.

    def found(self, name):
        try:
            schedule = self.run(self.store.schedule(name))
        except ScheduleNotFoundError:
            return None
        while schedule.look_at is not None and schedule.look_at <= self.clock.now():  # as the service does
            self.look()
            self.go_on([schedule])
            schedule = self.run(self.store.schedule(name))
        return schedule

    def new(self, name, every, jitter, before, overlap=Overlap.SKIP, missed=(Missed.ONCE, 1_000)):
        self.revision += 1
        return Schedule(
            name=name,
            revision=self.revision,
            type="webhook",
            plan=Plan(
                every=every * SECOND,
                anchor=self.clock.now() if before is None else before.plan.anchor,
                jitter=jitter * SECOND,
                overlap=overlap,
                missed=missed[0],
                missed_within=missed[1] * SECOND,
            ),
            template=Template(type="webhook", pool=WEBHOOK, payload=Raw(b'{"url":"http://a/%d"}' % self.revision)),
        )

    def write(self, schedule, run, seen):
        reach = timedelta(microseconds=0 if seen is None or not schedule.is_paused else seen.plan.jitter)
        done = self.run(self.store.put_schedule(schedule, run, seen=seen, reach=reach))
        self.made([] if done.run is None else [done.run])
        assert done.run is None or done.run == run

    @initialize(name=names, every=intervals, jitter=jitters, overlap=overlaps, missed=misses)
    def begin(self, name, every, jitter, overlap, missed):
        self.look()
        self.put(name, every, jitter, overlap, missed)

    @rule(name=names, every=intervals, jitter=jitters, overlap=overlaps, missed=misses)
    def put(self, name, every, jitter, overlap, missed):
        before, now = self.found(name), self.clock.now()
        new = self.new(name, every, jitter, before, overlap, missed)
        if before is None:
            self.without_run[name] = self.had_run[name] = 0
            schedule, run = begun(new, after=now, now=now, new_id=new_id)
            self.since[name] = now
        else:
            new = replace(new, is_paused=before.is_paused)
            schedule, run = changed(before, new, now=now, new_id=new_id)
            if not new.plan.has_times_of(before.plan) and not before.is_paused:
                self.since[name] = now
        self.write(schedule, run, before)
        stands = self.run(self.store.schedule(name))
        assert (stands.revision, stands.plan, stands.template) == (new.revision, new.plan, new.template)

    @rule(name=names)
    def pause(self, name):
        seen = self.found(name)
        if seen is not None and not seen.is_paused:
            self.revision += 1
            self.write(replace(seen, is_paused=True, look_at=None, revision=self.revision), None, seen)
            del self.since[name]

    @rule(name=names)
    def resume(self, name):
        seen, now = self.found(name), self.clock.now()
        if seen is not None:
            self.revision += 1
            schedule, run = begun(
                replace(seen, is_paused=False, revision=self.revision), after=now, now=now, new_id=new_id
            )
            self.since[name] = now
            self.write(schedule, run, seen)

    @rule(name=names)
    def delete(self, name):
        seen = self.found(name)
        if seen is not None:
            self.run(self.store.delete_schedule(seen, reach=timedelta(microseconds=seen.plan.jitter)))
            self.since.pop(name, None)
            for task in self.todo(name):
                assert (
                    task.attempts
                    or task.due_at <= self.clock.now()
                    or task.scheduled_for <= self.clock.now() - seen.plan.jitter
                )

    @rule(target=seen, name=names)
    def read(self, name):
        schedule = self.found(name)
        return schedule or self.new(name, 10, 0, None)

    @rule(schedule=consumes(seen))
    def write_from_what_may_be_passed(self, schedule):
        try:
            now = self.run(self.store.schedule(schedule.name))
        except ScheduleNotFoundError:
            now = None
        if now is None or (now.revision, now.next_at) != (schedule.revision, schedule.next_at):
            with pytest.raises(RevisionPassedError):
                self.run(self.store.delete_schedule(schedule))
            with pytest.raises(RevisionPassedError):
                self.run(self.store.put_schedule(schedule, None, seen=schedule))

    # What happens to runs.

    def todo(self, *of):
        query = query_of({"state": ["todo"]})
        page = self.run(self.store.find(query, after=None, limit=1000))
        assert page.next is None
        return [task for task in page.tasks if not of or task.schedule in of]

    @rule(data=st.data(), way=st.sampled_from(["cancel", "delete", "run_now"]))
    def meet_a_run(self, data, way):
        waiting = self.todo()
        if not waiting:
            return
        task = data.draw(st.sampled_from(sorted(waiting, key=lambda task: (task.schedule, task.scheduled_for))))
        self.run(getattr(self.store, way)(task.id))
        if way == "run_now":
            self.hurried.add(task.id)

    @rule(target=attempts)
    def claim(self):
        before = {task.id: task for task in self.todo()}
        claimed = self.run(self.store.claim_due({WEBHOOK: 1}))
        if not claimed.attempts:
            return None
        (attempt,) = claimed.attempts
        task = self.run(self.store.get(attempt.task_id))
        if before[task.id].admission is not Admission.STARTED and not self.is_admitted(attempt, before[task.id]):
            return None
        time = (task.schedule, task.scheduled_for)
        assert self.started.setdefault(time, task.id) == task.id, "a time has two runs"
        assert task.run_kind is RunKind.REGULAR
        if task.id not in self.hurried and attempt.number == 1:
            assert task.due_at >= task.scheduled_for
        assert self.clock.now() >= task.due_at, "it is early"
        return attempt

    @rule(target=attempts)
    def claim_what_comes_next(self):
        self.let_time_pass(100)
        self.step()
        return self.claim()

    @rule(target=attempts)
    def come_back_after_an_outage(self):
        self.set_the_clock(200)
        self.look()
        self.step()
        return self.claim()

    def is_admitted(self, attempt, task):
        """Have it be decided of a run that was claimed, which was *task* before; return whether it starts."""
        try:
            schedule = self.run(self.store.schedule(task.schedule))
        except ScheduleNotFoundError:
            schedule = None
        runs = self.run(self.store.find(query_of({"schedule": [task.schedule]}), after=None, limit=1000)).tasks
        others = [each for each in runs if each.id != task.id]
        found = [each for each in others if each.state in (State.TODO, State.IN_PROGRESS)]
        goes_on = any(each.admission is Admission.STARTED for each in found)
        span = self.missed_in(schedule, task)
        stand_in = None if span is None else self.stand_in(schedule.plan, span, others)
        is_dropped = span is not None and self.is_dropped(schedule.plan, span, task, stand_in)
        admission = attempt.admission
        if attempt.asks_to_start:
            (admitted,) = self.run(self.store.admit([attempt]))
            admission = admitted.admission
        after = self.run(self.store.get(task.id))
        assert (after.admission, after.state) == (admission, STATES[admission])
        assert is_dropped == (admission is Admission.MISSED), "what was missed starts, or what was not does not"
        if is_dropped:
            self.without_run[task.schedule] += 1
            if stand_in is not None:
                assert self.run(self.store.get(stand_in.id)).missed == stand_in.missed + (task.missed or 1)
            return False
        assert after.missed == (task.missed if span is None else task.missed or 1)
        stops = goes_on and schedule is not None and schedule.plan.overlap is not Overlap.ALLOW
        assert stops == (admission is not Admission.STARTED), "two go on, or one is left out for nothing"
        is_one_of_all = span is not None and schedule.plan.missed is Missed.ALL
        if admission is Admission.BEHIND and not is_one_of_all:
            behind = [each for each in found if each.admission is Admission.BEHIND]
            assert schedule.plan.overlap is Overlap.QUEUE or task.admission is Admission.BEHIND
            assert not behind or task.admission is Admission.BEHIND, "one waits at most"
        assert not is_one_of_all or admission is not Admission.OVERLAP, "each has its run"
        return admission is Admission.STARTED

    def missed_in(self, schedule, task):
        """The span in which a run was missed of which nothing is decided; None: it was not missed."""
        if schedule is None or task.admission is not None:
            return None
        return next((each for each in self.known_spans() if each.begin_at < task.due_at < each.end_at), None)

    def stand_in(self, plan, span, others):
        """The run that stands for what was missed in a span, if one is to."""
        for each in sorted(others, key=lambda each: each.scheduled_for):
            lies_in = span.begin_at < each.due_at < span.end_at
            is_recent = max(span.begin_at - plan.jitter, span.end_at - plan.missed_within - 1) < each.scheduled_for
            stands = each.admission in (Admission.STARTED, Admission.BEHIND, Admission.NOT_BEGUN)
            if plan.missed is Missed.ONCE and lies_in and is_recent and stands and each.missed is not None:
                return each
        return None

    def is_dropped(self, plan, span, task, stand_in):
        is_recent = span.end_at - task.scheduled_for <= plan.missed_within
        return plan.missed is Missed.NONE or not is_recent or stand_in is not None

    @rule()
    def release(self):
        self.run(self.store.release_runs())

    @rule(attempt=consumes(attempts), end=st.sampled_from([success, another_try]))
    def settle(self, attempt, end):
        if attempt is not None:
            self.run(self.store.settle(attempt, end(self.clock)))

    # What nodes do.

    @rule()
    def look(self):
        self.run(self.store.claim_due({}))

    def known_spans(self):
        spans = self.run(self.store.down_spans(since=0)).spans
        self.spans |= set(spans)
        return spans

    def advances(self, schedules):
        spans, until = self.known_spans(), self.run(self.store.down_spans(since=0)).known_until
        known = [each for each in schedules if each.look_at <= until]
        return [advance(each, now=until, spans=spans, new_id=new_id) for each in known]

    def go_on(self, schedules):
        advances = self.advances(schedules)
        done = self.run(self.store.advance_schedules(advances))
        assert done.count == len(advances)
        self.made(done.runs)
        self.count([each.seen for each in advances], done.runs)
        return done

    def count(self, seen, made):
        """Count the times that schedules have passed by without a run."""
        made = {(run.schedule, run.scheduled_for) for run in made}
        for each in seen:
            now = self.run(self.store.schedule(each.name))
            for time in each.plan.times(each.next_at + 1, now.next_at + 1):
                self.without_run[each.name] += (each.name, time) not in self.runs
                self.had_run[each.name] += (each.name, time) in self.runs.keys() - made

    @rule()
    def step(self):
        while schedules := self.run(self.store.due_schedules(limit=2)).schedules:
            if not self.go_on(schedules).count:
                break

    @rule(limit=st.integers(1, 2))
    def two_nodes_step_at_once(self, limit):
        schedules = self.run(self.store.due_schedules(limit=limit)).schedules

        ours, theirs = (self.advances(schedules) for _ in range(2))

        async def both():
            return await asyncio.gather(self.store.advance_schedules(ours), self.store.advance_schedules(theirs))

        first, second = self.run(both())
        assert first.count + second.count == len(ours)
        self.made([*first.runs, *second.runs])
        self.count([each.seen for each in ours], [*first.runs, *second.runs])

    def made(self, runs):
        for run in runs:
            self.runs.setdefault((run.schedule, run.scheduled_for), []).append(run.id)

    @rule(seconds=st.sampled_from([0.5, 3, 10, 100]))
    def let_time_pass(self, seconds):
        self.run(self.clock.advance(seconds))

    @rule(seconds=st.sampled_from([-100, -3, 200]))
    def set_the_clock(self, seconds):
        self.run(self.clock.step(seconds))

    @precondition(lambda self: not self.mortal)
    @rule()
    def die(self):
        self.store = self.run(self.kind.after_death(self.store))

    # What holds at any time.

    @invariant()
    def every_time_has_had_its_run_and_the_next_one_stands(self):
        waiting = self.todo()
        times = [(task.schedule, task.scheduled_for) for task in waiting]
        assert len(times) == len(set(times)), "of a time one run waits at most"
        for name, since in self.since.items():
            schedule = self.run(self.store.schedule(name))
            assert not schedule.is_paused
            assert 0 <= schedule.missed_times - self.without_run[name] <= self.had_run[name]
            time = schedule.plan.following(since).scheduled_for
            while time <= schedule.next_at:
                was_missed = any(each.begin_at - LONGEST_JITTER < time < each.end_at for each in self.spans)
                assert (name, time) in self.runs or was_missed, "a time is left out"
                time = schedule.plan.following(time).scheduled_for
            if schedule.look_at > self.clock.now():
                assert schedule.look_at == schedule.next_at
                stands = (name, schedule.next_at)
                assert stands in times or stands in self.started, "no run stands in the queue"


@pytest.mark.parametrize("name", KINDS)
def test_any_story_with_schedules(name):
    examples, steps = {"sqlite-memory": (50, 30), "sqlite-file": (10, 20), "postgres": (5, 20)}[name]
    run_stories(
        lambda: ScheduleStories(name),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
