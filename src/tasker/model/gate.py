"""A gate: what can hold back the tasks of one destination. How many of them may start is a pure rule."""

from enum import IntEnum
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from tasker.model import names
from tasker.model.circuit import Circuit, CircuitState
from tasker.model.instants import LAST, SECOND, Instant
from tasker.model.rate import Rate

LOOK_AGAIN: Final = SECOND
"""Microseconds after which it is looked again whether a full gate has room. The end of one of its
attempts does so at once."""


HELD_COUNTED_TO: Final = 10_000
"""Where counting the tasks that a gate holds stops."""


class GateKind(IntEnum):
    """What a gate stands before. The numbers are what stores keep."""

    HOST = 0
    """Scheme, host and port of webhooks. Shares the slots of its pool with the other hosts."""
    TYPE = 1
    """All tasks of another task type. Has the slots of its pool for itself."""
    GROUP = 2
    """The tasks that name a group. Has no circuit: what its tasks show is said of their hosts."""
    QUEUE = 3
    """The tasks of a queue, which callers claim. Has no circuit: nobody is called."""


BEHIND_OTHERS: Final = 0
"""The id of no gate: what holds runs that wait for another of their schedule."""

GATE_STATES: Final = ("paused", *(state.value for state in CircuitState))
"""How a gate can be: paused, or else what its circuit says."""


class Destination(msgspec.Struct, frozen=True):
    """Where a task goes: what its gate is found by."""

    kind: GateKind
    name: str
    """``https://example.org:443``, or the name of a task type or a group. Carries no userinfo."""


def group_named(name: str) -> Destination:
    """Return where the tasks of a group go.

    Raises:
        ValueError: *name* has characters that cannot be printed.
    """
    if not name.isprintable():
        raise ValueError(f"expected printable characters, got: {name!r}")
    return Destination(GateKind.GROUP, name)


def queue_named(name: str) -> Destination:
    """Return where the jobs of a queue go.

    Raises:
        ValueError: *name* cannot be one of a queue of jobs.
    """
    if not names.is_name(name):
        raise ValueError(f"expected {names.EXPECTED}, got: {name!r}")
    return Destination(GateKind.QUEUE, name)


