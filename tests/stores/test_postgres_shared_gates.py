"""Gates hold for all nodes together, and nothing that they hold is forgotten between two of them."""

import asyncio
import random

import pytest
from shared_gates import QUERIES, claim_all, claim_in, hosted, session, the_gate, until_it_waits
from steps import SECOND, WEBHOOK, another_try, claimed, failure, success

from databases import set_manual_clock
from tasker.model.circuit import THRESHOLD, Circuit
from tasker.model.gate import Limits
from tasker.model.instants import LAST
from tasker.stores.postgres.gates import GateSnapshot
from tasker.stores.postgres.lease import LEASE, PATIENCE
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio


async def test_what_a_gate_holds_does_not_start_early_when_the_databases_clock_is_set_back(nodes):
    store = await nodes.open()
    tasks = await hosted(nodes, 2)
    gate = (await the_gate(store)).gate.id
    await store.pause(gate)
    await store.claim_due({WEBHOOK: 5})
    await set_manual_clock(nodes.connection, nodes.clock.now() - SECOND)
    await store.renew()
    await store.resume(gate)
    found = await store.claim_due({WEBHOOK: 5})
    assert list(found.attempts) == []
    await set_manual_clock(nodes.connection, nodes.clock.now())
    assert await claim_all(nodes, store, free=5) == tasks


