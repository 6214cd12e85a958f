"""From the request to the receiver: callbacks, retries by hand, expiry, pauses, with a real server and real time."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError

import pytest

from polling import until
from tasker.model.instants import SECOND
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer


class Fickle:
    """Answers each path with the statuses it is given, one after the other, then 200."""

    def __init__(self):
        self.statuses = {}

    def __call__(self, delivery):
        left = self.statuses.get(delivery.path, [])
        return answer(left.pop(0) if left else 200)


@pytest.fixture
def fickle():
    return Fickle()


@pytest.fixture
def receiver(fickle):
    with WebhookReceiver(fickle) as receiver:
        yield receiver


@pytest.fixture
def server(tmp_path):
    with TaskerServer(tmp_path, "--pbkdf2-iterations", "1000") as server:
        yield server


def after(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def webhook(url, **more):
    return {"webhook": {"execution_time": after(0.2), "url": url, "body": "x"} | more}


def create(server, request):
    return server.call("POST", "/tasks/new", request)["id"]


def task(server, task_id):
    (shown,) = server.call("GET", f"/tasks/{task_id}").values()
    return shown


def wait_for(server, task_id, state):
    """Return a task once it has ended, which is to be in *state*."""
    shown = task(server, f"{task_id}?wait=15")
    assert shown["state"] == state
    return shown


def heard(receiver, path):
    """The callback that came to a path."""
    (delivery,) = receiver.wait_for(1, path=path)
    return json.loads(delivery.body), delivery


def test_a_callback_tells_of_a_success(server, receiver):
    told = {"on_success": receiver.url("/good"), "on_failure": receiver.url("/bad")}
    task_id = create(server, webhook(receiver.url("/work"), **told))

    summary, delivery = heard(receiver, "/good")

    assert summary == {
        "id": task_id,
        "type": "webhook",
        "state": "done",
        "attempts": 1,
        "status": 200,
        "error": None,
        "result": None,
    }
    callback_id = delivery.headers["webhook-id"]
    assert delivery.method == "POST"
    assert delivery.headers["content-type"] == "application/json"
    assert callback_id != task_id
    callback = wait_for(server, callback_id, "done")
    assert (callback["parent_id"], callback["url"], callback["json"]) == (task_id, receiver.url("/good"), summary)
    assert "parent_id" not in task(server, task_id)
    assert receiver.deliveries("/bad") == []


def test_a_callback_of_a_hash_has_its_result(server, receiver):
    request = {"execution_time": after(0.2), "secret": "correct-horse", "on_success": {"url": receiver.url("/hashed")}}
    task_id = create(server, {"hash": request})

    summary, delivery = heard(receiver, "/hashed")

    assert summary["result"] == task(server, task_id)["result"]
    assert summary["result"].startswith("$pbkdf2-sha256$i=1000,")
    assert (summary["type"], summary["status"]) == ("hash", None)
    assert b"correct-horse" not in delivery.body


def test_a_callback_tells_of_a_failure_once_no_attempt_is_left(server, receiver, fickle):
    fickle.statuses = {"/work": [500, 503]}
    told = {"on_failure": receiver.url("/bad"), "on_success": receiver.url("/good")}
    task_id = create(server, webhook(receiver.url("/work"), retry={"max_attempts": 2, "initial_delay": 0.1}, **told))

    summary, _ = heard(receiver, "/bad")

    assert (summary["id"], summary["state"], summary["attempts"], summary["status"]) == (task_id, "failed", 2, 503)
    assert summary["error"]["code"] == "status_503"
    assert receiver.deliveries("/good") == []


def test_a_callback_has_attempts_and_a_policy_of_its_own(server, receiver, fickle):
    fickle.statuses = {"/end": [500, 500]}
    callback = {
        "url": receiver.url("/end"),
        "method": "PUT",
        "headers": {"x-key": "k-17"},
        "retry": {"max_attempts": 3, "initial_delay": 0.1},
    }
    create(server, webhook(receiver.url("/work"), retry={"max_attempts": 1}, on_success=callback))

    deliveries = receiver.wait_for(3, path="/end")

    assert [delivery.method for delivery in deliveries] == ["PUT"] * 3
    assert {delivery.headers["x-key"] for delivery in deliveries} == {"k-17"}
    (callback_id,) = {delivery.headers["webhook-id"] for delivery in deliveries}
    assert wait_for(server, callback_id, "done")["attempts"] == 3
    assert len(receiver.deliveries("/work")) == 1


def test_a_callback_that_fails_is_a_failed_task_that_can_be_run_again(server, receiver, fickle):
    fickle.statuses = {"/end": [500]}
    task_id = create(
        server, webhook(receiver.url("/work"), on_success={"url": receiver.url("/end"), "retry": {"max_attempts": 1}})
    )
    callback_id = receiver.wait_for(1, path="/end")[0].headers["webhook-id"]
    assert wait_for(server, callback_id, "failed")["parent_id"] == task_id
    assert task(server, task_id)["state"] == "done"

    server.call("POST", f"/tasks/{callback_id}/retry")

    assert wait_for(server, callback_id, "done")["attempts"] == 2


def test_a_failed_task_is_delivered_when_it_is_run_again_by_hand(server, receiver, fickle):
    fickle.statuses = {"/work": [500]}
    task_id = create(server, webhook(receiver.url("/work"), retry={"max_attempts": 1}))
    wait_for(server, task_id, "failed")

    assert server.call("POST", f"/tasks/{task_id}/retry")["webhook"]["state"] in ("todo", "in_progress")

    assert wait_for(server, task_id, "done")["attempts"] == 2
    assert {delivery.headers["webhook-id"] for delivery in receiver.deliveries("/work")} == {task_id}
    attempts = server.call("GET", f"/tasks/{task_id}/attempts")
    assert [(each["number"], each["outcome"], each["status"]) for each in attempts] == [
        (1, "failed", 500),
        (2, "succeeded", 200),
    ]
    with pytest.raises(HTTPError) as refused:
        server.call("POST", f"/tasks/{task_id}/retry")
    assert (refused.value.code, json.load(refused.value)["code"]) == (409, "task_not_failed")


def test_a_task_that_cannot_start_in_time_fails_and_says_so(server, receiver):
    create(server, webhook(receiver.url("/first")))
    receiver.wait_for(1, path="/first")
    (destination,) = server.call("GET", "/destinations")
    server.call("POST", f"/destinations/{destination['id']}/pause")
    held = create(server, webhook(receiver.url("/late"), expires_at=after(1), on_failure=receiver.url("/told")))

    shown = wait_for(server, held, "failed")
    server.call("POST", f"/destinations/{destination['id']}/resume")
    summary, _ = heard(receiver, "/told")

    assert (shown["last_error"]["code"], shown["attempts"], shown["started_at"]) == ("expired", 0, None)
    assert (summary["state"], summary["error"]["code"], summary["status"]) == ("failed", "expired", None)
    assert receiver.deliveries("/late") == []
    with pytest.raises(HTTPError) as refused:
        server.call("POST", f"/tasks/{held}/retry")
    assert json.load(refused.value)["code"] == "task_expired"


def test_a_retry_that_would_come_too_late_is_not_waited_for(server, receiver, fickle):
    fickle.statuses = {"/work": [500]}
    retry = {"initial_delay": 3600}
    task_id = create(server, webhook(receiver.url("/work"), retry=retry, expires_at=after(60)))

    shown = wait_for(server, task_id, "failed")

    assert shown["last_error"]["code"] == "expired"
    assert "status_500" in shown["last_error"]["msg"]


def test_tasks_of_a_paused_destination_come_once_it_is_resumed(server, receiver):
    create(server, webhook(receiver.url("/first")))
    receiver.wait_for(1, path="/first")
    (destination,) = server.call("GET", "/destinations")
    place = f"/destinations/{destination['id']}"
    assert destination["name"] == receiver.url("").rstrip("/")
    server.call("POST", f"{place}/pause")
    held = [create(server, webhook(receiver.url("/held"))) for _ in range(3)]

    until(lambda: server.call("GET", place)["held"] == 3, "all of them are held")
    assert {server.call("GET", f"/tasks/{task_id}/explain")["reason"] for task_id in held} == {"paused"}
    assert receiver.deliveries("/held") == []
    server.call("POST", f"{place}/resume")

    receiver.wait_for(3, path="/held")
    for task_id in held:
        wait_for(server, task_id, "done")
    assert server.call("GET", place)["held"] == 0


def test_a_limit_of_one_lets_tasks_through_one_by_one(server):
    with WebhookReceiver() as receiver:
        create(server, webhook(receiver.url("/first")))
        receiver.wait_for(1, path="/first")
        (destination,) = server.call("GET", "/destinations")
        server.call("PATCH", f"/destinations/{destination['id']}", {"max_running": 1})
        for _ in range(4):
            create(server, webhook(receiver.url("/slow/0.1")))

        arrived = [delivery.arrived_at for delivery in receiver.wait_for(4, path="/slow/0.1")]

    assert min(later - earlier for earlier, later in itertools.pairwise(arrived)) >= 0.1 * SECOND
