"""The errors that cross rooms, as one tree, drawn here once.

Two kinds of errors stand outside the tree. An error that never leaves its room is defined where it
is raised, such as ``ClientGoneError`` in ``api/bodies.py`` and ``UnsentError`` in
``egress/connection.py``. And ``DeliveryError`` is defined with ``HttpClient`` in
``egress/http_client.py``: it is part of that contract, and the webhook task type turns it into the
outcome of the attempt.

* TaskerError
  + InvalidRequestError          the body of a request, or a header, cannot be used
    - InvalidTaskError           it cannot become a task
      . MaskedValueError         it says *** where a secret belongs
      . HeadersNeededError       a URL is to go elsewhere, and its headers are not given anew
  + InvalidQueryError            a query parameter, or the type or state of a list, cannot be used
  + TaskNotFoundError
    - KeyNotFoundError           no task is named by this key
  + TaskExistsError              a task with this id is already stored
    - IdInUseError               its caller named the id, and asks for something else
  + KeyInUseError                another task holds the key
  + TasksRefusedError            some of several new tasks cannot be stored
    - InvalidTasksError          some cannot become tasks
    - ConflictsError             some cannot be stored beside those that are
  + TooManyBatchesError          others have many tasks created at this moment
  + TooManyReadersError          half of all connections wait for something already
  + TaskRunningError             a running task cannot be changed, replaced or deleted
  + TaskEndedError               the task has ended, and cannot be cancelled or changed any more
  + TaskNotWaitingError          only a task that waits can be run now, or be given another time
  + TaskNotFailedError           only a failed or cancelled task can be run again
  + TaskExpiredError             it is too late to run the task again
  + IdempotencyKeyReusedError    a request with this Idempotency-Key was another one
  + IdempotencyInFlightError     a request with this Idempotency-Key is still being answered
  + RevisionPassedError          the task or the schedule was written since
  + DestinationNotFoundError
  + OperationNotFoundError
  + ScheduleNotFoundError
  + ApiKeyNotFoundError
  + InboxRowNotFoundError
  + NoDevClockError              the clock of a server that is not there for tests cannot be moved
  + NoAdminKeyError              the first key must be one that may make others
  + LastAdminKeyError            the last key that may make others cannot be revoked so
  + NothingToProbeError          a destination cannot be probed as it is
  + ClaimLostError               the task was taken back after it was claimed
  + CompletionVoidError          the attempt of a token has ended
    - TaskCancelledError         its task was cancelled
    - CompletedBeforeError       its end was told before
    - CompletionLateError        it ended otherwise, such as by its deadline
  + NotPulledError               only what a worker has claimed can be given back
  + DeclarationError             a function cannot be a task as it is declared
  + BadArgumentsError            a function cannot be called with these arguments
  + AttemptOverError             nobody waits for the attempt in which a function runs
  + AttemptMustNotBeginError     the attempt must not start: the lease has ended, or the task has
    expired
  + RefusedError                 a door refuses the call before it reaches the service
    - UnauthorizedError          no valid API key
    - InvalidTokenError          no token of an attempt
    - TooManyCallsError          more calls of a key than --key-rate allows
    - ForbiddenError             this caller may not call, such as a page of another web site
      . ScopeMissingError        its key may not do this
    - UnsupportedMediaTypeError
    - BodyTooLargeError
  + StoreError
    - StoreUnavailableError      cannot be used now; a write may or may not have happened
      . StoreFullError           no space left; a write may or may not have happened
    - StoreBusyError             too many writes are already waiting; nothing was written
  + UpgradeUnfinishedError       nodes of the version before could not read what was to be written
  + TimeZoneUnknownError         this node's time zones are older than those of another
  + MaintenanceError             a database cannot be backed up, restored, checked or vacuumed
    - InTheWayError              something that is not to be overwritten has the name of a copy
    - CopyUnusableError          a file is not a whole copy of a database
    - OwnToolsError              the database has tools of its own for that
  + SettingError                 a flag, variable or key has a value that cannot be used (exit 2)
  + StartError                   the server cannot start as things are (exit 1)
    - ListenError                the server cannot listen on the address
    - OpenToOthersError          others could call it without a key
    - DatabaseError              the database cannot be opened
      . DatabaseUrlError         its URL cannot be used
      . DatabaseInUseError       another tasker is using it
      . DatabaseBeingCopiedError tasks are being copied into it
      . DatabaseMovedError       its tasks are in another database now
      . CopyOfAnotherError       it is half a copy of another database
      . NotEmptyError            it is not empty, so nothing can be copied into it
      . NotHeldThereError        it has rows for which the other database has no place
      . CopyDiffersError         it does not hold what it was copied from
      . CopyStoppedError         a copy cannot go on now
      . DatabaseTooNewError      a newer tasker wrote it
      . SchemaOutdatedError      an earlier tasker made its tables
      . NotADatabaseError
    - AppNotLoadedError          the app of --app cannot be used
    - TakeOverError              a row of the earlier server's tables cannot be read

An error takes its data and builds its own message. The message says what to do next where that is
known. No message carries a secret, a webhook body, userinfo or a query string. Of what a caller
sent, it shows a piece at most: see ``cut``.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

REFUSALS_SHOWN: Final = 100
"""How many of the refusals of one request are told."""

SHOWN: Final = 60
"""Characters of what a caller sent that a message shows."""


def cut(text: str) -> str:
    """Return *text*, or its first ``SHOWN`` characters and ``...`` if it is longer, so that a message stays a line.

    >>> cut("x" * 100) == "x" * 60 + "..."
    True
    """
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


class TaskerError(Exception):
    """The root of the errors that cross rooms."""

    code: ClassVar[str] = ""
    """A stable word for programs, of those that an operation keeps; empty: the door has it."""


class InvalidRequestError(TaskerError):
    """The body of a request, or a header, cannot be used.

    Args:
        field: where the problem is, as a dotted path in the body (``webhook.url``), or a header;
            empty for the body as a whole.
        problem: what is wrong and what would be right, as a clause: ``expected a URL with a host,
            got: http://``.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}" if field else problem)


