"""Where a task stands: all there is to know about why it is where it is."""

from msgspec import Struct

from tasker.model.gate import GateRecord
from tasker.model.instants import Instant
from tasker.model.task import Task


class Standing(Struct, frozen=True, kw_only=True):
    """Why a task is where it is."""

    task: Task
    gate: GateRecord | None
    """The gate of its group, or else of its destination; None: it has none."""
    host: GateRecord | None
    """The gate of its destination, if it has a group."""
    held_by: int | None
    """The gate that holds it, or ``BEHIND_OTHERS``; None: nothing does."""
    ahead: int
    """How many of those that this gate holds come before it; counting stops at ``HELD_COUNTED_TO``."""
    paused_at: Instant | None = None
    """Since when everything is paused; None: it is not."""
