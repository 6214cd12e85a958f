"""Counting what is due, as far as all stores do it alike.

What gates hold is counted first, in one piece. Then the queues of all pools are walked along
together, in the order of time, in pieces. The texts are those of the ``.sql`` files.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, TypeVar

from tasker.interfaces.statistics import DUE_COUNTED_FOR, DUE_COUNTED_TO
from tasker.model.instants import Instant
from tasker.model.steps import DueCounts, Steps
from tasker.model.task import Pool
from tasker.stores.finding import Pieces

Id = TypeVar("Id")
"""What a row is found by: an integer or a UUID."""

HELD_COUNTED_TO: Final = DUE_COUNTED_TO // 4
"""Where the counting of what gates hold stops."""


def due_counts(texts: Mapping[str, str], pools: Iterable[Pool]) -> str:
    """Return the statement that counts a piece of the queues of *pools*, of which there is one at least."""
    return _filled(texts, "due_counts", "walk_due", pools)


def last_due(texts: Mapping[str, str], pools: Iterable[Pool]) -> str:
    """Return the statement that finds the last moment before a bound at which anything in the queues is due."""
    return _filled(texts, "last_due", "last_due_in_pool", pools)


def _filled(texts: Mapping[str, str], statement: str, walk: str, pools: Iterable[Pool]) -> str:
    return texts[statement].format(walks=" UNION ALL ".join(texts[walk].format(pool=pool) for pool in pools))


class DueWalk(Generic[Id]):
    """How far counting has come: the stores tell what is held, then ask for one piece after the other."""

    def __init__(
        self, steps: Steps, last_id: Id, monotonic: Callable[[], float], held: Iterable[tuple[int, int]]
    ) -> None:
        """Begin.

        Args:
            last_id: one behind all ids.
            held: what ``held_due_counts`` says: a place and a count each.
        """
        self.position: tuple[Instant, Id] = (steps.start - 1, last_id)
        self._steps = steps
        self._counts = [0] * steps.count
        self._is_exact = [True] * steps.count
        for place, count in held:
            self._counts[place] += count
        held_in_all = sum(self._counts)
        self.has_more_held = held_in_all == HELD_COUNTED_TO
        """Whether gates may hold more than was counted."""
        self._pieces = Pieces(monotonic, most=DUE_COUNTED_TO - held_in_all, longest=DUE_COUNTED_FOR)
        self._length = 0
        self._is_at_end = False

    def next(self) -> int:
        """Return how many rows the next piece looks at; 0: the queues are counted, as far as may be."""
        self._length = 0 if self._is_at_end else self._pieces.next()
        return self._length

    def take(self, rows: Iterable[tuple[int, int, Id | None]]) -> None:
        """Hear what ``due_counts`` says of a piece: a place and a count each, then where it has come to."""
        looked = 0
        for number, count, id_ in rows:
            if id_ is None:
                self._counts[number] += count
            else:
                self.position, looked = (number, id_), count
        self._pieces.looked(looked)
        self._is_at_end = looked < self._length

    @property
    def has_more(self) -> bool:
        """Whether the queues may have more than was counted."""
        return not self._is_at_end

    def ends_at(self, last: Instant | None) -> None:
        """Hear at which moment within the steps the queues have their last task: behind it there is nothing."""
        self._doubt(max(self._steps.place(self.position[0]), 0), last)

    def held_ends_at(self, last: Instant | None) -> None:
        """Hear the same of what gates hold."""
        self._doubt(0, last)

    def _doubt(self, first: int, last: Instant | None) -> None:
        until = first if last is None else min(self._steps.place(last) + 1, self._steps.count)
        for place in range(first, until):
            self._is_exact[place] = False

    @property
    def counts(self) -> DueCounts:
        """What came of it."""
        return DueCounts(self._counts, self._is_exact)
