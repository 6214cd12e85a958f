"""tasker: a durable, exact task scheduler. It runs a task at its time, then and not before.

What programs use is exported here, and imported when it is asked for: ``import tasker`` takes next
to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasker.errors import TaskerError

__version__ = "0.1.0"

__all__ = ["TaskerError", "__version__"]

_PLACES = {"TaskerError": "tasker.errors"}
"""Each name that is exported, and the module it is imported from. Type checkers read the same above."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of whatever kind
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as above

    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
