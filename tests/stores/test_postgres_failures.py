"""A database that goes away, at any point, and comes back."""

import asyncio
import contextlib
import time

import pytest
from msgspec.structs import replace
from steps import WEBHOOK, ending_of, failure, success

from databases import FOLLOW, execute, new_database
from tasker.errors import (
    ClaimLostError,
    ConflictsError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TaskNotFoundError,
)
from tasker.interfaces.tasks import TaskFilter
from tasker.model.attempt import AttemptRecord
from tasker.model.gate import Limits
from tasker.model.lifecycle import Move, Settlement
from tasker.model.new_task import NewTask, Outcome
from tasker.model.task import State
from tasker.stores.postgres.connection import COMMAND_SECONDS
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.task_factory import a_task
from tasker.testing.tcp_proxy import TcpProxy
from tasker.timing.clock import SystemClock

pytestmark = pytest.mark.anyio

MOST_ANSWERS = 40
"""More pieces than any single operation is answered with, connecting included."""


async def opened(url):
    store = PostgresStore(url, follow=FOLLOW, base_clock=SystemClock(), address="http://127.0.0.1:8080", version="0")
    await store.open()
    return store


@pytest.fixture
def url():
    return new_database()


@pytest.fixture
def proxy(url):
    with TcpProxy(int(url.rpartition(":")[2].partition("/")[0])) as proxy:
        yield proxy


@pytest.fixture
async def store(url, proxy):
    """A store whose connections go through the proxy."""
    before, _, after = url.rpartition(":")
    store = await opened(f"{before}:{proxy.port}/{after.partition('/')[2]}")
    yield store
    await store.close()


@pytest.fixture
async def witness(url):
    """A store on the same database that nothing happens to."""
    witness = await opened(url)
    yield witness
    await witness.close()


def due_now(store):
    return a_task(due_at=store.clock.now() - 1)


