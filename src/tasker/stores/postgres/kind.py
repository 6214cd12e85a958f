"""Which URLs name a PostgreSQL database, and how to make its store."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tasker.errors import StartError
from tasker.stores.kind import StoreContext, StoreKind

if TYPE_CHECKING:
    from tasker.stores.postgres.store import PostgresStore


class PostgresKind:
    """See ``StoreKind``. A database that any number of nodes share."""

    schemes = ("postgresql", "postgres")
    expected = "postgresql://HOST:PORT/DATABASE"

    def check(self, url: str) -> None:
        """See ``StoreKind``. Connecting to it checks the rest."""
        if "://" not in url or "\0" in url:
            raise ValueError("not the URL of a PostgreSQL database")

    def shown(self, url: str) -> str:
        """See ``StoreKind``: only the hosts and the name of the database.

        >>> PostgresKind().shown("postgresql://me:a?secret@db1/tasks")  # is "secret" part of the password, or of the query?
        'postgresql://***'
        """
        scheme, _, rest = url.partition("://")
        place = rest.partition("?")[0].partition("#")[0]
        return f"{scheme}://***" if "@" in rest[len(place) :] else f"{scheme}://{place.rpartition('@')[2]}"

    def make(self, url: str, context: StoreContext) -> "PostgresStore":
        """See ``StoreKind``."""
        with _driver():
            from tasker.stores.postgres.store import PostgresStore  # noqa: PLC0415 - see stores/kind.py
        return PostgresStore(
            url,
            base_clock=context.clock,
            address=context.address,
            version=context.version,
            listens=not context.no_listen,
            migrates=not context.no_migrate,
            attempts_kept=context.attempts_kept,
            per_destination=context.per_destination,
        )

    async def migrate(self, url: str, context: StoreContext) -> None:
        """See ``StoreKind``. No node joins."""
        with _driver():
            from tasker.stores.postgres import connection, schema  # noqa: PLC0415 - see stores/kind.py
        await schema.prepare(connection.Connector(url, is_pooled=context.no_listen), migrates=True)


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
