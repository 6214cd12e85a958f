"""Put, preview, read, list, pause, resume, run, backfill and delete schedules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tasker.client import answers, words
from tasker.client.answers import Schedule
from tasker.client.calls import pages
from tasker.client.core import Page, Request, encode, nothing, path, shape
from tasker.wire.schedules import PreviewView, RunsMade, SchedulePage, ScheduleSummary

_read_preview: Final = shape(PreviewView)
_read_runs: Final = shape(RunsMade)


def put(name: str, task: Mapping[str, Any] | str, plan: Mapping[str, Any], if_match: str | None) -> Request[Schedule]:
    """Create a schedule, or change it."""
    return Request(
        method="PUT",
        path=path("schedules", name),
        content=encode({**words.members(plan), "task": words.template(task)}),
        headers=_if_match(if_match),
        read=answers.schedule,
        is_repeatable=if_match is None,
    )


def preview(task: Mapping[str, Any] | str | None, plan: Mapping[str, Any]) -> Request[PreviewView]:
    """Say when a schedule would run."""
    what = {} if task is None else {"task": words.template(task)}
    return Request(
        method="POST",
        path=path("schedules", "preview"),
        content=encode({**words.members(plan), **what}),
        read=_read_preview,
        is_repeatable=True,
    )


def find(*, limit: int, cursor: str | None) -> Request[Page[ScheduleSummary]]:
    """List schedules: a page of them."""
    return pages.page(
        "schedules", SchedulePage, lambda found: (found.schedules, found.next), limit=limit, cursor=cursor
    )


def get(name: str) -> Request[Schedule]:
    """Read a schedule."""
    return Request(method="GET", path=path("schedules", name), read=answers.schedule, is_repeatable=True)


def delete(name: str, if_match: str | None) -> Request[None]:
    """Delete a schedule."""
    return Request(
        method="DELETE",
        path=path("schedules", name),
        headers=_if_match(if_match),
        read=nothing,
        is_repeatable=if_match is None,
        repeated={"schedule_not_found": lambda: None},
    )


def pause(name: str) -> Request[Schedule]:
    """Make no runs of a schedule."""
    return Request(method="POST", path=path("schedules", name, "pause"), read=answers.schedule, is_repeatable=True)


def resume(name: str) -> Request[Schedule]:
    """Make runs of a schedule again."""
    return Request(method="POST", path=path("schedules", name, "resume"), read=answers.schedule, is_repeatable=True)


def run(name: str, idempotency_key: str | None) -> Request[RunsMade]:
    """Make a run of a schedule now."""
    return Request(
        method="POST",
        path=path("schedules", name, "run"),
        headers=_idempotency(idempotency_key),
        read=_read_runs,
        is_repeatable=idempotency_key is not None,
    )


def backfill(name: str, from_: datetime | str, to: datetime | str, idempotency_key: str | None) -> Request[RunsMade]:
    """Make the runs of a schedule for times that have passed."""
    return Request(
        method="POST",
        path=path("schedules", name, "backfill"),
        content=encode({"from": words.moment("from_", from_), "to": words.moment("to", to)}),
        headers=_idempotency(idempotency_key),
        read=_read_runs,
        is_repeatable=idempotency_key is not None,
    )


def _if_match(etag: str | None) -> Mapping[str, str] | None:
    return None if etag is None else {"If-Match": etag}


def _idempotency(key: str | None) -> Mapping[str, str] | None:
    return None if key is None else {"Idempotency-Key": key}
