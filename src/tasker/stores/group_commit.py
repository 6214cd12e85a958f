"""Group commit: whatever arrives while one transaction commits shares the next one.

An fsync costs much more than a row. Callers wait for the commit that carries their write; under
load one fsync serves all that arrived during the one before, so that the rate grows with the number
of callers.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from tasker.errors import StoreBusyError, StoreUnavailableError
from tasker.model.store_meter import StoreMeter
from tasker.timing.clock import stopwatch

W = TypeVar("W")
R = TypeVar("R")
W_contra = TypeVar("W_contra", contravariant=True)

Result: TypeAlias = object
"""What a write came to: its value, or the exception its caller gets."""

GROUP_LIMIT: Final = 512
"""Writes in one transaction at most, so that a claim does not wait behind a very long one."""


class Commit(Protocol[W_contra]):
    """How a store runs writes. Called on one thread only. What a method raises, each of its callers gets."""

    def run_urgent(self, write: W_contra) -> Result:
        """Run one write in a transaction of its own."""

    def run_group(self, writes: Sequence[W_contra]) -> Sequence[Result]:
        """Run *writes* in one durable transaction and return what each came to, in the same order."""


class GroupCommit(Generic[W]):
    """Hands writes from the event loop to one writer thread, which commits them in groups.

    Urgent writes (claims) go first: one waits for at most the group that is being committed. The
    results of a group come back with a single wake-up of the loop.
    """

    def __init__(self, commit: Commit[W], *, pending_limit: int, meter: StoreMeter) -> None:
        """Make it. Needs a running event loop.

        Args:
            commit: runs the writes.
            pending_limit: how many writes may wait.
            meter: told of each group, as the kind ``write``, but not of urgent writes.
        """
        self._commit = commit
        self._pending_limit = pending_limit
        self._meter = meter
        self._pending = 0
        self._arrived: list[_Handed[W]] = []
        self._inbox: SimpleQueue[list[_Handed[W]] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run_until_closed, name="tasker-writer", daemon=True)
        self._closed = False
        self._thread.start()

    def submit(self, write: W, *, always: bool = False, urgent: bool = False) -> "asyncio.Future[Result]":
        """Hand in *write*. The future is done once it is committed, or has failed.

        Raises:
            StoreBusyError: too many writes wait, and this one is not to be taken *always*.
        """
        if self._closed:
            raise StoreUnavailableError("it is closed")
        if self._pending >= self._pending_limit and not always:
            busy = StoreBusyError()
            self._meter.failed(busy)
            raise busy
        self._pending += 1
        future: asyncio.Future[Result] = self._loop.create_future()
        handed = _Handed(write, urgent, future)
        if urgent:
            self._inbox.put([handed])
        else:
            # What arrives within one turn of the loop is handed over together: one wake-up of the
            # writer, not many.
            self._arrived.append(handed)
            if len(self._arrived) == 1:
                self._loop.call_soon(self._hand_over)
        return future

    async def close(self) -> None:
        """Commit what was handed in, then end the thread. May be called twice."""
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._inbox.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._arrived:
            self._inbox.put(self._arrived)
            self._arrived = []

    def _run_until_closed(self) -> None:
        waiting: deque[_Handed[W]] = deque()
        closing = False
        while waiting or not closing:
            batches = _take_all(self._inbox, block=not waiting)
            for batch in batches:
                if batch is None:
                    closing = True
                    continue
                urgent = [handed for handed in batch if handed.urgent]
                waiting += [handed for handed in batch if not handed.urgent]
                for handed in urgent:
                    self._report([handed], self._run([handed]))
            if waiting:
                group = [waiting.popleft() for _ in range(min(len(waiting), GROUP_LIMIT))]
                self._report(group, self._run(group))

    def _run(self, group: Sequence["_Handed[W]"]) -> Sequence[Result]:
        try:
            if group[0].urgent:
                return [self._commit.run_urgent(group[0].write)]
            begun = stopwatch()
            try:
                return self._commit.run_group([handed.write for handed in group])
            finally:
                self._meter.commits["write"].committed(len(group), stopwatch() - begun)
        except Exception as error:  # noqa: BLE001 - the writer must live on, whatever a write did; the callers get it
            return [error] * len(group)

    def _report(self, group: Sequence["_Handed[W]"], results: Sequence[Result]) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it everybody who waited
            self._loop.call_soon_threadsafe(self._resolve, group, results)

    def _resolve(self, group: Sequence["_Handed[W]"], results: Sequence[Result]) -> None:
        self._pending -= len(group)
        for handed, result in zip(group, results, strict=True):
            settle_future(handed.future, result)


class InlineCommit(Generic[W]):
    """The same without a thread: each write is run at once, on the event loop.

    For a store in memory, which never waits.
    """

    def __init__(self, commit: Commit[W]) -> None:
        self._commit = commit
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def submit(self, write: W, *, always: bool = False, urgent: bool = False) -> "asyncio.Future[Result]":
        """See ``GroupCommit``. Never busy."""
        del always
        if self._closed:
            raise StoreUnavailableError("it is closed")
        future: asyncio.Future[Result] = self._loop.create_future()
        settle_future(future, self._commit.run_urgent(write) if urgent else self._commit.run_group([write])[0])
        return future

    async def close(self) -> None:
        """Nothing is waiting, ever."""
        self._closed = True


class _Handed(Generic[W]):
    __slots__ = ("future", "urgent", "write")

    def __init__(self, write: W, urgent: bool, future: "asyncio.Future[Result]") -> None:
        self.write = write
        self.urgent = urgent
        self.future = future


def settle_future(future: "asyncio.Future[R]", result: R | BaseException) -> None:
    """Give *future* its value or its exception, unless its caller has gone.

    A caller that hung up must not strand the rest.
    """
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


def _take_all(inbox: "SimpleQueue[Any]", *, block: bool) -> list[Any]:
    """Take whatever is in the *inbox*; wait for a first one if *block*."""
    taken: list[Callable[[], Any]] = [inbox.get()] if block else []
    try:
        while True:
            taken.append(inbox.get_nowait())
    except Empty:
        return taken
