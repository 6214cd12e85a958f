"""Everything is stopped with one call: on all nodes, over restarts, and from the start on."""

from datetime import UTC, datetime
from urllib.error import HTTPError

import pytest

from databases import new_database
from polling import until
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver


@pytest.fixture
def node(tmp_path):
    """Starts a node: ``node("name", "--database-url", url)``."""
    started = []

    def start(name, *options):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        server = TaskerServer(folder, "--egress", "lan", *options)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


def new(server, receiver, **more):
    asked = {"webhook": {"delay": 0, "url": receiver.url("/"), "body": "x", **more}}
    return server.call("POST", "/tasks/new", asked)["id"]


def started_at(server, task_id):
    return datetime.fromisoformat(server.call("GET", f"/tasks/{task_id}")["webhook"]["started_at"])


def test_of_three_nodes_none_starts_anything_until_any_of_them_is_told_to_go_on(node):
    database = ("--database-url", new_database())
    nodes = [node(f"n{number}", *database) for number in range(3)]
    until(lambda: _is_finished(nodes[0]), "the tables are not up to date")
    with WebhookReceiver() as receiver:
        nodes[1].call("POST", "/pause")
        waiting = [new(each, receiver) for _ in range(20) for each in nodes]
        until(lambda: all("note" in each.call("GET", "/readyz") for each in nodes), "not all nodes say it")
        for each in nodes:
            assert each.call("GET", f"/tasks/{waiting[0]}/explain")["reason"] == "paused_all"
        assert receiver.deliveries("/") == []

        resumed_at = datetime.now(UTC)
        nodes[2].call("POST", "/resume")
        until(lambda: len(receiver.deliveries("/")) == len(waiting), "not all have started")
        until(lambda: not any("note" in each.call("GET", "/readyz") for each in nodes), "not all nodes go on")
        for task_id in waiting:
            assert 0 <= (started_at(nodes[0], task_id) - resumed_at).total_seconds() < 20
            parts = nodes[0].call("GET", f"/tasks/{task_id}")["webhook"]["lateness_by_cause_seconds"]
            assert parts["held"] > 0
        for each in nodes:
            assert "everything is paused" in each.log.read_text()
            assert "everything was resumed" in each.log.read_text()


def _is_finished(server):
    try:
        server.call("POST", "/pause")
    except HTTPError as refused:
        if refused.code != 503:
            raise
        return False
    server.call("POST", "/resume")
    return True


def test_a_pause_outlives_a_kill_and_a_server_can_start_paused(node):
    with WebhookReceiver() as receiver:
        server = node("one", "--paused")
        until(lambda: "everything is paused" in server.log.read_text(), "the log does not say it")
        task_id = new(server, receiver)
        server.kill()
        server = node("one")
        note = server.call("GET", "/readyz")["note"]
        assert note.startswith("everything is paused since ")
        assert receiver.deliveries("/") == []
        resumed_at = datetime.now(UTC)
        server.call("POST", "/resume")
        until(lambda: receiver.deliveries("/"), "it has not started")
        until(lambda: server.call("GET", f"/tasks/{task_id}")["webhook"]["started_at"], "its start is not written")
        assert started_at(server, task_id) >= resumed_at
        assert receiver.deliveries("/")[0].headers["webhook-id"] == task_id
        server.kill()
        assert "note" not in node("one").call("GET", "/readyz")
