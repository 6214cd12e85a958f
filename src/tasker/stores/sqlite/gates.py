"""Gates: which due tasks may start and which are held, what circuits hear, what operators say."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from tasker.errors import DestinationNotFoundError
from tasker.model.audit import Entry, circuit_entry, limits_changed
from tasker.model.circuit import RECOVERY, Circuit, CircuitState, turned
from tasker.model.gate import Gate, GateKind, Limits
from tasker.model.instants import SECOND, Instant
from tasker.model.task import Pool
from tasker.stores.probing import probed
from tasker.stores.sqlite.auditor import Auditor
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

    def __init__(
        self, queries: Queries, auditor: Auditor, now: Callable[[], Instant], *, per_destination: int | None
    ) -> None:
        """Make them.

        Args:
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._queries = queries
        self._auditor = auditor
        self._now = now
        self._per_destination = per_destination
        self.turned: CircuitState | None = None
        """What the circuit of the gate that was told last has turned to by that: ``OPEN`` or ``CLOSED``."""
        self._healthy: set[int] = set()
        """Gates of which this transaction knows that another success changes nothing."""

    def begin(self) -> None:
        """A transaction begins: others may have changed the gates since the one before."""
        self._healthy.clear()

    def admit(self, pool: Pool, *, free: int, now: Instant) -> "Admitted":
        """Return which due tasks of *pool* are to be claimed, at most *free*; hold what its gates do not let through.

        What was held before comes first, where its gate has room now.
        """
        known: dict[int, _KnownGate] = {}
        admitted = Admitted()
        self._admit_held(admitted, pool, known, free=free, now=now)
        after_at, after_seq = _BEFORE_ALL, 0
        limit = free - admitted.count
        has_set_aside = False
        while admitted.count < free:
            rows = self._queries.all("due", pool=pool, now=now, after_at=after_at, after_seq=after_seq, limit=limit)
            held: dict[int, list[int]] = {}
            for due_at, seq, gate in rows:
                if admitted.count == free:
                    break
                if gate is None or self._lets_through(gate, known, pool, free=free - admitted.count, now=now):
                    admitted.add((seq,), let_go_at=None)
                else:
                    held.setdefault(gate, []).append(seq)
                after_at, after_seq = due_at, seq
            for gate, seqs in held.items():
                self._queries.all("hold", seqs=as_json(seqs))
                wake_at = known[gate].gate.first_look_at(now)
                self._queries.all("open_gate_queue", gate=gate, pool=pool, wake_at=wake_at)
                has_set_aside |= known[gate].is_strict
            if not held or len(rows) < limit or limit == HOLD_LIMIT:
                break
            limit = HOLD_LIMIT  # there is room, and others may stand behind
        if has_set_aside:  # strict gates hand out from what they hold only
            self._admit_held(admitted, pool, known, free=free, now=now)
        return admitted

    def settled(self, gate: int | None, host_gate: int | None, is_alive: bool | None, now: Instant) -> bool:
        """Take note that an attempt has ended, as ``heard`` does.

        Args:
            gate: that of the task's group, or else of its host.
            host_gate: that of its host, which hears what the attempt showed, if it has a group.
        """
        self.turned = None
        if host_gate is None or gate is None:
            return self.heard(gate, is_alive, now)
        # A group has no circuit, and has got room only if it was full.
        is_full_perhaps = self._queries.number("is_limited_group", gate=gate) is not None
        return self.heard(host_gate, is_alive, now) | (is_full_perhaps and self._wake(gate, now))

    def heard(self, gate: int | None, is_alive: bool | None, now: Instant) -> bool:
        """Take note that an attempt of *gate* has ended. Return whether it holds tasks that may have room now.

        Args:
            is_alive: what the attempt showed of the destination, for the circuit.
        """
        if gate is None or (gate in self._healthy and is_alive is not False):
            return False
        ((*members, is_paused, holds),) = self._queries.all("circuit", gate=gate)
        circuit = Circuit(*members)
        if is_alive is not None and (after := circuit.heard(is_alive, now)) != circuit:
            self._set_circuit(gate, after)
            entry = circuit_entry(gate, circuit, after)
            self._auditor.write(entry)
            self.turned = None if entry is None else turned(after)
            circuit = after
        if circuit.failures == 0:
            self._healthy.add(gate)
        else:
            self._healthy.discard(gate)
        if not holds or is_paused or circuit.state(now) is CircuitState.OPEN:
            return False
        return self._wake(gate, now)

    def pause(self, gate: int, *, paused: bool, entry: Entry | None = None) -> None:
        """Close a gate, or open it.

        Raises:
            DestinationNotFoundError: nothing was written.
        """
        was_paused = self._queries.number("is_paused", gate=gate)
        if was_paused is None:
            raise DestinationNotFoundError(str(gate))
        self._queries.all("pause", gate=gate, paused=paused)
        self._auditor.write(entry if was_paused != paused else None)
        now = self._now()
        self._wake(gate, now)  # paused, it is looked at once more, and then no more
        if was_paused and not paused:
            self._queries.all("room_at", gate=gate, at=now)

    def probe(self, gate: int, entry: Entry | None = None) -> None:
        """Let one task that a gate holds start although its circuit is open.

        Raises:
            DestinationNotFoundError, NothingToProbeError: nothing was written.
        """
        row = self._queries.first("circuit", gate=gate)
        if row is None:
            raise DestinationNotFoundError(str(gate))
        *members, is_paused, holds = row
        now = self._now()
        is_all_paused = self._queries.number("paused_at") is not None
        circuit = probed(gate, Circuit(*members), now, is_paused=is_paused, is_all_paused=is_all_paused, holds=holds)
        self._set_circuit(gate, circuit)
        self._auditor.write(entry)
        self._wake(gate, now)

    def limit(self, gate: int, limits: Limits, entry: Entry | None = None) -> None:
        """Change the limits of a gate.

        Raises:
            DestinationNotFoundError: nothing was written.
        """
        row = self._queries.first("gate", gate=gate)
        if row is None:
            raise DestinationNotFoundError(str(gate))
        now = self._now()
        before = READING.gate.read(row)
        changed = before.limited(limits, now)
        self._queries.all(
            "limit",
            gate=gate,
            max_running=changed.max_running,
            max_per_second=changed.max_per_second,
            burst=changed.burst,
            next_at=changed.next_at,
        )
        if entry is not None and (changes := limits_changed(before, changed)):
            self._auditor.write(entry.saying(changes))
        self._wake(gate, now)

    def _set_circuit(self, gate: int, circuit: Circuit) -> None:
        self._queries.all(
            "set_circuit",
            gate=gate,
            failures=circuit.failures,
            open_until=circuit.open_until,
            broken_since=circuit.broken_since,
            closed_at=circuit.closed_at,
        )

    def wake_all(self, now: Instant) -> None:
        """Have the next claims look at what all gates hold."""
        self._queries.all("wake_all", now=now)

    def _wake(self, gate: int, now: Instant) -> bool:
        """Have the next claim look at what *gate* holds. Return whether that makes it look earlier."""
        return bool(self._queries.all("wake", gate=gate, now=now))

    def _admit_held(
        self, admitted: "Admitted", pool: Pool, known: "dict[int, _KnownGate]", *, free: int, now: Instant
    ) -> None:
        """Admit what is held at the gates that are to be looked at now."""
        if admitted.count == free:
            return
        for id_, let_go_at in self._queries.all("woken", pool=pool, now=now, limit=_WOKEN_LIMIT):
            left = free - admitted.count
            if left == 0:
                break  # it is looked at when a slot is released
            if id_ in known and known[id_].had_turn:
                continue  # what it let start is not written yet
            gate = self._known(id_, known, pool, now)
            gate.had_turn = gate.holds = True
            gate.let_go_at = let_go_at
            gate.gate = gate.gate.in_turn(let_go_at, now)
            room = gate.room(free=left, per_destination=self._per_destination, now=now)
            turn = self._take_turn(gate, known, pool, min(room, left), now)
            admitted.add(turn.admitted, let_go_at=let_go_at)
            gate.running += len(turn.admitted)
            if (after := gate.gate.started(len(turn.admitted), now)) != gate.gate:
                gate.gate = after
                self._queries.all("set_started", gate=id_, next_at=after.next_at, let_in=after.let_in)
            if turn.is_last:  # none is left that may start
                gate.holds = False
                if self._queries.number("close_gate_queue", gate=id_, pool=pool, now=now) is not None:
                    continue
            has_more = turn.has_moved and gate.gate.circuit.state(now) is CircuitState.CLOSED
            is_used_up = gate.gate.is_used_up(len(turn.admitted), room=room, free=left, now=now)
            is_spent = is_used_up or (turn.has_moved and not has_more)
            if not gate.holds or (is_spent and not has_more):
                self._queries.all("wake_at", gate=id_, pool=pool, wake_at=gate.gate.look_at(now))

    def _take_turn(
        self, gate: "_KnownGate", known: "dict[int, _KnownGate]", pool: Pool, wanted: int, now: Instant
    ) -> "_Turn":
        """Return up to *wanted* tasks that *gate* holds, which are to start.

        Those that are in its way are moved: tasks with a group go to their group's gate when the
        host lets them, and to their host's while it does not. Of these a turn moves no more than
        ``HOLD_LIMIT`` or so.
        """
        admitted: list[int] = []
        moved = 0
        is_host = gate.gate.kind is not GateKind.GROUP
        while len(admitted) + (moved if is_host else 0) < wanted and moved < HOLD_LIMIT:
            limit = wanted - len(admitted)
            rows = self._queries.all("due_held", pool=pool, gate=gate.gate.id, now=now, limit=limit + len(admitted))
            rows = [row for row in rows if row[1] not in admitted]
            due = [row for row in rows if row[0] <= now]
            if len(due) < len(rows):  # the clock was set back: the others wait for their time again
                self._queries.all("put_back", seqs=as_json([seq for due_at, seq, _, _ in rows if due_at > now]))
            elsewhere: dict[int, list[int]] = {}
            for _, seq, group, host in due:
                if group != gate.gate.id:
                    elsewhere.setdefault(group, []).append(seq)
                elif host is None or self._host_lets(host, known, pool, now):
                    admitted.append(seq)
                else:
                    elsewhere.setdefault(host, []).append(seq)
            for other, seqs in elsewhere.items():
                moved += len(seqs)
                self._hand_over(gate, other, pool, seqs, now)
            if len(rows) < limit:
                return _Turn(admitted, is_last=True, has_moved=False)
        return _Turn(admitted, is_last=False, has_moved=moved > 0)

    def _hand_over(self, gate: "_KnownGate", other: int, pool: Pool, seqs: Sequence[int], now: Instant) -> None:
        """Have the gate *other* hold what *gate* has held."""
        to = self._look(other, pool, now)
        is_host = gate.gate.kind is GateKind.GROUP
        if not is_host:
            self._queries.all("let_go", seqs=as_json(seqs), at=gate.let_go_at)
        self._queries.all("hold_at_host" if is_host else "hold", seqs=as_json(seqs))
        self._queries.all("open_gate_queue", gate=other, pool=pool, wake_at=to.gate.look_at(now) if is_host else 0)
        if not is_host:
            self._wake(other, now)

    def _host_lets(self, id_: int, known: "dict[int, _KnownGate]", pool: Pool, now: Instant) -> bool:
        """Whether a host lets one more task with a group start, which counts as running then."""
        host = self._known(id_, known, pool, now)
        left = host.gate.lets_grouped(running=host.running + host.grouped, now=now)
        if left == 0:
            return False
        host.grouped += 1
        return True

    def _lets_through(self, id_: int, known: "dict[int, _KnownGate]", pool: Pool, *, free: int, now: Instant) -> bool:
        gate = self._known(id_, known, pool, now)
        if gate.holds or gate.is_strict or not gate.room(free=free, per_destination=self._per_destination, now=now):
            return False
        gate.running += 1
        return True

    def _known(self, id_: int, known: "dict[int, _KnownGate]", pool: Pool, now: Instant) -> "_KnownGate":
        """Return what this claim knows of a gate, which is looked at once."""
        gate = known.get(id_)
        if gate is None:
            gate = known[id_] = self._look(id_, pool, now)
        return gate

    def _look(self, id_: int, pool: Pool, now: Instant) -> "_KnownGate":
        (row,) = self._queries.all("gate_at", gate=id_, pool=pool, recovering_after=now - RECOVERY * SECOND)
        running, waiting, grouped, holds = row[READING.gate.width :]
        return _KnownGate(READING.gate.read(row), running, waiting, grouped, bool(holds), now)


