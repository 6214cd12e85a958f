"""How fast the Python client creates tasks, on one connection and many at once, and in batches."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Final
from urllib.request import Request, urlopen

import tasker
from benchmarks.figures import Figure
from benchmarks.load import create_tasks
from benchmarks.machine import LOAD_CORE, running_on
from benchmarks.server import new_folder, running_server

_SECONDS: Final = 3
_AT_ONCE: Final = 64
_CHUNK: Final = 1_000
_CHUNKS: Final = 20
_URL: Final = "http://127.0.0.1:9/"
_BODY: Final = "x" * 100


def measure(rounds: int) -> list[Figure]:
    """Return the rows about the client, each beside the same load by a program that does nothing else."""
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name in ("one", "many", "batches", "raw batches"):
            with new_folder() as folder, running_server(folder) as server:
                rates.setdefault(name, []).append(_ask(server.url, name))
        for connections in (1, _AT_ONCE):
            with new_folder() as folder, running_server(folder) as server:
                load = create_tasks(server.url, connections=connections, seconds=_SECONDS)
                rates.setdefault(f"wrk {connections}", []).append(load.per_second)
    return [
        Figure(
            name="creates by the Python client, one connection",
            unit="/s",
            rounds=rates["one"],
            limit="wrk, one connection",
            limit_rounds=rates["wrk 1"],
        ),
        Figure(
            name=f"creates by the asynchronous Python client, {_AT_ONCE} at once",
            unit="/s",
            rounds=rates["many"],
            limit=f"wrk, {_AT_ONCE} connections",
            limit_rounds=rates[f"wrk {_AT_ONCE}"],
        ),
        Figure(
            name=f"tasks by schedule_many, in chunks of {_CHUNK:,}",
            unit="/s",
            rounds=rates["batches"],
            limit="the same batches, as bytes that are there",
            limit_rounds=rates["raw batches"],
        ),
    ]


def _ask(url: str, name: str) -> float:
    """Measure in a process of its own, on the core of the load."""
    with running_on(LOAD_CORE):
        command = [sys.executable, "-m", "benchmarks.client", url, name]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _one(url: str) -> float:
    with tasker.Client(url) as client:
        client.schedule(_URL, delay="1d", body=_BODY)
        start, made = time.perf_counter(), 0
        while time.perf_counter() - start < _SECONDS:
            client.schedule(_URL, delay="1d", body=_BODY)
            made += 1
        return made / (time.perf_counter() - start)


async def _many(url: str) -> float:
    made = 0

    async def create() -> None:
        nonlocal made
        while time.perf_counter() - start < _SECONDS:
            await client.schedule(_URL, delay="1d", body=_BODY)
            made += 1

    async with tasker.AsyncClient(url) as client:
        await client.schedule(_URL, delay="1d", body=_BODY)
        start = time.perf_counter()
        await asyncio.gather(*(create() for _ in range(_AT_ONCE)))
        return made / (time.perf_counter() - start)


def _batches(url: str) -> float:
    items = ({"url": _URL, "delay": "1d", "body": _BODY} for _ in range(_CHUNK * _CHUNKS))
    with tasker.Client(url) as client:
        client.stats()
        start = time.perf_counter()
        made = sum(1 for _ in client.schedule_many(items, chunk=_CHUNK))
        return made / (time.perf_counter() - start)


def _raw_batches(url: str) -> float:
    body = json.dumps([{"webhook": {"url": _URL, "delay": "1d", "body": _BODY}}] * _CHUNK).encode()
    start = time.perf_counter()
    for _ in range(_CHUNKS):
        with urlopen(Request(f"{url}/tasks/batch", body, {"content-type": "application/json"})) as response:
            response.read()
    return _CHUNK * _CHUNKS / (time.perf_counter() - start)


if __name__ == "__main__":
    _, server_url, asked = sys.argv
    if asked == "many":
        print(asyncio.run(_many(server_url)))
    else:
        print({"one": _one, "batches": _batches, "raw batches": _raw_batches}[asked](server_url))
