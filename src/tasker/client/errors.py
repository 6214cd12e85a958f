"""What the client raises: an exception for each ``code`` of the API's problems, and those that are no answers.

* TaskerError
  + ApiError                  the server refused the call: a class for each code, such as ``KeyInUse``
  + CallFailed                there is no answer of a server to tell of
    - ServerUnreachable       nothing was sent: there is no connection
    - NoAnswer                it was sent, and may or may not have had its effect
    - UnexpectedAnswer        whoever answered does not speak as tasker does
  + WaitTimedOut              the task, or the operation, had not ended when the time was over
  + NaiveTimeError            a datetime without a time zone, which could be any of several moments
  + SettingError              a URL, a key or a variable cannot be used

No message shows the key, a body or the query of a URL.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from tasker.errors import TaskerError
from tasker.wire.server import Problem, Refusal


class ApiError(TaskerError):
    """The server refused the call. Problems with a code have classes of their own, named for it.

    A code that has no class comes as an ``ApiError`` with that code: one that this version does not know, and
    ``not_implemented``, whose name is a builtin of Python.
    """

    code: ClassVar[str] = ""

    def __init__(self, problem: Problem, *, retry_after: float | None = None) -> None:
        super().__init__(problem.msg)
        self.problem: Final = problem
        """All that the server said."""
        self.retry_after: Final = retry_after
        """Seconds after which another try makes sense; None: the server has not said."""
        if not self.code:
            self.__dict__["code"] = problem.code  # it has no class that says it

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def message(self) -> str:
        """One text for people: what is wrong, and what would be right."""
        return self.problem.msg

    @property
    def field(self) -> str | None:
        """Where in the request the problem is, such as ``webhook.url``; None: it is not in a single place."""
        return self.problem.field or None

    @property
    def holder(self) -> str | None:
        """Of ``key_in_use``: the id of the task that holds the key; else None."""
        return self.problem.holder or None

    @property
    def refusals(self) -> Sequence[Refusal]:
        """Of a batch: which of its tasks are refused, by their places from 0; the first 100. Else empty."""
        return self.problem.refusals or ()

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, (type(self), self.problem, self.retry_after))


def _rebuilt(kind: type[ApiError], problem: Problem, retry_after: float | None) -> ApiError:
    return kind(problem, retry_after=retry_after)


class InvalidTask(ApiError):
    """400. The request cannot become a task: ``field`` and ``message`` say why."""

    code = "invalid_task"


class InvalidTasks(ApiError):
    """400. Some tasks of a batch cannot be created, so none was: ``refusals`` says which, and why."""

    code = "invalid_tasks"


class MaskedValue(ApiError):
    """400. A secret is ``***``, which is shown in place of the value: ``field`` says which."""

    code = "masked_value"


class InvalidRequest(ApiError):
    """400. What a call other than a create was given cannot be used: ``field`` and ``message`` say why."""

    code = "invalid_request"


class InvalidQuery(ApiError):
    """400. A filter or another parameter cannot be used: ``field`` and ``message`` say why."""

    code = "invalid_query"


class BadRequest(ApiError):
    """400. The request is not HTTP that can be read in one way alone."""

    code = "bad_request"


class Unauthorized(ApiError):
    """401. This server requires an API key, and the call has none, or no valid one."""

    code = "unauthorized"


class InvalidToken(ApiError):
    """401. The token of an attempt is missing, or is none of this server."""

    code = "invalid_token"


class Forbidden(ApiError):
    """403. This caller may not call, whatever the request says, such as by a host that is not allowed."""

    code = "forbidden"


class ScopeMissing(ApiError):
    """403. The key lacks the scope that the call needs. The message names it, and the roles that have it."""

    code = "scope_missing"


class TaskNotFound(ApiError):
    """404. No task has this id, or this key: there never was one, or it was deleted."""

    code = "task_not_found"


class DestinationNotFound(ApiError):
    """404. No destination has this id."""

    code = "destination_not_found"


class ScheduleNotFound(ApiError):
    """404. No schedule has this name: there never was one, or it was deleted."""

    code = "schedule_not_found"


class OperationNotFound(ApiError):
    """404. No operation has this id: there never was one, or it ended long ago."""

    code = "operation_not_found"


class ApiKeyNotFound(ApiError):
    """404. No API key has this id: there never was one, or it was revoked."""

    code = "api_key_not_found"


class InboxRowNotFound(ApiError):
    """404. The inbox has no row with this id: there never was one, or it was taken or deleted."""

    code = "inbox_row_not_found"


class NotFound(ApiError):
    """404. There is nothing at this path: the server is older than this client, or the URL is another's."""

    code = "not_found"


class MethodNotAllowed(ApiError):
    """405. The path does not take this method: the server is older than this client, or the URL is another's."""

    code = "method_not_allowed"


class TooSlow(ApiError):
    """408. The request took longer to arrive than the server waits."""

    code = "too_slow"


class TaskRunning(ApiError):
    """409. The task is running and cannot be changed, replaced or deleted now."""

    code = "task_running"


class KeyInUse(ApiError):
    """409. Another task that has not ended holds the key: ``holder`` is its id. Nothing was written."""

    code = "key_in_use"


class IdInUse(ApiError):
    """409. A task with this id is stored, and it has other content. Nothing was written."""

    code = "id_in_use"


class TaskEnded(ApiError):
    """409. The task has ended, and cannot be cancelled or changed any more."""

    code = "task_ended"


class TaskNotTodo(ApiError):
    """409. Only a task that is ``todo`` can be run now, or be given another time."""

    code = "task_not_todo"


