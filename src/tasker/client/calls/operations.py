"""One move of many tasks: begin, read, list and cancel operations."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tasker.client import words
from tasker.client.calls import pages
from tasker.client.core import Page, Request, encode, path, shape, without_none
from tasker.client.options import Length
from tasker.wire.operations import OperationPage, OperationView

_read: Final = shape(OperationView)


def start(
    action: str,
    *,
    filter: Mapping[str, Any] | None,
    ids: Iterable[UUID | str] | None,
    all: bool,
    by: Length | None,
    change: Mapping[str, Any] | None,
    per_second: float | None,
    dry_run: bool,
    idempotency_key: str | None,
) -> Request[OperationView]:
    """Begin an operation."""
    said = {
        "action": action,
        "filter": None if filter is None else _filter(filter),
        "ids": None if ids is None else [str(each) for each in ids],
        "all": all or None,
        "by": None if by is None else words.length(by),
        "change": None if change is None else dict([words.named(change, with_none=True)]),
        "per_second": per_second,
        "dry_run": dry_run or None,
    }
    return Request(
        method="POST",
        path="/operations",
        content=encode(without_none(said)),
        headers=None if idempotency_key is None else {"Idempotency-Key": idempotency_key},
        read=_read,
        is_repeatable=dry_run or idempotency_key is not None,
    )


def find(*, limit: int, cursor: str | None) -> Request[Page[OperationView]]:
    """List operations: a page of them."""
    return pages.page(
        "operations", OperationPage, lambda found: (found.operations, found.next), limit=limit, cursor=cursor
    )


def get(operation: UUID | str) -> Request[OperationView]:
    """Read an operation."""
    return Request(method="GET", path=path("operations", str(operation)), read=_read, is_repeatable=True)


def cancel(operation: UUID | str) -> Request[OperationView]:
    """Have an operation go no further."""
    return Request(method="POST", path=path("operations", str(operation), "cancel"), read=_read, is_repeatable=True)


def _filter(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _value(name, value) for name, value in filters.items() if value is not None}


def _value(name: str, value: Any) -> str | list[str]:
    if isinstance(value, datetime):
        return words.moment(name, value)
    return str(value) if isinstance(value, str | int | UUID) else [str(each) for each in value]
