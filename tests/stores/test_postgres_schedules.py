"""Schedules on several nodes: whoever comes second at the same moment changes nothing, and nobody waits in a circle."""

import asyncio
from collections import Counter

import pytest
from msgspec import Raw
from msgspec.structs import replace
from steps import SECOND, WEBHOOK

from tasker.filters import query_of
from tasker.ids import new_id
from tasker.model.attempt import Attempt
from tasker.model.schedule import Plan, Schedule, Template, advance, begun, changed
from tasker.model.task import Admission, RunKind, State
from tasker.stores import queries
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.starter import Starter
from tasker.stores.rows import Reading

pytestmark = pytest.mark.anyio

MINUTE = 60 * SECOND


async def put(store, clock, name="a"):
    now = clock.now()
    schedule = Schedule(
        name=name,
        revision=1,
        type="webhook",
        plan=Plan(every=MINUTE, anchor=now),
        template=Template(type="webhook", pool=WEBHOOK, payload=Raw(b'{"url":"http://a/"}')),
    )
    schedule, run = begun(schedule, after=now, now=now, new_id=new_id)
    await store.put_schedule(schedule, run, seen=None)
    return await store.schedule(name)


async def all_runs(store, name="a"):
    page = await store.find(query_of({"schedule": [name]}), after=None, limit=1000)
    return page.tasks


def change(store, clock, seen):
    now = clock.now()
    schedule, run = changed(seen, replace(seen, revision=seen.revision + 1), now=now, new_id=new_id)
    return store.put_schedule(schedule, run, seen=seen)