class Cancelled(ApiError):
    """409. The task of the token was cancelled: whoever works on it can stop."""

    code = "cancelled"


class CompletedBefore(ApiError):
    """409. The end of the token's attempt was told before: it was heard."""

    code = "completed_before"


class CompletionLate(ApiError):
    """409. The attempt of the token is over, by its deadline or otherwise. Another may follow it."""

    code = "completion_late"


class NotClaimed(ApiError):
    """409. Only a task that was claimed from a queue can be given back."""

    code = "not_claimed"


class NothingToProbe(ApiError):
    """409. The destination cannot be probed: the message says why."""

    code = "nothing_to_probe"


class NoDevClock(ApiError):
    """404. The clock of the server cannot be moved: it was not started with ``--dev-clock``."""

    code = "no_dev_clock"


class NoAdminKey(ApiError):
    """409. The first API key must have the scope ``admin``."""

    code = "no_admin_key"


class LastAdminKey(ApiError):
    """409. The last API key with the scope ``admin`` cannot be revoked through the API."""

    code = "last_admin_key"


class TaskNotFailed(ApiError):
    """409. Only a task that is ``failed`` or ``cancelled`` can be run again."""

    code = "task_not_failed"


class TaskExpired(ApiError):
    """409. The ``expires_at`` of the task has passed, so it cannot be run, or not again."""

    code = "task_expired"


class Conflicts(ApiError):
    """409. Some tasks of a batch meet others by their ids or keys, so none was created: ``refusals`` says which."""

    code = "conflicts"


class IdempotencyInFlight(ApiError):
    """409. A request with this Idempotency-Key is still being answered."""

    code = "idempotency_in_flight"


class TaskExists(ApiError):
    """409. A task with this id is already stored. Nothing was written."""

    code = "task_exists"


class HeadersNeeded(ApiError):
    """409. A URL is to go to another scheme, host or port, and its ``headers`` are not given anew."""

    code = "headers_needed"


class RevisionPassed(ApiError):
    """412. The task, or the schedule, was written since you read it. Nothing was changed."""

    code = "revision_passed"


class BodyTooLarge(ApiError):
    """413. The body is longer than the server accepts. Nothing was written."""

    code = "body_too_large"


class UnsupportedMediaType(ApiError):
    """415. The body is not declared as JSON."""

    code = "unsupported_media_type"


class IdempotencyKeyReused(ApiError):
    """422. This Idempotency-Key came with another request before. Nothing was written."""

    code = "idempotency_key_reused"


class TooManyCalls(ApiError):
    """429. The key has made more calls than ``--key-rate`` allows. This one did nothing."""

    code = "too_many_calls"


class HeadersTooLarge(ApiError):
    """431. The request line and the headers are too long."""

    code = "headers_too_large"


class InternalError(ApiError):
    """500. The server has a defect. Its log says more."""

    code = "internal_error"


class StoreUnavailable(ApiError):
    """503. The database cannot be used now. A write may or may not have happened."""

    code = "store_unavailable"


class TooManyBatches(ApiError):
    """503. The server is busy with other batches. Nothing was written."""

    code = "too_many_batches"


class TooManyReaders(ApiError):
    """503. The server has no room for another reader, or is stopping."""

    code = "too_many_readers"


class StoreBusy(ApiError):
    """503. Too many writes are already waiting. Nothing was written."""

    code = "store_busy"


class UpgradeUnfinished(ApiError):
    """503. A node of the previous version may be running, and could not read this. Nothing was written."""

    code = "upgrade_unfinished"


class TimeZoneUnknown(ApiError):
    """503. The time zones of this node are older than those of the node that stored the schedule."""

    code = "time_zone_unknown"


class ServerBusy(ApiError):
    """503. The server holds as many half-sent requests as it has room for. Nothing was written."""

    code = "server_busy"


class HttpVersionNotSupported(ApiError):
    """505. The request is neither HTTP/1.1 nor HTTP/1.0."""

    code = "http_version_not_supported"


class StoreFull(ApiError):
    """507. There is no space left for the database. A write may or may not have happened."""

    code = "store_full"


class CallFailed(TaskerError):
    """A call has no answer of a tasker server."""


class ServerUnreachable(CallFailed):
    """There is no connection to the server, after all tries. Nothing was sent, so nothing has happened."""


class NoAnswer(CallFailed):
    """The request was sent, or a part of it, and no answer came. It may or may not have had its effect."""


class UnexpectedAnswer(CallFailed):
    """Whoever answered does not speak as this version of tasker does: a proxy, another program, or a newer server.

    Args:
        status: of the answer.
        problem: what is wrong with it, as a clause.
    """

    def __init__(self, status: int, problem: str) -> None:
        self.status: Final = status
        self._problem = problem
        super().__init__(f"expected an answer of tasker, got the status {status}: {problem}")

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.status, self._problem))


class WaitTimedOut(TaskerError, TimeoutError):
    """It had not ended when the time to wait was over. It goes on; to wait again is fine."""


class NaiveTimeError(TaskerError, ValueError):
    """A datetime has no time zone: it could be any of several moments, and a task must start at one.

    Args:
        name: the parameter that it was given as.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__(
            f"{name}: expected a datetime with a time zone, such as datetime.now(UTC) + timedelta(hours=1); "
            "one without could mean the time here, at the server, or UTC. "
            "For what the clocks of a place show, use local_time and time_zone"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self._name,))


def _all_below(kind: type[ApiError]) -> Iterator[type[ApiError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _all_below(each)


BY_CODE: Final = {each.code: each for each in _all_below(ApiError)}
"""The exception of each code."""
