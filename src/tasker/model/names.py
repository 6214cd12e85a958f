"""Names that callers give to queues and schedules: they stand in paths and in scopes."""

import re
from typing import Final

LENGTH: Final = 100
"""The most characters that a name has."""

PATTERN: Final = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LENGTH - 1}}}"
"""What a name looks like, in ASCII."""

EXPECTED: Final = f"1 to {LENGTH} letters, digits, and . _ - behind the first"
"""The same in words, for an error."""

_NAME: Final = re.compile(PATTERN, re.ASCII)


def is_name(text: str) -> bool:
    """Return whether *text* can be a name.

    >>> is_name("reports.eu"), is_name(".reports"), is_name("")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None
