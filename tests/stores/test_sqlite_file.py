"""What only a store on a SQLite file promises."""

import asyncio
import errno
import os

import pytest
import structlog
from kinds import SqliteFile
from steps import SECOND, WEBHOOK, claimed, success

from databases import FOLLOW
from tasker.errors import DatabaseError, DatabaseInUseError, NotADatabaseError, StoreUnavailableError, TaskExistsError
from tasker.interfaces.tasks import TaskFilter
from tasker.model.api_key import ApiKey
from tasker.stores.sqlite import mounts as sqlite_mounts
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


async def test_a_file_with_a_second_name_is_refused_and_nothing_is_made(clock, path, tmp_path):
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    await store.close()
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "tasks.db"
    other.hardlink_to(path)
    for name in (path, other):
        with pytest.raises(DatabaseError, match="hard link"):
            await SqliteStore(str(name), follow=FOLLOW, clock=clock).open()
    other.unlink()
    await store.open()
    await store.close()


async def test_a_file_that_is_mounted_by_itself_is_refused(clock, tmp_path, monkeypatch):
    path = tmp_path / "my tasks.db"
    path.touch()
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(sqlite_mounts, "_MOUNTS", mounts)
    mounts.write_text(f"63 43 254:0 /data/tasks.db {tmp_path}/my\\040tasks.db rw,relatime - ext4 /dev/vda rw\n")
    with pytest.raises(DatabaseError, match="mount the folder"):
        await SqliteStore(str(path), follow=FOLLOW, clock=clock).open()
    mounts.write_text(f"63 43 254:0 /data {tmp_path} rw,relatime - ext4 /dev/vda rw\n")
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    await store.close()


async def test_a_file_of_somebody_else_is_used_as_it_is_with_a_warning(clock, path, monkeypatch):
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock)
    await store.open()
    await store.close()
    path.chmod(0o660)

    def refuse(*_):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refuse)
    with structlog.testing.capture_logs() as lines:
        await store.open()
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["others can read the database"]
    await store.create([a_task(due_at=clock.now())])
    await store.close()
    assert path.stat().st_mode & 0o777 == 0o660


async def test_a_file_that_is_refused_keeps_its_mode(clock, path):
    path.write_text("something else " * 1000)
    path.chmod(0o644)
    with pytest.raises(NotADatabaseError):
        await SqliteStore(str(path), follow=FOLLOW, clock=clock).open()
    assert path.stat().st_mode & 0o777 == 0o644


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


async def test_the_file_is_asked_for_keys_only_after_a_change(clock, path, monkeypatch):
    store = SqliteStore(str(path), clock=clock, follow=FOLLOW)
    await store.open()
    task = a_task(due_at=clock.now())
    await store.create([task])
    key = ApiKey(id="one", name="one", role="admin", scopes=(), digest=bytes(32))
    before = (await store.key_state()).version
    await asyncio.gather(store.create([task]), store.create_key(key), return_exceptions=True)
    after = (await store.key_state(seen=before)).version
    with pytest.raises(TaskExistsError):
        await store.create([task])
    await store.delete(task.id)
    with monkeypatch.context() as unreadable:
        unreadable.setattr(store, "_readers", None)
        assert await store.key_state(seen=after) is None
    await store.close()


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


async def test_a_gate_is_no_longer_looked_at_once_the_last_that_it_held_is_claimed(tmp_path):
    kind = SqliteFile(tmp_path)
    store, clock = await kind.open(), kind.clock
    await store.create([a_task(due_at=clock.now(), host="http://a:80") for _ in range(2)])
    assert len((await store.claim_due({WEBHOOK: 2})).attempts) == 1
    (gate,) = await store.gates(after=0, limit=9)
    assert gate.held == 1
    await clock.advance(1)
    found = await store.claim_due({WEBHOOK: 9})
    assert (len(found.attempts), found.next_due) == (1, None)
    assert not (await store.settle(found.attempts[0], success(clock, is_alive=True))).has_room
    await kind.close()


async def test_what_expired_behind_a_gate_starts_after_all_when_the_clock_is_set_back(tmp_path):
    kind = SqliteFile(tmp_path)
    store, clock = await kind.open(), kind.clock
    task = a_task(due_at=clock.now(), expires_at=clock.now() + 60 * SECOND, host="http://a:80")
    await store.create([task])
    (gate,) = await store.gates(after=0, limit=9)
    await store.pause(gate.gate.id)
    await store.claim_due({WEBHOOK: 9})
    await clock.advance(60)
    await store.resume(gate.gate.id)
    looks_again_at = (await store.claim_due({WEBHOOK: 9})).next_due
    assert looks_again_at == clock.now() + SECOND
    await clock.advance(1)
    assert await everything_due(store, clock) == set()
    await clock.step(-2)
    await store.resume(gate.gate.id)
    assert await everything_due(store, clock) == {task.id}
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
