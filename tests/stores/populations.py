"""Some of everything in a store, for tests of what finds and counts tasks."""

import random

from msgspec.structs import replace
from steps import HASH, SECOND, WEBHOOK, a_hash, accepted, another_try, claimed, failure, success

from tasker.explaining import explain
from tasker.model.circuit import THRESHOLD
from tasker.model.gate import group_named
from tasker.model.task import STATES, Fault, RunKind, State
from tasker.testing.task_factory import a_task

PAUSED, BROKEN, WELL = "http://paused:80", "http://broken:80", "http://well:80"
OVERLOADED = Fault("status_503", "no", "0123456789abcdef")
KEYS = ("order 1", "order 17", "order 2", "Order 1", "o", "\ud7ff", "\U0010ffff\U0010ffff", "ordés")


class Population:
    """Some of everything in a store, and what is known of each task apart from what the store says."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.made = {}
        """Every task as it was given, by id, in the order of arrival."""
        self.gates = {}
        """The ids of the gates by name."""

    async def create(self, tasks):
        await self.store.create(tasks)
        self.made |= {task.id: task for task in tasks}

    async def rows(self):
        """All tasks: as they are stored, as they were given, and why each is where it is."""
        now = self.clock.now()
        rows = []
        for place, made in enumerate(self.made.values()):
            standing = await self.store.standing(made.id)
            reason = explain(standing, now=now, max_attempts=3, has_free_slot=standing.task.pool == WEBHOOK).reason
            rows.append((place, standing.task, made, reason))
        return rows


def a_drawn_task(draw, now, parents):
    due_at = now + draw.choice([-5, -2, -2, 0, 1, 1, 7, 3600]) * SECOND
    task = a_hash(due_at=due_at)
    if draw.random() < 0.7:
        task = a_task(due_at=due_at, host=draw.choice([None, PAUSED, BROKEN, WELL]))
    if task.destination is not None and draw.random() < 0.3:
        task = replace(task, host=task.destination, destination=group_named(draw.choice(["mail", "limited"])))
    return replace(
        task,
        tags=tuple(draw.sample(["a", "b", "ü", "customer:42"], draw.randrange(4))),
        key=draw.choice([None, *KEYS]),
        parent_id=draw.choice([None, None, *parents]),
        keep=draw.choice([None, None, -1, 10**12]),
    )


def perhaps_a_run(draw, task):
    """*task*, or the same as a run of a schedule."""
    name = draw.choice([None, None, None, "nightly", "poll"])
    return task if name is None else replace(task, schedule=name, scheduled_for=task.due_at, run_kind=RunKind.MANUAL)


async def end_some(draw, store, clock):
    """Let attempts end in every way; some go on."""
    ends = [success, failure, lambda clock: failure(clock, OVERLOADED), another_try, accepted, None]
    for pool in (WEBHOOK, HASH) * 3:
        for attempt in (await store.claim_due({pool: 6})).attempts:
            end = draw.choice(ends)
            if end is not None:
                await store.settle(attempt, end(clock))
        await clock.advance(draw.choice([0, 0.5]))


async def break_some(population):
    """Make two destinations, one of which fails until it is left alone, and the other is paused."""
    store, clock = population.store, population.clock
    for host in (PAUSED, BROKEN):
        await population.create([a_task(due_at=clock.now(), host=host) for _ in range(THRESHOLD)])
        for _ in range(THRESHOLD):
            attempt = await claimed(store)
            await store.settle(attempt, failure(clock, OVERLOADED, is_alive=host != BROKEN))


async def populate(store, clock):
    """Fill an empty store. Its clock stands still afterwards."""
    population = Population(store, clock)
    draw, draw_runs = random.Random(42), random.Random(17)
    now = clock.now()
    await break_some(population)
    parents = list(population.made)[:3]
    for length in (10, 1, 50, 1, 30, 58):
        await clock.advance(draw.choice([0, 0.000_001, 1]))
        tasks = [a_drawn_task(draw, now, parents) for _ in range(length)]
        await population.create([perhaps_a_run(draw_runs, task) for task in tasks])
    await end_some(draw, store, clock)
    for task_id in draw.sample(list(population.made), 15):
        if (await store.get(task_id)).state is State.TODO:
            await store.cancel(task_id)
    population.gates = {record.gate.name: record.gate.id for record in await store.gates(after=0, limit=10)}
    await store.pause(population.gates[PAUSED])
    await store.claim_due({WEBHOOK: 3})
    assert {task.state for _, task, *_ in await population.rows()} == set(STATES)
    return population
