"""Between rows and what the rest of tasker knows."""

from typing import Any

from tasker.model.circuit import Circuit
from tasker.model.gate import Gate, GateKind
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.faults import fault_of


def id_bytes(task_id: TaskId) -> bytes:
    """The 16 bytes of an id."""
    return bytes.fromhex(task_id.replace("-", ""))


def id_text(id_: bytes) -> TaskId:
    """The id that 16 bytes stand for."""
    digits = id_.hex()
    return TaskId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def to_task(row: tuple[Any, ...]) -> Task:
    """Return the task in a row of ``get`` or ``list_page``."""
    (
        id_,
        type_,
        pool,
        state,
        due_at,
        execution_at,
        execution_time,
        attempts,
        retried_after,
        crashes,
        started_at,
        ended_at,
        last_fault,
        expires_at,
        parent_id,
        node,
        payload,
        result,
        _,
    ) = row
    return Task(
        id=id_text(id_),
        type=type_,
        pool=Pool(pool),
        state=State(state),
        due_at=due_at,
        execution_at=execution_at,
        execution_time=execution_time,
        expires_at=expires_at,
        parent_id=None if parent_id is None else id_text(parent_id),
        attempts=attempts,
        retried_after=retried_after,
        crashes=crashes,
        started_at=started_at,
        ended_at=ended_at,
        last_fault=fault_of(last_fault),
        payload=payload,
        result=result,
        node=None if node is None else id_text(node),
    )


def to_gate(row: tuple[Any, ...]) -> Gate:
    """Return the gate in the first columns of a row of ``gate_at`` or ``gates``."""
    id_, kind, name, paused, max_running, failures, open_until, *_ = row
    return Gate(
        id=id_,
        kind=GateKind(kind),
        name=name,
        paused=bool(paused),
        max_running=max_running,
        circuit=Circuit(failures, open_until),
    )