class Admitted:
    """What a claim may take, by when its gates let it go."""

    def __init__(self) -> None:
        self.count = 0
        self.by_let_go_at: dict[Instant | None, list[int]] = {}
        """Rows. Under None: what no gate has held. Else since when its gate has had room for it,
        whenever it starts."""

    def add(self, seqs: Sequence[int], *, let_go_at: Instant | None) -> None:
        """Admit these, too."""
        if seqs:
            self.count += len(seqs)
            self.by_let_go_at.setdefault(let_go_at, []).extend(seqs)


class _Turn(NamedTuple):
    """What became of a gate's turn."""

    admitted: Sequence[int]
    is_last: bool
    """Whether the gate holds nothing more that may start."""
    has_moved: bool
    """Whether tasks that it held are held by other gates now, and others may stand behind them."""


class _KnownGate:
    """What a claim knows of a gate."""

    __slots__ = ("gate", "grouped", "had_turn", "holds", "is_strict", "let_go_at", "running", "waiting")

    def __init__(self, gate: Gate, running: int, waiting: int, grouped: int, holds: bool, now: Instant) -> None:
        self.gate = gate
        self.is_strict = gate.is_strict(now)
        """Its turns and what starts in them do not change that."""
        self.running = running
        """Tasks of the gate that are running, with those that this claim lets through."""
        self.waiting = waiting
        """As in ``Gate.room``."""
        self.grouped = grouped
        """Tasks with a group that go to it and are running, if it has failed; with those that this
        claim lets start."""
        self.had_turn = False
        """Whether this claim has taken from what it holds."""
        self.let_go_at: Instant = 0
        """Since when it has had room for what it holds, as far as this claim takes of it."""
        self.holds = holds
        """Whether it holds tasks of the pool, which come first."""

    def room(self, *, free: int, per_destination: int | None, now: Instant) -> int:
        return self.gate.room(
            running=self.running,
            running_here=self.running,
            free=free,
            per_destination=per_destination,
            now=now,
            grouped=self.grouped,
            waiting=self.waiting,
        )


def as_json(seqs: Sequence[int]) -> str:
    """Rows, as queries take them."""
    return msgspec.json.encode(seqs).decode()
