"""How a task of tasker stands, as Django's ``TaskResult`` says it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from django.conf import settings
from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.exceptions import InvalidTask
from django.utils import timezone as django_timezone
from django.utils.module_loading import import_string
from msgspec import UNSET, Struct

from tasker.client.answers import Task as StoredTask
from tasker.django.calls import decoded
from tasker.django.exceptions import CLASSES, AttemptError, InvalidCallError, NotADjangoTaskError, path_of
from tasker.ids import instant_of
from tasker.model.task import Fault, TaskId
from tasker.wire.attempts import AttemptView

UNKNOWN_WORKER: Final = "unknown"
"""Stands for the worker of an attempt that has not told which it is: the attempt goes on, or it is no
longer kept."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_STATUSES: Final[Mapping[str, TaskResultStatus]] = {
    "todo": TaskResultStatus.READY,
    "in_progress": TaskResultStatus.RUNNING,
    "done": TaskResultStatus.SUCCESSFUL,
    "failed": TaskResultStatus.FAILED,
    "cancelled": TaskResultStatus.FAILED,
}


class Returned(Struct, frozen=True, kw_only=True):
    """The ``result`` of a job that a worker has done."""

    return_value: Any
    """What the function returned, as JSON has it."""
    worker_id: str


class Raised(Struct, frozen=True, kw_only=True):
    """The ``details`` of an attempt that a worker tells has failed."""

    exception_class_path: str
    traceback: str
    worker_id: str


def task_at(path: str, *, backend: str, queue: str, run_after: datetime | None) -> Task:
    """Return the task of Django that *path* leads to, as it is to be used with a backend and a queue.

    Imports its module.

    Raises:
        NotADjangoTaskError: the path cannot be imported, or leads to something else.
        InvalidCallError: the backend does not take such a task.
    """
    try:
        found = import_string(path)
    except (ImportError, ValueError) as error:
        raise NotADjangoTaskError(f"expected the path of a task of Django, got {path!r}: {error}") from error
    if not isinstance(found, Task):
        raise NotADjangoTaskError(
            f"expected the path of a task of Django, got {path!r}, which leads to something else: "
            f"{type(found).__qualname__}"
        )
    try:
        return found.using(backend=backend, queue_name=queue, run_after=run_after)
    except InvalidTask as error:
        raise InvalidCallError(f"the backend {backend!r} does not take {path!r}: {error}") from error


def moment(value: datetime | None) -> datetime | None:
    """Return a moment as the project has its moments: aware and in UTC with ``USE_TZ``, else naive in its own zone."""
    if value is None:
        return None
    in_utc = value.astimezone(UTC)
    return in_utc if settings.USE_TZ else django_timezone.make_naive(in_utc)


def _moment_in(text: str | None) -> datetime | None:
    return None if text is None else moment(datetime.fromisoformat(text))


def created_at(task_id: str) -> datetime | None:
    """Return when a task was made, of which only the id is known; None: the id does not say it."""
    try:
        return moment(_EPOCH + timedelta(microseconds=instant_of(TaskId(task_id))))
    except ValueError:
        return None


def task_result(stored: StoredTask, ended: Sequence[AttemptView], *, backend: str) -> TaskResult:
    """Return how a task stands.

    Args:
        stored: the task, a job.
        ended: its attempts that have ended, as far as they are kept, oldest first.
        backend: the name of the backend that is asked.

    Raises:
        InvalidPayloadError: it is no call of a task of Django.
        NotADjangoTaskError: the project has no such task any more.
        InvalidCallError: the backend does not take it any more.
    """
    call = decoded(stored.fields.get("json"))
    task = task_at(call.django_task, backend=backend, queue=stored.fields["queue"], run_after=moment(call.run_after))
    return_value, last_worker = _returned(stored)
    workers = {each.number: _worker(each) for each in ended}
    if last_worker is not None:
        workers[stored.attempts] = last_worker
    first = next((each.started_at for each in ended if each.number == 1), stored.started_at)
    result = TaskResult(
        task=task,
        id=stored.id,
        status=_STATUSES[stored.state],
        enqueued_at=_moment_in(stored.created_at),
        started_at=_moment_in(first),
        finished_at=_moment_in(stored.ended_at),
        last_attempted_at=_moment_in(stored.started_at),
        args=list(call.args),
        kwargs=dict(call.kwargs),
        backend=backend,
        errors=_errors(stored, ended),
        worker_ids=[workers.get(number, UNKNOWN_WORKER) for number in range(1, stored.attempts + 1)],
    )
    object.__setattr__(result, "_return_value", return_value)  # as Django's own backends set it: it is frozen
    return result


def _returned(stored: StoredTask) -> tuple[Any, str | None]:
    """Return what the function returned, and which worker told so."""
    if stored.state != "done":
        return None, None
    if stored.result is UNSET:
        return None, None
    try:
        returned = msgspec.convert(stored.result, Returned)
    except msgspec.ValidationError:  # another kind of worker has done it
        return stored.result, None
    return returned.return_value, returned.worker_id


def _raised(fault: Fault) -> Raised | None:
    """Return what a worker has told of a failure; None: no worker of Django's tasks has told it."""
    if fault.details is UNSET:
        return None
    try:
        return msgspec.json.decode(fault.details, type=Raised)
    except msgspec.ValidationError:
        return None


def _worker(attempt: AttemptView) -> str:
    raised = None if attempt.error is None else _raised(attempt.error)
    return UNKNOWN_WORKER if raised is None else raised.worker_id


def _errors(stored: StoredTask, ended: Sequence[AttemptView]) -> list[TaskError]:
    """Return why attempts failed, oldest first; last, why the task ended if that was no attempt's doing."""
    faults = [each.error for each in ended if each.error is not None]
    last = stored.last_error
    if (
        stored.state == "failed"
        and last is not None
        and (last.code, last.msg) not in [(f.code, f.msg) for f in faults[-1:]]
    ):
        faults.append(last)
    if stored.state == "cancelled":
        faults.append(Fault("cancelled", "somebody cancelled the task"))
    return [task_error(fault) for fault in faults]


def task_error(fault: Fault) -> TaskError:
    """Return why an attempt failed, as Django says it."""
    raised = _raised(fault)
    if raised is not None:
        return TaskError(exception_class_path=raised.exception_class_path, traceback=raised.traceback)
    return TaskError(
        exception_class_path=path_of(CLASSES.get(fault.code, AttemptError)), traceback=f"{fault.code}: {fault.msg}\n"
    )
