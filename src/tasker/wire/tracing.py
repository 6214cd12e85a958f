"""``traceparent``: which trace a task belongs to. Source: W3C Trace Context, https://www.w3.org/TR/trace-context/ .

Of a version above 00 the part is read that version 00 has (section 2.2.1, "Versioning of
traceparent"), and what is written is version 00.
"""

import re
from collections.abc import Iterable
from typing import Final

HEADER: Final = b"traceparent"

_FORM: Final = re.compile(
    "(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[^,]*)?", re.ASCII
)
_KNOWN_FLAGS: Final = 0x03
"""Sampled, and that the trace id is random. Others are not passed on (section 3.2.2.5)."""


def read_traceparent(text: str) -> str:
    """Return *text* in version 00.

    >>> read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

    Raises:
        ValueError: it is no traceparent.
    """
    match = _FORM.fullmatch(text)
    if match is None or (match[1] == "00" and match[5] is not None):
        raise ValueError("expected a traceparent as W3C Trace Context says: 00-, 32 and 16 hexadecimal digits, and 01")
    _, trace_id, parent_id, flags, _ = match.groups()
    return f"00-{trace_id}-{parent_id}-{int(flags, 16) & _KNOWN_FLAGS:02x}"


def traceparent_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the traceparent of a request; None: it has none, or several, or a wrong one, which is ignored."""
    values = [value for name, value in headers if name == HEADER]
    if len(values) != 1:
        return None
    try:
        return read_traceparent(values[0].decode("latin-1"))
    except ValueError:
        return None


def child_of(traceparent: str, span: int) -> str:
    """Return the traceparent of a call that is made in the trace of *traceparent*.

    Args:
        span: 64 random bits that name the attempt; 0 is no name.

    >>> child_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 255)
    '00-0af7651916cd43dd8448eb211c80319c-00000000000000ff-01'
    """
    return f"{traceparent[:36]}{span or 1:016x}{traceparent[52:]}"
