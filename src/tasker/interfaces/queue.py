"""Handing out what is due, and writing how it ended."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from tasker.model.attempt import Attempt
from tasker.model.circuit import CircuitState
from tasker.model.ending import Ending
from tasker.model.instants import Instant
from tasker.model.lifecycle import Move, Settlement
from tasker.model.overdue import Overdue
from tasker.model.task import Pool, State, Task, TaskId

PRUNE_LIMIT: Final = 500
"""Tasks that one call of ``Store.prune`` deletes at most."""


EXPIRE_LIMIT: Final = 500
"""Tasks that one call of ``Store.expire`` ends at most."""


REZONE_LIMIT: Final = 500
"""Tasks that one call of ``Store.rezone`` looks at at most."""


GIVE_UP_LIMIT: Final = 500
"""Tasks that one call of ``Store.give_up`` ends at most."""


class Claimed(Struct, frozen=True):
    """What a claim took."""

    attempts: Sequence[Attempt]
    """Earliest due first; those due at the same moment in order of arrival.

    Where several nodes write, the order of arrival is that of the ids: they begin with the time at
    which they were made.
    """

    next_due: Instant | None
    """The earliest due time left in the pools that still have room, which may have passed already;
    None if there is none.

    Where others hold what is due for now, or a gate has no room, the moment at which to look again.
    What has expired and is ``todo`` still does not count: it never starts.
    """


class Claim(Struct, frozen=True):
    """A claim that stands on a task."""

    task_id: TaskId
    fence: int


class Follow(Protocol):
    """What follows the end of a task. Pure: the stores call it inside the transaction that writes the end."""

    def __call__(self, ending: Ending, *, now: Instant, new_id: Callable[[Instant], TaskId]) -> Sequence[Task]:
        """Return the tasks to be stored with *ending*, due at *now* or later, with ids from *new_id*; empty: none."""


class Settled(Struct, frozen=True):
    """What the end of a claim wrote."""

    move: Move
    """The move that was made of the task: as the settlement says, or ``STOP`` if it was cancelled
    meanwhile."""
    has_room: bool = False
    """Whether a claim should look now: the gate holds tasks and may have room for them. Of ends that
    are written together one may say so for all of its pool."""
    followed_by: Sequence[Task] = ()
    """The tasks that were stored with the end, because they follow it."""
    circuit: CircuitState | None = None
    """``OPEN`` or ``CLOSED``: the end has opened or closed the circuit of the host. None: neither."""


class Expired(Struct, frozen=True):
    """What an expiry ended."""

    count: int
    """Tasks that ended ``failed`` because they could not start in time."""

    next_at: Instant | None
    """The earliest ``expires_at`` of the tasks that still wait, which may have passed already; None
    if none has one.

    Where others hold what has expired for now, the moment at which to look again.
    """


class Rezoned(Struct, frozen=True):
    """What newer time zones did to tasks that wait."""

    looked_at: int
    """Tasks whose moment an older version had found."""

    moved: Sequence[TaskId] = ()
    """Those of them that are due at another moment now."""


class TakenBack(Struct, frozen=True):
    """What a take-back found."""

    todo: int
    """Tasks that went back to the queue."""

    failed: int
    """Tasks that ended ``failed`` with ``crashed_worker``: it was the third crash in a row."""

    cancelled: int = 0
    """Tasks that ended ``cancelled``: they were while they ran."""


class QueueStore(Protocol):
    """Hands out tasks that are due, and takes down what became of them.

    See ``Store`` for what holds for every method.
    """

    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """Take due tasks for this node, at most *free[pool]* of each pool, earliest due first. Never waits for one.

        Of a destination no more are taken than its gate has room for (``Gate.room``). What is due
        beyond that is *held*: still ``todo``, but passed over until the gate has room; then it
        comes before the rest. A task is held once for each time it comes due, and a claim does so
        with a bounded number: if it comes upon more, ``next_due`` has passed.

        A task is due when its ``due_at`` is at or before the store's own clock. One whose
        ``expires_at`` has come is not taken any more, whether ``expire`` has ended it or not. Two
        nodes never take the same task. Each task taken becomes ``in_progress``, with its number of
        attempts one higher, the call's claim written on it and ``started_at`` now. A pool with 0
        free slots, or not named, is not looked at.

        Of runs of schedules, those that may start have been decided of with the claim: they are
        ``STARTED``. The rest asks (``Attempt.asks_to_start``): see ``Store.admit``. What a crash of the
        machine undoes of a claim, it undoes of this, and it is decided anew.

        A call that does not raise is a *look*, whatever it takes, if the node may claim. A span of
        more than ``DOWN_AFTER`` in which no node looked is known from the next look on: no process
        ran, the store could not be used, or the machine was suspended or its clock set forward.
        That a process was able to look but did not, because it hung, makes no such span. Looks are
        noted every ``LOOK_EVERY``, so that a span may begin that much early. How much of the time
        from a task's due time to now lies in such spans becomes its ``late_down``. How much of the
        rest came before its gate had room, or while everything was paused, becomes its
        ``late_held``; it is kept as long as the task has the same due time.

        While everything is paused, nothing is claimed, and ``next_due`` is None. While the store is
        ailing, nothing is claimed until a durable write has succeeded again.
        """

    async def overdue(self, *, free_pools: Collection[Pool]) -> Overdue:
        """Return how many tasks are due and have not started, by the reason, and how old the oldest is.

        The reasons are those that ``explain`` gives. Costs the same however many tasks there are: what
        is at the head of a queue, or is held by gates of one kind, is looked at up to
        ``OVERDUE_COUNTED_TO`` tasks.

        Args:
            free_pools: those in which a slot is free on this node: what is due there is ``due``, and
                what is due elsewhere ``no_slot``.
        """

    async def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        """Write how a claimed attempt ended, what is kept of it, and what follows, all or nothing.

        Returns what was written. Resets the count of crashes. Of each task the newest
        ``attempts_kept`` attempts are kept. The circuit of the destination's gate hears
        ``settlement.is_alive``. A task that was cancelled while it ran ends ``cancelled`` unless it
        is done: whatever else the settlement says of its state and its next attempt is void.

        A settlement whose move is ``ACCEPT`` puts the attempt into other hands: its claim stands, and
        the next settlement with it ends it. Until then the task is ``in_progress`` on no node, and
        nothing of what is done with what nodes run is done with it. It counts in ``max_running`` of
        its gate if the settlement says so.

        Raises:
            ClaimLostError: the task was taken back since, or settled before. Nothing was written.
        """

    async def give_back(self, claim: Claim | Attempt) -> Settled:
        """Return a claimed task to the queue as if it had not been claimed: due as before, no attempt used.

        Only ``started_at`` stays. One that was cancelled meanwhile ends ``cancelled`` instead.

        Raises:
            ClaimLostError: as for ``settle``.
        """

    async def claims(self) -> Sequence[Claim]:
        """Return the claims of this node that stand in the store.

        They are those of what it runs, and of what it does not know of any more.
        """

    async def expire(self) -> Expired:
        """End some of what could not start before its ``expires_at``, in all pools: as ``failed`` with ``expired``.

        At most ``EXPIRE_LIMIT``, those that expired first: while ``next_at`` has passed, call it
        again. Nodes may do so at the same time.
        """

    async def zones(self) -> str:
        """Return the newest version of the time zones that ``note_zones`` has noted; empty: none was."""

    async def note_zones(self, version: str) -> None:
        """Note a version of the time zones, unless a newer one is noted: all that waits is due by it."""

    async def rezone(self, version: str, place: Callable[[str, str], Instant | None]) -> Rezoned:
        """Find the moments anew of some tasks that wait, which zones older than *version* found; earliest due first.

        At most ``REZONE_LIMIT``; once none is looked at, there are no more, or others are at it. A
        task is due at the new moment, or now if that has passed; one that was due before keeps its
        place, or has that of the new moment, whichever is later. One that has another time by now,
        such as that of a retry, keeps it.

        Args:
            place: returns the moment of a local time in the zone with a name; None: it is not known,
                and the task keeps its time. Pure: a store may call it on a thread of its own.
        """

    async def give_up(self, least: timedelta) -> int:
        """End some of the tasks that a circuit has kept for too long: as ``failed`` with ``circuit_open``.

        A task that a gate holds whose circuit is not closed may wait until max(``due_at``,
        ``Circuit.broken_since``) + max(what is left of its ``patience``, *least*), whether the gate
        is paused or not, and as much longer as everything was paused meanwhile. Ends at most
        ``GIVE_UP_LIMIT``. Returns how many; 0: there are no more now, or others are at it. Nodes
        may do so at the same time.
        """

    async def take_back(self) -> TakenBack:
        """Return to the queue what is ``in_progress`` and whose holder is gone, so that it runs again at once.

        A holder is gone when its lease has ended, or when this node holds the store alone and did
        not claim it itself. Counts a crash on each and uses up no attempt. A task whose holder was
        lost ``MAX_CRASHES`` times in a row ends ``failed`` with ``crashed_worker`` instead, and one
        that was cancelled while it ran ends ``cancelled``. Tasks that this node has claimed itself
        are left alone.

        Takes nothing back as long as others may not have been able to renew: until this node has
        renewed, and for some seconds after it has lost the store and found it again. May take back
        a part only; call it again.
        """

    async def prune(self, state: State, *, older_than: timedelta) -> int:
        """Delete some of the tasks that ended in *state* longer ago than *older_than*, oldest first; return how many.

        At most ``PRUNE_LIMIT``, fewer if that takes long, so that others do not wait for it; 0
        means that none are left. Nodes may prune at the same time. A task with a ``keep`` of its
        own is left alone.
        """

    async def prune_down(self) -> int:
        """Delete the spans in which no node looked, and the pauses, that ended over ``DOWN_KEPT`` ago; return how many.

        A task that became due in one of them is late by its own then.
        """

    async def prune_kept(self) -> int:
        """Delete some of the tasks that ended longer ago than their own ``keep``; return how many.

        Bounded as ``prune`` is. A task that is kept for ever is never looked at.
        """
