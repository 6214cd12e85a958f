"""The payloads of many new tasks, stored before their tasks.

The one writer must not be held up for as long as megabytes take. So the payloads are written first,
some at a time, each part in a commit that it shares with the writes of others. A payload without a
task is invisible. Then all tasks are written in one transaction, which is short.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tasker.model.task import Task
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.inserter import Inserter, Rows

STAGED_FROM: Final = 100
"""How many tasks make it worth while, however short their payloads are."""

_ROWS: Final = 500
_BYTES: Final = 512 * 1024
"""What is written, or removed, at a time."""


def is_worth_while(tasks: Sequence[Task]) -> bool:
    """Whether the payloads of *tasks* are to be stored first, in parts."""
    if len(tasks) >= STAGED_FROM:
        return True
    return len(tasks) > 1 and sum(len(task.payload) for task in tasks) > _BYTES


class Staged(NamedTuple):
    """Tasks whose payloads are stored."""

    seqs: range
    """Their numbers."""
    rows: Sequence[Rows]
    """What is to be stored of them, if they are stored as they are."""


class Stager:
    """Stages payloads. The table ``staged`` says which numbers are set apart for them."""

    def __init__(self, queries: Queries, inserter: Inserter) -> None:
        self._queries = queries
        self._inserter = inserter

    def begin(self, count: int) -> range:
        """Set apart the numbers of so many tasks, at least one."""
        seqs = self._inserter.take_seqs(count)
        self._queries.all("stage", first=seqs[0], last=seqs[-1])
        return seqs

    def put(self, seqs: range, tasks: Sequence[Task]) -> Sequence[Rows]:
        """Store the payloads of tasks under some of the numbers that were set apart. Return the rows of the tasks."""
        self._inserter.insert_payloads(seqs, [task.payload for task in tasks])
        return self._inserter.rows(seqs, tasks)

    def unstage(self, seqs: range, unused: Sequence[int]) -> None:
        """Note that the payloads have their tasks, but for those that are *unused*, and remove these.

        A part of the transaction that writes the tasks.
        """
        self._queries.all("unstage", first=seqs[0])
        for seq in unused:
            self._queries.all("delete_payload", seq=seq)

    def drop(self, seqs: range, part: range) -> None:
        """Remove the payloads of *part* of the numbers, unless they have their tasks."""
        self._queries.all("drop_staged", first=seqs[0], start=part.start, stop=part.stop)
        if part.stop == seqs.stop:
            self._queries.all("unstage", first=seqs[0])

    def sweep(self) -> None:
        """Remove what was staged when the process died: it has no tasks, and never will have."""
        for first, last in self._queries.all("all_staged"):
            self._queries.all("drop_staged", first=first, start=first, stop=last + 1)
            self._queries.all("unstage", first=first)


def parts(seqs: range, tasks: Sequence[Task]) -> Iterator[tuple[range, Sequence[Task]]]:
    """Return *tasks* with their numbers, as many as are to be staged at a time."""
    start = size = 0
    for place, task in enumerate(tasks):
        size += len(task.payload)
        if size >= _BYTES or place - start == _ROWS - 1 or place == len(tasks) - 1:
            yield seqs[start : place + 1], tasks[start : place + 1]
            start, size = place + 1, 0


def slices(seqs: range) -> Iterator[range]:
    """Return *seqs* in parts, as many as are to be removed at a time."""
    for start in range(seqs.start, seqs.stop, _ROWS):
        yield range(start, min(start + _ROWS, seqs.stop))
