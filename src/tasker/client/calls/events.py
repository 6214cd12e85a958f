"""Events: what happens, as it happens."""

from collections.abc import Mapping
from typing import Any

from tasker.client import words
from tasker.client.core import Request, nothing, path


def read(filters: Mapping[str, Any], *, signals: bool, last_event_id: str | None) -> Request[None]:
    """Read events: the stream goes on behind the last one that is known."""
    query = words.query({**filters, "signals": "1" if signals else None})
    return Request(
        method="GET",
        path=path("events", query=query),
        headers={
            "accept": "text/event-stream",
            **({} if last_event_id is None else {"Last-Event-ID": last_event_id}),
        },
        read=nothing,
        is_repeatable=True,
    )
