"""What those do who operate a server: destinations, operations, keys, the inbox."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET, UnsetType

from tasker.client.answers import NewKey
from tasker.client.asynchronous.connection import AsyncConnection
from tasker.client.calls import destinations, inbox, keys, operations
from tasker.client.errors import WaitTimedOut
from tasker.client.options import ChangeOptions, Filters, Length, Moment
from tasker.wire.destinations import DestinationView
from tasker.wire.inbox import InboxRowView
from tasker.wire.keys import KeyView, RoleWord
from tasker.wire.operations import ActionWord, OperationView

_FIRST_LOOK: Final = 0.05
"""Seconds from the beginning of an operation to the first look at it. Each further wait is twice as long."""

_LONGEST_LOOK: Final = 2.0
"""Seconds between two looks at an operation, at most."""


class AsyncDestinations:
    """Where tasks go: ``client.destinations``. To change one needs the scope ``operate``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, *, limit: int | None = None) -> AsyncIterator[DestinationView]:
        """Return all destinations by id, page by page as they are iterated.

        Args:
            limit: at most so many; None: all.
        """
        async for each in self._connection.pages(destinations.find, limit):
            yield each

    async def make(
        self,
        *,
        url: str | None = None,
        group: str | None = None,
        queue: str | None = None,
        max_running: int | UnsetType | None = UNSET,
        max_per_second: float | UnsetType | None = UNSET,
        burst: int | UnsetType = UNSET,
    ) -> DestinationView:
        """Make the destination of a URL, a group or a queue before its first task, or find it; set its limits.

        ``client.destinations.make(url="https://example.org", max_per_second=5)``

        Args:
            url: that of the host of a URL.
            group: or that of a group.
            queue: or that of a queue.
            max_running: how many of its tasks may run at once, on all nodes together; None: as many as the settings
                say. What is not given stays.
            max_per_second: how many of its tasks may start in a second; None: as often as they come.
            burst: how many of them may start at one moment after a rest.

        Raises:
            InvalidRequest: it cannot be made so.
        """
        named = {"url": url, "group": group, "queue": queue}
        said = {name: UNSET if value is None else value for name, value in named.items()}
        limits = {"max_running": max_running, "max_per_second": max_per_second, "burst": burst}
        return await self._connection.call(destinations.make({**said, **limits}))

    async def get(self, id: int) -> DestinationView:
        """Return a destination.

        Raises:
            DestinationNotFound: there is none with this id.
        """
        return await self._connection.call(destinations.get(id))

    async def update(
        self,
        id: int,
        *,
        max_running: int | UnsetType | None = UNSET,
        max_per_second: float | UnsetType | None = UNSET,
        burst: int | UnsetType = UNSET,
    ) -> DestinationView:
        """Say how many tasks of a destination may run at once, and how often they may start.

        Args:
            id: its id.
            max_running: as in ``make``.
            max_per_second: as in ``make``.
            burst: as in ``make``.

        Raises:
            DestinationNotFound: there is none with this id.
            InvalidRequest: a limit cannot be used.
        """
        limits = {"max_running": max_running, "max_per_second": max_per_second, "burst": burst}
        return await self._connection.call(destinations.change(id, limits))

    async def pause(self, id: int) -> DestinationView:
        """Start no more tasks of a destination. What is running goes on.

        Raises:
            DestinationNotFound: there is none with this id.
        """
        return await self._connection.call(destinations.pause(id))

    async def resume(self, id: int) -> DestinationView:
        """Start tasks of a destination again.

        Raises:
            DestinationNotFound: there is none with this id.
        """
        return await self._connection.call(destinations.resume(id))

    async def probe(self, id: int) -> DestinationView:
        """Try a destination now, with one task, though its circuit is open. Not sent again after a lost answer.

        Raises:
            NothingToProbe: it cannot be tried, or need not be.
            DestinationNotFound: there is none with this id.
        """
        return await self._connection.call(destinations.probe(id))


