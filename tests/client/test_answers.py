"""What becomes of answers and refusals, and what no message shows."""

import copy
import json
import pickle

import httpx2
import msgspec
import pytest
from every_call import ID, METHODS, sent
from wires import CREATED, TASK, answer, calling, problem

import tasker
from tasker.client import answers, errors
from tasker.client.core import Answer
from tasker.wire.server import Problem

SECRET = "canary-key"


def test_a_problem_is_raised_as_the_exception_of_its_code():
    refusal = problem(409, "key_in_use", {"retry-after": "7"}, holder=ID, field="webhook.key")
    with calling(refusal, retries=0) as (client, _), pytest.raises(tasker.KeyInUse) as error:
        client.get(ID)
    refused = error.value
    assert isinstance(refused, tasker.ApiError)
    assert isinstance(refused, tasker.TaskerError)
    assert (refused.code, refused.status, refused.message, str(refused)) == ("key_in_use", 409, "no", "no")
    assert (refused.field, refused.holder, refused.retry_after, refused.refusals) == ("webhook.key", ID, 7.0, ())


def test_a_code_of_tomorrow_is_an_api_error_that_has_it():
    with calling(problem(418, "teapot", brew="tea")) as (client, _), pytest.raises(tasker.ApiError) as error:
        client.get(ID)
    assert type(error.value) is tasker.ApiError
    assert (error.value.code, error.value.status) == ("teapot", 418)
    assert tasker.ApiError.code == ""


@pytest.mark.parametrize(
    "error",
    [
        errors.KeyInUse(Problem(title="T", status=409, code="key_in_use", detail="no", msg="no", holder=ID)),
        errors.ApiError(Problem(title="T", status=418, code="teapot", detail="no", msg="no"), retry_after=3),
        errors.UnexpectedAnswer(502, "it is HTML"),
        errors.NaiveTimeError("at"),
    ],
)
def test_errors_go_from_process_to_process(error):
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert getattr(other, "code", "") == getattr(error, "code", "")


@pytest.mark.parametrize(
    "strange",
    [
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, text="[]"),
        httpx2.Response(200, text='{"webhook": {}}'),
        httpx2.Response(200, content=b"\xff"),
        httpx2.Response(200, text="[" * 100_000),
        httpx2.Response(404, text="not here"),
        httpx2.Response(404, headers={"content-type": "application/problem+json"}, text="{"),
        httpx2.Response(301, headers={"location": "https://elsewhere.example/tasks?token=canary"}),
    ],
)
def test_an_answer_that_is_none_of_tasker_says_so(strange):
    with calling(strange) as (client, wire), pytest.raises(tasker.UnexpectedAnswer) as error:
        client.get(ID)
    assert error.value.status == strange.status_code
    assert str(strange.status_code) in str(error.value)
    assert "canary" not in str(error.value)
    assert len(wire.requests) == 1


def test_a_redirect_is_not_followed_and_says_where_the_server_is():
    moved = httpx2.Response(308, headers={"location": "https://elsewhere.example/tasks/new"})
    with calling(moved) as (client, _), pytest.raises(tasker.UnexpectedAnswer, match=r"https://elsewhere\.example"):
        client.schedule("http://x", delay=1)


def test_members_of_tomorrow_are_passed_over():
    later = {"webhook": {**TASK["webhook"], "colour": "blue"}}
    with calling(answer(later)) as (client, _):
        assert client.get(ID).fields["colour"] == "blue"
    with calling(answer({**CREATED, "colour": "blue"}, 201)) as (client, _):
        assert client.schedule("http://x", delay=1).id == CREATED["id"]


def test_a_task_has_what_it_was_given_apart_from_what_became_of_it():
    done = {"job": {**TASK["webhook"], "type": "job", "state": "done", "queue": "reports", "result": {"pages": 3}}}
    with calling(answer(done, headers={"etag": '"3"'})) as (client, _):
        task = client.get(ID)
    assert (task.type, task.state, task.has_ended, task.result, task.etag) == ("job", "done", True, {"pages": 3}, '"3"')
    assert task.fields == {"url": "https://example.org/hook", "queue": "reports"}
    with pytest.raises(AttributeError):
        task.state = "todo"
    with calling(answer(TASK)) as (client, _):
        assert client.get(ID).result is msgspec.UNSET


def test_a_result_of_null_is_one():
    done = {"job": {**TASK["webhook"], "result": None}}
    assert answers.task(Answer(200, {}, json.dumps(done).encode())).result is None


def test_a_run_that_is_held_back_says_why():
    why = {
        "id": ID,
        "state": "todo",
        "reason": "paused_all",
        "msg": "everything is paused",
        "next_attempt": 1,
        "max_attempts": 10,
        "due_at": "2027-03-02T09:30:00Z",
        "due_in_seconds": 0,
        "expected_at": None,
        "node": None,
        "running_since": None,
        "last_error": None,
        "destination": None,
    }
    with calling(answer(why, 202)) as (client, _):
        assert client.run(ID).reason == "paused_all"
    with calling(answer(TASK)) as (client, _):
        assert client.run(ID).state == "todo"


def test_a_server_that_is_not_ready_is_an_answer_and_no_failure():
    with calling(answer({"status": "unavailable", "reason": "it stops"}, 503)) as (client, wire):
        assert client.ready().reason == "it stops"
    assert len(wire.requests) == 1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "given",
    [problem(401, "unauthorized"), httpx2.Response(500, text="no"), httpx2.ReadError("x"), httpx2.ConnectError("x")],
)
def test_no_error_shows_the_key_or_the_token(name, given, caplog):
    caplog.set_level(0)
    with calling(given, key=SECRET, retries=1) as (client, wire):
        with pytest.raises(tasker.TaskerError) as error:
            sent(METHODS[name](client))
        shown = [repr(client), str(error.value), repr(error.value), caplog.text]
        shown += [repr(value) for value in vars(error.value).values()]
    assert not any(secret in text for text in shown for secret in (SECRET, "the-token"))
    authorization = {request.headers["authorization"] for request in wire.requests}
    assert authorization == {"Bearer the-token" if name.startswith("completions") else f"Bearer {SECRET}"}


def test_what_has_a_secret_does_not_show_it():
    made = {
        "id": "0a1b2c3d",
        "name": "grafana",
        "role": "metrics",
        "scopes": ["metrics"],
        "created_at": "2027-03-01T09:30:00Z",
        "expires_at": None,
        "used_at": None,
        "key": "canary-key",
    }
    with calling(answer(made, 201)) as (client, _):
        key = client.keys.create("grafana", role="metrics")
    assert key.key == "canary-key"
    assert "canary" not in repr(key)
    assert "name='grafana'" in repr(key)
    claimed = {
        "type": "job",
        "id": ID,
        "attempt": 1,
        "token": "canary-token",
        "lease_until": "2027-03-01T09:31:00Z",
        "execution_time": "2027-03-01T09:30:00Z",
        "queue": "reports",
        "json": {"customer": 42},
    }
    with calling(answer({"jobs": [claimed]})) as (client, _):
        (job,) = client.queues.claim("reports")
    assert (job.token, job.json, job.fields["queue"]) == ("canary-token", {"customer": 42}, "reports")
    assert "canary" not in repr(job)
    assert "canary" not in f"{[job]}"