class InvalidTaskError(InvalidRequestError):
    """The body of a request cannot become a task."""

    code = "invalid_task"


class MaskedValueError(InvalidTaskError):
    """The body of a request says ``***``, which is shown in place of a secret, where that secret belongs."""

    code = "masked_value"

    def __init__(self, field: str, problem: str = "expected the value itself, got ***, which stands for it") -> None:
        super().__init__(field, problem)


class HeadersNeededError(InvalidTaskError):
    """A URL of a task is to go to another origin, and its headers are not given anew. Nothing was changed.

    Else whoever may change tasks, but not read their secrets, could have these sent anywhere.
    """

    code = "headers_needed"

    def __init__(self, field: str) -> None:
        super().__init__(
            field,
            "expected the headers anew, or {} for none: the URL goes to another scheme, host or port, "
            "and headers are not sent to another than they were given for",
        )


class InvalidQueryError(TaskerError):
    """A query parameter cannot be used, or the type or the state that a list is asked for."""

    def __init__(self, parameter: str, problem: str) -> None:
        self.parameter = parameter
        self.problem = problem
        super().__init__(f"{parameter}: {problem}")


class TaskNotFoundError(TaskerError):
    """No task has this id: there never was one, or it was deleted."""

    code = "task_not_found"

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"there is no task with the id {task_id}")


class KeyNotFoundError(TaskNotFoundError):
    """No task holds this key.

    Args:
        ever: whether none ever had it, as far as is known.
    """

    def __init__(self, key: str, *, ever: bool) -> None:
        TaskerError.__init__(
            self, f"no task {'has or had' if ever else 'that has not ended holds'} the key {cut(key)!r}"
        )


