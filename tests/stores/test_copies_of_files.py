"""Backups, restores and vacuums of a SQLite file: whole, or nothing, wherever they are killed."""

import fcntl
import itertools
import os
import re
import signal
import sys

import apsw
import pytest

from databases import FOLLOW
from tasker.errors import (
    CopyUnusableError,
    DatabaseError,
    DatabaseInUseError,
    DatabaseMovedError,
    DatabaseTooNewError,
    InTheWayError,
    MaintenanceError,
    NotADatabaseError,
)
from tasker.model.instants import SECOND
from tasker.model.task import Pool
from tasker.stores import queries
from tasker.stores.invariants import INVARIANTS
from tasker.stores.mark import Mark, State
from tasker.stores.sqlite import copies
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.maintenance import SqliteMaintenance
from tasker.stores.sqlite.marks import read_mark, write_mark
from tasker.stores.sqlite.store import SqliteStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

KILLED_AT = ("open", "os.rename", "os.remove", "os.truncate", "os.chmod", "os.link", "ctypes.dlsym")
"""Before the system is asked for one of these, and between the parts of a copy, a process can be killed."""


def nobody(step, done, total):
    pass


class Place:
    """A folder with a database, and what is done to it."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "tasks.db"
        self.clock = ManualClock()
        self.maintenance = SqliteMaintenance(str(self.path), self.clock)

    def store(self, path=None):
        return SqliteStore(str(path or self.path), clock=self.clock, follow=FOLLOW)

    async def create(self, count, **how):
        store = self.store()
        await store.open()
        tasks = [a_task(due_at=self.clock.now() + 3600 * SECOND, **how) for _ in range(count)]
        await store.create(tasks)
        await store.close()
        return [task.id for task in tasks]

    def back_up(self, name="copy.db", keep=None):
        return self.maintenance.back_up(self.folder / name, keep=keep, tell=nobody)

    def restore(self, name="copy.db", *, paused=True, with_ids=False):
        return self.maintenance.restore(self.folder / name, paused=paused, with_ids=with_ids, tell=nobody)

    def names(self):
        return {each.name for each in self.folder.iterdir()}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def count(path):
    """How many tasks a database has that is whole."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        assert connection.execute("PRAGMA integrity_check").get == "ok"
        return connection.execute("SELECT count(*) FROM task").get
    finally:
        connection.close()


def mark_of(path):
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return read_mark(Queries(connection, queries.load("tasker.stores.sqlite")))
    finally:
        connection.close()


def change(path, *statements):
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def in_a_process(work):
    """Run *work* in a process of its own, since a second SQLite must not open a file that this one has open."""
    process = os.fork()
    if not process:
        try:
            work()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    return os.waitpid(process, 0)[1]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def killed_everywhere(work):
    """Run *work* in processes that are killed at their first, second, third ... step; yield after each.

    The last one comes to its end.
    """
    for last in itertools.count(1):
        steps = itertools.count(1)

        def step(*_, steps=steps, last=last):
            if next(steps) == last:
                die()

        def worked(step=step):
            sys.addaudithook(lambda event, _: step() if event in KILLED_AT else None)
            work(step)

        status = in_a_process(worked)
        yield
        if not os.WIFSIGNALED(status):
            assert status == 0
            return


async def test_a_copy_is_one_file_that_only_its_owner_reads_with_the_moment_that_it_shows(place):
    await place.create(3)
    made = place.back_up()
    assert (made.path, made.tasks, made.removed) == (place.folder / "copy.db", 3, [])
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.bytes == made.path.stat().st_size
    assert mark_of(made.path) == Mark(state=State.BACKUP, at=place.clock.now())
    assert {each for each in place.names() if each.startswith("copy")} == {"copy.db"}
    assert count(made.path) == 3


async def test_a_copy_has_what_is_committed_and_the_server_goes_on(place):
    store = place.store()
    await store.open()
    await store.create([a_task(due_at=place.clock.now()) for _ in range(5)])
    assert (place.folder / "tasks.db-wal").stat().st_size, "in the log alone"
    assert in_a_process(place.back_up) == 0
    await store.create([a_task(due_at=place.clock.now())])
    await store.close()
    assert (count(place.folder / "copy.db"), count(place.path)) == (5, 6)


