"""Sign-ins of the dashboard."""

from collections.abc import Mapping

from tasker.interfaces.queue import PRUNE_LIMIT
from tasker.model.audit import Entry
from tasker.model.sign_in import SignIn
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link


class SignIns:
    """Reads and writes who is signed in."""

    def __init__(self, link: Link, looking: Link, queries: Mapping[str, str], auditor: Auditor) -> None:
        """Make it.

        Args:
            looking: for reads: every page begins with one, which waits for no other page.
        """
        self._link = link
        self._looking = looking
        self._sql = queries
        self._auditor = auditor

    async def begin(self, sign_in: SignIn, entry: Entry | None) -> None:
        """Store a sign-in: see ``Store.sign_in``."""

        async def write(connection: Connection) -> None:
            async with connection.transaction():
                await connection.execute(self._sql["sign_in"], sign_in.digest, sign_in.key_id, sign_in.ends_at)
                await self._auditor.write(connection, entry)

        await self._link.run(write)

    async def key_of(self, digest: bytes) -> str | None:
        """Return the id of its key: see ``Store.signed_in``."""
        found: str | None = await self._looking.run(
            lambda connection: connection.fetchval(self._sql["signed_in"], digest)
        )
        return found

    async def end(self, digest: bytes, entry: Entry | None) -> None:
        """End a sign-in: see ``Store.sign_out``."""

        async def delete(connection: Connection) -> None:
            async with connection.transaction():
                if await connection.fetchval(self._sql["sign_out"], digest):
                    await self._auditor.write(connection, entry)

        await self._link.run(delete)

    async def prune(self) -> int:
        """Delete a batch of those that have ended: see ``Store.prune_sign_ins``."""
        count: int = await self._link.run(
            lambda connection: connection.fetchval(self._sql["prune_sign_ins"], PRUNE_LIMIT)
        )
        return count
