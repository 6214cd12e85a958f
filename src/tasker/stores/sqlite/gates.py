"""Gates: which due tasks may start and which are held, what circuits hear, what operators say."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from tasker.errors import DestinationNotFoundError
from tasker.model.circuit import Circuit, CircuitState
from tasker.model.gate import Gate
from tasker.model.instants import Instant
from tasker.model.task import Pool
from tasker.stores.probing import probed
from tasker.stores.sqlite.connection import Queries
from tasker.stores.sqlite.rows import READING

HOLD_LIMIT: Final = 512
"""So many due tasks of a pool a claim looks at when a gate does not let all of the first ones
through."""

_WOKEN_LIMIT: Final = 64
"""Gates that one claim looks at, at most."""

_BEFORE_ALL: Final = -(1 << 63)


class Gates:
    """Which tasks may pass.

    Everything about gates stands in the database: nothing is remembered beyond a transaction.
    """

    def __init__(self, queries: Queries, now: Callable[[], Instant], *, per_destination: int | None) -> None:
        """Make them.

        Args:
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._queries = queries
        self._now = now
        self._per_destination = per_destination
        self._healthy: set[int] = set()
        """Gates of which this transaction knows that another success changes nothing."""

    def begin(self) -> None:
        """A transaction begins: others may have changed the gates since the one before."""
        self._healthy.clear()

    def admit(self, pool: Pool, *, free: int, now: Instant) -> list[int]:
        """Return which due tasks of *pool* are to be claimed, at most *free*; hold what its gates do not let through.

        What was held before comes first, where its gate has room now.
        """
        known: dict[int, _KnownGate] = {}
        admitted = self._admit_held(pool, known, free=free, now=now)
        after_at, after_seq = _BEFORE_ALL, 0
        limit = free - len(admitted)
        while len(admitted) < free:
            rows = self._queries.all("due", pool=pool, now=now, after_at=after_at, after_seq=after_seq, limit=limit)
            held: dict[int, list[int]] = {}
            for due_at, seq, gate in rows:
                if len(admitted) == free:
                    break
                if gate is None or self._lets_through(gate, known, pool, free=free - len(admitted), now=now):
                    admitted.append(seq)
                else:
                    held.setdefault(gate, []).append(seq)
                after_at, after_seq = due_at, seq
            for gate, seqs in held.items():
                self._queries.all("hold", seqs=as_json(seqs))
                self._queries.all("open_gate_queue", gate=gate, pool=pool, wake_at=known[gate].gate.look_at(now))
            if not held or len(rows) < limit or limit == HOLD_LIMIT:
                break
            limit = HOLD_LIMIT  # there is room, and others may stand behind
        return admitted

    def heard(self, gate: int | None, is_alive: bool | None, now: Instant) -> bool:
        """Take note that an attempt of *gate* has ended. Return whether it holds tasks that may have room now.

        Args:
            is_alive: what the attempt showed of the destination, for the circuit.
        """
        if gate is None or (gate in self._healthy and is_alive is not False):
            return False
        ((failures, open_until, broken_since, is_paused, holds),) = self._queries.all("circuit", gate=gate)
        circuit = Circuit(failures, open_until, broken_since)
        if is_alive is not None and (after := circuit.heard(is_alive, now)) != circuit:
            self._set_circuit(gate, after)
            circuit = after
        if circuit.failures == 0:
            self._healthy.add(gate)
        else:
            self._healthy.discard(gate)
        if not holds or is_paused or circuit.state(now) is CircuitState.OPEN:
            return False
        return self._wake(gate, now)

    def pause(self, gate: int, *, paused: bool) -> None:
        """Close a gate, or open it.

        Raises:
            DestinationNotFoundError: nothing was written.
        """
        if self._queries.number("pause", gate=gate, paused=paused) is None:
            raise DestinationNotFoundError(str(gate))
        self._wake(gate, self._now())  # paused, it is looked at once more, and then no more

    def probe(self, gate: int) -> None:
        """Let one task that a gate holds start although its circuit is open.

        Raises:
            DestinationNotFoundError, NothingToProbeError: nothing was written.
        """
        row = self._queries.first("circuit", gate=gate)
        if row is None:
            raise DestinationNotFoundError(str(gate))
        failures, open_until, broken_since, is_paused, holds = row
        now = self._now()
        circuit = probed(gate, Circuit(failures, open_until, broken_since), now, is_paused=is_paused, holds=holds)
        self._set_circuit(gate, circuit)
        self._wake(gate, now)

    def limit(self, gate: int, max_running: int | None) -> None:
        """Say how many tasks of a gate may run at once.

        Raises:
            DestinationNotFoundError: nothing was written.
        """
        if self._queries.number("limit", gate=gate, max_running=max_running) is None:
            raise DestinationNotFoundError(str(gate))
        self._wake(gate, self._now())

    def _set_circuit(self, gate: int, circuit: Circuit) -> None:
        self._queries.all(
            "set_circuit",
            gate=gate,
            failures=circuit.failures,
            open_until=circuit.open_until,
            broken_since=circuit.broken_since,
        )

    def wake_all(self, now: Instant) -> None:
        """Have the next claims look at what all gates hold."""
        self._queries.all("wake_all", now=now)

    def _wake(self, gate: int, now: Instant) -> bool:
        """Have the next claim look at what *gate* holds. Return whether that makes it look earlier."""
        return bool(self._queries.all("wake", gate=gate, now=now))

    def _admit_held(self, pool: Pool, known: "dict[int, _KnownGate]", *, free: int, now: Instant) -> list[int]:
        """Admit what is held at the gates that are to be looked at now."""
        admitted: list[int] = []
        for (id_,) in self._queries.all("woken", pool=pool, now=now, limit=_WOKEN_LIMIT):
            left = free - len(admitted)
            if left == 0:
                break  # it is looked at when a slot is released
            gate = known[id_] = self._look(id_, pool)
            room = gate.room(free=left, per_destination=self._per_destination, now=now)
            wanted = min(room, left)
            held = self._queries.all("due_held", pool=pool, gate=id_, now=now, limit=wanted) if wanted else []
            seqs = [seq for due_at, seq in held if due_at <= now]
            admitted += seqs
            gate.running += len(seqs)
            if len(seqs) < len(held):  # the clock was set back: the others wait for their time again
                self._queries.all("put_back", seqs=as_json([seq for due_at, seq in held if due_at > now]))
            if len(held) < wanted:  # none is left that may start
                gate.holds = False
                if self._queries.number("close_gate_queue", gate=id_, pool=pool, now=now) is not None:
                    continue
            if not gate.holds or len(seqs) == room:
                self._queries.all("wake_at", gate=id_, pool=pool, wake_at=gate.gate.look_at(now))
        return admitted

    def _lets_through(self, id_: int, known: "dict[int, _KnownGate]", pool: Pool, *, free: int, now: Instant) -> bool:
        gate = known.get(id_)
        if gate is None:
            gate = known[id_] = self._look(id_, pool)
        if gate.holds or not gate.room(free=free, per_destination=self._per_destination, now=now):
            return False
        gate.running += 1
        return True

    def _look(self, id_: int, pool: Pool) -> "_KnownGate":
        (row,) = self._queries.all("gate_at", gate=id_, pool=pool)
        running, holds = row[READING.gate.width :]
        return _KnownGate(READING.gate.read(row), running, bool(holds))


class _KnownGate:
    """What a claim knows of a gate."""

    __slots__ = ("gate", "holds", "running")

    def __init__(self, gate: Gate, running: int, holds: bool) -> None:
        self.gate = gate
        self.running = running
        """Tasks of the gate that are running, with those that this claim lets through."""
        self.holds = holds
        """Whether it holds tasks of the pool, which come first."""

    def room(self, *, free: int, per_destination: int | None, now: Instant) -> int:
        return self.gate.room(
            running=self.running, running_here=self.running, free=free, per_destination=per_destination, now=now
        )


def as_json(seqs: Sequence[int]) -> str:
    """Rows, as queries take them."""
    return msgspec.json.encode(seqs).decode()
