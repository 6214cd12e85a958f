"""The entity tags of tasks and schedules, and the header ``If-Match``.

Source: RFC 9110, sections 8.8.3 and 13.1.1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tasker.errors import InvalidRequestError

HEADER: Final = "If-Match"

IF_MATCH: Final[Mapping[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "description": "The ETag of the task or the schedule as it was read: if it was written since, nothing is changed. "
    "A list of them, or * for any.",
    "schema": {"type": "string"},
}

_NAME: Final = HEADER.lower().encode()
_TAG: Final = r'(?:W/)?"[!#-~\x80-\xff]*"'
_LIST: Final = re.compile(rf"[ \t,]*{_TAG}[ \t]*(?:,[ \t]*(?:{_TAG}[ \t]*)?)*")
_OURS: Final = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,17})(?:-masked)?"')


def etag(revision: int, *, is_masked: bool) -> str:
    """Return the strong ``ETag`` of a task or a schedule at *revision*: each view of it has one of its own.

    >>> etag(3, is_masked=True)
    '"3-masked"'
    """
    return f'"{revision}{"-masked" if is_masked else ""}"'


def revisions_in(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[int] | None:
    """Return the revisions that the header ``If-Match`` allows, whichever view it names; None: any.

    A tag of something else, and a weak one, allows none.

    Raises:
        InvalidRequestError: it has another form.
    """
    values = [value.decode("latin-1") for name, value in headers if name == _NAME]
    if not values:
        return None
    text = ", ".join(values).strip(" \t")
    if text == "*":
        return None
    if _LIST.fullmatch(text) is None:
        raise InvalidRequestError(
            HEADER, 'expected the ETag as it was read, with its quotes, such as "3", a list of them, or *'
        )
    return frozenset(int(revision) for revision in _OURS.findall(text))
