"""Claiming what gates hold: which gates are looked at, and how many of their tasks start."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tasker.model.circuit import CircuitState
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import Instant
from tasker.model.task import Pool
from tasker.stores.postgres.connection import Connection, Record
from tasker.stores.rows import Reading

_GATES_LIMIT: Final = 64
"""Gates that one claim looks at, at most."""


class HeldTasks:
    """Takes the tasks that gates hold, where the gates have room now. Each statement is a transaction."""

    def __init__(self, queries: Mapping[str, str], reading: Reading, node: str, *, per_destination: int | None) -> None:
        """Make it.

        Args:
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._sql = queries
        self._reading = reading
        self._node = node
        self._per_destination = per_destination
        self._full: dict[int, Instant] = {}
        """Gates without room here that may have some on other nodes, as hosts share slots; and when
        to look again."""
        self._told: set[int] = set()
        """Gates that may have got room here since they were last looked at."""

    def look_again(self, gates: Iterable[int]) -> None:
        """Say that these *gates* may have room on this node."""
        for gate in gates:
            self._full.pop(gate, None)
            self._told.add(gate)

    def full(self, now: Instant) -> Mapping[int, Instant]:
        """Return the gates that this node need not look at yet, and when to look at each."""
        self._full = {gate: until for gate, until in self._full.items() if until > now}
        return self._full

    async def take(self, connection: Connection, pool: Pool, free: int, fence: int, now: Instant) -> list[Record]:
        """Claim up to *free* tasks of *pool* that gates hold which are to be looked at by *now*. Return their rows."""
        self._told.clear()
        woken = await connection.fetch(self._sql["woken"], pool, self._node, _GATES_LIMIT, [*self._full])
        turns = self._turns(woken, free, now)
        rows = await connection.fetch(
            self._sql["claim_held"],
            pool,
            [*turns],
            [turn.wanted for turn in turns.values()],
            [turn.version for turn in turns.values()],
            [turn.wake_at for turn in turns.values()],
            fence,
            self._node,
        )
        taken = [row for row in rows if row["id"] is not None]
        came = Counter(row["turn_of"] for row in taken)
        short: dict[int, int] = {}
        for gate in sorted({row["turn_of"] for row in rows}):
            turn = turns[gate]
            if came[gate] < turn.wanted:
                short[gate] = turn.additions
            elif turn.full_until is not None and gate not in self._told:
                self._full[gate] = turn.full_until
        if short:
            await self._close(connection, pool, short)
        return taken

    def _turns(self, rows: Sequence[Record], free: int, now: Instant) -> "Mapping[int, _Turn]":
        """Return what to take at which gates, in the order of their ids. *rows* are of ``woken``."""
        turns: dict[int, _Turn] = {}
        for row in rows:
            if free == 0:
                break  # it is looked at when a slot is released
            gate = self._reading.gate.read(row)
            room = gate.room(
                running=row["running"],
                running_here=row["running_here"],
                free=free,
                per_destination=self._per_destination,
                now=now,
            )
            wanted = min(room, free)
            free -= wanted
            look_at = gate.look_at(now)
            is_full = wanted == room and _shares_slots(gate, self._per_destination, now)
            turns[gate.id] = _Turn(
                wanted=wanted,
                # Where there may be room for more, here or on another node, it stays due.
                wake_at=now if wanted < room or is_full else look_at,
                full_until=look_at if is_full else None,
                version=row["version"],
                additions=row["additions"],
            )
        return dict(sorted(turns.items()))

    async def _close(self, connection: Connection, pool: Pool, additions: Mapping[int, int]) -> None:
        """Forget the gates that hold nothing more.

        What the others hold is another session's for now: look again soon.
        """
        closed = await connection.fetch(self._sql["close_gate_queue"], pool, [*additions], [*additions.values()])
        left = additions.keys() - {row["gate"] for row in closed}
        if left:
            await connection.fetch(self._sql["wake"], sorted(left), True)


class _Turn(NamedTuple):
    """A gate's turn in a claim. A node has it unless the gate's queue has another version by then."""

    wanted: int
    """How many tasks to take."""
    wake_at: Instant
    """When to look next."""
    full_until: Instant | None
    """When this node is to look next, if it has no room for more then; others may have. None: as
    the others."""
    version: int
    """As it was seen."""
    additions: int
    """How often tasks had been added to what it holds, as it was seen."""


def _shares_slots(gate: Gate, per_destination: int | None, now: Instant) -> bool:
    """Whether the room of *gate* is another on each node: see ``Gate.room``."""
    has_limit = gate.kind is not GateKind.HOST or gate.max_running is not None or per_destination is not None
    return not (gate.paused or has_limit) and gate.circuit.state(now) is CircuitState.CLOSED
