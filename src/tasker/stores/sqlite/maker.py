"""Stores new tasks that may meet others by their keys or ids, or an earlier request by its idempotency key."""

from collections.abc import Callable, Sequence

import apsw

from tasker.errors import ConflictsError, IdInUseError, TaskerError
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.new_task import Made, NewTask, Outcome
from tasker.model.task import State, Task
from tasker.stores.conflicts import CONFLICTS_SHOWN, IN_THE_WAY, Holder, kept_by_id, latest, met, timed
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.kept_answers import KeptAnswers
from tasker.stores.sqlite.rows import id_bytes, id_text
from tasker.stores.sqlite.transactions import Transactions


class Maker:
    """Makes tasks, those of one caller all or none."""

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        inserter: Inserter,
        kept_answers: KeptAnswers,
        now: Callable[[], Instant],
    ) -> None:
        self._queries = queries
        self._transactions = transactions
        self._inserter = inserter
        self._kept_answers = kept_answers
        self._now = now

    def make(
        self, new: Sequence[NewTask], repeatable: Repeatable[Sequence[Made]] | None
    ) -> Sequence[Made] | KeptAnswer:
        """Store new tasks: see ``Store.make``.

        Raises:
            ConflictsError: nothing was written.
        """
        try:
            return self._transactions.run_part(lambda: self._kept_answers.once(repeatable, lambda: self._make(new)))
        except apsw.ConstraintError:  # an id of tasker's own that is stored: it is not to be expected
            existing = self._inserter.existing([each.task for each in new])
            place = next(place for place, each in enumerate(new) if each.task.id == existing)
            raise ConflictsError({place: IdInUseError(existing)}) from None

    def _make(self, new: Sequence[NewTask]) -> tuple[Sequence[Made], Instant]:
        """Return what became of them, and the latest execution time."""
        now = self._now()
        made: list[Made] = []
        waiting: list[Task] = []
        conflicts: dict[int, TaskerError] = {}
        for place, each in enumerate(new):
            if each.task.content is None and each.task.key is None and each.refusal is None:
                task: Made | Task = each.task
            else:
                self._inserter.insert(waiting)
                waiting.clear()
                try:
                    task = self._looked_at(each, now)
                except IN_THE_WAY as error:
                    conflicts[place] = error
                    if len(conflicts) == CONFLICTS_SHOWN:
                        break
                    continue
            if isinstance(task, Made):
                made.append(task)
            else:
                waiting.append(task)
                made.append(Made(task.id, Outcome.CREATED, task.execution_at))
        if conflicts:
            raise ConflictsError(conflicts)
        self._inserter.insert(waiting)
        return made, latest(made)

    def _looked_at(self, new: NewTask, now: Instant) -> Made | Task:
        """Return what became of a task with a key or an id of its caller's, or the task to be inserted."""
        task = new.task
        if task.content is not None:
            stored = self._queries.first("stored", id=id_bytes(task.id))
            if stored is not None:
                return kept_by_id(task, stored[0], stored[1])
        if new.refusal is not None:
            raise new.refusal
        holder = None if task.key is None else self._queries.first("key_holder", key=task.key)
        if holder is None:
            return timed(new, counted_from=now, now=now)
        seq, id_, type_, state, execution_at, created_at = holder
        holder_id = id_text(id_)
        verdict = met(new, Holder(holder_id, type_, State(state), execution_at, created_at), now=now)
        if isinstance(verdict, Made):
            return verdict
        if verdict.id != holder_id:
            self._queries.all("release_key", seq=seq)
            return verdict
        self._inserter.replace(seq, verdict)
        return Made(verdict.id, Outcome.REPLACED, verdict.execution_at)
