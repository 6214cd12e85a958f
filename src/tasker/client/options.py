"""What a caller says of a task: the parameters of ``schedule`` and others, each declared once.

The names are those of the API, but for three: ``at`` is a datetime in place of ``execution_time``,
``body`` takes bytes as well in place of ``body_base64``, and ``idempotency_key`` is a header there.
None means: not given. In a change, None takes away what was given.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Required, TypeAlias, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from tasker.wire.fields import CallbackFields, CompletionFields, RetryFields

Moment: TypeAlias = datetime | str
"""An aware datetime, or RFC 3339 with an offset."""

Length: TypeAlias = timedelta | float | str
"""A length of time: a timedelta, a number of seconds, or text such as ``"90s"``, ``"30m"``, ``"12h"`` or ``"3d"``."""

Callback: TypeAlias = str | CallbackFields | Mapping[str, Any]
"""Where the end of a task is told: a URL, or more of a webhook."""

Retry: TypeAlias = RetryFields | Mapping[str, Any] | Literal["standard"]
"""When failed attempts are followed by others."""

Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class When(TypedDict, total=False):
    """When a task is to start."""

    at: Moment | None
    delay: Length | None
    local_time: datetime | str | None
    time_zone: ZoneInfo | str | None


class Common(TypedDict, total=False):
    """What a task of any type may be given, but for its time."""

    retry: Retry | None
    expires_at: Moment | None
    on_success: Callback | None
    on_failure: Callback | None
    on_cancel: Callback | None
    tags: Sequence[str] | None
    group: str | None
    traceparent: str | None
    keep: Length | None


class Webhook(TypedDict, total=False):
    """What a webhook may be given in addition."""

    method: Method | None
    headers: Mapping[str, str] | None
    json: Any
    body: str | bytes | None
    timeout: timedelta | float | None
    success: Sequence[int | str] | None
    completion: CompletionFields | Mapping[str, Any] | None


class Named(TypedDict, total=False):
    """What a new task is known by."""

    id: UUID | str | None
    key: str | None
    on_conflict: Literal["reject", "keep", "replace", "debounce"] | None
    max_wait: Length | None


class TaskOptions(When, Common, Named, total=False):
    """What is said of a new task of any type."""

    idempotency_key: str | None


class WebhookOptions(TaskOptions, Webhook, total=False):
    """What is said of a new webhook, beside its URL."""


class NewWebhook(When, Common, Named, Webhook, total=False):
    """A webhook, as one of many new tasks."""

    url: Required[str]


class ChangeOptions(When, Common, Webhook, total=False):
    """What of a task is to be another. None takes it away."""

    url: str | None


class Filters(TypedDict, total=False):
    """What tasks are found by. See ``filters.py``, with which a test compares them."""

    state: str | Sequence[str] | None
    type: str | None
    tag: str | Sequence[str] | None
    key: str | None
    key_prefix: str | None
    destination: int | str | None
    group: str | None
    queue: str | None
    error: str | None
    fingerprint: str | None
    reason: str | None
    schedule: str | None
    parent: UUID | str | None
    due_after: Moment | None
    due_before: Moment | None
    ended_after: Moment | None
    ended_before: Moment | None
    created_after: Moment | None
    created_before: Moment | None


class EventFilters(TypedDict, total=False):
    """What events are picked by: those of ``Filters`` that events have."""

    state: str | Sequence[str] | None
    type: str | None
    tag: str | Sequence[str] | None
    key_prefix: str | None
    destination: int | str | None
    schedule: str | None


class PlanOptions(TypedDict, total=False):
    """When a schedule runs, and how."""

    cron: str | None
    every: Length | None
    time_zone: ZoneInfo | str | None
    starts_at: Moment | None
    ends_at: Moment | None
    jitter: Length | None
    overlap: Literal["skip", "queue", "allow"] | None
    missed: Literal["once", "all", "none"] | None
    missed_within: Length | None
    max_runs: int | None
    paused: bool | None
    tags: Sequence[str] | None
