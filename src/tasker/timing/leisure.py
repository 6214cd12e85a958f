"""Work that nobody waits for: it goes in short steps, and rests after each, so that what is due comes first."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from tasker.timing.clock import elapsed

_TIMES: Final = 10
"""Times that a step took: the rest after it."""

_LONGEST: Final = 0.1
"""Seconds that a rest takes, at most."""


class Leisure:
    """What was done at leisure so far."""

    def __init__(self) -> None:
        self.worked = 0.0
        """Seconds that its steps took, without the rests."""
        self.is_over = False
        """Whether it is done: what it has begun and left to itself does not rest any more."""


_now: ContextVar[Leisure | None] = ContextVar("leisure", default=None)


@contextmanager
def leisure() -> Iterator[Leisure]:
    """Have what is called in this block take its time, as far as it calls ``rest``."""
    this = Leisure()
    token = _now.set(this)
    try:
        yield this
    finally:
        this.is_over = True
        _now.reset(token)


def is_at_leisure() -> bool:
    """Return whether the caller is to take its time."""
    this = _now.get()
    return this is not None and not this.is_over


async def rest(began: float) -> None:
    """Rest from a step that is done, much longer than it took; at once if the caller is not at leisure.

    Call it where nothing is held that others wait for.

    Args:
        began: what ``stopwatch()`` said when the step began.
    """
    this = _now.get()
    if this is None or this.is_over:
        return
    took = elapsed(began)
    this.worked += took
    await asyncio.sleep(min(_TIMES * took, _LONGEST))
