"""kill -9 while runs of schedules go on: each goes on until it has ended, and no other starts beside it."""

import collections
import itertools
import time

import pytest

from databases import new_database
from polling import until
from tasker.model import instants
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver
from tasker.timing.clock import SystemClock

KILLS = 2
"""In a row, of the same run at worst: the third would end it."""

OVERLAPS = ["skip", "queue"]

LOOKED_AT_LEAST = 3 * instants.SECOND
"""So often a server notes that it is there. Times at which none was need no runs of their own."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_run_that_a_kill_caught_goes_on_and_no_other_starts_beside_it(tmp_path, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        for name in OVERLAPS:
            webhook = {"url": receiver.url(f"/slow/1.2?{name}"), "body": name}
            server.call("PUT", f"/schedules/{name}", {"every": "1s", "overlap": name, "task": {"webhook": webhook}})
        caught, away = set(), []
        for _ in range(KILLS):
            until(lambda: len(running(server)) == len(OVERLAPS), "a run of each goes on")
            time.sleep(0.1)  # their requests have been sent
            caught |= set(running(server))
            killed_at = SystemClock().now()
            server.kill()
            server.start()
            away.append(range(killed_at - LOOKED_AT_LEAST, SystemClock().now() + LOOKED_AT_LEAST))
        # On PostgreSQL, what was running is taken back when a lease has ended.
        until(lambda: all(ended(server, task_id) for task_id in caught), "what was caught has ended")
        time.sleep(2.5)  # others have had their turn since
        for name in OVERLAPS:
            server.call("POST", f"/schedules/{name}/pause")
        until(lambda: not unended(server), "all runs have ended")
        runs = {name: all_runs(server, name) for name in OVERLAPS}
        schedules = {name: server.call("GET", f"/schedules/{name}") for name in OVERLAPS}

    arrived = collections.defaultdict(list)
    for delivery in receiver.deliveries():
        arrived[delivery.headers["webhook-id"]].append(delivery.arrived_at)
    assert any(len(arrived[task_id]) > 1 for task_id in caught), "no kill has caught a request"
    for name, found in runs.items():
        times = [instants.parse(run["scheduled_for"]) for run in found]
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {instants.SECOND}, (
            "each has its run"
        )
        done = sorted((run for run in found if run["state"] == "done"), key=lambda run: arrived[run["id"]][0])
        left_out = [run for run in found if run.get("left_out") == "overlap"]
        missed = [run for run in found if run not in done + left_out]
        assert all(run["state"] == "cancelled" for run in left_out + missed)
        assert all(any(instants.parse(run["scheduled_for"]) in span for span in away) for run in missed)
        assert not any(arrived[run["id"]] for run in left_out + missed)
        assert (schedules[name]["started"], schedules[name]["skipped"]) == (len(done), len(left_out))
        for run, following in itertools.pairwise(done):
            assert arrived[following["id"]][0] >= instants.parse(run["ended_at"]), f"{name}: two at once"
    first = {name: next(run for run in runs[name] if run["id"] in caught) for name in OVERLAPS}
    waited = [run for run in runs["queue"] if run["state"] == "done" and began_late(run, first["queue"], arrived)]
    assert waited, "one of those that came due meanwhile has waited"


def began_late(run, other, arrived):
    """Whether a run came due while *other* went on, and started once that had ended."""
    ended_at = instants.parse(other["ended_at"])
    return instants.parse(run["scheduled_for"]) < ended_at <= arrived[run["id"]][0] and run["id"] != other["id"]


def running(server):
    found = server.call("GET", "/tasks?state=in_progress&limit=100")["tasks"]
    return [task["webhook"]["id"] for task in found]


def unended(server):
    return server.call("GET", "/tasks?state=todo&state=in_progress&limit=100")["tasks"]


def ended(server, task_id):
    return server.call("GET", f"/tasks/{task_id}")["webhook"]["ended_at"] is not None


def all_runs(server, name):
    """The runs of a schedule, by time."""
    page = server.call("GET", f"/tasks?schedule={name}&limit=1000")
    assert page["next"] is None
    return sorted((task["webhook"] for task in page["tasks"]), key=lambda run: run["scheduled_for"])
