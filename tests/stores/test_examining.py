"""A database as it is looked at, on real ones: whatever is wrong is found, and nothing is changed."""

import asyncio
import os
import subprocess
import sys

import apsw
import pytest

from databases import FOLLOW, new_database, query
from tasker.stores import queries
from tasker.stores.kind import StoreContext, kind_of
from tasker.stores.mark import Mark, State
from tasker.stores.postgres import ailments
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.marks import write_mark as write_mark_in_postgres
from tasker.stores.sqlite.examining import examine
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock

CLOCK = SystemClock()
LATER = 4_000_000_000_000_000
BODY = b'{"url":"http://localhost/","body":"%b"}' % (b"x" * 1_000)


def look(url, **context):
    """Examine a database as the command does, in a process that has no store open on it."""
    made = StoreContext(clock=CLOCK, follow=FOLLOW, pools={}, **context)
    return asyncio.run(kind_of(url).examine(url, made))


def wrong(examined):
    return [(each.code, each.what, each.mend) for each in examined.findings if each.code != "fine"]


def filled(path, tasks=300):
    """Make a database with tasks, which no server has open."""

    async def fill():
        store = SqliteStore(str(path), clock=CLOCK, follow=FOLLOW)
        await store.open()
        await store.create([a_task(due_at=LATER, payload=BODY) for _ in range(tasks)])
        await store.close()

    asyncio.run(fill())
    return path


def state_of(folder):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir()}


def test_a_database_that_nobody_has_open_is_read_and_left_as_it_was(tmp_path):
    path = filled(tmp_path / "tasks.db")
    before = state_of(tmp_path)
    examined = look(f"sqlite:{path}")
    assert wrong(examined) == []
    assert examined.findings[0].what == f"{path}: its structure is sound, and 300 tasks of it"
    assert (examined.holder, examined.is_new, len(examined.contents.gates)) == (None, False, 0)
    assert state_of(tmp_path) == before


def test_who_has_a_database_open_is_seen_and_what_is_in_its_log_is_read(tmp_path):
    path = filled(tmp_path / "tasks.db", tasks=1)
    program = "import apsw, sys; c = apsw.Connection(sys.argv[1]); c.pragma('journal_mode', 'wal'); "
    program += "c.execute('INSERT INTO pause (begin_at) VALUES (5)'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "open\n"
        examined = look(f"sqlite:{path}")
        assert (examined.holder, examined.contents.paused_at) == (f"process {process.pid}", 5)
        process.kill()
        process.wait()
    log = (tmp_path / "tasks.db-wal").stat().st_size
    examined = look(f"sqlite:{path}")
    assert (examined.holder, examined.contents.paused_at) == (None, 5), "the log of one that was killed counts"
    assert (tmp_path / "tasks.db-wal").stat().st_size == log > 0


def test_a_broken_copy_is_known_by_its_structure(tmp_path):
    path = filled(tmp_path / "tasks.db")
    with path.open("r+b") as file:  # no store has it open
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    examined = look(f"sqlite:{path}")
    ((code, what, mend),) = wrong(examined)
    assert (code, mend) == ("damaged", "stop the server, and restore a backup: tasker db restore")
    assert what.startswith(f"{path} is damaged: ")
    assert examined.contents is None


def test_a_task_without_its_body_is_found(tmp_path):
    path = filled(tmp_path / "tasks.db", tasks=20)
    connection = apsw.Connection(str(path))
    connection.execute("DELETE FROM payload WHERE seq = 7")
    connection.close()
    ((code, what, _),) = wrong(look(f"sqlite:{path}"))
    assert (code, what) == (
        "damaged",
        f"{path} is damaged: the task in row 7 has no body, or its index does not find it",
    )


def test_a_large_database_is_looked_at_for_so_long_and_no_longer(tmp_path):
    path = filled(tmp_path / "tasks.db", tasks=2_000)
    examined = examine(str(path), StoreContext(clock=CLOCK, follow=FOLLOW, pools={}), patience=0.0)
    assert wrong(examined) == []
    assert examined.findings[0].what.endswith(
        "what was looked at in 0 s is sound, and 500 tasks of it; tasker db check looks at all of it"
    )