async def test_a_limit_holds_for_all_nodes_together(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    await hosted(nodes, 40)
    await stores[0].limit((await the_gate(stores[0])).gate.id, Limits(max_running=5))
    taken = [len((await store.claim_due({WEBHOOK: 4})).attempts) for store in stores]
    assert taken == [4, 1, 0]


async def test_nodes_that_claim_at_once_never_exceed_a_limit(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    await hosted(nodes, 60)
    await stores[0].limit((await the_gate(stores[0])).gate.id, Limits(max_running=5))
    for most in (5, 2, 9):
        taken = [0]
        for _ in range(5):
            found = await asyncio.gather(*(store.claim_due({WEBHOOK: 20}) for store in stores))
            taken += [len(claimed.attempts) for claimed in found]
            assert (await the_gate(stores[0])).running <= 9
        assert sum(taken) == {5: 5, 2: 0, 9: 4}[most], "what was changed on one node counts at once on all"
        await stores[2].limit((await the_gate(stores[0])).gate.id, Limits(max_running={5: 2, 2: 9, 9: 9}[most]))


async def one_group(nodes, count, **limits):
    """Tasks of one group, that go to different hosts, with limits; they are due one millisecond after the other."""
    now = nodes.clock.now()
    tasks = [a_task(due_at=now + 1_000 * n, host=f"http://h{n % 7}:80", group="g") for n in range(count)]
    await nodes.store.create(tasks)
    gate = await nodes.store.make_gate(tasks[0].destination)
    await nodes.store.limit(gate, Limits(**limits))
    await nodes.clock.advance(count / 1_000)
    return [task.id for task in tasks], gate


async def test_a_group_runs_one_at_a_time_in_order_of_due_time_on_whichever_node(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    tasks, _ = await one_group(nodes, 30, max_running=1)
    came = []
    for _ in range(200):
        found = await asyncio.gather(*(store.claim_due({WEBHOOK: 9}) for store in stores))
        attempts = [(store, attempt) for store, each in zip(stores, found, strict=True) for attempt in each.attempts]
        assert len(attempts) <= 1
        for store, attempt in attempts:
            came.append(attempt.task_id)
            again = attempt.number == 1 and len(came) % 5 == 1
            end = another_try(nodes.clock, in_seconds=3600) if again else success(nodes.clock, is_alive=True)
            await store.settle(attempt, end)
        if len(came) == len(tasks):
            break
    assert came == tasks, "those that wait for a retry do not hold up the others"


@pytest.mark.parametrize("burst", [1, 5])
async def test_a_rate_holds_over_all_nodes_in_any_span_and_is_used_up(nodes, burst):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    await one_group(nodes, 300, max_per_second=100, burst=burst)
    draw = random.Random(burst)
    began, starts, resting = nodes.clock.now(), [], 0
    while len(starts) < 300:
        found = await asyncio.gather(*(store.claim_due({WEBHOOK: 50}) for store in stores))
        starts += [nodes.clock.now()] * sum(len(claimed.attempts) for claimed in found)
        if len(starts) < 300:
            rest = draw.choice([0.0001, 0.0007, 0.003, 0.01, 0.013] if draw.random() < 0.98 else [0.2])
            resting += max(rest - burst * 0.01, 0)
            await nodes.clock.advance(rest)
    for first, since in enumerate(starts):
        for count, until in enumerate(starts[first:], 1):
            assert count <= 100 * (until - since) / SECOND + burst + 1
    assert (starts[-1] - began) / SECOND < 1.2 * (300 - burst) / 100 + resting, "and not much less"
    assert {(await store.gate(1)).held for store in stores} == {0}


async def test_every_node_knows_when_a_rate_lets_the_next_one_start(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    _, gate = await one_group(nodes, 20, max_per_second=2)
    assert len((await stores[0].claim_due({WEBHOOK: 9})).attempts) == 1
    for store in stores:
        assert (await store.claim_due({WEBHOOK: 9})).next_due == nodes.clock.now() + SECOND // 2
    await stores[1].limit(gate, Limits(max_per_second=100))
    for store in stores:
        assert (await until_nothing_moves(store)).next_due == nodes.clock.now() + SECOND // 100
    await stores[2].limit(gate, Limits(max_per_second=None))
    assert len((await stores[0].claim_due({WEBHOOK: 99})).attempts) == 19


async def until_nothing_moves(store):
    """Claim, as the delay queue does, until the next moment is not now."""
    for _ in range(10):
        found = await store.claim_due({WEBHOOK: 9})
        assert not found.attempts
        if found.next_due > store.clock.now():
            return found
    raise AssertionError("it looks all the time")


async def test_what_a_node_ran_whose_lease_has_ended_does_not_count_once_it_is_taken_back(nodes):
    first, second = await nodes.open(), await nodes.another()
    tasks, gate = await one_group(nodes, 2, max_running=1)
    assert (await claimed(first)).task_id == tasks[0]
    await nodes.clock.advance(LEASE.total_seconds())
    assert list((await second.claim_due({WEBHOOK: 9})).attempts) == []
    await nodes.clock.advance(PATIENCE.total_seconds())
    assert (await second.take_back()).todo == 1
    await nodes.clock.advance(1)
    assert (await claimed(second)).task_id in tasks
    assert (await second.gate(gate)).running == 1


async def test_a_pause_on_one_node_is_seen_by_the_others_and_so_is_its_end(nodes):
    first, second = await nodes.open(), await nodes.another()
    await hosted(nodes, 3)
    gate = (await the_gate(first)).gate.id
    await first.pause(gate)
    assert list((await second.claim_due({WEBHOOK: 10})).attempts) == []
    await first.resume(gate)
    assert len((await second.claim_due({WEBHOOK: 10})).attempts) == 3


async def test_a_settle_on_one_node_lets_another_look_at_once(nodes):
    first, second = await nodes.open(), await nodes.another()
    await hosted(nodes, 2)
    await first.limit((await the_gate(first)).gate.id, Limits(max_running=1))
    attempt = await claimed(first)
    assert list((await second.claim_due({WEBHOOK: 9})).attempts) == []
    assert await first.settle(attempt, success(nodes.clock, is_alive=True)), "the nodes that have slots are to look now"
    assert len((await second.claim_due({WEBHOOK: 9})).attempts) == 1


async def test_a_host_that_has_its_share_of_one_nodes_slots_gets_one_of_the_others_at_once(nodes):
    first, second = await nodes.open(), await nodes.another()
    tasks = await hosted(nodes, 20)
    attempts = []
    for store in (first, second):
        left = 4
        while (found := await store.claim_due({WEBHOOK: left})).attempts or found.next_due <= nodes.clock.now():
            attempts += found.attempts
            left -= len(found.attempts)
        assert left == 2
    assert found.next_due == nodes.clock.now() + SECOND, "it does not look all the time"
    assert await first.settle(attempts[0], success(nodes.clock, is_alive=True))
    attempts += (await first.claim_due({WEBHOOK: 3})).attempts
    assert [attempt.task_id for attempt in attempts] == tasks[:5]


async def test_a_circuit_counts_the_failures_of_all_nodes(nodes):
    stores = [await nodes.open(), await nodes.another()]
    await hosted(nodes, THRESHOLD)
    attempts = [
        (store, attempt) for store in stores for attempt in (await store.claim_due({WEBHOOK: THRESHOLD})).attempts
    ]
    assert [store for store, _ in attempts] == [stores[0]] * 5 + [stores[1]] * 5, "each has its own slots"
    dead = failure(nodes.clock, is_alive=False)
    await asyncio.gather(*(store.settle(attempt, dead) for store, attempt in attempts))
    assert (await the_gate(stores[0])).gate.circuit.failures == THRESHOLD


async def test_nodes_let_a_host_in_by_doubling_together(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    store = stores[0]
    await store.create([a_task(due_at=nodes.clock.now(), host="http://a:80") for _ in range(100)])
    for attempt in (await store.claim_due({WEBHOOK: 2 * THRESHOLD})).attempts:
        await store.settle(attempt, failure(nodes.clock, is_alive=False))
    assert (await store.claim_due({WEBHOOK: 100})).next_due > nodes.clock.now()
    await nodes.clock.advance(5)
    await store.settle(await claimed(store), success(nodes.clock, is_alive=True))
    starts = []
    for _ in range(5):
        started = 0
        for _ in range(4):  # they end at once, and all look again
            found = await asyncio.gather(*(each.claim_due({WEBHOOK: 100}) for each in stores))
            for each, claims in zip(stores, found, strict=True):
                started += len(claims.attempts)
                for attempt in claims.attempts:
                    await each.settle(attempt, success(nodes.clock, is_alive=True))
        starts.append(started)
        await nodes.clock.advance(1)
    assert starts == [1, 2, 4, 8, 16]


async def test_failures_that_another_node_has_counted_meanwhile_are_not_forgotten(nodes):
    store = await nodes.open()
    await hosted(nodes)
    gate = (await the_gate(store)).gate.id
    seen = {gate: GateSnapshot(Circuit(), is_paused=False, holds=False, now=nodes.clock.now())}
    await nodes.connection.execute("UPDATE gate SET failures = 3")
    await store._gates.hear(nodes.connection, {gate: [False]}, seen)
    assert (await the_gate(store)).gate.circuit.failures == 4


async def test_one_node_at_a_time_has_its_turn_at_what_a_gate_holds(nodes):
    first, second = await nodes.open(), await nodes.another()
    await hosted(nodes, 9)
    gate = (await the_gate(first)).gate.id
    await first.limit(gate, Limits(max_running=3))
    running = (await first.claim_due({WEBHOOK: 9})).attempts
    for attempt in running:
        await first.settle(attempt, success(nodes.clock, is_alive=True))
    taken = await asyncio.gather(*(store.claim_due({WEBHOOK: 9}) for store in (first, second)))
    assert sum(len(claimed.attempts) for claimed in taken) == 3


async def test_what_is_held_while_another_node_empties_the_gate_is_not_lost(nodes):
    first, second = await nodes.open(), await nodes.another()
    tasks = await hosted(nodes, 3)
    gate = (await the_gate(first)).gate.id
    await first.limit(gate, Limits(max_running=1))
    running = await claimed(first)
    await first.claim_due({WEBHOOK: 5})
    await first.limit(gate, Limits(max_running=None))
    async with session(nodes) as other, other.transaction():
        tasks += await hosted(nodes, 2)
        assert [row["held_by"] for row in await claim_in(other, second)] == [gate, gate]
        emptying = asyncio.create_task(first.claim_due({WEBHOOK: 20}))
        await until_it_waits(nodes)
    came = [attempt.task_id for attempt in (await emptying).attempts]
    assert came[:2] == tasks[1:3]
    came = [running.task_id, *came, *await claim_all(nodes, second, free=20)]
    assert sorted(came) == sorted(tasks)


async def test_a_gate_is_not_said_to_hold_nothing_while_tasks_are_added_to_it(nodes):
    store = await nodes.open()
    await hosted(nodes, 2)
    gate = (await the_gate(store)).gate.id
    await store.limit(gate, Limits(max_running=1))
    first = await claimed(store)
    await store.claim_due({WEBHOOK: 5})
    await store.settle(first, success(nodes.clock, is_alive=True))
    queue = "SELECT additions FROM gate_queue"
    seen = await nodes.connection.fetchval(queue)
    last = await claimed(store)  # what it held: now it holds none
    async with session(nodes) as other, session(nodes) as third:
        async with other.transaction():
            tasks = await hosted(nodes)
            await claim_in(other, store)
            closing = asyncio.create_task(third.fetch(QUERIES["close_gate_queue"], WEBHOOK, [gate], [seen]))
            await until_it_waits(nodes)
        assert await closing == []
    assert await nodes.connection.fetchval(queue) == seen + 1
    await store.settle(last, success(nodes.clock, is_alive=True))
    assert await claim_all(nodes, store, free=3) == tasks


async def test_what_a_gate_holds_and_another_session_has_locked_is_looked_at_again_a_little_later(nodes):
    store = await nodes.open()
    tasks = await hosted(nodes, 3)
    gate = (await the_gate(store)).gate.id
    await store.limit(gate, Limits(max_running=1))
    first = await claimed(store)
    await store.claim_due({WEBHOOK: 9})
    await store.limit(gate, Limits(max_running=5))
    async with session(nodes) as other, other.transaction():
        await other.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", tasks[1])
        found = await store.claim_due({WEBHOOK: 9})
        assert [attempt.task_id for attempt in found.attempts] == tasks[2:]
        assert found.next_due <= nodes.clock.now() + 10_000
    await store.settle(first, success(nodes.clock, is_alive=True))
    assert (await claimed(store)).task_id == tasks[1]


async def test_what_is_held_while_its_gate_is_opened_does_not_wait_for_ever(nodes):
    store = await nodes.open()
    tasks = await hosted(nodes, 2)
    gate = (await the_gate(store)).gate.id
    await store.pause(gate)
    async with session(nodes) as other:
        async with other.transaction():
            await other.execute(QUERIES["pause"].replace("$1", str(gate)).replace("$2", "false"))
            claiming = asyncio.create_task(store.claim_due({WEBHOOK: 5}))
            await until_it_waits(nodes)
            await other.fetch(QUERIES["wake"], [gate], False)
        found = await claiming
    assert list(found.attempts) == []
    assert found.next_due <= nodes.clock.now() + SECOND
    assert await claim_all(nodes, store, free=5) == tasks


async def test_what_is_seen_of_a_gate_before_it_is_woken_is_not_written_after(nodes):
    store = await nodes.open()
    tasks = await hosted(nodes, 2)
    gate = (await the_gate(store)).gate.id
    await store.pause(gate)
    await store.claim_due({WEBHOOK: 5})
    await store.pause(gate)  # it is looked at once more
    (seen,) = await nodes.connection.fetch(QUERIES["woken"], WEBHOOK, store._node, 64, [])
    await store.resume(gate)
    stale = (WEBHOOK, [gate], [0], [seen["version"]], [LAST], 1, store._node, 0, [0], [None], 0)
    assert await nodes.connection.fetch(QUERIES["claim_held"], *stale) == []
    assert await claim_all(nodes, store, free=5) == tasks


async def test_of_nodes_that_have_seen_the_same_of_a_gate_one_has_its_turn_whatever_the_time(nodes):
    store = await nodes.open()
    await hosted(nodes, 5)
    gate = (await the_gate(store)).gate.id
    await store.pause(gate)
    await store.claim_due({WEBHOOK: 9})
    await store.resume(gate)  # nothing else is written in this microsecond, which never ends: wake_at stays the same
    (seen,) = await nodes.connection.fetch(QUERIES["woken"], WEBHOOK, store._node, 64, [])
    turn = (WEBHOOK, [gate], [1], [seen["version"]], [nodes.clock.now()], 1, store._node, 0, [0], [None], 0)
    assert len(await nodes.connection.fetch(QUERIES["claim_held"], *turn)) == 1
    assert await nodes.connection.fetch(QUERIES["claim_held"], *turn) == []


async def test_a_node_that_adds_to_what_a_gate_holds_does_not_keep_another_from_its_turn(nodes):
    store = await nodes.open()
    tasks = await hosted(nodes, 2)
    gate = (await the_gate(store)).gate.id
    await store.pause(gate)
    await store.claim_due({WEBHOOK: 9})
    await store.resume(gate)
    (seen,) = await nodes.connection.fetch(QUERIES["woken"], WEBHOOK, store._node, 64, [])
    tasks += await hosted(nodes, 2)
    assert len(await claim_in(nodes.connection, store, free=9)) == 2
    turn = (WEBHOOK, [gate], [2], [seen["version"]], [nodes.clock.now()], 1, store._node, 0, [0], [None], 0)
    assert [str(row["id"]) for row in await nodes.connection.fetch(QUERIES["claim_held"], *turn)] == tasks[:2]
    closing = (WEBHOOK, [gate], [seen["additions"]])
    assert await nodes.connection.fetch(QUERIES["close_gate_queue"], *closing) == []
    assert await claim_all(nodes, store, free=9) == tasks[2:]


class Interrupted:
    """A connection on which something else happens once a query has been answered.

    It happens before anybody knows the answer.
    """

    def __init__(self, connection, query, then):
        self._connection = connection
        self._query = query
        self._then = then

    def __getattr__(self, name):
        return getattr(self._connection, name)

    async def fetch(self, query, *arguments):
        rows = await self._connection.fetch(query, *arguments)
        if query == self._query and (then := self._then) is not None:
            self._then = None
            await then()
        return rows


@pytest.mark.parametrize("query", ["woken", "claim_held"])
async def test_an_end_that_comes_while_a_node_looks_at_a_full_gate_is_not_overlooked(nodes, query):
    store = await nodes.open()
    await hosted(nodes, 20)
    attempts = (await store.claim_due({WEBHOOK: 8})).attempts
    assert len(attempts) == 4

    async def end_all():
        for attempt in attempts:
            assert (await store.settle(attempt, success(nodes.clock, is_alive=True))).has_room

    claiming = store._claiming
    claiming._connection = Interrupted(claiming._connection, QUERIES[query], end_all)
    found = await store.claim_due({WEBHOOK: 4})
    assert list(found.attempts) == []
    assert found.next_due <= nodes.clock.now() + 10_000
    assert len((await store.claim_due({WEBHOOK: 8})).attempts) == 4


async def test_whatever_nodes_and_operators_do_at_once_no_task_is_left_behind(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    hosts = [f"http://{name}.example:80" for name in "abc"]
    tasks = [task for host in hosts for task in await hosted(nodes, 80, host)]
    gates = [record.gate.id for record in await stores[0].gates(after=0, limit=10)]
    done = []

    async def work(store):
        idle = 0
        while idle < 40:
            attempts = (await store.claim_due({WEBHOOK: 7})).attempts
            idle = 0 if attempts else idle + 1
            for attempt in attempts:
                await store.settle(attempt, success(nodes.clock, is_alive=True))
                done.append(attempt.task_id)

    async def operate(store):
        for turn in range(40):
            await store.limit(gates[turn % 3], Limits(max_running=1 + turn % 4))
            await store.pause(gates[turn % 3])
            await store.resume(gates[turn % 3])

    await asyncio.gather(*map(work, stores), operate(stores[0]))
    lost = """
        SELECT count(*) FROM task WHERE state = 0 AND held_by IS NOT NULL
           AND NOT EXISTS (SELECT FROM gate_queue WHERE gate = held_by AND gate_queue.pool = task.pool)
    """
    assert await nodes.connection.fetchval(lost) == 0
    assert (
        await nodes.connection.fetchval("SELECT count(*) FROM gate_queue WHERE wake_at > tasker_now() + interval '1s'")
        == 0
    )
    done += await claim_all(nodes, stores[1], free=7)
    assert sorted(done) == sorted(tasks)
