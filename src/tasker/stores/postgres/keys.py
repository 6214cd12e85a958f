"""API keys, and whether they are asked for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace
from typing_extensions import override

from tasker.errors import ApiKeyNotFoundError
from tasker.interfaces.keys import KeyBook
from tasker.model.api_key import ApiKey, KeyState, in_order
from tasker.model.audit import Entry
from tasker.model.instants import Instant
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.rows import Reading

T = TypeVar("T")


class Keys(KeyBook):
    """Reads and writes who may call, on one link."""

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        auditor: Auditor,
        *,
        check: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        """Make it.

        Args:
            check: called in the transaction of every change, before it; None: nothing is.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._auditor = auditor
        self._check = check

    @override
    async def key_state(self, *, seen: int | None = None) -> KeyState | None:

        async def look(connection: Connection) -> KeyState | None:
            if seen is not None and await connection.fetchval(self._sql["access_version"]) == seen:
                return None
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await self._read(connection)

        return await self._link.run(look)

    @override
    async def create_key(self, key: ApiKey, *, entry: Entry | None = None) -> ApiKey:

        async def create(connection: Connection, now: Instant) -> ApiKey:
            (await self._read(connection)).check_new(key, now)
            scopes = " ".join(key.scopes)
            await connection.execute(
                self._sql["create_api_key"], key.id, key.name, key.role, scopes, key.digest, now, key.expires_at
            )
            await connection.execute(self._sql["change_access"], True)
            await self._auditor.write(connection, entry)
            return replace(key, created_at=now)

        return await self._changed(create)

    @override
    async def revoke_key(self, key_id: str, *, spares_last_admin: bool, entry: Entry | None = None) -> None:

        async def revoke(connection: Connection, now: Instant) -> None:
            if spares_last_admin:
                (await self._read(connection)).check_revoked(key_id, now)
            name = await connection.fetchval(self._sql["revoke_api_key"], key_id)
            if name is None:
                raise ApiKeyNotFoundError(key_id)
            await connection.execute(self._sql["end_sign_ins"], key_id)
            await connection.execute(self._sql["change_access"], None)
            await self._auditor.write(connection, None if entry is None else replace(entry, name=name))

        await self._changed(revoke)

    @override
    async def stop_asking(self, *, entry: Entry | None = None) -> int:

        async def stop(connection: Connection, _: Instant) -> int:
            await connection.execute(self._sql["change_access"], False)
            await self._auditor.write(connection, entry)
            return len((await self._read(connection)).keys)

        return await self._changed(stop)

    async def mark_used(self, used: Mapping[str, Instant]) -> None:
        """Write when keys were used: see ``Store.mark_used``."""
        await self._link.run(
            lambda connection: connection.execute(self._sql["mark_api_keys_used"], list(used), list(used.values()))
        )

    async def _changed(self, change: Callable[[Connection, Instant], Awaitable[T]]) -> T:
        async def run(connection: Connection) -> T:
            async with connection.transaction():
                if self._check is not None:
                    await self._check(connection)
                return await change(connection, await connection.fetchval(self._sql["lock_access"]))

        return await self._link.run(run)

    async def _read(self, connection: Connection) -> KeyState:
        return await read_key_state(connection, self._sql, self._reading)


async def read_key_state(connection: Connection, sql: Mapping[str, str], reading: Reading) -> KeyState:
    """Return who may call. In a transaction: it is read in two steps."""
    row = await connection.fetchrow(sql["access"])
    keys = [reading.api_key.read(row) for row in await connection.fetch(sql["api_keys"])]
    return KeyState(version=row["version"], asks=row["asks"], salt=row["salt"], keys=in_order(keys))
