"""The payloads that a statement did not read, because they were changed while it ran."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from tasker.model.attempt import Attempt
from tasker.model.ending import Ending
from tasker.model.task import TaskId
from tasker.stores.postgres.connection import Connection

T = TypeVar("T", Attempt, Ending)


async def with_payloads(connection: Connection, queries: Mapping[str, str], found: Sequence[T]) -> Sequence[T]:
    """Return *found* with the payloads that are missing, which is None in their place.

    A statement locks the newest row of a task, but reads its payload as it was when the statement
    began: it leaves out one that is not the row's. This later statement sees the newest.
    """
    missing = [each.task_id for each in found if each.payload is None]
    if not missing:  # nearly always
        return found
    rows = await connection.fetch(queries["payloads"], missing)
    payloads = {TaskId(str(row["id"])): row["payload"] for row in rows}
    return [replace(each, payload=payloads[each.task_id]) if each.payload is None else each for each in found]