async def in_the_end(operation, *, unless="nothing"):
    """Repeat *operation* until the store can be used, or until it fails for the reason *unless*."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await operation()
            except StoreUnavailableError as error:
                if unless in str(error):
                    raise
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_a_create_whose_answer_is_lost_is_repeated_and_stored_once(store, witness, proxy, first):
    await store.create([due_now(store)])
    for number in range(first, MOST_ANSWERS, 3):
        task = due_now(store)
        proxy.cut_instead_of_answer(number)
        try:
            await store.create([task])
        except StoreUnavailableError:  # it is not known whether it is stored
            await in_the_end(lambda: store.create([task]))  # noqa: B023
        assert (await witness.get(task.id)).id == task.id
    proxy.cut_instead_of_answer(10**9)


def keyed(store, number, **members):
    task = replace(due_now(store), key=f"order-{number}", holds_key=True, **members)
    return NewTask(task=task)


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_a_create_with_a_key_whose_answer_is_lost_does_not_meet_itself(store, witness, proxy, first):
    for number in range(first, MOST_ANSWERS, 3):
        new = keyed(store, number)
        proxy.cut_instead_of_answer(number)
        try:
            (made,) = await store.make([new])
            assert made.outcome is Outcome.CREATED
        except StoreUnavailableError:  # it is not known whether it is stored
            await in_the_end(lambda: store.make([new]))  # noqa: B023
        assert await witness.id_of_key(new.task.key, or_newest=False) == new.task.id
    proxy.cut_instead_of_answer(10**9)


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_a_create_with_an_id_of_its_callers_whose_answer_is_lost_can_be_sent_again(store, witness, proxy, first):
    for number in range(first, MOST_ANSWERS, 3):
        new = keyed(store, number, content=b"1" * 32)
        proxy.cut_instead_of_answer(number)
        (made,) = await in_the_end(lambda: store.make([new]))  # noqa: B023 - never ConflictsError
        assert (made.id, made.outcome is Outcome.REPLACED) == (new.task.id, False)
        assert await witness.id_of_key(new.task.key, or_newest=False) == new.task.id
        with pytest.raises(ConflictsError):
            await in_the_end(lambda: store.make([keyed(store, number, content=b"2" * 32)]))  # noqa: B023
    proxy.cut_instead_of_answer(10**9)


async def test_a_batch_whose_answer_is_lost_is_stored_whole_or_not_at_all(store, witness, proxy):
    for number in range(1, MOST_ANSWERS):
        new = [NewTask(task=due_now(store)), keyed(store, number), NewTask(task=due_now(store))]
        proxy.cut_instead_of_answer(number)
        try:
            made = await store.make(new)
            assert [each.id for each in made] == [each.task.id for each in new]
            expected = {3}
        except StoreUnavailableError:
            expected = {0, 3}
        found = 0
        for each in new:
            with contextlib.suppress(TaskNotFoundError):
                await witness.get(each.task.id)
                found += 1
        assert found in expected
    proxy.cut_instead_of_answer(10**9)


async def test_many_creates_at_once_whose_answer_is_lost_are_each_stored_once(store, witness, proxy):
    await store.create([due_now(store)])
    tasks = [due_now(store) for _ in range(100)]
    proxy.cut_instead_of_answer(1)
    await asyncio.gather(*(store.create([task]) for task in tasks))
    for task in tasks:
        await witness.get(task.id)


async def test_several_tasks_of_one_create_are_all_there_or_none_is(store, witness, proxy):
    await store.create([due_now(store)])
    for number in range(1, MOST_ANSWERS):
        tasks = [due_now(store) for _ in range(3)]
        proxy.cut_instead_of_answer(number)
        try:
            await store.create(tasks)
            expected = {3}
        except StoreError:
            expected = {0, 3}
        found = 0
        for task in tasks:
            try:
                await witness.get(task.id)
                found += 1
            except TaskNotFoundError:
                continue
        assert found in expected
    proxy.cut_instead_of_answer(10**9)


async def test_a_claim_whose_answer_is_lost_is_given_back_and_uses_no_attempt(store, witness, proxy):
    for number in range(1, MOST_ANSWERS):
        await in_the_end(store.renew)
        task = due_now(store)
        await in_the_end(lambda: store.create([task]))  # noqa: B023
        proxy.cut_instead_of_answer(number)
        try:
            claimed = await store.claim_due({WEBHOOK: 10})
        except StoreUnavailableError:
            claimed = await in_the_end(lambda: store.claim_due({WEBHOOK: 10}))
        assert [(attempt.task_id, attempt.number) for attempt in claimed.attempts] == [(task.id, 1)]
        proxy.cut_instead_of_answer(10**9)
        await in_the_end(lambda: store.settle(claimed.attempts[0], success(store.clock)))  # noqa: B023
        assert await witness.get(task.id)


@pytest.mark.parametrize("move", [Move.COMPLETE, Move.BACK_OFF])
async def test_a_settle_whose_answer_is_lost_is_found_to_be_written_when_it_is_repeated(store, witness, proxy, move):
    for number in range(1, MOST_ANSWERS):
        await in_the_end(store.renew)
        task = due_now(store)
        await in_the_end(lambda: store.create([task]))  # noqa: B023
        claimed = await in_the_end(lambda: store.claim_due({WEBHOOK: 1}))
        now = store.clock.now()
        settlement = Settlement(
            move=move,
            started_at=now,
            due_at=now + 10**12 if move is Move.BACK_OFF else None,
            ended_at=now if move is Move.COMPLETE else None,
        )
        proxy.cut_instead_of_answer(number)
        await in_the_end(lambda: store.settle(claimed.attempts[0], settlement))  # noqa: B023 - never ClaimLostError
        assert (await witness.get(task.id)).state is settlement.state
        proxy.cut_instead_of_answer(10**9)


@pytest.mark.parametrize("end", [success, failure], ids=["done", "failed"])
async def test_a_settle_that_was_not_written_is_not_taken_for_the_cancel_that_was(store, witness, proxy, end):
    await store.create([due_now(store)])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    now = store.clock.now()
    kept = AttemptRecord(number=1, node=attempt.node, due_at=attempt.due_at, started_at=now, ended_at=None)
    accepted = Settlement(move=Move.ACCEPT, started_at=now, deadline=now + 10**12, record=kept)
    await store.settle(attempt, accepted)

    told = replace(end(store.clock), started_at=now, record=replace(kept, ended_at=now, told_by=attempt.fence))
    proxy.refuse()
    with pytest.raises(StoreUnavailableError):
        await store.settle(attempt, told)
    assert (await witness.cancel(attempt.task_id)).state is State.CANCELLED
    proxy.allow()
    with pytest.raises(ClaimLostError):
        await in_the_end(lambda: store.settle(attempt, told))
    assert (await witness.get(attempt.task_id)).state is State.CANCELLED


async def test_while_it_refuses_connections_calls_fail_at_once_and_then_work_again(store, proxy):
    task = due_now(store)
    await store.create([task])
    proxy.refuse()
    began = time.monotonic()
    for call in (
        lambda: store.create([due_now(store)]),
        lambda: store.get(task.id),
        lambda: store.delete(task.id),
        lambda: store.claim_due({WEBHOOK: 1}),
        store.renew,
        lambda: store.count(up_to=1),
    ):
        with pytest.raises(StoreUnavailableError, match="no connection"):
            await call()
    assert time.monotonic() - began < COMMAND_SECONDS, "nobody waits for what is known to be away"
    assert "no connection" in store.ailment

    proxy.allow()

    claimed = await in_the_end(lambda: store.claim_due({WEBHOOK: 1}))
    assert [attempt.task_id for attempt in claimed.attempts] == [task.id]
    assert store.ailment is None


async def test_one_that_does_not_answer_is_given_up_and_comes_back(store, proxy):
    await store.create([due_now(store)])
    proxy.freeze()
    with pytest.raises(StoreUnavailableError):
        await store.create([due_now(store)])
    proxy.thaw()
    task = due_now(store)
    await in_the_end(lambda: store.create([task]))
    assert (await store.get(task.id)).state is State.TODO


async def test_one_that_can_only_be_read_is_read_and_not_written(url, proxy, store):
    task = due_now(store)
    await store.create([task])
    name = url.rpartition("/")[2]
    execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    proxy.cut()  # sessions keep the setting that they began with
    with pytest.raises(StoreUnavailableError, match="read-only"):
        await in_the_end(lambda: store.create([due_now(store)]), unless="read-only")
    assert (await store.get(task.id)).id == task.id

    execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")

    await in_the_end(lambda: store.create([due_now(store)]))


async def test_a_full_disk_is_told_as_one_and_nothing_is_stored(store, witness):
    full = """
        CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON task EXECUTE FUNCTION disk_full();
    """
    waiting, refused = due_now(store), due_now(store)
    await store.create([waiting])
    await witness._accepting.run(lambda connection: connection.execute(full))
    for call in (lambda: store.create([refused]), lambda: store.claim_due({WEBHOOK: 1})):
        with pytest.raises(StoreFullError):
            await call()
    assert (await store.get(waiting.id)).state is State.TODO
    with pytest.raises(TaskNotFoundError):
        await store.get(refused.id)

    await witness._accepting.run(lambda connection: connection.execute("DROP TRIGGER disk_full ON task"))

    assert len((await store.claim_due({WEBHOOK: 1})).attempts) == 1


@pytest.mark.parametrize("end", ["restart", "kill"])
async def test_a_server_that_ends_and_starts_again_has_lost_nothing(end):
    with PostgresServer() as server:
        store = await opened(server.url())
        tasks = [due_now(store) for _ in range(20)]
        await store.create(tasks)
        if end == "restart":
            server.restart()
        else:
            server.kill()
            with pytest.raises(StoreUnavailableError):
                await store.create([due_now(store)])
            server.start()
        claimed = await in_the_end(lambda: store.claim_due({WEBHOOK: 100}))
        assert [attempt.task_id for attempt in claimed.attempts] == [task.id for task in tasks]
        await store.close()


async def test_a_promoted_replica_has_every_task_and_is_found_among_the_hosts():
    with PostgresServer() as primary, primary.replica() as replica:
        primary.set("synchronous_standby_names", "replica")
        store = await opened(
            f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{replica.port}/postgres"
            "?target_session_attrs=read-write"
        )
        tasks = [due_now(store) for _ in range(20)]
        await store.create(tasks)
        primary.kill()
        with pytest.raises(StoreUnavailableError):
            await store.create([due_now(store)])
        replica.promote()
        claimed = await in_the_end(lambda: store.claim_due({WEBHOOK: 100}))
        assert [attempt.task_id for attempt in claimed.attempts] == [task.id for task in tasks]
        await store.close()


@contextlib.asynccontextmanager
async def replicated():
    """A store on a server with a replica, the proxy between the two, and how to end what waits for the replica."""
    waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

    async def end_what_waits():
        async with asyncio.timeout(20):
            while primary.execute(f"SELECT count(*) {waiting}") == "0":  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
        primary.execute(f"SELECT pg_terminate_backend(pid) {waiting}")  # what it waited for stays, in the primary alone

    with PostgresServer() as primary, TcpProxy(primary.port) as between, primary.replica(through=between.port):
        primary.set("synchronous_standby_names", "replica")
        store = await opened(primary.url())
        await store.create([due_now(store)])
        yield store, between, end_what_waits
        await store.close()


async def test_a_create_that_the_replica_lacks_is_not_confirmed_by_repeating_it():
    async with replicated() as (store, between, end_what_waits):
        between.freeze()
        task = due_now(store)
        creating = asyncio.create_task(store.create([task]))
        await end_what_waits()
        with pytest.raises(StoreUnavailableError):
            await creating
        between.thaw()
        assert (await store.get(task.id)).id == task.id


async def test_a_settle_that_the_replica_lacks_is_not_confirmed_by_repeating_it():
    async with replicated() as (store, between, end_what_waits):
        (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
        settlement = success(store.clock)
        between.freeze()
        settling = asyncio.create_task(store.settle(attempt, settlement))
        await end_what_waits()
        for settle in (settling, store.settle(attempt, settlement)):
            with pytest.raises(StoreUnavailableError):
                await settle
        between.thaw()
        await in_the_end(lambda: store.settle(attempt, settlement))
        assert (await store.get(attempt.task_id)).state is State.DONE


async def test_a_cancel_that_the_replica_lacks_is_not_confirmed_by_repeating_it():
    async with replicated() as (store, between, end_what_waits):
        task = due_now(store)
        await store.create([task])
        between.freeze()
        cancelling = asyncio.create_task(store.cancel(task.id))
        await end_what_waits()
        for cancel in (cancelling, store.cancel(task.id), store.confirm()):
            with pytest.raises(StoreUnavailableError):
                await cancel
        between.thaw()
        assert (await in_the_end(lambda: store.cancel(task.id))).state is State.CANCELLED
        await store.confirm()


async def test_a_task_with_an_id_that_the_replica_lacks_is_not_confirmed_by_sending_it_again():
    async with replicated() as (store, between, end_what_waits):
        new = keyed(store, 1, content=b"1" * 32)
        between.freeze()
        making = asyncio.create_task(store.make([new]))
        await end_what_waits()
        for make in (making, store.make([new])):
            with pytest.raises(StoreUnavailableError):
                await make
        between.thaw()
        (made,) = await in_the_end(lambda: store.make([new]))
        assert (made.id, made.outcome) == (new.task.id, Outcome.KEPT)


async def rows(store, sql, *arguments):
    return [tuple(row) for row in await store._accepting.run(lambda connection: connection.fetch(sql, *arguments))]


async def test_a_settle_whose_answer_is_lost_stores_its_callback_and_its_record_once(store, witness, proxy):
    for number in range(1, MOST_ANSWERS):
        await in_the_end(store.renew)
        task = due_now(store)
        await in_the_end(lambda: store.create([task]))  # noqa: B023
        claimed = (
            await in_the_end(lambda: store.claim_due({WEBHOOK: 2}))
        ).attempts  # and the callback of the last round
        (attempt,) = [each for each in claimed if each.task_id == task.id]
        now = store.clock.now()
        callback = f'{{"url":"http://a/","body":"x","on_success":"http://h{number}.example/"}}'.encode()
        ending = ending_of(replace(attempt, payload=callback))
        kept = AttemptRecord(number=1, node=attempt.node, due_at=task.due_at, started_at=now, ended_at=now)
        settlement = Settlement(move=Move.COMPLETE, started_at=now, ended_at=now, ending=ending, record=kept)
        proxy.cut_instead_of_answer(number)
        await in_the_end(lambda: store.settle(attempt, settlement))  # noqa: B023
        proxy.cut_instead_of_answer(10**9)
        ((callback,),) = await rows(witness, "SELECT id::text FROM task WHERE parent_id = $1", task.id)
        assert list(await witness.attempts(task.id)) == [kept]
        assert (await witness.standing(callback)).gate.gate.name == f"http://h{number}.example:80"


async def test_a_task_that_expires_while_the_connection_breaks_has_one_callback(store, witness, proxy):
    fields = b'{"url":"http://a.example/","body":"x","on_failure":"http://b.example/"}'
    for number in range(1, MOST_ANSWERS):
        now = store.clock.now()
        task = a_task(due_at=now - 2, expires_at=now - 1, payload=fields)
        await in_the_end(lambda: store.create([task]))  # noqa: B023
        proxy.cut_instead_of_answer(number)
        await in_the_end(store.expire)
        proxy.cut_instead_of_answer(10**9)
        await in_the_end(store.expire)
        assert (await witness.get(task.id)).state is State.FAILED
        assert len(await rows(witness, "SELECT id FROM task WHERE parent_id = $1", task.id)) == 1


async def test_a_claim_that_has_tasks_held_while_the_connection_breaks_loses_none(store, witness, proxy):
    for number in range(1, MOST_ANSWERS):
        await in_the_end(store.renew)
        host = f"http://h{number}.example:80"
        tasks = [a_task(due_at=store.clock.now() - 1, host=host) for _ in range(3)]
        await in_the_end(lambda: store.create(tasks))  # noqa: B023
        (gate,) = [record.gate.id for record in await witness.gates(after=0, limit=1_000) if record.gate.name == host]
        await witness.limit(gate, Limits(max_running=1))
        proxy.cut_instead_of_answer(number)
        came = []
        while len(came) < len(tasks):
            for attempt in (await in_the_end(lambda: store.claim_due({WEBHOOK: 9}))).attempts:
                assert attempt.number == 1
                came.append(attempt.task_id)
                settlement = success(store.clock, is_alive=True)
                await in_the_end(lambda: store.settle(attempt, settlement))  # noqa: B023
        proxy.cut_instead_of_answer(10**9)
        assert came == [task.id for task in tasks]


async def test_gates_that_a_failover_has_lost_are_made_anew(store, witness, proxy):
    first, second = (a_task(due_at=store.clock.now() - 1, host="http://a.example:80") for _ in range(2))
    await store.create([first])
    await witness._accepting.run(lambda connection: connection.execute("DELETE FROM gate; DELETE FROM type_pool"))
    proxy.cut()
    await in_the_end(lambda: store.create([second]))
    assert (await witness.standing(second.id)).gate.gate.name == "http://a.example:80"
    assert (await witness.standing(first.id)).gate is None
    page = await witness.list_page(TaskFilter(), after=None, limit=9)
    assert [task.id for task in page.tasks] == [first.id, second.id]
    claimed = await in_the_end(lambda: store.claim_due({WEBHOOK: 9}))
    assert [attempt.task_id for attempt in claimed.attempts] == [first.id, second.id], (
        "without its gate nothing holds it back"
    )


async def test_an_end_is_written_whatever_becomes_of_what_the_gate_is_told(store, witness):
    task = a_task(due_at=store.clock.now() - 1, host="http://a.example:80")
    await store.create([task])
    (attempt,) = (await store.claim_due({WEBHOOK: 1})).attempts
    broken = """
        CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
        CREATE TRIGGER broken BEFORE UPDATE ON gate EXECUTE FUNCTION broken();
    """
    await witness._accepting.run(lambda connection: connection.execute(broken))
    assert not (await store.settle(attempt, failure(store.clock, is_alive=False))).has_room
    assert (await store.get(task.id)).state is State.FAILED