class TaskExistsError(TaskerError):
    """A task with this id is already stored. Nothing was written."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"a task with the id {task_id} already exists")


class IdInUseError(TaskExistsError):
    """A task with the id that the caller named is stored, and it was asked for in other words. Nothing was written."""


class KeyInUseError(TaskerError):
    """Another task that has not ended holds the key. Nothing was written.

    Args:
        holder: the id of that task.
        problem: why it cannot be replaced, as a clause; empty if that was not asked for.
    """

    code = "key_in_use"

    def __init__(self, key: str, holder: str, problem: str = "") -> None:
        self.key = key
        self.holder = holder
        super().__init__(
            f"the task {holder} holds the key {cut(key)!r} {problem or 'until it ends'}; "
            "wait for its end, delete it, choose another key, or say with on_conflict what to do with it"
        )


class TasksRefusedError(TaskerError):
    """Some of several new tasks cannot be stored. Nothing was written.

    Args:
        refusals: why not, by their places, in order; the first ``REFUSALS_SHOWN``.
    """

    def __init__(self, refusals: Mapping[int, TaskerError]) -> None:
        self.refusals = refusals
        place, first = next(iter(refusals.items()))
        others = f"; {len(refusals)} tasks are refused" if len(refusals) > 1 else ""
        super().__init__(f"task {place}: {first}{others}; nothing was stored")


class InvalidTasksError(TasksRefusedError):
    """Some of several new tasks cannot become tasks, and others perhaps not be stored beside those that are."""


class ConflictsError(TasksRefusedError):
    """Some of several new tasks cannot be stored beside those that are."""


class TooManyBatchesError(TaskerError):
    """Others have many tasks created at this moment. Nothing was written.

    Args:
        retry_after: seconds after which it makes sense to try again.
    """

    def __init__(self, *, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__("this server is busy with other batches; nothing was written: try again later")


class TooManyReadersError(TaskerError):
    """As many callers wait for events, or for the ends of tasks, as may; or the node is stopping.

    Args:
        retry_after: seconds after which it makes sense to try again.
    """

    def __init__(self, *, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(
            "this server has no room for another reader, or is stopping: try again later, or another node; "
            "its limit of open files (ulimit -n) says how many there may be"
        )


class TaskRunningError(TaskerError):
    """The task is running and cannot be changed, replaced or deleted now.

    Args:
        done: what cannot be done to it.
    """

    code = "task_running"

    def __init__(self, task_id: str, done: str = "deleted") -> None:
        self.task_id = task_id
        super().__init__(
            f"the task {task_id} is running and cannot be {done} now; try again when its attempt has ended"
        )


class TaskEndedError(TaskerError):
    """The task has ended, and cannot be cancelled, or changed, any more.

    Args:
        right: which tasks can be, as a clause.
    """

    code = "task_ended"

    def __init__(
        self, task_id: str, state: str, right: str = "only a task that has not ended can be cancelled"
    ) -> None:
        self.task_id = task_id
        super().__init__(f"the task {task_id} is {state}; {right}")


class TaskNotWaitingError(TaskerError):
    """The task cannot be run now, or be given another time: it does not wait for its time.

    Args:
        right: what can be done to which tasks, as a clause.
    """

    code = "task_not_todo"

    def __init__(
        self,
        task_id: str,
        state: str,
        right: str = "only a task that is todo can be run now, and one that is failed or cancelled with retry",
    ) -> None:
        self.task_id = task_id
        super().__init__(f"the task {task_id} is {state}; {right}")


class TaskNotFailedError(TaskerError):
    """The task cannot be run again: it is neither failed nor cancelled."""

    code = "task_not_failed"

    def __init__(self, task_id: str, state: str) -> None:
        self.task_id = task_id
        super().__init__(f"the task {task_id} is {state}; only a failed or cancelled task can be run again")


class TaskExpiredError(TaskerError):
    """The task cannot be run, or not again: its ``expires_at`` has passed."""

    code = "task_expired"

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(
            f"the expires_at of the task {task_id} has passed, so it cannot start; "
            "give it a later one with PATCH, or create a new task"
        )


class IdempotencyKeyReusedError(TaskerError):
    """A request with this Idempotency-Key has been answered, and it was another one. Nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key came with another request before; "
            "send the same method, path, query and body again, or choose a new key"
        )


