"""``tasker db backup``, ``restore``, ``restored``, ``check`` and ``vacuum``, beside servers and without them."""

import json
import threading
from pathlib import Path

import apsw
import pytest
from command import refusal, run, serving, soon

from databases import new_database, query
from polling import until
from tasker.testing.webhook_receiver import WebhookReceiver

NO_ROOM = 100_000


def ran(folder, *arguments, **more):
    """Run a command of ``tasker db`` that prints one line of JSON, and return that."""
    done = run(folder, "db", *arguments, **more)
    assert done.returncode == 0, done
    (line,) = done.stdout.splitlines()
    return json.loads(line)


def refused(folder, code, *arguments, **more):
    """Run a command of ``tasker db`` that is refused with an exit code; return what it says."""
    done = run(folder, "db", *arguments, "--output", "json", **more)
    assert (done.returncode, done.stdout) == (code, ""), done
    return json.loads(done.stderr.splitlines()[-1])


def webhook(url, **fields):
    return {"webhook": {"url": url, **fields}}


def state_of(server, id_):
    (view,) = json.loads(server.call("GET", f"/tasks/{id_}")[1]).values()
    return view["state"]


def backed_up(folder, server, receiver):
    """Make a backup of a task that has run since, however long a backup takes. Return the id of the task."""
    for delay in (2, 4, 8, 16, 32):
        before = len(receiver.deliveries())
        _, body = server.call("POST", "/tasks/new", webhook(receiver.url(), execution_time=soon(delay)))
        ran(folder, "backup", "copy.db")
        has_run = len(receiver.deliveries()) > before
        receiver.wait_for(before + 1, timeout_seconds=60)
        if not has_run:
            return json.loads(body)["id"]
    raise AssertionError("a backup takes more than half a minute")


@pytest.fixture(scope="module")
def receiver():
    with WebhookReceiver() as found:
        yield found


def test_a_backup_beside_a_busy_server_is_one_line_of_json_and_holds_all_that_was_answered_before(tmp_path):
    with serving(tmp_path, "--listen-port", "0") as server:
        answered, is_over = [], threading.Event()

        def create():
            while not is_over.is_set():
                status, body = server.call("POST", "/tasks/new", {"hash": {"secret": "a", "delay": "1h"}})
                assert status == 201
                answered.append(json.loads(body)["id"])

        creating = threading.Thread(target=create)
        creating.start()
        until(lambda: len(answered) > 20, "it comes so far")
        before = list(answered)
        made = ran(tmp_path, "backup", "copy.db")
        is_over.set()
        creating.join()
        assert server.stop()[0] == 0
    assert set(made) == {"path", "copied_at", "tasks", "bytes", "seconds", "removed"}
    assert made["path"] == str(tmp_path / "copy.db")
    connection = apsw.Connection(str(tmp_path / "copy.db"), flags=apsw.SQLITE_OPEN_READONLY)
    stored = {row[0].hex() for row in connection.execute("SELECT id FROM task")}
    connection.close()
    assert {id_.replace("-", "") for id_ in before} <= stored
    assert made["tasks"] == len(stored)


def test_a_restored_server_starts_paused_says_so_and_calls_with_the_same_id_once_it_is_resumed(tmp_path, receiver):
    host = receiver.url("")
    with serving(tmp_path, "--listen-port", "0") as server:
        backed_up(tmp_path, server, receiver)
        problem = refused(tmp_path, 4, "restore", "copy.db")
        assert problem["code"] == "database_in_use"
        assert server.stop()[0] == 0
    before = receiver.deliveries()

    done = run(tmp_path, "db", "restore", "copy.db")
    assert "the next server starts paused" in done.stderr
    said = json.loads(done.stdout)
    assert (said["paused"], said["cancelled"]) == (True, None)
    assert said["due"] == {
        "since": 1,
        "before": 0,
        "schedules": 0,
        "by": [{"type": "webhook", "destination": host, "since": 1, "before": 0}],
    }
    assert Path(said["replaced"]).exists()
    with serving(tmp_path, "--listen-port", "0") as server:
        health = json.loads(server.call("GET", "/readyz")[1])
        assert "everything is paused since" in health["note"]
        assert "this database is a copy" in server.stderr.read_text()
        assert len(receiver.deliveries()) == len(before)
        server.call("POST", "/resume")
        receiver.wait_for(len(before) + 1)
        assert receiver.deliveries()[-1].headers["webhook-id"] == before[-1].headers["webhook-id"]
        assert server.stop()[0] == 0


