"""How many tasks may run at once, per pool."""

from collections.abc import Iterable, Mapping

from tasker.interfaces.task_type import TaskType
from tasker.model.task import PULLED, Pool


class Slots:
    """The worker slots of this node: a number per pool; what is pulled needs none.

    A claim takes them; each is released when nothing of its attempt is left.
    """

    def __init__(self, types: Iterable[TaskType]) -> None:
        self.total: Mapping[Pool, int] = {
            task_type.pool: task_type.slots for task_type in types if task_type.pool != PULLED
        }
        self._free = dict(self.total)
        self.free: Mapping[Pool, int] = self._free
        """Free slots per pool; 0 where there is none."""

    @property
    def free_pools(self) -> frozenset[Pool]:
        """The pools in which a slot is free."""
        return frozenset(pool for pool, free in self._free.items() if free)

    def running(self, pool: Pool) -> int:
        """How many slots of *pool* are taken; 0 if it has none."""
        return self.total.get(pool, 0) - self._free.get(pool, 0)

    def take(self, pool: Pool) -> None:
        """Take one slot. The caller has seen that one is free."""
        assert self._free[pool] > 0, "a claim takes at most the free slots it was given"  # noqa: S101 - an invariant
        self._free[pool] -= 1

    def release(self, pool: Pool) -> None:
        """Give one slot back."""
        assert self._free[pool] < self.total[pool], "a slot is released once"  # noqa: S101 - an invariant
        self._free[pool] += 1
