"""Why an attempt began late: how its lateness is split by cause."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import msgspec

from tasker.model.instants import Instant, after

LOOK_EVERY: Final = timedelta(seconds=2)
"""How often a node that claims writes down that it does. It looks for due tasks more often."""

DOWN_AFTER: Final = timedelta(seconds=5)
"""A span in which no node looked is longer than this."""

DOWN_KEPT: Final = timedelta(days=90)
"""How long such a span is known after its end."""


class Span(msgspec.Struct, frozen=True):
    """A span in which no node looked: from the last look before it to the first one after it."""

    begin_at: Instant
    end_at: Instant


def known_until(looked_at: Instant, now: Instant) -> Instant:
    """Return up to when it is known at *now* in which spans no node looked, if one did last at *looked_at*.

    If that was long ago, the next look will find one more.
    """
    return now if looked_at >= after(now, -DOWN_AFTER) else looked_at


class LatenessByCause(msgspec.Struct, frozen=True, kw_only=True):
    """How late an attempt began, in microseconds. Each part is 0 or more, and together they are the lateness."""

    down: int
    """No node looked for due tasks: none ran, or none could, for more than some seconds."""
    held: int
    """A gate held the task, while a node looked; or the inbox did, until a node could take it."""
    own: int
    """The rest, which is tasker's own: a slot had to be waited for, or the node was slow."""

    @property
    def total(self) -> int:
        """The lateness."""
        return self.down + self.held + self.own


def by_cause(*, due_at: Instant, started_at: Instant, down: int, held: int) -> LatenessByCause:
    """Split the lateness of an attempt that began at *started_at*.

    What was counted when it was claimed may be more than its lateness, if the clock was set back
    before it began: then it is cut.

    Args:
        down: microseconds from its due time to its claim in which no node looked.
        held: the others of them, up to the moment at which its gate let it go.

    >>> by_cause(due_at=0, started_at=10, down=3, held=2)
    LatenessByCause(down=3, held=2, own=5)
    """
    lateness = max(started_at - due_at, 0)
    if down + held > lateness:
        down = min(down, lateness)
        held = lateness - down
    return LatenessByCause(down=down, held=held, own=lateness - down - held)


def split_by_cause(attempts: Iterable[tuple[Instant, Instant, int, int]]) -> tuple[list[int], list[int], list[int]]:
    """Return what ``by_cause`` says of many *attempts*: each ``down``, each ``held`` and each ``own``.

    Args:
        attempts: of each ``due_at``, ``started_at``, ``down`` and ``held``.

    >>> split_by_cause([(0, 10, 3, 2), (0, 4, 3, 2)])
    ([3, 3], [2, 1], [5, 0])
    """
    downs, helds, owns = [], [], []
    for due_at, started_at, down, held in attempts:
        own = started_at - due_at - down - held
        if own < 0:  # the clock was set back
            each = by_cause(due_at=due_at, started_at=started_at, down=down, held=held)
            down, held, own = each.down, each.held, each.own  # noqa: PLW2901 - they were cut
        downs.append(down)
        helds.append(held)
        owns.append(own)
    return downs, helds, owns
