"""Counts what is due: a part of the reading side."""

from collections.abc import Callable, Mapping
from typing import Final

from tasker.model.steps import DueCounts, Steps
from tasker.stores import due_counting
from tasker.stores.due_counting import DueWalk, due_counts, last_due
from tasker.stores.postgres.connection import Connection, Run

_LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


async def count_due(run: Run, queries: Mapping[str, str], steps: Steps, monotonic: Callable[[], float]) -> DueCounts:
    """Count: see ``Store.count_due``. Each piece is work of its own, so others have their turn between two."""
    until = steps.start + steps.length * steps.count

    async def count_held(connection: Connection) -> DueWalk[str]:
        rows = await connection.fetch(
            queries["held_due_counts"], steps.start, until, due_counting.HELD_COUNTED_TO, steps.length
        )
        walk = DueWalk(steps, _LAST_ID, monotonic, [(row["place"], row["counted"]) for row in rows])
        if walk.has_more_held:
            walk.held_ends_at(await connection.fetchval(queries["last_held_due"], until))
        return walk

    walk = await run(count_held)
    pools = sorted({row["pool"] for row in await run(lambda connection: connection.fetch(queries["type_pools"]))})
    if not pools:
        return walk.counts
    statement = due_counts(queries, pools)

    async def look(connection: Connection) -> bool:
        if length := walk.next():
            rows = await connection.fetch(statement, *walk.position, until, length, steps.start, steps.length)
            walk.take((row["number"], row["counted"], row["id"]) for row in rows)
        return length > 0

    while await run(look):
        pass
    if walk.has_more:
        walk.ends_at(await run(lambda connection: connection.fetchval(last_due(queries, pools), until)))
    return walk.counts
