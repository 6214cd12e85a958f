"""The answers to requests with an idempotency key, written with what those make."""

from collections.abc import Callable, Sequence

from tasker.errors import TaskExistsError
from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model import instants
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.task import Task
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import id_bytes


class KeptAnswers:
    """Makes what a request asks for unless its answer is kept."""

    def __init__(self, queries: Queries, inserter: Inserter, now: Callable[[], Instant]) -> None:
        self._queries = queries
        self._inserter = inserter
        self._now = now

    def create(self, tasks: Sequence[Task], repeatable: Repeatable) -> KeptAnswer | None:
        """Store new tasks and the answer to their request: see ``Store.create_once``."""
        kept = self._queries.first("kept_answer", id=repeatable.id, now=self._now())
        if kept is not None:
            return KeptAnswer(*kept)
        for task in tasks:
            if self._queries.number("state", id=id_bytes(task.id)) is not None:
                raise TaskExistsError(task.id)
        self._inserter.insert(tasks)
        latest = max((task.execution_at for task in tasks), default=0)
        self._queries.all(
            "keep_answer",
            id=repeatable.id,
            fingerprint=repeatable.fingerprint,
            answer=repeatable.answer,
            kept_until=min(max(self._now(), latest) + repeatable.retention, instants.LAST),
        )
        return None

    def prune(self) -> int:
        """Delete a batch of what is not to be kept any longer. Return how many went."""
        return len(self._queries.all("prune_kept_answers", now=self._now(), limit=PRUNE_LIMIT))
