"""Gates: what their circuits hear, what operators say, and that what they hold is looked at again."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tasker.errors import DestinationNotFoundError
from tasker.model.audit import Entry, circuit_entry, limits_changed
from tasker.model.circuit import Circuit, CircuitState, turned
from tasker.model.gate import Limits
from tasker.model.instants import Instant
from tasker.stores.audits import changes_text
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link, Record
from tasker.stores.probing import probed
from tasker.stores.rows import Reading

_WAITING: Final = False
_AT_ONCE: Final = True
"""Whether a wake is done with before it is on the disk."""


class GateSnapshot(NamedTuple):
    """What was seen of a gate."""

    circuit: Circuit
    is_paused: bool
    holds: bool
    """Whether it holds tasks."""
    now: Instant
    """When it was seen."""

    @staticmethod
    def of(row: Record) -> "GateSnapshot":
        """Return what a row of ``circuits`` or ``settle`` says."""
        circuit = Circuit(row["failures"], row["open_until"], row["broken_since"], row["closed_at"])
        return GateSnapshot(circuit, row["paused"], row["holds"], row["now"])


class Gates:
    """Changes gates.

    No lock on one outlasts a statement, so that nobody waits for a node that hangs; but see
    ``pause``.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        auditor: Auditor,
        look_again: Callable[[Iterable[int]], None],
    ) -> None:
        """Make them.

        Args:
            link: the connection for what operators say.
            look_again: told of the gates that may have room on this node again.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._auditor = auditor
        self._look_again = look_again
        self.turned: dict[int, CircuitState] = {}
        """What the circuits that were told last have turned to by that: ``OPEN`` or ``CLOSED``."""

    async def hear(
        self, connection: Connection, reports: Mapping[int, Sequence[bool]], seen: Mapping[int, GateSnapshot]
    ) -> set[int]:
        """Take note that attempts have ended. Return the gates that hold tasks which may have room now; they are woken.

        Args:
            reports: by gate, what the attempts have shown of the destination, for the circuit, the
                earliest first; maybe nothing.
            seen: what was seen of the gates; those that are missing are looked up.
        """
        self.turned = {}
        heard = reports
        found = dict(seen)
        waking: set[int] = set()
        while heard:
            if missing := heard.keys() - found.keys():
                rows = await connection.fetch(self._sql["circuits"], list(missing))
                found |= {row["gate"]: GateSnapshot.of(row) for row in rows}
            changed = []
            for gate, answers in heard.items():
                if gate not in found:
                    continue  # a failover has lost it
                before, is_paused, holds, now = found.pop(gate)
                circuit = before
                for is_alive in answers:
                    circuit = circuit.heard(is_alive, now)
                if circuit != before:
                    changed.append((gate, circuit, before))
                if (holds or circuit != before) and not is_paused and circuit.state(now) is not CircuitState.OPEN:
                    waking.add(gate)
            missed = {row[0] for row in changed} - await self._set_circuits(connection, changed)
            self.turned |= {
                gate: turned(after)
                for gate, after, before in changed
                if gate not in missed and circuit_entry(gate, before, after) is not None
            }
            waking -= missed  # another node was quicker: once more
            heard = {gate: reports[gate] for gate in missed}
        return await self.wake(connection, waking)

    async def wake(self, connection: Connection, gates: Iterable[int]) -> set[int]:
        """Have the next claim look at what these *gates* hold. Return those that hold any."""
        ids = list(gates)
        if not ids:
            return set()
        woken = {row["gate"] for row in await connection.fetch(self._sql["wake"], ids, _AT_ONCE)}
        self._look_again(woken)
        return woken

    async def pause(self, gate: int, paused: bool, entry: Entry | None = None) -> None:
        """Close or open *gate*. It stays locked for four round trips.

        Raises:
            DestinationNotFoundError: there is none with this id.
        """

        async def change(connection: Connection) -> None:
            was_paused = await connection.fetchval(self._sql["pause"], gate, paused)
            if was_paused is None:
                raise DestinationNotFoundError(str(gate))
            await self._auditor.write(connection, entry if was_paused != paused else None)

        await self._change(gate, change)

    async def probe(self, gate: int, entry: Entry | None = None) -> None:
        """Let one task that *gate* holds start although its circuit is open. It is locked as in ``pause``.

        Raises:
            DestinationNotFoundError, NothingToProbeError: nothing was written.
        """

        async def change(connection: Connection) -> None:
            row = await connection.fetchrow(self._sql["circuit_to_probe"], gate)
            if row is None:
                raise DestinationNotFoundError(str(gate))
            before, is_paused, holds, now = GateSnapshot.of(row)
            is_all_paused = await connection.fetchval(self._sql["paused_at"]) is not None
            circuit = probed(gate, before, now, is_paused=is_paused, is_all_paused=is_all_paused, holds=holds)
            await self._set_circuits(connection, [(gate, circuit, before)])
            await self._auditor.write(connection, entry)

        await self._change(gate, change)

    async def limit(self, gate: int, limits: Limits, entry: Entry | None = None) -> None:
        """Change the limits of *gate*. It is locked, and errors are raised, as in ``pause``."""

        async def change(connection: Connection) -> None:
            row = await connection.fetchrow(self._sql["gate_to_change"], gate)
            if row is None:
                raise DestinationNotFoundError(str(gate))
            before = self._reading.gate.read(row)
            changed = before.limited(limits, row["now"])
            await connection.execute(
                self._sql["limit"], gate, changed.max_running, changed.max_per_second, changed.burst, changed.next_at
            )
            if entry is not None and (changes := limits_changed(before, changed)):
                await self._auditor.write(connection, entry.saying(changes))

        await self._change(gate, change)

    async def _change(self, gate: int, change: Callable[[Connection], Awaitable[None]]) -> None:
        async def run(connection: Connection) -> None:
            async with connection.transaction():
                await change(connection)
                # A claim that saw it as it was holds tasks before the lock on the gate or after it:
                # see shut in `claim`.
                await connection.fetch(self._sql["wake"], [gate], _WAITING)

        await self._link.run(run)
        self._look_again([gate])

    async def _set_circuits(self, connection: Connection, changed: Sequence[tuple[int, Circuit, Circuit]]) -> set[int]:
        """Write circuits of gates, each with what was seen before, where that still stands. Return which."""
        if not changed:
            return set()
        entries = [entry for gate, circuit, before in changed if (entry := circuit_entry(gate, before, circuit))]
        rows = await connection.fetch(
            self._sql["set_circuits"],
            [gate for gate, _, _ in changed],
            [circuit.failures for _, circuit, _ in changed],
            [circuit.open_until for _, circuit, _ in changed],
            [before.failures for _, _, before in changed],
            [before.open_until for _, _, before in changed],
            [circuit.broken_since for _, circuit, _ in changed],
            [circuit.closed_at for _, circuit, _ in changed],
            [int(entry.subject) for entry in entries],
            [entry.by.id for entry in entries],
            [entry.by.name for entry in entries],
            [entry.action.value for entry in entries],
            [entry.kind.value for entry in entries],
            [changes_text(entry.changes) for entry in entries],
        )
        return {row["id"] for row in rows}
