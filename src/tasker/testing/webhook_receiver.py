"""A real HTTP server that records what it is sent, for tests of webhooks."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final

from msgspec import Struct

from tasker.model.instants import Instant
from tasker.timing.clock import SystemClock

_LINE_LIMIT: Final = 1 << 20


class Delivery(Struct, frozen=True):
    """A request as it arrived."""

    arrived_at: Instant
    """The system's clock when the whole request was there."""
    method: str
    path: str
    """With the query string."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """What the body says.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


Respond = Callable[[Delivery], bytes | None] | Callable[[Delivery], Awaitable[bytes | None]]
"""Makes a whole HTTP answer; None: no answer, the connection is closed. What is awaited lets others be
served meanwhile."""


class WebhookReceiver:
    """Listens on a free port of 127.0.0.1, on a thread of its own.

    So it serves synchronous and asynchronous tests alike. Paths say what the answer is:
    ``/status/503`` answers 503, ``/slow/1.5`` answers 200 after 1.5 s, every other path 200; or
    *respond* decides. Use it as a context manager.
    """

    def __init__(self, respond: Respond | None = None) -> None:
        self._respond = respond
        self._deliveries: list[Delivery] = []
        self._arrival = threading.Condition(threading.RLock())
        self._clock = SystemClock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhook-receiver", daemon=True)
        self.port = 0

    def __enter__(self) -> "WebhookReceiver":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, path: str = "/") -> str:
        """The URL of *path* here."""
        return f"http://127.0.0.1:{self.port}{path}"

    def deliveries(self, path: str | None = None) -> list[Delivery]:
        """What has arrived so far, in order; at *path* alone, if given."""
        with self._arrival:
            return [delivery for delivery in self._deliveries if path in (None, delivery.path)]

    def wait_for(self, count: int = 1, *, path: str | None = None, timeout_seconds: float = 10) -> list[Delivery]:
        """Return what has arrived once it is at least *count* deliveries.

        Raises:
            TimeoutError: it was fewer after *timeout_seconds*.
        """
        self.wait_until(lambda deliveries: len(deliveries) >= count, path=path, timeout_seconds=timeout_seconds)
        return self.deliveries(path)

    def wait_until(
        self, enough: Callable[[list[Delivery]], bool], *, path: str | None = None, timeout_seconds: float = 10
    ) -> None:
        """Return once *enough* says so of what has arrived.

        Raises:
            TimeoutError: it did not within *timeout_seconds*.
        """
        with self._arrival:
            if not self._arrival.wait_for(lambda: enough(self.deliveries(path)), timeout_seconds):
                raise TimeoutError(
                    f"not enough within {timeout_seconds:g} s, got {len(self.deliveries(path))} deliveries"
                )

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096, limit=_LINE_LIMIT)

    async def _stop(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (delivery := await self._receive(reader)) is not None:
                answer = await self._answer(delivery)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the sender hung up, or the test is over: what was sent whole is recorded
        finally:
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader) -> Delivery | None:
        first = (await reader.readline()).decode("latin-1").split()
        if not first:
            return None
        headers: dict[str, str] = {}
        while (line := (await reader.readline()).decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        delivery = Delivery(self._clock.now(), first[0], first[1], headers, body)
        with self._arrival:
            self._deliveries.append(delivery)
            self._arrival.notify_all()
        return delivery

    async def _answer(self, delivery: Delivery) -> bytes | None:
        if self._respond is not None:
            answered = self._respond(delivery)
            return await answered if isinstance(answered, Awaitable) else answered
        _, kind, value = (*delivery.path.partition("?")[0].split("/"), "", "")[:3]
        if kind == "slow":
            await asyncio.sleep(float(value))
        return answer(int(value) if kind == "status" else 200)


def answer(status: int, body: bytes = b"", *, headers: str = "") -> bytes:
    r"""Return a whole HTTP answer. *headers* are lines, each with its ``\r\n``."""
    return f"HTTP/1.1 {status} -\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body
