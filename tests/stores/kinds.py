"""The kinds of store that the suite runs on: how to make one, how its node dies, how its clock is moved.

The suite knows a store only through ``tasker.interfaces``. A new kind is a class here and a line in
``KINDS``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from databases import FOLLOW, set_manual_clock, take_database
from tasker.interfaces.store import Store
from tasker.model.instants import Instant
from tasker.stores.postgres.connection import Connection
from tasker.stores.postgres.lease import LEASE, PATIENCE
from tasker.stores.postgres.store import PostgresStore
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock


class StoreClock(Protocol):
    """The clock that decides what is due in a store under test. It stands still until it is moved."""

    def now(self) -> Instant:
        """Where it stands."""

    async def advance(self, seconds: float) -> None:
        """Let *seconds* (0 or more) pass, exact to the microsecond."""

    async def step(self, seconds: float) -> None:
        """Set it on by *seconds*, or back if they are negative, as while the node's machine is suspended."""


class Kind(Protocol):
    """A kind of store, with data of its own for one test."""

    clock: StoreClock

    orders_by_id: bool
    """Whether the order of arrival is that of the ids. (Only an id that is used again can tell.)"""

    async def open(self) -> Store:
        """Return a store on the data, open. Called once, before the others; the data is empty then."""

    async def after_death(self, store: Store) -> Store:
        """Let the node of *store* die with whatever it has claimed; return an open store of another.

        Both are on the same data. The other node may know already that the first is gone. If it
        has to wait for that, the clock has been moved as far.
        """

    def refuse(self) -> None:
        """Let the store be out of reach from now on."""

    def admit(self) -> None:
        """Let it be there again."""

    async def close(self) -> None:
        """Let go of everything."""


class SqliteFile:
    """One file.

    Its next node opens it after the process of the first has ended: the kernel has let go of the
    lock by then.
    """

    orders_by_id = False

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self._path = str(folder / "tasks.db")
        self._store: SqliteStore

    async def open(self) -> SqliteStore:
        self._store = SqliteStore(self._path, follow=FOLLOW, clock=self.clock)
        await self._store.open()
        return self._store

    async def after_death(self, store: Store) -> SqliteStore:
        await store.close()  # settles nothing and gives nothing back: what is left on the disk is what a kill leaves
        return await self.open()

    def refuse(self) -> None:
        Path(self._path).rename(f"{self._path}.away")

    def admit(self) -> None:
        Path(f"{self._path}.away").rename(self._path)

    async def close(self) -> None:
        await self._store.close()


class SqliteMemory(SqliteFile):
    """In memory: nothing outlives the node."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._path = ":memory:"


class Postgres:
    """A database, which no other test uses meanwhile.

    Its clock is a table; the node's own machine has a manual clock that is moved together with it.
    """

    orders_by_id = True

    def __init__(self, _: Path) -> None:
        self.clock = _PostgresClock(self)
        self.machine = ManualClock()
        self._url = ""
        self.connection: Connection
        self.store: PostgresStore

    async def open(self) -> PostgresStore:
        self._url, self.connection = await take_database(self.machine.now())
        return await self._open()

    async def after_death(self, store: Store) -> PostgresStore:
        assert isinstance(store, PostgresStore)
        await store._links.stop()
        for link in store._links._links:
            link.drop()  # its connections die with it, and nobody renews its lease any more
        await self.clock.move(LEASE.total_seconds())
        await self._open()
        await self.clock.advance(PATIENCE.total_seconds())
        return self.store

    def refuse(self) -> None:
        async def connect(*_: object, **__: object) -> Connection:
            raise ConnectionRefusedError

        self.store._connector.connect = connect  # type: ignore[method-assign]
        self.store._claiming.drop()

    def admit(self) -> None:
        del self.store._connector.connect

    async def close(self) -> None:
        await self.store.close()
        await self.connection.close()

    async def _open(self) -> PostgresStore:
        self.store = PostgresStore(
            self._url, follow=FOLLOW, base_clock=self.machine, address="http://127.0.0.1:8080", version="0"
        )
        await self.store.open()
        return self.store


class _PostgresClock:
    def __init__(self, kind: Postgres) -> None:
        self._kind = kind

    def now(self) -> Instant:
        return self._kind.machine.now()

    async def advance(self, seconds: float) -> None:
        """Move it, and let the node that lives renew its lease, as it would have done meanwhile."""
        await self.move(seconds)
        await self._kind.store.renew()

    async def step(self, seconds: float) -> None:
        await self._kind.machine.step(seconds)
        await set_manual_clock(self._kind.connection, self._kind.machine.now())
        await self._kind.store.renew()

    async def move(self, seconds: float) -> None:
        await self._kind.machine.advance(seconds)
        await set_manual_clock(self._kind.connection, self._kind.machine.now())


KINDS: dict[str, Callable[[Path], Kind]] = {
    "sqlite-file": SqliteFile,
    "sqlite-memory": SqliteMemory,
    "postgres": Postgres,
}
"""Every kind, by name; each is made with an empty folder of its own."""

MORTAL = {"sqlite-memory"}
"""The kinds whose data ends with their node, so that nobody can take anything back."""
