"""The inbox: requests for new tasks that applications write into the database in their own transactions."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tasker.errors import TaskerError
from tasker.model.audit import Entry
from tasker.model.inbox import InboxCount, InboxRow
from tasker.model.new_task import Made, NewTask
from tasker.model.task import TaskId


class InboxStore(Protocol):
    """Has an inbox, or none: then it has no rows. See ``Store`` for what holds for every method."""

    @property
    def has_inbox(self) -> bool:
        """Whether there is one."""

    async def waiting_rows(self, *, after: TaskId | None, limit: int, largest: int) -> Sequence[InboxRow]:
        """Return up to *limit* rows that are to be taken, by their ids; fewer, if they are long.

        None, even if there are some, while nodes of a newer version share the store: these know
        more requests, and take the rows.

        Args:
            after: the id behind which to look; None: from the first row.
            limit: at least 1.
            largest: how many bytes a request may have to be read. Of a longer one, ``request`` is None.
        """

    async def take(
        self, rows: Sequence[InboxRow], verdicts: Sequence[NewTask | TaskerError]
    ) -> Sequence[Made | TaskerError | None]:
        """Create the tasks of *rows*, and delete the rows in the same transaction; or refuse them.

        Each by itself, as ``make`` does it for one: what is in the way of a task, such as a
        ``KeyInUseError``, refuses its row alone. A row that is refused stays, with the error. A task
        that was due before it was created was held so long: ``late_held``.

        Args:
            rows: as ``waiting_rows`` has returned them.
            verdicts: for each, the task to be, with the id of the row; or why it cannot be one.

        Returns:
            for each, what became of it. None: another node has it, or it has changed since it was
            read; nothing was written of it.
        """

    async def inbox_rows(self, *, after: TaskId | None, limit: int) -> Sequence[InboxRow]:
        """Return up to *limit* rows, refused ones and others, by their ids.

        Args:
            after: the id behind which to look; None: from the first row.
            limit: at least 1.
        """

    async def retry_inbox_row(self, row_id: TaskId, *, entry: Entry | None = None) -> None:
        """Have a row that was refused be taken again. One that is to be taken stays as it is.

        Raises:
            InboxRowNotFoundError: there is none with this id.
        """

    async def delete_inbox_row(self, row_id: TaskId, *, entry: Entry | None = None) -> None:
        """Delete a row: no task comes of it any more.

        Raises:
            InboxRowNotFoundError: there is none with this id, any more.
        """

    async def count_inbox(self) -> InboxCount:
        """Return how many rows there are."""

    def watch_inbox(self, ring: Callable[[], None]) -> None:
        """Call *ring* on the event loop when rows were committed. May get lost. Called once, after ``open``."""
