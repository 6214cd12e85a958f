"""Long jobs on two nodes of one database: any node takes a report, whatever became of the one that sent the request."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from databases import new_database
from polling import until
from ports import free_port
from tasker.testing.server import TaskerServer
from tasker.testing.webhook_receiver import WebhookReceiver, answer


@pytest.fixture
def receiver():
    with WebhookReceiver(lambda _: answer(202)) as receiver:
        yield receiver


@pytest.fixture
def node(tmp_path):
    """Starts a node: ``node("name", *options)``."""
    started = []

    def start(name, *options):
        (tmp_path / name).mkdir()
        started.append(TaskerServer(tmp_path / name, *options))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


def accepted(server, receiver, **completion):
    """A long job that was accepted: its id, and the headers of its request."""
    webhook = {"delay": 0, "url": receiver.url("/job"), "completion": {"deadline": "1h", **completion}}
    before = len(receiver.deliveries())
    task_id = server.call("POST", "/tasks/new", {"webhook": webhook})["id"]
    delivery = receiver.wait_for(before + 1)[-1]
    until(lambda: "deadline" in task(server, task_id), "the job is accepted")
    return task_id, delivery.headers


def task(server, task_id):
    return server.call("GET", f"/tasks/{task_id}")["webhook"]


def tell(headers, what, **said):
    """The status of the answer to a report, and the answer."""
    sent = {"authorization": f"Bearer {headers['tasker-completion-token']}", "content-type": "application/json"}
    request = Request(f"{headers['tasker-completion-url']}/{what}", json.dumps(said).encode(), sent)
    try:
        with urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply)
    except HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("ends", ["killed", "stopped"])
def test_a_job_outlives_the_node_that_sent_its_request(node, receiver, ends):
    database, port = new_database(), free_port()
    common = ("--database-url", database, "--public-url", f"http://127.0.0.1:{port}")
    first = node("first", *common)
    jobs = [accepted(first, receiver) for _ in range(4)]
    second = node("second", *common, "--listen-port", str(port))
    if ends == "killed":
        first.kill()
    else:
        assert first.stop(timeout_seconds=10) == 0, "it waits for none of them"

    (done, failed, cancelled, waiting), headers = ([job[place] for job in jobs] for place in (0, 1))
    assert tell(headers[0], "complete", result={"pages": 4})[0] == 200
    assert tell(headers[1], "fail", code="no_paper", retry=False)[0] == 200
    second.call("POST", f"/tasks/{cancelled}/cancel")
    status, reply = tell(headers[2], "heartbeat")
    assert (status, reply["code"]) == (409, "cancelled")
    status, reply = tell(headers[3], "heartbeat", progress=0.5)
    assert (status, reply["state"]) == (200, "in_progress")

    shown = {task_id: task(second, task_id) for task_id in (done, failed, cancelled, waiting)}
    assert [each["state"] for each in shown.values()] == ["done", "failed", "cancelled", "in_progress"]
    assert [each["attempts"] for each in shown.values()] == [1, 1, 1, 1]
    assert shown[done]["result"] == {"pages": 4}
    assert shown[failed]["last_error"]["code"] == "no_paper"
    assert shown[waiting]["progress"]["progress"] == 0.5
    assert len(receiver.deliveries()) == 4


def test_a_deadline_is_kept_to_by_whichever_node_is_there(node, receiver):
    database, port = new_database(), free_port()
    common = ("--database-url", database, "--public-url", f"http://127.0.0.1:{port}")
    first = node("first", *common)
    task_id, headers = accepted(first, receiver, deadline="2s")
    second = node("second", *common, "--listen-port", str(port))
    first.kill()
    ended = "last_error"
    until(lambda: task(second, task_id)[ended] is not None, "the deadline has passed")
    assert task(second, task_id)[ended]["code"] == "completion_timeout"
    status, reply = tell(headers, "complete")
    assert (status, reply["code"]) == (409, "completion_late")
