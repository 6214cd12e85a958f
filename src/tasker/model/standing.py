"""Where a task stands: all there is to know about why it is where it is."""

from msgspec import Struct

from tasker.model.gate import GateRecord
from tasker.model.task import Task


class Standing(Struct, frozen=True, kw_only=True):
    """Why a task is where it is."""

    task: Task
    gate: GateRecord | None
    """The gate of its destination; None: it has none."""
    is_held: bool
    """Whether the gate holds it."""
