"""Claiming what gates hold: which gates are looked at, and how many of their tasks start."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from asyncpg import LockNotAvailableError

from tasker.model.circuit import THRESHOLD, CircuitState
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import LAST, Instant
from tasker.model.task import Pool
from tasker.stores.postgres.connection import Connection, Record
from tasker.stores.postgres.looker import Looker
from tasker.stores.postgres.pauses import Pauses
from tasker.stores.rows import Reading

_LOOK_LIMIT: Final = 512
"""So many tasks a turn of a strict gate looks at when hosts do not let all of the first ones
start."""

_GATES_LIMIT: Final = 64
"""Gates that one claim looks at, at most."""


class HeldTasks:
    """Takes the tasks that gates hold, where the gates have room now.

    Each statement is a transaction, but the turn of a strict gate is one of several.
    """

    def __init__(
        self,
        queries: Mapping[str, str],
        reading: Reading,
        looker: Looker,
        pauses: Pauses,
        node: str,
        *,
        per_destination: int | None,
    ) -> None:
        """Make it.

        Args:
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._sql = queries
        self._reading = reading
        self._looker = looker
        self._pauses = pauses
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

    async def take(self, connection: Connection, pool: Pool, free: int, fence: int, now: Instant) -> "Taken":
        """Claim up to *free* tasks of *pool* that gates hold which are to be looked at by *now*."""
        self._told.clear()
        woken = await self._woken(connection, pool)
        strict = await self._hand_out_all(connection, pool, woken, free, fence, now)
        handed, has_moved = strict.rows, strict.has_moved
        soft = [row for row in woken if not self._reading.gate.read(row).is_strict(now)]
        if handed and soft:  # with a group they count at hosts that are being tried
            woken = await self._woken(connection, pool)
            soft = [row for row in woken if not self._reading.gate.read(row).is_strict(now)]
        turns = self._turns(soft, free - len(handed), now)
        if not turns:
            return Taken(handed, has_moved)
        rows = await connection.fetch(
            self._sql["claim_held"],
            pool,
            [*turns],
            [turn.wanted for turn in turns.values()],
            [turn.version for turn in turns.values()],
            [turn.wake_at for turn in turns.values()],
            fence,
            self._node,
            self._looker.down_until,
            [turn.let_go_at for turn in turns.values()],
            [turn.room_since for turn in turns.values()],
            self._pauses.until,
        )
        taken = [row for row in rows if row["id"] is not None]
        came = Counter(row["turn_of"] for row in taken)
        returned = {row["turn_of"]: row["returned"] for row in rows}
        short: dict[int, int] = {}
        for gate in sorted({row["turn_of"] for row in rows}):
            turn = turns[gate]
            if came[gate] + returned[gate] < turn.wanted:
                short[gate] = turn.additions
            elif turn.full_until is not None and gate not in self._told:
                self._full[gate] = turn.full_until
        if short:
            await self._close(connection, pool, short)
        if again := sorted(gate for gate, count in returned.items() if count and turns[gate].is_closed):
            await connection.fetch(self._sql["wake"], again, True)  # others may stand behind what went to its group
        return Taken(handed + taken, has_moved or bool(taken) or any(returned.values()))

    async def take_strict(self, connection: Connection, pool: Pool, free: int, fence: int, now: Instant) -> "Taken":
        """The same of what strict gates hold, only."""
        return await self._hand_out_all(connection, pool, await self._woken(connection, pool), free, fence, now)

    async def _woken(self, connection: Connection, pool: Pool) -> Sequence[Record]:
        rows: Sequence[Record] = await connection.fetch(
            self._sql["woken"], pool, self._node, _GATES_LIMIT, [*self._full]
        )
        return rows

    async def _hand_out_all(
        self, connection: Connection, pool: Pool, woken: Sequence[Record], free: int, fence: int, now: Instant
    ) -> "Taken":
        """Hand out what those of the *woken* gates hold that are strict."""
        handed: list[Record] = []
        has_moved = False
        for row in woken:
            if len(handed) < free and self._reading.gate.read(row).is_strict(now):
                given = await self._hand_out(connection, pool, row["id"], free - len(handed), fence)
                handed += given.rows
                has_moved |= given.has_moved
        return Taken(handed, has_moved)

    async def _hand_out(self, connection: Connection, pool: Pool, id_: int, free: int, fence: int) -> "Taken":
        """Claim up to *free* tasks that a strict gate holds. Nobody else does so meanwhile.

        None, if it would have to wait for another node that may wait for this one: the gate stays due.
        """
        try:
            return await self._hand_out_locked(connection, pool, id_, free, fence)
        except LockNotAvailableError:
            return Taken([], False)

    async def _hand_out_locked(self, connection: Connection, pool: Pool, id_: int, free: int, fence: int) -> "Taken":
        async with connection.transaction():
            if await connection.fetchval(self._sql["lock_gate"], id_) is None:
                return Taken([], False)
            row = await connection.fetchrow(self._sql["turn"], id_, pool, self._node)  # sees the turn before
            if row is None:
                return Taken([], False)
            now = row["now"]
            gate = self._reading.gate.read(row).in_turn(row["due_since"], now)
            room = gate.room(
                running=row["running"] or 0,
                running_here=row["running_here"],
                free=free,
                per_destination=self._per_destination,
                now=now,
                grouped=row["grouped"] or 0,
                waiting=row["waiting"],
            )
            wanted = min(room, free)
            taken: list[Record] = []
            is_last = has_moved = False
            for look in (wanted, _LOOK_LIMIT) if wanted else ():
                rows = await connection.fetch(
                    self._sql["claim_strict"],
                    pool,
                    id_,
                    wanted - len(taken),
                    fence,
                    self._node,
                    look,
                    THRESHOLD,
                    LAST,
                    self._looker.down_until,
                    row["let_go_at"],
                    self._pauses.until,
                )
                has_moved |= bool(rows)
                came = [row for row in rows if row["held_by"] is None]
                taken += came
                if rows:
                    now = rows[0]["now"]  # when they have started, which the rate counts from
                is_last = len(rows) < look and len(taken) < wanted
                if is_last or len(taken) == wanted:
                    break
                # Some are held by their hosts now, and others may stand behind them.
            gate = gate.in_turn(row["due_since"], now).started(len(taken), now)
            is_used_up = gate.is_used_up(len(taken), room=room, free=free, now=now)
            await connection.execute(
                self._sql["end_turn"],
                id_,
                pool,
                gate.look_at(now) if is_used_up else None,
                row["version"],
                gate.next_at,
                gate.let_in,
                row["additions"] if is_last else None,
            )
        return Taken(taken, has_moved)

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
                grouped=row["grouped"] or 0,
            )
            wanted = min(room, free)
            is_used_up = gate.is_used_up(wanted, room=room, free=free, now=now)
            free -= wanted
            look_at = gate.look_at(now)
            shares_slots = _shares_slots(gate, self._per_destination, now)
            is_full = wanted == room and shares_slots
            room_since = row["room_since"]
            if room_since is None:
                room_since = now if shares_slots else row["wake_at"]  # of shared slots, wake_at says little
            turns[gate.id] = _Turn(
                wanted=wanted,
                # Where there may be room for more, here or on another node, it stays due.
                wake_at=look_at if is_used_up and not is_full else now,
                full_until=look_at if is_full else None,
                let_go_at=room_since,
                room_since=None if is_used_up else room_since,
                is_closed=gate.circuit.state(now) is CircuitState.CLOSED,
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


class Taken(NamedTuple):
    """What was taken of what gates hold."""

    rows: list[Record]
    """Of the tasks that are claimed."""
    has_moved: bool
    """Whether a task was claimed, or is held by another gate now."""


class _Turn(NamedTuple):
    """A gate's turn in a claim. A node has it unless the gate's queue has another version by then."""

    wanted: int
    """How many tasks to take."""
    wake_at: Instant
    """When to look next."""
    full_until: Instant | None
    """When this node is to look next, if it has no room for more then; others may have. None: as
    the others."""
    let_go_at: Instant
    """Since when the gate has had room for what is taken."""
    room_since: Instant | None
    """The same of what is left then; None: it has none for that."""
    is_closed: bool
    """Whether the circuit is, so that more may follow those with a group."""
    version: int
    """As it was seen."""
    additions: int
    """How often tasks had been added to what it holds, as it was seen."""


def _shares_slots(gate: Gate, per_destination: int | None, now: Instant) -> bool:
    """Whether the room of *gate* is another on each node: see ``Gate.room``."""
    has_limit = gate.kind is not GateKind.HOST or gate.is_strict(now) or per_destination is not None
    return not (gate.paused or has_limit) and gate.circuit.state(now) is CircuitState.CLOSED
