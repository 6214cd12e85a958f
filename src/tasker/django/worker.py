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
from tasker.client.errors import ApiError, CallFailed
from tasker.client.synchronous.client import Client
from tasker.django.backend import TaskerBackend
from tasker.django.clients import client_of
from tasker.django.running import Claimed, NotCountedError, run
from tasker.wire.queues import LONGEST_WAIT, MOST
from tasker.worker.trying import may_pass, pauses

logger: Final = logging.getLogger("tasker.django")


class Worker:
    """Runs the tasks of some queues, several at a time. Nothing is claimed that no thread is free for."""

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
            threads: how many tasks it runs at once.
            lease: for how long it has a task, unless it tells that it goes on, which it does three
                times as often. If it dies, the task is given to another so much later.
            worker_id: what results call it.
        """
        self._backend = backend
        self._client = client
        self._queues = queues
        self._lease = lease
        self._worker_id = worker_id
        self._slots = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="tasker")
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event, *, batch: bool = False) -> None:
        """Claim and run tasks until *stop* is set; return once those that run then have ended.

        Args:
            stop: see there.
            batch: return as well once nothing is due and nothing runs, not even what tasks enqueue.

        Raises:
            ApiError: the server refuses to give this worker tasks, and would go on to.
        """
        pulling = asyncio.create_task(self._pull(batch=batch))
        stopping = asyncio.create_task(stop.wait())
        try:
            either: list[asyncio.Future[Any]] = [pulling, stopping]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if pulling.done():
                pulling.result()
        finally:
            for each in (pulling, stopping):
                each.cancel()
            await asyncio.gather(pulling, stopping, return_exceptions=True)
            if self._running:
                logger.info("Waiting for %d tasks to end", len(self._running))
                await asyncio.gather(*self._running)
            self._threads.shutdown()

    async def _pull(self, *, batch: bool) -> None:
        """Claim and run tasks: for ever, or until none is left."""
        while True:
            free = self._slots - len(self._running)
            jobs = await self._claim(min(free, MOST), wait=0.0 if batch else LONGEST_WAIT) if free else []
            for job in jobs:
                task = asyncio.create_task(self._work(job))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if batch and free and not jobs and not self._running:
                return
            if self._running and (len(self._running) == self._slots or (batch and not jobs)):
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _claim(self, most: int, *, wait: float) -> Sequence[Job]:
        """Return the tasks that came. Tries again for as long as the server is away."""
        waits = pauses()
        while True:
            try:
                return await self._client.queues.claim_any(self._queues, max=most, wait=wait, lease=self._lease)
            except (ApiError, CallFailed) as error:
                if not may_pass(error):
                    raise
                logger.warning("No tasks can be claimed, trying again: %s", error)
            await asyncio.sleep(next(waits))

    async def _work(self, job: Job) -> None:
        claimed = Claimed(id=job.id, attempt=job.attempt, queue=job.fields["queue"], json=job.json)
        report = _Report(client_of(self._backend.tasker_options), job.token)
        beating = asyncio.create_task(self._beat(job))
        try:
            work = partial(run, claimed, report, backend=self._backend, worker_id=self._worker_id)
            await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            beating.cancel()

    async def _beat(self, job: Job) -> None:
        """Tell the server that the work on *job* goes on, until this is cancelled."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self._client.completions.heartbeat(job.token)
            except (ApiError, CallFailed) as error:
                if not may_pass(error):
                    logger.warning("Task id=%s runs on, but is not this worker's any more: %s", job.id, error)
                    return
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
        waits = pauses()
        while True:
            try:
                return call()
            except (ApiError, CallFailed) as error:  # a server that comes back still knows the attempt
                if not may_pass(error):
                    raise NotCountedError(str(error)) from None
                logger.warning("The end of a task could not be told, trying again: %s", error)
                time.sleep(next(waits))