async def test_a_backup_that_is_killed_anywhere_leaves_the_copy_before_and_no_half_one(place):
    await place.create(1)
    place.back_up()
    await place.create(1)
    target = place.folder / "copy.db"
    found = []
    for _ in killed_everywhere(lambda step: place.maintenance.back_up(target, keep=None, tell=step)):
        found.append(count(target))
        assert place.names() <= {
            "tasks.db",
            "tasks.db-wal",
            "tasks.db-shm",
            "tasks.db.lock",
            "copy.db",
            "copy.db.part",
        } | {f"copy.db.part{end}" for end in ("-wal", "-shm", "-journal")}
    assert found[0] == 1
    assert found[-1] == 2
    assert found == sorted(found)
    assert len(found) > 10
    assert not [name for name in place.names() if "part" in name], "the next run has done away with what was left"


async def test_a_restore_that_is_killed_anywhere_leaves_the_old_database_or_the_new_one(place):
    await place.create(1)
    place.back_up()
    await place.create(1)
    found = []
    for _ in killed_everywhere(
        lambda step: place.maintenance.restore(place.folder / "copy.db", paused=True, with_ids=False, tell=step)
    ):
        store = place.store()
        await store.open()
        counts = await store.count(up_to=10)
        is_new = sum(counts.values()) == 1
        assert (store.paused_at is not None) is is_new, "the new one starts paused"
        found.append(is_new)
        await store.close()
        if is_new:  # else the next one has nothing to replace
            asides = list(place.folder.glob("tasks.db.replaced-*Z*"))
            asides = [each for each in asides if not each.name.endswith(("-wal", "-shm"))]
            assert max(map(count, asides)) == 2, "the old one is kept"
            await place.create(1)
            for each in asides:
                each.unlink()
    assert found[-1]
    assert len(found) > 10


async def test_what_is_broken_off_leaves_nothing_behind(place, monkeypatch):
    monkeypatch.setattr(copies, "_STEPS", 100)
    await place.create(1)
    place.back_up()

    def break_off(step, *_):
        if step == "checking":
            raise KeyboardInterrupt

    target = place.folder / "copy.db"
    whole = target.read_bytes()
    await place.create(100)
    for work in (
        lambda: place.maintenance.back_up(target, keep=None, tell=break_off),
        lambda: place.maintenance.vacuum(break_off),
    ):
        with pytest.raises(KeyboardInterrupt):
            work()
    assert target.read_bytes() == whole
    assert not [name for name in place.names() if "part" in name or "vacuuming" in name]
    assert count(place.path) == 101


async def test_a_vacuum_that_is_killed_anywhere_leaves_a_whole_database(place):
    await place.create(30, payload=b'{"url":"' + b"x" * 20_000 + b'"}')
    before = place.path.stat().st_size
    change(place.path, "DELETE FROM payload WHERE seq > 1", "DELETE FROM task WHERE seq > 1")
    for _ in killed_everywhere(place.maintenance.vacuum):
        assert count(place.path) == 1
    assert place.path.stat().st_size < before / 2
    assert not [name for name in place.names() if "vacuuming" in name]
    store = place.store()
    await store.open()
    assert sum((await store.count(up_to=10)).values()) == 1
    await store.close()


async def test_keep_puts_the_moment_into_the_name_and_removes_older_copies_once_the_new_one_is_there(place):
    await place.create(1)
    (place.folder / "copies").mkdir()
    others = [
        "nightly.db",
        "nightly-20200101T000000Z.db",
        "nightly-20200101T000000Z.db.gz",
        "other-20200101T000000Z.db",
    ]
    for name in others:
        (place.folder / "copies" / name).write_text("of somebody else")
    made = []
    for _ in range(4):
        made.append(place.back_up("copies/nightly.db", keep=2))
        await place.clock.advance(3600)
    assert re.fullmatch(r"nightly-\d{8}T\d{6}Z\.db", made[0].path.name)
    assert [len(each.removed) for each in made] == [0, 0, 1, 1]
    left = {each.name for each in (place.folder / "copies").iterdir()}
    assert left == {made[2].path.name, made[3].path.name, *others}


async def test_the_new_copy_stays_even_if_the_clock_was_set_back(place):
    await place.create(1)
    place.back_up(keep=1)
    await place.clock.advance(-3600)
    made = place.back_up(keep=1)
    assert made.path.exists()
    assert len(made.removed) == 1


