"""Readers of events that take as little time as they can, in a process of their own.

They look once a second at what has come, not at each part, so that they take little time of the core
that they share with the load.

Started as ``python -m benchmarks.readers HOST PORT`` with the paths as JSON on standard input. Says
when all of them are read, and at the end of the input how many events came.
"""

import contextlib
import json
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from benchmarks.machine import LOAD_CORE, running_on

_LOOK_SECONDS: Final = 1
_ROOM: Final = 262_144
"""Bytes that a connection keeps until they are looked at, and more."""


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


def _begin(host: str, port: int, path: str) -> socket.socket:
    connection = socket.create_connection((host, port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    head = connection.recv(_ROOM)
    assert head.startswith(b"HTTP/1.1 200"), head[:500]
    connection.setblocking(False)
    return connection


def _read(host: str, port: int) -> None:
    counts = {"events": 0, "gaps": 0}
    paths = json.loads(sys.stdin.readline())
    connections = [_begin(host, port, path) for path in paths]
    print(len(paths), flush=True)
    is_over = False
    while not is_over:
        is_over = bool(select.select([sys.stdin], [], [], _LOOK_SECONDS)[0])
        for connection in connections:
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = connection.recv(_ROOM)
                    assert data, "a stream has ended"
                    counts["events"] += data.count(b"\nevent: ")
                    counts["gaps"] += data.count(b"\nevent: gap")
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    _read(sys.argv[1], int(sys.argv[2]))
