"""A proxy that makes tunnels, to where the test says that names lead."""

import asyncio

from targets import receive


class ForwardProxy:
    """Listens on a free port of 127.0.0.1. Use it as an asynchronous context manager.

    Args:
        names: where each ``HOST:PORT`` leads: a port of 127.0.0.1. Others are refused with 407, as
            Smokescreen does.
        answer: bytes that are answered to everybody instead; then the connection is closed.
    """

    def __init__(self, names=None, *, answer=None):
        self.requests = []
        """The heads of what was asked for, as text."""
        self.port = 0
        self._names = names or {}
        self._answer = answer
        self._connections = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def asked_for(self):
        """The places that tunnels were asked for."""
        return [request.split()[1] for request in self.requests]

    async def _serve(self, reader, writer):
        self._connections.add(asyncio.current_task())
        try:
            head = (await receive(reader)).decode()
            self.requests.append(head)
            place = head.split()[1]
            if self._answer is not None:
                writer.write(self._answer)
                await writer.drain()
            elif head.startswith("CONNECT ") and place in self._names:
                there, back = await asyncio.open_connection("127.0.0.1", self._names[place])
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
            else:
                writer.write(b"HTTP/1.1 407 Request rejected by proxy\r\ncontent-length: 6\r\n\r\ndenied")
                await writer.drain()
        except (OSError, EOFError):
            pass  # the client hung up
        finally:
            writer.close()


async def _copy(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
