"""The store on one SQLite file, or in memory."""

import asyncio
import math
import os
import stat
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import apsw
import structlog

from tasker.errors import DatabaseError, NotADatabaseError, StoreUnavailableError
from tasker.interfaces import Claim, Claimed, Follow, Page, Settled, TakenBack, TaskFilter
from tasker.model.attempt import Attempt, AttemptRecord
from tasker.model.gate import GateRecord
from tasker.model.lifecycle import Settlement
from tasker.model.node import NodeRecord
from tasker.model.standing import Standing
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores import queries
from tasker.stores.group_commit import GroupCommit, InlineCommit
from tasker.stores.sqlite import schema
from tasker.stores.sqlite.checkpointer import Checkpointer
from tasker.stores.sqlite.connection import MEMORY, connect, store_error
from tasker.stores.sqlite.lock import DatabaseLock
from tasker.stores.sqlite.reader import Reader
from tasker.stores.sqlite.writer import (
    ClaimDue,
    Create,
    Delete,
    GiveBack,
    Limit,
    Pause,
    Prune,
    Retry,
    Settle,
    TakeBack,
    Write,
    Writer,
)
from tasker.timing.clock import Clock

T = TypeVar("T")

PENDING_LIMIT: Final = 10_000
"""Writes that may wait for the writer; beyond them callers are told to come back later."""

READERS: Final = 2

COUNTED_TO: Final = 10_000
"""Where ``nodes`` stops counting what runs."""

_log = structlog.get_logger()


