"""Takes all that a database holds into another one of any kind: ``tasker db copy``.

At no moment can servers start on both, and after a kill at any moment the same call goes on: TO is marked
``copying`` before anything is written there, each batch is written with the place where the next one
begins, and in the end, once all is there and was compared, FROM is marked ``moved`` before the mark of TO
is taken away. FROM as it is can be served again until then.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from tasker.errors import (
    CopyDiffersError,
    CopyOfAnotherError,
    DatabaseMovedError,
    NotEmptyError,
    NotHeldThereError,
)
from tasker.model.instants import Instant
from tasker.stores.mark import Mark, State
from tasker.stores.tables import TABLES, Table

ROWS: Final = 5_000
"""How many rows are copied in one transaction, at most."""

BYTES: Final = 8 << 20
"""A batch ends once its texts and bytes are longer than this, so that long bodies do not fill the memory."""

AT_ONCE: Final = 100
"""Rows that are asked for at once: few enough for the memory, if each is as long as it may be."""

_PLACES: Final = {table.name: place for place, table in enumerate(TABLES)}

Row = tuple[Any, ...]


class Batch(NamedTuple):
    """Some rows of a table, in the order of its key."""

    rows: Sequence[Row]
    """As ``tables.py`` says: a value for each column of the table."""
    position: str
    """Where they end, for ``read``: means something to the end that they were read from alone."""


class Sum(NamedTuple):
    """What is compared of a table."""

    rows: int
    checksum: int
    """Of the values of all its rows, in any order."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a copy has come. It is kept in TO, and written in the transaction of what it tells of."""

    origin: str
    """Which database it is a copy of: see ``CopyEnd.identity``."""
    used: str
    """How FROM stood when the copy began: see ``CopyEnd.used``. Empty: begin anew."""
    table: str
    """The table that was written last."""
    position: str | None = None
    """Where the rows of it end that are there; None: there is none yet."""
    moved_at: Instant | None = None
    """Once all is there: what FROM's mark will say."""
    backup_of: Mark | None = None
    """The mark of FROM, if it was a backup on which no server has run: TO takes it over."""

    def text(self) -> str:
        """Return it as it is kept."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def of(text: str) -> "Progress":
        """Return what ``text`` made a text."""
        return msgspec.json.decode(text, type=Progress)


class CopyEnd(Protocol):
    """A database that no server uses, at one end of a copy. Its tables are those of this version."""

    name: str
    """The kind of store: see ``Table.only``."""
    place: str
    """The database, as it may be shown."""

    async def now(self) -> Instant:
        """Return what time it is by the clock of the store."""

    async def mark(self) -> Mark | None:
        """Return the mark; None: there is none."""

    async def unmark(self) -> None:
        """Take the mark away, and what is kept of a copy, and undo what came with ``moved``."""

    # FROM

    async def hold(self) -> None:
        """Keep servers from starting as long as it is open.

        Raises:
            DatabaseInUseError: one is running.
        """

    async def identity(self) -> str:
        """Return what tells this database from others, but for its own copies."""

    async def used(self) -> str:
        """Return what is another text after a server has run on it, or its keys were changed."""

    async def sum(self, table: Table, told: Callable[[int], None]) -> Sum:
        """Return what is to be compared of *table*.

        Args:
            told: called with the number of rows again and again, as they are read.
        """

    async def count(self, table: Table) -> int:
        """Return how many rows *table* has."""

    def read(self, table: Table, after: str | None) -> AsyncGenerator[Batch]:
        """Return the rows of *table* behind a position, in batches of ``ROWS`` and ``BYTES``; None: all."""

    async def running(self) -> Collection[bytes]:
        """Return the nodes on which tasks were running when they ended."""

    async def looked_at(self) -> Instant | None:
        """Return when any node last looked for due tasks; None: none did."""

    async def close_inbox(self) -> None:
        """Let nobody write to the inbox as long as it is open; wait for those who do so now."""

    async def mark_moved(self, at: Instant, other: str) -> None:
        """Mark it ``moved`` to *other*. From then on nobody can write to its inbox, either."""

    # TO

    async def filled(self) -> Sequence[str]:
        """Return the names of the tables that have more than a new database has."""

    async def progress(self) -> Progress | None:
        """Return how far a copy into it has come; None: none has begun, or it is finished."""

    async def begin(self, progress: Progress, mark: Mark) -> None:
        """Mark an empty database, and write how far the copy is.

        Raises:
            DatabaseInUseError: a server uses it.
        """

    async def empty(self, progress: Progress) -> None:
        """Delete all rows of all tables, and write how far the copy is, in one transaction."""

    async def write(self, table: Table, rows: Sequence[Row], progress: Progress) -> None:
        """Add rows to *table*, and write how far the copy is, in one transaction. A single row is replaced."""

    async def settle(self, progress: Progress, running: Collection[bytes], looked_at: Instant | None) -> None:
        """All rows are there: let the first server find what nodes have left behind. May be called again."""

    async def finish(self, mark: Mark | None) -> None:
        """Replace the mark, and forget that there was a copy, in one transaction."""


class Watch(Protocol):
    """Whoever watches a copy."""

    def begins(self, total: int, *, goes_on: bool) -> None:
        """So many rows are to be copied and compared; *goes_on*: some of them were, before."""

    def begins_anew(self) -> None:
        """A server has used FROM since the copy began: what was copied is deleted."""

    def copied(self, rows: int) -> None:
        """So many rows more are in TO."""

    def compared(self, rows: int) -> None:
        """So many rows more are read again."""


class Moved(NamedTuple):
    """What a copy has come to."""

    tables: dict[str, int]
    """How many rows each table has."""


async def copy(source: CopyEnd, target: CopyEnd, watch: Watch) -> Moved:
    """Copy all that *source* holds into *target*, or go on with it; mark *source*. Both are open.

    Raises:
        StartError: it cannot be done; the message says why, and what to do. At most one of them can be served.
    """
    progress = await _begun(source, target, watch)
    if progress is None:  # it was killed just before its end
        return Moved({table.name: await target.count(table) for table in _shared(source, target)})
    await _refuse_what_is_not_held(source, target)
    tables = _shared(source, target)
    counts = {table.name: await source.count(table) for table in tables}
    watch.begins(2 * sum(counts.values()), goes_on=progress.position is not None)
    progress = await _write(source, target, [table for table in tables if not table.only], progress, watch)
    sums = await _compare(source, target, [table for table in tables if not table.only], progress, watch)
    await source.close_inbox()  # only now: whoever writes to it waits
    progress = await _write(source, target, [table for table in tables if table.only], progress, watch)
    sums |= await _compare(source, target, [table for table in tables if table.only], progress, watch)
    await _refuse_what_is_not_held(source, target)
    moved_at = await source.now()
    await target.settle(replace(progress, moved_at=moved_at), await source.running(), await source.looked_at())
    await source.mark_moved(moved_at, target.place)
    await target.finish(progress.backup_of)
    return Moved(sums)


async def _begun(source: CopyEnd, target: CopyEnd, watch: Watch) -> Progress | None:
    """Return how far the copy is, begun if it was not; None: it was ended just now."""
    await source.hold()
    mark, progress = await source.mark(), await target.progress()
    identity, used = await source.identity(), await source.used()
    if progress is not None and progress.origin != identity:
        begun = await target.mark()
        raise CopyOfAnotherError(target.place, None if begun is None else begun.other)
    if mark is not None and mark.state is State.MOVED:
        if progress is None or progress.moved_at != mark.at:
            raise DatabaseMovedError(source.place, mark.other)
        await target.finish(progress.backup_of)
        return None
    if mark is not None and mark.state is State.COPYING:
        raise NotEmptyError(source.place, "it is itself being copied into: finish that first")
    fresh = Progress(origin=identity, used=used, table=TABLES[0].name, backup_of=mark)
    if progress is None:
        if filled := await target.filled():
            raise NotEmptyError(target.place, f"its tables have rows: {', '.join(filled)}")
        await target.begin(fresh, Mark(state=State.COPYING, at=await source.now(), other=source.place))
        return fresh
    if progress.used != used:
        watch.begins_anew()
        await target.empty(fresh)
        return fresh
    return progress


def _shared(source: CopyEnd, target: CopyEnd) -> Sequence[Table]:
    return [table for table in TABLES if not table.only or source.name == target.name == table.only]


async def _refuse_what_is_not_held(source: CopyEnd, target: CopyEnd) -> None:
    """Refuse a copy that would lose the rows of a table that the target has not."""
    for table in TABLES:
        if table.only == source.name != target.name and (count := await source.count(table)):
            raise NotHeldThereError(source.place, target.place, count)


async def _write(source: CopyEnd, target: CopyEnd, tables: Sequence[Table], begun: Progress, watch: Watch) -> Progress:
    """Copy what is not there yet of *tables*, and return how far the copy is then."""
    progress = begun
    for table in tables:
        place = _PLACES[table.name] - _PLACES[begun.table]
        if place < 0 or (place == 0 and begun.position is not None):
            watch.copied(await target.count(table))
        if place < 0:
            continue
        async with contextlib.aclosing(_ahead(source.read(table, None if place else begun.position))) as batches:
            async for batch in batches:
                progress = replace(progress, table=table.name, position=batch.position)
                await target.write(table, batch.rows, progress)
                watch.copied(len(batch.rows))
    return progress


async def _compare(
    source: CopyEnd, target: CopyEnd, tables: Sequence[Table], progress: Progress, watch: Watch
) -> dict[str, int]:
    """Return how many rows each table has, if they are the same on both sides.

    Raises:
        CopyDiffersError: they are not. The next copy begins anew.
    """
    sums = {}
    for table in tables:
        there, here = await _both(source.sum(table, watch.compared), target.sum(table, _nothing))
        if there != here:
            await target.write(table, (), replace(progress, used=""))
            raise CopyDiffersError(target.place, table.name, there.rows, here.rows)
        sums[table.name] = here.rows
    return sums


async def _both(one: Coroutine[Any, Any, Sum], other: Coroutine[Any, Any, Sum]) -> tuple[Sum, Sum]:
    """Return both. If one fails, the other has ended too: nobody may close an end that is at work."""
    working = asyncio.ensure_future(one), asyncio.ensure_future(other)
    try:
        return await asyncio.gather(*working)
    finally:
        for each in working:
            each.cancel()
        await asyncio.wait(working)


async def _ahead(batches: AsyncGenerator[Batch]) -> AsyncGenerator[Batch]:
    """Return *batches*, the next of which is read while one is written."""
    reading = asyncio.ensure_future(anext(batches, None))
    try:
        while batch := await reading:
            reading = asyncio.ensure_future(anext(batches, None))
            yield batch
    finally:
        await asyncio.wait({reading})
        await batches.aclose()


def _nothing(_rows: int) -> None:
    pass


_encode: Final = msgspec.msgpack.Encoder().encode


def checksum(rows: Iterable[Row]) -> int:
    """Return a number that, added up over all rows, is that of the rows in any order and in any batches."""
    return sum(int.from_bytes(hashlib.blake2b(_encode(row), digest_size=16).digest(), "little") for row in rows)


def identity_of(completion_key: bytes) -> str:
    """Return what tells a database from others: 32 hexadecimal digits, of which nobody learns the key."""
    return hashlib.sha256(completion_key).hexdigest()[:32]


def size_of(row: Row) -> int:
    """Return how long the texts and bytes of a row are."""
    return sum(len(value) for value in row if isinstance(value, bytes | str))


def encoded(position: Sequence[Any]) -> str:
    """Return the values of a key as a text."""
    return msgspec.msgpack.encode(position).hex()


def decoded(text: str) -> list[Any]:
    """Return the values of a key that ``encoded`` made a text."""
    values: list[Any] = msgspec.msgpack.decode(bytes.fromhex(text))
    return values
