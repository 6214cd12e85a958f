"""How SQLite keeps ids: as 16 bytes."""

from typing import Final

from tasker.model.task import TaskId
from tasker.stores.rows import Reading


def id_bytes(task_id: TaskId) -> bytes:
    """The 16 bytes of an id."""
    return bytes.fromhex(task_id.replace("-", ""))


def id_text(id_: bytes) -> TaskId:
    """The id that 16 bytes stand for."""
    digits = id_.hex()
    return TaskId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


READING: Final = Reading(id_text)
"""What rows become."""
