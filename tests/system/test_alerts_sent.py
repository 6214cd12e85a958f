"""A real server tells of what is wrong, and of nothing when nobody asked for that."""

import contextlib
import json
import re
import time

import pytest

from databases import new_database, query
from polling import until
from tasker.testing.postgres_server import PostgresServer
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver

SECRET_PATH = "/services/T0/canary-of-an-alert-url"


@pytest.fixture
def receiver():
    with WebhookReceiver() as receiver:
        yield receiver


def alerts(receiver, count, *, within=30):
    """The first *count* alerts, which have to come soon."""
    came = receiver.wait_for(count, path=SECRET_PATH, timeout_seconds=within)
    return [json.loads(each.body)["alert"] for each in came]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_tasks_that_are_late_are_told_past_a_full_queue_and_not_again_by_the_next_process(tmp_path, receiver, database):
    options = ["--alert-url", receiver.url(SECRET_PATH), "--alert-after", "1s", "--max-deliveries", "1"]
    options += ["--grace-period", "0"]
    if database == "postgres":
        options += ["--database-url", new_database()]
    server = TaskerServer(tmp_path, *options)
    with server:
        for _ in range(2):
            webhook = {"url": receiver.url("/slow/600"), "body": "x", "delay": 0.1}
            server.call("POST", "/tasks/new", {"webhook": webhook})
        (late,) = alerts(receiver, 1)
        assert (late["cause"], late["node"]) == ("late", server.url)
        assert server.stop() == 0
        log = server.log.read_text()
    assert "an alert was sent" in log
    assert "canary-of-an-alert-url" not in log

    with TaskerServer(tmp_path, *options, "--egress", "public") as server:  # tasks may call nobody here
        until(lambda: not server.call("GET", "/tasks/state/todo"), "they have not ended")
        time.sleep(6)  # a look
        told = [json.loads(each.body)["alert"] for each in receiver.deliveries(SECRET_PATH)]
        assert [each["began"] for each in told if each["began"]] == [late["began"]], "not repeated"


def test_of_three_nodes_one_tells_that_another_was_killed(tmp_path, receiver):
    url = new_database()
    with contextlib.ExitStack() as nodes:
        servers = []
        for number in range(3):
            (tmp_path / str(number)).mkdir()
            options = ["--database-url", url, "--alert-url", receiver.url(SECRET_PATH)]
            servers.append(nodes.enter_context(TaskerServer(tmp_path / str(number), *options)))
        victim, *others = servers
        killed_at = time.monotonic()
        victim.kill()

        (gone,) = alerts(receiver, 1, within=60)
        assert time.monotonic() - killed_at > 15, "its lease has ended"
        time.sleep(6)  # a look of each
        assert len(receiver.deliveries(SECRET_PATH)) == 1
    assert gone["cause"] == "node_gone"
    assert [each["name"] for each in gone["began"]] == [victim.url]
    assert gone["node"] in [server.url for server in others]


def test_with_the_database_gone_each_of_three_nodes_tells_it_for_itself(tmp_path, receiver):
    with PostgresServer() as database, contextlib.ExitStack() as nodes:
        servers = []
        for number in range(3):
            (tmp_path / str(number)).mkdir()
            options = ["--database-url", database.url(), "--alert-url", receiver.url(SECRET_PATH)]
            servers.append(nodes.enter_context(TaskerServer(tmp_path / str(number), *options)))
        database.stop()
        told = alerts(receiver, 3, within=60)
        assert [alert["cause"] for alert in told] == ["writes_fail"] * 3
        assert sorted(alert["node"] for alert in told) == sorted(server.url for server in servers)


def test_nothing_is_looked_at_and_nobody_called_unless_that_is_asked_for(tmp_path):
    url = new_database()
    with TaskerServer(tmp_path, "--database-url", url) as server:
        time.sleep(6)  # longer than from one look to the next
        assert query(url, "SELECT * FROM alert_book") == []
        assert server.stop() == 0
    log = server.log.read_text()
    assert not re.search("alert", log)


def test_a_wait_without_an_address_is_doubted(tmp_path):
    with TaskerServer(tmp_path, "--alert-after", "2m") as server:
        assert "--alert-after has no effect without --alert-url" in server.log.read_text()
