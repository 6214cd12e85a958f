"""Runs one call of a task of Django, as Django defines it, and tells how it ended."""

import json
import logging
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from django.db import close_old_connections
from django.tasks import Task, TaskContext, TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.signals import task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json

from tasker.django.calls import DjangoCall, InvalidPayloadError, decoded
from tasker.django.exceptions import AttemptError, InvalidCallError, code_of, path_of
from tasker.django.results import UNKNOWN_WORKER, Raised, created_at, moment, task_at
from tasker.wire.completions import LONGEST_RESULT
from tasker.worker.reports import line_of, words_of

if TYPE_CHECKING:
    from tasker.django.backend import TaskerBackend

logger: Final = logging.getLogger("tasker.django")

LONGEST_TRACEBACK: Final = 12_000
"""Bytes that a traceback has at most when it is told: of a longer one, its beginning and its end."""

_RAISED: Final = "exception_raised"
"""The code of an attempt in which the function raised something."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A job that this worker has claimed, as far as it matters here."""

    id: str
    attempt: int
    queue: str
    json: Any


class NotCountedError(Exception):
    """What was told of an attempt does not count: the server refuses it, as after a cancellation."""


class Report(Protocol):
    """Tells the server how an attempt ended."""

    def complete(self, result: object) -> str:
        """Say that the work is done. Return the state of the task then.

        Raises:
            NotCountedError: see there.
        """

    def fail(self, *, code: str, msg: str, details: object, retry: bool) -> str:
        """Say that the attempt has failed. For what it returns and raises, see ``complete``."""


def run(claimed: Claimed, report: Report, *, backend: "TaskerBackend", worker_id: str) -> None:
    """Call the function that a job names, send Django's signals, and tell how it ended. Never raises.

    Blocks until the function has returned. An ``async`` function gets an event loop of its own.
    """
    close_old_connections()
    try:
        _run(claimed, report, backend, worker_id)
    except NotCountedError as error:
        logger.warning("What came of task id=%s does not count: %s", claimed.id, error)
    finally:
        close_old_connections()


def _run(claimed: Claimed, report: Report, backend: "TaskerBackend", worker_id: str) -> None:
    try:
        call = _call_of(claimed)
        task = task_at(call.django_task, backend=backend.alias, queue=claimed.queue, run_after=moment(call.run_after))
    except Exception as error:  # whatever importing a module of the project raises
        logger.exception("Task id=%s cannot be run", claimed.id)
        _tell(report, error, worker_id, retry=not isinstance(error, AttemptError))
        return
    result = _running(claimed, call, task, backend, worker_id)
    try:
        task_started.send(sender=type(backend), task_result=result)
        context = [TaskContext(task_result=result)] if task.takes_context else []
        returned = task.call(*context, *result.args, **result.kwargs)
    except BaseException as error:  # noqa: BLE001 - Django's own backend takes them all as failures
        _failed(result, error, report, backend, worker_id, retry=True)
        return
    try:
        kept = normalize_json(returned)
        told = _told(kept, worker_id)
    except (TypeError, ValueError, RecursionError) as error:  # another attempt would return the same
        _failed(result, error, report, backend, worker_id, retry=False)
        return
    report.complete(told)
    _set(result, "finished_at", timezone.now())
    _set(result, "_return_value", kept)
    _set(result, "status", TaskResultStatus.SUCCESSFUL)
    _finished(result, backend)


def _call_of(claimed: Claimed) -> DjangoCall:
    try:
        return decoded(claimed.json)
    except InvalidPayloadError as error:
        raise InvalidCallError(str(error)) from None


def _running(claimed: Claimed, call: DjangoCall, task: Task, backend: "TaskerBackend", worker_id: str) -> TaskResult:
    """Return what the function sees of its task, and Django's signals: with what earlier attempts have left."""
    now = timezone.now()
    earlier = None
    if claimed.attempt > 1:
        try:
            earlier = backend.get_result(claimed.id)
        except Exception as error:  # noqa: BLE001 - the task can run without
            logger.warning("The earlier attempts of task id=%s are not known here: %s", claimed.id, error)
    unknown = [UNKNOWN_WORKER] * (claimed.attempt - 1)
    return TaskResult(
        task=task,
        id=claimed.id,
        status=TaskResultStatus.RUNNING,
        enqueued_at=created_at(claimed.id) if earlier is None else earlier.enqueued_at,
        started_at=now if earlier is None or earlier.started_at is None else earlier.started_at,
        finished_at=None,
        last_attempted_at=now,
        args=list(call.args),
        kwargs=dict(call.kwargs),
        backend=backend.alias,
        errors=[] if earlier is None else earlier.errors,
        worker_ids=[*(unknown if earlier is None else earlier.worker_ids[: claimed.attempt - 1]), worker_id],
    )


def _failed(
    result: TaskResult, error: BaseException, report: Report, backend: "TaskerBackend", worker_id: str, *, retry: bool
) -> None:
    """Tell of a failure. Called while *error* is being handled: Django's log shows it then."""
    state = _tell(report, error, worker_id, retry=retry)
    result.errors.append(
        TaskError(exception_class_path=path_of(type(error)), traceback="".join(format_exception(error)))
    )
    if state != "failed":
        _set(result, "status", TaskResultStatus.READY)
        logger.warning("Task id=%s path=%s is tried again", result.id, result.task.module_path, exc_info=error)
        return
    _set(result, "finished_at", timezone.now())
    _set(result, "status", TaskResultStatus.FAILED)
    _finished(result, backend)


def _tell(report: Report, error: BaseException, worker_id: str, *, retry: bool) -> str:
    """Tell that an attempt has failed with *error*. Return the state of its task then."""
    raised = Raised(
        exception_class_path=path_of(type(error)),
        traceback=shortened("".join(format_exception(error))),
        worker_id=worker_id,
    )
    msg = line_of(f"{type(error).__qualname__}: {words_of(error)}")
    return report.fail(code=code_of(error) or _RAISED, msg=msg, details=raised, retry=retry)


def _told(kept: object, worker_id: str) -> msgspec.Raw:
    """Return the result of a job that returned *kept*.

    Raises:
        ValueError: it cannot be kept.
    """
    told = json.dumps({"return_value": kept, "worker_id": worker_id}, allow_nan=False, ensure_ascii=False).encode()
    if len(told) > LONGEST_RESULT:
        raise ValueError(f"expected a return value of at most {LONGEST_RESULT} bytes of JSON, got: {len(told)}")
    return msgspec.Raw(told)


def shortened(traceback: str) -> str:
    """Return *traceback*; if it is long, its beginning and its end, which says what was raised.

    >>> len(shortened("x" * 100_000).encode()) <= LONGEST_TRACEBACK
    True
    """
    text = traceback.encode(errors="backslashreplace")  # half characters, which JSON cannot have, are written out
    if len(text) <= LONGEST_TRACEBACK:
        return text.decode()
    mark = b"\n... (left out) ...\n"
    head, tail = LONGEST_TRACEBACK // 4, LONGEST_TRACEBACK - LONGEST_TRACEBACK // 4 - len(mark)
    return (text[:head] + mark + text[-tail:]).decode(errors="ignore")


def _finished(result: TaskResult, backend: "TaskerBackend") -> None:
    """Send ``task_finished``. What a receiver raises changes nothing any more."""
    try:
        task_finished.send(type(backend), task_result=result)
    except Exception:
        logger.exception("A receiver of task_finished raised, for task id=%s", result.id)


def _set(result: TaskResult, name: str, value: object) -> None:
    """Change *result* as Django's own backends do: it is frozen for others."""
    object.__setattr__(result, name, value)
