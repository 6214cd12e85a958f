"""Tasks that are pulled: they wait at the gate of their queue, due or not, whatever is done to them."""

import msgspec
import pytest
from msgspec.structs import replace
from steps import HASH, SECOND, WEBHOOK, a_hash, begin, work

from tasker.filters import query_of
from tasker.model.change import Change
from tasker.model.gate import Limits, queue_named
from tasker.model.instants import text
from tasker.model.new_task import NewTask, OnConflict
from tasker.model.operation import Action
from tasker.model.overdue import OverdueTasks
from tasker.model.task import State
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

HOUR = 3_600 * SECOND


def a_job(clock, *, due_in=0, queue="reports", **members):
    return a_task(due_at=clock.now() + due_in, queue=queue, **members)


def keyed(clock, on_conflict, **members):
    task = replace(a_job(clock, **members), key="k", holds_key=True)
    return NewTask(task=task, on_conflict=OnConflict(on_conflict))


def at(moment):
    return {"due_at": moment, "execution_at": moment, "execution_time": text(moment)}


async def stored(store, task):
    await store.create([task])
    return task.id


async def tagged(store, clock, **members):
    """A job that an operation meets: it was stored before."""
    task_id = await stored(store, replace(a_job(clock, **members), tags=("a",)))
    await clock.advance(1)
    return task_id


async def created(store, clock, due_in):
    return await stored(store, a_job(clock, due_in=due_in))


async def made_with_others(store, clock, due_in):
    tasks = [a_job(clock, due_in=due_in), a_task(due_at=clock.now() + HOUR), a_hash(due_at=clock.now() + HOUR)]
    await store.make([NewTask(task=task) for task in tasks])
    return tasks[0].id


async def replaced(store, clock, due_in, on_conflict="replace"):
    first, second = keyed(clock, on_conflict, queue="first", due_in=HOUR), keyed(clock, on_conflict, due_in=due_in)
    await store.make([first])
    await store.make([second])
    return first.task.id


async def debounced(store, clock, due_in):
    return await replaced(store, clock, due_in, "debounce")


async def changed(store, clock, due_in, **members):
    task_id = await stored(store, a_job(clock, due_in=HOUR, **members))
    task = replace(await store.get(task_id), destination=queue_named("reports"), **at(clock.now() + due_in))
    await store.change(Change(task=task, revision=task.revision, waited=0, has_new_payload=False))
    return task_id


async def moved_to_another_queue(store, clock, due_in):
    return await changed(store, clock, due_in, queue="other")


async def run_now(store, clock, due_in):
    task_id = await created(store, clock, HOUR)
    await store.run_now(task_id)
    return task_id


async def run_by_an_operation(store, clock, due_in):
    task_id = await tagged(store, clock, due_in=HOUR)
    done = await work(store, await begin(store, clock, Action.RUN, filter={"tag": ["a"]}))
    assert done.changed == 1
    return task_id


async def postponed(store, clock, due_in):
    task_id = await tagged(store, clock)
    done = await work(store, await begin(store, clock, Action.POSTPONE, filter={"tag": ["a"]}, by=due_in or SECOND))
    assert done.changed == 1
    return task_id


async def cancelled_and_retried(store, clock, due_in):
    task_id = await created(store, clock, due_in)
    await store.cancel(task_id)
    await store.retry(task_id)
    return task_id


async def retried_by_an_operation(store, clock, due_in):
    task_id = await tagged(store, clock)
    await store.cancel(task_id)
    done = await work(store, await begin(store, clock, Action.RETRY, filter={"tag": ["a"]}))
    assert done.changed == 1
    return task_id


async def expired_and_retried(store, clock, due_in):
    task = a_job(clock, expires_at=clock.now() + SECOND)
    await store.create([task])
    await clock.advance(1)
    assert (await store.expire()).count == 1
    found = await store.get(task.id)
    later = replace(found, expires_at=None, destination=queue_named("reports"))
    await store.change(Change(task=later, revision=found.revision, waited=0, has_new_payload=False))
    await store.retry(task.id)
    return task.id


async def moved_by_newer_zones(store, clock, due_in):
    local = {"local_time": "2027-03-28T09:00:00", "time_zone": "Europe/Berlin", "zones": "2020a"}
    task_id = await stored(store, replace(a_job(clock, due_in=2 * HOUR), **local))
    moment = clock.now() + due_in
    await store.rezone("2030a", lambda local_time, time_zone: moment)
    assert (await store.get(task_id)).due_at == moment
    return task_id


