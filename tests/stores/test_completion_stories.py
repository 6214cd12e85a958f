"""Any story of completions: against answers, deadlines, cancels, drains, deaths; one at a time, or two at once.

Whatever two do at once has the outcome that it has one after the other, in one order or the other: so
an attempt has one end, and an end that was heard stands.
"""

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_stories
from kinds import KINDS, MORTAL
from msgspec.structs import replace
from steps import SECOND, WEBHOOK

from tasker.engine.completions import Completions
from tasker.engine.deadlines import Deadlines
from tasker.errors import ClaimLostError, CompletedBeforeError, CompletionLateError, TaskCancelledError, TaskEndedError
from tasker.interfaces.queue import Claim
from tasker.model import lifecycle
from tasker.model.attempt import Accepted, Attempt, Exchange, Failed, Phases, Succeeded
from tasker.model.lifecycle import MAX_CRASHES, Move
from tasker.model.retry import RetryPolicy
from tasker.model.task import Fault, State
from tasker.service.completions import CompletionService
from tasker.testing.task_factory import a_task

MOST_ATTEMPTS = 3
RETRY = RetryPolicy(max_attempts=MOST_ATTEMPTS, initial_delay=timedelta(seconds=1), jitter=0)
PAYLOAD = b'{"url":"http://a/","retry":{"max_attempts":3,"initial_delay":1,"jitter":0}}'
DEADLINE, MOVED = 20, 30
"""Seconds."""

ACCEPTED, OK, BROKEN = (Exchange(phases=Phases(), status=status) for status in (202, 200, 500))
ANSWERS = {
    "accept": Accepted(timedelta(seconds=DEADLINE), exchange=ACCEPTED),
    "succeed": Succeeded(b'"answered"', exchange=OK),
    "fail": Failed(Fault("status_500", "x"), exchange=BROKEN),
}
"""What a receiver answers."""

BY_NODES = [*ANSWERS, "give_back"]

VOID = {CompletedBeforeError: "completed_before", CompletionLateError: "late", TaskCancelledError: "cancelled"}


class Op(NamedTuple):
    """Something that is done: to an attempt, to its task, or to all."""

    what: str
    attempt: Attempt | None = None


class Task(NamedTuple):
    """A task of the model."""

    state: State = State.TODO
    attempts: int = 0
    crashes: int = 0
    fence: int | None = None
    deadline: int | None = None
    """Of one that was accepted."""
    is_cancelled: bool = False
    is_orphan: bool = False
    """Whether the node on which it runs has died."""
    result: bytes | None = None
    fault: str | None = None
    told: frozenset[int] = frozenset()
    """The fences of the attempts whose end was told from outside."""
    answers: frozenset[tuple[int, int]] = frozenset()
    """What is kept of what attempts were answered: their numbers, and the statuses."""

    def answered(self, op):
        """The task once what an attempt was answered is kept with it."""
        kept = {(op.attempt.number, ANSWERS[op.what].exchange.status)} if op.what in ANSWERS else set()
        return self._replace(answers=self.answers | kept)

    def has(self, attempt):
        """Whether the claim of *attempt* stands."""
        return self.fence == attempt.fence

    def has_passed(self, now):
        """Whether it waits for a completion no longer."""
        return self.deadline is not None and self.deadline <= now

    def ended(self, move, **members):
        """The move that an end makes, which stops a task that was cancelled, and the task then."""
        if self.is_cancelled and move is not Move.COMPLETE:
            move = Move.STOP
        again = self._replace(fence=None, deadline=None, is_cancelled=False, is_orphan=False, crashes=0, **members)
        return move, again._replace(state=lifecycle.MOVES[move].target)

    def failed(self, code):
        return self.ended(Move.FAIL if self.attempts >= MOST_ATTEMPTS else Move.BACK_OFF, fault=code)

    def returned(self, **members):
        """The task once its claim has ended without an outcome."""
        state = State.CANCELLED if self.is_cancelled else State.TODO
        again = self._replace(state=state, attempts=self.attempts - 1, fence=None, deadline=None)
        return again._replace(is_cancelled=False, is_orphan=False, **members)


def void(task, attempt):
    """What is wrong with a token whose attempt has ended."""
    if task.state is State.CANCELLED or task.is_cancelled:
        return "cancelled"
    return "completed_before" if attempt.fence in task.told else "late"


def done(op, tasks, now):
    """Return the *tasks* of the model once *op* is done, and what comes of that for whoever did it."""
    if op.what == "lapse":
        return {id_: lapsed(task) if task.has_passed(now) else task for id_, task in tasks.items()}, None
    if op.what == "take_back":
        return {id_: crashed(task) if task.is_orphan else task for id_, task in tasks.items()}, None
    task = tasks[op.attempt.task_id]
    if op.what in BY_NODES:
        came, task = by_node(op, task, now)
    elif op.what == "cancel":
        came, task = cancelled(task)
    else:
        came, task = by_receiver(op, task, now)
    return {**tasks, op.attempt.task_id: task}, came


def lapsed(task):
    _, task = task.failed("completion_timeout")
    return task


