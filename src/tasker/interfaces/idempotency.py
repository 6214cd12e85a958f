"""Keeping the answers to requests that may be sent again."""

from collections.abc import Sequence
from typing import Protocol

from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.task import Task


class IdempotencyStore(Protocol):
    """Keeps answers. See ``Store`` for what holds for every method."""

    async def kept_answer(self, repeatable_id: bytes) -> KeptAnswer | None:
        """Return the answer that is kept for a ``Repeatable.id``; None if there is none, or its time has passed."""

    async def create_once(self, tasks: Sequence[Task], repeatable: Repeatable) -> KeptAnswer | None:
        """Store new tasks, all or none, and with them, in one transaction, the answer to their request.

        Return None if they are stored. If an answer is kept for the request's id, nothing is
        written and that answer is returned, whatever its fingerprint. So it is for all but one of
        several callers at once, and for a caller whose first try was written although the
        connection broke.

        Raises:
            IdempotencyInFlightError: another node is writing what a request with this id makes.
                Nothing was written.
            TaskExistsError: one has an id that is stored already. Nothing was written.
        """

    async def prune_kept_answers(self) -> int:
        """Delete a batch of the answers whose time has passed, and return how many."""
