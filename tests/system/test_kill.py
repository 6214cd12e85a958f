"""kill -9 under load: nothing is lost, nothing early, and only what was on its way comes twice."""

import random
import threading
import urllib.error
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from databases import new_database
from tasker.model import instants
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

ROUNDS = 10
IN_FLIGHT = 20


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_ten_kills_under_load_lose_nothing_and_start_nothing_early(tmp_path, database):
    accepted = {}
    options = ["--max-deliveries", str(IN_FLIGHT)]
    if database == "postgresql":
        options += ["--database-url", new_database()]
    with WebhookReceiver() as receiver, TaskerServer(tmp_path, *options) as server:
        for _ in range(ROUNDS):
            load = [threading.Thread(target=create_until_it_dies, args=(server, receiver, accepted)) for _ in range(4)]
            for thread in load:
                thread.start()
            receiver.wait_for(len(receiver.deliveries()) + random.randrange(1, 60))
            server.kill()
            for thread in load:
                thread.join()
            server.start()
        receiver.wait_until(
            lambda arrived: set(accepted) <= {each.headers["webhook-id"] for each in arrived},
            timeout_seconds=30
            if database == "sqlite"
            else 60,  # there, what was running is taken back when a lease has ended
        )

        assert len(accepted) > ROUNDS * 20, "there was hardly any load"
        arrivals = Counter()
        for delivery in receiver.deliveries():
            task_id = delivery.headers["webhook-id"]
            arrivals[task_id] += 1
            if task_id in accepted:
                assert delivery.arrived_at >= accepted[task_id], "early"
        assert set(accepted) <= set(arrivals), "lost"
        assert sum(count - 1 for count in arrivals.values()) <= ROUNDS * IN_FLIGHT, (
            "more came twice than was on its way"
        )


def create_until_it_dies(server, receiver, accepted):
    """Create tasks that are due soon, and note each that was accepted, with its time."""
    while True:
        due = datetime.now(UTC) + timedelta(milliseconds=random.randrange(50, 600))
        body = {"webhook": {"execution_time": due.isoformat(), "url": receiver.url("/slow/0.01"), "body": "x"}}
        try:
            task_id = server.call("POST", "/tasks/new", body)["id"]
        except urllib.error.HTTPError as error:
            if error.code != 400:  # a time that has passed meanwhile
                raise
        except OSError:
            return
        else:
            accepted[task_id] = instants.parse(due.isoformat())
