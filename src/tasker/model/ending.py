"""How a task ended: what decides what follows."""

import msgspec

from tasker.model.task import Fault, State, TaskId


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a task, as the transaction that writes it sees it."""

    task_id: TaskId
    type: str
    state: State
    """``DONE`` or ``FAILED``."""
    attempts: int
    payload: bytes
    """What the task type was given: it says what is to follow."""
    fault: Fault | None = None
    """Why it failed; None: it is done."""
    status: int | None = None
    """Of the answer to the latest attempt, if it was a call and there was one."""
    result: bytes | None = None
    """What was computed, as JSON."""
