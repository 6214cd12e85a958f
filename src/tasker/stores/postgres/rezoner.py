"""Moves what waits by newer time zones."""

from collections.abc import Callable, Mapping

from tasker.interfaces.queue import REZONE_LIMIT, Rezoned
from tasker.model.instants import Instant
from tasker.model.task import TaskId
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.rezoning import moved


class Rezoner:
    """Finds the moments of tasks with a local time anew, in batches. Any number of nodes may do so at once."""

    def __init__(self, link: Link, queries: Mapping[str, str]) -> None:
        self._link = link
        self._sql = queries

    async def zones(self) -> str:
        """Return the newest version that was noted: see ``Store.zones``."""
        version: str = await self._link.run(lambda connection: connection.fetchval(self._sql["zones"]))
        return version

    async def note(self, version: str) -> None:
        """Note a version: see ``Store.note_zones``."""
        await self._link.run(lambda connection: connection.execute(self._sql["note_zones"], version))

    async def rezone(self, version: str, place: Callable[[str, str], Instant | None]) -> Rezoned:
        """Look at a batch: see ``Store.rezone``."""
        return await self._link.run(lambda connection: self._rezone(connection, version, place))

    async def _rezone(
        self, connection: Connection, version: str, place: Callable[[str, str], Instant | None]
    ) -> Rezoned:
        async with connection.transaction():
            rows = await connection.fetch(self._sql["outdated"], version, REZONE_LIMIT)
            verdicts = [
                moved(
                    row["due_at"],
                    row["execution_at"],
                    row["attempts"],
                    row["local_time"],
                    row["time_zone"],
                    place=place,
                    now=row["now"],
                )
                for row in rows
            ]
            if rows:
                await connection.execute(
                    self._sql["move_by_zones"],
                    version,
                    [row["id"] for row in rows],
                    [None if verdict is None else verdict.at for verdict in verdicts],
                    [None if verdict is None else verdict.text for verdict in verdicts],
                )
        return Rezoned(
            looked_at=len(rows),
            moved=[TaskId(str(row["id"])) for row, verdict in zip(rows, verdicts, strict=True) if verdict is not None],
        )
