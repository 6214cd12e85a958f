"""Between rows and what the rest of tasker knows."""

from typing import Any

from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.faults import fault_of


def to_task(row: Any) -> Task:  # noqa: ANN401 - a record
    """Return the task in a row of ``get`` or ``list_page``."""
    return Task(
        id=TaskId(str(row["id"])),
        type=row["type"],
        pool=Pool(row["pool"]),
        state=State(row["state"]),
        due_at=row["due_at"],
        execution_at=row["execution_at"],
        execution_time=row["execution_time"],
        attempts=row["attempts"],
        crashes=row["crashes"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        last_error=fault_of(row["last_error"]),
        fields=row["data"],
        result=row["result"],
    )
