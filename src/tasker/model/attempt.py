"""One try at a task, and how it can end."""

from typing import TypeAlias

import msgspec

from tasker.model.instants import Instant
from tasker.model.task import Pool, TaskFault, TaskId


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed task: this node, and no other, may run it until the attempt is settled or taken back."""

    task_id: TaskId
    type: str
    pool: Pool
    number: int
    """From 1. Counts, but does not fence: after a power loss a number can be given out again."""
    due_at: Instant
    """When the attempt was to start. Lateness is counted from here."""
    claim: int
    """Random number of the claim that took the task: the fence. A settle writes only where it still stands on the task."""
    fields: bytes
    """What the task type was given: a JSON object."""


class Succeeded(msgspec.Struct, frozen=True):
    """The attempt did what it was to do."""

    result: bytes | None = None
    """What was computed, as JSON; None if there is nothing to keep."""


class Failed(msgspec.Struct, frozen=True):
    """The attempt did not do what it was to do."""

    fault: TaskFault
    permanent: bool = False
    """True if another attempt cannot help: the task ends ``failed`` at once."""


Outcome: TypeAlias = Succeeded | Failed
