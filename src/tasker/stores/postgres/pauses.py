"""When everything is paused, and was."""

from collections.abc import Awaitable, Callable, Mapping

from tasker.model.audit import Entry
from tasker.model.instants import Instant
from tasker.model.lateness import DOWN_KEPT
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link


class Pauses:
    """What this node knows of the latest pause: it hears of it with each claim. What claims tasks looks for itself."""

    def __init__(self, link: Link, queries: Mapping[str, str], auditor: Auditor) -> None:
        """Make it.

        Args:
            link: the connection for what operators say.
        """
        self._link = link
        self._sql = queries
        self._auditor = auditor
        self.at: Instant | None = None
        """Since when everything is paused; None: it is not."""
        self.until: Instant = 0
        """The end of the latest pause: what is due later was not due in any."""

    def heard(self, began_at: Instant | None, ended_at: Instant | None) -> None:
        """Say when the latest pause began and ended; None: there was none, and that it lasts."""
        self.at = began_at if ended_at is None else None
        self.until = ended_at or 0

    async def pause(self, entry: Entry | None) -> None:
        """Begin a pause, unless one lasts."""
        await self._write(self._begin, entry)

    async def start_paused(self, is_needed: Callable[[Connection], Awaitable[bool]], entry: Entry) -> None:
        """Begin a pause, unless one lasts, if *is_needed*, which is a part of the same transaction."""

        async def change(connection: Connection) -> bool:
            return await is_needed(connection) and await self._begin(connection)

        await self._write(change, entry)

    async def resume(self, entry: Entry | None) -> None:
        """End the pause that lasts, if one does."""

        async def change(connection: Connection) -> bool:
            has_gone = await connection.fetchval(self._sql["forget_pause"])
            return bool(has_gone or await connection.fetchval(self._sql["end_pause"]))

        await self._write(change, entry)

    async def prune(self) -> int:
        """Delete the pauses that ended long ago. Return how many."""
        rows = await self._link.run(lambda connection: connection.fetch(self._sql["prune_pauses"], DOWN_KEPT))
        return len(rows)

    async def _begin(self, connection: Connection) -> bool:
        await connection.execute(self._sql["forget_pauses_ahead"])
        await connection.execute(self._sql["cut_pauses_ahead"])
        return bool(await connection.fetchval(self._sql["begin_pause"]))

    async def _write(self, change: Callable[[Connection], Awaitable[bool]], entry: Entry | None) -> None:
        async def run(connection: Connection) -> None:
            async with connection.transaction():
                if await change(connection):
                    await self._auditor.write(connection, entry)
            await self._look(connection)

        await self._link.run(run)

    async def _look(self, connection: Connection) -> None:
        row = await connection.fetchrow(self._sql["last_pause"])
        self.heard(*((None, None) if row is None else (row["begin_at"], row["end_at"])))
