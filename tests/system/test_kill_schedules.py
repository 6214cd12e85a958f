"""kill -9 while schedules make runs: no time has two, none is left out, and none starts early."""

import collections
import itertools
import random
import time

import pytest

from databases import new_database
from tasker.model import instants
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

ROUNDS = 4
SCHEDULES = 20


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_each_time_of_each_schedule_has_its_run_through_kills(tmp_path, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    names = [f"s{number}" for number in range(SCHEDULES)]
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        for name in names:
            webhook = {"url": receiver.url("/"), "body": name}
            server.call("PUT", f"/schedules/{name}", {"every": "1s", "missed": "all", "task": {"webhook": webhook}})
        for _ in range(ROUNDS):
            time.sleep(random.uniform(1, 3))
            server.kill()
            server.start()
        time.sleep(2)
        for name in names:
            server.call("POST", f"/schedules/{name}/pause")
        runs = {name: all_runs(server, name) for name in names}

    arrived = collections.defaultdict(list)
    for delivery in receiver.deliveries():
        arrived[delivery.headers["webhook-id"]].append(delivery.arrived_at)
    for name, found in runs.items():
        times = [instants.parse(run["scheduled_for"]) for run in found]
        assert len(times) > ROUNDS + 2
        assert times == sorted(set(times)), f"{name} has a time twice"
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {instants.SECOND}, name
        for run, at in zip(found, times, strict=True):
            assert all(moment >= at for moment in arrived[run["id"]]), "it is early"
            assert arrived[run["id"]] or run["state"] != "done"


def all_runs(server, name):
    """The runs of a schedule, by time, once each of them has ended or is on its way."""
    found, path = [], f"/tasks?schedule={name}&limit=1000"
    while path is not None:
        page = server.call("GET", path)
        found += [task["webhook"] for task in page["tasks"]]
        path = page["next"]
    return sorted(found, key=lambda run: run["scheduled_for"])
