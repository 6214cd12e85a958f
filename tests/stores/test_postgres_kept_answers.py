"""One idempotency key in the hands of two nodes, and of a node whose connection breaks."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from steps import SECOND, listed

from databases import FOLLOW, new_database
from tasker.errors import IdempotencyInFlightError, IdempotencyKeyReusedError, StoreUnavailableError
from tasker.model.idempotency import Repeatable
from tasker.service.repeatable import Answered, RepeatableRequests
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task
from tasker.testing.tcp_proxy import TcpProxy
from tasker.timing.clock import SystemClock

pytestmark = pytest.mark.anyio

ID = b"i" * 32
MOST_ANSWERS = 30
"""More pieces than any create is answered with, connecting included."""


async def opened(url):
    store = PostgresStore(url, follow=FOLLOW, base_clock=SystemClock(), address="http://127.0.0.1:8080", version="0")
    await store.open()
    return store


@pytest.fixture
def url():
    return new_database()


@pytest.fixture
async def nodes(url):
    """Two nodes on one database."""
    stores = [await opened(url), await opened(url)]
    first = due_soon(stores[0])
    await stores[0].create([first])  # whoever makes the first one of a type keeps others from making one meanwhile
    await stores[0].delete(first.id)
    yield stores
    for store in stores:
        await store.close()


@pytest.fixture
def proxy(url):
    with TcpProxy(int(url.rpartition(":")[2].partition("/")[0])) as proxy:
        yield proxy


def due_soon(store):
    return a_task(due_at=store.clock.now() + 60 * SECOND)


def encoded_id(task):
    return task.id.encode()


def a_request(id_=ID):
    return Repeatable(id=id_, fingerprint=b"f" * 32, answer=encoded_id, retention=3600 * SECOND)


class Waiting:
    """A request that a node makes while another is at work for its key."""

    def __init__(self, store, *, id_=ID, fingerprint=b"f" * 32, **patience):
        self._waits = asyncio.Event()
        self._store = store
        requests = RepeatableRequests(store, timedelta(hours=1), **patience)
        self.answered = asyncio.create_task(requests.run(id_, fingerprint, self._make, encoded_id))

    async def until_it_waits(self):
        """Return once it has found the key in flight."""
        async with asyncio.timeout(20):
            await self._waits.wait()

    async def _make(self, repeatable):
        try:
            return await self._store.create_once(due_soon(self._store), repeatable)
        except IdempotencyInFlightError:
            self._waits.set()
            raise


@asynccontextmanager
async def at_work(store, task):
    """Let a node write *task* for the key; it commits when the block ends."""
    writes, goes_on = asyncio.Event(), asyncio.Event()

    async def make():
        await store._kept_answers._inserter.insert(store._making._connection, [task])
        writes.set()
        await goes_on.wait()
        return task, task.execution_at

    async def create(connection):
        async with connection.transaction():
            return await store._kept_answers.once(connection, a_request(), make)

    await store._making.connect()
    job = asyncio.create_task(store._making.run(create))
    await writes.wait()
    try:
        yield
    finally:
        goes_on.set()
        with suppress(StoreUnavailableError):  # its node has died
            await job


async def test_a_key_in_flight_on_another_node_is_waited_for_and_its_answer_replayed(nodes):
    one, other = nodes
    task = due_soon(one)
    async with at_work(one, task):
        waiting = Waiting(other)
        await waiting.until_it_waits()
        plain = due_soon(other)
        await other.create([plain])  # nobody else waits
        unrelated = due_soon(other)
        assert await other.create_once(unrelated, a_request(b"other" + b"i" * 27)) == unrelated
        assert not waiting.answered.done()

    assert await waiting.answered == Answered(task.id.encode(), is_replay=True)
    assert {each.id for each in await listed(other)} == {task.id, plain.id, unrelated.id}


async def test_another_request_with_a_key_in_flight_on_another_node_is_refused_in_the_end(nodes):
    one, other = nodes
    async with at_work(one, due_soon(one)):
        waiting = Waiting(other, fingerprint=b"g" * 32)
        await waiting.until_it_waits()

    with pytest.raises(IdempotencyKeyReusedError):
        await waiting.answered


async def test_a_key_in_flight_for_too_long_is_refused(nodes):
    one, other = nodes
    task = due_soon(one)
    async with at_work(one, task):
        with pytest.raises(IdempotencyInFlightError):
            await Waiting(other, patience=timedelta(0)).answered
    assert [each.id for each in await listed(other)] == [task.id]


async def test_a_node_that_dies_at_work_leaves_nothing_and_the_key_to_the_next(nodes):
    one, other = nodes
    async with at_work(one, due_soon(one)):
        waiting = Waiting(other)
        await waiting.until_it_waits()
        one._making.drop()

    answered = await waiting.answered

    assert not answered.is_replay
    assert [each.id.encode() for each in await listed(other)] == [answered.answer]


async def test_of_many_requests_on_both_nodes_one_makes_something(nodes):
    waiting = [Waiting(node) for node in nodes for _ in range(20)]

    answered = [await each.answered for each in waiting]

    assert sum(not each.is_replay for each in answered) == 1
    assert {each.answer for each in answered} == {each.id.encode() for each in await listed(nodes[0])}


async def test_a_create_whose_answer_is_lost_is_made_once_and_is_no_replay(url, proxy, nodes):
    before, _, after = url.rpartition(":")
    store = await opened(f"{before}:{proxy.port}/{after.partition('/')[2]}")
    await store.create_once(due_soon(store), a_request())
    for number in range(1, MOST_ANSWERS):
        request = a_request(b"%32d" % number)
        proxy.cut_instead_of_answer(number)
        task = due_soon(store)
        try:
            assert await store.create_once(task, request) == task
        except (StoreUnavailableError, IdempotencyInFlightError):
            # The session that was cut off may not have ended yet.
            answered = await Waiting(nodes[0], id_=request.id).answered
            stored = {each.id.encode() for each in await listed(nodes[0])}
            assert answered.answer in stored
            assert answered.is_replay == (task.id.encode() in stored), "one without the other"
    proxy.cut_instead_of_answer(10**9)
    assert len(await listed(nodes[0])) == MOST_ANSWERS
    await store.close()
