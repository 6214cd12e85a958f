"""A receiver of webhooks that takes as little time as it can, in a process of its own, and says when they came.

The body of each webhook is its due time in microseconds, in ``BODY_LENGTH`` digits. ``GET /report``
tells what came since the last report.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

import uvloop

from benchmarks.machine import LOAD_CORE, running_on

BODY_LENGTH: Final = 16
_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Report(NamedTuple):
    """What came."""

    count: int
    seconds: float
    """From the first to the last."""
    early: int
    """How many came before they were due."""
    p50_ms: float
    """Lateness at the sink, from here on."""
    p99_ms: float
    most_ms: float


class Sink:
    """A sink that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def count(self) -> int:
        """Return how many webhooks came since the last report."""
        return int(self._ask("/count")["count"])

    def wait_for(self, count: int, *, seconds: float = 120) -> Report:
        """Wait until *count* webhooks came since the last report, and report."""
        limit = time.monotonic() + seconds
        while (came := self.count()) < count:
            assert time.monotonic() < limit, f"{came} of {count} webhooks came within {seconds} s"
            time.sleep(0.1)
        report = Report(**self._ask("/report"))
        assert report.count == count, f"{report.count} webhooks came instead of {count}"
        return report

    def _ask(self, path: str) -> Any:
        with urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)


@contextlib.contextmanager
def running_sink() -> Iterator[Sink]:
    """Run a sink on the load's core until the block ends."""
    with running_on(LOAD_CORE):
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.sink"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Sink(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()


class _Receiver(asyncio.Protocol):
    came: Final[list[tuple[int, int]]] = []
    """Moment of arrival and due time, in microseconds."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._begun = b""

    def data_received(self, data: bytes) -> None:
        now = time.time_ns() // 1_000
        data = self._begun + data
        body = data.find(b"\r\n\r\n") + 4
        if data.startswith(b"GET "):
            self._tell(data)
        elif body < 4 or len(data) < body + BODY_LENGTH:
            self._begun = data
        else:
            self._begun = b""
            self.came.append((now, int(data[body : body + BODY_LENGTH])))
            self._transport.write(_ANSWER)

    def _tell(self, request: bytes) -> None:
        if request.startswith(b"GET /count "):
            text = json.dumps({"count": len(self.came)}).encode()
        else:
            text = json.dumps(_report(self.came)._asdict()).encode()
            self.came.clear()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text)
        )


def percentile(ordered: list[float], hundredths: int) -> float:
    """The nearest-rank percentile."""
    return ordered[-(-len(ordered) * hundredths // 100) - 1]


def _report(came: list[tuple[int, int]]) -> Report:
    late = sorted((arrived - due) / 1e3 for arrived, due in came)
    seconds = (came[-1][0] - came[0][0]) / 1e6
    early = sum(1 for one in late if one < 0)
    return Report(len(came), seconds, early, percentile(late, 50), percentile(late, 99), late[-1])


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Receiver, "127.0.0.1", 0, backlog=2_048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
