"""Taking over a database of the earlier server."""

import uuid

import apsw
import pytest

from databases import FOLLOW
from tasker.errors import NotADatabaseError, TakeOverError
from tasker.interfaces.tasks import TaskFilter
from tasker.model.task import Pool, TaskId
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock
from tasker.wire.task_views import task_json

pytestmark = pytest.mark.anyio

EARLIER = """
CREATE TABLE webhooks (id {id} PRIMARY KEY NOT NULL, state TEXT NOT NULL, execution_time TEXT NOT NULL,
                       url TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE hashes (id {id} PRIMARY KEY NOT NULL, state TEXT NOT NULL, execution_time TEXT NOT NULL,
                     secret TEXT NOT NULL);
"""
POOLS = {"webhook": Pool(1), "hash": Pool(2)}
PAST, FUTURE = "2020-01-01T00:00:00+01:00", "2126-02-10T16:30:00.0+01:00"
STATES = ("todo", "in_progress", "failed", "done")


@pytest.fixture(params=["text", "16 bytes"])
def as_id(request):
    return str if request.param == "text" else lambda id_: id_.bytes


@pytest.fixture
def earlier(tmp_path, as_id):
    """The path of an earlier database, and a function that puts a row in it and returns the id."""
    path = tmp_path / "tasks.db"
    connection = apsw.Connection(str(path))
    connection.execute(EARLIER.format(id="TEXT" if as_id is str else "BLOB"))

    def add(table, state, time, *fields, id_=None):
        id_ = id_ or uuid.uuid4()
        places = ",".join("?" * (3 + len(fields)))
        connection.execute(f"INSERT INTO {table} VALUES ({places})", (as_id(id_), state, time, *fields))
        return id_

    yield path, add
    connection.close()


def contents(path):
    """Everything in a database, as text."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = [*connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")]
    for name in [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]:
        rows += connection.execute(f'SELECT * FROM "{name}"')
    connection.close()
    return repr(rows)


async def test_every_row_becomes_a_task_with_its_id_and_state(earlier):
    path, add = earlier
    webhooks = {add("webhooks", state, FUTURE, "http://localhost/x", '{"a": "ü"}'): state for state in STATES}
    hashes = {add("hashes", state, PAST, "geheim"): state for state in STATES}
    clock = ManualClock()
    store = SqliteStore(str(path), follow=FOLLOW, clock=clock, pools=POOLS)
    await store.open()

    for type_, ids in (("webhook", webhooks), ("hash", hashes)):
        for id_, state in ids.items():
            task = await store.get(TaskId(str(id_)))
            assert (task.type, task.state.word, task.attempts, task.created_at) == (type_, state, 0, clock.now())
            assert task.execution_time == (FUTURE if type_ == "webhook" else PAST)
    shown = task_json(await store.get(TaskId(str(next(iter(webhooks))))))
    assert b'"url":"http://localhost/x"' in shown
    assert len((await store.list_page(TaskFilter(), after=None, limit=100)).tasks) == 8
    assert [record.gate.name for record in await store.gates(after=0, limit=9)] == ["http://localhost:80", "hash"]

    assert (await store.take_back()).todo == 2, "what the earlier server was running runs again"
    claimed = await store.claim_due({Pool(1): 10, Pool(2): 10})
    assert len(claimed.attempts) == 2, "the overdue hashes, todo and in_progress, run at once"
    await store.close()

    assert "earlier_webhooks" in contents(path)
    await store.open()
    assert len((await store.list_page(TaskFilter(), after=None, limit=100)).tasks) == 8, "and once only"
    await store.close()


@pytest.mark.parametrize(
    ("table", "row", "problem"),
    [
        ("hashes", ("todo", "tomorrow", "s"), "execution_time"),
        ("hashes", ("todo", "2020-01-01T00:00:00", "s"), "execution_time"),
        ("webhooks", ("waiting", FUTURE, "u", "b"), "states"),
    ],
)
async def test_a_row_that_cannot_be_read_stops_it_and_nothing_is_changed(earlier, table, row, problem):
    path, add = earlier
    add("webhooks", "todo", FUTURE, "u", "b")
    bad = add(table, *row)
    before = contents(path)
    with pytest.raises(TakeOverError, match=problem) as refusal:
        await SqliteStore(str(path), follow=FOLLOW, clock=ManualClock(), pools=POOLS).open()
    assert table in str(refusal.value)
    assert str(bad) in str(refusal.value)
    assert contents(path) == before


async def test_an_id_in_both_tables_stops_it(earlier):
    path, add = earlier
    twice = add("webhooks", "todo", FUTURE, "u", "b")
    add("hashes", "todo", FUTURE, "s", id_=twice)
    before = contents(path)
    with pytest.raises(TakeOverError, match=str(twice)):
        await SqliteStore(str(path), follow=FOLLOW, clock=ManualClock(), pools=POOLS).open()
    assert contents(path) == before


async def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "tasks.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE invoices (number INTEGER)")
    connection.close()
    with pytest.raises(NotADatabaseError):
        await SqliteStore(str(path), follow=FOLLOW, clock=ManualClock(), pools=POOLS).open()
    assert "invoices" in contents(path)