@pytest.mark.parametrize("decided", ["run", "cancel"])
def test_what_came_due_since_the_copy_runs_or_is_cancelled_as_was_decided(tmp_path, decided):
    with WebhookReceiver() as receiver:
        with serving(tmp_path, "--listen-port", "0") as server:
            id_ = backed_up(tmp_path, server, receiver)
            assert server.stop()[0] == 0
        before = len(receiver.deliveries())
        said = ran(tmp_path, "restore", "copy.db", "--due-since-copy", decided)
        assert (said["paused"], said["cancelled"]) == (False, 1 if decided == "cancel" else None)
        state = "done" if decided == "run" else "cancelled"
        with serving(tmp_path, "--listen-port", "0") as server:
            until(lambda: state_of(server, id_) == state, "it comes so far")
            assert json.loads(server.call("GET", "/readyz")[1]).get("note") is None
            assert len(receiver.deliveries()) == before + (decided == "run")
            assert server.stop()[0] == 0


@pytest.mark.parametrize("decided", [None, "run", "cancel"])
def test_restored_has_servers_on_postgresql_start_paused_or_decides(tmp_path, receiver, decided):
    url = new_database()
    at = ("--database-url", url)
    with serving(tmp_path, "--listen-port", "0", *at) as server:
        _, body = server.call("POST", "/tasks/new", webhook(receiver.url(), execution_time=soon(3600)))
        assert refused(tmp_path, 4, "restored", *at)["code"] == "database_in_use"
        assert server.stop()[0] == 0
    query(url, "UPDATE task SET due_at = now() - interval '1 s', execution_at = due_at")
    more = () if decided is None else ("--due-since-copy", decided)
    said = ran(tmp_path, "restored", "--copied-at", "2020-01-01T00:00:00Z", *at, *more)
    assert said["copied_at"] == "2020-01-01T00:00:00.000000Z"
    assert (said["due"]["since"], said["due"]["before"]) == (1, 0)
    assert said["due"]["by"] == [{"type": "webhook", "destination": receiver.url(""), "since": 1, "before": 0}]
    assert (said["paused"], said["cancelled"]) == (decided is None, 1 if decided == "cancel" else None)
    state = {None: "todo", "run": "done", "cancel": "cancelled"}[decided]
    with serving(tmp_path, "--listen-port", "0", *at) as server:
        id_ = json.loads(body)["id"]
        until(lambda: state_of(server, id_) == state, "it comes so far")
        note = json.loads(server.call("GET", "/readyz")[1]).get("note", "")
        assert note.startswith("everything is paused") is (decided is None)
        assert server.stop()[0] == 0


def test_on_postgresql_the_commands_name_the_tools_to_use_without_the_password(tmp_path):
    at = ("--database-url", "postgresql://me:s3cret@127.0.0.1:1/tasks")
    for arguments, words in (
        (("backup", "copy.dump"), "pg_dump --format=custom --file=copy.dump postgresql://127.0.0.1:1/tasks"),
        (("restore", "copy.dump"), "pg_restore --dbname=postgresql://127.0.0.1:1/tasks copy.dump; before a server"),
        (("vacuum",), "VACUUM (FULL, ANALYZE)"),
    ):
        line = refusal(run(tmp_path, "db", *arguments, *at), 2)
        assert words in line
        assert "s3cret" not in line
    assert "run: tasker db restored" in refusal(run(tmp_path, "db", "backup", "copy.dump", *at), 2)


