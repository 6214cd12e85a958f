"""How pages say things: states, lengths of time, counts. Pure."""

from collections.abc import Mapping
from typing import Final

from tasker.model.instants import SECOND, Instant

STATES: Final[Mapping[str, str]] = {
    "todo": "waiting",
    "in_progress": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""The states in the order of a task's life, and what pages call them."""

REASONS: Final[Mapping[str, str]] = {
    "waiting": "not due yet",
    "retrying": "waits for its next attempt",
    "due": "due now",
    "no_slot": "no free slot on this server",
    "paused": "its destination is paused",
    "paused_all": "everything is paused",
    "circuit_open": "its destination fails, its circuit is open",
    "full": "its destination runs as many as it may",
    "rate": "its destination starts as many a second as it may",
    "unclaimed": "no worker has claimed it",
    "overlap": "another run of its schedule is going on",
    "running": "it runs",
    "completion": "accepted, waits for its completion",
    "done": "it is done",
    "failed": "it has failed",
    "cancelled": "it was cancelled",
}
"""Why a task stands where it does, in a few words."""

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def length(seconds: float) -> str:
    """Return a length of time in the two largest units that say something.

    >>> [length(each) for each in (0, 0.0004, 0.25, 1.5, 59.96, 90, 7_200, 93_784)]
    ['0 s', '0.4 ms', '250 ms', '1.5 s', '1 min', '1 min 30 s', '2 h', '1 d 2 h']
    >>> length(-90)
    '-1 min 30 s'
    """
    if seconds < 0:
        return "-" + length(-seconds)
    if seconds == 0:
        return "0 s"
    if seconds < 1:
        return f"{_short(seconds * 1000)} ms"
    if round(seconds, 1) < 60:
        return f"{_short(seconds)} s"
    left = round(seconds)
    for place, (unit, size) in enumerate(_UNITS):
        if left >= size:
            first, rest = divmod(left, size)
            smaller, of_it = _UNITS[place + 1] if place + 1 < len(_UNITS) else ("", 1)
            second = rest // of_it if smaller else 0
            return f"{first} {unit} {second} {smaller}" if second else f"{first} {unit}"
    return "0 s"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if number < 100 else f"{number:.0f}"


def when(moment: Instant, now: Instant) -> str:
    """Return how far a moment is away, in words.

    >>> when(90_000_000, 0), when(0, 3_600_000_000), when(5, 5)
    ('in 1 min 30 s', '1 h ago', 'now')
    """
    seconds = (moment - now) / SECOND
    if abs(seconds) < 1:
        return "now"
    text = length(abs(round(seconds)))
    return f"in {text}" if seconds > 0 else f"{text} ago"


def count(number: int, *, is_exact: bool = True) -> str:
    """Return a number as people write it.

    >>> count(1234567), count(10000, is_exact=False)
    ('1,234,567', '10,000+')
    """
    return f"{number:,}" if is_exact else f"{number:,}+"


def many(number: int, one: str, several: str = "", *, is_exact: bool = True) -> str:
    """Return a number and what it counts.

    >>> many(1, "task"), many(0, "task"), many(2, "retry", "retries")
    ('1 task', '0 tasks', '2 retries')
    """
    return f"{count(number, is_exact=is_exact)} {one if number == 1 and is_exact else several or one + 's'}"


def bytes_of(number: int) -> str:
    """Return a size.

    >>> [bytes_of(each) for each in (0, 999, 2_048, 5_242_880)]
    ['0 B', '999 B', '2 KiB', '5 MiB']
    """
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{_short(size)} {unit}"
        size /= 1024
    raise AssertionError