MOVES = (
    *(created, made_with_others, replaced, debounced, changed, moved_to_another_queue, run_now, run_by_an_operation),
    *(postponed, cancelled_and_retried, retried_by_an_operation, expired_and_retried, moved_by_newer_zones),
)
"""Every way to ``todo``. Each leaves a job of the queue ``reports``."""


@pytest.mark.parametrize("due_in", [0, HOUR], ids=["due", "not due"])
@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.__name__)
async def test_every_move_to_todo_leaves_it_at_the_gate_of_its_queue(store, clock, move, due_in):
    task_id = await move(store, clock, due_in)
    gate = await store.make_gate(queue_named("reports"))
    standing = await store.standing(task_id)
    assert (standing.task.state, standing.held_by, standing.gate.gate.id) == (State.TODO, gate, gate)
    await clock.advance(2 * HOUR / SECOND)
    assert task_id not in {
        attempt.task_id for _ in range(3) for attempt in (await store.claim_due({WEBHOOK: 9, HASH: 9})).attempts
    }, "no node has slots for it"
    assert (await store.standing(task_id)).held_by == gate
    assert (await store.gate(gate)).held == 1, "it is found there"


async def test_what_a_queue_holds_counts_once_it_is_due(store, clock):
    await store.create([a_job(clock, due_in=SECOND), a_job(clock, due_in=2 * SECOND), a_job(clock, queue="other")])
    gate = await store.make_gate(queue_named("reports"))
    seen = []
    for seconds in (0, 0.999_999, 0.000_001, 1):
        await clock.advance(seconds)
        seen.append((await store.gate(gate)).held)
    assert seen == [0, 0, 1, 2]
    assert sorted(record.held for record in await store.gates(after=0, limit=9)) == [1, 2]


async def test_jobs_are_listed_and_found_as_other_tasks_are(store, clock):
    jobs = [a_job(clock, due_in=HOUR), a_job(clock, due_in=2 * HOUR)]
    other = a_task(due_at=clock.now() + 90 * 60 * SECOND)
    await store.create([*jobs, other])
    page = await store.find(query_of({"state": ["todo"]}), after=None, limit=9)
    assert [task.id for task in page.tasks] == [jobs[0].id, other.id, jobs[1].id]
    page = await store.find(query_of({"type": ["job"]}), after=None, limit=9)
    assert [task.id for task in page.tasks] == [job.id for job in jobs]
    gate = await store.make_gate(queue_named("reports"))
    page = await store.find(query_of({"destination": [str(gate)]}), after=None, limit=9)
    assert [task.id for task in page.tasks] == [job.id for job in jobs]


async def overdue(store):
    found = await store.overdue(free_pools={WEBHOOK})
    return {reason: each for reason, each in found.by_reason.items() if each.count}


async def found_for(store, reason):
    page = await store.find(query_of({"reason": [reason]}), after=None, limit=9, free_pools={WEBHOOK})
    return {task.id for task in page.tasks}


async def test_a_due_job_is_overdue_because_nobody_has_claimed_it_unless_its_queue_is_paused(store, clock):
    job = a_job(clock, due_in=SECOND)
    await store.create([job])
    assert await overdue(store) == {}
    assert await found_for(store, "waiting") == {job.id}
    await clock.advance(1)
    one = OverdueTasks(1, clock.now())
    gate = await store.make_gate(queue_named("reports"))
    for limits in (Limits(max_running=1), Limits(max_running=None, max_per_second=1.0)):
        assert await overdue(store) == {"unclaimed": one}
        assert await found_for(store, "unclaimed") == {job.id}
        await store.limit(gate, limits)
    assert await overdue(store) == {"unclaimed": one}, "the rate permits one"
    await store.pause(gate)
    assert await overdue(store) == {"paused": one}
    assert await found_for(store, "unclaimed") == set()
    await store.resume(gate)
    await store.pause_all()
    assert await overdue(store) == {"paused_all": one}


async def test_a_job_that_is_copied_waits_at_the_same_gate(store, clock):
    task_id = await created(store, clock, HOUR)
    task = await store.get(task_id)
    copy = msgspec.structs.replace(a_job(clock), payload=task.payload)
    await store.create([copy])
    assert (await store.standing(copy.id)).held_by == (await store.standing(task_id)).held_by
