"""Takes back what an earlier process left running."""

from collections.abc import Callable

from tasker.interfaces.queue import TakenBack
from tasker.interfaces.reports import Report
from tasker.model.instants import Instant
from tasker.model.lifecycle import CRASHED, MAX_CRASHES
from tasker.model.task import State, Task
from tasker.stores.faults import fault_text
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.gates import Gates
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import READING


class Recoverer:
    """Returns tasks to the queue that were running when their process died, or ends them."""

    def __init__(
        self, queries: Queries, inserter: Inserter, gates: Gates, now: Callable[[], Instant], node: bytes
    ) -> None:
        self._queries = queries
        self._inserter = inserter
        self._gates = gates
        self._now = now
        self._node = node

    def take_back(self) -> tuple[TakenBack, Report]:
        """Take back whatever this boot has not claimed, and store what follows the ends."""
        now = self._now()
        rows = self._queries.all(
            "take_back", node=self._node, now=now, max_crashes=MAX_CRASHES, last_fault=fault_text(CRASHED)
        )
        failed = [row for row in rows if row[READING.ending.width :] == (State.FAILED,)]
        followed_by: list[Task] = []
        for row in failed:
            followed_by += self._inserter.insert_what_follows(READING.failed(row, CRASHED), now)
        cancelled = [row for row in rows if row[READING.ending.width :] == (State.CANCELLED,)]
        for row in cancelled:
            followed_by += self._inserter.insert_what_follows(READING.cancelled(row), now)
        self._gates.wake_all(now)  # nothing runs whose end would do so, and the clock may have been set back meanwhile
        ended = [READING.ending.read(row).task_id for row in (*failed, *cancelled)]
        back = [READING.ending.read(row).task_id for row in rows if row[READING.ending.width :] == (State.TODO,)]
        taken = TakenBack(todo=len(back), failed=len(failed), cancelled=len(cancelled))
        return taken, Report(ended=ended, taken_back=back, followed_by=followed_by)
