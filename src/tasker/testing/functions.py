"""Calls the functions of an app that are due, in the thread of the test that asks for it."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from tasker.client.answers import Job, Task
from tasker.client.errors import Cancelled
from tasker.client.synchronous.client import Client
from tasker.worker import reports
from tasker.worker.attempts import about, timeout_of
from tasker.worker.context import Context, enter
from tasker.worker.executions import call
from tasker.worker.functions import App, Function
from tasker.worker.reports import Report
from tasker.worker.worker import queue_of

CallAsync = Callable[[Coroutine[Any, Any, Report]], Report]
"""Has a coroutine run, and returns its result."""

_LEASE: Final = timedelta(days=1)
"""The clock stands still while a function runs."""


class Functions:
    """Makes the calls that are due of an app's functions, one after the other, as a worker would.

    Arguments are checked, results and errors told, and retries made as ever. A function that is not
    async runs in the calling thread, and no timeout ends it.
    """

    def __init__(self, app: App, client: Client) -> None:
        """Make it.

        Args:
            client: of the server, whose clock stands still while a function runs.
        """
        self._functions = app.functions
        self._client = client

    def next_due(self) -> datetime | None:
        """Return when the next call is due, which may have passed; None: none is waiting."""
        if not self._functions:
            return None
        waiting = [task for task in self._client.find(state="todo") if task.type in self._functions]
        return min(map(self._due, waiting), default=None)

    def call_due(self, call_async: CallAsync) -> bool:
        """Make the calls that are due, and those that become due by that. Return whether there were any.

        Args:
            call_async: runs those that are async.
        """
        is_any = False
        while jobs := self._claim():
            is_any = True
            for job in jobs:
                self._make(job, self._functions[job.type], call_async)
        return is_any

    def _claim(self) -> Sequence[Job]:
        queues = [queue_of(name) for name in self._functions]
        return self._client.queues.claim_any(queues, max=1, lease=_LEASE) if queues else ()

    def _make(self, job: Job, function: Function[..., Any], call_async: CallAsync) -> None:
        context = Context(about(job, function), beat=lambda progress, msg: self._beat(job, context, progress, msg))
        arguments = msgspec.json.encode(job.fields.get("args", {}))
        if not function.is_async:
            self._tell(job, enter(context).run(call, function, arguments))
            return
        try:
            report = call_async(_called(function, arguments, context, timeout_of(job, function)))
        except BaseException:  # it was not called, or the test was interrupted
            self._client.completions.release(job.token)
            raise
        self._tell(job, report)

    def _beat(self, job: Job, context: Context, progress: float | None, msg: str | None) -> None:
        try:
            self._client.completions.heartbeat(job.token, progress=progress, msg=msg)
        except Cancelled:
            context.end("cancelled")

    def _tell(self, job: Job, report: Report) -> None:
        completions = self._client.completions
        with contextlib.suppress(Cancelled):  # nobody waits for it any more
            if report.what == "complete":
                completions.complete(job.token, report.result)
            else:
                completions.fail(
                    job.token,
                    code=report.code,
                    msg=report.msg,
                    details=report.details,
                    retry=report.retry,
                    retry_after=report.retry_after,
                )

    def _due(self, task: Task) -> datetime:
        """Return when its next attempt is due."""
        at = self._client.explain(task.id).due_at if task.attempts else task.execution_time
        return datetime.fromisoformat(at or task.execution_time)


async def _called(
    function: Function[..., Any],
    arguments: bytes,
    context: Context,
    timeout: float | None,  # noqa: ASYNC109 - the task's
) -> Report:
    """Call an async function, and return what is to be reported."""
    calling = asyncio.get_running_loop().create_task(_awaited(function, arguments), context=enter(context))
    done, _ = await asyncio.wait({calling}, timeout=timeout)
    if done:
        return calling.result()
    context.end("timeout")
    calling.cancel()
    await asyncio.wait({calling})
    return reports.failed("timeout", f"it took longer than its timeout of {timeout:g} s")


async def _awaited(function: Function[..., Any], arguments: bytes) -> Report:
    try:
        given = function.signature.read(arguments)
        return reports.done(await function.function(*given.positional, **given.named))
    except Exception as error:  # noqa: BLE001 - as a worker: whatever it raises ends the attempt
        return reports.raised(error)


def run_here(coroutine: Coroutine[Any, Any, Report]) -> Report:
    """Run *coroutine* in an event loop of its own, in this thread.

    Raises:
        RuntimeError: one is running here already.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    coroutine.close()
    raise RuntimeError(
        "an async function is due, and cannot be run while this event loop waits for it: "
        "await run_due_async(), or advance_async(...), in place of run_due() and clock.advance(...)"
    )


def run_in(loop: asyncio.AbstractEventLoop) -> CallAsync:
    """Return what has coroutines run in *loop*, from another thread."""

    def run(coroutine: Coroutine[Any, Any, Report]) -> Report:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    return run