def crashed(task):
    is_last = task.crashes + 1 == MAX_CRASHES and not task.is_cancelled
    task = task.returned(crashes=task.crashes + 1)
    return task._replace(state=State.FAILED, fault="crashed_worker") if is_last else task


def by_node(op, task, now):
    if not task.has(op.attempt) or task.deadline is not None:
        return ("told", task.answered(op)) if op.attempt.fence in task.told else ("lost", task)
    task = task.answered(op)
    match op.what:
        case "give_back":
            return "given back", task.returned()
        case "accept" if task.is_cancelled:
            return task.ended(Move.STOP)
        case "accept":
            return Move.ACCEPT, task._replace(deadline=now + DEADLINE * SECOND, crashes=0, is_orphan=False)
        case "succeed":
            return task.ended(Move.COMPLETE, result=ANSWERS["succeed"].result)
        case "fail":
            return task.failed("status_500")
    raise AssertionError(op)


def by_receiver(op, task, now):
    attempt = op.attempt
    if not task.has(attempt):
        return void(task, attempt), task
    match op.what:
        case "complete":
            told = task._replace(told=task.told | {attempt.fence})
            _, task = told.ended(Move.COMPLETE, result=b"%d" % attempt.fence)
            return task.state, task
        case "report a failure":
            _, task = task._replace(told=task.told | {attempt.fence}).failed("reported")
            return task.state, task
        case _ if task.is_cancelled:
            return "cancelled", task
        case "move" if task.deadline is not None:
            task = task._replace(deadline=now + MOVED * SECOND)
    return task.deadline, task


def cancelled(task):
    if task.state in (State.DONE, State.FAILED):
        return "ended", task
    if task.state is State.IN_PROGRESS and task.deadline is None:
        return State.IN_PROGRESS, task._replace(is_cancelled=True)
    return State.CANCELLED, task._replace(state=State.CANCELLED, fence=None, deadline=None)


by_nodes = st.sampled_from(BY_NODES)
by_receivers = st.sampled_from(["complete", "complete", "report a failure", "beat", "move"])
by_others = st.sampled_from(["cancel", "lapse", "take_back"])
tasks = st.integers(0, 2)
"""Which one."""
ages = st.sampled_from([0, 0, 0, 1, 2])
"""Which of its attempts: the latest, or one before. What two come to at once may decide how many there
are, so nothing that is drawn depends on that."""
whats = by_nodes | by_receivers | by_receivers | by_others


