"""A copy into another database: all of it, as it is, and after a kill at any moment served by one of both at most."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import apsw
import asyncpg
import pytest
from kinds import KINDS
from populations import populate
from steps import SECOND, begin, step, work
from test_kept_keys import a_key
from test_schedules import put

from databases import END_SESSIONS, FOLLOW, new_database, take_database
from tasker.errors import (
    CopyDiffersError,
    CopyOfAnotherError,
    CopyStoppedError,
    DatabaseBeingCopiedError,
    DatabaseInUseError,
    DatabaseMovedError,
    NotEmptyError,
    NotHeldThereError,
)
from tasker.ids import new_id
from tasker.model import instants
from tasker.model.audit import AuditQuery
from tasker.model.operation import Action
from tasker.model.task import Pool
from tasker.model.task import State as TaskState
from tasker.stores import kind
from tasker.stores.copying import copy
from tasker.stores.kind import StoreContext
from tasker.stores.mark import Mark, State
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.lease import PATIENCE
from tasker.stores.postgres.schema import prepare
from tasker.stores.tables import LEFT_OUT, TABLES, Form
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEBHOOK = Pool(1)


class Watch:
    """Sees what a copy says of itself."""

    def __init__(self):
        self.total = self.rows = self.compared_rows = 0
        self.goes_on = self.is_anew = False

    def begins(self, total, *, goes_on):
        self.total, self.goes_on = total, goes_on

    def begins_anew(self):
        self.is_anew = True

    def copied(self, rows):
        self.rows += rows

    def compared(self, rows):
        self.compared_rows += rows


def context(clock=None):
    return StoreContext(clock=clock or ManualClock(), follow=FOLLOW, pools={})


def end_of(url, clock=None):
    return kind.kind_of(url).copying(url, context(clock))


async def copied(source, target, clock=None, wrap=lambda end, role: end):
    watch = Watch()
    async with end_of(source, clock) as there, end_of(target, clock) as here:
        moved = await copy(wrap(there, "from"), wrap(here, "to"), watch)
    assert watch.rows + watch.compared_rows == watch.total
    return moved, watch


async def columns_of(url):
    """Return the columns of each table of a database, each with its type as PostgreSQL has it."""
    if url.startswith("sqlite:"):
        connection = apsw.Connection(url.removeprefix("sqlite:"))
        rows = connection.execute(
            "SELECT m.name, c.name, c.type FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c "
            "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        ).fetchall()
        connection.close()
    else:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name <> 'test_clock'"
        )
        await connection.close()
    found = {}
    for table, column, type_ in rows:
        found.setdefault(table, {})[column] = type_
    return found


@pytest.fixture
async def file(tmp_path):
    url = f"sqlite:{tmp_path / 'from.db'}"
    async with end_of(url):
        pass
    return url


@pytest.fixture
async def postgres():
    url, connection = await take_database(ManualClock().now())
    await connection.close()
    return url


async def test_every_table_and_every_column_of_both_stores_is_copied_or_left_out_for_a_reason(file, postgres):
    for name, url in (("sqlite", file), ("postgres", postgres)):
        declared = {}
        for table in TABLES:
            if table.only in ("", name):
                names = [column.sqlite or column.name if name == "sqlite" else column.name for column in table.columns]
                assert len(set(names)) == len(names)
                declared[table.name] = set(names)
        for left in LEFT_OUT[name]:
            table, _, column = left.partition(".")
            assert column not in declared.get(table, set()), left
            assert not column or table in declared
            declared.setdefault(table, set()).update({column} - {""})
        real = await columns_of(url)
        assert declared.keys() == real.keys()
        for table, columns in real.items():
            if table not in LEFT_OUT[name]:
                assert declared[table] == columns.keys(), table


def drawn(draw, type_):
    """Return a value of a type, as ``tables.py`` has it."""
    match type_:
        case "uuid":
            return draw.randbytes(16)
        case "bytea":
            return draw.randbytes(draw.randrange(1, 40))
        case "timestamp with time zone":
            return draw.randrange(0, 253_402_300_799_999_999)
        case "interval" | "bigint":
            return draw.randrange(1 << 50)
        case "integer" | "smallint":
            return draw.randrange(1 << 15)
        case "boolean":
            return draw.randrange(2)
        case "double precision":
            return draw.random() * 1000
        case "jsonb":
            return f'{{"a": {draw.randrange(9)}}}'
    assert type_ == "text"
    return draw.choice(["ä", "\U0010ffff", "x" * 50, " ", "it's"]) + draw.randbytes(4).hex()


async def some_rows(postgres, count=7):
    """Return rows of every table, with some value in every column, as ``tables.py`` has them."""
    draw, types = random.Random(19), await columns_of(postgres)
    connection = await asyncpg.connect(postgres)
    nullable = {
        tuple(row)
        for row in await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE is_nullable = 'YES'"
        )
    }
    await connection.close()
    ids = sorted(draw.randbytes(16) for _ in range(count))
    made = {}
    for table in TABLES:
        rows = []
        for place in range(1 if table.is_single or table.name == "alert_book" else count):
            row = {column.name: drawn(draw, types[table.name][column.name]) for column in table.columns}
            for column in table.columns:
                if column.form is Form.TASK or (table.name, column.name) == ("task", "id"):
                    row[column.name] = ids[place]
                elif column.form is Form.POSITION:
                    row[column.name] = f"{draw.randrange(1 << 50)}.{UUID(bytes=ids[place])}" if place else None
            if "one" in row or table.name == "alert_book":
                row[table.key[0]] = 1
            if table.name == "task":
                row |= {"state": (place + 1) % 6, "type": made["type_pool"][place]["type"]}
            if place % 2 and table.name != "pause":  # only one pause lasts
                row |= dict.fromkeys(name for name in row if (table.name, name) in nullable)
            rows.append(row)
        made[table.name] = rows
    return made


def fill_file(path, made):
    """Write rows into a file, by other means than a copy does."""
    connection = apsw.Connection(str(path))
    ids = [row["id"] for row in made["task"]]
    for table in TABLES:
        if table.only:
            continue
        if table.is_single:
            connection.execute(f"DELETE FROM {table.name}")
        for place, row in enumerate(made[table.name]):
            stored = {}
            for column in table.columns:
                value = row[column.name]
                if column.form is Form.TASK:
                    value = ids.index(value) + 1
                elif column.form is Form.UUID:
                    value = str(UUID(bytes=value))
                elif column.form is Form.POSITION and value is not None:
                    at, _, id_ = value.partition(".")
                    value = f"{at}.{ids.index(UUID(id_).bytes) + 1}"
                stored[column.sqlite or column.name] = value
            if table.name == "task":
                stored["seq"] = place + 1
            places = ", ".join("?" * len(stored))
            connection.execute(f"INSERT INTO {table.name} ({', '.join(stored)}) VALUES ({places})", (*stored.values(),))
    connection.execute("UPDATE look SET at = 77")
    connection.close()


def dump(path):
    """Return all rows of a file."""
    connection = apsw.Connection(str(path))
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}
    connection.close()
    return found


async def rows_in(url, table):
    """Return the rows of a table on PostgreSQL, as ``tables.py`` has them, read by other means than a copy does."""

    def neutral(value):
        match value:
            case UUID():
                return value.bytes
            case datetime():
                return (value - EPOCH) // timedelta(microseconds=1)
            case timedelta():
                return value // timedelta(microseconds=1)
            case bool():
                return int(value)
        return value

    connection = await asyncpg.connect(url)
    rows = await connection.fetch(f"SELECT * FROM {table}")
    await connection.close()
    return [{name: neutral(value) for name, value in row.items()} for row in rows]


@pytest.fixture
def few_at_once(monkeypatch):
    """Batches of three rows."""
    for store in ("sqlite", "postgres"):
        monkeypatch.setattr(f"tasker.stores.{store}.copying.ROWS", 3)
        monkeypatch.setattr(f"tasker.stores.{store}.copying.AT_ONCE", 2)


async def test_every_value_of_every_column_arrives_and_comes_back(file, postgres, tmp_path, few_at_once):
    made = await some_rows(postgres)
    fill_file(tmp_path / "from.db", made)
    before = dump(tmp_path / "from.db")

    moved, _ = await copied(file, postgres)

    assert moved.tables == {name: len(rows) for name, rows in made.items() if name != "tasker_inbox"}
    for table in TABLES:
        if table.only:
            continue
        found = await rows_in(postgres, table.name)
        names = [column.name for column in table.columns]
        assert sorted([[row[name] for name in names] for row in found], key=repr) == sorted(
            [[row[name] for name in names] for row in made[table.name]], key=repr
        ), table.name
    nodes = await rows_in(postgres, "node")
    assert {row["id"] for row in nodes} == {row["node"] for row in made["task"] if row["state"] == 1}
    assert {(row["looked_at"], row["has_ended"]) for row in nodes} == {(77, 1)}

    back = tmp_path / "back.db"
    await copied(postgres, f"sqlite:{back}")
    after = dump(back)
    for name, rows in before.items():
        if name not in ("mark", "probe"):
            assert after[name] == rows, name
    assert after["mark"] == []
    assert before.keys() == after.keys(), "nothing is left of the copy itself"


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """An end of a copy whose process is killed before, or after, one of the transactions of both."""

    WRITES = ("begin", "empty", "write", "settle", "mark_moved", "finish")

    def __init__(self, end, life):
        self._end, self._life = end, life

    def __getattr__(self, name):
        found = getattr(self._end, name)
        if name not in self.WRITES:
            return found

        async def write(*values):
            self._life.append(name)
            is_last = self._life.last == (name, self._life.count(name))
            if is_last and not self._life.is_after:
                raise Killed
            await found(*values)
            if is_last:
                raise Killed

        return write


class Life(list):
    """What was written so far, by the names of the methods, up to the nth one of a name, or before that."""

    def __init__(self, last="", nth=1, *, is_after=False):
        super().__init__()
        self.last, self.is_after = (last, nth), is_after


async def mark_of(url):
    async with end_of(url) as end:
        return await end.mark()


async def check_who_may_start(source, target, life):
    """Check that servers start on one database at most, and on one at least before the end nears."""
    there, here = await mark_of(source), await mark_of(target)
    may_start = {None: True, State.BACKUP: True}
    on_source = may_start.get(there and there.state, False)
    on_target = may_start.get(here and here.state, False)
    has_begun = "write" in life
    assert not (on_source and on_target and has_begun)
    if "mark_moved" not in life:
        assert on_source, "nothing has happened to it"
    if on_target and has_begun:
        assert life[-1] == "finish"
        assert (there.state, there.other) == (State.MOVED, await place_of(target))


async def place_of(url):
    async with end_of(url) as end:
        return end.place


async def killed_and_resumed(source, target, life):
    """Kill a copy, look at what is left, copy again, and return what the second one has written."""
    with pytest.raises(Killed):
        await copied(source, target, wrap=lambda end, _: Mortal(end, life))
    await check_who_may_start(source, target, life)
    if life[-1] == "finish" and life.is_after:
        with pytest.raises(DatabaseMovedError, match="have moved to"):
            await copied(source, target)
        return []
    second = Life()
    async with end_of(source) as there, end_of(target) as here:
        await copy(Mortal(there, second), Mortal(here, second), Watch())
    await check_who_may_start(source, target, [*life, *second])
    return second


def without_marks(tables):
    return {name: rows for name, rows in tables.items() if name not in ("mark", "probe")}


async def test_a_copy_that_is_killed_at_any_moment_goes_on_and_at_no_moment_can_both_be_served(
    file, postgres, tmp_path, few_at_once
):
    made, whole = await some_rows(postgres), Life()
    fill_file(tmp_path / "from.db", made)
    original = (tmp_path / "from.db").read_bytes()
    before = without_marks(dump(tmp_path / "from.db"))
    source, target = tmp_path / "a.db", tmp_path / "b.db"
    source.write_bytes(original)
    await copied(f"sqlite:{source}", f"sqlite:{target}", wrap=lambda end, _: Mortal(end, whole))
    assert whole[0] == "begin"
    assert whole[-3:] == ["settle", "mark_moved", "finish"]
    points = [*range(0, len(whole) - 4, 9), *range(len(whole) - 4, len(whole))]
    for done, name in [(point, whole[point]) for point in points]:
        for is_after in (False, True):
            for path in tmp_path.glob("[ab].db*"):
                path.unlink()
            source.write_bytes(original)
            life = Life(name, whole[: done + 1].count(name), is_after=is_after)
            second = await killed_and_resumed(f"sqlite:{source}", f"sqlite:{target}", life)
            assert without_marks(dump(target)) == before
            assert second.count("write") == whole[done + is_after :].count("write"), "nothing is written again"


@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize(
    ("name", "nth", "is_after"),
    [("begin", 1, True), ("write", 20, False), ("write", 20, True), ("mark_moved", 1, False), ("mark_moved", 1, True)],
)
async def test_the_same_holds_on_postgresql(direction, name, nth, is_after, file, postgres, tmp_path, few_at_once):
    made = await some_rows(postgres)
    fill_file(tmp_path / "from.db", made)
    before = without_marks(dump(tmp_path / "from.db"))
    source, target, back = file, postgres, tmp_path / "back.db"
    if direction == "from":
        await copied(file, postgres)
        source, target = postgres, f"sqlite:{back}"
    await killed_and_resumed(source, target, Life(name, nth, is_after=is_after))
    if direction == "to":
        await copied(postgres, f"sqlite:{back}")
    assert without_marks(dump(back)) == before


async def used_once(url, clock):
    """Let a server look for due tasks, as each does when it starts."""
    store = kind.kind_of(url).make(url, context(clock))
    await store.open()
    await store.claim_due({WEBHOOK: 1})
    await store.close()


@pytest.mark.parametrize("from_postgres", [False, True])
async def test_a_copy_begins_anew_if_a_server_has_run_since_and_servers_may(
    from_postgres, file, postgres, tmp_path, few_at_once
):
    clock = ManualClock()
    source, target = (postgres, file) if from_postgres else (file, postgres)
    store = kind.kind_of(source).make(source, context(clock))
    await store.open()
    await store.create([a_task(due_at=clock.now() + 10**9) for _ in range(8)])
    await store.close()
    with pytest.raises(Killed):
        await copied(source, target, clock, lambda end, _: Mortal(end, Life("write", 6)))
    await clock.advance(60)
    await used_once(source, clock)

    moved, watch = await copied(source, target, clock)

    assert watch.is_anew
    assert moved.tables["task"] == 8


async def test_what_was_changed_without_a_trace_is_found_by_comparing_and_the_next_copy_begins_anew(
    file, postgres, tmp_path, few_at_once
):
    fill_file(tmp_path / "from.db", await some_rows(postgres))
    with pytest.raises(Killed):
        await copied(file, postgres, wrap=lambda end, _: Mortal(end, Life("settle")))
    connection = apsw.Connection(str(tmp_path / "from.db"))
    connection.execute("UPDATE payload SET payload = x'00' WHERE seq = 5")
    connection.close()
    with pytest.raises(CopyDiffersError, match=r"table payload differs .* \(7 rows there, 7 here\)"):
        await copied(file, postgres)
    assert (await mark_of(postgres)).state is State.COPYING
    assert await mark_of(file) is None
    _, watch = await copied(file, postgres)
    assert watch.is_anew


async def test_what_somebody_uses_is_not_copied_from_or_into(file, postgres):
    for place in (file, postgres):
        store = kind.kind_of(place).make(place, context())
        await store.open()
        for source, target in ((file, postgres), (postgres, file)):
            with pytest.raises(DatabaseInUseError):
                await copied(source, target)
        await store.close()
    async with end_of(postgres):
        with pytest.raises(DatabaseInUseError):
            await copied(file, postgres)


async def test_nothing_is_copied_into_what_has_rows_or_another_copy_or_out_of_what_has_moved(
    file, postgres, tmp_path, few_at_once
):
    other, third = f"sqlite:{tmp_path / 'other.db'}", f"sqlite:{tmp_path / 'third.db'}"
    fill_file(tmp_path / "from.db", await some_rows(postgres))
    with pytest.raises(NotEmptyError, match="its tables have rows: type_pool, gate, "):
        await copied(other, file)
    with pytest.raises(Killed):
        await copied(file, postgres, wrap=lambda end, _: Mortal(end, Life("write", 5)))
    with pytest.raises(CopyOfAnotherError, match=f"a copy of {await place_of(file)} into it is not finished"):
        await copied(other, postgres)
    with pytest.raises(NotEmptyError, match="being copied into"):  # a copy in the middle is no source
        await copied(postgres, third)
    await copied(file, postgres)
    with pytest.raises(DatabaseMovedError, match="its tasks have moved to postgresql://"):
        await copied(file, third)
    with pytest.raises(DatabaseMovedError):
        await kind.kind_of(file).make(file, context()).open()
    async with end_of(file) as end:
        await end.unmark()
    await used_once(file, ManualClock())


class Cut(Mortal):
    """An end whose connections are ended by the database, once, after some writes."""

    def __init__(self, end, url):
        super().__init__(end, Life())
        self._url = url

    async def write(self, *values):
        self._life.append("write")
        if len(self._life) == 5:
            connection = await asyncpg.connect(self._url)
            await connection.execute(END_SESSIONS)
            await connection.close()
        await self._end.write(*values)


@pytest.mark.parametrize("from_postgres", [False, True])
async def test_a_database_that_goes_away_stops_the_copy_with_a_line_and_it_goes_on(
    from_postgres, file, postgres, tmp_path, few_at_once
):
    fill_file(tmp_path / "from.db", await some_rows(postgres))
    source, target = file, postgres
    if from_postgres:
        await copied(file, postgres)
        source, target = postgres, f"sqlite:{tmp_path / 'back.db'}"
    with pytest.raises(CopyStoppedError, match="run the same command again: it goes on"):
        await copied(source, target, wrap=lambda end, role: Cut(end, postgres) if role == "to" else end)
    _, watch = await copied(source, target)
    assert watch.goes_on
    assert not watch.is_anew


async def test_no_server_starts_on_what_is_not_all_there(file, postgres, tmp_path, few_at_once):
    fill_file(tmp_path / "from.db", await some_rows(postgres))
    with pytest.raises(Killed):
        await copied(file, postgres, wrap=lambda end, _: Mortal(end, Life("write", 5)))
    store = kind.kind_of(postgres).make(postgres, context())
    with pytest.raises(DatabaseBeingCopiedError, match="from sqlite:"):
        await store.open()


async def test_a_backup_that_was_moved_still_starts_paused(file, postgres):
    at = ManualClock().now()
    connection = apsw.Connection(file.removeprefix("sqlite:"))
    connection.execute("INSERT INTO mark VALUES (1, 'backup', ?, NULL)", (at,))
    connection.close()
    await copied(file, postgres)
    assert await mark_of(postgres) == Mark(state=State.BACKUP, at=at)
    assert (await mark_of(file)).state is State.MOVED


async def test_the_inbox_is_copied_to_postgresql_and_a_file_has_none_so_nothing_in_it_is_lost(postgres, tmp_path):
    other = new_database()
    await prepare(Connector(other, is_pooled=False), migrates=True)
    row = (new_id(0), '{"webhook": {"delay": 1, "url": "http://h"}}')
    insert = "INSERT INTO tasker_inbox (id, request) VALUES ($1, $2)"
    writing = await asyncpg.connect(postgres)
    await writing.execute(insert, *row)
    with pytest.raises(NotHeldThereError, match="its inbox has 1 requests"):
        await copied(postgres, f"sqlite:{tmp_path / 'to.db'}")

    meanwhile = (new_id(0), row[1])

    class Compared(Mortal):
        async def sum(self, table, told):
            if table.name == "task":  # nobody waits while all the rest is compared
                await writing.execute(insert, *meanwhile, timeout=10)
            return await self._end.sum(table, told)

    async with end_of(postgres) as there, end_of(other) as here:
        moved = await copy(there, Compared(here, Life()), Watch())

    assert moved.tables["tasker_inbox"] == 2
    kept = {str(UUID(bytes=each["id"])) for each in await rows_in(other, "tasker_inbox")}
    assert kept == {row[0], meanwhile[0]}
    with pytest.raises(asyncpg.CheckViolationError, match="this_database_has_moved"):
        await writing.execute(insert, new_id(0), row[1])
    async with end_of(postgres) as end:
        await end.unmark()
    await writing.execute(insert, new_id(0), row[1])
    await writing.close()


async def test_no_end_is_closed_while_it_is_compared(file, tmp_path):
    life = Life()
    begun = asyncio.Event()

    class Failing(Mortal):
        async def sum(self, table, told):
            await begun.wait()
            raise Killed

    class AtWork(Mortal):
        async def sum(self, table, told):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)  # a thread, or PostgreSQL, has to end first
                self._life.append("ended")

    with pytest.raises(Killed):
        await copied(
            file,
            f"sqlite:{tmp_path / 'to.db'}",
            wrap=lambda end, role: Failing(end, Life()) if role == "from" else AtWork(end, life),
        )
    assert life[-1] == "ended"


WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


async def test_who_writes_to_the_inbox_meanwhile_is_waited_for_and_nothing_is_lost(postgres, tmp_path):
    writing = await asyncpg.connect(postgres)
    transaction = writing.transaction()
    await transaction.start()
    await writing.execute("INSERT INTO tasker_inbox (id, request) VALUES ($1, '{}')", new_id(0))
    copying_ = asyncio.create_task(copied(postgres, f"sqlite:{tmp_path / 'to.db'}"))
    look = await asyncpg.connect(postgres)
    async with asyncio.timeout(30):
        while not await look.fetchval(WAITING):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.05)
    await transaction.commit()
    with pytest.raises(NotHeldThereError):
        await copying_
    for connection in (writing, look):
        await connection.close()
    assert await mark_of(postgres) is None


async def told(store, ids):
    """Return all that a store says of tasks and of what is around them."""
    tasks = {id_: await store.standing(id_) for id_ in ids}
    return {
        "tasks": tasks,
        "attempts": {id_: list(await store.attempts(id_)) for id_ in ids},
        "gates": await store.gates(after=0, limit=100),
        "schedules": [await store.schedule(each.name) for each in await store.schedules(after=None, limit=10)],
        "keys": await store.key_state(),
        "audit": await store.audit(AuditQuery(), after=None, limit=100),
        "count": await store.count(up_to=10_000),
    }


@pytest.mark.parametrize("direction", ["sqlite-file to postgres", "postgres to sqlite-file"])
async def test_the_other_store_goes_on_with_all_of_it_where_the_first_one_stopped(direction, tmp_path):
    from_, _, to = direction.partition(" to ")
    there, here = KINDS[from_](tmp_path), KINDS[to](tmp_path / "to")
    (tmp_path / "to").mkdir()
    store = await there.open()
    population = await populate(store, there.clock)
    await put(store, there.clock, "nightly", every=60)
    await store.create_key(a_key("one"))
    operation = await begin(store, there.clock, Action.POSTPONE, by=86_400 * SECOND)
    assert (await store.next_operation()).id == operation.id
    operation = await step(store, operation, at_once=20)
    assert operation.is_running
    before = await told(store, population.made)
    await there.close()
    source = f"sqlite:{tmp_path / 'tasks.db'}" if from_ == "sqlite-file" else there._url
    target = f"sqlite:{tmp_path / 'to' / 'tasks.db'}"
    if to == "postgres":
        target, here.connection = await take_database(here.machine.now())
        here._url = target
    await copied(source, target, there.clock)
    store = await (here._open() if to == "postgres" else here.open())
    await here.clock.step(instants.seconds(there.clock.now() - here.clock.now()))

    after = await told(store, population.made)
    for name, value in before.items():
        assert after[name] == value, name

    running = sum(
        each.task.state is TaskState.IN_PROGRESS and each.task.node is not None for each in after["tasks"].values()
    )
    await here.clock.advance(PATIENCE.total_seconds())
    back = await store.take_back()
    assert running
    assert back.todo + back.failed + back.cancelled == running
    at_work = await store.next_operation()
    assert at_work.changed == operation.changed
    done = await work(store, at_work, at_once=20)
    assert done.changed + done.refused == done.matched == len(population.made) + 1, (
        "none is left out, and none met twice"
    )
    await here.close()
