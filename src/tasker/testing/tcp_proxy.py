"""A TCP proxy that breaks connections when it is told to, for tests of what comes after."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

_PIECE = 65_536


class TcpProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to another port. Use it as a context manager.

    It runs on a thread of its own, so that it serves synchronous and asynchronous tests alike.
    """

    def __init__(self, target_port: int | Callable[[], int]) -> None:
        self.port = 0
        self.connections = 0
        """How many were accepted so far."""
        self.target_port = target_port
        """Where connections lead to, or what says so for each of them. May be changed: it counts for
        those that are made afterwards."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._server: asyncio.Server
        self._pipes: set[_Pipe] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._refuses = False
        self._answers_left: int | None = None

    def __enter__(self) -> "TcpProxy":
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection. New ones are accepted as ever."""
        self._call(self._cut())

    def refuse(self) -> None:
        """Reset every connection, and each new one as soon as it is made, until ``allow``."""
        self._refuses = True
        self.cut()

    def allow(self) -> None:
        """Undo ``refuse``."""
        self._refuses = False

    def freeze(self) -> None:
        """Let no byte through, in either direction, until ``thaw``. Connections stay open."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def thaw(self) -> None:
        """Undo ``freeze``: what was sent meanwhile arrives."""
        self._loop.call_soon_threadsafe(self._flows.set)

    def cut_instead_of_answer(self, number: int) -> None:
        """Reset every connection in place of passing on the *number*-th piece from the target.

        Pieces are counted from 1, from now on. The target has done by then whatever it was asked to.
        """
        self._answers_left = number

    def _call(self, job: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(job, self._loop).result()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut(self) -> None:
        for pipe in list(self._pipes):
            pipe.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._refuses:
            writer.transport.abort()
            return
        port = self.target_port() if callable(self.target_port) else self.target_port
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        pipe = _Pipe(writer, target_writer)
        self._pipes.add(pipe)
        try:
            await asyncio.gather(
                self._pass_on(reader, target_writer, pipe, is_answer=False),
                self._pass_on(target_reader, writer, pipe, is_answer=True),
            )
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            self._pipes.discard(pipe)
            pipe.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pipe: "_Pipe", *, is_answer: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._flows.wait()
                if is_answer and self._answers_left is not None:
                    self._answers_left -= 1
                    if self._answers_left == 0:
                        self._answers_left = None
                        await self._cut()
                        return
                writer.write(piece)
                await writer.drain()
        pipe.abort()


class _Pipe:
    """Both sides of a connection."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers

    def abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
