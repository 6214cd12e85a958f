"""What only a store that nodes share can show: several of them at once, and leases that end."""

import asyncio
import contextlib
import random
from collections import Counter

import pytest
from msgspec.structs import replace
from steps import SECOND, WEBHOOK, another_try, begin, claimed, failure, running, step, success, work

from databases import set_manual_clock
from tasker.engine.waiters import Waiters
from tasker.errors import ClaimLostError, ConflictsError
from tasker.interfaces.queue import EXPIRE_LIMIT, Expired
from tasker.interfaces.tasks import TaskFilter
from tasker.model.circuit import THRESHOLD, Circuit
from tasker.model.gate import Limits
from tasker.model.instants import LAST
from tasker.model.new_task import NewTask, OnConflict, Outcome
from tasker.model.operation import Action
from tasker.model.task import State
from tasker.stores import queries
from tasker.stores.postgres.bell import ENDED, WATCH_SECONDS
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.gates import GateReport, GateSnapshot
from tasker.stores.postgres.lease import LEASE, PATIENCE
from tasker.testing.task_factory import a_task
from tasker.timing.alarm import sleep

pytestmark = pytest.mark.anyio

QUERIES = queries.load("tasker.stores.postgres")


async def test_nodes_that_claim_at_once_never_take_the_same_task(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    tasks = [a_task(due_at=nodes.clock.now()) for _ in range(600)]
    await stores[0].create(tasks)

    async def claim_all(store):
        taken = []
        while attempts := (await store.claim_due({WEBHOOK: 7})).attempts:
            taken += attempts
        return taken

    taken = await asyncio.gather(*(claim_all(store) for store in stores))

    ids = [attempt.task_id for attempts in taken for attempt in attempts]
    assert sorted(ids) == sorted(task.id for task in tasks)
    assert all(taken), "each has had some"


@pytest.mark.parametrize("on_conflict", OnConflict)
async def test_of_a_hundred_callers_of_three_nodes_with_one_key_one_creates(nodes, on_conflict):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    due_at = nodes.clock.now() + SECOND
    new = [
        NewTask(task=replace(a_task(due_at=due_at), key="order-17", holds_key=True), on_conflict=on_conflict)
        for _ in range(100)
    ]

    came = await asyncio.gather(
        *(stores[place % 3].make([each]) for place, each in enumerate(new)), return_exceptions=True
    )

    made = [each[0] for each in came if not isinstance(each, ConflictsError)]
    assert Counter(each.outcome for each in made)[Outcome.CREATED] == 1
    assert len({each.id for each in made}) == 1
    assert len(made) == (1 if on_conflict is OnConflict.REJECT else 100)
    assert len((await stores[0].list_page(TaskFilter(), after=None, limit=10)).tasks) == 1


async def test_callers_of_two_nodes_with_several_keys_do_not_wait_for_each_other(nodes):
    stores = [await nodes.open(), await nodes.another()]

    def several(names):
        tasks = [replace(a_task(due_at=nodes.clock.now()), key=name, holds_key=True) for name in names]
        return [NewTask(task=task, on_conflict=OnConflict.REPLACE) for task in tasks]

    names = [f"k{number}" for number in range(20)]
    for _ in range(10):
        await asyncio.gather(stores[0].make(several(names)), stores[1].make(several(names[::-1])))

    assert len((await stores[0].list_page(TaskFilter(), after=None, limit=100)).tasks) == 20


async def test_a_node_whose_lease_has_ended_claims_nothing_until_it_has_renewed(nodes):
    store = await nodes.open()
    await store.create([a_task(due_at=nodes.clock.now())])
    await nodes.clock.move(LEASE.total_seconds())
    assert list((await store.claim_due({WEBHOOK: 1})).attempts) == []

    await store.renew()

    assert len((await store.claim_due({WEBHOOK: 1})).attempts) == 1


async def test_what_another_session_has_locked_is_looked_at_again_a_little_later(nodes):
    store = await nodes.open()
    task = a_task(due_at=nodes.clock.now())
    await store.create([task])
    connection = await Connector(nodes._url, is_pooled=False).connect()
    async with connection.transaction():
        await connection.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", task.id)
        locked = await store.claim_due({WEBHOOK: 1})
    assert list(locked.attempts) == []
    assert nodes.clock.now() < locked.next_due <= nodes.clock.now() + 10_000
    assert len((await store.claim_due({WEBHOOK: 1})).attempts) == 1
    await connection.close()


async def test_what_has_expired_and_another_session_has_locked_is_looked_at_again_a_little_later(nodes):
    store = await nodes.open()
    task = a_task(due_at=nodes.clock.now(), expires_at=nodes.clock.now() + 1)
    await store.create([task])
    await nodes.clock.advance(0.000001)
    async with session(nodes) as other, other.transaction():
        await other.execute("SELECT FROM task WHERE id = $1 FOR UPDATE", task.id)
        locked = await store.expire()
    assert locked.count == 0
    assert nodes.clock.now() < locked.next_at <= nodes.clock.now() + 10_000
    assert await store.expire() == Expired(1, None)


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


async def test_tasks_are_taken_back_when_the_lease_ends_and_not_before(nodes):
    first = await nodes.open()
    attempt = await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(LEASE.total_seconds() - 0.000001)
    assert (await second.take_back()).todo == 0

    await nodes.clock.advance(0.000001)

    assert (await second.take_back()).todo == 1
    assert (await second.get(attempt.task_id)).crashes == 1
    again = await claimed(second)
    with pytest.raises(ClaimLostError):
        await first.settle(attempt, success(nodes.clock))
    await second.settle(again, success(nodes.clock))
    assert (await second.get(attempt.task_id)).state is State.DONE


async def test_nothing_is_taken_back_right_after_the_database_was_found(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    await nodes.clock.move(LEASE.total_seconds())
    second = await nodes.another()
    assert (await second.take_back()).todo == 0, "the first may be about to renew, too"
    await nodes.clock.advance(PATIENCE.total_seconds() - 0.000001)
    assert (await second.take_back()).todo == 0

    await nodes.clock.advance(0.000001)

    assert (await second.take_back()).todo == 1


async def test_after_the_connection_was_lost_a_node_renews_and_waits_before_it_takes_back(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(LEASE.total_seconds())
    second._keeping.drop()
    assert (await second.take_back()).todo == 0, "it has not renewed on the new connection"
    assert (await second.take_back()).todo == 0, "now it has, and the others may be about to"
    await nodes.clock.advance(PATIENCE.total_seconds())
    assert (await second.take_back()).todo == 1


async def test_a_node_that_stops_leaves_its_tasks_to_the_others_at_once(nodes):
    first = await nodes.open()
    await running(first, nodes.clock)
    second = await nodes.another()
    await nodes.clock.advance(PATIENCE.total_seconds())

    await first.close()

    assert (await second.take_back()).todo == 1


async def test_nodes_are_listed_in_the_order_in_which_they_started_with_their_leases(nodes):
    await nodes.open()
    await nodes.clock.advance(1)
    second = await nodes.another()
    await nodes.clock.advance(LEASE.total_seconds() + 1)

    first_node, second_node = await second.nodes()

    assert first_node.started_at < second_node.started_at
    assert first_node.lease_until < nodes.clock.now() < second_node.lease_until


async def test_a_node_is_forgotten_long_after_its_end_unless_it_left_something_behind(nodes):
    await nodes.open()
    second = await nodes.another()
    await nodes.clock.advance(3_600 + LEASE.total_seconds() + 1)
    await second.take_back()
    assert len(await second.nodes()) == 1


async def test_a_node_rings_the_others_and_not_itself(nodes):
    first = await nodes.open()
    second = await nodes.another()
    rung = {first: asyncio.Event(), second: asyncio.Event()}
    for store, event in rung.items():
        store.listen(event.set)
    async with asyncio.timeout(20):
        while not rung[second].is_set():
            first.wake_others()
            await nodes.machine.advance(2)
    assert not rung[first].is_set()


@contextlib.asynccontextmanager
async def waiting_for(nodes, store, task_id):
    """Wait for the end of a task on the node of *store*, as its engine does."""
    waiters = Waiters(store, room=1)

    async def look():
        while True:
            await sleep(nodes.machine, (await waiters.run_once()).total_seconds())

    job = asyncio.ensure_future(look())
    with waiters.joined(task_id) as over:
        yield over
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def until_others_tell(nodes, store):
    """Return once *store* knows that another node wants to hear of ends."""
    async with asyncio.timeout(20):
        while nodes.machine.monotonic() >= store._bell._told_until:
            await nodes.machine.advance(0.1)
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("end", ["settle", "give_back", "cancel", "delete"])
async def test_a_node_that_watches_is_rung_when_a_task_ends_on_another_node(nodes, end):
    first = await nodes.open()
    second = await nodes.another()
    rung = asyncio.Event()
    for store in (first, second):
        store.listen(lambda: None)
    task = a_task(due_at=nodes.clock.now())
    await second.create([task])
    attempt = await claimed(second) if end in ("settle", "give_back") else None
    first.watch_ends(rung.set)
    await until_others_tell(nodes, second)
    match end:
        case "settle":
            await second.settle(attempt, success(nodes.clock))
        case "give_back":
            await second.cancel(task.id)
            await second.give_back(attempt)
        case "cancel":
            await second.cancel(task.id)
        case "delete":
            await second.delete(task.id)
    async with asyncio.timeout(20):
        await rung.wait()


@pytest.mark.parametrize("end", ["settle", "cancel", "delete", "expire", "take_back"])
async def test_without_notifications_a_waiter_hears_within_a_second_of_an_end_on_another_node(nodes, end):
    first = await nodes.open()
    second = await nodes.another()
    task = a_task(due_at=nodes.clock.now(), expires_at=nodes.clock.now() + 1 if end == "expire" else None)
    await second.create([task])
    if end == "take_back":
        await claimed(second)
        await second.cancel(task.id)
        await second._lease.end()
        await nodes.clock.move(PATIENCE.total_seconds() + 1)
        await first.renew()
    async with waiting_for(nodes, first, task.id) as over:
        await nodes.machine.advance(0)
        match end:
            case "settle":
                await second.settle(await claimed(second), success(nodes.clock))
            case "cancel":
                await second.cancel(task.id)
            case "delete":
                await second.delete(task.id)
            case "expire":
                await set_manual_clock(nodes.connection, nodes.clock.now() + 1)
                assert (await second.expire()).count == 1
            case "take_back":
                assert (await first.take_back()).cancelled == 1
        await nodes.machine.advance(2)
        async with asyncio.timeout(20):
            await over.wait()


async def test_no_end_is_notified_while_nobody_waits(nodes):
    first = await nodes.open()
    second = await nodes.another()
    for store in (first, second):
        store.listen(lambda: None)
    first.watch_ends(lambda: None)
    await until_others_tell(nodes, second)
    notified = []
    second._bell._notify_soon = notified.append
    await nodes.clock.advance(WATCH_SECONDS - 1)
    await second.settle(await running(second, nodes.clock), success(nodes.clock))
    assert notified == [ENDED]
    await second.settle(await running(second, nodes.clock), another_try(nodes.clock))
    assert notified == [ENDED], "it goes on"

    await nodes.clock.advance(WATCH_SECONDS)
    await second.settle(await running(second, nodes.clock), success(nodes.clock))
    await second.cancel((await running(second, nodes.clock)).task_id)
    assert notified == [ENDED]


HOST = "http://a.example:80"
CALLED_BACK = b'{"url":"http://a.example/","body":"x","on_failure":"http://b.example/failed"}'


async def hosted(nodes, count=1, host=HOST):
    tasks = [a_task(due_at=nodes.clock.now(), host=host) for _ in range(count)]
    await nodes.store.create(tasks)
    return [task.id for task in tasks]


async def the_gate(store):
    (record,) = await store.gates(after=0, limit=10)
    return record


@contextlib.asynccontextmanager
async def session(nodes):
    """A session of its own, for what another node may be in the middle of."""
    connection = await Connector(nodes._url, is_pooled=False).connect()
    yield connection
    await connection.close()


async def until_it_waits(nodes):
    """Return once a session waits for another's lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20):
        while await nodes.connection.fetchval(waiting) == 0:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def claim_all(nodes, store, *, free):
    """Claim, settle, and let time pass, until nothing is left. Return the ids in the order in which they came."""
    came = []
    for _ in range(200):
        claimed = await store.claim_due({WEBHOOK: free})
        for attempt in claimed.attempts:
            came.append(attempt.task_id)
            await store.settle(attempt, success(nodes.clock, is_alive=True))
        if claimed.next_due is None:
            return came
        await nodes.clock.advance(max(claimed.next_due - nodes.clock.now(), 0) / SECOND)
    raise AssertionError("there is always more")


async def claim_in(connection, store, *, free=1, look=512):
    """What a claim of *store* does first, in a session of its own."""
    arguments = (WEBHOOK, free, 1, store._node, look, None, THRESHOLD, LAST, 0, 0)
    return await connection.fetch(QUERIES["claim"], *arguments)


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
    await store._gates.hear(nodes.connection, [GateReport(gate, is_alive=False)], seen)
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


async def test_nodes_that_expire_at_once_end_each_task_once(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    count = 2 * EXPIRE_LIMIT + 100
    await stores[0].create(
        [a_task(due_at=nodes.clock.now(), expires_at=nodes.clock.now() + 1, payload=CALLED_BACK) for _ in range(count)]
    )
    await nodes.clock.advance(0.000001)
    found = await asyncio.gather(*(store.expire() for store in stores))
    assert sum(expired.count for expired in found) == count
    parents = "SELECT count(parent_id), count(DISTINCT parent_id) FROM task"
    assert tuple(await nodes.connection.fetchrow(parents)) == (count, count)


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


async def test_an_operation_is_one_nodes_as_long_as_that_lives(nodes):
    first, clock = await nodes.open(), nodes.clock
    second = await nodes.another()
    tasks = [a_task(due_at=clock.now() + 3_600 * SECOND) for _ in range(10)]
    await first.create(tasks)
    await clock.advance(1)
    operation = await begin(first, clock, Action.POSTPONE, by=SECOND)
    assert await first.next_operation() == operation
    assert await second.next_operation() is None
    assert await step(second, operation) is None, "it is the first node's"
    other = await begin(first, clock, Action.RETRY)
    assert await second.next_operation() == other
    stands = await step(first, operation)
    await clock.move(LEASE.total_seconds())
    await second.renew()
    while other.is_running:
        other = await step(second, other)
    assert await second.next_operation() == stands
    assert await step(first, stands) is None, "its lease has ended, and the second node has taken the operation"
    done = await work(second, stands)
    assert (done.matched, done.changed) == (10, 10)
    assert {(await first.get(task.id)).due_at for task in tasks} == {tasks[0].due_at + SECOND}


async def test_nodes_that_look_at_once_never_take_the_same_operation(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    operation = await begin(stores[0], nodes.clock, Action.CANCEL)
    taken = await asyncio.gather(*(store.next_operation() for store in stores))
    assert [each for each in taken if each is not None] == [operation]


async def test_every_node_says_the_same_of_the_store(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    now = nodes.clock.now()
    await stores[0].create([a_task(due_at=now, host=host) for host in ("http://a:80", "http://b:80") for _ in range(5)])
    await stores[1].pause(await stores[2].make_gate(a_task(due_at=now, host="http://a:80").destination))
    await stores[2].claim_due({WEBHOOK: 2})
    await nodes.clock.advance(7)
    for free in ({WEBHOOK}, ()):
        said = [(await store.overdue(free_pools=free)).by_reason for store in stores]
        assert said[0] == said[1] == said[2]
        assert {reason: each.count for reason, each in said[0].items() if each.count}["paused"] == 5
    assert [(await store.count_gates())["paused"] for store in stores] == [1, 1, 1]
    assert [len(await store.nodes()) for store in stores] == [3, 3, 3]
