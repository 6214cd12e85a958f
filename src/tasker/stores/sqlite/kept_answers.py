"""The answers to requests with an idempotency key, written with what those make."""

from collections.abc import Callable
from typing import TypeVar

from tasker.errors import TaskExistsError
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model import instants
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.task import Task
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import id_bytes

T = TypeVar("T")


class KeptAnswers:
    """Makes what a request asks for unless its answer is kept."""

    def __init__(self, queries: Queries, inserter: Inserter, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._inserter = inserter
        self._now = now

    def once(self, repeatable: Repeatable[T] | None, make: Callable[[], tuple[T, Instant]]) -> KeptAnswer | T:
        """Return what *make* makes, and keep the answer to its request, unless one is kept: then return that.

        A part of a transaction.

        Args:
            repeatable: the request; None: it has no idempotency key, so nothing is kept.
            make: returns what it makes, and the latest execution time of it; 0 if it has none.
        """
        if repeatable is None:
            return make()[0]
        kept = self._queries.first("kept_answer", id=repeatable.id, now=self._now())
        if kept is not None:
            return KeptAnswer(*kept)
        made, latest = make()
        self._queries.all(
            "keep_answer",
            id=repeatable.id,
            fingerprint=repeatable.fingerprint,
            answer=repeatable.answer(made),
            kept_until=min(max(self._now(), latest) + repeatable.retention, instants.LAST),
        )
        return made

    def create(self, task: Task, repeatable: Repeatable[Task]) -> KeptAnswer | Task:
        """Store a new task and the answer to its request: see ``Store.create_once``."""

        def make() -> tuple[Task, Instant]:
            if self._queries.number("state", id=id_bytes(task.id)) is not None:
                raise TaskExistsError(task.id)
            self._inserter.insert([task])
            return task, task.execution_at

        return self.once(repeatable, make)

    def prune(self) -> int:
        """Delete a batch of what is not to be kept any longer. Return how many went."""
        return len(self._queries.all("prune_kept_answers", now=self._now(), limit=PRUNE_LIMIT))
