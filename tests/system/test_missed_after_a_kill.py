"""A server that is killed, and away for a while: what was missed is made up for as each schedule says."""

import time

import pytest

from databases import new_database
from tasker.model import instants
from tasker.model.instants import SECOND
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

OUTAGE = 8.5
"""Seconds: longer than a span must be, and the time between two looks."""


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_was_missed_while_the_server_was_dead_is_made_up_for(tmp_path, database):
    options = ["--database-url", new_database()] if database == "postgresql" else []
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        for missed in ("once", "all", "none"):
            webhook = {"url": receiver.url("/"), "body": missed}
            asked = {"every": "1s", "missed": missed, "overlap": "allow", "task": {"webhook": webhook}}
            server.call("PUT", f"/schedules/{missed}", asked)
        receiver.wait_for(3)
        server.kill()
        time.sleep(OUTAGE)  # the outage itself
        server.start()
        time.sleep(2.5)  # so that some times pass while it is up
        found = {}
        for missed in ("once", "all", "none"):
            view = server.call("POST", f"/schedules/{missed}/pause")
            while server.call("GET", f"/tasks?schedule={missed}&state=todo&state=in_progress")["tasks"]:
                pass
            page = server.call("GET", f"/tasks?schedule={missed}&limit=1000")
            runs = sorted((task["webhook"] for task in page["tasks"]), key=lambda run: run["scheduled_for"])
            found[missed] = (server.call("GET", f"/schedules/{missed}"), runs)
            assert view["paused"]

    for missed, (view, runs) in found.items():
        times = [instants.parse(run["scheduled_for"]) for run in runs]
        assert len(times) == len(set(times)), "no time has two"
        called_off = [run for run in runs if run["state"] == "cancelled"]
        assert all(run["left_out"] == "missed" for run in called_off)
        stands_for = sum(run.get("missed", 0) for run in runs)
        own = [run for run in runs if run not in called_off]
        passed = (times[-1] - times[0]) // SECOND + 1
        assert passed == len(own) + view["missed_times"], "each time is accounted for"
        late = [run["missed"] for run in runs if "missed" in run]
        match missed:
            case "once":
                assert len(late) == 1
                assert late[0] == view["missed_times"] + 1 >= OUTAGE - 4
                assert called_off == []
            case "all":
                assert set(late) == {1}
                assert len(late) >= OUTAGE - 4
                assert view["missed_times"] == 0
            case "none":
                assert stands_for == 0
                assert view["missed_times"] >= OUTAGE - 4
                assert len(called_off) <= 1, "the one that stood in the queue"