async def test_nodes_that_step_at_once_make_each_run_once(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    names = [f"s{number}" for number in range(40)]
    for name in names:
        await put(stores[0], nodes.clock, name)
    for _ in range(3):
        await nodes.clock.advance(60)

        async def step(store):
            due = await store.due_schedules(limit=100)
            steps = [advance(each, now=nodes.clock.now(), new_id=new_id) for each in due.schedules]
            return (await store.advance_schedules(steps)).count

        assert sum(await asyncio.gather(*map(step, stores))) == len(names)
    for name in names:
        times = [task.scheduled_for for task in await all_runs(stores[1], name)]
        assert len(times) == len(set(times)) == 4


async def test_a_run_that_is_being_claimed_while_the_schedule_changes_runs_once_in_its_old_form(nodes):
    store = await nodes.open()
    seen = await put(store, nodes.clock)
    (task,) = await all_runs(store)
    async with nodes.connection.transaction():
        await nodes.connection.execute(
            "UPDATE task SET state = 1, attempts = 1, fence = 7, node = $2 WHERE id = $1", task.id, store.node_id
        )
        changing = asyncio.ensure_future(change(store, nodes.clock, seen))
        await waits_for_a_lock(nodes)
    done = await changing
    assert (list(done.removed), done.run) == ([], None)
    (left,) = await all_runs(store)
    assert (left.id, left.state) == (task.id, State.IN_PROGRESS)
    stands = await store.schedule("a")
    assert stands.look_at < nodes.clock.now(), "the next one is to be made"


async def test_a_run_that_is_cancelled_while_the_schedule_is_written_waits_for_nobody(nodes):
    store = await nodes.open()
    seen = await put(store, nodes.clock)
    (task,) = await all_runs(store)
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM schedule FOR UPDATE")
        assert (await store.cancel(task.id)).is_new
        assert (await store.due_schedules(limit=1)).next_at == seen.next_at
    await nodes.clock.advance(60)
    (due,) = (await store.due_schedules(limit=1)).schedules
    (run,) = (await store.advance_schedules([advance(due, now=nodes.clock.now(), new_id=new_id)])).runs
    assert run.scheduled_for == seen.next_at + MINUTE


async def test_a_change_that_waits_for_a_cancel_makes_no_second_run_for_its_time(nodes):
    store = await nodes.open()
    seen = await put(store, nodes.clock)
    (task,) = await all_runs(store)
    async with nodes.connection.transaction():
        await nodes.connection.execute("UPDATE task SET state = 4, ended_at = tasker_now() WHERE id = $1", task.id)
        changing = asyncio.ensure_future(change(store, nodes.clock, seen))
        await waits_for_a_lock(nodes)
    assert (await changing).run is None
    assert [(each.id, each.state) for each in await all_runs(store)] == [(task.id, State.CANCELLED)]


async def test_a_run_starts_with_its_claim_while_another_session_makes_the_next_one(nodes):
    store = await nodes.open()
    await put(store, nodes.clock)
    await nodes.clock.advance(60)
    async with nodes.connection.transaction():
        await nodes.connection.execute("SELECT FROM schedule FOR NO KEY UPDATE")
        (attempt,) = (await store.claim_due({WEBHOOK: 10})).attempts
        assert attempt.admission is Admission.STARTED
    assert (await store.schedule("a")).started == 1


async def test_a_claim_waits_for_nobody_who_decides_of_runs_of_the_same_schedule(nodes):
    store = await nodes.open()
    await put(store, nodes.clock)
    await nodes.clock.advance(60)
    async with nodes.connection.transaction():
        await nodes.connection.execute("UPDATE run_count SET turn = turn + 1")
        (attempt,) = (await store.claim_due({WEBHOOK: 10})).attempts
        assert attempt.asks_to_start
        asking = asyncio.ensure_future(store.admit([attempt]))
        await waits_for_a_lock(nodes)
    (admitted,) = await asking
    assert admitted.admission is Admission.STARTED
    assert (await store.schedule("a")).started == 1


async def test_runs_that_ask_while_others_are_decided_of_share_the_next_transaction(nodes):
    store = await nodes.open()
    count = 30
    for number in range(count):
        await put(store, nodes.clock, f"s{number}")
    await nodes.clock.advance(60)
    async with nodes.connection.transaction():
        await nodes.connection.execute("UPDATE run_count SET turn = turn + 1")
        attempts = (await store.claim_due({WEBHOOK: count})).attempts
        assert len(attempts) == count
        asking = [asyncio.ensure_future(store.admit([attempts[0]]))]
        await waits_for_a_lock(nodes)
        asking += [asyncio.ensure_future(store.admit([attempt])) for attempt in attempts[1:]]
        await asyncio.sleep(0)  # they are handed in
    for attempt, (admitted,) in zip(attempts, await asyncio.gather(*asking), strict=True):
        assert admitted.admission is Admission.STARTED
        assert (await store.schedule(attempt.schedule)).started == 1
    groups = store.meter.commits["admit"].sizes
    assert (groups.count, groups.sum) == (2, count)


async def test_a_node_that_hangs_in_a_transaction_keeps_no_run_of_others_from_being_decided(nodes):
    store = await nodes.open()
    await put(store, nodes.clock)
    await nodes.clock.advance(60)
    hung = await Connector(nodes._url, is_pooled=False).connect()
    await hung.execute("BEGIN")
    await hung.execute("UPDATE run_count SET turn = turn + 1")
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    (admitted,) = await store.admit([attempt])  # without an error
    assert admitted.admission is Admission.STARTED
    hung.terminate()


async def test_a_run_does_not_start_with_its_claim_if_another_node_has_had_a_turn_meanwhile(nodes):
    store, connection = await nodes.open(), nodes.connection
    await put(store, nodes.clock)
    (task,) = await all_runs(store)
    queries_, reading = queries.load("tasker.stores.postgres"), Reading(str)

    class Slow:
        """A connection on which another node starts a run between the two statements."""

        async def fetch(self, sql, *args):
            rows = await connection.fetch(sql, *args)
            if sql == queries_["asking_at_once"]:
                await connection.execute("UPDATE run_count SET turn = turn + 1, started = started + 1")
            return rows

    await nodes.clock.advance(60)
    await connection.execute(
        "UPDATE task SET state = 1, attempts = 1, fence = 7, node = $2 WHERE id = $1", task.id, store.node_id
    )
    attempt = an_attempt(task, store)
    assert list(await Starter(queries_, reading).start(Slow(), [attempt])) == [attempt]
    assert (await store.schedule("a")).started == 1, "the other one"
    (started,) = await Starter(queries_, reading).start(connection, [attempt])
    assert started.admission is Admission.STARTED
    assert (await store.schedule("a")).started == 2


async def test_of_runs_that_two_nodes_claim_at_once_one_starts(nodes):
    one, other = await nodes.open(), await nodes.another()
    for number in range(20):
        name = f"s{number}"
        seen = await put(one, nodes.clock, name)
        runs = [seen.asked_run(nodes.clock.now(), new_id(0), RunKind.MANUAL, now=nodes.clock.now()) for _ in range(2)]
        await one.add_runs(seen, runs)
    claims = await asyncio.gather(*(store.claim_due({WEBHOOK: 20}) for store in (one, other)))
    asked = [await store.admit(claimed.attempts) for store, claimed in zip((one, other), claims, strict=True)]
    counted = Counter(
        (attempt.schedule, each.admission)
        for claimed, admitted in zip(claims, asked, strict=True)
        for attempt, each in zip(claimed.attempts, admitted, strict=True)
    )
    assert counted == {(f"s{n}", each): 1 for n in range(20) for each in (Admission.STARTED, Admission.BEHIND)}


async def test_the_start_of_a_run_whose_claim_got_no_answer_is_undone_with_it(nodes):
    store = await nodes.open()
    await put(store, nodes.clock)
    await nodes.clock.advance(60)
    (attempt,) = (await store.claim_due({WEBHOOK: 10})).attempts
    sql = queries.load("tasker.stores.postgres")["give_back_unknown"]
    await nodes.connection.execute(sql, store.node_id, [attempt.fence])
    assert (await store.get(attempt.task_id)).admission is Admission.NOT_BEGUN
    (again,) = (await store.claim_due({WEBHOOK: 10})).attempts
    assert again.admission is Admission.STARTED
    assert (await store.schedule("a")).started == 1, "it is counted once"


def an_attempt(task, store):
    """The attempt of a claim with the number 7."""
    return Attempt(
        task_id=task.id,
        type=task.type,
        pool=task.pool,
        number=1,
        due_at=task.due_at,
        execution_at=task.execution_at,
        fence=7,
        node=store.node_id,
        schedule=task.schedule,
        payload=task.payload,
    )


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def waits_for_a_lock(nodes):
    """Return once a statement of a node waits for a row that this connection has locked."""
    async with asyncio.timeout(10):
        while not await nodes.connection.fetchval(WAITING):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
