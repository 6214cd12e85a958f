"""The backend that ``TASKS`` names: it gives tasks of Django to tasker, and reads how they stand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch
from django.tasks.signals import task_enqueued
from django.utils import timezone as django_timezone

from tasker.client.errors import InvalidTask, TaskNotFound
from tasker.django.calls import DjangoCall, InvalidPayloadError, encoded
from tasker.django.clients import client_of
from tasker.django.exceptions import AttemptError
from tasker.django.options import check_queues, read
from tasker.django.results import task_result
from tasker.ids import new_id, parse_id

ONE_ATTEMPT: Final = {"max_attempts": 1}
"""The retry policy where ``RETRY`` says none: a task that raises has failed, as with Django's own backends."""

_TYPE: Final = "job"


class TaskerBackend(BaseTaskBackend):
    """Has tasks of Django run by tasker: at their time, by the workers of ``manage.py tasker_worker``.

    A task is a job in the queue of its ``queue_name``. It is sent once the transaction around
    ``enqueue`` has committed, unless ``ON_COMMIT`` is False. Then, and not before, its result can be
    read, and ``task_enqueued`` is sent.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = False

    def __init__(self, alias: str, params: Mapping[str, Any]) -> None:
        """Make one of what ``TASKS`` says.

        Raises:
            InvalidTaskBackend: it says something that cannot be used.
        """
        super().__init__(alias, params)
        check_queues(alias, self.queues)
        self.tasker_options: Final = read(alias, self.options, settings.DATABASES)

    def enqueue(self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult:
        """Have *task* called with these arguments.

        The result is READY. ``enqueued_at`` is None until the task is sent, and set then.

        Raises:
            InvalidTask: of Django: this backend does not take the task, such as one with a priority.
            TypeError: an argument is of a type that JSON does not have.
            ValueError: an argument cannot be JSON, such as ``nan``.
            tasker.TaskerError: the task was sent and not stored, or is not known to be. With an open
                transaction it is sent, and this is raised, by the commit: what it wrote stays written.
        """
        self.validate_task(task)
        result = TaskResult(
            task=task,
            id=new_id(int(datetime.now(UTC).timestamp() * 1_000_000)),
            status=TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        run_after = _aware(task.run_after)
        # Made now, so that arguments that cannot be sent are refused while everything can be undone.
        payload = encoded(
            DjangoCall(django_task=task.module_path, args=result.args, kwargs=result.kwargs, run_after=run_after)
        )
        send = partial(self._send, result, payload, run_after)
        if self.tasker_options.on_commit:
            transaction.on_commit(send, using=self.tasker_options.using)
        else:
            send()
        return result

    def get_result(self, result_id: str) -> TaskResult:
        """Return how a task stands.

        Raises:
            TaskResultDoesNotExist: there is none with this id: it was never enqueued, or is not sent
                yet, or was deleted, as tasker does a while after its end.
            TaskResultMismatch: the project no longer has the task, or the backend does not take it.
            tasker.TaskerError: the server could not be asked.
        """
        client = client_of(self.tasker_options)
        try:
            task_id = parse_id(result_id)
            stored = client.get(task_id)
            is_simple = stored.attempts <= 1 and stored.last_error is None
            ended = [] if is_simple else client.attempts(task_id)
        except (ValueError, TaskNotFound):
            raise TaskResultDoesNotExist(result_id) from None
        if stored.type != _TYPE:
            raise TaskResultDoesNotExist(result_id)
        try:
            return task_result(stored, ended, backend=self.alias)
        except InvalidPayloadError:
            raise TaskResultDoesNotExist(result_id) from None
        except AttemptError as error:
            raise TaskResultMismatch(str(error)) from error

    def _send(self, result: TaskResult, payload: msgspec.Raw, run_after: datetime | None) -> None:
        """Create the job, and say in *result* that it is there."""
        client, options = client_of(self.tasker_options), self.tasker_options
        fields = {
            "queue": result.task.queue_name,
            "json": payload,
            "retry": ONE_ATTEMPT if options.retry is None else options.retry,
            **({} if options.keep is None else {"keep": options.keep}),
        }
        at_once = timedelta(0)
        try:
            if run_after is None:
                client.create(_TYPE, fields, delay=at_once, id=result.id)
            else:
                client.create(_TYPE, fields, at=run_after, id=result.id)
        except InvalidTask as error:
            if run_after is None or error.field != f"{_TYPE}.execution_time":
                raise
            # The time has passed by the server's clock: the task may run.
            client.create(_TYPE, fields, delay=at_once, id=result.id)
        object.__setattr__(result, "enqueued_at", django_timezone.now())  # as Django's own backends do: it is frozen
        task_enqueued.send(type(self), task_result=result)


def _aware(run_after: datetime | None) -> datetime | None:
    """Return the moment that ``run_after`` is: without ``USE_TZ`` it is said in the project's own zone."""
    if run_after is None or django_timezone.is_aware(run_after):
        return run_after
    return django_timezone.make_aware(run_after)
