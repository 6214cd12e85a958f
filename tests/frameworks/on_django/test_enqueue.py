"""What ``enqueue`` does, and when."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

pytest.importorskip("django", minversion="6.0", reason="needs Django 6, and so Python 3.12")

from django.db import transaction
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist
from django.test import override_settings

from tasker import Client
from tasker.client.errors import ServerUnreachable, TaskNotFound
from tasker.django import clients


def test_the_backend_says_what_it_can_do(jobs):
    backend = jobs.add.get_backend()
    assert (backend.supports_defer, backend.supports_async_task, backend.supports_get_result) == (True, True, True)
    assert backend.supports_priority is False


def test_a_result_is_ready_and_has_an_id_that_the_backend_made(jobs, client):
    result = jobs.add.enqueue(1, b=2)
    assert (result.status, result.args, result.kwargs, result.attempts) == ("READY", [1], {"b": 2}, 0)
    assert (result.started_at, result.finished_at, result.errors, result.worker_ids) == (None, None, [], [])
    assert UUID(result.id).version == 7
    stored = client.get(result.id)
    assert (stored.type, stored.fields["queue"]) == ("job", "default")
    assert stored.fields["json"] == {"django_task": "jobs.add", "args": [1], "kwargs": {"b": 2}}
    assert stored.fields["retry"] == {"max_attempts": 1}, "a task that raises has failed, as Django has it"
    with pytest.raises(ValueError, match="not finished"):
        _ = result.return_value


def test_the_options_retry_and_keep_go_with_the_task(jobs, client):
    fields = client.get(jobs.second_time.enqueue().id).fields
    assert fields["retry"]["max_attempts"] == 2
    assert fields["keep"] == "2h"


def test_a_task_is_sent_when_the_transaction_has_committed_and_not_before(jobs, client, signals):
    with transaction.atomic():
        result = jobs.add.enqueue(1)
        with pytest.raises(TaskNotFound):
            client.get(result.id)
        assert (result.enqueued_at, signals) == (None, [])
    assert client.get(result.id).state == "todo"
    assert signals == [("task_enqueued", "TaskerBackend", result.id, "READY")]
    assert abs(result.enqueued_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_is_rolled_back_is_never_sent(jobs, client, signals):
    with transaction.atomic():
        result = jobs.add.enqueue(1)
        transaction.set_rollback(True)
    with pytest.raises(TaskResultDoesNotExist):
        jobs.add.get_result(result.id)
    assert signals == []


def test_without_on_commit_it_is_sent_at_once(jobs, client):
    with transaction.atomic():
        result = jobs.at_once.enqueue(1)
        assert client.get(result.id).state == "todo"


def test_the_transaction_is_that_of_the_database_that_using_names(jobs, client):
    with transaction.atomic():
        assert client.get(jobs.other.enqueue(1).id).state == "todo"
    with transaction.atomic(using="other"):
        result = jobs.other.enqueue(1)
        with pytest.raises(TaskNotFound):
            client.get(result.id)
    assert client.get(result.id).state == "todo"


def test_a_priority_is_refused(jobs, client):
    with pytest.raises(InvalidTask, match="priority"):
        jobs.add.using(priority=5)


def test_a_queue_that_the_backend_does_not_have_is_refused(jobs):
    with pytest.raises(InvalidTask, match="Queue 'elsewhere'"):
        jobs.add.using(queue_name="elsewhere")


@pytest.mark.parametrize(
    ("argument", "error"),
    [({1, 2}, TypeError), (object(), TypeError), (float("nan"), ValueError), ("\ud800", ValueError)],
)
def test_an_argument_that_cannot_be_sent_is_refused_while_the_transaction_is_open(jobs, client, argument, error):
    with transaction.atomic(), pytest.raises(error):
        jobs.add.enqueue(argument)
    assert list(client.find(type="job", state="todo")) == []


def test_run_after_is_the_time_of_the_task(jobs, client, work):
    due = datetime(2126, 2, 10, 16, 30, tzinfo=timezone(timedelta(hours=1)))
    result = jobs.add.using(run_after=due).enqueue(1)
    stored = client.get(result.id)
    assert datetime.fromisoformat(stored.execution_time) == due
    assert jobs.add.get_result(result.id).task.run_after == due
    work()
    assert jobs.CALLS == []


def test_a_run_after_that_has_passed_is_at_once(jobs, work):
    past = datetime.now(UTC) - timedelta(days=3)
    result = jobs.add.using(run_after=past).enqueue(1, 2)
    work()
    result.refresh()
    assert result.return_value == 3
    assert jobs.add.get_result(result.id).task.run_after == past


def test_without_use_tz_moments_are_those_of_the_projects_zone(jobs, client, project):
    with override_settings(USE_TZ=False):
        result = jobs.add.using(run_after=datetime(2126, 2, 10, 16, 30)).enqueue(1)  # noqa: DTZ001 - that is the point
        found = jobs.add.get_result(result.id)
        assert found.task.run_after == datetime(2126, 2, 10, 16, 30)  # noqa: DTZ001 - as above
        assert found.enqueued_at.tzinfo is None
    stored = client.get(result.id)
    assert datetime.fromisoformat(stored.execution_time) == datetime(2126, 2, 10, 15, 30, tzinfo=UTC)


def test_from_async_code(jobs, work):
    async def enqueue():
        return await jobs.later.aenqueue("abc")

    result = asyncio.run(enqueue())
    work()

    async def read():
        await result.arefresh()
        return await jobs.later.aget_result(result.id)

    assert asyncio.run(read()).return_value == result.return_value == "ABC"


def test_a_server_that_is_away_is_told_to_whoever_commits(jobs, project):
    url = "http://127.0.0.1:9"
    away = {"default": {"BACKEND": "tasker.django.backend.TaskerBackend", "OPTIONS": {"URL": url}}}
    with override_settings(TASKS=away), Client(url, retries=0) as client:
        clients._clients.update(dict.fromkeys([(clients.os.getpid(), url, None)], client))
        with pytest.raises(ServerUnreachable), transaction.atomic():
            result = jobs.add.enqueue(1)
    assert result.enqueued_at is None
