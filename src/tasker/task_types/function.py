"""Functions of an app as task types: the server knows their arguments, and workers call them."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from typing_extensions import override

from tasker.interfaces.task_type import TaskType
from tasker.task_types.pulled import PulledType
from tasker.wire.fields import TaskFields
from tasker.worker.functions import LONGEST_TIMEOUT, SHORTEST_TIMEOUT, App, Function


class FunctionFields(TaskFields, frozen=True, kw_only=True):
    """What a task takes that calls a function, beside the ``args`` of that one."""

    timeout: (
        Annotated[
            float,
            Meta(
                ge=SHORTEST_TIMEOUT.total_seconds(),
                le=LONGEST_TIMEOUT.total_seconds(),
                description="Seconds that an attempt may take; else as the function is declared.",
            ),
        ]
        | UnsetType
    ) = UNSET


class FunctionType(PulledType):
    """Keeps calls of one function until a worker claims them. The function itself is never called here."""

    def __init__(self, function: Function[Any, Any]) -> None:
        """Make the type of *function*, whose arguments can be read from JSON."""
        self._function = function
        self._fields = _fields_of(function)

    @property
    @override
    def name(self) -> str:
        """The name of the function."""
        return self._function.name

    @property
    @override
    def fields(self) -> type[TaskFields]:
        """``args``, with the function's own parameters, and ``timeout``."""
        return self._fields

    @override
    def prepare(self, request: TaskFields) -> TaskFields:
        """A task that says nothing of retries is stored with the policy of its function: every node keeps to it."""
        if self._function.retry is None or request.retry is not UNSET:
            return request
        return msgspec.structs.replace(request, retry=self._function.retry)


def function_types(app: App) -> list[TaskType]:
    """Return the types of all functions of an app."""
    return [FunctionType(function) for function in app.functions.values()]


def _fields_of(function: Function[Any, Any]) -> type[TaskFields]:
    described = Meta(description="What the function is called with, by the names of its parameters.")
    shape: Any = Annotated[function.signature.shape, described]
    optional = function.signature.is_called_without
    made: type[Any] = msgspec.defstruct(
        f"Call_{function.name}",
        [("args", shape | UnsetType, UNSET) if optional else ("args", shape)],
        bases=(FunctionFields,),
        namespace={"__doc__": _summary(function)},
        frozen=True,
        kw_only=True,
    )
    return made


def _summary(function: Function[Any, Any]) -> str:
    """Return the first paragraph of what the function says of itself."""
    said = " ".join((function.function.__doc__ or "").strip().partition("\n\n")[0].split())
    return said or f"A call of the function {function.name}."