class IdempotencyInFlightError(TaskerError):
    """A request with this Idempotency-Key is still being answered. Nothing was written.

    Args:
        retry_after: seconds after which it makes sense to try again.
    """

    def __init__(self, *, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__("a request with this Idempotency-Key is still being answered; send it again later")


class RevisionPassedError(TaskerError):
    """The task is not at the revision that was named: it was written since. Nothing was changed.

    Args:
        task_id: its id; of a schedule, the name.
        kind: what it is.
    """

    code = "revision_passed"

    def __init__(self, task_id: str, kind: str = "task") -> None:
        self.task_id = task_id
        super().__init__(f"the {kind} {task_id} has changed since; read it again, and send its new ETag as If-Match")


class DestinationNotFoundError(TaskerError):
    """No destination has this id."""

    def __init__(self, gate_id: str) -> None:
        self.gate_id = gate_id
        super().__init__(f"there is no destination with the id {gate_id}; GET /destinations lists those that exist")


class OperationNotFoundError(TaskerError):
    """No operation has this id: there never was one, or it ended long ago."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"no operation has the id {operation_id}")


class ScheduleNotFoundError(TaskerError):
    """No schedule has this name: there never was one, or it was deleted."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no schedule {cut(name)!r}; GET /schedules lists those that exist")


class InboxRowNotFoundError(TaskerError):
    """No row of the inbox has this id: there never was one, or it was taken or deleted."""

    def __init__(self, row_id: str) -> None:
        super().__init__(
            f"the inbox has no row with the id {row_id}; if it was taken, GET /tasks/{row_id} has its task"
        )


class ApiKeyNotFoundError(TaskerError):
    """No API key has this id: there never was one, or it was revoked."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"no API key has the id {cut(key_id)}; GET /keys and tasker keys ls show those that exist")


class NoDevClockError(TaskerError):
    """The server was not started with a clock that can be moved."""

    def __init__(self) -> None:
        super().__init__(
            "the clock of this server cannot be moved; for tests, start one on a database of its own "
            "with tasker serve --dev-clock"
        )


class NoAdminKeyError(TaskerError):
    """The first API key must have the scope ``admin``: else nobody could make others. Nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "the first API key must have the role admin: from then on keys are asked for, "
            "and only a key with the scope admin can make others"
        )


class LastAdminKeyError(TaskerError):
    """The last valid API key with the scope ``admin`` cannot be revoked through the API. Nothing was written."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"the API key {key_id} is the last one with the scope admin, and nobody could make others; "
            "make another first, or stop the servers and run: tasker db keys revoke --database-url URL ID"
        )


class NothingToProbeError(TaskerError):
    """No attempt can be made as a probe of the destination, or none is needed."""

    def __init__(self, gate_id: int, problem: str) -> None:
        self.gate_id = gate_id
        super().__init__(f"the destination {gate_id} cannot be probed: {problem}")


class ClaimLostError(TaskerError):
    """The task was taken back after it was claimed. Nothing was written, and the result is void."""

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        super().__init__(f"the claim on the task {task_id} is lost: the task was taken back")


class CompletionVoidError(TaskerError):
    """The attempt whose token was shown has ended. Nothing was changed."""

    def __init__(self, task_id: str, problem: str) -> None:
        self.task_id = task_id
        super().__init__(f"{problem}; nothing was changed")


class TaskCancelledError(CompletionVoidError):
    """The task was cancelled: whoever works on it can stop."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id, f"the task {task_id} was cancelled: its work is no longer needed")


class CompletedBeforeError(CompletionVoidError):
    """The end of the attempt was told before."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id, f"the end of the task {task_id} was told before")


class CompletionLateError(CompletionVoidError):
    """The attempt has ended otherwise, such as by its deadline: it may be tried again."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id, f"this attempt of the task {task_id} is over, and another may follow it or run")


class NotPulledError(TaskerError):
    """Only what a worker has claimed from a queue can be given back."""

    code = "not_claimed"

    def __init__(self, type_: str) -> None:
        super().__init__(
            f"only a task that was claimed from a queue can be given back, this one is a {type_}; "
            "to have it sent again, report that it has failed"
        )


