"""Connections to PostgreSQL that come back, and what its errors mean to a caller."""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeAlias, TypeVar

import asyncpg
import msgspec
from asyncpg import PostgresError

from tasker.errors import StoreError, StoreFullError, StoreUnavailableError
from tasker.model.instants import SECOND, Instant
from tasker.model.store_meter import StoreMeter
from tasker.stores.postgres.url import read

T = TypeVar("T")

Record: TypeAlias = "asyncpg.Record"
"""A row, read by the names of its columns."""

Connection: TypeAlias = "asyncpg.Connection[Record]"

CONNECT_SECONDS: Final = 5.0
"""How long one host may take to accept a connection."""

COMMAND_SECONDS: Final = 5.0
"""How long a statement may take. A connection whose statement takes longer is closed: nobody may be
at its other end."""

HANG_SECONDS: Final = 3.0
"""How long PostgreSQL waits for the next statement of a transaction. Others that need what it has locked do not
fail, even if its node hangs: it is given up before their statements have taken too long."""

TROUBLE: Final = (PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What asyncpg raises."""

APART_SECONDS: Final = 0.2
"""Seconds between two tries to connect. Whoever asks between them is told the outcome of the
first."""

_EPOCH: Final = 946_684_800 * SECOND
"""2000-01-01, from which PostgreSQL counts microseconds."""

SESSION: Final[Mapping[str, str]] = {
    "statement_timeout": f"{COMMAND_SECONDS:g}s",
    "idle_in_transaction_session_timeout": f"{HANG_SECONDS:g}s",
    "jit": "off",
    # A plan must not depend on what is bound, on statistics that are out of date, or on how much is
    # stored: every query has an index that serves it, row by row. A queue is never read any other
    # way.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # What counts is how many rows a plan looks at, also in a table that has few pages so far: a plan outlives
    # them.
    "seq_page_cost": "0",
    "random_page_cost": "0",
}
"""Settings that every session is to have."""

_SET: Final = "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS setting (name, value)"

REFUSED: Final = "nothing is listening there: check the host and the port, and that PostgreSQL is running"
NO_HOST: Final = "its host is unknown: check the spelling, and the name server"

_REASONS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((asyncpg.ReadOnlySQLTransactionError, asyncpg.TargetServerAttributeNotMatched), "it is read-only"),
    ((asyncpg.TooManyConnectionsError,), "it takes no more connections"),
    ((asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError), "it takes too long"),
    ((asyncpg.InvalidAuthorizationSpecificationError,), "it does not let this user in"),
    ((asyncpg.InvalidCatalogNameError,), "there is no database of this name"),
    ((asyncpg.InvalidSchemaNameError,), "its search_path names no schema that exists"),
    ((asyncpg.InsufficientPrivilegeError,), "this user may not do that"),
    ((asyncpg.CannotConnectNowError, asyncpg.OperatorInterventionError), "it is starting or stopping"),
    ((asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError), "its tables are not those of this version"),
)


class Run(Protocol):
    """Does work on a connection that is free: see ``Link.run``."""

    async def __call__(self, work: Callable[[Connection], Awaitable[T]], /) -> T:
        """Return what *work* returns."""


class Connector:
    """Makes connections with the settings that every one needs."""

    def __init__(self, url: str, *, is_pooled: bool, schema: str | None = None) -> None:
        """Make a connector.

        Args:
            url: a ``postgresql://`` URL; may name several hosts. Of these, the primary is
                connected to, unless the URL says otherwise.
            is_pooled: whether a pooler stands between that gives each transaction another
                connection: then nothing outlasts a transaction.
            schema: the only schema that sessions are to use, if they can be told; None: that of the
                URL, of the role or of the database.

        Raises:
            DatabaseUrlError: the URL cannot be used.
        """
        self._url = read(url)
        self._is_pooled = is_pooled
        self.schema = schema
        """See above: an identifier that needs no quotes."""

    @property
    def place(self) -> str:
        """What may be shown of the URL."""
        return self._url.place

    def unreadable(self) -> str | None:
        """Return what is wrong with a file that the URL names; None if all of them can be read."""
        for name, path in self._url.files.items():
            if not os.access(path, os.R_OK):
                return f"cannot read {path}, which {name} names"
        return None

    def without_secrets(self, text: str) -> str:
        """Return *text*, such as PostgreSQL's own words, without the user and the password of the URL."""
        user, password = self._url.user, self._url.password
        return text.replace(f'"{user}"', '"***"').replace(password or f'"{user}"', "***")

    async def connect(self, **session: str) -> Connection:
        """Return a new connection.

        Args:
            session: further settings of the session, ignored behind a pooler.
        """
        connection = await self._connect_to_primary()
        try:
            if not self._is_pooled:
                # Not as parameters of the start-up: poolers refuse those that they do not know.
                path = {} if self.schema is None else {"search_path": self.schema}
                settings = {**self._url.settings, **SESSION, **session, **path}
                await connection.execute(_SET, list(settings), list(settings.values()))
            # As integers: a datetime for each of them would cost more than the rest of the row.
            await connection.set_type_codec(
                "timestamptz", schema="pg_catalog", format="tuple", encoder=_to_postgres, decoder=_from_postgres
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect_to_primary(self) -> Connection:
        """Try one host after the other. Each has its own time: the first may be a machine that is gone."""
        latest: Exception | None = None
        for host in self._url.hosts:
            try:
                return await asyncpg.connect(
                    host,
                    timeout=self._url.connect_timeout or CONNECT_SECONDS,
                    command_timeout=COMMAND_SECONDS,
                    statement_cache_size=0 if self._is_pooled else 200,
                    server_settings={
                        "application_name": self._url.application_name,
                        **(self._url.settings if self._is_pooled else {}),  # a pooler may know them
                    },
                    **self._url.arguments,
                )
            except (
                OSError,
                TimeoutError,
                asyncpg.TargetServerAttributeNotMatched,
                asyncpg.CannotConnectNowError,
            ) as error:
                latest = error
        assert latest is not None  # noqa: S101 - there is always a host, if only an empty one
        raise latest


class Link:
    """One connection for one kind of work. If it breaks, the next work makes a new one."""

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], now: Callable[[], float], meter: StoreMeter
    ) -> None:
        """Make a link that is not connected yet.

        Args:
            now: seconds of a clock that never steps back.
            meter: told of errors.
        """
        self._meter = meter
        self._connect = connect
        self._now = now
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._failed: tuple[float, StoreError] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._connecting: asyncio.Future[Connection] | None = None
        self._is_shut = False
        self.connections = 0
        """How often it has connected so far."""

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do *work* on the connection, one after the other.

        Raises:
            StoreUnavailableError: there is no connection, or it broke: it is not known whether the
                work was done. Or PostgreSQL refused the work.
        """
        async with self._turn:
            try:
                connection = await self._connected()
                return await work(connection)
            except TimeoutError as error:
                self._abandon()
                raise self._met(error) from None
            except TROUBLE as error:
                if not isinstance(error, PostgresError) or _ends_connection(error):
                    self.drop()
                raise self._met(error) from None

    def _met(self, error: Exception) -> StoreError:
        meaning = store_error(error)
        self._meter.failed(meaning)
        return meaning

    @property
    def is_connected(self) -> bool:
        """Whether it has a connection that is not known to be broken."""
        return self._connection is not None and not self._connection.is_closed()

    @property
    def failure(self) -> StoreError | None:
        """What the latest try to connect failed with; None if it did not."""
        return None if self._failed is None else self._failed[1]

    async def connect(self) -> None:
        """Connect, unless it is connected.

        Raises:
            StoreUnavailableError: it cannot.
        """

        async def nothing(_connection: Connection) -> None:
            pass

        await self.run(nothing)

    def drop(self) -> None:
        """Close the connection without a word."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _abandon(self) -> None:
        """Close a connection that does not answer, but ask the server to give up what it is doing.

        A session that waits for a replica that is gone does not notice the end of its connection:
        they would add up.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            closing = asyncio.get_running_loop().create_task(_close(connection))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close the connection, once what is being done on it is done."""
        async with self._turn:
            self.drop()

    def shut(self) -> None:
        """Close the connection without a word, and make no other: whatever is asked for, or was, fails at once."""
        self._is_shut = True
        self.drop()
        if self._connecting is not None:
            self._connecting.cancel()

    async def _connected(self) -> Connection:
        if self._is_shut:
            raise _RepeatedError(StoreUnavailableError("it is closed"))
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._failed is not None and self._now() - self._failed[0] < APART_SECONDS:
            raise _RepeatedError(self._failed[1])
        self._connecting = asyncio.ensure_future(self._connect())
        try:
            self._connection = await self._connecting
        except TROUBLE as error:
            self._failed = (self._now(), store_error(error))
            raise
        except asyncio.CancelledError:
            if not self._is_shut:
                raise
            raise _RepeatedError(StoreUnavailableError("it is closed")) from None
        finally:
            self._connecting = None
        self._failed = None
        self.connections += 1
        return self._connection


