"""Gates on the writing side: what their circuits hear, what operators say, and that what they hold is looked at again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tasker.errors import DestinationNotFoundError
from tasker.model.circuit import Circuit, CircuitState
from tasker.model.instants import Instant
from tasker.stores.postgres.connection import Connection

_WAITING: Final = False
_AT_ONCE: Final = True
"""Whether a wake is done with before it is on the disk."""


class News(NamedTuple):
    """What the end of an attempt says about a gate."""

    gate: int
    is_alive: bool | None
    """What it showed of the destination, for the circuit."""


class Known(NamedTuple):
    """What was seen of a gate."""

    circuit: Circuit
    is_paused: bool
    holds: bool
    """Whether it has set tasks aside."""
    now: Instant
    """When it was seen."""


class Gates:
    """Changes gates. No lock on one outlasts a statement, so that nobody waits for a node that hangs; but see ``pause``."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._sql = queries

    async def hear(self, connection: Connection, news: Sequence[News], known: Mapping[int, Known]) -> set[int]:
        """Take note that attempts have ended. Return the gates that hold tasks which may have room now; they are woken.

        Args:
            known: what was seen of the gates; those that are missing are looked up.
        """
        heard: dict[int, list[bool | None]] = {}
        for gate, is_alive in news:
            heard.setdefault(gate, []).append(is_alive)
        found = dict(known)
        waking: set[int] = set()
        while heard:
            if missing := heard.keys() - found.keys():
                rows = await connection.fetch(self._sql["circuits"], list(missing))
                found |= {row[0]: to_known(row) for row in rows}
            changed = []
            for gate, answers in heard.items():
                if gate not in found:
                    continue  # a failover has lost it
                before, is_paused, holds, now = found.pop(gate)
                after = before
                for is_alive in answers:
                    after = after if is_alive is None else after.heard(is_alive, now)
                if after != before:
                    changed.append((gate, after.failures, after.open_until, before.failures, before.open_until))
                if (holds or after != before) and not is_paused and after.state(now) is not CircuitState.OPEN:
                    waking.add(gate)
            missed = {row[0] for row in changed} - await self._set(connection, changed)
            waking -= missed  # another node was quicker: once more
            heard = {gate: heard[gate] for gate in missed}
        return await self.wake(connection, waking)

    async def wake(self, connection: Connection, gates: Iterable[int]) -> set[int]:
        """Have the next claim look at what these *gates* hold. Return those that hold any."""
        ids = list(gates)
        if not ids:
            return set()
        return {row[0] for row in await connection.fetch(self._sql["wake"], ids, _AT_ONCE)}

    async def pause(self, connection: Connection, gate: int, paused: bool) -> None:
        """See ``Store.pause``. The gate stays locked for four round trips."""
        await self._change(connection, gate, "pause", paused)

    async def limit(self, connection: Connection, gate: int, max_running: int | None) -> None:
        """See ``Store.limit``. As ``pause``."""
        await self._change(connection, gate, "limit", max_running)

    async def _change(self, connection: Connection, gate: int, query: str, value: int | None) -> None:
        async with connection.transaction():
            if await connection.fetchval(self._sql[query], gate, value) is None:
                raise DestinationNotFoundError(str(gate))
            # A claim that saw it as it was sets tasks aside before the lock on the gate or after it: see shut in `claim`.
            await connection.fetch(self._sql["wake"], [gate], _WAITING)

    async def _set(self, connection: Connection, changed: Sequence[tuple[int, int, Instant, int, Instant]]) -> set[int]:
        """Write circuits where nobody has changed them since they were seen. Return which."""
        if not changed:
            return set()
        return {row[0] for row in await connection.fetch(self._sql["set_circuits"], *map(list, zip(*changed, strict=True)))}


def to_known(row: Any) -> Known:  # noqa: ANN401 - a record
    """Return what a row of ``circuits`` says."""
    _, failures, open_until, is_paused, holds, now = row
    return Known(Circuit(failures, open_until), is_paused, holds, now)
