"""Claims the tasks of a backend's queues, and runs them in threads: the loop of ``manage.py tasker_worker``."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tasker.client.answers import Job
from tasker.client.asynchronous.client import AsyncClient
from tasker.client.errors import ApiError, CallFailed, Cancelled, CompletedBefore, CompletionLate, TaskNotFound
from tasker.client.synchronous.client import Client
from tasker.django.backend import TaskerBackend
from tasker.django.clients import client_of
from tasker.django.running import Claimed, NotCountedError, run

logger: Final = logging.getLogger("tasker.django")

_LONGEST_WAIT: Final = 60.0
"""Seconds that one claim waits for a job."""

_LONGEST_PAUSE: Final = 10.0
"""Seconds between two tries to reach a server that is away."""

_OVER: Final = (Cancelled, CompletedBefore, CompletionLate, TaskNotFound)
"""What the server says of an attempt that is not this worker's any more."""

_OWN_TROUBLE: Final = 500
"""From this status on, a refusal is the server's own trouble, and may pass."""


class Worker:
    """Runs the tasks of some queues, several at a time.

    Nothing is claimed that no thread is free for. Each queue has a claim that waits at the server, and a
    thread that is kept for what it brings; any queue may use the other threads.
    """

    def __init__(
        self,
        backend: TaskerBackend,
        client: AsyncClient,
        queues: Sequence[str],
        *,
        threads: int,
        lease: timedelta,
        worker_id: str,
    ) -> None:
        """Make a worker. It is run once.

        Args:
            backend: whose tasks it runs.
            client: claims them.
            queues: their names.
            threads: how many tasks it runs at once, at least one for each queue.
            lease: for how long it has a task, unless it tells that it goes on, which it does three
                times as often. If it dies, the task is given to another so much later.
            worker_id: what results call it.
        """
        self._backend = backend
        self._client = client
        self._queues = queues
        self._lease = lease
        self._worker_id = worker_id
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="tasker")
        self._free = asyncio.Semaphore(threads)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event, *, batch: bool = False) -> None:
        """Claim and run tasks until *stop* is set; return once those that run then have ended.

        Args:
            stop: see there.
            batch: return as well once nothing is due and nothing runs.

        Raises:
            ApiError: the server refuses to give this worker tasks, and would go on to.
        """
        pulling = [self._pull_what_is_due()] if batch else [self._pull(queue) for queue in self._queues]
        over = asyncio.gather(*pulling)
        stopping = asyncio.create_task(stop.wait())
        try:
            either: list[asyncio.Future[Any]] = [over, stopping]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                over.result()
        finally:
            for each in (over, stopping):
                each.cancel()
            await asyncio.gather(over, stopping, return_exceptions=True)
            if self._running:
                logger.info("Waiting for %d tasks to end", len(self._running))
                await asyncio.gather(*self._running)
            self._threads.shutdown()

    async def _pull(self, queue: str) -> None:
        """Claim and run tasks of a queue, for ever."""
        while True:
            await self._free.acquire()
            await self._claim_and_begin(queue, wait=_LONGEST_WAIT)

    async def _pull_what_is_due(self) -> None:
        """Claim and run tasks of all queues until none is left, not even of those that tasks enqueue."""
        while True:
            found = False
            for queue in self._queues:
                await self._free.acquire()
                found = await self._claim_and_begin(queue, wait=0.0) or found
            if not found and not self._running:
                return
            if not found:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _claim_and_begin(self, queue: str, *, wait: float) -> bool:
        """Claim a task and run it in the thread that the caller has acquired. Return whether there was one."""
        jobs: Sequence[Job] = ()
        try:
            jobs = await self._claim(queue, wait=wait)
        finally:
            if not jobs:
                self._free.release()
        for job in jobs:
            task = asyncio.create_task(self._work(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return bool(jobs)

    async def _claim(self, queue: str, *, wait: float) -> Sequence[Job]:
        """Return the task that came, if one did. Tries again for as long as the server is away."""
        pause = 0.0
        while True:
            try:
                return await self._client.queues.claim(queue, max=1, wait=wait, lease=self._lease)
            except CallFailed as error:
                reason = str(error)
            except ApiError as error:
                if error.status < _OWN_TROUBLE and error.code != "too_many_calls":
                    raise
                reason = error.message
            pause = min(pause + 1.0, _LONGEST_PAUSE)
            logger.warning("No tasks of the queue %s can be claimed, trying again: %s", queue, reason)
            await asyncio.sleep(pause)

    async def _work(self, job: Job) -> None:
        claimed = Claimed(id=job.id, attempt=job.attempt, queue=job.fields["queue"], json=job.json)
        report = _Report(client_of(self._backend.tasker_options), job.token)
        beating = asyncio.create_task(self._beat(job))
        try:
            work = partial(run, claimed, report, backend=self._backend, worker_id=self._worker_id)
            await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            beating.cancel()
            self._free.release()

    async def _beat(self, job: Job) -> None:
        """Tell the server that the work on *job* goes on, until this is cancelled."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self._client.completions.heartbeat(job.token)
            except _OVER as error:
                logger.warning("Task id=%s runs on, but is not this worker's any more: %s", job.id, error.message)
                return
            except (ApiError, CallFailed) as error:
                logger.warning("The server was not told that task id=%s goes on: %s", job.id, error)


class _Report:
    """Tells how an attempt ended, until the server has heard it. Used by the thread that ran the function."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._token = token

    def complete(self, result: object) -> str:
        """See ``Report``."""
        return self._tell(lambda: self._client.completions.complete(self._token, result).state)

    def fail(self, *, code: str, msg: str, details: object, retry: bool) -> str:
        """See ``Report``."""
        return self._tell(
            lambda: self._client.completions.fail(self._token, code=code, msg=msg, details=details, retry=retry).state
        )

    @staticmethod
    def _tell(call: Callable[[], str]) -> str:
        pause = 0.0
        while True:
            try:
                return call()
            except _OVER as error:
                raise NotCountedError(error.message) from None
            except CallFailed as error:  # a server that comes back still knows the attempt
                pause = min(pause + 1.0, _LONGEST_PAUSE)
                logger.warning("The end of a task could not be told, trying again: %s", error)
                time.sleep(pause)
