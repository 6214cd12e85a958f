"""tasker: a durable, exact task scheduler. It runs a task at its time, then and not before.

What programs use is exported here, and imported when it is asked for: ``import tasker`` takes next
to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasker.client.answers import Event, Job, Task
    from tasker.client.asynchronous.client import AsyncClient
    from tasker.client.calls.tasks import new_id
    from tasker.client.errors import (
        ApiError,
        ApiKeyNotFound,
        BadRequest,
        BodyTooLarge,
        CallFailed,
        Cancelled,
        CompletedBefore,
        CompletionLate,
        Conflicts,
        DestinationNotFound,
        Forbidden,
        HeadersNeeded,
        HeadersTooLarge,
        HttpVersionNotSupported,
        IdempotencyInFlight,
        IdempotencyKeyReused,
        IdInUse,
        InboxRowNotFound,
        InternalError,
        InvalidQuery,
        InvalidRequest,
        InvalidTask,
        InvalidTasks,
        InvalidToken,
        KeyInUse,
        LastAdminKey,
        MaskedValue,
        MethodNotAllowed,
        NaiveTimeError,
        NoAdminKey,
        NoAnswer,
        NoDevClock,
        NotClaimed,
        NotFound,
        NothingToProbe,
        OperationNotFound,
        RevisionPassed,
        ScheduleNotFound,
        ScopeMissing,
        ServerBusy,
        ServerUnreachable,
        StoreBusy,
        StoreFull,
        StoreUnavailable,
        TaskEnded,
        TaskExists,
        TaskExpired,
        TaskNotFailed,
        TaskNotFound,
        TaskNotTodo,
        TaskRunning,
        TimeZoneUnknown,
        TooManyBatches,
        TooManyCalls,
        TooManyReaders,
        TooSlow,
        Unauthorized,
        UnexpectedAnswer,
        UnsupportedMediaType,
        UpgradeUnfinished,
        WaitTimedOut,
    )
    from tasker.client.synchronous.client import Client
    from tasker.errors import AttemptOverError, BadArgumentsError, DeclarationError, SettingError, TaskerError
    from tasker.worker.context import Context, context
    from tasker.worker.functions import App
    from tasker.worker.outcomes import Fail, Retry

__version__ = "1.0.0"

__all__ = [
    "ApiError",
    "ApiKeyNotFound",
    "App",
    "AsyncClient",
    "AttemptOverError",
    "BadArgumentsError",
    "BadRequest",
    "BodyTooLarge",
    "CallFailed",
    "Cancelled",
    "Client",
    "CompletedBefore",
    "CompletionLate",
    "Conflicts",
    "Context",
    "DeclarationError",
    "DestinationNotFound",
    "Event",
    "Fail",
    "Forbidden",
    "HeadersNeeded",
    "HeadersTooLarge",
    "HttpVersionNotSupported",
    "IdInUse",
    "IdempotencyInFlight",
    "IdempotencyKeyReused",
    "InboxRowNotFound",
    "InternalError",
    "InvalidQuery",
    "InvalidRequest",
    "InvalidTask",
    "InvalidTasks",
    "InvalidToken",
    "Job",
    "KeyInUse",
    "LastAdminKey",
    "MaskedValue",
    "MethodNotAllowed",
    "NaiveTimeError",
    "NoAdminKey",
    "NoAnswer",
    "NoDevClock",
    "NotClaimed",
    "NotFound",
    "NothingToProbe",
    "OperationNotFound",
    "Retry",
    "RevisionPassed",
    "ScheduleNotFound",
    "ScopeMissing",
    "ServerBusy",
    "ServerUnreachable",
    "SettingError",
    "StoreBusy",
    "StoreFull",
    "StoreUnavailable",
    "Task",
    "TaskEnded",
    "TaskExists",
    "TaskExpired",
    "TaskNotFailed",
    "TaskNotFound",
    "TaskNotTodo",
    "TaskRunning",
    "TaskerError",
    "TimeZoneUnknown",
    "TooManyBatches",
    "TooManyCalls",
    "TooManyReaders",
    "TooSlow",
    "Unauthorized",
    "UnexpectedAnswer",
    "UnsupportedMediaType",
    "UpgradeUnfinished",
    "WaitTimedOut",
    "__version__",
    "context",
    "new_id",
]

_ERRORS = "tasker.client.errors"
_PLACES = {
    "Event": "tasker.client.answers",
    "Job": "tasker.client.answers",
    "Task": "tasker.client.answers",
    "AsyncClient": "tasker.client.asynchronous.client",
    "Client": "tasker.client.synchronous.client",
    "AttemptOverError": "tasker.errors",
    "BadArgumentsError": "tasker.errors",
    "DeclarationError": "tasker.errors",
    "SettingError": "tasker.errors",
    "new_id": "tasker.client.calls.tasks",
    "TaskerError": "tasker.errors",
    "Context": "tasker.worker.context",
    "context": "tasker.worker.context",
    "App": "tasker.worker.functions",
    "Fail": "tasker.worker.outcomes",
    "Retry": "tasker.worker.outcomes",
}
"""The module that each exported name is imported from; the others are from ``_ERRORS``. Type checkers
read the same above."""


if not TYPE_CHECKING:  # else checkers would take every name for one that there is

    def __getattr__(name: str) -> Any:  # noqa: ANN401 - of whatever kind
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - as above

        value = globals()[name] = getattr(import_module(_PLACES.get(name, _ERRORS)), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