class AsyncOperations:
    """One move, made of many tasks: ``client.operations``. To begin one needs the scope ``operate``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def start(
        self,
        action: ActionWord,
        *,
        filter: Filters | Mapping[str, Any] | None = None,
        ids: Iterable[UUID | str] | None = None,
        all: bool = False,
        by: Length | None = None,
        change: ChangeOptions | Mapping[str, Any] | None = None,
        per_second: float | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> OperationView:
        """Run, retry, cancel, delete, postpone or change many tasks, in the background.

        ``client.operations.start("retry", filter={"state": "failed", "ended_after": last_night})``

        Sent again after a lost answer only with an *idempotency_key*, or if it is a dry run.

        Args:
            action: ``"run"``, ``"retry"``, ``"cancel"``, ``"delete"``, ``"postpone"`` or ``"change"``.
            filter: which tasks, by the names of ``client.find``.
            ids: the tasks themselves, up to 10,000.
            all: every task there is.
            by: of ``"postpone"``: by how much.
            change: of ``"change"``: what each is given anew, by the names of ``client.update``; with a ``type``
                if that is not webhook.
            per_second: of ``"run"`` and ``"retry"``: how many tasks come due in a second.
            dry_run: only say how many tasks would change, and how many not, and why.
            idempotency_key: names the request: whatever comes again with it gets the first answer.

        Returns:
            The operation, as it has begun: see ``wait``.

        Raises:
            InvalidRequest, InvalidQuery: it cannot be done so.
            NaiveTimeError: a datetime has no time zone.
        """
        return await self._connection.call(
            operations.start(
                action,
                filter=filter,
                ids=ids,
                all=all,
                by=by,
                change=change,
                per_second=per_second,
                dry_run=dry_run,
                idempotency_key=idempotency_key,
            )
        )

    async def get(self, id: UUID | str) -> OperationView:
        """Return an operation: how far it has come.

        Raises:
            OperationNotFound: there is none with this id, or it ended long ago.
        """
        return await self._connection.call(operations.get(id))

    async def find(self, *, limit: int | None = None) -> AsyncIterator[OperationView]:
        """Return operations, the latest first, page by page as they are iterated.

        Args:
            limit: at most so many; None: all.
        """
        async for each in self._connection.pages(operations.find, limit):
            yield each

    async def wait(self, id: UUID | str, timeout: timedelta | float | None = None) -> OperationView:
        """Return an operation once it has ended. It is looked at again and again, every 2 seconds in the end.

        Args:
            id: its id.
            timeout: seconds to wait, at most; None: as long as it takes.

        Raises:
            WaitTimedOut: it has not ended within *timeout*. It goes on.
            OperationNotFound: there is none with this id.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        end = None if seconds is None else time.monotonic() + seconds
        pause = _FIRST_LOOK
        while True:
            operation = await self.get(id)
            if operation.state != "running":
                return operation
            left = pause if end is None else end - time.monotonic()
            if left <= 0:
                raise WaitTimedOut(f"the operation {operation.id} has not ended within {seconds:g} s")
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_LOOK)

    async def cancel(self, id: UUID | str) -> OperationView:
        """Have an operation go no further. What it has changed stays so.

        Raises:
            OperationNotFound: there is none with this id.
        """
        return await self._connection.call(operations.cancel(id))


class AsyncKeys:
    """API keys: ``client.keys``. Needs the scope ``admin``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def create(
        self,
        name: str,
        *,
        role: RoleWord | None = None,
        scopes: Sequence[str] | None = None,
        expires_at: Moment | None = None,
    ) -> NewKey:
        """Make an API key: ``client.keys.create("grafana", role="metrics").key``. Not sent again after a lost answer.

        Args:
            name: what people know it by.
            role: a name for a set of scopes: ``metrics``, ``read``, ``write`` or ``admin``.
            scopes: what it may do, in place of a role.
            expires_at: from then on it is not valid; None: it is for ever.

        Returns:
            The key. This alone has it as a whole, as ``key``: it is not shown again.

        Raises:
            NoAdminKey: the first key must have the role ``admin``.
            InvalidRequest: it cannot be made so.
            NaiveTimeError: a datetime has no time zone.
        """
        return await self._connection.call(keys.create(name, role=role, scopes=scopes, expires_at=expires_at))

    async def find(self, *, limit: int | None = None) -> AsyncIterator[KeyView]:
        """Return all keys, without the keys themselves, in the order in which they were made.

        Args:
            limit: at most so many; None: all.
        """
        async for each in self._connection.pages(keys.find, limit):
            yield each

    async def revoke(self, id: str) -> None:
        """Revoke a key, for good: within a second it is valid on no node.

        Args:
            id: the part of the key that is no secret.

        Raises:
            LastAdminKey: nobody could make others then.
            ApiKeyNotFound: there is none with this id.
        """
        await self._connection.call(keys.revoke(id))


class AsyncInbox:
    """What applications have written into the PostgreSQL inbox: ``client.inbox``. With SQLite there is none."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, *, limit: int | None = None) -> AsyncIterator[InboxRowView]:
        """Return the rows that were refused, or are to be taken, those that were made first come first.

        Args:
            limit: at most so many; None: all.
        """
        async for each in self._connection.pages(inbox.find, limit):
            yield each

    async def retry(self, id: UUID | str) -> None:
        """Try a row again that was refused, at once.

        Raises:
            InboxRowNotFound: there is none with this id: it was taken or deleted.
        """
        await self._connection.call(inbox.retry(id))

    async def delete(self, id: UUID | str) -> None:
        """Delete a row: no task comes of it.

        Raises:
            InboxRowNotFound: there is none with this id: it was taken or deleted.
        """
        await self._connection.call(inbox.delete(id))