def test_check_says_what_is_wrong_on_either_database_and_ends_with_1(tmp_path):
    for at in ("sqlite:tasks.db", new_database()):
        with serving(tmp_path, "--listen-port", "0", "--database-url", at) as server:
            server.call("POST", "/tasks/new", {"hash": {"secret": "a", "delay": "1h"}})
            said = ran(tmp_path, "check", "--database-url", at)  # beside a server
            assert (said["is_well"], said["tasks"], said["findings"]) == (True, 1, [])
            assert server.stop()[0] == 0
        if at.startswith("sqlite"):
            connection = apsw.Connection(str(tmp_path / "tasks.db"))
            connection.execute("DELETE FROM payload")
            connection.close()
        else:
            query(at, "DELETE FROM payload")
        done = run(tmp_path, "db", "check", "--database-url", at)
        said = json.loads(done.stdout)
        assert (done.returncode, said["is_well"]) == (1, False)
        (finding,) = said["findings"]
        assert (finding["code"], finding["count"]) == ("no_payload", 1)
        assert "restore a backup" in finding["remedy"]
        table = run(tmp_path, "db", "check", "--database-url", at, "--output", "table").stdout
        assert "1 tasks have no body, and cannot run" in table


def test_vacuum_says_what_was_gained_and_refuses_beside_a_server(tmp_path):
    with serving(tmp_path, "--listen-port", "0") as server:
        ids = []
        for _ in range(10):
            asked = webhook("http://localhost:1/", body="x" * 50_000, delay="1h")
            _, body = server.call("POST", "/tasks/new", asked)
            ids.append(json.loads(body)["id"])
        for id_ in ids:
            server.call("DELETE", f"/tasks/{id_}")
        assert refused(tmp_path, 4, "vacuum")["code"] == "database_in_use"
        assert server.stop()[0] == 0
    said = ran(tmp_path, "vacuum")
    assert said["bytes_before"] > said["bytes_after"] + 400_000
    assert said["bytes_after"] == (tmp_path / "tasks.db").stat().st_size


def test_what_a_backup_cannot_do_has_an_exit_code_and_says_why(tmp_path):
    assert refused(tmp_path, 3, "backup", "copy.db")["code"] == "no_database"
    run(tmp_path, "db", "migrate")
    (tmp_path / "notes.txt").write_text("mine")
    assert refused(tmp_path, 4, "backup", "notes.txt")["code"] == "in_the_way"
    assert "is a folder" in refused(tmp_path, 1, "backup", ".")["detail"]
    assert "does not exist; make it first" in refused(tmp_path, 1, "backup", "missing/copy.db")["detail"]
    done = run(tmp_path, "db", "backup", "copy.db", longest_file=NO_ROOM)
    assert f"cannot write {tmp_path}/copy.db.part" in refusal(done, 1)
    assert "in memory" in refused(tmp_path, 1, "backup", "copy.db", "--database-url", "sqlite::memory:")["detail"]
    assert refused(tmp_path, 2, "backup", "copy.db", "--keep", "0")["exit_code"] == 2
    assert refused(tmp_path, 1, "restore", "notes.txt")["code"] == "copy_unusable"
    assert "--copied-at" in refused(tmp_path, 2, "restored", "--copied-at", "yesterday")["detail"]
    assert not list(tmp_path.glob("copy*"))


def test_a_table_is_for_people(tmp_path):
    run(tmp_path, "db", "migrate")
    table = run(tmp_path, "db", "backup", "copy.db", "--keep", "1", "--output", "table").stdout
    assert [line.split()[0] for line in table.splitlines()] == ["copy", "of", "tasks", "size", "took"]
    (copy,) = tmp_path.glob("copy-*.db")
    table = run(tmp_path, "db", "restore", copy.name, "--output", "table").stdout
    assert "tasks, which may have run already" in table