async def _close(connection: Connection) -> None:
    with suppress(*TROUBLE):
        await connection.close(timeout=CONNECT_SECONDS)


class _RepeatedError(OSError):
    """No connection was tried: the latest try is too fresh."""

    def __init__(self, outcome: StoreError) -> None:
        self.outcome = outcome
        super().__init__()


def store_error(error: Exception) -> StoreError:
    """Return what a failed read or write means to its caller. The text names no data and no place."""
    if isinstance(error, _RepeatedError):
        return error.outcome
    if isinstance(error, TimeoutError):
        return StoreUnavailableError("it does not answer")
    if isinstance(error, socket.gaierror):
        return StoreUnavailableError(NO_HOST)
    if isinstance(error, OSError) and f"[Errno {errno.ECONNREFUSED}]" in str(error):  # there may be several in one
        return StoreUnavailableError(REFUSED)
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFullError("there is no space left for it")
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return StoreUnavailableError(reason)
    if isinstance(error, PostgresError) and not isinstance(error, asyncpg.PostgresConnectionError):
        return StoreUnavailableError(f"PostgreSQL's error {error.sqlstate}")
    return StoreUnavailableError("no connection to it")


def sparse(column: Sequence[T | None]) -> Sequence[T | None]:
    """Return *column* as ``unnest`` takes it beside others: empty if it has no value.

    What is missing at the end of an array is NULL there. asyncpg takes longer to look at a value,
    None included, than to encode it.
    """
    return () if column.count(None) == len(column) else column


def as_json(rows: Sequence[msgspec.Struct]) -> str:
    """Return *rows* as ``json_to_recordset`` takes them, moments as ``tasker_moment`` does.

    A fraction of what columns cost: asyncpg looks at each value, and encodes it by itself. Bytes go
    beside them, and so does text of others, as what JSON has for the character 0 is no text to
    PostgreSQL.
    """
    return msgspec.json.encode(rows).decode()


def _ends_connection(error: PostgresError) -> bool:
    """Whether a new connection may fare better: that one may lead to another host."""
    return isinstance(
        error,
        asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.ReadOnlySQLTransactionError
        | asyncpg.InvalidCachedStatementError,
    )


def _to_postgres(moment: Instant) -> tuple[int]:
    return (moment - _EPOCH,)


def _from_postgres(stored: tuple[int]) -> Instant:
    return stored[0] + _EPOCH
