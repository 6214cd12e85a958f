"""What the engine needs from outside, on one page: a store to keep tasks in, and task types that run them.

A new store is one folder in ``stores/``, a new task type one file in ``task_types/`` or in somebody's own package.
Both can be implemented from the docstrings here; ``tests/stores`` has the suite that every store passes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from tasker.model.attempt import Attempt, AttemptRecord, Outcome
from tasker.model.ending import Ending
from tasker.model.gate import Destination, GateRecord
from tasker.model.instants import Instant
from tasker.model.lifecycle import Move, Settlement
from tasker.model.node import NodeRecord
from tasker.model.standing import Standing
from tasker.model.task import Pool, State, Task, TaskId
from tasker.timing.clock import Clock
from tasker.wire.fields import TaskFields

PRUNE_LIMIT: Final = 500
"""Tasks that one call of ``Store.prune`` deletes at most."""

EXPIRE_LIMIT: Final = 500
"""Tasks that one call of ``Store.expire`` ends at most."""


class Claimed(Struct, frozen=True):
    """What a claim took."""

    attempts: Sequence[Attempt]
    """Earliest due first; those due at the same moment in order of arrival.

    Where several nodes write, the order of arrival is that of the ids: they begin with the time at which they were made.
    """

    next_due: Instant | None
    """The earliest due time left in the pools that still have room, which may have passed already; None if there is none.

    Where others hold what is due for now, or a gate has no room, the moment at which to look again. What has expired and is
    ``todo`` still does not count: it never starts.
    """


class Expired(Struct, frozen=True):
    """What an expiry ended."""

    count: int
    """Tasks that ended ``failed`` because they could not start in time."""

    next_at: Instant | None
    """The earliest ``expires_at`` of the tasks that still wait, which may have passed already; None if none has one.

    Where others hold what has expired for now, the moment at which to look again.
    """


class Follow(Protocol):
    """What follows the end of a task. Pure: the stores call it inside the transaction that writes the end."""

    def __call__(self, ending: Ending, *, now: Instant, new_id: Callable[[Instant], TaskId]) -> Sequence[Task]:
        """Return the tasks to be stored with *ending*, due at *now* or later, with ids from *new_id*; empty: none."""


class Settled(Struct, frozen=True):
    """What a settle wrote."""

    move: Move
    """The move that was made of the task."""
    has_room: bool = False
    """Whether a claim should look now: the gate holds tasks and may have room for them."""
    followed_by: Sequence[Task] = ()
    """The tasks that were stored with the end, because they follow it."""


class TakenBack(Struct, frozen=True):
    """What a take-back found."""

    todo: int
    """Tasks that went back to the queue."""

    failed: int
    """Tasks that ended ``failed`` with ``crashed_worker``: it was the third crash in a row."""


class Claim(Struct, frozen=True):
    """A claim that stands on a task."""

    task_id: TaskId
    fence: int


class TaskFilter(Struct, frozen=True):
    """Which tasks a list shows. None: any."""

    type: str | None = None
    state: State | None = None


class Page(Struct, frozen=True):
    """A part of a list."""

    tasks: Sequence[Task]

    next: str | None
    """Where the next page begins, in a form only the store understands; None: this is the last page."""


class Store(Protocol):
    """Keeps tasks, durably, and hands out those that are due. Several nodes may share one.

    A task ends in one of three methods: ``settle``, ``take_back`` (``crashed_worker``) and ``expire`` (``expired``). Each
    stores with the end, in one transaction, the tasks that ``Follow`` says follow it, by what the row says then.

    Unless it says otherwise, every method raises ``StoreUnavailableError`` (or its ``StoreFullError``) when the
    store cannot be used now. A write that raised it may have happened or not. Every write that returned is on stable storage,
    except a claim: a claim that a power loss undoes runs again. A writing method may raise ``StoreBusyError``: nothing
    was written; ``settle`` and ``give_back`` never do. A store mends itself: once its medium works again,
    so do its methods.
    """

    @property
    def clock(self) -> Clock:
        """The clock that decides what is due, as this node knows it. No method takes ``now``: the store reads its own clock."""

    @property
    def clock_offset(self) -> float:
        """Seconds by which ``clock`` is ahead of this machine's wall clock; 0 if it is the same."""

    @property
    def ailment(self) -> str | None:
        """Why the store cannot be written now, in a few words; None while it is well."""

    async def open(self) -> None:
        """Make the store ready, bringing its tables up to date. Called once, before anything else.

        Raises:
            StartError: it cannot be used by this tasker, here, now. Nothing was changed.
        """

    async def close(self) -> None:
        """Finish what was handed in and let go of everything. May be called twice."""

    async def create(self, tasks: Sequence[Task]) -> None:
        """Store new tasks, all or none.

        Raises:
            TaskExistsError: one has an id that is stored already. None of them was written.
        """

    async def get(self, task_id: TaskId) -> Task:
        """Return a task as the latest finished write left it.

        Raises:
            TaskNotFoundError: there is none with this id.
        """

    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """Return up to *limit* tasks, ordered by execution time, then by order of arrival (see ``Claimed``).

        A page may be shorter than *limit* before the last one, so that long bodies do not fill the memory; it is never empty
        before the last one. Pages of one list never show a task twice; a task that moves to another state meanwhile may be
        missed or shown as it was.

        Args:
            after: the ``next`` of the page before; None for the first page.
            limit: at least 1.

        Raises:
            InvalidQueryError: *after* (as ``cursor``) did not come from such a page.
        """

    async def count(self, *, up_to: int) -> Mapping[State, int]:
        """Return how many tasks are in each state. Counting stops at *up_to*, so that the cost does not grow with the store."""

    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """Take due tasks for this node, at most *free[pool]* of each pool, earliest due first. Never waits for one.

        Of a destination no more are taken than its gate has room for (``Gate.room``). What is due beyond that is *held*: still
        ``todo``, but passed over until the gate has room; then it comes before the rest. A task is held once for each time it
        comes due, and a claim does so with a bounded number: if it comes upon more, ``next_due`` has passed.

        A task is due when its ``due_at`` is at or before the store's own clock. One whose ``expires_at`` has come is not taken
        any more, whether ``expire`` has ended it or not. Two nodes never take the same task. Each task taken becomes
        ``in_progress``, with its number of attempts one higher, the call's claim written on it and ``started_at`` now. A pool
        with 0 free slots, or not named, is not looked at.

        While the store is ailing, nothing is claimed until a durable write has succeeded again.
        """

    async def expire(self) -> Expired:
        """End some of what could not start before its ``expires_at``, in all pools: as ``failed`` with ``expired``.

        At most ``EXPIRE_LIMIT``, those that expired first: while ``next_at`` has passed, call it again. Nodes may do so at the
        same time.
        """

    async def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        """Write how a claimed attempt ended, what is kept of it, and what follows, all or nothing. Return what was written.

        Resets the count of crashes. Of each task the newest ``attempts_kept`` attempts are kept. The circuit of the
        destination's gate hears ``settlement.is_alive``.

        Raises:
            ClaimLostError: the task was taken back since, or settled before. Nothing was written.
        """

    async def give_back(self, claim: Claim | Attempt) -> None:
        """Return a claimed task to the queue as if it had not been claimed: due as before, no attempt used.

        Only ``started_at`` stays.

        Raises:
            ClaimLostError: as for ``settle``.
        """

    async def delete(self, task_id: TaskId) -> None:
        """Delete a task that is not running, for good.

        Raises:
            TaskNotFoundError: there is none with this id.
            TaskRunningError: it is ``in_progress``.
        """

    async def retry(self, task_id: TaskId) -> None:
        """Have a ``failed`` task run again, now: its attempts count on, but its retry policy counts anew.

        Raises:
            TaskNotFoundError: there is none with this id.
            TaskNotFailedError: it is in another state.
            TaskExpiredError: its ``expires_at`` has passed.
        """

    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """Return what is kept of the attempts of a task that have ended, oldest first.

        Raises:
            TaskNotFoundError: there is none with this id.
        """

    async def standing(self, task_id: TaskId) -> Standing:
        """Return what there is to know about where a task stands.

        Raises:
            TaskNotFoundError: there is none with this id.
        """

    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """Return up to *limit* gates with ids greater than *after*, by id. A gate is made with the first task that needs it."""

    async def gate(self, gate_id: int) -> GateRecord:
        """Return a gate.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def pause(self, gate_id: int) -> None:
        """Close a gate until it is resumed. What is running goes on. Twice is as good as once.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def resume(self, gate_id: int) -> None:
        """Open a gate that was paused. Twice is as good as once; one that is open stays open.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def limit(self, gate_id: int, max_running: int | None) -> None:
        """Say how many tasks of a gate may run at once, at least 1; None: as many as the settings say.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

    async def renew(self) -> float:
        """Say that this node is alive. Return until when it may trust that nobody takes back what it runs.

        That moment is on ``clock.monotonic()``; ``math.inf`` if this node holds the store alone. Counted from before the store
        was asked, so that a slow answer shortens it.
        """

    async def claims(self) -> Sequence[Claim]:
        """Return the claims of this node that stand in the store: of what it runs, and of what it does not know of any more."""

    async def take_back(self) -> TakenBack:
        """Return to the queue what is ``in_progress`` and whose holder is gone, so that it runs again at once.

        A holder is gone when its lease has ended, or when this node holds the store alone and did not claim it itself. Counts a
        crash on each and uses up no attempt. A task whose holder was lost ``MAX_CRASHES`` times in a row ends ``failed`` with
        ``crashed_worker`` instead. Tasks that this node has claimed itself are left alone.

        Takes nothing back as long as others may not have been able to renew: until this node has renewed, and for some seconds
        after it has lost the store and found it again. May take back a part only; call it again.
        """

    async def prune(self, state: State, *, older_than: timedelta) -> int:
        """Delete some of the tasks that ended in *state* longer ago than *older_than*, oldest first; return how many.

        At most ``PRUNE_LIMIT``, fewer if that takes long, so that others do not wait for it; 0 means that none are left. Nodes
        may prune at the same time.
        """

    async def nodes(self) -> Sequence[NodeRecord]:
        """Return the nodes that share the store, in the order in which they started."""

    def wake_others(self) -> None:
        """Tell the other nodes that a task is due about now which this one has no slot for. May get lost; never waits."""

    def listen(self, ring: Callable[[], None]) -> None:
        """Call *ring* on the event loop whenever another node says so. Called once, after ``open``."""


