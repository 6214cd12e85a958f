"""Targets that answer byte by byte."""

import asyncio
import contextlib


class Target:
    """Listens on a free port; *serve* gets a reader and a writer for each connection."""

    def __init__(self, serve):
        self.connections = 0
        self.ended = asyncio.Event()
        """Set when the first connection is over for *serve*, however it ended."""
        self._serve = serve

    async def handle(self, reader, writer):
        self.connections += 1
        try:
            with contextlib.suppress(OSError, EOFError):
                await self._serve(reader, writer)
        finally:
            self.ended.set()
            writer.close()


async def receive(reader):
    """Read one request from *reader* and return it."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, found, length = head.lower().partition(b"content-length: ")
    return head + await reader.readexactly(int(length.split()[0]) if found else 0)
