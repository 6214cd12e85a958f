"""What the tests of stores do again and again."""

import msgspec
from msgspec.structs import replace

from tasker.filters import query_of
from tasker.ids import new_id
from tasker.interfaces.tasks import TaskFilter
from tasker.model import instants
from tasker.model.ending import Ending
from tasker.model.lifecycle import Move, Settlement
from tasker.model.operation import Asked, Operation
from tasker.model.task import Fault, Pool, State
from tasker.testing.task_factory import a_task

WEBHOOK, HASH = Pool(1), Pool(2)
REFUSED = Fault("connect_refused", "nobody listens there")
SECOND = instants.SECOND


def a_hash(*, due_at, payload=b'{"secret":"geheim"}'):
    return a_task(due_at=due_at, type_="hash", pool=HASH, payload=payload)


async def claimed(store, pool=WEBHOOK):
    """Claim the one task of *pool* that is due first."""
    (attempt,) = (await store.claim_due({pool: 1})).attempts
    return attempt


async def claim_all(store, free):
    """Claim webhooks until nothing more comes at once, as the delay queue does. Return the attempts: *free* at most."""
    attempts = []
    for _ in range(100):
        claimed = await store.claim_due({WEBHOOK: free - len(attempts)})
        attempts += claimed.attempts
        if len(attempts) == free or claimed.next_due is None or claimed.next_due > store.clock.now():
            return attempts
    raise AssertionError("there is always more")


async def next_due(store, *pools):
    """Claim in *pools*, where nothing is due. Return when something will be."""
    found = await store.claim_due(dict.fromkeys(pools, 1))
    assert list(found.attempts) == []
    return found.next_due


async def running(store, clock, **how):
    """Create a task that is due, and claim it."""
    await store.create([a_task(due_at=clock.now(), **how)])
    return await claimed(store)


def ending_of(attempt, fault=None, **what):
    """The end of a task with *attempt*, as an engine hands it to a store."""
    state = State.DONE if fault is None else State.FAILED
    return Ending(
        task_id=attempt.task_id,
        type=attempt.type,
        state=state,
        attempts=attempt.number,
        payload=attempt.payload,
        fault=fault,
        **what,
    )


def success(clock, result=None, **what):
    return Settlement(move=Move.COMPLETE, started_at=clock.now(), ended_at=clock.now(), result=result, **what)


def failure(clock, fault=REFUSED, **what):
    return Settlement(move=Move.FAIL, started_at=clock.now(), ended_at=clock.now(), fault=fault, **what)


def another_try(clock, *, in_seconds=60, fault=REFUSED, **what):
    due_at = clock.now() + in_seconds * SECOND
    return Settlement(move=Move.BACK_OFF, started_at=clock.now(), due_at=due_at, fault=fault, **what)


def accepted(clock, *, in_seconds=60, counts=True, **what):
    deadline = clock.now() + in_seconds * SECOND
    return Settlement(move=Move.ACCEPT, started_at=clock.now(), deadline=deadline, counts=counts, is_alive=True, **what)


async def pages(store, which=TaskFilter(), *, limit=1000):  # noqa: B008 - frozen
    """Every page of a list, with its tasks as they were given: the store adds when."""
    found, after = [], None
    while True:
        page = await store.list_page(which, after=after, limit=limit)
        assert page.next not in {before.next for before in found}, "the list goes round in circles"
        found.append(msgspec.structs.replace(page, tasks=[_as_given(task) for task in page.tasks]))
        if (after := page.next) is None:
            return found


async def listed(store, which=TaskFilter(), *, limit=1000):  # noqa: B008 - as above
    """The tasks of a list."""
    return [task for page in await pages(store, which, limit=limit) for task in page.tasks]


async def got(store, task_id):
    """A task that is stored, as it was given."""
    return _as_given(await store.get(task_id))


def _as_given(task):
    return msgspec.structs.replace(task, created_at=0, revision=0)


async def begin(store, clock, action, *, is_dry_run=False, **asked):
    """Store an operation, and take it as a node does."""
    new = Operation(id=new_id(clock.now()), action=action, asked=Asked(**asked), is_dry_run=is_dry_run)
    stored = await store.create_operation(new)
    assert stored == replace(new, created_at=clock.now())
    return stored


async def step(store, operation, *, at_once=3):
    """Work on the next batch. Return how the operation stands then."""
    query = query_of(operation.asked.filter, "created").stored_until(operation.created_at)
    batch = await store.matches(query, after=operation.cursor, limit=at_once)
    worked = await store.operate(operation, batch, query)
    return None if worked is None else worked.operation


async def work(store, operation, **how):
    """Work on an operation until it is done."""
    assert (await store.next_operation()).id == operation.id
    while operation.is_running:
        operation = await step(store, operation, **how)
        assert await store.operation(operation.id) == operation
    assert await store.next_operation() is None
    return operation