@pytest.mark.parametrize(
    ("content", "code", "what"),
    [
        (b"no database at all, but long enough to be taken for one" * 20, "cannot_open", "the file is not a tasker"),
        (b"", None, None),
    ],
)
def test_a_file_that_is_something_else_is_refused_as_at_a_start(tmp_path, content, code, what):
    path = tmp_path / "tasks.db"
    path.write_bytes(content)
    path.chmod(0o600)
    found = wrong(look(f"sqlite:{path}"))
    assert [each[0] for each in found] == ([code] if code else [])
    if what:
        assert what in found[0][1]
        assert found[0][2] == "choose another with --database-url"


def test_a_database_of_another_program_or_of_a_newer_version_is_refused(tmp_path):
    path = filled(tmp_path / "tasks.db", tasks=1)
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    ((code, what, mend),) = wrong(look(f"sqlite:{path}"))
    assert (code, mend) == ("tables_too_new", "install that version or a later one")
    assert "a newer tasker wrote it (schema 99" in what

    other = tmp_path / "other.db"
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    other.chmod(0o600)
    assert [each[0] for each in wrong(look(f"sqlite:{other}"))] == ["cannot_open"]


def test_one_that_is_not_there_and_one_in_memory_are_new(tmp_path):
    missing = look(f"sqlite:{tmp_path / 'none.db'}")
    assert (wrong(missing), missing.is_new, [*tmp_path.iterdir()]) == ([], True, [])
    assert look("sqlite::memory:").is_new


def test_a_file_that_may_not_be_read_is_not_looked_at(tmp_path, monkeypatch):
    path = filled(tmp_path / "tasks.db", tasks=1)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    examined = look(f"sqlite:{path}")
    user = path.owner()
    assert wrong(examined)[0] == (
        "not_read",
        f"{path} belongs to {user}, and {user} may not read it",
        f"sudo -u {user} tasker doctor",
    )
    assert examined.contents is None


def test_a_link_is_followed_and_a_second_name_is_a_fault(tmp_path):
    path = filled(tmp_path / "tasks.db", tasks=1)
    (tmp_path / "link.db").symlink_to(path)
    assert wrong(look(f"sqlite:{tmp_path / 'link.db'}")) == []
    os.link(path, tmp_path / "name.db")
    ((code, what, mend),) = wrong(look(f"sqlite:{path}"))
    assert (code, mend) == ("misplaced", "remove the other names, or use a symbolic link")
    assert what.startswith(f"{path}: it is a hard link, one of several names of a file")


MARKS = [
    (State.COPYING, "being_copied", "tasks are being copied into it from sqlite:a.db, and not all are there"),
    (State.MOVED, "moved", "its tasks have moved to sqlite:a.db"),
    (State.BACKUP, "is_backup", "is a copy that was made at 1970-01-01T00:00:01.000000Z"),
]


@pytest.mark.parametrize(("state", "code", "what"), MARKS)
def test_the_mark_of_a_file_is_told(tmp_path, state, code, what):
    path = filled(tmp_path / "tasks.db", tasks=1)
    connection = apsw.Connection(str(path))
    connection.execute(
        queries.load("tasker.stores.sqlite")["put_mark"],
        {"state": state.value, "at": 1_000_000, "other": None if state is State.BACKUP else "sqlite:a.db"},
    )
    connection.close()
    ((found, said, _),) = wrong(look(f"sqlite:{path}"))
    assert found == code
    assert what in said


# PostgreSQL


@pytest.fixture(scope="module")
def migrated():
    """A database with tables, which no server uses."""
    url = new_database()
    made = StoreContext(clock=CLOCK, follow=FOLLOW, pools={})
    asyncio.run(kind_of(url).migrate(url, made))
    return url


def without_risks(examined):
    """Leave out that the server of the tests does not sync."""
    return [each for each in wrong(examined) if each[0] != "risky_setting"]


