"""What every database of tasker keeps, and what follows where one does not.

Each store has a query of the same name in its ``maintenance.sql``, which counts the rows that break it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tasker.stores.maintenance import Finding


class Invariant(NamedTuple):
    """What is wrong where rows break it, and what to do."""

    problem: str
    """A clause, with a place for how many."""
    remedy: str

    def broken(self, name: str, count: int, example: str | None) -> Finding:
        """Return what a check finds where so many rows break it."""
        problem = self.problem.format(count=f"{count:,}")
        return Finding(code=name, count=count, problem=problem, remedy=self.remedy, example=example)


_RESTORE: Final = "restore a backup"
_REPORT: Final = "please report it, with the version; a backup from before may be without it"

INVARIANTS: Final[Mapping[str, Invariant]] = {
    "no_payload": Invariant(
        "{count} tasks have no body, and cannot run", f"{_RESTORE}, or delete them: tasker rm ID; and {_REPORT}"
    ),
    "stray_payload": Invariant("{count} bodies belong to no task: they take room, and do no harm", _REPORT),
    "bad_state": Invariant("{count} tasks are in a state that does not fit what else is written of them", _REPORT),
    "bad_admission": Invariant(
        "{count} runs of schedules wait for another one, or do not, against what they say", _REPORT
    ),
    "no_pool": Invariant("{count} tasks are in no list, since nothing says in which pool their type waits", _REPORT),
    "no_gate": Invariant("{count} tasks name a destination, a group or a queue that is not there", _REPORT),
    "held_for_ever": Invariant(
        "{count} tasks are held by a gate that nobody looks at again, and would not start",
        f"have them started: tasker run ID; and {_REPORT}",
    ),
    "queue_of_no_gate": Invariant("{count} gates hold tasks and are not there", _REPORT),
    "bad_key": Invariant("{count} tasks hold a key and have none", _REPORT),
    "held_twice": Invariant(
        "{count} keys are held by several tasks", f"cancel those that are too many: tasker cancel ID; and {_REPORT}"
    ),
    "half_schedule": Invariant(
        "{count} schedules lack a part, and make no runs", f"put them again: tasker schedule; and {_REPORT}"
    ),
    "run_twice": Invariant("{count} times of schedules have several runs", _REPORT),
    "stray_attempt": Invariant("attempts of {count} tasks are kept that are gone: they do no harm", _REPORT),
    "stray_tag": Invariant("{count} tags belong to no task: they do no harm", _REPORT),
}
"""By the names of their queries."""

DAMAGED: Final = Invariant("the file is damaged: {detail}", "stop the server, and restore a backup: tasker db restore")
"""What SQLite itself finds."""
