"""Waiting for what nobody tells: the state of another process, or what comes over a connection."""

import asyncio
import time


def until(condition, what, *, seconds=120):
    """Return once *condition* holds; fail if it does not soon."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


async def holds(condition, *, seconds=30):
    """Return once *condition* holds, while others go on; fail if it does not soon."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)
