"""Attempts in other hands: who has them tells how they end, and until when that is waited for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from tasker.interfaces.queue import Claim, Settled
from tasker.model.attempt import Attempt, Awaited, Exchange
from tasker.model.instants import Instant
from tasker.model.lifecycle import Settlement

LAPSE_LIMIT: Final = 100
"""Attempts that one call of ``Store.lapse`` ends at most."""


class Judge(Protocol):
    """Says what becomes of a task. Pure: the stores call it inside the transaction that writes it."""

    def __call__(self, awaited: Awaited, now: Instant) -> Settlement:
        """Return how an attempt ends at *now* whose deadline has passed."""


class Lapse(Struct, frozen=True):
    """An attempt that was ended because its deadline has passed."""

    awaited: Awaited
    settlement: Settlement
    settled: Settled


class Lapsed(Struct, frozen=True):
    """What a call of ``Store.lapse`` has ended."""

    lapses: Sequence[Lapse]

    next_at: Instant | None
    """The earliest deadline of the others, which may have passed already; None: none is waited for.

    Where others hold what has passed for now, the moment at which to look again.
    """


class Beat(Struct, frozen=True):
    """How a task stands whose attempt is in other hands."""

    deadline: Instant | None
    """Until when it waits; None: the attempt is in no other hands yet."""
    is_cancelled: bool
    """Whether it was cancelled meanwhile."""


class CompletionStore(Protocol):
    """Keeps what attempts in other hands come to. See ``Store`` for what holds for every method.

    ``QueueStore.settle`` puts an attempt into other hands, with a settlement whose move is
    ``ACCEPT``, and ends it.
    """

    async def completion_key(self) -> bytes:
        """Return what tokens are signed with: ``KEY_BYTES`` that all nodes share, and that never change."""

    async def awaited(self, claim: Claim) -> Awaited:
        """Return the attempt with *claim*, whether it is in other hands yet or still runs.

        Raises:
            ClaimLostError: it has ended, or no task has this id.
        """

    async def beat(
        self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None = None
    ) -> Beat:
        """Write how far the attempt with *claim* has come. Return how its task stands then.

        Is synced only if it moves the deadline: otherwise a power loss may undo it.

        Args:
            progress: as in ``Progress``; so is *msg*.
            deadline: until when its task waits from now on, so long from now; None: as before. An
                attempt that is in no other hands yet has no deadline that could be moved.

        Raises:
            ClaimLostError: it has ended, or no task has this id. Nothing was written.
        """

    async def note_answer(self, attempt: Attempt, exchange: Exchange | None) -> bool:
        """Keep what passed in an *attempt* whose end was told before the target had answered.

        Returns whether it was so, and not that the claim is lost for another reason: then nothing is
        written.
        """

    async def lapse(self, judge: Judge) -> Lapsed:
        """End some of the attempts whose deadline has passed, as *judge* says.

        At most ``LAPSE_LIMIT``, those whose deadline passed first: while ``next_at`` has passed, call
        it again. Nodes may do so at the same time. What is moved or ended meanwhile is left alone.
        """
