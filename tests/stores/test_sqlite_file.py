"""What only a store on a SQLite file promises."""

import pytest
from kinds import SqliteFile
from steps import SECOND, WEBHOOK, claimed, success

from databases import FOLLOW
from tasker.errors import DatabaseError, DatabaseInUseError, NotADatabaseError, StoreUnavailableError
from tasker.interfaces import TaskFilter
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tasks.db"


async def test_a_file_is_held_by_one_store_whatever_name_it_goes_by(clock, path, tmp_path):
    link = tmp_path / "link.db"
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(DatabaseInUseError, match="another tasker"):
            await SqliteStore(str(name), follow=FOLLOW, clock=clock).open()
    await store.close()
    await store.open()
    await store.close()


async def test_its_files_are_for_their_owner_alone(clock, path, tmp_path):
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    await store.create([a_task(due_at=clock.now())])
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["tasks.db", "tasks.db-wal", "tasks.db-shm", "tasks.db.lock"], 0o600)
    await store.close()


async def test_a_file_that_is_no_database_is_left_alone(clock, path):
    path.write_text("something else " * 1000)
    with pytest.raises(NotADatabaseError):
        await SqliteStore(str(path), follow=FOLLOW, clock=clock).open()
    assert path.read_text() == "something else " * 1000


async def test_a_folder_or_a_missing_one_is_refused_and_nothing_is_made(clock, tmp_path):
    for name in (tmp_path, tmp_path / "missing" / "tasks.db"):
        with pytest.raises(DatabaseError, match=str(tmp_path)):
            await SqliteStore(str(name), follow=FOLLOW, clock=clock).open()
    assert list(tmp_path.iterdir()) == []


async def test_a_deleted_secret_leaves_the_file(clock, path):
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    for secret in (b"canary-one", b"canary-two"):
        await store.create([a_task(due_at=clock.now(), payload=b'{"secret":"%b"}' % secret)])
    attempt = await claimed(store)
    await store.settle(attempt, success(clock, b'"canary-three"'))
    await store.close()
    assert all(canary in path.read_bytes() for canary in (b"canary-one", b"canary-two", b"canary-three"))

    await store.open()
    await store.delete(attempt.task_id)
    await store.close()
    assert b"canary-two" in path.read_bytes(), "the other task is still there"
    assert not any(canary in path.read_bytes() for canary in (b"canary-one", b"canary-three"))


@pytest.mark.parametrize("location", ["tasks.db", ":memory:"])
async def test_a_closed_store_says_so(clock, tmp_path, location):
    store = SqliteStore(location if location == ":memory:" else str(tmp_path / location), follow=FOLLOW, clock=clock)
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.list_page(TaskFilter(), after=None, limit=1)
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.create([a_task(due_at=clock.now())])


async def test_what_a_gate_held_when_the_server_died_is_looked_at_at_once_though_the_clock_was_set_back(tmp_path):
    kind = SqliteFile(tmp_path)
    store, clock = await kind.open(), kind.clock
    await store.create([a_task(due_at=clock.now() - 7200 * SECOND, host="http://a:80") for _ in range(3)])
    assert len((await store.claim_due({WEBHOOK: 2})).attempts) == 1
    store = await kind.after_death(store)
    await clock.step(-3600)
    assert (await store.take_back()).todo == 1
    assert len((await store.claim_due({WEBHOOK: 2})).attempts) == 1
    await kind.close()


async def test_what_a_gate_holds_does_not_start_before_its_time_when_the_clock_was_set_back(tmp_path):
    kind = SqliteFile(tmp_path)
    store, clock = await kind.open(), kind.clock
    early = [a_task(due_at=clock.now() - 7200 * SECOND, host="http://a:80") for _ in range(2)]
    late = [a_task(due_at=clock.now(), host="http://a:80") for _ in range(20)]
    await store.create([*early, *late])
    (gate,) = await store.gates(after=0, limit=9)
    await store.pause(gate.gate.id)
    while (await store.claim_due({WEBHOOK: 9})).next_due <= clock.now():
        pass
    await clock.step(-3600)
    await store.resume(gate.gate.id)

    assert await everything_due(store, clock) == {task.id for task in early}
    assert (await store.claim_due({WEBHOOK: 9})).next_due == late[0].due_at
    assert (await store.gate(gate.gate.id)).held == 0
    await clock.advance(3600)
    assert len(await everything_due(store, clock)) == 20
    await kind.close()


async def everything_due(store, clock):
    """Claim, and end, what is due now. Return its ids."""
    found = set()
    while True:
        claimed = await store.claim_due({WEBHOOK: 9})
        for attempt in claimed.attempts:
            found.add(attempt.task_id)
            await store.settle(attempt, success(clock, is_alive=True))
        if not claimed.attempts and (claimed.next_due is None or claimed.next_due > clock.now()):
            return found
