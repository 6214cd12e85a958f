"""Any story of jobs: claims, leases that end, heartbeats, ends, pauses, limits, cancels, deaths, a second node.

Whatever is asked, in whatever order, the store answers as a dict would: each job is one caller's at a
time, none is given before its time, and none is lost.
"""

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_stories
from kinds import KINDS, MORTAL, Postgres
from msgspec.structs import replace
from steps import another_try, failure, success

from tasker.errors import ClaimLostError, TaskEndedError, TaskNotFailedError
from tasker.interfaces.queue import Claim
from tasker.model.gate import Limits, queue_named
from tasker.model.lifecycle import MAX_CRASHES
from tasker.model.task import State, Task
from tasker.testing.task_factory import a_task

QUEUES = ("a", "b")
queues = st.sampled_from(QUEUES)
MICROSECOND = timedelta(microseconds=1)
leases = st.integers(1, 4)
"""In microseconds."""


class Stories(RuleBasedStateMachine):
    """A store beside its model: the jobs, who has which until when, and the gates of the queues."""

    ids = Bundle("ids")
    attempts = Bundle("attempts")
    """Given to callers, and their end not told; some of them were lost since."""

    def __init__(self, name):
        super().__init__()
        self.mortal = name in MORTAL
        self.folder = Path(tempfile.mkdtemp())
        self.kind = KINDS[name](self.folder)
        self.loop = asyncio.Runner()
        self.stores = [self.run(self.kind.open())]
        if isinstance(self.kind, Postgres):
            self.stores.append(self.run(self.kind._open()))
        self.clock = self.kind.clock
        self.tasks: dict[str, Task] = {}
        self.queue_of: dict[str, str] = {}
        self.given: dict[str, tuple[int, int, int]] = {}
        """By the id of a job that somebody has: the claim, the lease, and when it ends."""
        self.gates = {name: self.run(self.store.make_gate(queue_named(name))) for name in QUEUES}
        self.paused = dict.fromkeys(QUEUES, False)
        self.most = dict.fromkeys(QUEUES)

    @property
    def store(self):
        """Each node has its turn."""
        self.stores.append(self.stores.pop(0))
        return self.stores[0]

    def run(self, what):
        return self.loop.run(what)

    def teardown(self):
        try:
            for store in self.stores:
                self.run(store.close())
            self.run(self.kind.close())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    def change(self, task_id, **members):
        self.tasks[task_id] = replace(self.tasks[task_id], **members)

    def stands(self, attempt):
        return self.given.get(attempt.task_id, (None,))[0] == attempt.fence

    @rule(target=ids, plans=st.lists(st.tuples(queues, st.integers(-2, 3)), min_size=1, max_size=3))
    def create(self, plans):
        new = [a_task(due_at=self.clock.now() + due_in, queue=queue) for queue, due_in in plans]
        self.run(self.store.create(new))
        self.tasks |= {task.id: task for task in new}
        self.queue_of |= {task.id: queue for task, (queue, _) in zip(new, plans, strict=True)}
        return multiple(*(task.id for task in new))

    @rule(target=attempts, queue=queues, most=st.integers(1, 3), lease=leases)
    def pull(self, queue, most, lease):
        now = self.clock.now()
        found = self.run(self.store.pull(queue_named(queue), most=most, lease=lease * MICROSECOND))
        room = 0 if self.paused[queue] else most
        if self.most[queue] is not None:
            room = min(room, max(self.most[queue] - sum(self.queue_of[task_id] == queue for task_id in self.given), 0))
        waiting = [
            task
            for task in self.tasks.values()
            if task.state is State.TODO and self.queue_of[task.id] == queue and task.due_at <= now
        ]
        expected = sorted(waiting, key=lambda task: (task.due_at, task.id))[:room]
        assert [attempt.task_id for attempt in found.attempts] == [task.id for task in expected]
        for attempt in found.attempts:
            task = self.tasks[attempt.task_id]
            self.change(task.id, state=State.IN_PROGRESS, attempts=task.attempts + 1, started_at=now)
            self.given[task.id] = (attempt.fence, lease, now + lease)
            assert (attempt.number, found.lease_until) == (task.attempts + 1, now + lease)
        return multiple(*found.attempts)

    @rule(attempt=consumes(attempts), end=st.sampled_from([success, failure, another_try]))
    def tell_its_end(self, attempt, end):
        settlement = end(self.clock) if end is not another_try else another_try(self.clock, in_seconds=0)
        settled = self.store.settle(attempt, settlement)
        if not self.stands(attempt):
            with pytest.raises(ClaimLostError):
                self.run(settled)
            return
        self.run(settled)
        del self.given[attempt.task_id]
        due = {} if settlement.due_at is None else {"due_at": settlement.due_at}
        self.change(attempt.task_id, state=settlement.state, crashes=0, **due)

    @rule(attempt=consumes(attempts))
    def give_back(self, attempt):
        if not self.stands(attempt):
            with pytest.raises(ClaimLostError):
                self.run(self.store.give_back(attempt))
            return
        self.run(self.store.give_back(attempt))
        del self.given[attempt.task_id]
        self.change(attempt.task_id, state=State.TODO, attempts=self.tasks[attempt.task_id].attempts - 1)

    @rule(attempt=attempts, by=st.none() | leases)
    def send_a_heartbeat(self, attempt, by):
        claim = Claim(attempt.task_id, attempt.fence)
        beat = self.store.beat(claim, progress=0.5, msg=None, deadline=None if by is None else by * MICROSECOND)
        if not self.stands(attempt):
            with pytest.raises(ClaimLostError):
                self.run(beat)
            return
        fence, lease, _ = self.given[attempt.task_id]
        ends_at = self.clock.now() + (lease if by is None else by)
        assert self.run(beat).deadline == ends_at
        self.given[attempt.task_id] = (fence, lease, ends_at)

    @rule(microseconds=st.integers(0, 3))
    def let_time_pass_and_end_leases(self, microseconds):
        self.run(self.clock.advance(microseconds / 1e6))
        now = self.clock.now()
        over = [task_id for task_id, (_, _, ends_at) in self.given.items() if ends_at <= now]
        ended = self.run(self.store.end_leases())
        failed = 0
        for task_id in over:
            del self.given[task_id]
            task = self.tasks[task_id]
            is_last = task.crashes + 1 >= MAX_CRASHES
            failed += is_last
            state = State.FAILED if is_last else State.TODO
            self.change(task_id, state=state, crashes=task.crashes + 1, attempts=task.attempts - 1)
        assert (ended.taken.todo, ended.taken.failed) == (len(over) - failed, failed)
        assert ended.next_at == min((ends_at for _, _, ends_at in self.given.values()), default=None)

    @rule(queue=queues, paused=st.booleans())
    def pause_or_resume(self, queue, paused):
        self.run(self.store.pause(self.gates[queue]) if paused else self.store.resume(self.gates[queue]))
        self.paused[queue] = paused

    @rule(queue=queues, most=st.none() | st.integers(1, 2))
    def limit(self, queue, most):
        self.run(self.store.limit(self.gates[queue], Limits(max_running=most)))
        self.most[queue] = most

    @rule(task_id=ids)
    def cancel(self, task_id):
        task = self.tasks[task_id]
        if task.state in (State.DONE, State.FAILED):
            with pytest.raises(TaskEndedError):
                self.run(self.store.cancel(task_id))
            return
        assert self.run(self.store.cancel(task_id)).state is State.CANCELLED
        self.given.pop(task_id, None)
        self.change(task_id, state=State.CANCELLED)

    @rule(task_id=ids)
    def retry(self, task_id):
        if self.tasks[task_id].state not in (State.FAILED, State.CANCELLED):
            with pytest.raises(TaskNotFailedError):
                self.run(self.store.retry(task_id))
            return
        self.run(self.store.retry(task_id))
        self.change(task_id, state=State.TODO, crashes=0, due_at=self.clock.now())

    @precondition(lambda self: not self.mortal and len(self.stores) == 1)
    @rule()
    def die_and_come_back(self):
        self.stores = [self.run(self.kind.after_death(self.stores[0]))]
        assert self.run(self.stores[0].take_back()).todo == 0, "no node has what callers have"

    @rule()
    def claim_as_a_node_does(self):
        assert self.run(self.store.claim_due({1: 9, 2: 9})).attempts == ()

    @invariant()
    def every_job_is_where_it_is(self):
        for task_id, task in self.tasks.items():
            standing = self.run(self.stores[0].standing(task_id))
            found = standing.task
            assert (found.state, found.attempts, found.crashes) == (task.state, task.attempts, task.crashes)
            assert standing.held_by == self.gates[self.queue_of[task_id]]
            assert found.deadline == (self.given[task_id][2] if task_id in self.given else None)


@pytest.mark.parametrize("name", KINDS)
def test_jobs_go_where_they_are_told(name):
    examples = 6 if name == "postgres" else 20
    run_stories(
        lambda: Stories(name),
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
