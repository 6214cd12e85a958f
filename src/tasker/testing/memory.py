"""A server in the process of the test: the real service and engine, in memory, on a clock that stands still."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Final

from typing_extensions import override

from tasker.client.asynchronous.client import AsyncClient
from tasker.client.synchronous.client import Client
from tasker.config import Settings
from tasker.node import in_process
from tasker.testing.driven import NO_KEY, Driven, ServerClock
from tasker.testing.loop_thread import LoopThread
from tasker.testing.recording_client import RecordingClient, Sent
from tasker.testing.transport import InProcessTransport
from tasker.timing.clock import SystemClock
from tasker.timing.movable_clock import MovableClock

URL: Final = "http://localhost"


class TaskerMemory(Driven):
    """A tasker without a network, a file or a process. Use it as a context manager.

    Everything is that of a server, but its doors: what ``client`` creates is checked, stored in SQLite
    in memory, and run by the engine. Webhooks are recorded in ``sent``, and not sent. Nothing starts
    until the clock is moved, or ``run_due`` is called: not even what is due at once.

    The waits of retry policies have no jitter: each is the middle of what it may be.
    It is run on a thread of its own, so tests may be synchronous or asynchronous.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Make one that does not run yet.

        Args:
            settings: of the server; None: the defaults. Where it stores tasks and listens does not matter.
                If there are API keys, the clients show the first.
        """
        self._settings = replace(settings or Settings(), database_url="sqlite::memory:", dev_clock=True)
        keys = self._settings.api_keys
        self._key = keys[0].split()[0] if keys else NO_KEY
        self._closing = ExitStack()
        self._recording: RecordingClient
        self._transport: InProcessTransport
        self._client: Client

    @property
    @override
    def client(self) -> Client:
        return self._client

    @property
    @override
    def clock(self) -> ServerClock:
        return ServerClock(self._client)

    @override
    def async_client(self) -> AsyncClient:
        return AsyncClient(URL, self._key, transport=self._transport)

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
            running = in_process(self._settings, self._recording, clock, rand=lambda: 0.5, holds=True)
            server = loop.run(running.__aenter__())
            closing.callback(lambda: loop.run(running.__aexit__(None, None, None)))
            self._transport = InProcessTransport(server.api, loop)
            self._client = closing.enter_context(Client(URL, self._key, transport=self._transport))
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._closing.close()
