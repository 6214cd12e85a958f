"""Which URLs name a PostgreSQL database, and how to make its store."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from tasker.errors import DatabaseUrlError, StartError
from tasker.stores.kind import StoreContext, StoreKind
from tasker.stores.postgres.url import read

if TYPE_CHECKING:
    from tasker.interfaces.keys import KeyBook
    from tasker.model.diagnosis import Problem
    from tasker.stores.copying import CopyEnd
    from tasker.stores.examining import Examined
    from tasker.stores.postgres.maintenance import PostgresMaintenance
    from tasker.stores.postgres.store import PostgresStore


class PostgresKind:
    """See ``StoreKind``. A database that any number of nodes share."""

    schemes = ("postgresql", "postgres")
    follows_clock = False
    expected = "postgresql://HOST:PORT/DATABASE"

    def check(self, url: str) -> None:
        """See ``StoreKind``. Connecting to it checks the rest."""
        if "://" not in url or "\0" in url:
            raise ValueError("not the URL of a PostgreSQL database")
        read(url)

    def shown(self, url: str) -> str:
        """See ``StoreKind``: only the hosts and the name of the database; nothing, if it cannot be read.

        >>> PostgresKind().shown("postgresql://me:secret@db1,db2:5433/tasks?password=secret")
        'postgresql://db1,db2:5433/tasks'
        >>> PostgresKind().shown("postgresql://me:secret/tasks")  # no host, or no user and a bad port
        'postgresql://***'
        """
        try:
            return read(url).place
        except DatabaseUrlError as error:
            return error.path

    def is_missing(self, url: str) -> bool:
        """See ``StoreKind``. It takes a connection to find out."""
        return False

    def make(self, url: str, context: StoreContext) -> "PostgresStore":
        """See ``StoreKind``."""
        with _driver():
            from tasker.stores.postgres.store import PostgresStore  # noqa: PLC0415 - see stores/kind.py
        return PostgresStore(
            url,
            base_clock=context.clock,
            follow=context.follow,
            address=context.address,
            version=context.version,
            schema=context.schema,
            listens=not context.no_listen,
            migrates=not context.no_migrate,
            attempts_kept=context.attempts_kept,
            per_destination=context.per_destination,
        )

    @contextlib.asynccontextmanager
    async def keys(self, url: str, context: StoreContext) -> AsyncIterator["KeyBook"]:
        """See ``StoreKind``. No node joins, and none may be there."""
        with _driver():
            from tasker.stores.postgres.keys_alone import keys_alone  # noqa: PLC0415 - see stores/kind.py
        async with keys_alone(url, context) as keys:
            yield keys

    def copying(self, url: str, context: StoreContext) -> "contextlib.AbstractAsyncContextManager[CopyEnd]":
        """See ``StoreKind``. No node joins, and none may be there."""
        with _driver():
            from tasker.stores.postgres.copying import copying  # noqa: PLC0415 - see stores/kind.py
        return copying(url, context)

    def maintenance(self, url: str, context: StoreContext) -> "PostgresMaintenance":
        """See ``StoreKind``."""
        with _driver():
            from tasker.stores.postgres.maintenance import PostgresMaintenance  # noqa: PLC0415 - see stores/kind.py
        return PostgresMaintenance(url, context)

    async def migrate(self, url: str, context: StoreContext) -> None:
        """See ``StoreKind``. No node joins."""
        with _driver():
            from tasker.stores.postgres import connection, schema  # noqa: PLC0415 - see stores/kind.py
        connector = connection.Connector(url, is_pooled=context.no_listen, schema=context.schema)
        await schema.prepare(connector, migrates=True)

    async def examine(self, url: str, context: StoreContext) -> "Examined":
        """See ``StoreKind``."""
        with _driver():
            from tasker.stores.postgres.examining import examine  # noqa: PLC0415 - see stores/kind.py
        return await examine(url, context, needed=self.make(url, context).connections_needed)

    def problems(self) -> "Sequence[Problem]":
        """See ``StoreKind``."""
        from tasker.stores.postgres.ailments import PROBLEMS  # noqa: PLC0415 - see stores/kind.py

        return PROBLEMS


@contextlib.contextmanager
def _driver() -> Iterator[None]:
    """Import what needs asyncpg, an extra, in this block."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise StartError(
            "PostgreSQL needs a package that is not installed; run: pip install 'tasker-server[postgres]'"
        ) from error


KIND: Final[StoreKind] = PostgresKind()