class SqliteStore:
    """A ``Store`` in a SQLite file that one process holds; with ``:memory:`` one that ends with the process.

    A file has one writer thread, which commits in groups, and two reader threads. In memory everything runs on the event
    loop, on one connection. Needs a running event loop.
    """

    def __init__(
        self,
        location: str,
        *,
        clock: Clock,
        follow: Follow,
        address: str = "",
        version: str = "",
        pools: Mapping[str, Pool] | None = None,
        vfs: str | None = None,
        pending_limit: int = PENDING_LIMIT,
        attempts_kept: int = 20,
        per_destination: int | None = None,
    ) -> None:
        """Make a store that is not open yet.

        Args:
            location: path of the file, which is made if it is missing, or ``:memory:``.
            follow: says what follows the end of a task.
            address: the URL that this node listens at, for ``nodes``.
            version: of tasker, for ``nodes``.
            pools: the pool of each task type, for tasks taken over from the earlier server.
            vfs: name of a registered SQLite VFS to write through; None: the system's.
            pending_limit: how many writes may wait.
            attempts_kept: how many attempts of a task are kept, at least 1.
            per_destination: how many tasks of a host may run at once; None: see ``Gate.room``.
        """
        self._path = None if location == MEMORY else Path(os.path.realpath(location))
        self._clock = clock
        self._follow = follow
        self._pools = pools or {"webhook": Pool(1), "hash": Pool(2)}
        self._vfs = vfs
        self._node = uuid.uuid4()
        self._address = address
        self._version = version
        self._started_at = clock.now()
        self._has_taken_back = False
        self._pending_limit = pending_limit
        self._attempts_kept = attempts_kept
        self._per_destination = per_destination
        self._queries = queries.load("tasker.stores.sqlite")
        self._lock: DatabaseLock | None = None
        self._writer: Writer
        self._commit: GroupCommit[Write] | InlineCommit[Write]
        self._reading = threading.local()
        self._checkpointer: Checkpointer | None = None
        self._readers: list[apsw.Connection] = []
        self._connection: apsw.Connection | None = None
        self._threads: ThreadPoolExecutor | None = None

    @property
    def clock(self) -> Clock:
        """See ``Store``."""
        return self._clock

    @property
    def clock_offset(self) -> float:
        """See ``Store``."""
        return 0.0

    @property
    def ailment(self) -> str | None:
        """See ``Store``."""
        return None if self._writer.ailment is None else str(self._writer.ailment)

    async def open(self) -> None:
        """See ``Store``.

        Raises:
            DatabaseInUseError, DatabaseTooNewError, NotADatabaseError, TakeOverError, DatabaseError: nothing was changed.
        """
        if self._path is None:
            self._open(MEMORY)
            self._commit = InlineCommit(self._writer)
            return
        _check_ordinary(self._path)
        self._lock = DatabaseLock(self._path)
        try:
            await asyncio.to_thread(self._open, self._path)
        except BaseException:
            self._lock.release()
            raise
        self._commit = GroupCommit(self._writer, pending_limit=self._pending_limit)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="tasker-reader", initializer=self._open_reader)

    async def close(self) -> None:
        """See ``Store``."""
        if self._connection is None:
            return
        await self._commit.close()
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        if self._checkpointer is not None:
            await asyncio.to_thread(self._checkpointer.close)
        for connection in [*self._readers, self._connection]:
            connection.close()
        self._connection = None
        if self._lock is not None:
            self._lock.release()

    async def create(self, tasks: Sequence[Task]) -> None:
        """See ``Store``."""
        await self._commit.submit(Create(tasks))

    async def get(self, task_id: TaskId) -> Task:
        """See ``Store``."""
        return await self._read(lambda reader: reader.get(task_id))

    async def list_page(self, which: TaskFilter, *, after: str | None, limit: int) -> Page:
        """See ``Store``."""
        return await self._read(lambda reader: reader.list_page(which, after=after, limit=limit))

    async def count(self, *, up_to: int) -> Mapping[State, int]:
        """See ``Store``."""
        return await self._read(lambda reader: reader.count(up_to=up_to))

    async def claim_due(self, free: Mapping[Pool, int]) -> Claimed:
        """See ``Store``."""
        claimed: Claimed = await self._commit.submit(ClaimDue(dict(free)), always=True, urgent=True)
        return claimed

    async def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        """See ``Store``."""
        settled: Settled = await self._commit.submit(Settle(attempt, settlement), always=True)
        return settled

    async def give_back(self, claim: Claim | Attempt) -> None:
        """See ``Store``."""
        await self._commit.submit(GiveBack(claim.task_id, claim.fence), always=True)

    async def retry(self, task_id: TaskId) -> None:
        """See ``Store``."""
        await self._commit.submit(Retry(task_id))

    async def attempts(self, task_id: TaskId) -> Sequence[AttemptRecord]:
        """See ``Store``."""
        return await self._read(lambda reader: reader.attempts(task_id))

    async def standing(self, task_id: TaskId) -> Standing:
        """See ``Store``."""
        return await self._read(lambda reader: reader.standing(task_id))

    async def gates(self, *, after: int, limit: int) -> Sequence[GateRecord]:
        """See ``Store``."""
        return await self._read(lambda reader: reader.gates(after=after, limit=limit))

    async def gate(self, gate_id: int) -> GateRecord:
        """See ``Store``."""
        return await self._read(lambda reader: reader.gate(gate_id))

    async def pause(self, gate_id: int) -> None:
        """See ``Store``."""
        await self._commit.submit(Pause(gate_id, True))

    async def resume(self, gate_id: int) -> None:
        """See ``Store``."""
        await self._commit.submit(Pause(gate_id, False))

    async def limit(self, gate_id: int, max_running: int | None) -> None:
        """See ``Store``."""
        await self._commit.submit(Limit(gate_id, max_running))

    async def delete(self, task_id: TaskId) -> None:
        """See ``Store``."""
        await self._commit.submit(Delete(task_id))

    async def renew(self) -> float:
        """See ``Store``. The lock on the file is held for life: there is nothing to renew."""
        return math.inf

    async def claims(self) -> Sequence[Claim]:
        """See ``Store``."""
        return await self._read(lambda reader: reader.claims(self._node.bytes))

    async def take_back(self) -> TakenBack:
        """See ``Store``. Looks once: while this process holds the file, nobody else can claim, and die."""
        if self._has_taken_back:
            return TakenBack(todo=0, failed=0)
        taken: TakenBack = await self._commit.submit(TakeBack(), always=True)
        self._has_taken_back = True
        return taken

    async def prune(self, state: State, *, older_than: timedelta) -> int:
        """See ``Store``."""
        pruned: int = await self._commit.submit(Prune(state, self._clock.now() - older_than // timedelta(microseconds=1)))
        return pruned

    async def nodes(self) -> Sequence[NodeRecord]:
        """See ``Store``."""
        running = (await self.count(up_to=COUNTED_TO))[State.IN_PROGRESS]
        return [
            NodeRecord(
                id=str(self._node),
                address=self._address,
                version=self._version,
                started_at=self._started_at,
                lease_until=None,
                running=running,
            )
        ]

    def wake_others(self) -> None:
        """See ``Store``. There are none."""

    def listen(self, ring: Callable[[], None]) -> None:
        """See ``Store``. Nobody rings."""

    async def _read(self, ask: Callable[[Reader], T]) -> T:
        if self._connection is None:
            raise StoreUnavailableError("it is closed")
        if self._threads is None:
            return self._ask(ask)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, ask)

    def _ask(self, ask: Callable[[Reader], T]) -> T:
        try:
            return ask(self._reading.reader)
        except apsw.Error as error:
            raise store_error(error) from error

    def _open(self, location: Path | str) -> None:
        """Open the writing connection and bring the tables up to date."""
        try:
            if isinstance(location, Path) and not location.exists():
                location.touch(mode=0o600)  # before SQLite opens it: its -wal and -shm get the same mode
            connection = connect(location, vfs=self._vfs)
            taken = schema.bring_up_to_date(connection, location, self._pools)
            if isinstance(location, Path):
                if connection.pragma("journal_mode", "wal") != "wal":
                    raise DatabaseError(str(location), "SQLite cannot keep a write-ahead log there; use a local disk")
                location.chmod(0o600)
                self._checkpointer = Checkpointer(connection, lambda: connect(location, vfs=self._vfs))
            self._writer = Writer(
                connection,
                self._queries,
                self._clock.now,
                self._node.bytes,
                attempts_kept=self._attempts_kept,
                per_destination=self._per_destination,
                follow=self._follow,
                after_commit=(lambda: None) if self._checkpointer is None else self._checkpointer.advance,
            )
        except apsw.NotADBError:
            raise NotADatabaseError(str(location)) from None
        except apsw.Error as error:
            raise DatabaseError(str(location), f"{error}") from error
        except OSError as error:
            raise DatabaseError(str(location), error.strerror or "unknown reason") from error
        self._connection = connection
        if isinstance(location, str):
            self._reading.reader = Reader(connection, self._queries)
        if taken is not None:
            _log.info("took over the earlier server's tasks", webhooks=taken.webhooks, hashes=taken.hashes)

    def _open_reader(self) -> None:
        """Give this reader thread its connection."""
        assert self._path is not None  # noqa: S101 - only files have reader threads
        connection = connect(self._path, vfs=self._vfs, read_only=True)
        self._readers.append(connection)
        self._reading.reader = Reader(connection, self._queries)


def _check_ordinary(path: Path) -> None:
    """Refuse folders and devices before anything is made beside them, or their mode is changed."""
    try:
        mode = path.stat().st_mode
    except OSError:  # it is missing, or out of reach: whatever is tried next says why
        return
    if not stat.S_ISREG(mode):
        raise DatabaseError(str(path), "it is no ordinary file; choose another with --database-url")
