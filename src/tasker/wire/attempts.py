"""What answers show of an attempt."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.attempt import AttemptRecord, Phases
from tasker.model.lateness import by_cause
from tasker.model.task import Fault
from tasker.wire.lateness import LatenessByCauseView, lateness_by_cause_view


class AttemptView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An attempt that has ended, or was accepted."""

    number: Annotated[int, Meta(ge=1)]
    node: Annotated[str, Meta(description="The id of the server that made it.", extra_json_schema={"format": "uuid"})]
    due_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    started_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    ended_at: (
        Annotated[
            str,
            Meta(
                extra_json_schema={"format": "date-time"},
                description="null for one that was accepted, while its task waits for the completion.",
            ),
        ]
        | None
    )
    lateness_seconds: Annotated[float, Meta(description="started_at minus due_at.")]
    lateness_by_cause_seconds: LatenessByCauseView
    outcome: Literal["succeeded", "failed", "accepted"]
    error: Fault | None
    status: Annotated[int, Meta(description="The HTTP status of the answer.")] | UnsetType = UNSET
    phases_seconds: Annotated[Phases, Meta(description="How long the parts of the call took.")] | UnsetType = UNSET
    response_headers: Annotated[dict[str, str], Meta(description="Some of the answer's headers.")] | UnsetType = UNSET
    response_body: Annotated[str, Meta(description="The first KiB of the answer's body.")] | UnsetType = UNSET
    response_note: Annotated[str, Meta(description="What of the answer could not be read.")] | UnsetType = UNSET


def attempt_view(record: AttemptRecord) -> AttemptView:
    """Return *record* as answers show it."""
    exchange = record.exchange
    lateness = by_cause(
        due_at=record.due_at, started_at=record.started_at, down=record.late_down, held=record.late_held
    )
    return AttemptView(
        number=record.number,
        node=record.node,
        due_at=instants.text(record.due_at),
        started_at=instants.text(record.started_at),
        ended_at=None if record.ended_at is None else instants.text(record.ended_at),
        lateness_seconds=instants.seconds(lateness.total),
        lateness_by_cause_seconds=lateness_by_cause_view(lateness),
        outcome=_outcome(record),
        error=record.fault,
        status=UNSET if exchange is None or exchange.status is None else exchange.status,
        phases_seconds=UNSET if exchange is None else exchange.phases,
        response_headers=UNSET if exchange is None or exchange.status is None else dict(exchange.headers),
        response_body=UNSET if exchange is None or exchange.status is None else exchange.body,
        response_note=UNSET if exchange is None or exchange.note is None else exchange.note,
    )


def _outcome(record: AttemptRecord) -> Literal["succeeded", "failed", "accepted"]:
    if record.fault is not None:
        return "failed"
    return "accepted" if record.ended_at is None else "succeeded"
