"""Why a Django task did not run, or was not run to its end: what ``TaskResult.errors`` names where no exception was.

Django describes each failure by the path of an exception's class. What tasker ends by itself was
raised by nobody, so these classes stand for it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class AttemptError(Exception):
    """An attempt failed, or the task ended, for a reason that has no class of its own here.

    ``TaskError.traceback`` has the code and the line that tasker keeps of it.
    """


class NotADjangoTaskError(AttemptError):
    """The path that the job names cannot be imported, or leads to something that is not a task of Django."""


class InvalidCallError(AttemptError):
    """The job does not say what to call, or the task cannot be used with its queue and backend."""


class WorkerCrashedError(AttemptError):
    """Three workers in a row were given the task and were not heard of again."""


class TaskCancelledError(AttemptError):
    """Somebody cancelled the task."""


class TaskExpiredError(AttemptError):
    """The task was not started in time."""


CLASSES: Final[Mapping[str, type[AttemptError]]] = MappingProxyType(
    {
        "not_a_django_task": NotADjangoTaskError,
        "invalid_call": InvalidCallError,
        "crashed_worker": WorkerCrashedError,
        "cancelled": TaskCancelledError,
        "expired": TaskExpiredError,
    }
)
"""The class that stands for each code of a fault; for others, ``AttemptError`` does."""


def path_of(kind: type[BaseException]) -> str:
    """Return the path of an exception's class, as Django writes it."""
    return f"{kind.__module__}.{kind.__qualname__}"


def code_of(error: BaseException) -> str | None:
    """Return the code of what a worker tells of *error*; None: it is none of those here."""
    return next((code for code, kind in CLASSES.items() if isinstance(error, kind)), None)
