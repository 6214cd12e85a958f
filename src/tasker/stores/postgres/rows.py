"""Between rows and what the rest of tasker knows."""

from typing import Any

from tasker.model.circuit import Circuit
from tasker.model.gate import Gate, GateKind
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
        expires_at=row["expires_at"],
        parent_id=None if row["parent_id"] is None else TaskId(str(row["parent_id"])),
        attempts=row["attempts"],
        retried_after=row["retried_after"],
        crashes=row["crashes"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        last_fault=fault_of(row["last_fault"]),
        payload=row["payload"],
        result=row["result"],
        node=None if row["node"] is None else str(row["node"]),
    )


def to_gate(row: Any) -> Gate:  # noqa: ANN401 - a record
    """Return the gate in the first columns of a row of ``woken`` or ``gates``."""
    return Gate(
        id=row[0],
        kind=GateKind(row[1]),
        name=row[2],
        paused=row[3],
        max_running=row[4],
        circuit=Circuit(row[5], row[6]),
    )
