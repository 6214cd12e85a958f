"""The API keys of a database that no node uses: for commands, which are no nodes."""

import contextlib
from collections.abc import AsyncIterator

from tasker.errors import DatabaseError, DatabaseInUseError
from tasker.interfaces.keys import KeyBook
from tasker.model.store_meter import StoreMeter
from tasker.stores import queries
from tasker.stores.kind import StoreContext
from tasker.stores.postgres import schema
from tasker.stores.postgres.auditor import Auditor
from tasker.stores.postgres.connection import Connection, Connector, Link
from tasker.stores.postgres.keys import Keys
from tasker.stores.rows import Reading


@contextlib.asynccontextmanager
async def keys_alone(url: str, context: StoreContext) -> AsyncIterator[KeyBook]:
    """Open the API keys of a database: see ``StoreKind.keys``."""
    connector = Connector(url, is_pooled=context.no_listen, schema=context.schema)
    await schema.prepare(connector, migrates=not context.no_migrate)
    sql = queries.load("tasker.stores.postgres")

    async def refuse_if_used(connection: Connection) -> None:
        # Nobody joins before this is committed: what a node finds at its start is what this leaves.
        await connection.execute("LOCK TABLE node IN SHARE MODE")
        if await connection.fetchval(sql["any_node"]):
            raise DatabaseInUseError(connector.place)

    async def check(connection: Connection) -> None:
        if not await schema.finish(connection, migrates=not context.no_migrate):
            raise DatabaseError(
                connector.place,
                "a server of the version before has left work there, and would ask for no key; "
                "start one of this version once, or run: tasker db migrate",
            )
        async with connection.transaction():
            await refuse_if_used(connection)

    link = Link(connector.connect, context.clock.monotonic, StoreMeter(()))
    try:
        await link.run(check)
        yield Keys(link, sql, Reading(str), Auditor(link, sql), check=refuse_if_used)
    finally:
        await link.close()
