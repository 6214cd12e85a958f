"""What ``OPTIONS`` of a backend in ``TASKS`` may say."""

from collections.abc import Mapping
from typing import Any, Final

from django.tasks.exceptions import InvalidTaskBackend
from msgspec import Struct

from tasker.model import names

_TEXTS: Final = ("URL", "KEY", "USING")


class Options(Struct, frozen=True, kw_only=True):
    """The options of one backend. What is None was not said."""

    url: str | None = None
    """Where tasker is; else as the client finds it: ``TASKER_URL``, or this machine."""
    key: str | None = None
    """The API key; else as the client finds it: ``TASKER_KEY``, or the file that ``TASKER_KEY_FILE`` names."""
    on_commit: bool = True
    """Whether a task is sent once the transaction around ``enqueue`` has committed."""
    using: str = "default"
    """Which database's transaction that is."""
    retry: Mapping[str, Any] | str | None = None
    """The retry policy of every task, as the API takes it; else a task has one attempt, as Django has it."""
    keep: str | float | None = None
    """How long a task is kept after its end; else as the server's settings say."""


def read(alias: str, given: Mapping[str, Any], databases: Mapping[str, Any]) -> Options:
    """Return the options that a backend was *given*.

    Args:
        alias: the name of the backend, for the messages.
        given: ``OPTIONS``.
        databases: the databases of the project, by their names.

    Raises:
        InvalidTaskBackend: one of them is unknown, or has a value that cannot be used. The message
            never shows a value: one may be a key in the wrong place.
    """

    def refuse(name: str, expected: str) -> InvalidTaskBackend:
        return InvalidTaskBackend(f"TASKS[{alias!r}]['OPTIONS'][{name!r}]: expected {expected}")

    known = {field.upper(): field for field in Options.__struct_fields__}
    for name, value in given.items():
        if name not in known:
            raise refuse(name, f"one of {', '.join(known)}; this name is unknown")
        if name in _TEXTS and not (isinstance(value, str) and value):
            raise refuse(name, f"text that is not empty, got: {type(value).__name__}")
        if name == "ON_COMMIT" and not isinstance(value, bool):
            raise refuse(name, f"True or False, got: {type(value).__name__}")
        if name == "RETRY" and not isinstance(value, (str, Mapping)):
            raise refuse(name, f"a dict such as {{'max_attempts': 5}}, or 'standard', got: {type(value).__name__}")
        if name == "KEEP" and (isinstance(value, bool) or not isinstance(value, (str, int, float))):
            raise refuse(name, f"seconds, or text such as '7d' or 'forever', got: {type(value).__name__}")
    options = Options(**{known[name]: value for name, value in given.items()})
    if options.on_commit and options.using not in databases:
        raise refuse("USING", f"one of the DATABASES ({', '.join(databases)}), or ON_COMMIT to be False")
    return options


def check_queues(alias: str, queues: set[str]) -> None:
    """Check the names of *queues*, those of ``QUEUES``.

    Raises:
        InvalidTaskBackend: tasker can have no queue of such a name.
    """
    for queue in sorted(queues):
        if not names.is_name(queue):
            raise InvalidTaskBackend(f"TASKS[{alias!r}]['QUEUES']: expected {names.EXPECTED}, got: {queue!r}")
