"""One claimed task: its function is called, its lease is kept, and its end is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from tasker.client.answers import Job
from tasker.client.asynchronous.client import AsyncClient
from tasker.client.errors import ApiError, CallFailed, Cancelled
from tasker.worker import reports
from tasker.worker.context import About, Context, Why
from tasker.worker.executions import Starter
from tasker.worker.functions import Function
from tasker.worker.reports import Report
from tasker.worker.trying import may_pass, pauses

BEATS_APART: Final = 1.0
"""Seconds between two heartbeats, at least: the server writes no more."""

BEATS_IN_A_LEASE: Final = 3
"""So many fit into a lease: two may be lost."""

_MOMENTS: Final = 1.0
"""Seconds that a call which was stopped has to end, until it is told that it still runs."""

_log = logging.getLogger("tasker.worker")


def timeout_of(job: Job, function: Function[..., object]) -> float | None:
    """Return how many seconds the call may take: as the task says, or else its function; None: as long as it likes."""
    of_function = None if function.timeout is None else function.timeout.total_seconds()
    seconds: float | None = job.fields.get("timeout", of_function)
    return seconds


def about(job: Job, function: Function[..., object]) -> About:
    """Return what the function is told of the attempt, which begins now."""
    timeout = timeout_of(job, function)
    return About(
        name=function.name,
        task_id=job.id,
        attempt=job.attempt,
        key=None if job.key is msgspec.UNSET else job.key,
        execution_time=datetime.fromisoformat(job.execution_time),
        deadline=None if timeout is None else datetime.now(UTC) + timedelta(seconds=timeout),
        tags=tuple(job.fields.get("tags", ())),
    )


class RunningAttempt:
    """A claimed task, from its claim until nothing of it runs here any more."""

    def __init__(
        self,
        job: Job,
        function: Function[..., object],
        *,
        client: AsyncClient,
        start: Starter,
        lease: timedelta,
        worker: str,
    ) -> None:
        """Take over a job.

        Args:
            start: begins the call.
            worker: what this worker is called, for people.
        """
        self._job = job
        self._function = function
        self._client = client
        self._start = start
        self._worker = worker
        self._pause = lease.total_seconds() / BEATS_IN_A_LEASE
        self._arguments = msgspec.json.encode(job.fields.get("args", {}))
        self._timeout = timeout_of(job, function)
        self._over = asyncio.Event()
        self._told: dict[str, float | str] = {}
        self._rung = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._context = Context(about(job, function), beat=self._hear)
        self.is_overdue = False
        """Whether the attempt has ended, but its call has not."""
        self.told = asyncio.Event()
        """Set once the attempt has ended for the server, too."""

    @property
    def names(self) -> dict[str, object]:
        """What the log calls it."""
        return {"function": self._function.name, "task_id": self._job.id, "attempt": self._job.attempt}

    def give_up(self, why: Why) -> None:
        """Say that nobody waits for the attempt any more."""
        if self._context.over is None:
            self._context.end(why)
        self._over.set()

    async def run(self) -> None:
        """Call the function, and tell how it ended. Returns once nothing of the call runs any more."""
        beating = asyncio.create_task(self._beat())
        execution = self._start(self._function, self._arguments, self._context)
        giving_up = asyncio.create_task(self._over.wait())
        try:
            waited: set[asyncio.Future[Any]] = {execution.ended, giving_up}
            await asyncio.wait(waited, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            if execution.ended.done():
                await self._report(execution.ended.result())
                self.told.set()
                return
            if not self._over.is_set():
                self.give_up("timeout")
            execution.stop()
            if execution.can_be_stopped:
                await asyncio.wait({execution.ended}, timeout=_MOMENTS)
            self.is_overdue = not execution.ended.done()
            await self._tell_of_giving_up()
            self.told.set()
            beating.cancel()
            if self.is_overdue:
                await self._outlast(execution.ended)
        finally:
            beating.cancel()
            giving_up.cancel()

    async def _tell_of_giving_up(self) -> None:
        """Tell the server why the attempt ends before its call has, if it does not know."""
        still = (
            f"; the function still runs on the worker {self._worker}, whose slot stays taken until it returns"
            if self.is_overdue
            else ""
        )
        match self._context.over:
            case "timeout":
                await self._report(
                    reports.failed("timeout", f"it took longer than its timeout of {self._timeout:g} s{still}")
                )
            case "stopping":
                await self._repeat("released", lambda: self._client.completions.release(self._job.token))
            case _:
                pass  # the server has said so itself

    async def _outlast(self, ended: "asyncio.Future[Report]") -> None:
        """Wait for a call that goes on although its attempt has ended."""
        why = self._context.over
        _log.warning(
            "the attempt has ended, but its function still runs: its slot stays taken until it returns",
            extra={**self.names, "why": why},
        )
        since = self._loop.time()
        await ended
        seconds = round(self._loop.time() - since, 3)
        _log.warning(
            "a function has returned after its attempt had ended: its slot is free, what it returned is dropped",
            extra={**self.names, "seconds": seconds},
        )

    async def _report(self, report: Report) -> None:
        completions, token = self._client.completions, self._job.token
        if report.what == "complete":
            await self._repeat("done", lambda: completions.complete(token, report.result))
            return
        _log.info("an attempt failed", extra={**self.names, "code": report.code, "error": report.msg})
        await self._repeat(
            "failed",
            lambda: completions.fail(
                token,
                code=report.code,
                msg=report.msg,
                details=report.details,
                retry=report.retry,
                retry_after=report.retry_after,
            ),
        )

    async def _repeat(self, end: str, tell: Callable[[], Awaitable[object]]) -> None:
        """Tell the server how the attempt ended, until it has heard it. The lease is kept meanwhile."""
        for pause in pauses():
            try:
                await tell()
            except ApiError as error:
                if not may_pass(error):
                    _log.warning(
                        "the server did not want to hear how an attempt ended",
                        extra={**self.names, "end": end, "code": error.code, "reason": error.message},
                    )
                    return
                reason = error.message
            except CallFailed as error:
                reason = str(error)
            else:
                _log.debug("told how an attempt ended", extra={**self.names, "end": end})
                return
            _log.warning("cannot tell how an attempt ended, trying again", extra={**self.names, "reason": reason})
            await asyncio.sleep(pause)

    def _hear(self, progress: float | None, msg: str | None) -> None:
        """Take what a function says of its progress, from any thread."""
        told = {name: said for name, said in (("progress", progress), ("msg", msg)) if said is not None}
        try:
            self._loop.call_soon_threadsafe(self._take, told)
        except RuntimeError:  # the loop is closed: the worker has stopped without it
            return

    def _take(self, told: dict[str, float | str]) -> None:
        self._told |= told
        self._rung.set()

    async def _beat(self) -> None:
        """Keep the lease, and pass on what the function says of its progress."""
        while True:
            try:
                async with asyncio.timeout(self._pause):
                    await self._rung.wait()
            except TimeoutError:
                pass
            self._rung.clear()
            progress, msg = self._told.get("progress"), self._told.get("msg")
            try:
                await self._client.completions.heartbeat(
                    self._job.token,
                    progress=None if progress is None else float(progress),
                    msg=None if msg is None else str(msg),
                )
            except Cancelled:
                _log.info("a task was cancelled while it ran", extra=self.names)
                self.give_up("cancelled")
                return
            except ApiError as error:
                if not may_pass(error):
                    _log.warning("an attempt is not this worker's any more", extra={**self.names, "code": error.code})
                    self.give_up("lost")
                    return
                _log.warning("cannot keep the lease, trying again", extra={**self.names, "reason": error.message})
            except CallFailed as error:
                _log.warning("cannot keep the lease, trying again", extra={**self.names, "reason": str(error)})
            await asyncio.sleep(BEATS_APART)