async def test_nothing_else_is_overwritten(place):
    await place.create(1)
    text = place.folder / "notes.txt"
    text.write_text("of somebody else")
    other = Place(place.folder / "other")
    other.folder.mkdir()
    await other.create(2)
    for name, words in (
        ("notes.txt", "not a copy that tasker has made"),
        ("other/tasks.db", "not a copy that tasker has made"),
        ("tasks.db", "belongs to the database itself"),
        ("tasks.db-wal", "belongs to the database itself"),
    ):
        with pytest.raises(InTheWayError, match=words):
            place.back_up(name)
    (place.folder / "copy.db.part").write_text("of somebody else")
    with pytest.raises(InTheWayError, match="no tasker has made it"):
        place.back_up()
    (place.folder / "copy.db.part").unlink()
    (place.folder / "copy.db.part").symlink_to(text)
    with pytest.raises(InTheWayError, match="no ordinary file"):
        place.back_up()
    assert text.read_text() == "of somebody else"
    assert (count(place.path), count(other.path)) == (1, 2)


async def test_a_copy_on_which_a_server_was_started_is_a_database_and_is_not_overwritten(place):
    await place.create(1)
    place.back_up()
    started = place.store(place.folder / "copy.db")
    await started.open()
    await started.close()
    with pytest.raises(InTheWayError, match="not a copy that tasker has made"):
        place.back_up()


async def test_what_cannot_be_written_is_said(place, monkeypatch):
    await place.create(1)
    with pytest.raises(MaintenanceError, match=r"is a folder; name the file, such as .*/tasks\.db"):
        place.back_up(".")
    with pytest.raises(MaintenanceError, match=r"the folder .* does not exist; make it first"):
        place.back_up("missing/copy.db")
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 100, 10, 10, 0, 0, 0, 0, 255)))
    with pytest.raises(MaintenanceError, match=r"no space is left for .*: .* MB are needed, and .* MB are free"):
        place.back_up()
    assert not [name for name in place.names() if name.startswith("copy")]


