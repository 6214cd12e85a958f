"""How a task ended: what decides what follows."""

import msgspec

from tasker.model.task import Fault, State, TaskId


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a task, as the transaction that writes it sees it."""

    task_id: TaskId
    type: str
    state: State
    """``DONE``, ``FAILED`` or ``CANCELLED``; any other: of a task that may yet turn out to be cancelled."""
    attempts: int
    payload: bytes
    """What the task type was given: it says what is to follow."""
    fault: Fault | None = None
    """Why it failed; None: it did not."""
    status: int | None = None
    """Of the answer to the latest attempt, if it was a call and there was one."""
    result: bytes | None = None
    """What was computed, as JSON."""

    def cancelled(self) -> "Ending":
        """Return the same for a task that was cancelled before it came to this."""
        return msgspec.structs.replace(self, state=State.CANCELLED, fault=None, result=None)
