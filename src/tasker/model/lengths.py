"""Lengths of time as callers and operators write them: a number of seconds, or a text such as ``"3d"``."""

import re
from datetime import timedelta
from typing import Final

from tasker.errors import cut

EXPECTED: Final = "a whole number with a unit, such as 90s, 30m, 12h or 7d"
"""What is right as a text."""

FOREVER: Final = "forever"
"""What is written for a length without an end, where one may be."""

LONGEST: Final = timedelta(days=36_500)
"""The longest length that can be written."""

_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_TEXT: Final = re.compile(r"([0-9]{1,10})([smhd])", re.ASCII)


def kept(length: str | float) -> int:
    """Return for how many microseconds a task is to be kept; below 0 if *length* is ``"forever"``.

    Raises:
        ValueError: as ``parse``.

    >>> kept("forever") < 0 == kept(0) < kept("1s") == 1_000_000
    True
    """
    if length == FOREVER:
        return -1
    return parse(length, or_else=f", or {FOREVER}") // timedelta(microseconds=1)


def parse(length: str | float, *, or_else: str = "") -> timedelta:
    """Return the time that *length* stands for, rounded up to whole microseconds.

    A number of seconds, or a text of digits and a unit: ``s``, ``m``, ``h`` or ``d``.

    Args:
        or_else: what else the caller takes, for the message.

    Raises:
        ValueError: it is neither, below 0, or longer than ``LONGEST``. The message says what would
            be right.

    >>> parse("90s") == parse(90) == timedelta(seconds=90)
    True
    """
    if isinstance(length, str):
        match = _TEXT.fullmatch(length)
        if match is None:
            raise ValueError(f"expected seconds as a number, or {EXPECTED}{or_else}, got: {cut(length)!r}")
        count, unit = int(match[1]), _UNITS[match[2]]
        if count > LONGEST // unit:  # looked at first: a timedelta does not hold every product
            raise ValueError(f"expected at most {LONGEST.days}d{or_else}, got: {length!r}")
        return count * unit
    if not 0 <= length <= LONGEST.total_seconds():
        raise ValueError(f"expected 0 to {LONGEST.total_seconds():.0f} seconds{or_else}, got: {length:g}")
    return timedelta(microseconds=-int(-length * 1_000_000 // 1))


def shown(length: timedelta) -> str:
    """Return *length*, of whole seconds, as a text that ``parse`` reads.

    >>> shown(timedelta(days=1)), shown(timedelta(minutes=90))
    ('1d', '90m')
    """
    unit = next(unit for unit in reversed(_UNITS) if not length % _UNITS[unit])
    return f"{length // _UNITS[unit]}{unit}"