async def test_two_backups_to_one_name_do_not_meet(place):
    await place.create(1)
    with (place.folder / "copy.db.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(InTheWayError, match="another process is writing"):
            place.back_up()


async def test_what_cannot_be_read_back_gets_no_name(place, monkeypatch):
    await place.create(1)
    place.back_up()
    await place.create(1)
    real = copies.damage_of

    def written_badly(part, counts, tell):
        with part.path.open("r+b") as file:
            file.seek(3 * 4096)
            file.write(b"\xff" * 4096)
        monkeypatch.setattr(copies, "damage_of", real)
        return read_back(part, counts, tell)

    read_back = copies.read_back
    monkeypatch.setattr(copies, "read_back", written_badly)
    with pytest.raises(MaintenanceError, match="the copy is not whole"):
        place.back_up()
    assert count(place.folder / "copy.db") == 1
    assert "copy.db.part" not in place.names()


async def test_a_backup_needs_a_database_of_this_tasker(place):
    place.path.write_text("some text that is no database, and long enough for SQLite to look at" * 20)
    with pytest.raises(NotADatabaseError):
        place.back_up()
    place.path.unlink()
    change(place.path, "CREATE TABLE other (a)")
    with pytest.raises(NotADatabaseError):
        place.back_up()
    place.path.unlink()
    await place.create(1)
    change(place.path, "PRAGMA user_version = 99")
    with pytest.raises(DatabaseTooNewError):
        place.back_up()


async def test_where_the_tasks_have_moved_nothing_is_copied_or_restored(place):
    await place.create(1)
    place.back_up()
    connection = apsw.Connection(str(place.path))
    with connection:
        write_mark(
            Queries(connection, queries.load("tasker.stores.sqlite")),
            Mark(state=State.MOVED, at=1, other="postgresql://db1/tasks"),
        )
    connection.close()
    with pytest.raises(DatabaseMovedError):
        place.back_up("other.db")
    with pytest.raises(DatabaseMovedError):
        place.restore()
    assert mark_of(place.path).state is State.MOVED
    assert not [name for name in place.names() if name.startswith("other") or "replaced" in name]


def leave_a_log(place):
    """Write something, and end as a server that is killed: what it wrote is in the log alone."""

    def write():
        connection = apsw.Connection(str(place.path))
        connection.execute("UPDATE task SET created_by = 'in the log'")
        die()

    in_a_process(write)


async def test_a_restore_keeps_the_database_that_it_replaces_with_all_that_was_in_its_log(place):
    old = await place.create(1)
    place.back_up()
    leave_a_log(place)
    assert (place.folder / "tasks.db-wal").stat().st_size
    done = place.restore()
    assert done.tasks == 1
    connection = apsw.Connection(str(done.replaced))
    assert connection.execute("SELECT created_by FROM task").get == "in the log"
    connection.close()
    store = place.store()
    await store.open()
    assert (await store.get(old[0])).created_by is None
    await store.close()
    assert done.replaced.name.startswith("tasks.db.replaced-")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_what_root_puts_in_place_belongs_to_whom_it_belonged_to(place):
    await place.create(1)
    place.back_up()
    os.chown(place.path, 65_534, 65_534)
    for work in (place.restore, lambda: place.maintenance.vacuum(nobody)):
        work()
        assert (place.path.stat().st_uid, place.path.stat().st_mode & 0o777) == (65_534, 0o600)


async def test_a_restore_to_where_no_database_is_replaces_nothing(place):
    await place.create(2)
    place.back_up()
    place.path.unlink()
    done = place.restore()
    assert (done.tasks, done.replaced, count(place.path)) == (2, None, 2)
    assert not [name for name in place.names() if "replaced" in name or "restoring" in name]


async def test_a_database_that_is_damaged_is_replaced_too_and_its_log_meets_no_other(place):
    await place.create(1)
    place.back_up()
    place.path.write_bytes(b"SQLite format 3\0" + b"\xff" * 8192)
    (place.folder / "tasks.db-wal").write_bytes(b"its log")
    place.restore()
    assert "tasks.db-wal" not in place.names()
    assert count(place.path) == 1


async def test_the_log_of_a_damaged_database_is_kept_with_it(place):
    await place.create(200)
    place.back_up()
    leave_a_log(place)
    log = (place.folder / "tasks.db-wal").read_bytes()
    half = place.path.read_bytes()[: place.path.stat().st_size // 2]
    place.path.write_bytes(half)
    replaced = place.restore().replaced
    assert replaced.read_bytes() == half
    assert replaced.with_name(f"{replaced.name}-wal").read_bytes() == log
    assert "tasks.db-wal" not in place.names()
    assert count(place.path) == 200


async def test_a_copy_that_is_not_whole_replaces_nothing(place):
    await place.create(200)
    copy = place.back_up().path
    whole = copy.read_bytes()
    for content, words in (
        (b"", "not a tasker database"),
        (b"text" * 3000, "not a database"),
        (whole[: len(whole) // 2], "damaged"),
        (whole[:40960] + b"\xff" * 4096 + whole[45056:], "damaged"),
    ):
        copy.write_bytes(content)
        with pytest.raises((CopyUnusableError, MaintenanceError), match=words):
            place.restore()
    for name, words in (("missing.db", "there is no such file"), (".", "no ordinary file"), ("tasks.db", "itself")):
        with pytest.raises(CopyUnusableError, match=words):
            place.restore(name)
    assert not [name for name in place.names() if "replaced" in name or "restoring" in name]
    assert count(place.path) == 200


async def test_a_restore_and_a_vacuum_refuse_a_database_in_use(place):
    await place.create(1)
    place.back_up()
    store = place.store()
    await store.open()
    for work in (place.restore, lambda: place.maintenance.vacuum(nobody)):
        with pytest.raises(DatabaseInUseError):
            work()
    await store.close()


async def test_a_restore_refuses_while_another_program_reads_the_database(place):
    await place.create(1)
    place.back_up()

    def refused():
        with pytest.raises(DatabaseInUseError):
            place.restore()

    connection = apsw.Connection(str(place.path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM task").fetchall()
    assert in_a_process(refused) == 0
    connection.close()
    assert place.restore().tasks == 1


async def test_a_restore_does_not_replace_the_database_of_another_program(place):
    await place.create(1)
    place.back_up()
    place.path.unlink()
    change(place.path, "CREATE TABLE other (a)")
    with pytest.raises(NotADatabaseError):
        place.restore()


async def test_what_may_have_run_since_the_copy_is_counted_by_type_and_destination(place):
    store = place.store()
    await store.open()
    now = place.clock.now()
    mail, shop = "http://mail.example:80", "http://shop.example:80"
    running = a_task(due_at=now, host=mail)
    await store.create([running])
    assert len((await store.claim_due({running.pool: 1})).attempts) == 1
    since = [a_task(due_at=now + 5 * SECOND, host=mail), a_task(due_at=now + 10 * SECOND, host=mail)]
    before = [a_task(due_at=now, host=shop)]
    later = [a_task(due_at=now + 3600 * SECOND, host=mail)]
    gone = [a_task(due_at=now + SECOND, host=mail, expires_at=now + 2 * SECOND)]
    await store.create([*since, *before, *later, *gone])
    await store.close()
    place.back_up()
    await place.clock.advance(60)
    due = place.restore(with_ids=True).due
    assert [(each.type, each.destination, each.since, each.before) for each in due.counts] == [
        ("webhook", mail, 2, 1),
        ("webhook", shop, 0, 1),
    ]
    assert (due.since, due.before, due.copied_at) == (2, 2, now)
    assert set(due.ids) == {task.id for task in (running, *since, *before)}


async def test_a_copy_without_a_mark_shows_the_moment_of_the_last_look(place):
    store = place.store()
    await store.open()
    await store.claim_due({Pool(1): 1})
    await store.close()
    place.path.rename(place.folder / "copy.db")
    looked_at = place.clock.now()
    await place.clock.advance(60)
    assert place.restore().due.copied_at == looked_at
    assert mark_of(place.path) == Mark(state=State.BACKUP, at=looked_at)


async def test_a_database_that_was_put_back_by_other_means_is_marked_as_a_copy(place):
    await place.create(1)
    place.maintenance.note_restored(5 * SECOND, paused=True, with_ids=False)
    assert mark_of(place.path) == Mark(state=State.BACKUP, at=5 * SECOND)
    place.maintenance.note_restored(None, paused=False, with_ids=False)
    assert mark_of(place.path) is None
    place.path.unlink()
    with pytest.raises(DatabaseError, match="there is no such file"):
        place.maintenance.note_restored(None, paused=True, with_ids=False)
    assert "tasks.db" not in place.names()


BREAKING = {
    "no_payload": "DELETE FROM payload",
    "stray_payload": "INSERT INTO payload (seq, payload) VALUES (999, x'')",
    "bad_state": "UPDATE task SET state = 2",
    "bad_admission": "UPDATE task SET admission = 3",
    "no_pool": "DELETE FROM type_pool",
    "no_gate": "UPDATE task SET gate = 99",
    "held_for_ever": "UPDATE task SET held_by = gate",
    "queue_of_no_gate": "INSERT INTO gate_queue VALUES (99, 1, 0)",
    "bad_key": "UPDATE task SET holds_key = 1, key = NULL",
    "held_twice": "DROP INDEX task_key_holder; UPDATE task SET holds_key = 1, key = 'a'",
    "half_schedule": "INSERT INTO schedule VALUES ('a', 1, 'webhook', '{}', 0, 0, 0, NULL, NULL, NULL)",
    "run_twice": "DROP INDEX task_run; UPDATE task SET schedule = 'a', run_kind = 0, scheduled_for = 1",
    "stray_attempt": "INSERT INTO attempt VALUES (999, 1, '{}')",
    "stray_tag": "INSERT INTO tag VALUES ('a', 999)",
}


async def test_a_check_finds_each_thing_that_is_wrong_and_says_what_to_do(place):
    await place.create(2, host="http://mail.example:80")
    checked = place.maintenance.check(nobody)
    assert (checked.tasks, checked.findings) == (2, [])
    whole = place.path.read_bytes()
    for code, breaking in BREAKING.items():
        place.path.write_bytes(whole)
        change(place.path, breaking)
        findings = place.maintenance.check(nobody).findings
        assert code in [each.code for each in findings], code
        found = next(each for each in findings if each.code == code)
        assert found.count >= 1
        assert f"{found.count:,}" in found.problem
        assert found.remedy
        for each in place.folder.iterdir():
            if each.name != "tasks.db":
                each.unlink()
    assert set(BREAKING) == set(INVARIANTS)


async def test_a_check_finds_a_damaged_file(place):
    await place.create(200)
    content = bytearray(place.path.read_bytes())
    content[40960:45056] = b"\xff" * 4096
    place.path.write_bytes(content)
    (found,) = place.maintenance.check(nobody).findings
    assert (found.code, found.count) == ("damaged", 0)
    assert "restore a backup" in found.remedy


async def test_a_check_changes_nothing_and_works_on_a_copy_that_cannot_be_written(place):
    await place.create(2)
    copy = place.back_up().path
    before = copy.read_bytes()
    assert SqliteMaintenance(str(copy), place.clock).check(nobody).tasks == 2
    assert copy.read_bytes() == before
    assert mark_of(copy) is not None
