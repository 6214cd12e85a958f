"""A server in the process of the test: the real service and engine, in memory, on a clock that stands still."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Final

from typing_extensions import override

from tasker.client.asynchronous.client import AsyncClient
from tasker.client.synchronous.client import Client
from tasker.config import Settings
from tasker.model import lengths
from tasker.node import in_process
from tasker.task_types.function import function_types
from tasker.testing.driven import NO_KEY, Driven, Length, ServerClock
from tasker.testing.functions import CallAsync, Functions, run_here, run_in
from tasker.testing.loop_thread import LoopThread
from tasker.testing.recording_client import RecordingClient, Sent
from tasker.testing.transport import InProcessTransport
from tasker.timing.clock import SystemClock
from tasker.timing.movable_clock import MovableClock
from tasker.worker.functions import App

URL: Final = "http://localhost"


class TaskerMemory(Driven):
    """A tasker without a network, a file or a process. Use it as a context manager.

    Everything is that of a server, but its doors: what ``client`` creates is checked, stored in SQLite
    in memory, and run by the engine. Webhooks are recorded in ``sent``, and not sent. Nothing starts
    until the clock is moved, or ``run_due`` is called: not even what is due at once.

    The waits of retry policies have no jitter: each is the middle of what it may be.
    It is run on a thread of its own, so tests may be synchronous or asynchronous.
    """

    def __init__(self, settings: Settings | None = None, app: App | None = None) -> None:
        """Make one that does not run yet.

        Args:
            settings: of the server; None: the defaults. Where it stores tasks and listens does not matter.
                If there are API keys, the clients show the first.
            app: its functions can be scheduled, here and by ``schedule`` and ``schedule_sync``. They are called
                when they are due, in the thread that moves the clock, or calls ``run_due``; None: as in the
                settings.
        """
        self._app = app
        self._settings = replace(settings or Settings(), database_url="sqlite::memory:", dev_clock=True)
        keys = self._settings.api_keys
        self._key = keys[0].split()[0] if keys else NO_KEY
        self._closing = ExitStack()
        self._recording: RecordingClient
        self._transport: InProcessTransport
        self._client: Client
        self._functions: Functions

    @property
    @override
    def client(self) -> Client:
        return self._client

    @property
    @override
    def clock(self) -> ServerClock:
        return ServerClock(self._client, None if self._app is None else partial(self._walk, call_async=run_here))

    @override
    def async_client(self) -> AsyncClient:
        return AsyncClient(URL, self._key, transport=self._transport)

    async def advance_async(self, length: Length) -> None:
        """Do what ``clock.advance`` does: functions that are async are called in this event loop, others elsewhere."""
        await asyncio.to_thread(self._walk, length, call_async=run_in(asyncio.get_running_loop()))

    async def run_due_async(self) -> None:
        """Do what ``run_due`` does, as ``advance_async``."""
        await self.advance_async(0)

    def _walk(self, length: Length, *, call_async: CallAsync) -> None:
        """Let *length* pass; functions are called at the moments at which they are due."""
        clock = ServerClock(self._client)
        until = clock.now + (length if isinstance(length, timedelta) else lengths.parse(length))
        self._settle(clock, call_async)
        while (due := self._functions.next_due()) is not None and due < until:
            now = clock.now
            if due <= now:  # something keeps it, such as a pause
                break
            clock.advance_alone(due - now)
            self._settle(clock, call_async)
        clock.advance_alone(until - clock.now)
        self._settle(clock, call_async)

    def _settle(self, clock: ServerClock, call_async: CallAsync) -> None:
        """Have everything happen that is due by now."""
        clock.advance_alone(0)
        while self._functions.call_due(call_async):
            clock.advance_alone(0)

    @property
    def sent(self) -> list[Sent]:
        """The webhooks that were sent so far, in order; those too that were answered with a failure."""
        return [*self._recording.sent]

    @property
    def answer(self) -> Callable[..., None]:
        """Say how webhooks are answered: see ``RecordingClient.answer``. Without a word: with 200."""
        return self._recording.answer

    @property
    def refuse(self) -> Callable[..., None]:
        """Have connections refused: see ``RecordingClient.refuse``."""
        return self._recording.refuse

    def __enter__(self) -> "TaskerMemory":
        with ExitStack() as closing:
            loop = closing.enter_context(LoopThread("tasker-memory"))
            clock = MovableClock(SystemClock(), frozen=True)
            self._recording = RecordingClient(clock)
            app = self._app or App()
            running = in_process(
                self._settings, self._recording, clock, rand=lambda: 0.5, holds=True, types=function_types(app)
            )
            server = loop.run(running.__aenter__())
            closing.callback(lambda: loop.run(running.__aexit__(None, None, None)))
            self._transport = InProcessTransport(server.api, loop)
            self._client = closing.enter_context(Client(URL, self._key, transport=self._transport))
            self._functions = Functions(app, self._client)
            if self._app is not None:
                app.check()
                closing.callback(app.close)
                app.use(self._client, make_async_client=self.async_client)
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._closing.close()
