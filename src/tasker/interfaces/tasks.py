"""Keeping tasks: making them, reading them, and what callers do to one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from tasker.filters import Query
from tasker.model.attempt import AttemptRecord
from tasker.model.audit import Entry
from tasker.model.change import Change
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.new_task import Made, NewTask
from tasker.model.standing import Standing
from tasker.model.task import STATES, Pool, State, Task, TaskId


class TaskFilter(Struct, frozen=True):
    """Which tasks a list shows. None: any."""

    type: str | None = None
    state: State | None = None


class Page(Struct, frozen=True):
    """A part of a list."""

    tasks: Sequence[Task]

    next: str | None
    """Where the next page begins, in a form only the store understands; None: this is the last
    page."""


class Counted(Struct, frozen=True):
    """How many tasks a query finds."""

    count: int
    is_exact: bool
    """False: there may be more. Counting looks at no more tasks than a page does."""


class Cancelled(Struct, frozen=True):
    """What a cancel came to."""

    state: State
    """``CANCELLED``; or ``IN_PROGRESS``: it ends so with the attempt that is under way, unless that
    succeeds."""
    is_new: bool = False
    """Whether it has become cancelled by this."""
    followed_by: Sequence[Task] = ()
    """The tasks that were stored with the end, because they follow it."""


class TaskStore(Protocol):
    """Keeps tasks. See ``Store`` for what holds for every method."""

    async def create(self, tasks: Sequence[Task]) -> None:
        """Store new tasks, all or none.

        Raises:
            TaskExistsError: one has an id that is stored already. None of them was written.
        """

    async def make(
        self,
        new: Sequence[NewTask],
        repeatable: Repeatable[Sequence[Made]] | None = None,
        entry: Entry | None = None,
    ) -> Sequence[Made] | KeptAnswer:
        """Store new tasks of one caller that may meet others by their keys or ids; all or none.

        With *repeatable*, the answer to their request is stored with them, in one transaction. If
        an answer is kept for its id, nothing is written and that answer is returned, whatever its
        fingerprint. So it is for all but one of several callers at once, and for a caller whose
        first try was written although the connection broke.

        They are stored in order: a later one meets an earlier one. First the id is looked at, if
        the task has ``content``: one that is stored with the same content is kept. Then the key is:
        ``on_conflict`` says what becomes of the one that holds it. A task with ``max_wait`` is due
        at the latest so long after the ``created_at`` of the one that it replaces, or after its
        own; not before now.

        Raises:
            ConflictsError: what is in the way of which, an ``IdInUseError``, ``KeyInUseError``,
                ``TaskRunningError`` or its ``refusal`` each. Nothing was written.
            IdempotencyInFlightError: another node is writing what a request with this id makes.
                Nothing was written.
        """

    async def get(self, task_id: TaskId) -> Task:
        """Return a task as the latest finished write left it.

        Raises:
            TaskNotFoundError: there is none with this id.
        """

    async def ended(self, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Return those of *task_ids*, each once, whose tasks have ended, or that no task has."""

    async def id_of_key(self, key: str, *, or_newest: bool) -> TaskId:
        """Return the id of the task that holds *key*; with *or_newest*, if none does, of the newest that had it.

        Raises:
            KeyNotFoundError: there is none.
        """

    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return up to *limit* tasks, ordered by execution time, then by order of arrival (see ``Claimed``).

        A page may be shorter than *limit* before the last one, so that long bodies do not fill the
        memory; it is never empty before the last one. Pages of one list never show a task twice; a
        task that moves to another state meanwhile may be missed or shown as it was.

        Args:
            after: the ``next`` of the page before; None for the first page.
            limit: at least 1.

        Raises:
            InvalidQueryError: *after* (as ``cursor``) did not come from such a page.
        """

    async def find(self, query: Query, *, after: str | None, limit: int, free_pools: Collection[Pool] = ()) -> Page:
        """Return up to *limit* of the tasks that pass the filters of *query*, in its order.

        Tasks of the same moment are in the order of arrival (see ``Claimed``). Looks at a bounded
        number of tasks, for a bounded time: a page may be shorter than *limit*, or empty, before
        the last one. Going from page to page meets every task once that passes and stays where it
        is meanwhile, and no task twice that is not moved further along in the order.

        Args:
            after: the ``next`` of the page before; None for the first page.
            limit: at least 1.
            free_pools: those in which a slot is free, for the filter ``reason``.

        Raises:
            InvalidQueryError: *after* (as ``cursor``) did not come from such a page.
        """

    async def count_found(self, query: Query, *, free_pools: Collection[Pool] = ()) -> Counted:
        """Return how many tasks ``find`` finds, on all its pages together.

        What changes while they are counted may be counted as before, as after, or twice.
        """

    async def count(self, states: Collection[State] = STATES, *, up_to: int) -> Mapping[State, int]:
        """Return how many tasks are in each of *states*.

        Counting stops at *up_to*, so that the cost does not grow with the store.

        Args:
            states: some of ``STATES``: as they are shown, not as they are stored.
            up_to: for each state.
        """

    async def delete(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        """Delete a task that is not running, for good.

        Raises:
            TaskNotFoundError: there is none with this id.
            TaskRunningError: it is ``in_progress``.
        """

    async def cancel(self, task_id: TaskId, *, entry: Entry | None = None) -> Cancelled:
        """End a task as ``cancelled``, and store what follows; one that is cancelled already stays as it is.

        Of one that is running, note that it is to end so: the attempt that is under way goes on. One
        whose attempt is in other hands ends at once.

        Raises:
            TaskNotFoundError: there is none with this id.
            TaskEndedError: it is ``done`` or ``failed``.
        """

    async def run_now(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        """Have a ``todo`` task become due now, unless it is due already.

        If it has not been attempted yet, ``execution_time`` becomes now as well.

        Raises:
            TaskNotFoundError: there is none with this id.
            TaskNotWaitingError: it is in another state.
            TaskExpiredError: its ``expires_at`` has passed.
        """

    async def retry(self, task_id: TaskId, *, entry: Entry | None = None) -> None:
        """Have a ``failed`` or ``cancelled`` task run again, now.

        Its attempts count on, but its retry policy counts anew. If it had a key, it holds it again.

        Raises:
            TaskNotFoundError: there is none with this id.
            TaskNotFailedError: it is in another state.
            TaskExpiredError: its ``expires_at`` has passed.
            KeyInUseError: another task holds its key.
        """

    async def change(self, change: Change, *, entry: Entry | None = None) -> None:
        """Write what a task is given anew, if it is still as it was when the change was made.

        The task is ``todo``, ``failed`` or ``cancelled`` then, and is never run in its old form any
        more. It is one revision further. A gate that held it holds it no more if its time or its
        gate is another one.

        Raises:
            TaskNotFoundError: there is none with this id.
            RevisionPassedError: it was written since, or it is running or done. Nothing was
                written.
        """

    async def confirm(self) -> None:
        """Return once what was read before this was called is as sure as what is written.

        Until then a failover may lose it: a commit that no replica has can be read already. Who
        answers that there is nothing to write any more waits for this.

        Raises:
            StoreUnavailableError: it is not known.
        """

    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """Return what is kept of the attempts of a task that have ended, oldest first.

        Raises:
            TaskNotFoundError: there is none with this id.
        """

    async def standing(self, task_id: TaskId) -> Standing:
        """Return what there is to know about where a task stands.

        Raises:
            TaskNotFoundError: there is none with this id.
        """
