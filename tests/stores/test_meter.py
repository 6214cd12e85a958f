"""What stores count of their own work."""

import pytest
from steps import SECOND, WEBHOOK, another_try, claimed, failure, running, success

from tasker.errors import StoreError
from tasker.model.circuit import RECOVERY, THRESHOLD
from tasker.model.gate import GATE_STATES
from tasker.model.store_meter import GROUP_BOUNDS, STORE_ERRORS, Upkeep
from tasker.model.task import Fault
from tasker.stores.group_commit import GROUP_LIMIT
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

A, B, C = "http://a:80", "http://b:80", "http://c:80"


def writes(store):
    """How many writes were committed in groups, by kind."""
    return {kind: meter.sizes.sum for kind, meter in store.meter.commits.items()}


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def test_the_largest_group_has_a_bound_of_its_own():
    assert GROUP_BOUNDS[-1] == GROUP_LIMIT


async def test_every_write_is_counted_with_the_group_that_it_was_committed_in(store, clock, kind):
    assert sum(writes(store).values()) == 0
    attempt = await running(store, clock)
    await store.settle(attempt, success(clock))
    await store.create([a_task(due_at=clock.now())])
    in_groups = writes(store)
    if "write" in in_groups:
        assert in_groups == {"write": 0 if store.space().database is None else 3}
    else:
        assert in_groups == {"create": 2, "make": 0, "settle": 1, "delete": 0, "admit": 0}
    for meter in store.meter.commits.values():
        assert meter.sizes.count == meter.micros.count
    assert store.meter.claims.count == 1
    assert store.meter.claims.sum > 0
    assert set(store.meter.errors) == set(STORE_ERRORS)
    assert store.meter.errors.total() == 0


async def test_an_error_of_the_store_is_counted(store, reach):
    reach.refuse()
    with pytest.raises(StoreError):
        await store.claim_due({WEBHOOK: 1})
    assert store.meter.errors["unavailable"] >= 1
    reach.admit()


async def test_a_file_says_what_it_takes(tmp_path, store):
    space = store.space()
    sizes = {name: (tmp_path / name).stat().st_size for name in names_in(tmp_path)}
    logs = {name for name in sizes if name.endswith("-wal")}
    if not logs:
        assert (space.database, space.wal, space.free, space.size) == (None,) * 4
        return
    (wal,) = logs
    assert space.wal == sizes[wal] > 0
    assert space.database == sizes[wal.removesuffix("-wal")] > 0
    assert 0 < space.free < space.size
    assert store.meter.syncs.count > 0


async def test_gates_are_counted_by_how_they_are(store, clock):
    none = dict.fromkeys(GATE_STATES, 0)
    assert await store.count_gates() == none
    await store.create([a_task(due_at=clock.now() + 9 * SECOND, host=host) for host in (A, B)])
    gates = {record.gate.name: record.gate.id for record in await store.gates(after=0, limit=9)}
    await store.pause(gates[B])
    assert await store.count_gates() == none | {"paused": 1, "closed": 1}

    await store.create([a_task(due_at=clock.now(), host=C) for _ in range(THRESHOLD + 1)])
    for _ in range(THRESHOLD):
        await store.settle(await claimed(store), failure(clock, Fault("status_503", "no"), is_alive=False))
    assert await store.count_gates() == none | {"paused": 1, "closed": 1, "open": 1}
    await clock.advance(5)
    assert await store.count_gates() == none | {"paused": 1, "closed": 1, "half_open": 1}
    troubled = await store.troubled_gates(limit=9)
    assert [record.gate.name for record in troubled] == [B, C]
    assert troubled == [record for record in await store.gates(after=0, limit=9) if record.gate.name != A]
    assert await store.troubled_gates(limit=1) == troubled[:1]
    await store.settle(await claimed(store), another_try(clock, is_alive=True))
    assert await store.count_gates() == none | {"paused": 1, "closed": 1, "recovering": 1}
    await clock.advance(RECOVERY)
    assert await store.count_gates() == none | {"paused": 1, "closed": 2}


async def test_dead_rows_and_open_transactions_are_seen_where_there_are_such(store, kind, clock):
    await store.create([a_task(due_at=clock.now())])
    before = await store.upkeep()
    if not isinstance(store, PostgresStore):
        assert before == Upkeep()
        return
    assert before.dead_rows is not None
    async with kind.connection.transaction():
        await kind.connection.execute("SELECT pg_sleep(0.2)")
        assert 0.2 <= (await store.upkeep()).oldest_transaction < 60
