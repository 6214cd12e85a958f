"""What answers show of operations."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import instants
from tasker.model.operation import Operation, RefusedTask
from tasker.wire.masking import masked_members

ActionWord = Literal["run", "retry", "cancel", "delete", "postpone", "change"]


class OperationView(Struct, frozen=True, kw_only=True):
    """An operation: one move, made of many tasks."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    action: ActionWord
    state: Literal["running", "done", "cancelled"]
    dry_run: bool
    matched: Annotated[int, Meta(ge=0, description="Tasks that it has met so far.")]
    changed: Annotated[int, Meta(ge=0, description="Those that it has changed; of a dry run: would change.")]
    refused: Annotated[int, Meta(ge=0, description="Those whose state or time did not allow it.")]
    reasons: Annotated[Mapping[str, int], Meta(description="How many were refused, by code.")]
    refusals: Annotated[Sequence[RefusedTask], Meta(description="The first 100 that were refused.")]
    created_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    ended_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None
    filter: Annotated[Mapping[str, Sequence[str]], Meta(description="Empty: all tasks.")] | UnsetType = UNSET
    ids: Annotated[int, Meta(description="How many tasks were named.")] | UnsetType = UNSET
    by_seconds: float | UnsetType = UNSET
    change: (
        Annotated[Raw, Meta(description="What tasks are given anew, without the values of headers.")] | UnsetType
    ) = UNSET
    per_second: float | UnsetType = UNSET


class OperationPage(Struct, frozen=True):
    """Some operations, the latest first."""

    operations: Sequence[OperationView]
    next: Annotated[str, Meta(description="The path of the next page.")] | None


def operation_view(operation: Operation) -> OperationView:
    """Return *operation* as answers show it."""
    asked = operation.asked
    return OperationView(
        id=operation.id,
        action=operation.action.value,
        state=operation.state.word,  # type: ignore[arg-type]  # the words are the names of OperationState
        dry_run=operation.is_dry_run,
        matched=operation.matched,
        changed=operation.changed,
        refused=operation.refused,
        reasons=operation.reasons,
        refusals=operation.refusals,
        created_at=instants.text(operation.created_at),
        ended_at=None if operation.ended_at is None else instants.text(operation.ended_at),
        filter=UNSET if asked.ids else asked.filter,
        ids=len(asked.ids) if asked.ids else UNSET,
        by_seconds=UNSET if asked.by is None else instants.seconds(asked.by),
        change=UNSET if asked.change is UNSET else _masked(asked.change),
        per_second=UNSET if asked.per_second is None else asked.per_second,
    )


def _masked(change: Raw) -> Raw:
    named = msgspec.json.decode(change, type=dict[str, Raw])
    return Raw(msgspec.json.encode({name: Raw(masked_members(bytes(members))) for name, members in named.items()}))
