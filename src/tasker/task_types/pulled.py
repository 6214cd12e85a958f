"""Task types whose tasks are pulled: no node runs them, callers claim them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from typing_extensions import override

from tasker.interfaces.task_type import TaskType
from tasker.model.attempt import Attempt, Outcome
from tasker.model.gate import Destination, queue_of_type
from tasker.model.task import PULLED
from tasker.wire.fields import TaskFields


class PulledType(TaskType):
    """A task type whose tasks workers claim, from a queue of the type's own.

    To mark a type as pulled, derive it from this: it needs a ``name``, its ``fields``, and a
    ``prepare`` if they are to be checked further. The queue is called ``type:`` and the name.
    """

    spellings: Sequence[str] = ()
    pool: Final = PULLED
    slots: Final = 0
    timeout = timedelta(0)
    """Nobody waits for an attempt: the lease of its claim ends it."""

    @override
    def prepare(self, request: TaskFields) -> TaskFields:
        """All that has the right form."""
        return request

    @override
    def destination(self, fields: TaskFields) -> Destination:
        """The queue of the type."""
        del fields
        return queue_of_type(self.name)

    @override
    async def run(self, attempt: Attempt, fields: TaskFields, started: Callable[[], None]) -> Outcome:
        """Never called."""
        raise AssertionError("no node has a slot for what is pulled")

    @override
    async def close(self) -> None:
        """There is nothing to let go of."""
