"""Counting what is overdue, as far as all stores do it alike.

One statement looks at the heads of the queues and at what gates hold, each along its index and no
further than counting goes, and has the ``reason_...`` texts say of each task what ``explaining.py``
says. The texts are those of the ``.sql`` files.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from tasker.explaining import DUE_REASONS, OVERDUE_REASONS
from tasker.model.circuit import THRESHOLD
from tasker.model.instants import Instant
from tasker.model.overdue import OVERDUE_COUNTED_TO, Overdue, OverdueTasks
from tasker.model.task import Pool

_GATES: Final = ("overdue_at_paused", "overdue_at_failing", "overdue_at_rated", "overdue_at_others")
"""The kinds of gates that hold tasks. What one kind holds is counted apart, so that many tasks of
one do not hide those of another."""


def overdue_statement(texts: Mapping[str, str], pools: Iterable[Pool], free_pools: Collection[Pool]) -> str | None:
    """Return the statement whose rows are a reason, how many tasks wait for it, and the earliest due time.

    None: there are no pools, and so no tasks.

    Args:
        pools: those in which tasks wait.
        free_pools: those of them in which this node has a free slot.
    """
    walks = [
        texts[walk].format(pool=pool, up_to=OVERDUE_COUNTED_TO)
        for pool in sorted(set(pools))
        for walk in ("overdue_queue", "overdue_behind")
    ]
    if not walks:
        return None
    for gates in _GATES:
        which = texts[gates].format(threshold=THRESHOLD)
        walks.append(texts["overdue_held"].format(gates=which, up_to=OVERDUE_COUNTED_TO))
    walks.append(texts["overdue_first"])
    free = ", ".join(map(str, [-1, *sorted(free_pools)]))  # never empty
    reasons = " ".join(
        f"WHEN {texts[f'reason_{reason}']} THEN '{reason}'".format(
            pools=free,
            threshold=THRESHOLD,
            with_rate=texts["gates_with_rate"],
            full_queues=texts["full_queues"],
            all_paused=texts["all_paused"],
        )
        for reason in DUE_REASONS
    )
    return texts["overdue"].format(walks=" UNION ALL ".join(walks), reasons=reasons)


def overdue_of(rows: Iterable[tuple[str | None, int, Instant]], at: Instant) -> Overdue:
    """Return what the *rows* of the statement say, which was run at the moment *at*."""
    found = {
        reason: OverdueTasks(min(max(count, 1), OVERDUE_COUNTED_TO), oldest)  # of one that was not counted, the oldest
        for reason, count, oldest in rows
    }
    return Overdue(at, {reason: found.get(reason, OverdueTasks(0, None)) for reason in OVERDUE_REASONS})
