"""The worker: claims calls of the functions of an app, and makes them."""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final

from tasker.client.answers import Job
from tasker.client.asynchronous.client import AsyncClient
from tasker.client.errors import ApiError, CallFailed
from tasker.errors import StartError
from tasker.model.gate import queue_of_type
from tasker.wire.queues import LONGEST_WAIT, MOST
from tasker.worker.attempts import RunningAttempt
from tasker.worker.context import Context
from tasker.worker.executions import Execution, InLoop, InThread
from tasker.worker.functions import App, Function
from tasker.worker.processes import Processes
from tasker.worker.trying import pauses

SLOTS: Final = 10
LEASE: Final = timedelta(seconds=60)
GRACE: Final = timedelta(seconds=30)

_LAST_WORDS: Final = 5.0
"""Seconds in which what is left after the grace period is given back."""

_log = logging.getLogger("tasker.worker")


class Worker:
    """Makes calls of functions, up to so many at once, until it is told to stop. Needs a running event loop.

    A call that is async runs in the event loop. One that is not runs in a thread of its own or, with
    ``processes``, in a process.
    """

    def __init__(
        self,
        app: App,
        client: AsyncClient,
        *,
        slots: int = SLOTS,
        processes: Processes | None = None,
        only: Collection[str] = (),
        lease: timedelta = LEASE,
        grace: timedelta = GRACE,
        rand: Callable[[], float] = random.random,
    ) -> None:
        """Make a worker that has not begun.

        Args:
            app: has the functions.
            client: of the server. It is not closed.
            slots: how many calls it makes at once.
            processes: where calls are made that are not async; None: in threads.
            only: the functions that it runs; empty: all of the app.
            lease: how long it has a task without a heartbeat.
            grace: how long calls may go on once it is told to stop.
            rand: random numbers in [0, 1).

        Raises:
            StartError: the app has no function of a name in *only*.
        """
        for name in only:
            if name not in app.functions:
                raise StartError(f"the app has no function {name!r}; it has {', '.join(app.functions)}")
        self._functions = {name: each for name, each in app.functions.items() if not only or name in only}
        self._client = client
        self._slots = slots
        self._processes = processes
        self._lease = lease
        self._grace = grace
        self._rand = rand
        self._free = asyncio.Event()
        self._free.set()
        self._running: dict[asyncio.Task[None], RunningAttempt] = {}
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        """What it is called, for people."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until *stopping* is set; then let running calls end, for the grace period at most.

        What is not over then is cancelled or left behind, and its tasks are given back: no attempt is used up.
        """
        _log.info(
            "working",
            extra={
                "worker": self.name,
                "server": self._client.url,
                "functions": [*self._functions],
                "slots": self._slots,
            },
        )
        claiming = asyncio.create_task(self._claim())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({claiming, told}, return_when=asyncio.FIRST_COMPLETED)
        claiming.cancel()
        told.cancel()
        await asyncio.wait({claiming})
        if not claiming.cancelled():
            claiming.result()
        await self._drain()

    async def _claim(self) -> None:
        """Take what is due, as much as there are free slots, for ever."""
        queues = [queue_of(name) for name in self._functions]
        waits, said = pauses(), ""
        while True:
            await self._free.wait()
            queues.sort(key=lambda _: self._rand())  # so that no function is always asked for first
            try:
                jobs = await self._client.queues.claim_any(
                    queues,
                    max=min(self._slots - len(self._running), MOST),
                    wait=LONGEST_WAIT,
                    lease=self._lease,
                )
            except (ApiError, CallFailed) as error:
                if str(error) != said:
                    _log.warning("cannot claim tasks, trying again", extra={"reason": str(error)})
                said = str(error)
                await asyncio.sleep(self._rand() * next(waits))
                continue
            if said:
                _log.info("claims tasks again")
                waits, said = pauses(), ""
            for job in jobs:
                self._begin(job)

    def _begin(self, job: Job) -> None:
        function = self._functions[job.type]
        attempt = RunningAttempt(
            job, function, client=self._client, start=self._start, lease=self._lease, worker=self.name
        )
        task = asyncio.create_task(attempt.run())
        self._running[task] = attempt
        task.add_done_callback(self._end)
        self._note_free()

    def _end(self, task: asyncio.Task[None]) -> None:
        attempt = self._running.pop(task)
        self._note_free()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a defect in the worker: an attempt was left to its lease", extra=attempt.names, exc_info=error)

    def _note_free(self) -> None:
        if len(self._running) < self._slots:
            self._free.set()
        else:
            self._free.clear()

    def _start(self, function: Function[..., object], arguments: bytes, context: Context) -> Execution:
        if function.is_async:
            return InLoop(function, arguments, context)
        if self._processes is None:
            return InThread(function, arguments, context)
        return self._processes.start(function, arguments, context)

    async def _drain(self) -> None:
        running = [*self._running.values()]
        _log.info("stopping", extra={"running": len(running), "grace_period_seconds": self._grace.total_seconds()})
        telling = [asyncio.create_task(attempt.told.wait()) for attempt in running]
        if telling:
            await asyncio.wait(telling, timeout=self._grace.total_seconds())
            for attempt in running:
                if not attempt.told.is_set():
                    attempt.give_up("stopping")
            await asyncio.wait(telling, timeout=_LAST_WORDS)
        for waiting in telling:
            waiting.cancel()
        _log.info("stopped", extra={"left_behind": len(self._running)} if self._running else {})


def queue_of(name: str) -> str:
    """Return the queue of the calls of a function.

    >>> queue_of("report.build")
    'type:report.build'
    """
    return queue_of_type(name).name
