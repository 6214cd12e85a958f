"""Pages that are made anew because there was news: one at a time, so that no task waits for many of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import process_time
from typing import Final

from starlette.responses import Response

from tasker.timing.clock import elapsed, stopwatch
from tasker.timing.leisure import leisure

_BUSY: Final = 0.4
"""Of a processor: a server that computes for so much of the time is busy."""

_LEAST, _MOST = 50, 200
"""Times that a page worked: what it takes with its rests, on a server that does nothing else, and on a busy one."""

_LONGEST_REST: Final = 5.0
"""Seconds between two pages, at most."""


def rest_after(worked: float, took: float, load: float) -> float:
    """Return how many seconds to rest after a page.

    Args:
        worked: seconds that its steps took.
        took: seconds that it took with the rests in between.
        load: how much of a processor the server used since the page before.
    """
    times = _LEAST + (_MOST - _LEAST) * min(load / _BUSY, 1)
    return min(max(times * worked - took, 0), _LONGEST_REST)


class Refreshes:
    """Makes them at leisure, in the order in which they were asked for, and rests after each.

    So on a busy server they work for a two hundredth of the time, spread over all of it, on others for up to a
    fiftieth; or for more where one works for over 25 ms. Who asks for the same while it waits for its turn gets the
    same. Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, tuple[Callable[[], Awaitable[Response]], asyncio.Future[Response]]] = {}
        self._working: asyncio.Task[None] | None = None

    async def have(self, what: Hashable, make: Callable[[], Awaitable[Response]]) -> Response:
        """Return what *make* returns, or raise what it raises, once it has its turn.

        It begins after this was called, so it shows all that was so before.

        Args:
            what: where it is the same, what is made is the same, too, and one *make* serves all.
        """
        if what not in self._waiting:
            self._waiting[what] = make, asyncio.get_running_loop().create_future()
        _, made = self._waiting[what]
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await asyncio.shield(made)  # one who goes away does not take it from the others

    async def _work(self) -> None:
        looked, computed = stopwatch(), process_time()
        try:
            while self._waiting:
                what = next(iter(self._waiting))
                make, made = self._waiting.pop(what)
                began = stopwatch()
                with leisure() as spent:
                    try:
                        made.set_result(await make())
                    except Exception as error:  # noqa: BLE001 - those who asked are told
                        made.set_exception(error)
                        made.exception()  # they may be gone
                took, load = elapsed(began), (process_time() - computed) / max(elapsed(looked), 0.001)
                looked, computed = stopwatch(), process_time()
                await asyncio.sleep(rest_after(spent.worked, took, load))
        finally:
            self._working = None
