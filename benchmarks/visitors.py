"""Open pages of the dashboard, in a process of their own: each hears the signals, and fetches itself anew as they say.

As ``static/js/live.js`` does: if a part of the page shows what there is news of, a second after the last answer.
A page without such parts hears nothing.

Started as ``python -m benchmarks.visitors URL`` with the paths of the pages as JSON on standard input.
Says when all of them are open, and at the end of the input how often they were fetched.
"""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import aiohttp

from benchmarks.machine import LOAD_CORE, running_on

_APART: Final = 1.0
"""Seconds between an answer and the next fetch of a page."""

_KINDS: Final = {
    "tasks": {"created", "started", "ended", "changed", "deleted"},
    "destinations": {"destination"},
    "nodes": {"node"},
    "operations": {"operation"},
    "schedules": {"schedule"},
}
"""Of which events the parts of a page show something, by the words that mark them; as ``live.js`` has it."""
_LIVE: Final = re.compile(r' data-live="([a-z ]+)"')


@contextlib.contextmanager
def visiting(url: str, paths: Sequence[str]) -> Iterator[Callable[[], int]]:
    """Have pages open while the block lasts. It yields what closes them, and says how often they were fetched."""
    with (
        running_on(LOAD_CORE),
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.visitors", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(paths) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == len(paths)

        def end() -> int:
            rest, _ = process.communicate()
            return int(rest)

        try:
            yield end
        finally:
            process.kill()


async def _fetch(session: aiohttp.ClientSession, path: str, headers: Mapping[str, str]) -> set[str]:
    """Return the kinds of events of which the page shows something."""
    async with session.get(path, headers=headers) as answer:
        assert answer.status == 200, (path, answer.status)
        marks = " ".join(_LIVE.findall(await answer.text()))
    return {kind for mark in marks.split() for kind in _KINDS[mark]}


async def _visit(session: aiohttp.ClientSession, path: str, opened: asyncio.Event, fetches: list[str]) -> None:
    kinds = await _fetch(session, path, {})
    if not kinds:
        opened.set()
        return
    async with session.get("/ui/live", timeout=aiohttp.ClientTimeout(total=None)) as signals:
        opened.set()
        heard = asyncio.Event()
        heard.set()  # there may have been news meanwhile

        async def listen() -> None:
            async for line in signals.content:
                if line.startswith(b"data:") and not kinds.isdisjoint(json.loads(line[5:]).get("changed", kinds)):
                    heard.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(listen())
            while True:
                await heard.wait()
                heard.clear()
                kinds |= await _fetch(session, path, {"HX-Request": "true"})
                fetches.append(path)
                await asyncio.sleep(_APART)


async def _run(url: str, paths: Sequence[str]) -> int:
    fetches: list[str] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        opened = [asyncio.Event() for _ in paths]
        visits = [
            asyncio.create_task(_visit(session, path, each, fetches)) for path, each in zip(paths, opened, strict=True)
        ]
        await asyncio.gather(*(each.wait() for each in opened))
        print(len(paths), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        failed = [error for visit in visits if visit.done() and (error := visit.exception())]
        assert not failed, failed
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
    return len(fetches)


if __name__ == "__main__":
    print(asyncio.run(_run(sys.argv[1], json.loads(sys.stdin.readline()))), flush=True)
