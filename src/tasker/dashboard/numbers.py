"""Numbers as visitors write them, or as addresses have them. Pure."""

from typing import Final

_LONGEST: Final = 18
"""Digits: what both stores, and JSON, hold."""


def whole(text: str) -> int | None:
    """Return the whole number, 0 or more, that *text* is; None: it is none, or longer than any that is meant.

    >>> whole("17"), whole("-1"), whole("²"), whole("9" * 5_000)
    (17, None, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else None
