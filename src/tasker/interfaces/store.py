"""A store as a whole: one folder in ``stores/`` for each. ``tests/stores`` has the suite that every one passes."""

from typing import Protocol

from tasker.interfaces.alerts import AlertStore
from tasker.interfaces.audit import AuditStore
from tasker.interfaces.completions import CompletionStore
from tasker.interfaces.gates import GateStore
from tasker.interfaces.idempotency import IdempotencyStore
from tasker.interfaces.inbox import InboxStore
from tasker.interfaces.keys import KeyStore
from tasker.interfaces.nodes import NodeStore
from tasker.interfaces.operations import OperationStore
from tasker.interfaces.pausing import PauseStore
from tasker.interfaces.pulling import PullStore
from tasker.interfaces.queue import QueueStore
from tasker.interfaces.reports import ReportStore
from tasker.interfaces.schedules import ScheduleStore
from tasker.interfaces.sign_ins import SignInStore
from tasker.interfaces.statistics import StatisticsStore
from tasker.interfaces.tasks import TaskStore
from tasker.model.store_meter import Space, StoreMeter, Upkeep
from tasker.timing.clock import Clock


class Store(
    TaskStore,
    IdempotencyStore,
    QueueStore,
    CompletionStore,
    PullStore,
    GateStore,
    PauseStore,
    NodeStore,
    OperationStore,
    ScheduleStore,
    StatisticsStore,
    AuditStore,
    AlertStore,
    KeyStore,
    SignInStore,
    ReportStore,
    InboxStore,
    Protocol,
):
    """Keeps tasks, durably, and hands out those that are due. Several nodes may share one.

    A task that nobody cancels ends in one of six methods: ``settle``, ``lapse``, ``take_back``
    and ``end_leases`` (``crashed_worker``), ``expire`` (``expired``) and ``give_up`` (``circuit_open``). Each stores
    with the end, in one transaction, the tasks that ``Follow`` says follow it, by what the row says
    then.

    A method that callers have something changed by takes an ``Entry``, the row of the audit log that
    it writes with the change: see ``AuditStore``. None: it writes none.

    Unless it says otherwise, every method raises ``StoreUnavailableError`` (or its
    ``StoreFullError``) when the store cannot be used now. A write that raised it may have happened
    or not. Every write that returned is on stable storage, except a claim, which runs again if a
    power loss undoes it, and a ``beat``. A writing method may raise ``StoreBusyError``: nothing was written;
    ``settle`` and ``give_back`` never do. A store mends itself: once its medium works again, so do
    its methods.
    """

    @property
    def clock(self) -> Clock:
        """The clock that decides what is due, as this node knows it.

        No method takes ``now``: the store reads its own clock.
        """

    @property
    def clock_offset(self) -> float:
        """Seconds by which ``clock`` is ahead of this machine's wall clock; 0 if it is the same."""

    @property
    def is_upgrading(self) -> bool:
        """Whether nodes of the version before may share the store: what they cannot read must not be written.

        Once it is False, it stays so.
        """

    @property
    def ailment(self) -> str | None:
        """Why the store cannot be written now, in a few words; None while it is well."""

    @property
    def meter(self) -> StoreMeter:
        """What the store has counted since it was made."""

    def space(self) -> Space:
        """Return what the store takes of its medium, as far as this node can see. Asks the system, not the store."""

    async def upkeep(self) -> Upkeep:
        """Return what shows whether the database keeps up with removing dead rows."""

    async def open(self) -> None:
        """Make the store ready, bringing its tables up to date. Called once, before anything else.

        Raises:
            StartError: it cannot be used by this tasker, here, now. Nothing was changed.
        """

    async def close(self) -> None:
        """Finish what was handed in and let go of everything. May be called twice."""
