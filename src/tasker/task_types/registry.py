"""The task types that a server knows: the built-in ones, and those of installed packages."""

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from tasker.errors import StartError
from tasker.interfaces.task_type import TaskType
from tasker.model.names import is_type_name
from tasker.model.task import PULLED
from tasker.wire.fields import WebhookFields
from tasker.wire.reserved import reserved_in

ENTRY_POINTS: Final = "tasker.task_types"
"""The entry point group in which packages name a callable without arguments that returns a
``TaskType``."""

_FIRST_FOREIGN_POOL: Final = 100


class Registry:
    """Task types by name. Names, spellings and pools are each used once; but what is pulled shares one."""

    def __init__(self, types: Iterable[TaskType]) -> None:
        """Register *types*.

        Raises:
            StartError: two of them share a name, a spelling or a pool, or one has a bad name.
        """
        self.types: Sequence[TaskType] = tuple(types)
        seen: dict[str | int, str] = {}
        for task_type in self.types:
            if not is_type_name(task_type.name):
                raise StartError(
                    f"the task type {task_type.name!r} needs a name of a-z, 0-9 and _ that begins with a letter; "
                    "that of a function may have several such parts, with . between them"
                )
            used_here: set[str | int] = {task_type.name, *task_type.spellings}
            if task_type.pool != PULLED:
                used_here.add(int(task_type.pool))
            for used in used_here:
                if used in seen:
                    raise StartError(
                        f"the task types {seen[used]} and {task_type.name} both use {used!r}; "
                        "uninstall one of them, or rename the function"
                    )
                seen[used] = task_type.name
        self._by_name = {task_type.name: task_type for task_type in self.types}

    @property
    def webhooks(self) -> TaskType | None:
        """The type that sends webhooks, which callbacks are; None if there is none."""
        return next((task_type for task_type in self.types if task_type.fields is WebhookFields), None)

    def get(self, name: str) -> TaskType | None:
        """Return the type that is stored as *name*; None if there is none."""
        return self._by_name.get(name)


def installed(points: Iterable[EntryPoint] | None = None) -> Sequence[TaskType]:
    """Return the task types of installed packages: those that the entry point group names, or of *points*.

    Raises:
        StartError: one cannot be loaded, is no task type, has a pool of tasker's own, or defines a
            member whose name is reserved; the message names it.
    """
    found = []
    for point in entry_points(group=ENTRY_POINTS) if points is None else points:
        try:
            task_type: TaskType = point.load()()
            pool_is_taskers = task_type.pool < _FIRST_FOREIGN_POOL and task_type.pool != PULLED
            reserved = reserved_in(task_type.fields)
        except Exception as error:
            raise StartError(
                f"cannot load the task type {point.name} ({point.value}): {type(error).__name__}"
            ) from error
        if pool_is_taskers:
            raise StartError(
                f"the task type {point.name} ({point.value}) needs a pool of {_FIRST_FOREIGN_POOL} or more"
            )
        if reserved:
            raise StartError(
                f"the task type {point.name} ({point.value}) defines {' and '.join(map(repr, reserved))}; "
                "these names are reserved for what every task type has or may get: choose others"
            )
        found.append(task_type)
    return found
