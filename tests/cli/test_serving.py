"""The server as a process: the line that says it is ready, its databases, its log, and how it ends."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import serving, soon

from polling import until
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer

LATER = "2126-02-10T16:30:00Z"
INSTALLED = [Path(sys.executable).with_name("tasker")]


def ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("command", [[], ["serve"]])
def test_a_free_port_is_announced_in_one_line_once_it_answers(tmp_path, command):
    with serving(tmp_path, *command, variables={"LISTEN_PORT": "0"}, command=INSTALLED) as server:
        assert re.fullmatch(r"Listening on http://127\.0\.0\.1:[1-9]\d*\n", server.first_line)
        assert server.call("GET", "/readyz")[0] == 200
        assert server.stop() == (0, ""), "standard output has that line alone"


@pytest.mark.skipif(not ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_announced_as_urls_write_it(tmp_path):
    with serving(tmp_path, "--listen-port", "0", "--listen-ip", "::1") as server:
        assert re.fullmatch(r"Listening on http://\[::1\]:\d+\n", server.first_line)
        assert server.call("GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite://folder/relative.db", "folder/relative.db"),
        ("sqlite://{folder}/absolute.db?mode=rwc", "absolute.db"),
    ],
)
def test_a_database_url_makes_its_file_for_the_user_alone_and_finds_it_again(tmp_path, url, file):
    (tmp_path / "folder").mkdir()
    options = ["--listen-port", "0", "--database-url", url.format(folder=tmp_path)]
    with serving(tmp_path, *options) as server:
        status, body = server.call("POST", "/tasks/new", {"hash": {"execution_time": LATER, "secret": "x"}})
        assert status == 201
        for made in (file, f"{file}-wal", f"{file}.lock"):
            assert (tmp_path / made).stat().st_mode & 0o777 == 0o600
        assert server.stop()[0] == 0
    with serving(tmp_path, *options) as server:
        assert server.call("GET", f"/tasks/{json.loads(body)['id']}")[0] == 200
    assert not (tmp_path / "tasks.db").exists()


def test_a_database_in_memory_leaves_no_file(tmp_path):
    with serving(tmp_path, "--listen-port", "0", "--database-url", "sqlite::memory:") as server:
        assert server.call("POST", "/tasks/new", {"hash": {"execution_time": LATER, "secret": "x"}})[0] == 201
        assert server.stop()[0] == 0
    assert [file.name for file in tmp_path.iterdir()] == [server.stderr.name]


def test_options_variables_and_keys_reach_the_server_in_this_order(tmp_path):
    (tmp_path / "tasker.toml").write_text("listen_port = 0\ndatabase_url = 'sqlite:key.db'\nmax_body_bytes = 1024\n")
    variables = {"DATABASE_URL": "sqlite:variable.db", "LISTEN_IP": "192.0.2.1"}
    with serving(tmp_path, "--listen-ip", "127.0.0.1", variables=variables) as server:
        assert server.ip == "127.0.0.1"
        assert {file.name for file in tmp_path.glob("*.db")} == {"variable.db"}
        assert server.call("POST", "/tasks/new", b"x" * 1025)[0] == 413


def test_keys_are_asked_for_where_others_can_reach_the_server(tmp_path):
    variables = {"TASKER_API_KEYS": "0123456789abcdef"}
    with serving(tmp_path, "--listen-port", "0", "--listen-ip", "0.0.0.0", variables=variables) as server:
        assert server.call("GET", "/stats")[0] == 401
        assert server.call("GET", "/stats", headers={"authorization": "Bearer 0123456789abcdef"})[0] == 200
        assert server.call("GET", "/readyz")[0] == 200


@pytest.mark.parametrize(
    ("options", "terminal", "as_json"),
    [
        ([], False, True),
        (["--log-format", "console"], False, False),
        ([], True, False),
        (["--log-format", "json"], True, True),
    ],
)
def test_the_log_is_json_unless_it_is_for_people(tmp_path, options, terminal, as_json):
    ours, theirs = pty.openpty()
    with serving(tmp_path, "--listen-port", "0", *options, stderr=theirs if terminal else None) as server:
        assert server.stop()[0] == 0
    os.close(theirs)
    text = everything_on(ours) if terminal else server.stderr.read_text()
    os.close(ours)

    lines = text.splitlines()
    assert [word for word in ("serving", "stopping", "stopped") if word not in text] == []
    if as_json:
        records = [json.loads(line) for line in lines]
        events = [record["event"] for record in records]
        assert list(dict.fromkeys(events)) == ["migrated the database", "serving", "stopping", "stopped"]
        assert all(record["level"] == "info" and record["timestamp"].endswith("Z") for record in records)
    else:
        assert not any(line.startswith("{") for line in lines)
        assert ("\x1b[" in text) == terminal, "colours are for terminals"


def everything_on(terminal):
    """What was written to a terminal whose other side is closed. It comes in pieces."""
    parts = []
    with contextlib.suppress(OSError):  # Linux says EIO where a file would end
        while part := os.read(terminal, 65_536):
            parts.append(part)
    return b"".join(parts).decode()


def test_the_log_level_is_the_least_that_is_logged(tmp_path):
    with serving(tmp_path, "--listen-port", "0", variables={"RUST_LOG": "warn"}) as server:
        assert server.stop()[0] == 0
    assert server.stderr.read_text() == ""


def test_a_server_whose_log_nobody_reads_any_more_serves_on(tmp_path):
    reading, writing = os.pipe()
    with serving(tmp_path, "--listen-port", "0", stderr=writing) as server, WebhookReceiver() as receiver:
        os.close(writing)
        os.close(reading)
        task = {"execution_time": soon(), "url": receiver.url("/status/500"), "body": "x"}
        assert server.call("POST", "/tasks/new", {"webhook": task})[0] == 201
        receiver.wait_for(2)  # the failure of the first attempt was logged
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0


def test_a_running_webhook_may_end_within_the_grace_period(tmp_path):
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, "--grace-period", "30") as server:
        task_id = create_webhook(server, receiver.url("/slow/1"))
        receiver.wait_for(1)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0

        server.start()
        assert state_of(server, task_id) == ("done", 1)
        assert len(receiver.deliveries()) == 1


def test_a_webhook_that_exceeds_the_grace_period_is_given_back_and_uses_no_attempt(tmp_path):
    free = threading.Event()
    with blocking_receiver(free) as receiver, TaskerServer(tmp_path, "--grace-period", "0.3") as server:
        task_id = create_webhook(server, receiver.url())
        receiver.wait_for(1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0

        free.set()
        server.start()
        until(lambda: state_of(server, task_id) == ("done", 1), "the task is done at its first attempt that counts")
        assert [delivery.headers["webhook-id"] for delivery in receiver.deliveries()] == [task_id, task_id]
        assert "took back" not in server.log.read_text(), "it was given back before the end"


def test_a_second_signal_leaves_at_once_and_loses_nothing(tmp_path):
    free = threading.Event()
    with blocking_receiver(free) as receiver, TaskerServer(tmp_path, "--grace-period", "3600") as server:
        task_id = create_webhook(server, receiver.url())
        receiver.wait_for(1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in server.log.read_text(), "it says that it stops")
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == -signal.SIGINT

        free.set()
        server.start()
        until(lambda: state_of(server, task_id)[0] == "done", "the task is done")
        assert "took back" in server.log.read_text()


def test_a_server_that_drains_claims_and_accepts_nothing_more(tmp_path):
    free = threading.Event()
    with blocking_receiver(free) as receiver, TaskerServer(tmp_path, "--grace-period", "30") as server:
        running = create_webhook(server, receiver.url("/first"))
        receiver.wait_for(1, path="/first")
        due_at = datetime.now(UTC) + timedelta(seconds=1.5)
        create_webhook(server, receiver.url("/second"), due_at=due_at)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not is_listening(server), "it listens no more")
        assert datetime.now(UTC) < due_at, "this machine is too slow for this test"
        until(lambda: datetime.now(UTC) > due_at + timedelta(seconds=0.2), "the second task is overdue")
        free.set()
        assert server.process.wait(30) == 0
        assert receiver.deliveries("/second") == []

        server.start()
        receiver.wait_for(1, path="/second")
        assert state_of(server, running) == ("done", 1)


def create_webhook(server, url, due_at=None):
    task = {"execution_time": due_at.isoformat() if due_at else soon(), "url": url, "body": "x"}
    return server.call("POST", "/tasks/new", {"webhook": task})["id"]


def state_of(server, task_id):
    task = server.call("GET", f"/tasks/{task_id}")["webhook"]
    return task["state"], task["attempts"]


def is_listening(server):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", int(server.url.rpartition(":")[2]))) == 0


def blocking_receiver(free):
    """A receiver that answers nobody until *free* is set."""

    def respond(_):
        assert free.wait(60)
        return answer(200)

    return WebhookReceiver(respond)