class Stories(RuleBasedStateMachine):
    """A store, what is told to it, and its model."""

    def __init__(self, name):
        super().__init__()
        self.mortal = name in MORTAL
        self.folder = Path(tempfile.mkdtemp())
        self.kind = KINDS[name](self.folder)
        self.loop = asyncio.Runner()
        self.use(self.run(self.kind.open()))
        self.clock = self.kind.clock
        self.tasks: dict[str, Task] = {}
        self.asked: set[int] = set()
        """The fences of the attempts whose request has not been answered."""
        self.attempts: dict[str, list[Attempt]] = {}
        """By the id of a task, in order."""

    def run(self, what):
        return self.loop.run(what)

    def use(self, store):
        self.store = store
        quiet = SimpleNamespace(settled=lambda *_: None, announce_deadline=lambda _: None)
        completions = Completions(store, quiet, lambda _: None, rand=lambda: 0.5)
        self.service = CompletionService(store, SimpleNamespace(completions=completions))
        self.deadlines = Deadlines(store, quiet, rand=lambda: 0.5)

    def teardown(self):
        try:
            self.run(self.kind.close())
        finally:
            self.loop.close()
            shutil.rmtree(self.folder)

    @initialize()
    def begin(self):
        new = [replace(a_task(due_at=self.clock.now()), payload=PAYLOAD) for _ in range(3)]
        self.run(self.store.create(new))
        self.tasks = {task.id: Task() for task in new}
        self.attempts = {task.id: [] for task in new}
        self.claim()

    @rule()
    def let_time_pass_and_claim(self):
        self.run(self.clock.advance(10))  # longer than any retry waits
        self.claim()

    def claim(self):
        claimed = self.run(self.store.claim_due({WEBHOOK: 9})).attempts
        todo = {id_ for id_, task in self.tasks.items() if task.state is State.TODO}
        assert {each.task_id for each in claimed} == todo
        for attempt in claimed:
            task = self.tasks[attempt.task_id]
            assert attempt.number == task.attempts + 1
            self.tasks[attempt.task_id] = task._replace(
                state=State.IN_PROGRESS, attempts=attempt.number, fence=attempt.fence
            )
            self.attempts[attempt.task_id].append(attempt)
            self.asked.add(attempt.fence)

    def attempt(self, number, age=0):
        attempts = [*self.attempts.values()][number]
        return attempts[max(len(attempts) - 1 - age, 0)]

    @rule(task=tasks, age=ages, what=whats)
    def do(self, task, age, what):
        self.do_all([Op(what, self.attempt(task, age))])

    @rule(task=tasks, first=whats, second=by_receivers | by_others)
    def do_two_at_once(self, task, first, second):
        self.do_all([Op(first, self.attempt(task)), Op(second, self.attempt(task))])

    @rule(task=tasks, first=by_nodes, second=by_receivers)
    def do_one_while_it_is_answered(self, task, first, second):
        self.do_all([Op(first, self.attempt(task)), Op(second, self.attempt(task))])

    @rule(task=tasks, first=by_receivers, seconds=st.sampled_from([DEADLINE - 1, DEADLINE, MOVED]))
    def do_one_at_the_deadline(self, task, first, seconds):
        self.do_all([Op("accept", self.attempt(task))])
        self.run(self.clock.advance(seconds))
        self.do_all([Op(first, self.attempt(task)), Op("lapse", self.attempt(task))])

    @precondition(lambda self: not self.mortal)
    @rule()
    def die(self):
        self.use(self.run(self.kind.after_death(self.store)))
        self.tasks = {
            id_: task._replace(is_orphan=task.state is State.IN_PROGRESS and task.deadline is None)
            for id_, task in self.tasks.items()
        }

    @rule(task=tasks, what=by_nodes | by_receivers)
    def do_one_while_others_take_over(self, task, what):
        self.do_all([Op(what, self.attempt(task)), Op("take_back", self.attempt(task))])

    def do_all(self, ops):
        """Do all *ops* at once, and compare with the model."""
        ops = [op for op in ops if op.what not in BY_NODES or op.attempt.fence in self.asked]
        self.asked -= {op.attempt.fence for op in ops if op.what in BY_NODES}

        async def at_once():
            return await asyncio.gather(*map(self.did, ops))

        now = self.clock.now()
        came, stand = self.run(at_once()), self.run(self.stand())
        expected = []
        for order in (ops, ops[::-1]):
            tasks, results = self.tasks, {}
            for op in order:
                tasks, results[id(op)] = done(op, tasks, now)
            expected.append((tasks, [results[id(op)] for op in ops]))
        found = [tasks for tasks, results in expected if results == came and shown_of(tasks) == stand]
        assert found, (came, stand, [(results, shown_of(tasks)) for tasks, results in expected])
        self.tasks = found[0]

    async def did(self, op):
        attempt, store = op.attempt, self.store
        claim = Claim(attempt.task_id, attempt.fence)
        try:
            match op.what:
                case "lapse":
                    await self.deadlines.step()
                case "take_back":
                    await store.take_back()
                case "cancel":
                    return (await store.cancel(attempt.task_id)).state
                case "complete":
                    return await self.service.complete(claim, b"%d" % attempt.fence)
                case "report a failure":
                    return await self.service.fail(claim, Fault("reported", ""), retry=True, retry_after=None)
                case "beat" | "move":
                    length = timedelta(seconds=MOVED) if op.what == "move" else None
                    return (await self.service.heartbeat(claim, progress=0.5, msg=None, deadline=length)).deadline
                case _:
                    return await self.answered(attempt, op.what)
        except TaskEndedError:
            return "ended"
        except tuple(VOID) as error:
            return VOID[type(error)]

    async def answered(self, attempt, how):
        """Write what the node has been answered, or give the attempt back, as its worker does."""
        now = self.clock.now()
        try:
            if how == "give_back":
                await self.store.give_back(attempt)
                return "given back"
            settlement = lifecycle.settle(ANSWERS[how], attempt=attempt, retry=RETRY, started_at=now, now=now, rand=0.5)
            return (await self.store.settle(attempt, settlement)).move
        except ClaimLostError:
            exchange = None if how == "give_back" else ANSWERS[how].exchange
            return "told" if await self.store.note_answer(attempt, exchange) else "lost"

    async def stand(self):
        """How all tasks stand in the store."""
        found = {}
        for id_ in self.tasks:
            task = await self.store.get(id_)
            records = await self.store.attempts(id_)
            told = {each.told_by for each in records if each.told_by is not None}
            answers = {(each.number, each.exchange.status) for each in records if each.exchange is not None}
            fault = None if task.last_fault is None else task.last_fault.code
            found[id_] = Task(
                task.state,
                task.attempts,
                task.crashes,
                deadline=task.deadline,
                is_cancelled=task.is_cancelled,
                result=task.result,
                fault=fault,
                told=frozenset(told),
                answers=frozenset(answers),
            )
        return found

    @invariant()
    def no_attempt_in_other_hands_is_on_a_node(self):
        on_nodes = {claim.task_id for claim in self.run(self.store.claims())}
        accepted = {id_ for id_, task in self.tasks.items() if task.deadline is not None}
        assert not on_nodes & accepted


def shown_of(tasks):
    """What a store shows of the *tasks* of the model."""
    return {id_: task._replace(fence=None, is_orphan=False) for id_, task in tasks.items()}


@pytest.mark.parametrize("name", KINDS)
def test_an_attempt_has_one_end_whatever_happens_at_once(name):
    examples, steps = {"sqlite-memory": (50, 30), "sqlite-file": (20, 25), "postgres": (5, 25)}[name]
    run_stories(
        lambda: Stories(name),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
