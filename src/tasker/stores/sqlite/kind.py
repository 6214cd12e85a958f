"""Which URLs name a SQLite database, and how to make its store."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tasker.errors import DatabaseError
from tasker.stores.kind import StoreContext, StoreKind

_MEMORY: Final = ":memory:"

if TYPE_CHECKING:
    from tasker.interfaces.keys import KeyBook
    from tasker.model.diagnosis import Problem
    from tasker.stores.copying import CopyEnd
    from tasker.stores.examining import Examined
    from tasker.stores.sqlite.maintenance import SqliteMaintenance
    from tasker.stores.sqlite.store import SqliteStore


class SqliteKind:
    """See ``StoreKind``. One file, or a database in memory that ends with the process."""

    schemes = ("sqlite",)
    follows_clock = True
    expected = "sqlite:PATH, sqlite://PATH, sqlite::memory:"

    def check(self, url: str) -> None:
        """See ``StoreKind``."""
        location(url)

    def shown(self, url: str) -> str:
        """See ``StoreKind``. A path is no secret."""
        return url

    def is_missing(self, url: str) -> bool:
        """See ``StoreKind``. One in memory is new at every start."""
        return not Path(location(url)).exists()

    def make(self, url: str, context: StoreContext) -> "SqliteStore":
        """See ``StoreKind``."""
        from tasker.stores.sqlite.store import SqliteStore  # noqa: PLC0415 - see stores/kind.py

        return SqliteStore(
            location(url),
            clock=context.clock,
            follow=context.follow,
            address=context.address,
            version=context.version,
            pools=context.pools,
            attempts_kept=context.attempts_kept,
            per_destination=context.per_destination,
        )

    @asynccontextmanager
    async def keys(self, url: str, context: StoreContext) -> AsyncIterator["KeyBook"]:
        """See ``StoreKind``."""
        _check_reachable(url)
        store = self.make(url, context)
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def copying(self, url: str, context: StoreContext) -> "AbstractAsyncContextManager[CopyEnd]":
        """See ``StoreKind``."""
        _check_reachable(url)
        from tasker.stores.sqlite.copying import copying  # noqa: PLC0415 - see stores/kind.py

        path = Path(os.path.realpath(location(url)))
        return copying(path, f"sqlite:{path}", context)

    def maintenance(self, url: str, context: StoreContext) -> "SqliteMaintenance":
        """See ``StoreKind``."""
        _check_reachable(url)
        from tasker.stores.sqlite.maintenance import SqliteMaintenance  # noqa: PLC0415 - see stores/kind.py

        return SqliteMaintenance(location(url), context.clock)

    async def migrate(self, url: str, context: StoreContext) -> None:
        """See ``StoreKind``. A missing file is made."""
        store = self.make(url, context)
        await store.open()
        await store.close()

    async def examine(self, url: str, context: StoreContext) -> "Examined":
        """See ``StoreKind``."""
        from tasker.stores.sqlite.examining import examine  # noqa: PLC0415 - see stores/kind.py

        return await asyncio.to_thread(examine, location(url), context)

    def problems(self) -> "Sequence[Problem]":
        """See ``StoreKind``."""
        from tasker.stores.sqlite.ailments import PROBLEMS  # noqa: PLC0415 - see stores/kind.py

        return PROBLEMS


def _check_reachable(url: str) -> None:
    if location(url) == _MEMORY:
        raise DatabaseError(url, "it is in memory, and nobody but its server can reach it; name a file")


def location(url: str) -> str:
    """Return what a database URL names: a path, relative unless it begins with ``/``, or ``:memory:``.

    The path is taken literally: percent-escapes are not decoded. It may end in ``?mode=rwc``, which
    other programs need to create a missing file; tasker creates one anyway.

    >>> location("sqlite:tasks.db"), location("sqlite:///var/lib/tasks.db"), location("sqlite::memory:")
    ('tasks.db', '/var/lib/tasks.db', ':memory:')

    Raises:
        ValueError: it names nothing. The message does not show it.
    """
    path = url.partition(":")[2].removeprefix("//").removesuffix("?mode=rwc")
    if not path or "?" in path or "\0" in path:
        raise ValueError("not the URL of a SQLite database")
    return path


KIND: Final[StoreKind] = SqliteKind()
