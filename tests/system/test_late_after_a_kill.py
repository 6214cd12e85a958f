"""A server that is killed: what came due meanwhile says that no server was running."""

import time

import pytest

from databases import new_database
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

OUTAGE = 7.5
"""Seconds: longer than a span must be, and the time between two looks."""


def new(server, receiver, delay):
    return server.call("POST", "/tasks/new", {"webhook": {"delay": delay, "url": receiver.url("/")}})["id"]


def once_done(server, task_id):
    while (task := server.call("GET", f"/tasks/{task_id}?wait=10")["webhook"])["state"] != "done":
        pass
    return task


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_comes_due_while_the_server_is_dead_is_late_because_it_was_down(tmp_path, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        first = new(server, receiver, delay=0)
        once_done(server, first)  # it has looked for due tasks, and will not run this one again
        task_id = new(server, receiver, delay=4)
        server.kill()
        time.sleep(OUTAGE)  # the outage itself
        server.start()
        task = once_done(server, task_id)

        causes = task["lateness_by_cause_seconds"]
        assert causes["down"] > 1
        assert causes["held"] == 0
        assert causes["own"] < causes["down"], "what passed between the first look and the start"
        assert sum(round(part * 1e6) for part in causes.values()) == round(task["lateness_seconds"] * 1e6)
        assert server.call("GET", "/stats")["lateness_by_cause_seconds"]["down"]["max"] == causes["down"]
