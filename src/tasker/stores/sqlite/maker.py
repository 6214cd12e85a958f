"""Stores new tasks that may meet others by their keys or ids, or an earlier request by its idempotency key."""

from collections.abc import Callable, Sequence

import apsw

from tasker.errors import REFUSALS_SHOWN, ConflictsError, IdInUseError, TaskerError
from tasker.model.audit import Entry
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.instants import Instant
from tasker.model.new_task import Made, NewTask, Outcome
from tasker.model.task import State, Task
from tasker.stores.conflicts import IN_THE_WAY, Holder, kept_by_id, latest, met, timed
from tasker.stores.sqlite.auditor import Auditor
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.kept_answers import KeptAnswers
from tasker.stores.sqlite.rows import id_bytes, id_text
from tasker.stores.sqlite.stager import Staged, Stager
from tasker.stores.sqlite.transactions import Transactions


class Maker:
    """Makes tasks, those of one caller all or none."""

    def __init__(
        self,
        queries: Queries,
        transactions: Transactions,
        inserter: Inserter,
        stager: Stager,
        kept_answers: KeptAnswers,
        auditor: Auditor,
        now: Callable[[], Instant],
    ) -> None:
        self._queries = queries
        self._transactions = transactions
        self._inserter = inserter
        self._stager = stager
        self._kept_answers = kept_answers
        self._auditor = auditor
        self._now = now

    def make(
        self,
        new: Sequence[NewTask],
        repeatable: Repeatable[Sequence[Made]] | None,
        staged: Staged | None = None,
        entry: Entry | None = None,
    ) -> Sequence[Made] | KeptAnswer:
        """Store new tasks: see ``Store.make``.

        Args:
            staged: the tasks whose payloads are stored already; None: they are not.

        Raises:
            ConflictsError: nothing was written.
        """

        def make() -> tuple[Sequence[Made], Instant]:
            made = self._make(new, staged)
            self._auditor.write(entry)
            return made

        try:
            return self._transactions.run_part(lambda: self._kept_answers.once(repeatable, make))
        except apsw.ConstraintError:  # an id of tasker's own that is stored: it is not to be expected
            existing = self._inserter.existing([each.task for each in new])
            place = next(place for place, each in enumerate(new) if each.task.id == existing)
            raise ConflictsError({place: IdInUseError(existing)}) from None

    def _make(self, new: Sequence[NewTask], staged: Staged | None) -> tuple[Sequence[Made], Instant]:
        """Return what became of them, and the latest execution time."""
        if staged is not None and all(map(_meets_nothing, new)):
            self._inserter.insert_rows(staged.rows)
            self._stager.unstage(staged.seqs, ())
            made = [Made(each.task.id, Outcome.CREATED, each.task.execution_at) for each in new]
            return made, latest(made)
        now = self._now()
        made = []
        waiting = _Waiting(self._inserter, None if staged is None else staged.seqs)
        conflicts: dict[int, TaskerError] = {}
        for place, each in enumerate(new):
            if _meets_nothing(each):
                task: Made | Task = each.task
            else:
                if waiting.is_met_by(each.task):
                    waiting.insert()
                try:
                    task = self._looked_at(each, now)
                except IN_THE_WAY as error:
                    conflicts[place] = error
                    if len(conflicts) == REFUSALS_SHOWN:
                        break
                    continue
            if isinstance(task, Made):
                made.append(task)
            else:
                waiting.add(place, task)
                made.append(Made(task.id, Outcome.CREATED, task.execution_at))
        if conflicts:
            raise ConflictsError(conflicts)
        waiting.insert()
        if staged is not None:
            self._stager.unstage(staged.seqs, waiting.unused())
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
        verdict = met(new, Holder(holder_id, type_, State(state).shown, execution_at, created_at), now=now)
        if isinstance(verdict, Made):
            return verdict
        if verdict.id != holder_id:
            self._queries.all("release_key", seq=seq)
            return verdict
        self._inserter.replace(seq, verdict)
        return Made(verdict.id, Outcome.REPLACED, verdict.execution_at)


def _meets_nothing(new: NewTask) -> bool:
    return new.task.content is None and new.task.key is None and new.refusal is None


class _Waiting:
    """New tasks that are to be inserted together."""

    def __init__(self, inserter: Inserter, staged: range | None) -> None:
        self._inserter = inserter
        self._staged = staged
        self._tasks: list[Task] = []
        self._seqs: list[int] = []
        self._names: set[str | None] = set()
        self._used: set[int] = set()

    def add(self, place: int, task: Task) -> None:
        """Have the task of a place in the request wait."""
        self._tasks.append(task)
        self._names |= {task.id, task.key}
        if self._staged is not None:
            self._seqs.append(self._staged[place])

    def is_met_by(self, task: Task) -> bool:
        """Whether *task* has the id or the key of one that waits."""
        return task.id in self._names or (task.key is not None and task.key in self._names)

    def insert(self) -> None:
        """Insert those that wait."""
        if self._staged is None:
            self._inserter.insert(self._tasks)
        else:
            self._inserter.insert_tasks(self._seqs, self._tasks)
            self._used.update(self._seqs)
        self._tasks.clear()
        self._seqs.clear()
        self._names.clear()

    def unused(self) -> Sequence[int]:
        """Return the numbers that were set apart for tasks that were not inserted."""
        assert self._staged is not None  # noqa: S101 - else there are none
        return [] if len(self._used) == len(self._staged) else [seq for seq in self._staged if seq not in self._used]
