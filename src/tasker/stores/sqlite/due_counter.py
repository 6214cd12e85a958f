"""Counts what is due: a part of the reading side."""

from collections.abc import Callable
from typing import Final

from tasker.model.steps import DueCounts, Steps
from tasker.stores import due_counting
from tasker.stores.due_counting import DueWalk, due_counts, last_due
from tasker.stores.sqlite.connection import Queries

_LAST_SEQ: Final = (1 << 63) - 1


def count_due(queries: Queries, steps: Steps, monotonic: Callable[[], float]) -> DueCounts:
    """Count: see ``Store.count_due``. The caller sees to it that all is read from one state of the database."""
    span = {"start": steps.start, "step": steps.length, "until": steps.start + steps.length * steps.count}
    walk = DueWalk(
        steps, _LAST_SEQ, monotonic, queries.all("held_due_counts", **span, look=due_counting.HELD_COUNTED_TO)
    )
    if walk.has_more_held:
        walk.held_ends_at(queries.number("last_held_due", **span))
    pools = sorted({pool for _, pool in queries.all("type_pools")})
    if not pools:
        return walk.counts
    statement = due_counts(queries.texts, pools)
    execute = queries.connection.execute
    while length := walk.next():
        after_at, after_seq = walk.position
        walk.take(execute(statement, {**span, "after_at": after_at, "after_seq": after_seq, "look": length}))
    if walk.has_more:
        walk.ends_at(execute(last_due(queries.texts, pools), span).get)
    return walk.counts
