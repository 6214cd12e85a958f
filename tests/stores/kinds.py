"""The kinds of store that the suite runs on: how to make one, how its node dies, how its clock is moved.

The suite knows a store only through ``tasker.interfaces``. A new kind is a class here and a line in ``KINDS``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tasker.interfaces import Store
from tasker.model.instants import Instant
from tasker.stores.sqlite.store import SqliteStore
from tasker.timing.clock import ManualClock


class StoreClock(Protocol):
    """The clock that decides what is due in a store under test. It stands still until it is moved."""

    def now(self) -> Instant:
        """Where it stands."""

    async def advance(self, seconds: float) -> None:
        """Let *seconds* (0 or more) pass, exact to the microsecond."""


class Kind(Protocol):
    """A kind of store, with data of its own for one test."""

    clock: StoreClock

    async def open(self) -> Store:
        """Return a store on the data, open. Called once, before the others; the data is empty then."""

    async def after_death(self, store: Store) -> Store:
        """Let the node of *store* die with whatever it has claimed, and return an open store of another node on the same data.

        The other node may know already that the first is gone. If it has to wait for that, the clock has been moved as far.
        """

    async def close(self) -> None:
        """Let go of everything."""


class SqliteFile:
    """One file. Its next node opens it after the process of the first has ended: the kernel has let go of the lock by then."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self._path = str(folder / "tasks.db")
        self._store: SqliteStore

    async def open(self) -> SqliteStore:
        self._store = SqliteStore(self._path, clock=self.clock)
        await self._store.open()
        return self._store

    async def after_death(self, store: Store) -> SqliteStore:
        await store.close()  # settles nothing and gives nothing back: what is left on the disk is what a kill leaves
        return await self.open()

    async def close(self) -> None:
        await self._store.close()


class SqliteMemory(SqliteFile):
    """In memory: nothing outlives the node."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._path = ":memory:"


KINDS: dict[str, Callable[[Path], Kind]] = {"sqlite-file": SqliteFile, "sqlite-memory": SqliteMemory}
"""Every kind, by name; each is made with an empty folder of its own."""

MORTAL = {"sqlite-memory"}
"""The kinds whose data ends with their node, so that nobody can take anything back."""