def test_a_postgresql_database_is_read_in_all_its_parts(migrated):
    examined = look(migrated)
    assert without_risks(examined) == []
    assert [each.check for each in examined.findings] == [
        *("database", "durability", "connections", "pooler", "locks", "upkeep")
    ]
    assert examined.engine.startswith("PostgreSQL ")
    assert abs(examined.clock_offset) < 1
    assert (examined.is_new, examined.contents.nodes, examined.contents.inbox.refused) == (False, [], 0)


def test_one_without_tables_is_new_and_stays_so():
    url = new_database()
    examined = look(url)
    assert (without_risks(examined), examined.is_new, examined.contents) == ([], True, None)
    assert query(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    ((code, what, mend),) = without_risks(look(url, no_migrate=True))
    assert (code, mend) == ("tables_outdated", "run: tasker db migrate")
    assert "its tables have schema 0, but this tasker needs schema 4" in what


def test_a_schema_of_its_own_is_looked_into(migrated):
    assert look(migrated, schema="elsewhere").is_new
    assert not look(migrated).is_new


def test_the_mark_of_a_postgresql_database_is_told():
    url = new_database()
    asyncio.run(kind_of(url).migrate(url, StoreContext(clock=CLOCK, follow=FOLLOW, pools={})))

    async def put(mark):
        connection = await Connector(url, is_pooled=False).connect()
        await write_mark_in_postgres(connection, queries.load("tasker.stores.postgres"), mark)
        await connection.close()

    for state, code, what in MARKS:
        asyncio.run(put(Mark(state=state, at=1_000_000, other=None if state is State.BACKUP else "sqlite:a.db")))
        ((found, said, _),) = without_risks(look(url))
        assert found == code
        assert what in said


def test_a_postgresql_that_is_down_is_said_without_the_password():
    ((code, what, mend),) = wrong(look("postgresql://me:canary-secret@127.0.0.1:1/tasks"))
    assert (code, what, mend) == (
        "unreachable",
        "postgresql://127.0.0.1:1/tasks: nothing is listening there",
        "check the host and the port, and that PostgreSQL is running",
    )


def test_a_database_or_a_user_that_is_not_there_is_said(migrated):
    ((code, what, mend),) = wrong(look(f"{migrated.rpartition('/')[0]}/none_of_this_name"))
    assert (code, mend) == ("unreachable", "createdb, or name another in --database-url")
    assert 'there is no database of this name (database "none_of_this_name" does not exist)' in what


def test_the_limit_of_a_role_leaves_too_few_connections(migrated):
    query(migrated, "DROP ROLE IF EXISTS tight")
    query(migrated, "CREATE ROLE tight LOGIN CONNECTION LIMIT 5")
    try:
        url = migrated.replace("//postgres@", "//tight@")
        unread, found = without_risks(look(url))
        assert (unread[0], found[0]) == ("not_read", "too_few_connections")
        assert unread[1].endswith(": its tables cannot be read: permission denied for table tasker_schema")
        assert "a server takes 11, and 5 are free" in found[1]
        assert "the role may have 5, 0 used" in found[1]
    finally:
        query(migrated, "DROP ROLE tight")


def test_a_lock_that_others_wait_for_and_a_long_transaction_are_found_by_their_process(migrated, monkeypatch):
    monkeypatch.setattr(ailments, "LONG_WAIT", 0.0)
    monkeypatch.setattr(ailments, "LONG_TRANSACTION", 0.0)

    async def run():
        connector = Connector(migrated, is_pooled=False)
        holding = await connector.connect(idle_in_transaction_session_timeout="0")
        waiting = await connector.connect()
        async with holding.transaction():
            await holding.execute("LOCK TABLE sign_in")
            asked = asyncio.ensure_future(waiting.execute("SELECT * FROM sign_in"))
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while not await holding.fetchval(waits):  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.01)
            made = StoreContext(clock=CLOCK, follow=FOLLOW, pools={})
            examined = await kind_of(migrated).examine(migrated, made)
            process = holding.get_server_pid()
        await asked
        await holding.close()
        await waiting.close()
        return without_risks(examined), process

    found, process = asyncio.run(run())
    assert [(each[0], each[2]) for each in found] == [
        ("blocked", f'psql -c "SELECT pg_terminate_backend({process})"'),
        ("old_transaction", f'psql -c "SELECT pg_terminate_backend({process})"'),
    ]
