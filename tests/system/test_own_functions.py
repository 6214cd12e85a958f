"""A real server and real workers: what is killed, what stops, and who may call."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tasker
from databases import new_database
from polling import until
from tasker.testing.server import TaskerServer

APP = """
import os
import threading
import time
from pathlib import Path

import tasker

app = tasker.App()


@app.task("pid")
def pid() -> int:
    return os.getpid()


@app.task("hold", retry={"max_attempts": 1})
def hold(seconds: float, name: str) -> str:
    with Path(name).open("a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(seconds)
    return name


@app.task("hold_async", retry={"max_attempts": 1})
async def hold_async(seconds: float, name: str) -> str:
    import asyncio

    with Path(name).open("a") as file:
        file.write(f"{os.getpid()}\\n")
    await asyncio.sleep(seconds)
    return name


@app.task("look")
def look() -> dict[str, object]:
    return {"variables": {name: value for name, value in os.environ.items() if name.startswith("TASKER_")}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    return ["--database-url", new_database()] if request.param == "postgresql" else []


@contextlib.contextmanager
def worker(folder, server, *options, key=None):
    """A worker of its own; killed in the end."""
    variables = {} if key is None else {"TASKER_KEY": key}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
    with (folder / "printed.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasker", "worker", "--app", "shop:app", "--url", server.url, *options],
            cwd=folder,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def log_of(server):
    lines = []
    for line in server.log.read_text().splitlines():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    return lines


def said(server, event):
    return [line for line in log_of(server) if line["event"] == event]


def is_there(pid):
    """Whether a process runs. One that has ended stays for whoever adopts it to see to, which may take a while."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def call(client, name, /, *, wait=60, **members):
    made = client.create(name, {"args": members}, delay=0)
    return client.wait(made.id, timeout=wait)


def test_the_server_runs_a_worker_for_its_app_and_both_stop_together(folder, database):
    with TaskerServer(folder, *database, "--app", "shop:app") as server, tasker.Client(server.url) as client:
        pid = call(client, "pid").result
        assert pid not in (os.getpid(), server.process.pid)
        made = client.create("hold", {"args": {"seconds": 1, "name": "began"}}, delay=0)
        until((folder / "began").exists, "the function runs")
        assert server.stop() == 0
        until(lambda: not is_there(pid), "the worker has ended")
        server.start()
        shown = client_of(server).get(made.id)
        assert (shown.state, shown.result, shown.attempts) == ("done", "began", 1)
        assert said(server, "stopped")


def client_of(server):
    return tasker.Client(server.url)


def test_what_does_not_end_in_the_grace_period_goes_back_and_uses_up_no_attempt(folder):
    options = ["--app", "shop:app", "--grace-period", "0.5"]
    with TaskerServer(folder, *options) as server:
        client = client_of(server)
        ids = [
            client.create(name, {"args": {"seconds": 600, "name": name}}, delay=0).id for name in ("hold", "hold_async")
        ]
        until((folder / "hold").exists, "the thread runs")
        until((folder / "hold_async").exists, "the coroutine runs")
        assert server.stop() == 0
        server._options = ("--app", "shop:app", "--app-workers", "0")
        server.start()
        for task_id in ids:
            shown = client_of(server).get(task_id)
            assert (shown.state, shown.attempts, shown.last_error) == ("todo", 0, None)


def test_a_worker_of_the_server_that_is_killed_is_replaced_and_the_log_says_so(folder):
    with TaskerServer(folder, "--app", "shop:app") as server, tasker.Client(server.url) as client:
        first = call(client, "pid").result
        os.kill(first, signal.SIGKILL)
        event = "a worker of the app has ended, starting another"
        until(lambda: said(server, event), "the server has seen it")
        second = call(client, "pid").result
        assert second != first
        (line,) = said(server, event)
        assert (line["ended"], line["after_seconds"]) == ("SIGKILL", 1.0)


def test_the_workers_of_a_server_that_is_killed_end_too(folder):
    with TaskerServer(folder, "--app", "shop:app", "--app-workers", "2") as server:
        until(lambda: len(said(server, "working")) == 2, "both work")
        pids = [line["worker_pid"] for line in said(server, "started a worker of the app")]
        assert len(set(pids)) == 2
        server.kill()
        until(lambda: not any(map(is_there, pids)), "both have ended")


def test_without_workers_calls_wait_for_one_from_elsewhere(folder, database):
    options = [*database, "--app", "shop:app", "--app-workers", "0"]
    with TaskerServer(folder, *options) as server, tasker.Client(server.url) as client:
        made = client.create("pid", {}, delay=0)
        assert said(server, "started a worker of the app") == []
        with worker(folder, server) as process:
            assert client.wait(made.id, timeout=60).result == process.pid


def test_a_call_whose_worker_is_killed_is_made_by_another_and_uses_up_no_attempt(folder, database):
    options = [*database, "--app", "shop:app", "--app-workers", "0"]
    with TaskerServer(folder, *options) as server, tasker.Client(server.url) as client:
        with worker(folder, server, "--lease", "3s") as killed:
            made = client.create("hold", {"args": {"seconds": 5, "name": "calls"}}, delay=0)
            until((folder / "calls").exists, "the function runs")
            killed.kill()
        with worker(folder, server, "--lease", "3s") as other:
            shown = client.wait(made.id, timeout=90)
            assert (shown.state, shown.result, shown.attempts) == ("done", "calls", 1)
            assert (folder / "calls").read_text().split() == [str(killed.pid), str(other.pid)]


def test_a_worker_outlives_a_kill_of_the_server_and_tells_it_what_has_ended(folder, database):
    options = [*database, "--app", "shop:app", "--app-workers", "0"]
    with TaskerServer(folder, *options) as server:
        port = server.url.rpartition(":")[2]
        client = client_of(server)
        with worker(folder, server):
            made = client.create("hold", {"args": {"seconds": 2, "name": "calls"}}, delay=0)
            until((folder / "calls").exists, "the function runs")
            server.kill()
            time.sleep(2)  # the function ends while there is no server
            server._options = (*options, "--listen-port", port)
            server.start()
            shown = client_of(server).wait(made.id, timeout=60)
            assert (shown.state, shown.result, shown.attempts) == ("done", "calls", 1)
            assert len((folder / "calls").read_text().split()) == 1


def test_a_worker_that_is_told_to_stop_ends_well(folder):
    with TaskerServer(folder, "--app", "shop:app", "--app-workers", "0") as server, tasker.Client(server.url) as client:
        with worker(folder, server) as process:
            made = client.create("hold", {"args": {"seconds": 1, "name": "calls"}}, delay=0)
            until((folder / "calls").exists, "the function runs")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        assert client.get(made.id).state == "done"


def test_the_key_of_the_servers_workers_is_for_them_alone_and_stands_nowhere(folder):
    (folder / "keys").write_text("0123456789abcdef-admin admin ops\n")
    options = ["--app", "shop:app", "--api-keys-file", "keys"]
    with TaskerServer(folder, *options) as server:
        client = tasker.Client(server.url, "0123456789abcdef-admin")
        variables = call(client, "look").result["variables"]
        assert variables == {"TASKER_URL": server.url}, "neither the key of the worker nor the server's settings"
        pid = call(client, "pid").result
        environment = dict(
            part.split("=", 1) for part in _environment_of(pid).split("\0") if part.startswith("TASKER_WORKER_KEY=")
        )
        key = environment["TASKER_WORKER_KEY"]
        theirs = tasker.Client(server.url, key, retries=0)
        assert theirs.queues.claim("reports") == []
        for refused in (lambda: theirs.create("pid", {}, delay=0), lambda: list(theirs.find()), theirs.stats):
            with pytest.raises(tasker.ScopeMissing):
                refused()
        assert list(client.keys.find()) == []
        server.stop()
        stored = b"".join(path.read_bytes() for path in folder.glob("tasks.db*"))
        assert key.encode() not in stored
        assert key not in server.log.read_text()
        server.start()
        with pytest.raises(tasker.Unauthorized):
            tasker.Client(server.url, key, retries=0).queues.claim("reports")


def _environment_of(pid):
    return Path(f"/proc/{pid}/environ").read_text()


def test_a_worker_with_a_key_for_one_function_runs_that_one(folder):
    (folder / "keys").write_text("0123456789abcdef-admin admin ops\n")
    options = ["--app", "shop:app", "--app-workers", "0", "--api-keys-file", "keys"]
    with TaskerServer(folder, *options) as server:
        client = tasker.Client(server.url, "0123456789abcdef-admin")
        server.call(
            *("POST", "/keys", {"name": "ops", "role": "admin"}),
            headers={"authorization": "Bearer 0123456789abcdef-admin"},
        )
        made = server.call(
            *("POST", "/keys", {"name": "w", "scopes": ["queues:work:type:pid"]}),
            headers={"authorization": "Bearer 0123456789abcdef-admin"},
        )
        with worker(folder, server, "--only", "pid", key=made["key"]) as process:
            assert call(client, "pid").result == process.pid


def test_an_app_that_cannot_be_loaded_is_said_and_nothing_starts(folder):
    for command in (["serve", "--listen-port", "0"], ["worker"]):
        done = subprocess.run(
            [sys.executable, "-m", "tasker", *command, "--app", "shop:nothing"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "--app shop:nothing: expected a tasker.App in shop, got: nothing of that name" in done.stderr
