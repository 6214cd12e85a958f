"""What a result says, at each stage, and after whatever ended the task."""

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("django", minversion="6.0", reason="needs Django 6, and so Python 3.12")

from django.tasks import task_backends
from django.tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch
from django.tasks.signals import task_finished, task_started

from tasker.django.exceptions import TaskCancelledError
from tasker.django.running import shortened


def test_a_task_that_has_run_is_successful(jobs, work, signals):
    result = jobs.add.enqueue(1, b=2)
    work()
    assert result.status == "READY"
    result.refresh()
    assert (result.status, result.return_value, result.is_finished, result.errors) == ("SUCCESSFUL", 3, True, [])
    assert (result.worker_ids, result.attempts) == (["tester"], 1)
    assert result.enqueued_at <= result.started_at == result.last_attempted_at <= result.finished_at
    assert signals == [
        ("task_enqueued", "TaskerBackend", result.id, "READY"),
        ("task_started", "TaskerBackend", result.id, "RUNNING"),
        ("task_finished", "TaskerBackend", result.id, "SUCCESSFUL"),
    ]
    found = jobs.add.get_result(result.id)
    assert (found.args, found.kwargs, found.backend, found.task) == ([1], {"b": 2}, "default", jobs.add)


def test_a_task_that_returns_none_is_not_one_that_has_not_ended(jobs, work):
    result = jobs.returns.enqueue("none")
    work()
    result.refresh()
    assert (result.status, result.return_value) == ("SUCCESSFUL", None)


def test_a_task_that_raises_has_failed_with_the_class_and_the_traceback(jobs, work, signals):
    result = jobs.broken.enqueue("no such thing")
    work()
    result.refresh()
    (error,) = result.errors
    assert (result.status, result.worker_ids, result.is_finished) == ("FAILED", ["tester"], True)
    assert error.exception_class is LookupError
    assert "raise LookupError(text)\nLookupError: no such thing\n" in error.traceback
    assert [signal[0::3] for signal in signals[1:]] == [("task_started", "RUNNING"), ("task_finished", "FAILED")]
    with pytest.raises(ValueError, match="failed"):
        _ = result.return_value


def test_a_task_may_not_end_the_worker(jobs, work):
    result, next_one = jobs.leaves.enqueue(), jobs.add.enqueue(1)
    work()
    result.refresh()
    next_one.refresh()
    assert (result.status, result.errors[0].exception_class, next_one.status) == ("FAILED", SystemExit, "SUCCESSFUL")


@pytest.mark.parametrize(("what", "error"), [("set", TypeError), ("nan", ValueError), ("long", ValueError)])
def test_what_a_task_returns_and_cannot_be_kept_is_a_failure_without_another_attempt(jobs, work, what, error):
    result = jobs.returns.using(backend="again", queue_name="again").enqueue(what)
    work("again")
    found = task_backends["again"].get_result(result.id)
    assert (found.status, found.errors[0].exception_class, found.attempts) == ("FAILED", error, 1)


def test_the_context_knows_the_attempt_and_the_task(jobs, work):
    result = jobs.context.enqueue("label")
    work()
    result.refresh()
    assert result.return_value == ["label", 1, result.id, 0]


def test_with_retry_a_failure_is_ready_again_until_it_has_no_attempt_left(jobs, client, work, signals):
    result = jobs.second_time.enqueue()
    work("again")
    result.refresh()
    assert (result.status, result.attempts, result.finished_at, result.is_finished) == ("READY", 1, None, False)
    assert [error.exception_class for error in result.errors] == [ConnectionError]
    assert signals[-1][0] == "task_started", "it has not finished"
    client.run(result.id)
    work("again")
    result.refresh()
    assert (result.status, result.return_value, result.worker_ids) == ("SUCCESSFUL", "at last", ["tester", "tester"])
    assert [error.exception_class for error in result.errors] == [ConnectionError]
    assert result.started_at < result.last_attempted_at <= result.finished_at
    assert signals[-1][0::3] == ("task_finished", "SUCCESSFUL")
    first, second = jobs.CALLS
    assert (first.attempt, second.attempt) == (1, 2)
    seen = second.task_result
    assert [error.exception_class for error in seen.errors] == [ConnectionError]
    assert (seen.started_at, seen.enqueued_at) == (result.started_at, result.enqueued_at)


def test_a_worker_that_may_not_read_runs_later_attempts_all_the_same(jobs, client, work, monkeypatch):
    result = jobs.second_time.enqueue()
    work("again")
    client.run(result.id)
    with monkeypatch.context() as patched:
        patched.setattr("tasker.django.backend.TaskerBackend.get_result", lambda *_: 1 / 0)
        work("again")
    context = jobs.CALLS[1]
    assert (context.attempt, context.task_result.worker_ids) == (2, ["unknown", "tester"])
    result.refresh()
    assert result.status == "SUCCESSFUL"


def test_a_task_that_somebody_has_cancelled_has_failed(jobs, client, work):
    result = jobs.add.enqueue(1)
    client.cancel(result.id)
    work()
    result.refresh()
    assert (result.status, jobs.CALLS, result.attempts) == ("FAILED", [], 0)
    assert result.errors[0].exception_class is TaskCancelledError


