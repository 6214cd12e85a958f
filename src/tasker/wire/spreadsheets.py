"""Texts as cells of a spreadsheet."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that is computed. Source: OWASP, CSV Injection."""


def as_text(cell: str) -> str:
    """Return *cell* such that no spreadsheet computes it: where one would, behind an apostrophe.

    >>> as_text("=1+1"), as_text("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
