"""A gate: what can hold back the tasks of one destination. How many of them may start is a pure rule."""

from enum import IntEnum
from typing import Final

import msgspec

from tasker.model.circuit import Circuit, CircuitState
from tasker.model.instants import LAST, SECOND, Instant

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


class Destination(msgspec.Struct, frozen=True):
    """Where a task goes: what its gate is found by."""

    kind: GateKind
    name: str
    """``https://example.org:443``, or the name of a task type. Carries no userinfo."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What holds back, or lets through, the tasks of a destination."""

    id: int
    kind: GateKind
    name: str
    paused: bool = False
    max_running: int | None = None
    """How many of its tasks may run at once, whatever the settings say; None: as the settings
    say."""
    circuit: Circuit = Circuit()

    def room(self, *, running: int, running_here: int, free: int, per_destination: int | None, now: Instant) -> int:
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

        >>> gate = Gate(id=1, kind=GateKind.HOST, name="http://a:80")
        >>> gate.room(running=0, running_here=0, free=200, per_destination=None, now=0)
        100
        """
        if self.paused:
            return 0
        match self.circuit.state(now):
            case CircuitState.OPEN:
                return 0
            case CircuitState.HALF_OPEN:
                return max(1 - running, 0)
            case CircuitState.CLOSED:
                pass
        limit = self.max_running if self.max_running is not None or self.kind is GateKind.TYPE else per_destination
        if limit is not None:
            return max(limit - running, 0)
        if self.kind is GateKind.TYPE:
            return free
        return max((free - running_here + 1) // 2, 0)

    def look_at(self, now: Instant) -> Instant:
        """When to look again for room in the gate, which has none at *now*; ``LAST`` if it is paused."""
        if self.paused:
            return LAST
        return self.circuit.open_until if self.circuit.state(now) is CircuitState.OPEN else now + LOOK_AGAIN


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A gate, and what is behind and before it."""

    gate: Gate
    running: int
    """Its tasks that are ``in_progress``, on all nodes."""
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
