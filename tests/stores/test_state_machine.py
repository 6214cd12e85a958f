"""Any story: whatever is asked of a store, in whatever order, it answers as a dict would."""

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from hypothesis.stateful import run_state_machine_as_test as run_stories
from kinds import KINDS, MORTAL
from msgspec.structs import replace
from steps import HASH, REFUSED, WEBHOOK, a_hash, accepted, another_try, failure, pages, success

from tasker.errors import (
    ClaimLostError,
    ConflictsError,
    KeyInUseError,
    KeyNotFoundError,
    RevisionPassedError,
    TaskEndedError,
    TaskExistsError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskNotWaitingError,
    TaskRunningError,
)
from tasker.filters import SORTS, Order, query_of
from tasker.interfaces.completions import Beat
from tasker.interfaces.queue import Claim, Expired, TakenBack
from tasker.interfaces.tasks import Counted, TaskFilter
from tasker.model import instants
from tasker.model.change import Change
from tasker.model.lifecycle import MAX_CRASHES, MOVES, TIMED_OUT, Move, expired
from tasker.model.new_task import Made, NewTask, OnConflict, Outcome
from tasker.model.task import STATES, Fault, Progress, State, Task
from tasker.testing.task_factory import a_task

TYPES = {"webhook": (WEBHOOK, a_task), "hash": (HASH, a_hash)}

plans = st.tuples(st.sampled_from([*TYPES]), st.integers(-2, 3), st.none() | st.integers(1, 6))
"""A new task: its type, how many microseconds from now it is due, and how many later it expires."""

free = st.fixed_dictionaries({WEBHOOK: st.sampled_from([3, 1, 2, 0])}, optional={HASH: st.integers(0, 3)})
keys = st.sampled_from(["a", "b"])
waits = st.none() | st.integers(0, 4)
faults = st.sampled_from([REFUSED, Fault("timeout", "no answer within 30 s")])
results = st.sampled_from([None, b"null", b'"r"'])
filters = st.builds(
    TaskFilter, type=st.none() | st.sampled_from([*TYPES, "mail"]), state=st.none() | st.sampled_from(STATES)
)