def queue_of_type(name: str) -> Destination:
    """Return where the tasks of a task type go that is pulled. No job can name this queue.

    >>> queue_of_type("render").name
    'type:render'
    """
    return Destination(GateKind.QUEUE, f"type:{name}")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed of a gate's limits; ``UNSET``: nothing."""

    max_running: int | UnsetType | None = UNSET
    """At least 1; None: as many as the settings say."""
    max_per_second: float | UnsetType | None = UNSET
    """Above 0; None: as often as they come."""
    burst: int | UnsetType = UNSET
    """At least 1."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What holds back, or lets through, the tasks of a destination."""

    id: int
    kind: GateKind
    name: str
    paused: bool = False
    max_running: int | None = None
    """How many of its tasks may run at once, whatever the settings say; None: as the settings
    say."""
    max_per_second: float | None = None
    """How many of its tasks may start in a second, on all nodes together; None: any number."""
    burst: int = 1
    """How many of them may start at one moment after a rest."""
    next_at: Instant = 0
    """What its rate remembers: see ``Rate``."""
    late: int = 0
    """How late it is looked at, in this turn, as far as its rate makes up for that. Not stored."""
    circuit: Circuit = Circuit()
    let_in: int = 0
    """How many of its tasks have started since its circuit closed, while it was recovering."""

    @property
    def rate(self) -> Rate | None:
        """How often its tasks may start; None: as often as they come."""
        return None if self.max_per_second is None else Rate(self.max_per_second, self.burst)

    def is_strict(self, now: Instant) -> bool:
        """Whether its limits hold exactly, over all nodes, as do the steps by which a host is let in again.

        None of its tasks passes from the head of the queue then: each is set aside first, and one
        node at a time hands them out.
        """
        return (
            self.kind is GateKind.GROUP
            or self.max_running is not None
            or self.max_per_second is not None
            or self.circuit.state(now) is CircuitState.RECOVERING
        )

    def limited(self, limits: Limits, now: Instant) -> "Gate":
        """Return the gate with *limits* from *now* on."""
        members = {name: value for name, value in msgspec.structs.asdict(limits).items() if value is not UNSET}
        gate = msgspec.structs.replace(self, **members)
        if gate.rate is None or gate.rate == self.rate:
            return gate
        return msgspec.structs.replace(gate, next_at=gate.rate.adopted(gate.next_at, now))

    def in_turn(self, since: Instant, now: Instant) -> "Gate":
        """Return the gate for a turn at *now*, if it has had room since *since*; 0: that is not known."""
        if self.rate is None or since == 0:
            return self
        return msgspec.structs.replace(self, late=self.rate.lateness(since, now))

    def started(self, count: int, now: Instant) -> "Gate":
        """Return the gate after *count* of its tasks started at *now*."""
        next_at = self.next_at if self.rate is None else self.rate.spent(count, self.next_at, now, late=self.late)
        let_in = self.let_in + (count if self.circuit.state(now) is CircuitState.RECOVERING else 0)
        return msgspec.structs.replace(self, next_at=next_at, let_in=let_in)

    def lets_grouped(self, *, running: int, now: Instant) -> int | None:
        """Return how many tasks with a group the host lets start now; None: any number, which its group limits.

        Its limits and rate are for tasks without a group. Its circuit and pause are for all.

        Args:
            running: tasks that go to the host and are running, those with a group included.
        """
        if self.paused:
            return 0
        match self.circuit.state(now):
            case CircuitState.OPEN:
                return 0
            case CircuitState.HALF_OPEN:
                return max(1 - running, 0)
            case CircuitState.RECOVERING:
                return self.circuit.recovery_room(let_in=0, running=running, now=now)  # the groups count what starts
            case CircuitState.CLOSED:
                return None

    def room(
        self,
        *,
        running: int,
        running_here: int,
        free: int,
        per_destination: int | None,
        now: Instant,
        grouped: int = 0,
        waiting: int = 0,
    ) -> int:
        """Return how many of the gate's tasks may start now, 0 or more, if any slots are free for them.

        Without a limit of its own, a host gets another slot only while more slots are free than it
        holds already: alone it gets half of them, and there is always one left for a host that has
        none.

        Args:
            running: tasks of the gate that are running, on all nodes.
            running_here: those of them on this node.
            free: slots of the pool that are free on this node.
            per_destination: how many tasks of a host may run at once, by the settings; None: they
                do not say.
            grouped: tasks with a group that go to the host and are running: they are probes, too.
            waiting: tasks of the gate whose attempts are in other hands, and that count in
                ``max_running``; 0 for a gate without.

        >>> gate = Gate(id=1, kind=GateKind.HOST, name="http://a:80")
        >>> gate.room(running=0, running_here=0, free=200, per_destination=None, now=0)
        100
        """
        if self.paused:
            return 0
        permits = None if self.rate is None else self.rate.permits(self.next_at, now, late=self.late)
        match self.circuit.state(now):
            case CircuitState.OPEN:
                return 0
            case CircuitState.HALF_OPEN:
                probes = max(1 - running - grouped, 0)
                return probes if permits is None else min(probes, permits)
            case CircuitState.RECOVERING:
                step = self.circuit.recovery_room(let_in=self.let_in, running=running + grouped, now=now)
                permits = step if permits is None else min(step, permits)
            case CircuitState.CLOSED:
                pass
        limit = self.max_running
        if limit is None and self.kind is GateKind.HOST:
            limit = per_destination
        if limit is not None:
            room = max(limit - running - waiting, 0)
        elif self.kind is GateKind.HOST:
            room = max((free - running_here + 1) // 2, 0)
        else:
            room = free
        return room if permits is None else min(room, permits)

    def is_used_up(self, started: int, *, room: int, free: int, now: Instant) -> bool:
        """Return whether the gate itself lets no more start, once so many of its tasks *started* at *now*.

        False: it has room, or more slots would make some.

        Args:
            room: what ``room`` said before.
            free: the slots of the pool that were free before.
        """
        if started < room:
            return False
        is_limited = self.kind is GateKind.HOST or self.max_running is not None
        if is_limited or self.circuit.state(now) is not CircuitState.CLOSED or room < free:
            return True
        return self.rate is not None and self.rate.permits(self.next_at, now) == 0

    def look_at(self, now: Instant) -> Instant:
        """When to look again for room in the gate, which has none at *now*; ``LAST`` if it is paused."""
        if self.paused:
            return LAST
        if self.circuit.state(now) is CircuitState.OPEN:
            return self.circuit.open_until
        if self.rate is not None and self.rate.permits(self.next_at, now) == 0:
            return self.rate.permitted_at(self.next_at)
        if self.circuit.state(now) is CircuitState.RECOVERING:
            return self.circuit.next_step_at(now)
        return now + LOOK_AGAIN

    def first_look_at(self, now: Instant) -> Instant:
        """When to look for room for what was set aside at *now* because of the gate.

        0, and so at once, if it may have had room all along.
        """
        is_shut = self.paused or self.circuit.state(now) is CircuitState.OPEN
        return 0 if self.is_strict(now) and not is_shut else self.look_at(now)


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A gate, and what is behind and before it."""

    gate: Gate
    running: int
    """Its tasks that run, on all nodes, and with ``max_running`` those in other hands that count there."""
    held: int
    """Its tasks that are due and held; counting stops at ``HELD_COUNTED_TO``."""


class GateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A gate as it is at one moment."""

    record: GateRecord
    circuit: CircuitState
    """Of its circuit, which opens and closes as time passes."""


def status_at(record: GateRecord, now: Instant) -> GateStatus:
    """Return how the gate of *record* is at *now*."""
    return GateStatus(record=record, circuit=record.gate.circuit.state(now))
