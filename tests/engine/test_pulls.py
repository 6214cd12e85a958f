"""Callers who wait for what they pull: in turn, on time, and no longer than they want. On the manual clock."""

import asyncio
from datetime import timedelta

import pytest
import structlog

from databases import FOLLOW
from tasker.engine.pulls import Pulls
from tasker.engine.waiters import Waiters
from tasker.errors import StoreUnavailableError
from tasker.model.gate import queue_named
from tasker.model.instants import SECOND
from tasker.model.task import State
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

A, B = queue_named("a"), queue_named("b")
MINUTE = timedelta(minutes=1)


class CountingStore(SqliteStore):
    """Counts what it is asked, and may be ``away``."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.pulls = []
        self.away = False
        self.rung = 0

    async def pull(self, queue, **how):
        self.pulls.append((queue.name, how["waited"].total_seconds()))
        if self.away:
            raise StoreUnavailableError("no connection to it")
        await asyncio.sleep(0)  # others may ask meanwhile, as they may of a real one
        return await super().pull(queue, **how)

    def wake_others(self):
        self.rung += 1


@pytest.fixture
def store_class():
    return CountingStore


class Line:
    """Pulls over a store in memory, without an engine."""

    def __init__(self, clock, store):
        self.clock, self.store = clock, store
        self.leases = []
        self.waiters = Waiters(store, room=9)
        self.pulls = Pulls(store, self.waiters, self.leases.append)

    async def ask(self, *queues, wait=60, most=1):
        """Somebody who waits: what they get, and what makes them leave."""
        leaves = []
        asking = asyncio.ensure_future(
            self.pulls.pull(
                queues or [A], most=most, lease=MINUTE, longest=timedelta(seconds=wait), when_left=leaves.append
            )
        )
        await self.clock.advance(0)
        return asking, leaves[0] if leaves else None

    async def create(self, queue="a", *, due_in=0.0, announce=True):
        task = a_task(due_at=self.clock.now() + round(due_in * SECOND), queue=queue)
        await self.store.create([task])
        if announce:
            self.pulls.announce(task.due_at, queue_named(queue))
        return task.id


@pytest.fixture
async def line(clock):
    store = CountingStore(":memory:", follow=FOLLOW, clock=clock)
    await store.open()
    line = Line(clock, store)
    yield line
    line.pulls.close()
    await line.pulls.drain()
    await store.close()


def ids(asking):
    assert asking.done()
    return [attempt.task_id for attempt in asking.result().attempts]


async def test_who_waits_is_served_in_the_order_in_which_they_came(line, clock):
    first, second, third = [(await line.ask())[0] for _ in range(3)]
    one, two = await line.create(), await line.create()
    await clock.advance(0)
    assert (ids(first), ids(second), third.done()) == ([one], [two], False)


async def test_a_job_reaches_who_waits_at_its_time_and_not_before(line, clock):
    asking, _ = await line.ask()
    task_id = await line.create(due_in=5)
    await clock.advance(4.999_999)
    assert not asking.done()
    await clock.advance(0.000_001)
    assert ids(asking) == [task_id]
    assert asking.result().started_at == clock.now()


async def test_what_was_stored_elsewhere_a_second_ahead_is_on_time(line, clock):
    asking, _ = await line.ask()
    task_id = await line.create(due_in=1.5, announce=False)
    await clock.advance(1.499_999)
    assert not asking.done()
    await clock.advance(0.000_001)
    assert ids(asking) == [task_id]


async def test_what_was_stored_elsewhere_is_found_within_a_second_and_at_once_when_rung(line, clock):
    asking, _ = await line.ask()
    task_id = await line.create(announce=False)
    await clock.advance(0.999)
    assert not asking.done()
    await clock.advance(0.001)
    assert ids(asking) == [task_id]
    asking, _ = await line.ask()
    task_id = await line.create(announce=False)
    line.pulls.ring()
    await clock.advance(0)
    assert ids(asking) == [task_id]


async def test_each_queue_has_a_line_of_its_own_and_nothing_is_asked_for_nobody(line, clock):
    asking, _ = await line.ask(A)
    other, _ = await line.ask(B)
    task_id = await line.create("b")
    await clock.advance(0)
    assert (asking.done(), ids(other)) == (False, [task_id])
    line.store.pulls.clear()
    await clock.advance(1)
    assert line.store.pulls == [("a", 1.0)], "the store hears how long the first has waited"


async def test_others_are_told_of_a_job_that_nobody_here_waits_for_unless_they_look_in_time(line):
    await line.create(due_in=1.1)
    assert line.store.rung == 0
    await line.create(due_in=1.0)
    assert line.store.rung == 1
    await line.ask()
    await line.create()
    assert line.store.rung == 1, "somebody here takes it"


async def test_others_are_told_when_who_waited_here_last_may_have_left_some(line):
    for most, created, rung in ((1, 1, 1), (2, 1, 0), (1, 3, 1)):
        line.store.rung = 0
        await line.ask(most=most)
        for _ in range(created):
            await line.create(announce=False)
        line.pulls.ring()
        await line.clock.advance(0)
        assert line.store.rung == rung
    line.store.rung = 0
    asking, _ = await line.ask(wait=0)
    await line.clock.advance(0)
    assert (len(ids(asking)), line.store.rung) == (1, 0), "who does not wait has taken nobody's place"


async def test_a_wait_ends_after_its_time(line, clock):
    asking, _ = await line.ask(wait=5)
    await clock.advance(4.999)
    assert not asking.done()
    await clock.advance(0.001)
    assert ids(asking) == []


async def test_who_leaves_is_passed_over(line, clock):
    first, leave = await line.ask()
    second, _ = await line.ask()
    leave()
    task_id = await line.create()
    await clock.advance(0)
    assert (ids(first), ids(second)) == ([], [task_id])
    assert (await line.store.get(task_id)).attempts == 1


async def test_who_is_cancelled_after_it_was_given_something_gives_it_back(line, clock):
    task_id = await line.create()
    asking = asyncio.ensure_future(
        line.pulls.pull([A], most=1, lease=MINUTE, longest=MINUTE, when_left=lambda leave: None)
    )
    while not line.leases:  # noqa: ASYNC110 - what it looks at has no event
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await clock.advance(0)
    task = await line.store.get(task_id)
    assert (task.state, task.attempts) == (State.TODO, 0)


async def test_while_the_store_is_away_who_waits_waits_on(line, clock):
    line.store.away = True
    with structlog.testing.capture_logs() as logged:
        asking, _ = await line.ask()
        now, _ = await line.ask(wait=0)
        await clock.advance(0)
    assert logged[0]["event"] == "cannot claim tasks for a caller, trying again"
    task_id = await line.create()
    line.store.away = False
    await clock.advance(1)
    assert ids(asking) == [task_id]
    assert now.done()


async def test_a_node_that_stops_lets_all_go_and_takes_nothing_more(line, clock):
    askings = [(await line.ask())[0] for _ in range(3)]
    line.pulls.close()
    await line.create()
    await clock.advance(0)
    assert [ids(asking) for asking in askings] == [[], [], []]
    late, _ = await line.ask()
    assert ids(late) == []
    assert line.pulls._lines == {}


async def test_when_a_lease_ends_the_next_in_line_is_given_the_job(bench, clock):
    pulls = bench.engine.pulls
    task = a_task(due_at=clock.now(), queue="a")
    await bench.store.create([task])
    how = {"most": 1, "longest": timedelta(hours=1), "when_left": lambda leave: None}
    await pulls.pull([A], lease=timedelta(seconds=30), **how)
    second = asyncio.ensure_future(pulls.pull([A], lease=MINUTE, **how))
    await clock.advance(29.999_999)
    assert not second.done()
    await clock.advance(0.000_001)
    assert ids(second) == [task.id]
    assert (await bench.store.get(task.id)).crashes == 1
    assert bench.telemetry.taken_back == 1


async def test_a_drain_ends_the_waits_and_leaves_to_callers_what_they_have(bench, clock):
    pulls = bench.engine.pulls
    task = a_task(due_at=clock.now(), queue="a")
    await bench.store.create([task])
    how = {"most": 1, "lease": MINUTE, "longest": timedelta(hours=1), "when_left": lambda leave: None}
    await pulls.pull([A], **how)
    waiting = asyncio.ensure_future(pulls.pull([A], **how))
    await clock.advance(0)
    draining = asyncio.ensure_future(bench.engine.drain(timedelta(0)))
    await clock.advance(1)
    await draining
    assert ids(waiting) == []
    assert (await bench.store.get(task.id)).state is State.IN_PROGRESS


async def test_who_waits_for_several_queues_is_given_what_comes_first_in_one_of_them(line):
    asking, _ = await line.ask(A, B)
    made = await line.create("b")
    assert [attempt.task_id for attempt in (await asking).attempts] == [made]
    await line.clock.advance(2)
    before = len(line.store.pulls)
    await line.clock.advance(5)
    assert len(line.store.pulls) == before, "nobody stands in either line any more"


async def test_who_waits_for_several_queues_takes_from_one_of_them_and_leaves_the_others_alone(line):
    await line.create("a")
    await line.create("b")
    asking, _ = await line.ask(A, B, most=9)
    assert len((await asking).attempts) == 1
    assert len(line.store.pulls) == 1, "the other queue was not asked: what it gives would have to go back"
    other, _ = await line.ask(A, B, most=9)
    assert len((await other).attempts) == 1


async def test_who_does_not_wait_looks_into_each_of_the_queues(line):
    asking, _ = await line.ask(A, B, wait=0)
    assert [*(await asking).attempts] == []
    assert {queue for queue, _ in line.store.pulls} == {"a", "b"}
    await line.create("b")
    asking, _ = await line.ask(A, B, wait=0)
    assert len((await asking).attempts) == 1


async def test_a_wait_for_several_queues_ends_after_its_time_and_when_the_caller_leaves(line):
    asking, _ = await line.ask(A, B, wait=3)
    await line.clock.advance(2.9)
    assert not asking.done()
    await line.clock.advance(0.1)
    assert [*(await asking).attempts] == []
    asking, leave = await line.ask(A, B)
    leave()
    assert [*(await asking).attempts] == []
    await line.create("a")
    other, _ = await line.ask(A)
    assert len((await other).attempts) == 1


async def test_who_waits_for_one_queue_is_not_held_up_by_who_waits_for_several(line):
    several, _ = await line.ask(A, B)
    one, _ = await line.ask(B)
    await line.create("b")
    assert len((await several).attempts) == 1, "who came first"
    await line.create("b")
    assert len((await one).attempts) == 1
