"""Gates on the writing side: which due tasks may start, and which are set aside. Runs within the writer's transactions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import apsw
import msgspec

from tasker.model.circuit import Circuit, CircuitState
from tasker.model.gate import Destination, Gate
from tasker.model.instants import Instant
from tasker.model.task import Pool
from tasker.stores.sqlite.rows import to_gate

ASIDE_LIMIT: Final = 512
"""So many due tasks of a pool a claim looks at when a gate does not let all of the first ones through."""

_WOKEN_LIMIT: Final = 64
"""Gates that one claim looks at, at most."""

_KNOWN_LIMIT: Final = 10_000
_BEFORE_ALL: Final = -(1 << 63)


class Gates:
    """Which tasks may pass. Everything about gates stands in the database: this remembers their ids alone."""

    def __init__(self, connection: apsw.Connection, queries: Mapping[str, str], *, per_destination: int | None) -> None:
        """Make them.

        Args:
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._connection = connection
        self._sql = queries
        self._per_destination = per_destination
        self._ids: dict[Destination, int] = {}
        self._healthy: set[int] = set()
        """Gates of which this transaction knows that another success changes nothing."""

    def begin(self) -> None:
        """A transaction begins: others may have changed the gates since the one before."""
        self._healthy.clear()

    def id_of(self, destination: Destination | None) -> int | None:
        """Return the gate of *destination*, made if it is missing; None for none."""
        if destination is None:
            return None
        known = self._ids.get(destination)
        if known is None:
            if len(self._ids) >= _KNOWN_LIMIT:
                self._ids.clear()
            named = {"kind": destination.kind, "name": destination.name}
            self._connection.execute(self._sql["insert_gate"], named)
            known = self._ids[destination] = int(self._connection.execute(self._sql["gate_id"], named).get)
        return known

    def forget(self) -> None:
        """Remember no id: some may have been written by what is rolled back."""
        self._ids.clear()

    def admit(self, pool: Pool, *, free: int, now: Instant) -> list[int]:
        """Return which due tasks of *pool* are to be claimed, at most *free*; set aside what its gates do not let through.

        What was set aside before comes first, where its gate has room now.
        """
        passages: dict[int, _Passage] = {}
        admitted = self._admit_held(pool, passages, free=free, now=now)
        after: tuple[Instant, int] = (_BEFORE_ALL, 0)
        limit = free - len(admitted)
        while len(admitted) < free:
            rows = self._run("due", pool=pool, now=now, after_at=after[0], after_seq=after[1], limit=limit)
            aside: dict[int, list[int]] = {}
            for _, seq, gate in rows:
                if len(admitted) == free:
                    break
                if gate is None or self._lets_through(gate, passages, pool, free=free - len(admitted), now=now):
                    admitted.append(seq)
                else:
                    aside.setdefault(gate, []).append(seq)
            for gate, seqs in aside.items():
                self._run("set_aside", seqs=as_json(seqs))
                self._run("open_gate_queue", gate=gate, pool=pool, wake_at=passages[gate].gate.look_at(now))
            if not aside or len(rows) < limit or limit == ASIDE_LIMIT:
                break
            after = rows[-1][0], rows[-1][1]
            limit = ASIDE_LIMIT  # there is room, and others may stand behind
        return admitted

    def heard(self, gate: int | None, is_alive: bool | None, now: Instant) -> bool:
        """Take note that an attempt of *gate* has ended. Return whether it holds tasks that may have room now.

        Args:
            is_alive: what the attempt showed of the destination, for the circuit.
        """
        if gate is None or (gate in self._healthy and is_alive is not False):
            return False
        failures, open_until, paused, holds = self._run("circuit", gate=gate)[0]
        circuit = Circuit(failures, open_until)
        if is_alive is not None and (after := circuit.heard(is_alive, now)) != circuit:
            self._run("set_circuit", gate=gate, failures=after.failures, open_until=after.open_until)
            circuit = after
        if circuit.failures == 0:
            self._healthy.add(gate)
        else:
            self._healthy.discard(gate)
        if not holds or paused or circuit.state(now) is CircuitState.OPEN:
            return False
        return self.wake(gate, now)

    def wake(self, gate: int, now: Instant) -> bool:
        """Have the next claim look at what *gate* holds. Return whether that makes it look earlier."""
        return bool(self._run("wake", gate=gate, now=now))

    def wake_all(self, now: Instant) -> None:
        """Have the next claims look at what all gates hold."""
        self._run("wake_all", now=now)

    def _admit_held(self, pool: Pool, passages: "dict[int, _Passage]", *, free: int, now: Instant) -> list[int]:
        """Admit what was set aside at the gates that are to be looked at now."""
        admitted: list[int] = []
        for (id_,) in self._run("woken", pool=pool, now=now, limit=_WOKEN_LIMIT):
            left = free - len(admitted)
            if left == 0:
                break  # it is looked at when a slot is released
            gate, running, _ = self._look(id_, pool)
            room = gate.room(running=running, running_here=running, free=left, per_destination=self._per_destination, now=now)
            wanted = min(room, left)
            held = self._run("due_held", pool=pool, gate=id_, now=now, limit=wanted) if wanted else []
            seqs = [seq for due_at, seq in held if due_at <= now]
            admitted += seqs
            if len(seqs) < len(held):  # the clock was set back: the others wait for their time again
                self._run("put_back", seqs=as_json([seq for due_at, seq in held if due_at > now]))
            if len(held) < wanted:  # none is left
                self._run("close_gate_queue", gate=id_, pool=pool)
                passages[id_] = _Passage(gate, running + len(seqs))
                continue
            passages[id_] = _Passage(gate, running + len(seqs), is_shut=True)
            if len(seqs) == room:
                self._run("wake_at", gate=id_, pool=pool, wake_at=gate.look_at(now))
        return admitted

    def _lets_through(self, id_: int, passages: "dict[int, _Passage]", pool: Pool, *, free: int, now: Instant) -> bool:
        passage = passages.get(id_)
        if passage is None:
            gate, running, holds = self._look(id_, pool)
            passage = passages[id_] = _Passage(gate, running, is_shut=holds)
        if passage.is_shut or not passage.gate.room(
            running=passage.running, running_here=passage.running, free=free, per_destination=self._per_destination, now=now
        ):
            return False
        passage.running += 1
        return True

    def _look(self, id_: int, pool: Pool) -> tuple[Gate, int, bool]:
        """Return a gate, how many of its tasks are running, and whether it has set any of *pool* aside."""
        (row,) = self._run("gate_at", gate=id_, pool=pool)
        return to_gate(row), row[-2], bool(row[-1])

    def _run(self, query: str, **bindings: int | str) -> list[tuple[Any, ...]]:
        return self._connection.execute(self._sql[query], bindings).fetchall()


class _Passage:
    """What a claim knows of a gate."""

    __slots__ = ("gate", "is_shut", "running")

    def __init__(self, gate: Gate, running: int, *, is_shut: bool = False) -> None:
        self.gate = gate
        self.running = running
        """Tasks of the gate that are running, with those that this claim lets through."""
        self.is_shut = is_shut
        """Whether the gate holds tasks, which come first."""


def as_json(seqs: Sequence[int]) -> str:
    """Rows, as queries take them."""
    return msgspec.json.encode(seqs).decode()