def test_a_task_that_is_running_says_so(jobs, client):
    result = jobs.add.enqueue(1)
    (job,) = client.queues.claim("default", lease="3s")
    assert job.id == result.id
    result.refresh()
    assert (result.status, result.attempts, result.worker_ids) == ("RUNNING", 1, ["unknown"])
    assert abs(result.started_at - datetime.now(UTC)) < timedelta(minutes=1)
    client.completions.complete(job.token, result={"any": "thing"})
    result.refresh()
    assert (result.status, result.return_value) == ("SUCCESSFUL", {"any": "thing"})


@pytest.mark.parametrize("path", ["jobs.not_a_task", "os.system", "jobs.nothing", "no_such_module.task", "jobs", ""])
def test_what_is_no_task_of_django_is_not_run(jobs, client, work, path):
    created = client.create("job", {"queue": "default", "json": {"django_task": path, "args": ["true"]}}, delay=0)
    work()
    stored = client.get(created.id)
    assert (stored.state, stored.last_error.code, stored.attempts) == ("failed", "not_a_django_task", 1)
    assert jobs.CALLS == []


@pytest.mark.parametrize("json", [None, [], {"x": 1}, {"django_task": 3}, {"django_task": "jobs.add", "args": {}}])
def test_a_job_that_says_no_call_is_not_run(jobs, client, work, json):
    created = client.create("job", {"queue": "default", "json": json}, delay=0)
    work()
    stored = client.get(created.id)
    assert (stored.state, stored.last_error.code) == ("failed", "invalid_call")


def test_a_task_of_a_queue_that_its_backend_does_not_take_is_not_run(jobs, client, work):
    call = {"django_task": "jobs.add", "args": [1]}
    created = client.create("job", {"queue": "elsewhere", "json": call}, delay=0)
    work("any", "--queue", "elsewhere")
    assert client.get(created.id).state == "done", "QUEUES is empty: any will do"
    created = client.create("job", {"queue": "mail", "json": {"django_task": "jobs.mail"}}, delay=0)
    work("default")
    assert client.get(created.id).last_error.code == "exception_raised", "an argument is missing"


def test_a_result_that_is_not_there_does_not_exist(jobs, client, work):
    deleted = jobs.add.enqueue(1)
    client.delete(deleted.id)
    others = [
        client.create("job", {"queue": "default", "json": {"of": "another program"}}, delay="1h").id,
        client.create("hash", {"secret": "x"}, delay="1h").id,
    ]
    for result_id in (deleted.id, "01a20f63-2f5b-7bd0-a33e-6c8a3d0a1c52", "no id", "", *others):
        with pytest.raises(TaskResultDoesNotExist):
            jobs.add.get_result(result_id)
    with pytest.raises(TaskResultDoesNotExist):
        deleted.refresh()


def test_a_result_of_another_task_is_a_mismatch_and_so_is_one_that_is_gone(jobs, client):
    result = jobs.add.enqueue(1)
    with pytest.raises(TaskResultMismatch):
        jobs.mail.get_result(result.id)
    gone = client.create("job", {"queue": "default", "json": {"django_task": "jobs.gone"}}, delay="1h")
    with pytest.raises(TaskResultMismatch, match=r"jobs\.gone"):
        jobs.add.get_result(gone.id)


def test_a_receiver_that_raises(jobs, work, project):
    def raises(**_):
        raise ArithmeticError

    task_finished.connect(raises)
    result = jobs.add.enqueue(1, 2)
    work()
    task_finished.disconnect(raises)
    result.refresh()
    assert result.return_value == 3, "what happens afterwards changes nothing"
    task_started.connect(raises)
    result = jobs.add.enqueue(1, 2)
    work()
    task_started.disconnect(raises)
    result.refresh()
    assert (result.status, result.errors[0].exception_class) == ("FAILED", ArithmeticError)


def test_long_tracebacks_and_odd_texts_are_kept_as_well_as_can_be(jobs, work, client):
    result = jobs.broken.enqueue("ä" * 100_000)
    odd = jobs.broken.enqueue("\x00\x1b[31m\x85")
    work()
    result.refresh()
    odd.refresh()
    (error,) = result.errors
    assert error.traceback.startswith("Traceback (most recent call last)")
    assert "... (left out) ..." in error.traceback
    assert odd.errors[0].traceback.endswith("LookupError: \x00\x1b[31m\x85\n")
    assert client.get(odd.id).last_error.msg == "LookupError:  [31m"


def test_an_exception_that_cannot_say_what_it_is_fails_its_task(jobs, work, client):
    result = jobs.speechless.enqueue()
    work()
    result.refresh()
    assert (result.status, result.errors[0].exception_class) == ("FAILED", jobs.SpeechlessError)
    assert client.get(result.id).last_error.msg == "SpeechlessError: <exception str() failed>"


def test_the_traceback_of_a_text_with_half_characters(jobs):
    assert shortened("x\ud800y") == "x\\ud800y"
