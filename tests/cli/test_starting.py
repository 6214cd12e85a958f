"""From the first moment on a process hears signals, needs no standard streams, and says what it waits for."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import Request, urlopen

import asyncpg
import pytest
from command import COMMAND, environment, one_line_of, refusal, run, serving, soon

from databases import new_database
from polling import until
from ports import free_port
from tasker.cli import process
from tasker.stores.postgres.schema import _LOCK
from tasker.testing.webhook_receiver import WebhookReceiver, answer

pytestmark = pytest.mark.usefixtures("new_interpreters")

LATER = "2126-02-10T16:30:00Z"


def accepts(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def events(log):
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


@pytest.fixture(autouse=True)
def hangups():
    """Let servers hear of SIGHUP, also if these tests were started with nohup, as a child would inherit it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def migrated_elsewhere():
    """The URL of a database that another process seems to be migrating."""
    url = new_database()
    with asyncio.Runner() as runner:
        holder = runner.run(asyncpg.connect(url))
        runner.run(holder.execute(f"SELECT pg_advisory_lock({_LOCK})"))
        yield url
        runner.run(holder.close())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_start_that_waits_says_so_lets_nobody_in_and_ends_with_a_signal(tmp_path, migrated_elsewhere, number):
    port, log = free_port(), tmp_path / "stderr.txt"
    options = ["--listen-port", str(port), "--database-url", migrated_elsewhere]
    with log.open("wb") as stderr:
        starting = subprocess.Popen([*COMMAND, *options], cwd=tmp_path, env=environment(), stderr=stderr)
    try:
        until(lambda: "waiting for another process" in log.read_text(), "it says what it waits for")
        assert not accepts(port)
        starting.send_signal(number)
        assert starting.wait(30) == 0
    finally:
        starting.kill()
    assert events(log)[-2:] == ["stopping before the start is complete", "stopped"]


def test_a_start_that_waits_for_another_program_says_so_and_ends_with_a_signal(tmp_path):
    log = tmp_path / "stderr.txt"
    hold = "import sqlite3; c = sqlite3.connect('tasks.db'); c.execute('BEGIN EXCLUSIVE'); print(flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    holder.stdout.readline()
    try:
        with log.open("wb") as stderr:
            starting = subprocess.Popen(
                [*COMMAND, "--listen-port", "0"], cwd=tmp_path, env=environment(), stderr=stderr
            )
        until(lambda: "waiting for the database" in log.read_text(), "it says what it waits for")
        starting.send_signal(signal.SIGTERM)
        assert starting.wait(30) == 0
    finally:
        starting.kill()
        holder.communicate("")
    assert events(log)[-1] == "stopped"


@pytest.mark.parametrize("closed", ["1>&-", "0<&- 1>&- 2>&-", "0<&-", "2>&-"])
def test_a_server_needs_no_standard_streams(tmp_path, closed):
    port = free_port()
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, "--listen-port", str(port)]
    server = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: accepts(port), "it listens")
        new = json.dumps({"hash": {"execution_time": LATER, "secret": "x"}}).encode()
        call = Request(f"http://127.0.0.1:{port}/tasks/new", new, {"content-type": "application/json"})
        assert urlopen(call, timeout=30).status == 201
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
    finally:
        server.kill()
    assert run(tmp_path, "db", "migrate").returncode == 0, "and nothing was printed into its database"


def test_sighup_drains_too_and_a_second_one_does_no_harm(tmp_path):
    free = threading.Event()

    def respond(_):
        assert free.wait(60)
        return answer(200)

    with WebhookReceiver(respond) as receiver, serving(tmp_path, "--listen-port", "0") as server:
        task = {"execution_time": soon(), "url": receiver.url(), "body": "x"}
        assert server.call("POST", "/tasks/new", {"webhook": task})[0] == 201
        receiver.wait_for(1)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "stopping" in server.stderr.read_text(), "it says that it stops")
        server.process.send_signal(signal.SIGHUP)
        free.set()
        assert server.process.wait(30) == 0


