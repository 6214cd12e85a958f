"""One call of a function, while it runs: in the event loop, or in a thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from tasker.worker import reports
from tasker.worker.context import Context, enter
from tasker.worker.functions import Function
from tasker.worker.reports import Report


class Execution(Protocol):
    """A call that has begun."""

    @property
    def ended(self) -> "asyncio.Future[Report]":
        """Done once nothing of the call runs any more. It is never cancelled, and never raises."""
        ...

    @property
    def can_be_stopped(self) -> bool:
        """Whether ``stop`` ends the call soon, unless it resists."""
        ...

    def stop(self) -> None:
        """Ask the call to end. May be called twice, and when it has ended."""


class InLoop:
    """A call of an async function, as a task of the event loop: ``stop`` cancels it."""

    can_be_stopped = True

    def __init__(self, function: Function[..., Any], arguments: bytes, context: Context) -> None:
        """Begin the call."""
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Report] = loop.create_future()
        self._task = loop.create_task(self._call(function, arguments), context=enter(context))
        self._task.add_done_callback(lambda task: self.ended.set_result(_report_of(task)))

    def stop(self) -> None:
        """Cancel it."""
        self._task.cancel()

    async def _call(self, function: Function[..., Any], arguments: bytes) -> Report:
        given = function.signature.read(arguments)
        coroutine: Coroutine[Any, Any, object] = function.function(*given.positional, **given.named)
        try:
            return reports.done(await coroutine)
        except (SystemExit, KeyboardInterrupt) as error:  # they end the attempt, not the worker
            return reports.raised(error)


class InThread:
    """A call of a function that is not async, in a thread of its own: nothing can stop it from outside.

    The thread does not keep the process from ending.
    """

    can_be_stopped = False

    def __init__(self, function: Function[..., Any], arguments: bytes, context: Context) -> None:
        """Begin the call."""
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Report] = loop.create_future()
        run = enter(context).run

        def work() -> None:
            report = run(call, function, arguments)
            try:
                loop.call_soon_threadsafe(self.ended.set_result, report)
            except RuntimeError:  # the loop is closed: the worker has stopped without it
                return

        threading.Thread(target=work, name=f"tasker-{context.name}-{context.task_id}", daemon=True).start()

    def stop(self) -> None:
        """Nothing: whoever runs looks at ``Context.over`` by themselves."""


def call(function: Function[..., Any], arguments: bytes) -> Report:
    """Call a function that is not async, and return what is to be reported."""
    try:
        given = function.signature.read(arguments)
        return reports.done(function.function(*given.positional, **given.named))
    except BaseException as error:  # noqa: BLE001 - SystemExit and its like end the attempt, not the thread
        return reports.raised(error)


def _report_of(task: "asyncio.Task[Report]") -> Report:
    if task.cancelled():
        return reports.raised(asyncio.CancelledError("the function was cancelled"))
    error = task.exception()
    return task.result() if error is None else reports.raised(error)


Starter = Callable[[Function[..., Any], bytes, Context], Execution]
"""Begins a call."""
