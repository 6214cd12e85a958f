"""Ids of tasks: UUIDs."""

import re
from typing import Final
from uuid import UUID

import uuid_utils

from tasker.model.instants import Instant
from tasker.model.task import TaskId

_CANONICAL: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def new_id(now: Instant) -> TaskId:
    """Return a new UUID version 7 of the moment *now* (RFC 9562, section 5.7)."""
    return TaskId(str(uuid_utils.uuid7(nanoseconds=now * 1000)))


def parse_id(text: str) -> TaskId:
    """Return the id that *text*, a UUID in any spelling, stands for.

    Raises:
        ValueError: it is not a UUID.
    """
    return TaskId(text if _CANONICAL.fullmatch(text) else str(UUID(text)))