def test_after_nohup_a_server_serves_on_when_its_terminal_goes_away(tmp_path):
    with serving(tmp_path, "--listen-port", "0", command=["nohup", *COMMAND]) as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.call("GET", "/readyz")[0] == 200
        assert server.stop()[0] == 0


def test_signals_end_the_first_process_of_a_container_by_a_handler_since_the_kernel_spares_it(monkeypatch):
    handler = signal.getsignal(signal.SIGTERM)
    try:
        process.let_end(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        monkeypatch.setattr(os, "getpid", lambda: 1)
        process.let_end(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == process._end
    finally:
        signal.signal(signal.SIGTERM, handler)


FIRST = ["unshare", "--pid", "--map-root-user", "--fork", "--kill-child"]
"""Runs a command as process 1 of a container of its own."""

needs_containers = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*FIRST, "true"], check=False, capture_output=True).returncode != 0,
    reason="this machine lets nobody make a container",
)


def first_of(container):
    """The process id, out here, of the first process of a container."""
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children")
    until(children.read_text, "it has forked")
    return int(children.read_text())


@needs_containers
def test_the_first_process_of_a_container_heeds_signals_before_it_serves(tmp_path):
    early = "from tasker.cli import process; process.prepare(); print(flush=True); import time; time.sleep(60)"
    container = subprocess.Popen([*FIRST, sys.executable, "-c", early], cwd=tmp_path, stdout=subprocess.PIPE)
    container.stdout.readline()
    os.kill(first_of(container), signal.SIGTERM)
    assert container.wait(30) == 128 + signal.SIGTERM


@needs_containers
def test_the_first_process_of_a_container_drains_and_a_second_signal_ends_it(tmp_path):
    free = threading.Event()

    def respond(_):
        assert free.wait(60)
        return answer(200)

    with (
        WebhookReceiver(respond) as receiver,
        serving(tmp_path, "--listen-port", "0", command=[*FIRST, *COMMAND]) as server,
    ):
        task = {"execution_time": soon(), "url": receiver.url(), "body": "x"}
        assert server.call("POST", "/tasks/new", {"webhook": task})[0] == 201
        receiver.wait_for(1)
        os.kill(first_of(server.process), signal.SIGTERM)
        until(lambda: "stopping" in server.stderr.read_text(), "it says that it stops")
        assert server.process.poll() is None
        os.kill(first_of(server.process), signal.SIGTERM)
        assert server.process.wait(30) == 128 + signal.SIGTERM
        free.set()


@pytest.mark.parametrize("arguments", [["--listen-port", "0"], ["db", "migrate"], ["--config", "tasker.toml"]])
def test_a_working_folder_that_is_gone_is_said_in_one_line(tmp_path, arguments):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = ["sh", "-c", f'rmdir "{gone}" && exec "$@"', "sh", *COMMAND]
    line = refusal(run(gone, *arguments, command=command), 2 if "--config" in arguments else 1)
    assert "working folder" in line or "tasker.toml" in line


def test_what_nobody_expected_is_said_in_one_line_without_its_message(tmp_path):
    broken = (
        "import tasker.cli.server.sources as s; s.load = lambda *_, **__: 1 / {}['s3cret']; "
        "from tasker.cli import main; main()"
    )
    done = run(tmp_path, command=[sys.executable, "-c", broken])
    assert done.returncode == 1
    line = one_line_of(done.stdout, done.stderr)
    assert "KeyError in <string>:1" in line
    assert "s3cret" not in line


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands core dumps to programs")
def test_no_core_dump_is_made_even_for_a_program_that_collects_them(tmp_path):
    asks = (
        "import ctypes; from tasker.cli.server import serve; serve._set_limits(); "
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert run(tmp_path, command=[sys.executable, "-c", asks]).stdout == "0\n"
