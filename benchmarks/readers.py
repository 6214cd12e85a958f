"""Readers of events that take as little time as they can, in a process of their own.

Started as ``python -m benchmarks.readers HOST PORT`` with the paths as JSON on standard input. Says
when all of them are read, and at the end of the input how many events came.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.machine import LOAD_CORE, running_on


@contextlib.contextmanager
def reading(url: str, paths: Sequence[str]) -> Iterator[Callable[[], dict[str, int]]]:
    """Read *paths* while the block lasts. It yields what ends that, and says how many events and gaps came."""
    place = urlsplit(url)
    command = [sys.executable, "-m", "benchmarks.readers", str(place.hostname), str(place.port)]
    with (
        running_on(LOAD_CORE),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(paths) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == len(paths)

        def end() -> dict[str, int]:
            rest, _ = process.communicate()
            counted: dict[str, int] = json.loads(rest)
            return counted

        try:
            yield end
        finally:
            process.kill()


class _Reader(asyncio.Protocol):
    def __init__(self, path: str, counts: dict[str, int]) -> None:
        self._path = path
        self._counts = counts
        self.begun = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        transport.write(f"GET {self._path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.begun.done():
            assert data.startswith(b"HTTP/1.1 200"), data[:500]
            self.begun.set_result(None)
        self._counts["events"] += data.count(b"\nevent: ")
        self._counts["gaps"] += data.count(b"\nevent: gap")


async def _read(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    counts = {"events": 0, "gaps": 0}
    paths = json.loads(await asyncio.to_thread(sys.stdin.readline))
    for path in paths:
        _, reader = await loop.create_connection(lambda path=path: _Reader(path, counts), host, port)  # type: ignore[misc]
        await reader.begun
    print(len(paths), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    uvloop.run(_read(sys.argv[1], int(sys.argv[2])))
