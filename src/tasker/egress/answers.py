"""What answers say: how a status is told, and how long a target asks to be left alone."""

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from tasker.model.attempt import Exchange
from tasker.model.instants import SECOND, Instant
from tasker.model.lifecycle import LONGEST_RETRY_AFTER
from tasker.wire.http_dates import moment_of

_SECONDS: Final = re.compile(r"[0-9]+", re.ASCII)
_WAITS: Final = re.compile(r"[^\s,](?:[a-z]*day, |[a-z]{2}, )?[^,]*", re.ASCII)
"""The values of a header that came several times, joined with commas; most dates have a comma of
their own."""


def retry_after(exchange: Exchange, now: Instant) -> timedelta | None:
    """Return how long the target asks to be left alone.

    It is the longest, if it says so several times, since that heeds them all.

    Source: RFC 9110, section 10.2.3.
    """
    text = exchange.headers.get("retry-after")
    if text is None or exchange.status not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return None
    waits = [wait for each in _WAITS.findall(text) if (wait := _wait(each.rstrip(), now)) is not None]
    return max(waits, default=None)


def _wait(text: str, now: Instant) -> timedelta | None:
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=min(int(text), int(LONGEST_RETRY_AFTER.total_seconds())))
    moment = moment_of(text)
    if moment is None:
        return None
    wait = timedelta(seconds=moment.timestamp() - now / SECOND)
    return min(wait, LONGEST_RETRY_AFTER) if wait > timedelta(0) else None


def status_text(status: int) -> str:
    """Return *status* with its usual words.

    >>> status_text(404), status_text(499)
    ('404 Not Found', '499')
    """
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
