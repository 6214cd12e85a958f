"""Between rows and what the rest of tasker knows."""

from typing import Any

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
        crashes,
        started_at,
        ended_at,
        last_error,
        data,
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
        attempts=attempts,
        crashes=crashes,
        started_at=started_at,
        ended_at=ended_at,
        last_error=fault_of(last_error),
        fields=data,
        result=result,
    )
