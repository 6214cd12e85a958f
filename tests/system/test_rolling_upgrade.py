"""Nodes of this version and of the one before on one database: the one before is run from the repository's history."""

import io
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from urllib.error import HTTPError

import pytest

from databases import new_database, query
from polling import until
from tasker.service.upgrading import NEWER_MEMBERS
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.wire.fields import HashFields, RequestFields, WebhookFields

ROOT = Path(__file__).parents[2]
FIRST_OF_THIS_VERSION = "src/tasker/stores/postgres/migrations/0003_finding_and_changing.sql"
"""The version before is what was there before this file."""

CAN_BE_IGNORED = {"delay", "id", "on_cancel", "on_conflict", "max_wait", "traceparent"}
"""Members of a new task that are unknown to the version before, and need not be known."""


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """The folder of the source of the version before."""
    found = git("log", "--diff-filter=A", "--format=%H", "--", FIRST_OF_THIS_VERSION).split()
    archive = git("archive", f"{found[-1].decode()}^", "src") if found else b""
    if not archive:
        pytest.skip("the repository's history does not go back to the version before")
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder / "src"


def git(*command):
    """The output of a command of git; nothing if it fails."""
    done = subprocess.run(["git", "-C", ROOT, *command], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


@pytest.fixture
def url():
    return new_database()


@pytest.fixture
def node(tmp_path, monkeypatch):
    """Starts a node: ``node("name", url, source=...)``."""
    started = []

    def start(name, database, *options, source=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with monkeypatch.context() as environment:
            if source is not None:
                environment.setenv("PYTHONPATH", str(source))
            server = TaskerServer(folder, "--database-url", database, *options)
            started.append(server)
            server.start()
        return server

    yield start
    for server in started:
        server.kill()


def refusal(server, method, path, body=None):
    with pytest.raises(HTTPError) as refused:
        server.call(method, path, body)
    return refused.value.code, json.loads(refused.value.read())["code"]


def new_webhook(server, receiver, **more):
    webhook = {"execution_time": in_seconds(10), "url": receiver.url("/"), "body": "x", **more}
    return server.call("POST", "/tasks/new", {"webhook": webhook})["id"]


def in_seconds(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_both_versions_run_each_others_tasks_and_what_is_new_waits_until_the_older_has_ended(older, url, node):
    before = node("before", url, "--egress", "lan", source=older)
    assert query(url, "SELECT version FROM tasker_schema") == [(2,)], "it is the version before"
    with WebhookReceiver() as receiver:
        waiting = [new_webhook(before, receiver, execution_time=in_seconds(10)) for _ in range(50)]
        after = node("after", url, "--egress", "lan")
        made = [new_webhook(each, receiver) for _ in range(100) for each in (before, after)]
        # A task that fails at first, and one that is run before its time.
        failing = new_webhook(after, receiver, url=receiver.url("/status/500"), retry={"max_attempts": 1})
        early = new_webhook(after, receiver, execution_time=in_seconds(3_600))
        after.call("POST", f"/tasks/{early}/run")
        for refused in ({"tags": ["a"]}, {"keep": "forever"}):
            task = {"execution_time": in_seconds(60), "url": receiver.url(), "body": "x", **refused}
            assert refusal(after, "POST", "/tasks/new", {"webhook": task}) == (503, "upgrade_unfinished")
        later = new_webhook(before, receiver, execution_time=in_seconds(3_600))
        assert refusal(after, "POST", f"/tasks/{later}/cancel") == (503, "upgrade_unfinished")
        assert refusal(after, "POST", "/pause") == (503, "upgrade_unfinished")

        for server in (before, after):  # both read all
            until(lambda: state(server, failing) == "failed", "it has not failed")  # noqa: B023 - called at once
            for task_id in (*waiting, *made, early):
                until(lambda: state(server, task_id) == "done", "not all have run")  # noqa: B023 - as above
        ran = {task["node"] for task_id in made for task in after.call("GET", f"/tasks/{task_id}/attempts")}
        assert ran == {each["id"] for each in after.call("GET", "/nodes")}, "each has run some"
        sent = [delivery.headers["webhook-id"] for delivery in receiver.deliveries("/")]
        assert sorted(sent) == sorted([*waiting, *made, early]), "each was sent once"

        with pytest.raises(RuntimeError, match="--paused can be used once no node of the previous version"):
            node("paused", url, "--paused")

        before.call("POST", f"/tasks/{failing}/retry")
        running = new_webhook(before, receiver, url=receiver.url("/slow/2"))
        until(lambda: state(before, running) != "todo", "it has not begun")
        assert before.stop() == 0
        until(lambda: query(url, "SELECT version = least FROM tasker_schema") == [(True,)], "it is not finished")
        until(lambda: cancelled(after, later), "nothing can be cancelled")
        until(lambda: state(after, running) == "done", "it was lost")
        assert "Traceback" not in before.log.read_text()
        assert not [line for line in before.log.read_text().splitlines() if '"error"' in line]

        with pytest.raises(RuntimeError, match="a newer tasker wrote it"):
            node("again", url, source=older)
        tagged = new_webhook(after, receiver, tags=["a"])
        until(lambda: state(after, tagged) == "done", "it was not sent")
        assert state(after, later) == "cancelled"
        assert after.call("POST", "/pause")["paused"]


def test_every_member_of_a_new_task_is_known_to_the_version_before_or_waits_or_can_be_ignored(older):
    """A new member has to be put into one of the two lists: see the table in ``docs/decisions``."""
    print_members = (
        "from tasker.wire import fields as f; "
        "print(*f.WebhookFields.__struct_fields__, *f.HashFields.__struct_fields__, 'execution_time')"
    )
    done = subprocess.run(
        [sys.executable, "-c", print_members],
        env={**os.environ, "PYTHONPATH": str(older)},
        capture_output=True,
        check=True,
        text=True,
    )
    today = {
        *WebhookFields.__struct_fields__,
        *HashFields.__struct_fields__,
        *RequestFields.__struct_fields__,
    }
    assert today - {*done.stdout.split()} - {*NEWER_MEMBERS} == CAN_BE_IGNORED


def test_an_older_node_that_is_killed_is_waited_for_until_its_lease_has_ended(older, url, node):
    before = node("before", url, source=older)
    after = node("after", url)
    with WebhookReceiver() as receiver:
        later = new_webhook(after, receiver, execution_time=in_seconds(3_600))
        before.kill()
        assert refusal(after, "POST", f"/tasks/{later}/cancel") == (503, "upgrade_unfinished")
        until(lambda: cancelled(after, later), "nothing can be cancelled")


def test_the_version_before_refuses_a_sqlite_file_of_this_one(older, tmp_path, node):
    database = f"sqlite:{tmp_path}/tasks.db"
    before = node("before", database, source=older)
    with WebhookReceiver() as receiver:
        task_id = new_webhook(before, receiver, execution_time=in_seconds(3_600))
        before.stop()
        after = node("after", database)
        assert state(after, task_id) == "todo"
        assert cancelled(after, task_id)
        after.stop()
    with pytest.raises(RuntimeError, match="a newer tasker wrote it"):
        node("again", database, source=older)


def state(server, task_id):
    (task,) = server.call("GET", f"/tasks/{task_id}").values()
    return task["state"]


def cancelled(server, task_id):
    """Cancel a task, and return whether that was possible."""
    try:
        server.call("POST", f"/tasks/{task_id}/cancel")
    except HTTPError as refused:
        if refused.code != 503:
            raise
        return False
    return True
