"""Group commit on a server: whatever arrives while one statement runs shares the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from tasker.errors import StoreBusyError, StoreUnavailableError
from tasker.model.store_meter import StoreMeter
from tasker.stores.group_commit import GROUP_LIMIT, settle_future
from tasker.timing.clock import stopwatch

W = TypeVar("W")
R = TypeVar("R")


class Batches(Generic[W, R]):
    """Collects writes of one kind and runs them in batches, one batch after the other."""

    def __init__(
        self,
        run: Callable[[Sequence[W]], Awaitable[Sequence[R | Exception]]],
        *,
        pending_limit: int,
        meter: StoreMeter,
        kind: str,
    ) -> None:
        """Make it. Needs a running event loop.

        Args:
            run: runs a batch durably and returns what each write came to, in the same order: its
                value, or the error that its caller gets. What it raises, all of them get.
            pending_limit: how many writes may wait.
            meter: told of each batch.
            kind: what it knows them as.
        """
        self._run = run
        self._pending_limit: Final = pending_limit
        self._meter = meter
        self._committed = meter.commits[kind].committed
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[W, asyncio.Future[R]]] = deque()
        self._running = 0
        self._job: asyncio.Task[None] | None = None
        self._closed = False

    def submit(self, write: W, *, always: bool = False) -> "asyncio.Future[R]":
        """Hand in *write*. The future is done once it is committed, or has failed.

        Raises:
            StoreBusyError: too many writes wait, and this one is not to be taken *always*.
        """
        if self._closed:
            raise StoreUnavailableError("it is closed")
        if len(self._waiting) + self._running >= self._pending_limit and not always:
            busy = StoreBusyError()
            self._meter.failed(busy)
            raise busy
        future: asyncio.Future[R] = self._loop.create_future()
        self._waiting.append((write, future))
        if self._job is None:
            self._job = self._loop.create_task(self._run_until_none_waits())
        return future

    async def close(self) -> None:
        """Run what was handed in, then take no more. May be called twice."""
        self._closed = True
        if self._job is not None:
            await self._job

    async def _run_until_none_waits(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]
            self._running = len(batch)
            results: Sequence[R | Exception]
            begun = stopwatch()
            try:
                results = await self._run([write for write, _ in batch])
            except Exception as error:  # noqa: BLE001 - the callers get it
                results = [error] * len(batch)
            self._committed(len(batch), stopwatch() - begun)
            for (_, future), result in zip(batch, results, strict=True):
                settle_future(future, result)
        self._running = 0
        self._job = None
