"""The mark of a database: who starts on a copy starts paused, and nobody starts where the tasks are elsewhere."""

from pathlib import Path

import apsw
import pytest

from databases import FOLLOW, take_database
from tasker.errors import DatabaseBeingCopiedError, DatabaseMovedError, StoreUnavailableError
from tasker.model.audit import TASKER, Action, AuditQuery
from tasker.model.task import Pool
from tasker.stores import queries
from tasker.stores.mark import Mark, State
from tasker.stores.postgres import marks as postgres_marks
from tasker.stores.postgres.store import PostgresStore
from tasker.stores.sqlite import marks as sqlite_marks
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

WEBHOOK = Pool(1)


class File:
    """A database in a file, whose mark can be written while no store has it open."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.path = folder / "tasks.db"
        self.clock = clock

    def store(self):
        return SqliteStore(str(self.path), clock=self.clock, follow=FOLLOW)

    async def mark(self, mark):
        connection = apsw.Connection(str(self.path))
        with connection:
            sqlite_marks.write_mark(Queries(connection, queries.load("tasker.stores.sqlite")), mark)
        connection.close()

    async def read(self):
        connection = apsw.Connection(str(self.path))
        try:
            return sqlite_marks.read_mark(Queries(connection, queries.load("tasker.stores.sqlite")))
        finally:
            connection.close()


class Postgres:
    """The same on PostgreSQL."""

    def __init__(self, url, connection, clock: ManualClock) -> None:
        self.url, self.connection, self.clock = url, connection, clock
        self.sql = queries.load("tasker.stores.postgres")

    def store(self):
        return PostgresStore(self.url, base_clock=self.clock, follow=FOLLOW, address="", version="")

    async def mark(self, mark):
        async with self.connection.transaction():
            await postgres_marks.write_mark(self.connection, self.sql, mark)

    async def read(self):
        return await postgres_marks.read_mark(self.connection, self.sql)


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request, tmp_path):
    """A database with one task, which is due."""
    clock = ManualClock()
    if request.param == "sqlite":
        found = File(tmp_path, clock)
        store = found.store()
        await store.open()
        await store.create([a_task(due_at=clock.now())])
        await store.close()
        yield found
        return
    url, connection = await take_database(clock.now())
    store = PostgresStore(url, base_clock=clock, follow=FOLLOW, address="", version="")
    await store.open()
    await store.create([a_task(due_at=clock.now())])
    await store.close()
    yield Postgres(url, connection, clock)
    await connection.close()


async def test_a_server_on_a_copy_starts_paused_and_only_the_first_time(database):
    made_at = database.clock.now()
    await database.mark(Mark(state=State.BACKUP, at=made_at))
    store = database.store()
    await store.open()
    assert store.paused_at == made_at
    assert (await store.claim_due({WEBHOOK: 1})).attempts == ()
    (entry,) = (await store.audit(AuditQuery(), after=None, limit=10)).records
    assert (entry.by, entry.action) == (TASKER, Action.PAUSE)
    assert await database.read() is None
    await store.resume_all()
    await store.close()

    again = database.store()
    await again.open()
    assert len((await again.claim_due({WEBHOOK: 1})).attempts) == 1
    await again.close()


async def test_a_pause_that_the_copy_has_goes_on_as_it_is(database):
    store = database.store()
    await store.open()
    await store.pause_all()
    began_at = store.paused_at
    await store.close()
    await database.mark(Mark(state=State.BACKUP, at=database.clock.now() + 1))
    again = database.store()
    await again.open()
    assert again.paused_at == began_at
    await again.close()


@pytest.mark.parametrize(
    ("state", "other", "error", "words"),
    [
        (State.MOVED, "postgresql://db1/tasks", DatabaseMovedError, "moved to postgresql://db1/tasks; start the"),
        (State.MOVED, None, DatabaseMovedError, "moved to another database; start the server on that one"),
        (State.COPYING, "sqlite:a.db", DatabaseBeingCopiedError, "being copied into it from sqlite:a.db, and not all"),
        (State.COPYING, None, DatabaseBeingCopiedError, "being copied into it, and not all are there"),
    ],
)
async def test_no_server_starts_where_the_tasks_are_elsewhere_and_nothing_changes(database, state, other, error, words):
    mark = Mark(state=state, at=database.clock.now(), other=other)
    await database.mark(mark)
    with pytest.raises(error, match=words):
        await database.store().open()
    assert await database.read() == mark
    await database.mark(None)
    store = database.store()
    await store.open()
    assert store.paused_at is None
    await store.close()


async def test_a_node_that_was_asleep_while_the_tasks_moved_renews_its_lease_no_more():
    clock = ManualClock()
    url, connection = await take_database(clock.now())
    database = Postgres(url, connection, clock)
    store = database.store()
    await store.open()
    await database.mark(Mark(state=State.MOVED, at=clock.now(), other="sqlite:a.db"))
    with pytest.raises(StoreUnavailableError, match="another database"):
        await store.renew()
    await database.mark(None)
    await store.renew()
    await store.close()
    await connection.close()