class AttemptMustNotBeginError(TaskerError):
    """The attempt must not begin. Its task is given back, and no attempt is used up.

    Args:
        reason: why, as a clause: ``its task has expired``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the attempt must not begin: {reason}")


class RefusedError(TaskerError):
    """A door refuses the call before it reaches the service."""


class UnauthorizedError(RefusedError):
    """The call carries no valid API key, and this server requires one.

    Args:
        problem: what is wrong with the one that it carries, as a clause; empty: it carries none.
    """

    def __init__(self, problem: str = "") -> None:
        self.problem: Final = problem
        got = f"this one {problem}" if problem else "this call has none"
        super().__init__(f"this server requires an API key, and {got}: send it as 'Authorization: Bearer <key>'")


class InvalidTokenError(RefusedError):
    """The call shows no token of an attempt, or none of this server."""

    def __init__(self) -> None:
        super().__init__(
            "expected the token of an attempt, as its request had it in tasker-completion-token: "
            "send it as 'Authorization: Bearer <token>'"
        )


class TooManyCallsError(RefusedError):
    """The key has made more calls than ``--key-rate`` allows. This one did nothing.

    Args:
        rate: how many calls a second are allowed.
    """

    retry_after = 1
    """Seconds after which it makes sense to try again: by then there is room for a call."""

    def __init__(self, rate: int) -> None:
        super().__init__(
            f"this API key has made more than {rate} calls a second (--key-rate), which this server does not allow; "
            "this call did nothing: try again later"
        )


class ForbiddenError(RefusedError):
    """This caller may not call, whatever the request says."""


class ScopeMissingError(ForbiddenError):
    """The caller's key may not do what the call does.

    Args:
        name: what the key is called.
        scope: what it lacks.
        roles: those that have it.
    """

    def __init__(self, name: str, scope: str, roles: Sequence[str]) -> None:
        super().__init__(
            f"the API key {cut(name)!r} lacks the scope {scope}, which this call needs; "
            f"keys with the role {' or '.join(roles)} have it"
        )


class UnsupportedMediaTypeError(RefusedError):
    """The request does not declare its body as what is taken: JSON, or the form of a page.

    Args:
        got: what it declares it as.
        also: what else it may be declared as; empty: nothing.
        right: what it may be declared as in place of JSON.
    """

    def __init__(self, got: str, *, also: str = "", right: str = "application/json") -> None:
        expected = f"'content-type: {right}'{f' or {also}' if also else ''}"
        hint = "; with curl, use: curl --json '...'" if right == "application/json" else ""
        super().__init__(f"expected the header {expected}, got: {got or 'none'}{hint}")


class BodyTooLargeError(RefusedError):
    """The body is longer than this server accepts.

    Args:
        limit: bytes.
        setting: what sets the limit; empty if it is fixed.
    """

    def __init__(self, limit: int, *, setting: str = "--max-body-bytes") -> None:
        self.limit = limit
        super().__init__(f"expected a body of at most {limit} bytes{f' ({setting})' if setting else ''}, got more")


class StoreError(TaskerError):
    """The store could not do what it was asked to do."""


class StoreUnavailableError(StoreError):
    """The store cannot be used now. A write that was under way may or may not have happened.

    Args:
        reason: the cause, in a few words.
        retry_after: seconds after which it makes sense to try again.
    """

    def __init__(self, reason: str, *, retry_after: int = 1) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(
            f"the database cannot be used now ({reason}); "
            "a write may or may not have happened: check before you try again"
        )


class StoreFullError(StoreUnavailableError):
    """There is no space left for the database. A write that was under way may or may not have happened."""


class StoreBusyError(StoreError):
    """Too many writes are already waiting. Nothing was written."""

    def __init__(self, *, retry_after: int = 1) -> None:
        self.retry_after = retry_after
        super().__init__("too many writes are already waiting for the database; nothing was written: try again later")


class UpgradeUnfinishedError(TaskerError):
    """Nodes of the version before may share the store, and could not read what was to be written. Nothing was.

    Args:
        what: what it was, as a noun: ``webhook.tags``.
        retry_after: seconds after which it makes sense to try again.
    """

    def __init__(self, what: str, *, retry_after: int = 10) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"{what} can be used once no node of the previous version is running (GET /nodes lists the nodes): "
            "upgrade or stop those that are left; where nodes run with --no-migrate, then run: tasker db migrate"
        )


class TimeZoneUnknownError(TaskerError):
    """A node with newer time zones has stored a schedule whose zone this one does not know. Nothing was written.

    Args:
        time_zone: its name.
        version: of this node's zones, that is of the package ``tzdata``.
        retry_after: seconds after which it makes sense to try again: another node may answer then.
    """

    def __init__(self, time_zone: str, version: str, *, retry_after: int = 10) -> None:
        self.time_zone = time_zone
        self.retry_after = retry_after
        super().__init__(
            f"this server does not know the time zone {cut(time_zone)!r} of the schedule: its tzdata is {version}, "
            "older than that of the server which stored it; update the package tzdata here, or ask that server"
        )


class MaintenanceError(TaskerError):
    """A database cannot be backed up, restored, checked or vacuumed. Nothing was changed.

    Args:
        problem: what is wrong and what to do, as a clause.
    """

    code = "failed"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


class InTheWayError(MaintenanceError):
    """Something that is not to be overwritten has the name that a copy is to have, or is making it."""

    code = "in_the_way"


class CopyUnusableError(MaintenanceError):
    """A file is not a whole copy of a database of tasker."""

    code = "copy_unusable"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} cannot be used as a copy: {problem}")


class OwnToolsError(MaintenanceError):
    """The database has tools of its own for what is asked for.

    Args:
        problem: which, and how they are used, as a clause.
    """

    code = "own_tools"


class SettingError(TaskerError):
    """A setting has a value that cannot be used.

    Args:
        setting: the flag, environment variable or key as the user wrote it.
        problem: what would be right and what was given: ``expected a port from 0 to 65535, got:
            70000``.
    """

    def __init__(self, setting: str, problem: str) -> None:
        self.setting = setting
        self.problem = problem
        super().__init__(f"{setting}: {problem}")


class DeclarationError(TaskerError):
    """A function cannot be made a task as it is declared; the message says what would be right."""


class BadArgumentsError(TaskerError):
    """A function cannot be called with these arguments.

    Args:
        function: its name.
        problem: what is wrong, as a clause.
    """

    code = "bad_arguments"

    def __init__(self, function: str, problem: str) -> None:
        self.function = function
        self.problem = problem
        super().__init__(f"the arguments do not fit {function}: {problem}")


class AttemptOverError(TaskerError):
    """Nobody waits any more for the attempt in which a function runs: see ``Context.over`` for why."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"nobody waits for this attempt any more: {why}")


