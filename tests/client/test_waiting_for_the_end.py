"""Waiting for the end of a task or an operation: how long, and how often it is asked for."""

import pytest
from every_call import ID
from wires import TASK, answer, calling, problem

import tasker

DONE = {"webhook": {**TASK["webhook"], "state": "done"}}
OPERATION = {
    "id": ID,
    "action": "run",
    "state": "running",
    "dry_run": False,
    "matched": 0,
    "changed": 0,
    "refused": 0,
    "reasons": {},
    "refusals": [],
    "created_at": "2027-03-01T09:30:00Z",
    "ended_at": None,
}


def waits(wire):
    return [float(request.url.params["wait"]) for request in wire.requests]


def test_the_server_waits_half_a_minute_at_a_time():
    with calling() as (client, wire):

        def slow(request):
            wire.now += float(request.url.params["wait"])
            return answer(TASK if len(wire.requests) < 3 else DONE)

        wire._answers = [slow]
        assert client.wait(ID).state == "done"
    assert waits(wire) == [30, 30, 30]
    assert wire.pauses == []


def test_a_task_that_has_not_ended_in_time_is_told_of():
    with calling() as (client, wire):

        def slow(request):
            wire.now += float(request.url.params["wait"])
            return answer(TASK)

        wire._answers = [slow]
        with pytest.raises(tasker.WaitTimedOut, match="is todo, and has not ended within 45 s") as error:
            client.wait(ID, timeout=45)
    assert isinstance(error.value, TimeoutError)
    assert waits(wire) == [30, 15]


def test_a_server_without_room_for_who_waits_is_not_asked_without_a_pause():
    with calling(answer(TASK), answer(TASK), answer(DONE)) as (client, wire):
        assert client.wait(ID, timeout=45).state == "done"
    assert wire.pauses == [0.5, 0.5]


def test_no_time_to_wait_is_a_look():
    with calling(answer(TASK)) as (client, wire), pytest.raises(tasker.WaitTimedOut):
        client.wait(ID, timeout=0)
    assert waits(wire) == [0]
    with calling(answer(DONE)) as (client, wire):
        assert client.wait(ID, timeout=0).state == "done"


def test_a_key_is_looked_up_once_and_its_task_is_waited_for():
    with calling(answer(TASK), answer(DONE)) as (client, wire):
        assert client.by_key("order-17").wait(timeout=10).state == "done"
    assert [request.url.path for request in wire.requests] == ["/tasks/key/order-17", f"/tasks/{ID}"]


def test_a_task_that_is_deleted_meanwhile_is_not_found():
    with calling(answer(TASK), problem(404, "task_not_found")) as (client, _), pytest.raises(tasker.TaskNotFound):
        client.wait(ID)


def test_the_answer_has_the_time_to_wait_and_the_usual_one():
    with calling(answer(DONE), timeout=10) as (client, wire):
        client.wait(ID, timeout=20)
        client.get(ID)
    read = [request.extensions["timeout"]["read"] for request in wire.requests]
    assert read[0] == pytest.approx(30)
    assert read[1] == 10
    assert wire.requests[0].extensions["timeout"]["connect"] == 5


def test_an_operation_is_looked_at_less_and_less_often():
    with calling(*[answer(OPERATION)] * 8, answer({**OPERATION, "state": "done"})) as (client, wire):
        assert client.operations.wait(ID).state == "done"
    assert wire.pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_an_operation_that_goes_on_is_told_of_when_the_time_is_over():
    with calling(answer(OPERATION)) as (client, wire), pytest.raises(tasker.WaitTimedOut, match="within 1 s"):
        client.operations.wait(ID, timeout=1)
    assert sum(wire.pauses) == pytest.approx(1)
