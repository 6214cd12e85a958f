"""What only a store on a SQLite file promises."""

import pytest
from steps import claimed, success

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
    store = SqliteStore(str(path), clock=clock)
    await store.open()
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(DatabaseInUseError, match="another tasker"):
            await SqliteStore(str(name), clock=clock).open()
    await store.close()
    await store.open()
    await store.close()


async def test_its_files_are_for_their_owner_alone(clock, path, tmp_path):
    store = SqliteStore(str(path), clock=clock)
    await store.open()
    await store.create([a_task(due_at=clock.now())])
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["tasks.db", "tasks.db-wal", "tasks.db-shm", "tasks.db.lock"], 0o600)
    await store.close()


async def test_a_file_that_is_no_database_is_left_alone(clock, path):
    path.write_text("something else " * 1000)
    with pytest.raises(NotADatabaseError):
        await SqliteStore(str(path), clock=clock).open()
    assert path.read_text() == "something else " * 1000


async def test_a_folder_or_a_missing_one_is_refused_and_nothing_is_made(clock, tmp_path):
    for name in (tmp_path, tmp_path / "missing" / "tasks.db"):
        with pytest.raises(DatabaseError, match=str(tmp_path)):
            await SqliteStore(str(name), clock=clock).open()
    assert list(tmp_path.iterdir()) == []


async def test_a_deleted_secret_leaves_the_file(clock, path):
    store = SqliteStore(str(path), clock=clock)
    await store.open()
    for secret in (b"canary-one", b"canary-two"):
        await store.create([a_task(due_at=clock.now(), fields=b'{"secret":"%b"}' % secret)])
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
    store = SqliteStore(location if location == ":memory:" else str(tmp_path / location), clock=clock)
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.list_page(TaskFilter(), after=None, limit=1)
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.create([a_task(due_at=clock.now())])