class StartError(TaskerError):
    """The server cannot start as things are; the message is one line that says what to do."""


class AppNotLoadedError(StartError):
    """The app that ``--app`` names cannot be used."""

    def __init__(self, named: str, problem: str) -> None:
        super().__init__(f"--app {named}: {problem}")


class ListenError(StartError):
    """The server cannot listen on the address."""

    def __init__(self, address: str, reason: str, *, way: str = "") -> None:
        way = way or "--listen-ip and --listen-port, or with their variables, as in: tasker serve --listen-port 8081"
        super().__init__(f"cannot listen on {address}: {reason}; choose another with {way}")


def open_to_others(listen_ip: str) -> str:
    """Return why a server must not listen on an address without asking for keys, and what to do."""
    return (
        f"others can reach {listen_ip}, and no API key is asked for; make one with tasker db keys create, "
        "give keys with --api-keys-file, or --no-auth if everybody may call"
    )


class OpenToOthersError(StartError):
    """Others could call the server without a key, and nobody said that they may."""

    def __init__(self, listen_ip: str) -> None:
        super().__init__(open_to_others(listen_ip))


class DatabaseError(StartError):
    """The database cannot be opened."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"cannot open the database {path}: {problem}")


class DatabaseUrlError(DatabaseError):
    """The URL of the database cannot be used.

    Args:
        shown: what may be shown of it.
        problem: what is wrong and what would be right, as a clause. It shows no more of the URL
            than *shown*.
    """

    def __init__(self, shown: str, problem: str) -> None:
        self.problem = problem
        super().__init__(shown, f"its URL cannot be used: {problem}")


class DatabaseInUseError(DatabaseError):
    """Another tasker is using the database."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "another tasker is using it; stop that one, or choose another file with --database-url")


