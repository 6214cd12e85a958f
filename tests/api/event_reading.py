"""Readers of ``GET /events``."""

import asyncio
import contextlib
import json

import rest_server


class Frame:
    """A server-sent event."""

    def __init__(self, text):
        lines = [line.partition(": ") for line in text.splitlines() if not line.startswith(":")]
        members = {name: value for name, _, value in lines}
        self.text = text
        self.event, self.id = members.get("event"), members.get("id")
        self.data = json.loads(members["data"]) if "data" in members else None

    def __repr__(self):
        return self.text


class Stream:
    """A reader of events. Its first block is that with ``retry``."""

    def __init__(self, connection, head):
        self._connection, self.head = connection, head
        self._left = ""
        self.first = None

    async def frame(self):
        """The next block, whatever it is; None: the stream has ended in order."""
        async with asyncio.timeout(20):
            while "\n\n" not in self._left:
                size = int(await self._connection._reader.readline(), 16)
                part = await self._connection._reader.readexactly(size)
                await self._connection._reader.readline()
                if not size:
                    return None
                self._left += part.decode()
        text, _, self._left = self._left.partition("\n\n")
        return Frame(text)

    async def frames(self, count):
        return [await self.frame() for _ in range(count)]

    async def next(self, event):
        """The next event, which has this name; its data."""
        frame = await self.frame()
        assert frame.event == event, frame
        return frame.data

    def is_read(self):
        """Whether nothing has come since the last block."""
        return not self._left and not self._connection._reader._buffer

    async def close(self):
        await self._connection.close()

    def hang_up(self):
        self._connection.hang_up()


@contextlib.asynccontextmanager
async def reading(server, query="", last_id=None, headers=None):
    connection = await server.connect()
    headers = (headers or {}) | ({} if last_id is None else {"last-event-id": last_id})
    await connection.send(rest_server.request_bytes("GET", f"/events{query}", headers=headers))
    head = await connection._reader.readuntil(b"\r\n\r\n")
    stream = Stream(connection, head.decode())
    assert "200 OK" in stream.head, stream.head
    stream.first = await stream.frame()
    yield stream
    await stream.close()


def events_of(server):
    return server.service.tasks._engine.events
