"""Moments as HTTP writes them in headers, such as ``Date`` and ``Retry-After``."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def moment_of(text: str) -> datetime | None:
    """Return the moment that a date of HTTP names, in any of its three forms; None: *text* is none.

    The oldest form names no zone: it is UTC.

    >>> moment_of("Wed, 21 Oct 2026 07:28:00 GMT"), moment_of("soon")
    (datetime.datetime(2026, 10, 21, 7, 28, tzinfo=datetime.timezone.utc), None)

    Source: RFC 9110, section 5.6.7.
    """
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