class DatabaseBeingCopiedError(DatabaseError):
    """Tasks are being copied into the database, so no server may start on it.

    Args:
        source: the database that they come from, as it may be shown; None: nobody knows.
    """

    def __init__(self, path: str, source: str | None) -> None:
        whence = "" if source is None else f" from {source}"
        super().__init__(
            path,
            f"tasks are being copied into it{whence}, and not all are there; if that was broken off, run the same "
            "tasker db copy again, which goes on where it stopped",
        )


class DatabaseMovedError(DatabaseError):
    """The tasks of the database are in another one now, so no server may start on this one: they would run twice.

    Args:
        target: the database that they are in, as it may be shown; None: nobody knows.
    """

    def __init__(self, path: str, target: str | None) -> None:
        whither = "another database" if target is None else target
        super().__init__(
            path,
            f"its tasks have moved to {whither}; start the server on that one, or, if no server has run there, "
            "take the mark away: tasker db unmark",
        )


class CopyOfAnotherError(DatabaseError):
    """A copy of another database was begun there, and is not finished. Nothing was changed.

    Args:
        other: that other database, as it may be shown; None: nobody knows.
    """

    def __init__(self, path: str, other: str | None) -> None:
        super().__init__(
            path,
            f"a copy of {other or 'another database'} into it is not finished; finish that one, "
            "or copy into another database, which is empty",
        )


class NotEmptyError(DatabaseError):
    """Nothing can be copied into the database, or from it, as it is. Nothing was changed.

    Args:
        problem: what it has, as a clause.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, f"{problem}; expected a new database, or one in which no server has ever run")


class NotHeldThereError(DatabaseError):
    """Requests are waiting in the inbox, and there is none where the tasks are to go. Nothing has moved.

    Args:
        target: the database without one, as it may be shown.
        count: how many there are, those that were refused among them.
    """

    def __init__(self, path: str, target: str, count: int) -> None:
        super().__init__(
            path,
            f"its inbox has {count} requests, and {target} has no inbox; start a server on the former "
            "until it has taken them, and delete those that it refuses: GET /inbox lists them",
        )


class CopyDiffersError(DatabaseError):
    """What was copied is not what is in the other database now. No server starts on it, and nothing has moved.

    Args:
        table: the first table that differs.
        expected: how many rows it has in the other database.
        found: how many it has here.
    """

    def __init__(self, path: str, table: str, expected: int, found: int) -> None:
        super().__init__(
            path,
            f"its table {table} differs from the one that was copied ({expected} rows there, {found} here); "
            "run the same command again: it begins anew",
        )


class CopyStoppedError(DatabaseError):
    """A copy cannot go on now. What is there by now stays, and no server starts on it.

    Args:
        problem: why, as a clause.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, f"{problem}; once that is mended, run the same command again: it goes on")


class DatabaseTooNewError(DatabaseError):
    """A newer tasker wrote the database."""

    def __init__(self, path: str, *, found: int, known: int) -> None:
        super().__init__(
            path,
            f"a newer tasker wrote it (schema {found}, this one knows up to {known}); "
            "install that version or a later one",
        )


class SchemaOutdatedError(DatabaseError):
    """An earlier tasker made the tables, and this one was told not to change them."""

    def __init__(self, path: str, *, found: int, known: int) -> None:
        super().__init__(
            path, f"its tables have schema {found}, but this tasker needs schema {known}; run: tasker db migrate"
        )


class NotADatabaseError(DatabaseError):
    """The file is not a tasker database."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "the file is not a tasker database; choose another with --database-url")


class TakeOverError(StartError):
    """A row of the earlier server's tables cannot be read. Nothing was changed."""

    def __init__(self, table: str, row_id: str, problem: str) -> None:
        self.table = table
        self.row_id = row_id
        super().__init__(
            f"cannot take over the row {row_id} of the table {table}: {problem}; "
            "nothing was changed: correct or delete that row, then start again"
        )
