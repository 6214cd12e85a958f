"""What happens to a server whose database file is moved, damaged, or on a disk that is full."""

import json
import resource
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError

import apsw
import pytest

from polling import until
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

LATER = "2126-02-10T16:30:00Z"


def create(server, body="x" * 1000, at=LATER, url="http://localhost:1/"):
    return server.call("POST", "/tasks/new", {"webhook": {"execution_time": at, "url": url, "body": body}})["id"]


def soon():
    return (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()


def refused(call, *arguments):
    """Return the status with which a call is refused."""
    with pytest.raises(HTTPError) as refusal:
        call(*arguments)
    return refusal.value.code


def unready(server):
    """Return why the server is not ready; None if it is."""
    try:
        server.call("GET", "/readyz")
    except HTTPError as error:
        return json.load(error)["reason"]
    return None


def events(server):
    return [json.loads(line)["event"] for line in server.log.read_text().splitlines()]


@pytest.mark.parametrize("name", ["tasks.db", "tasks.db-wal"])
def test_a_file_that_is_moved_is_noticed_and_nothing_is_accepted_until_it_is_back(tmp_path, name):
    with TaskerServer(tmp_path) as server:
        before = create(server)
        (tmp_path / name).rename(tmp_path / "elsewhere")
        assert "moved or removed" in unready(server)
        assert refused(create, server) == 503
        (tmp_path / name).write_bytes(b"")  # something else in its place
        assert refused(create, server) == 503
        (tmp_path / "elsewhere").rename(tmp_path / name)
        until(lambda: unready(server) is None, "it is well again")
        after = create(server)
        said = [event for event in events(server) if "moved or removed" in event]
        assert len(said) >= 1
        server.kill()
        server.start()
        for task_id in (before, after):
            assert server.call("GET", f"/tasks/{task_id}")["webhook"]["state"] == "todo"


def test_a_file_that_is_damaged_is_said_until_the_next_start(tmp_path):
    with TaskerServer(tmp_path) as server:
        for _ in range(100):
            create(server)
        server.stop()
        content = (tmp_path / "tasks.db").read_bytes()
        pages = [content[start : start + 4096] for start in range(0, len(content), 4096)]
        noise = [b"\xa5" * 4096 if b"x" * 400 in page else page for page in pages]  # where the bodies are
        (tmp_path / "tasks.db").write_bytes(b"".join(noise))
        server.start()
        assert refused(server.call, "GET", "/tasks/state/todo") == 503
        until(lambda: "damaged" in str(unready(server)), "it says so")
        assert any("damaged" in event for event in events(server))


def test_a_start_on_a_full_disk_after_a_kill_reads_and_mends_itself_when_there_is_room(tmp_path):
    with WebhookReceiver() as receiver, TaskerServer(tmp_path) as server:
        waiting = create(server, body="x" * 50_000)
        running = create(server, body="x" * 50_000, at=soon(), url=receiver.url("/slow/30"))
        receiver.wait_for(1)
        server.kill()

        size = (tmp_path / "tasks.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until(lambda: unready(server) is not None, "it says so")
        assert server.call("GET", f"/tasks/{waiting}")["webhook"]["state"] == "todo"
        assert refused(create, server) in (503, 507)

        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        receiver.wait_for(2)
        assert {delivery.headers["webhook-id"] for delivery in receiver.deliveries()} == {running}
        until(lambda: unready(server) is None, "it is well again")
        create(server)


def test_a_log_that_a_reader_made_grow_shrinks_again(tmp_path):
    with TaskerServer(tmp_path) as server:
        create(server)
        reader = apsw.Connection(str(tmp_path / "tasks.db"), flags=apsw.SQLITE_OPEN_READONLY)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM task").fetchall()
        log = tmp_path / "tasks.db-wal"
        while log.stat().st_size < 48 << 20:
            create(server, body="x" * 900_000)
        reader.execute("COMMIT")
        reader.close()
        until(lambda: create(server, body="x" * 100_000) and log.stat().st_size <= 33 << 20, "it is short again")
