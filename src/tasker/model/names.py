"""Names that callers give to queues and schedules: they stand in paths and in scopes."""

import re
from typing import Final

LENGTH: Final = 100
"""The most characters that a name has."""

PATTERN: Final = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LENGTH - 1}}}"
"""What a name looks like, in ASCII."""

OF_TYPE: Final = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*"
"""What the name of a task type looks like, in ASCII: that of a function may have several parts."""

EXPECTED: Final = f"1 to {LENGTH} letters, digits, and . _ - behind the first"
"""The same in words, for an error."""

_NAME: Final = re.compile(PATTERN, re.ASCII)
_TYPE_NAME: Final = re.compile(OF_TYPE, re.ASCII)


def is_name(text: str) -> bool:
    """Return whether *text* can be a name.

    >>> is_name("reports.eu"), is_name(".reports"), is_name("")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def is_type_name(text: str) -> bool:
    """Return whether *text* can be the name of a task type.

    >>> is_type_name("report.build"), is_type_name("Report"), is_type_name("report.")
    (True, False, False)
    """
    return len(text) <= LENGTH and _TYPE_NAME.fullmatch(text) is not None
