"""Keeping the answers to requests that may be sent again."""

from typing import Protocol

from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.task import Task


class IdempotencyStore(Protocol):
    """Keeps answers. See ``Store`` for what holds for every method.

    A method that makes something for a request takes its ``Repeatable``, as ``create_once`` does:
    what it makes and the answer are written in one transaction. In each store, ``KeptAnswers.once``
    does that around whatever is made.
    """

    async def kept_answer(self, repeatable_id: bytes) -> KeptAnswer | None:
        """Return the answer that is kept for a ``Repeatable.id``; None if there is none, or its time has passed."""

    async def create_once(self, task: Task, repeatable: Repeatable[Task]) -> KeptAnswer | Task:
        """Store a new task and with it, in one transaction, the answer to its request. Return the task.

        If an answer is kept for the request's id, nothing is written and that answer is returned,
        whatever its fingerprint. So it is for all but one of several callers at once.

        Raises:
            IdempotencyInFlightError: another node is writing what a request with this id makes.
                Nothing was written.
            TaskExistsError: its id is stored already. Nothing was written.
        """

    async def prune_kept_answers(self) -> int:
        """Delete a batch of the answers whose time has passed, and return how many."""