class TaskType(Protocol):
    """Knows how to run the tasks of one type.

    One instance serves all of them; ``run`` is called many times at once. Whatever it raises fails the attempt
    with ``internal_error`` and is logged; it never takes the engine down.
    """

    @property
    def name(self) -> str:
        """What the type is called in requests, answers, the store: lower case, ``[a-z][a-z0-9_]*``."""

    @property
    def spellings(self) -> Sequence[str]:
        """Further names that requests may use, beside ``name``."""

    @property
    def pool(self) -> Pool:
        """The pool its tasks wait in, of its own: 1 is webhook, 2 is hash, numbers below 100 are tasker's.

        It is stored with every task: never change it.
        """

    @property
    def slots(self) -> int:
        """How many of its tasks may run at once, at least 1."""

    @property
    def timeout(self) -> timedelta:
        """After so long an attempt that has not ended is settled as failed with ``timeout``.

        Its slot stays taken until ``run`` returns.
        """

    @property
    def fields(self) -> type[TaskFields]:
        """What a request for such a task may say, as a msgspec struct. Its JSON is what the store keeps."""

    def prepare(self, request: TaskFields) -> TaskFields:
        """Check *request*, a ``fields`` whose members have the right types, and return what is to be stored: all of it.

        Return *request* itself if nothing is to be changed, else ``msgspec.structs.replace(request, ...)``: what is not
        returned is dropped, the members that every type has (those of ``TaskFields``) included. Those are checked elsewhere.

        Raises:
            InvalidTaskError: it cannot become a task. Its ``field`` is the member's name, without the type's.
        """

    def destination(self, fields: TaskFields) -> Destination:
        """Return where a task with these *fields*, as ``prepare`` returned them, goes. Called once, when it is created.

        ``Destination(GateKind.TYPE, name)`` for a type whose tasks all go to one place.
        """

    async def run(self, attempt: Attempt, fields: TaskFields, started: Callable[[], None]) -> Outcome:
        """Make one attempt and say how it ended.

        Call *started* immediately before the first effect (the first byte on the wire, the first round of a
        computation): lateness is measured there. Not called, the attempt counts as started when ``run`` was called. Call it
        again before another first effect if the one before did not come about, as on a new connection: the last call counts.

        *started* raises ``AttemptMustNotBeginError`` if the attempt must not begin: its task has expired, this node's lease
        has ended, or the attempt was cancelled meanwhile. Have no effect then, and let the error pass. The task is given back
        and no attempt is used up, also if the error is caught on the way and whatever is returned in its place.

        Returns, or ends after a cancellation, only when nothing of the attempt is running any more.

        Args:
            attempt: what there is to know of the attempt. Its ``payload`` is the JSON of *fields*.
            fields: what ``prepare`` returned when the task was created, as an instance of ``self.fields``. A task whose payload
                this struct cannot read (``fields`` has changed since) is not run: it ends ``failed`` with
                ``unreadable_payload``.
            started: see above.
        """

    async def close(self) -> None:
        """Let go of connections and threads. Called once, after the last ``run``."""
