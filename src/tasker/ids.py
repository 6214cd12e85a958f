"""Ids of tasks: UUIDs."""

import os
import re
import struct
from collections import deque
from typing import Final
from uuid import UUID

from tasker.model.instants import Instant
from tasker.model.task import TaskId

_CANONICAL: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_pack: Final = struct.Struct(">QQ").pack

_drawn: deque[int] = deque()
"""Random numbers of 64 bits for the ids to come: asking the system for one at a time would take
most of an id's time."""


def new_id(now: Instant) -> TaskId:
    """Return a new UUID version 7 of the moment *now*: it sorts after those of earlier microseconds.

    Behind the milliseconds stands the fraction of the millisecond, in 12 bits, then 62 random bits.

    Source: RFC 9562, sections 5.7 and 6.2, method 3.
    """
    milliseconds, microseconds = divmod(now, 1000)
    time = milliseconds << 16 | 0x7000 | microseconds * 4096 // 1000
    digits = _pack(time, _random_bits() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000).hex()
    return TaskId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def parse_id(text: str) -> TaskId:
    """Return the id that *text*, a UUID in any spelling, stands for.

    Raises:
        ValueError: it is not a UUID.
    """
    return TaskId(text if _CANONICAL.fullmatch(text) else str(UUID(text)))


def id_before(task_id: TaskId) -> TaskId | None:
    """Return the last of all ids before *task_id*; None: it is the first.

    >>> id_before(TaskId("00000000-0000-0000-0000-000000000100"))
    '00000000-0000-0000-0000-0000000000ff'
    """
    number = UUID(task_id).int
    return TaskId(str(UUID(int=number - 1))) if number else None


def instant_of(task_id: TaskId) -> Instant:
    """Return the moment that an id of version 7 says, to the millisecond.

    Raises:
        ValueError: it is of another version.

    >>> instant_of(new_id(1_795_554_266_787_040))
    1795554266787000
    """
    value = UUID(task_id)
    if value.version != 7:
        raise ValueError(f"expected a UUID of version 7, got: {task_id}")
    return (value.int >> 80) * 1000


def _random_bits() -> int:
    """Return 64 random bits, each time others. May be called by several threads."""
    while True:
        try:
            return _drawn.popleft()
        except IndexError:
            _drawn.extend(struct.unpack("128Q", os.urandom(128 * 8)))