class Stories(RuleBasedStateMachine):
    """A store beside its model: the tasks in order of arrival, who holds which, and the clock."""

    ids = Bundle("ids")
    """Of every task that ever was."""

    attempts = Bundle("attempts")
    """Handed out, neither settled nor given back; those whose node has died may have been taken
    back since."""

    over = Bundle("over")
    """Settled or given back: whoever still comes with one has lost the claim."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.mortal = name in MORTAL
        self.folder = Path(tempfile.mkdtemp())
        self.kind = KINDS[name](self.folder)
        self.loop = asyncio.Runner()
        self.store = self.run(self.kind.open())
        self.clock = self.kind.clock
        self.tasks: dict[str, Task] = {}
        self.held: dict[str, tuple[int, int]] = {}
        """By the id of a running task: its claim, and the node that made it."""
        self.made_at: dict[str, int] = {}
        """When tasks with a key were created."""
        self.node = 0

    def run(self, what):
        return self.loop.run(what)

    def teardown(self):
        try:
            self.run(self.kind.close())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    def refuses(self, error, task_id, what):
        with pytest.raises(error) as refusal:
            self.run(what)
        assert refusal.value.task_id == task_id

    # What is asked.

    @initialize(target=ids, plans=st.lists(plans, min_size=2, max_size=4))
    def begin(self, plans):
        return self.create(plans)

    @rule(target=ids, plans=st.lists(plans, max_size=2))
    def create(self, plans):
        new = self.new(plans)
        self.run(self.store.create(new))
        self.tasks |= {task.id: task for task in new}
        return multiple(*(task.id for task in new))

    @rule(plans=st.lists(plans, max_size=2), task_id=ids, place=st.integers(0, 2))
    def create_one_that_may_be_there(self, plans, task_id, place):
        new = self.new(plans)
        new.insert(place, replace(a_task(due_at=self.clock.now()), id=task_id))
        if task_id in self.tasks:
            self.refuses(TaskExistsError, task_id, self.store.create(new))
        else:
            self.run(self.store.create(new))
            self.tasks |= {task.id: task for task in new}

    @rule(plans=st.lists(plans, min_size=1, max_size=3))
    def create_one_twice(self, plans):
        new = self.new(plans)
        self.refuses(TaskExistsError, new[0].id, self.store.create([*new, new[0]]))

    @rule(target=ids, plan=plans, key=keys, on_conflict=st.sampled_from(OnConflict), max_wait=waits)
    def make_one_with_a_key(self, plan, key, on_conflict, max_wait):
        now, holder = self.clock.now(), self.holder(key)
        task = replace(*self.new([plan]), key=key, holds_key=True)
        new = NewTask(task=task, on_conflict=on_conflict, max_wait=max_wait)
        if holder is not None and on_conflict is OnConflict.KEEP:
            assert self.run(self.store.make([new])) == [Made(holder.id, Outcome.KEPT, holder.execution_at)]
            return holder.id
        is_running = holder is not None and holder.state is State.IN_PROGRESS
        takes_over = is_running and on_conflict is OnConflict.DEBOUNCE
        refused_with = None
        if holder is not None and not takes_over:
            if on_conflict is OnConflict.REPLACE and is_running:
                refused_with = TaskRunningError
            elif on_conflict is OnConflict.REJECT or holder.type != task.type:
                refused_with = KeyInUseError
        if refused_with is not None:
            with pytest.raises(ConflictsError) as refusal:
                self.run(self.store.make([new]))
            assert isinstance(refusal.value.refusals[0], refused_with)
            return holder.id
        is_new = holder is None or takes_over
        if max_wait is not None:
            latest = max((now if is_new else self.made_at[holder.id]) + max_wait, now)
            if latest < task.execution_at:
                task = replace(task, due_at=latest, execution_at=latest, execution_time=instants.text(latest))
        if is_new:
            made = Made(task.id, Outcome.CREATED, task.execution_at)
            self.made_at[task.id] = now
        else:
            made = Made(holder.id, Outcome.REPLACED, task.execution_at)
            stays = ("attempts", "started_at", "last_fault", "progress")  # of its last attempt
            task = replace(task, id=holder.id, retried_after=holder.attempts, **{n: getattr(holder, n) for n in stays})
        assert self.run(self.store.make([new])) == [made]
        if takes_over:
            self.change(holder.id, holds_key=False)
        self.tasks[task.id] = task
        return task.id

    @rule(key=keys, or_newest=st.booleans())
    def find_by_key(self, key, or_newest):
        holder = self.holder(key)
        had = [task for task in self.tasks.values() if task.key == key]
        named = holder or (max(had, key=self.arrival, default=None) if or_newest else None)
        if named is None:
            with pytest.raises(KeyNotFoundError):
                self.run(self.store.id_of_key(key, or_newest=or_newest))
        else:
            assert self.run(self.store.id_of_key(key, or_newest=or_newest)) == named.id

    @rule(task_id=ids)
    def delete(self, task_id):
        task = self.tasks.get(task_id)
        if task is None:
            self.refuses(TaskNotFoundError, task_id, self.store.delete(task_id))
        elif task.state is State.IN_PROGRESS:
            self.refuses(TaskRunningError, task_id, self.store.delete(task_id))
        else:
            self.run(self.store.delete(task_id))
            del self.tasks[task_id]

    @rule(target=attempts, microseconds=st.integers(0, 3), free=free)
    def let_time_pass_and_claim(self, microseconds, free):
        self.run(self.clock.advance(microseconds / 1_000_000))
        claimed = self.run(self.store.claim_due(free))

        queues = {pool: self.queue(pool) for pool, slots in free.items() if slots > 0}
        due = {pool: [task for task in queue if task.due_at <= self.clock.now()] for pool, queue in queues.items()}
        taken = {pool: due[pool][: free[pool]] for pool in queues}
        expected = sorted((task for tasks in taken.values() for task in tasks), key=self.place)
        left = [
            queue[len(taken[pool])] for pool, queue in queues.items() if len(taken[pool]) < min(free[pool], len(queue))
        ]
        assert [attempt.task_id for attempt in claimed.attempts] == [task.id for task in expected]
        assert claimed.next_due == min((task.due_at for task in left), default=None)

        for attempt, task in zip(claimed.attempts, expected, strict=True):
            assert (attempt.type, attempt.pool, attempt.payload) == (task.type, task.pool, task.payload)
            assert (attempt.number, attempt.due_at) == (task.attempts + 1, task.due_at)
            self.change(task.id, state=State.IN_PROGRESS, attempts=attempt.number, started_at=self.clock.now())
            self.held[task.id] = (attempt.fence, self.node)
        return multiple(*claimed.attempts)

    @rule()
    def expire(self):
        ended = [task for task in self.waiting() if self.has_expired(task)]
        for task in ended:
            fault = expired(task.last_fault)
            self.change(task.id, state=State.FAILED, ended_at=self.clock.now(), last_fault=fault)
        left = [task.expires_at for task in self.waiting() if task.expires_at is not None]
        assert self.run(self.store.expire()) == Expired(count=len(ended), next_at=min(left, default=None))

    @rule(task_id=ids)
    def cancel(self, task_id):
        task = self.tasks.get(task_id)
        if task is None:
            self.refuses(TaskNotFoundError, task_id, self.store.cancel(task_id))
        elif task.state in (State.DONE, State.FAILED):
            self.refuses(TaskEndedError, task_id, self.store.cancel(task_id))
        else:
            cancelled = self.run(self.store.cancel(task_id))
            ends_now = task.state is State.TODO or task.deadline is not None
            assert cancelled.is_new == ends_now
            if task.state is State.IN_PROGRESS and not ends_now:
                assert cancelled.state is State.IN_PROGRESS
                self.change(task_id, is_cancelled=True)
            else:
                assert cancelled.state is State.CANCELLED
            if ends_now:
                self.change(task_id, state=State.CANCELLED, ended_at=self.clock.now(), deadline=None)
                self.held.pop(task_id, None)

    @rule(task_id=ids)
    def run_now(self, task_id):
        task, now = self.tasks.get(task_id), self.clock.now()
        if task is None:
            self.refuses(TaskNotFoundError, task_id, self.store.run_now(task_id))
        elif task.state is not State.TODO:
            self.refuses(TaskNotWaitingError, task_id, self.store.run_now(task_id))
        elif self.has_expired(task):
            self.refuses(TaskExpiredError, task_id, self.store.run_now(task_id))
        else:
            self.run(self.store.run_now(task_id))
            if task.attempts == 0 and task.execution_at > now:
                self.change(task_id, execution_at=now, execution_time=instants.text(now))
            self.change(task_id, due_at=min(task.due_at, now))

    @rule(task_id=ids)
    def retry(self, task_id):
        task = self.tasks.get(task_id)
        if task is None:
            self.refuses(TaskNotFoundError, task_id, self.store.retry(task_id))
        elif task.state not in (State.FAILED, State.CANCELLED):
            self.refuses(TaskNotFailedError, task_id, self.store.retry(task_id))
        elif self.has_expired(task):
            self.refuses(TaskExpiredError, task_id, self.store.retry(task_id))
        elif (holder := self.holder(task.key)) is not None:
            with pytest.raises(KeyInUseError) as refusal:
                self.run(self.store.retry(task_id))
            assert refusal.value.holder == holder.id
        else:
            self.run(self.store.retry(task_id))
            now = self.clock.now()
            self.change(task_id, state=State.TODO, due_at=now, ended_at=None, crashes=0, retried_after=task.attempts)
            self.change(task_id, holds_key=task.key is not None)

    @rule(task_id=ids, behind=st.sampled_from([0, 0, 0, 1]), later=st.none() | st.integers(-2, 3), n=st.integers(0, 3))
    def change_what_it_was_given(self, task_id, behind, later, n):
        task = self.tasks.get(task_id)
        if task is None:
            made = Change(
                task=replace(a_task(due_at=self.clock.now()), id=task_id), revision=0, waited=0, has_new_payload=False
            )
            self.refuses(TaskNotFoundError, task_id, self.store.change(made))
            return
        new = replace(task, payload=b'{"n":%d}' % n, expires_at=None, keep=n)
        if later is not None:
            new = replace(new, due_at=self.clock.now() + later)
        revision = self.run(self.store.get(task_id)).revision
        made = Change(task=new, revision=revision - behind, waited=0, has_new_payload=True)
        if behind or task.state in (State.IN_PROGRESS, State.DONE):
            self.refuses(RevisionPassedError, task_id, self.store.change(made))
        else:
            self.run(self.store.change(made))
            self.tasks[task_id] = new
            assert self.run(self.store.get(task_id)).revision == revision + 1

    @rule(target=over, attempt=consumes(attempts), result=results)
    def succeed(self, attempt, result):
        return self.settle(attempt, success(self.clock, result))

    @rule(target=over, attempt=consumes(attempts), fault=faults)
    def fail(self, attempt, fault):
        return self.settle(attempt, failure(self.clock, fault))

    @rule(target=over, attempt=consumes(attempts), fault=faults, microseconds=st.integers(0, 3))
    def try_again(self, attempt, fault, microseconds):
        settlement = another_try(self.clock, fault=fault)
        return self.settle(attempt, replace(settlement, due_at=self.clock.now() + microseconds))

    @rule(target=attempts, attempt=consumes(attempts), microseconds=st.integers(1, 4))
    def accept(self, attempt, microseconds):
        deadline = self.clock.now() + microseconds
        settlement = replace(accepted(self.clock), deadline=deadline)
        if not self.holds(attempt) or self.tasks[attempt.task_id].deadline is not None:
            self.refuses(ClaimLostError, attempt.task_id, self.store.settle(attempt, settlement))
        elif self.tasks[attempt.task_id].is_cancelled:
            self.settle(attempt, settlement)
        else:
            assert self.run(self.store.settle(attempt, settlement)).move is Move.ACCEPT
            self.change(attempt.task_id, started_at=settlement.started_at, crashes=0, deadline=deadline)
            self.held[attempt.task_id] = (attempt.fence, None)
        return attempt

    @rule(attempt=attempts, later=st.none() | st.integers(1, 4))
    def beat(self, attempt, later):
        claim, progress = Claim(attempt.task_id, attempt.fence), (later or 0) / 4
        length = None if later is None else timedelta(microseconds=later)
        beat = self.store.beat(claim, progress=progress, msg="so far", deadline=length)
        if not self.holds(attempt):
            self.refuses(ClaimLostError, attempt.task_id, beat)
            return
        task = self.tasks[attempt.task_id]
        deadline = task.deadline if later is None or task.deadline is None else self.clock.now() + later
        assert self.run(beat) == Beat(deadline, task.is_cancelled)
        told = Progress(attempt=attempt.number, at=self.clock.now(), progress=progress, msg="so far")
        self.change(attempt.task_id, deadline=deadline, progress=told)

    @rule(ends=st.booleans())
    def lapse(self, ends):
        end = failure if ends else another_try
        settlement = end(self.clock, fault=TIMED_OUT)
        passed = {task.id for task in self.tasks.values() if task.deadline is not None}
        passed = {task_id for task_id in passed if self.tasks[task_id].deadline <= self.clock.now()}
        lapsed = self.run(self.store.lapse(lambda awaited, now: settlement))
        assert {lapse.awaited.attempt.task_id for lapse in lapsed.lapses} == passed
        for lapse in lapsed.lapses:
            assert self.holds(lapse.awaited.attempt)
            self.ended(lapse.awaited.attempt, settlement, lapse.settled)
        left = [task.deadline for task in self.tasks.values() if task.deadline is not None]
        assert lapsed.next_at == min(left, default=None)

    @rule(target=over, attempt=consumes(attempts))
    def give_back(self, attempt):
        if self.holds(attempt) and self.tasks[attempt.task_id].deadline is None:
            self.run(self.store.give_back(attempt))
            self.change(attempt.task_id, attempts=attempt.number - 1, **self.again(attempt.task_id))
            del self.held[attempt.task_id]
        elif self.holds(attempt):
            self.refuses(ClaimLostError, attempt.task_id, self.store.give_back(attempt))
            return self.settle(attempt, success(self.clock))
        else:
            self.come_late(attempt)
        return attempt

    @rule(attempt=over)
    def come_late(self, attempt):
        for settlement in (success(self.clock, b'"late"'), failure(self.clock), another_try(self.clock)):
            self.refuses(ClaimLostError, attempt.task_id, self.store.settle(attempt, settlement))
        self.refuses(ClaimLostError, attempt.task_id, self.store.give_back(attempt))

    @precondition(lambda self: not self.mortal)
    @rule(at_once=st.booleans())
    def die(self, at_once):
        self.store = self.run(self.kind.after_death(self.store))
        self.node += 1
        if at_once:
            self.take_back()

    @rule()
    def take_back(self):
        orphans = [task_id for task_id, (_, node) in self.held.items() if node not in (self.node, None)]
        failed = cancelled = 0
        for task_id in orphans:
            task = self.tasks[task_id]
            del self.held[task_id]
            self.change(task_id, crashes=task.crashes + 1, attempts=task.attempts - 1, **self.again(task_id))
            if task.is_cancelled:
                cancelled += 1
            elif task.crashes + 1 == MAX_CRASHES:
                failed += 1
                fault = Fault("crashed_worker", "")
                self.change(task_id, state=State.FAILED, ended_at=self.clock.now(), last_fault=fault)
        todo = len(orphans) - failed - cancelled
        assert self.run(self.store.take_back()) == TakenBack(todo=todo, failed=failed, cancelled=cancelled)

    @rule(which=filters, limit=st.integers(1, 5))
    def list(self, which, limit):
        self.compare_list(which, limit)

    @rule(task_id=ids)
    def get(self, task_id):
        if task_id in self.tasks:
            assert bare(self.run(self.store.get(task_id))) == self.tasks[task_id]
        else:
            self.refuses(TaskNotFoundError, task_id, self.store.get(task_id))

    @invariant()
    def everything_is_as_it_should_be(self):
        self.compare_list(TaskFilter(), 1000)
        states = [task.state for task in self.tasks.values()]
        assert self.run(self.store.count(up_to=1000)) == {state: states.count(state) for state in STATES}

    # The model.

    def new(self, plans):
        tasks = []
        for type_, later, expires_in in plans:
            _, make = TYPES[type_]
            due_at = self.clock.now() + later
            tasks.append(replace(make(due_at=due_at), expires_at=None if expires_in is None else due_at + expires_in))
        return tasks

    def holder(self, key):
        """The task that holds a key; None: none does."""
        holders = [task for task in self.tasks.values() if key is not None and task.key == key and task.holds_key]
        holders = [task for task in holders if task.state in (State.TODO, State.IN_PROGRESS)]
        assert len(holders) <= 1
        return holders[0] if holders else None

    def change(self, task_id, **members):
        self.tasks[task_id] = replace(self.tasks[task_id], **members)

    def place(self, task):
        return task.due_at, self.arrival(task)

    def arrival(self, task):
        return task.id if self.kind.orders_by_id else [*self.tasks].index(task.id)

    def queue(self, pool):
        waiting = (task for task in self.waiting() if task.pool == pool and not self.has_expired(task))
        return sorted(waiting, key=self.place)

    def waiting(self):
        return [task for task in self.tasks.values() if task.state is State.TODO]

    def has_expired(self, task):
        return task.expires_at is not None and task.expires_at <= self.clock.now()

    def holds(self, attempt):
        return self.held.get(attempt.task_id, (None,))[0] == attempt.fence

    def again(self, task_id):
        """What becomes of a task whose claim ends without an outcome."""
        if self.tasks[task_id].is_cancelled:
            return {"state": State.CANCELLED, "ended_at": self.clock.now(), "is_cancelled": False}
        return {"state": State.TODO}

    def settle(self, attempt, settlement):
        if not self.holds(attempt):
            self.come_late(attempt)
            return attempt
        self.ended(attempt, settlement, self.run(self.store.settle(attempt, settlement)))
        return attempt

    def ended(self, attempt, settlement, settled):
        """Take note of how an attempt ended."""
        del self.held[attempt.task_id]
        is_stopped = self.tasks[attempt.task_id].is_cancelled and settlement.move is not Move.COMPLETE
        assert settled.move is (Move.STOP if is_stopped else settlement.move)
        state = MOVES[settlement.move].target
        self.change(attempt.task_id, state=state, started_at=settlement.started_at, crashes=0, deadline=None)
        self.change(attempt.task_id, ended_at=settlement.ended_at, result=settlement.result)
        if settlement.due_at is not None and not is_stopped:
            self.change(attempt.task_id, due_at=settlement.due_at)
        if is_stopped:
            ended_at = settlement.ended_at or self.clock.now()
            self.change(attempt.task_id, state=State.CANCELLED, ended_at=ended_at)
        self.change(attempt.task_id, is_cancelled=False)
        if settlement.fault is not None:
            self.change(attempt.task_id, last_fault=settlement.fault)

    def compare_list(self, which, limit):
        expected = [
            task
            for task in self.tasks.values()
            if which.type in (None, task.type) and which.state in (None, task.state)
        ]
        expected.sort(key=lambda task: (task.execution_at, self.arrival(task)))
        found = self.run(pages(self.store, which, limit=limit))
        assert [bare(task) for page in found for task in page.tasks] == expected
        assert all(0 < len(page.tasks) <= limit for page in found[:-1])

    @rule(which=filters, sort=st.sampled_from(SORTS), limit=st.sampled_from([1, 3, 1000]))
    def find(self, which, sort, limit):
        words = {}
        if which.type in TYPES:
            words["type"] = [which.type]
        if which.state is not None:
            words["state"] = [which.state.word]
        query = query_of(words, sort)
        moment = {
            Order.DUE: lambda task: task.execution_at,
            Order.ENDED: lambda task: task.ended_at,
            Order.CREATED: lambda _: 0,
        }[query.order]
        expected = [
            task
            for task in self.tasks.values()
            if ("type" not in words or task.type == which.type)
            and which.state in (None, task.state)
            and moment(task) is not None
        ]
        expected.sort(key=lambda task: (moment(task), self.arrival(task)), reverse=query.is_descending)
        found, after = [], None
        while True:
            page = self.run(self.store.find(query, after=after, limit=limit))
            assert len(page.tasks) <= limit
            found += map(bare, page.tasks)
            if (after := page.next) is None:
                break
        assert found == expected
        assert self.run(self.store.count_found(query)) == Counted(len(expected), is_exact=True)


def bare(task):
    """The task without what only the store can choose: words, the node, when it was stored, why it was late."""
    task = replace(task, node=None, created_at=0, revision=0, late_down=0, late_held=0)
    if task.last_fault is not None and task.last_fault.code == "crashed_worker":
        return replace(task, last_fault=Fault("crashed_worker", ""))
    return task


@pytest.mark.parametrize("name", KINDS)
def test_a_store_does_what_a_dict_would(name):
    run_stories(
        lambda: Stories(name),
        settings=settings(
            max_examples=30 if name == "postgres" else 90,
            stateful_step_count=50,
            deadline=None,
            print_blob=True,
            suppress_health_check=[*HealthCheck],
        ),
    )
