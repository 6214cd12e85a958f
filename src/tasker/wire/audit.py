"""What answers show of the audit log, and of the line of a task."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.attempt import AttemptRecord
from tasker.model.audit import Action, AuditRecord, Changed, Kind
from tasker.model.task import Task
from tasker.wire.attempts import AttemptView, attempt_view
from tasker.wire.callers import By, by_view, creator_view

_DATE_TIME: Final = {"format": "date-time"}

ActionWord = Literal[
    "run",
    "change",
    "cancel",
    "retry",
    "delete",
    "duplicate",
    "pause",
    "resume",
    "probe",
    "limit",
    "begin",
    "create",
    "backfill",
    "revoke",
    "sign_in",
    "sign_out",
    "disable",
    "set_clock",
    "circuit_opened",
    "circuit_probed",
    "circuit_closed",
]
KindWord = Literal["task", "destination", "operation", "key", "schedule", "server", "inbox"]


class ChangeView(Struct, frozen=True, kw_only=True):
    """A row of the audit log: a change."""

    id: int
    at: Annotated[str, Meta(extra_json_schema=_DATE_TIME)]
    by: By
    action: ActionWord
    kind: Annotated[KindWord, Meta(description="What has been changed.")]
    subject: Annotated[str, Meta(description="Its id.")] | UnsetType = UNSET
    name: Annotated[str, Meta(description="What it is called, of a destination or a key.")] | UnsetType = UNSET
    changes: (
        Annotated[
            Mapping[str, Changed],
            Meta(description="The members that are others, with what they were and are; no secrets, no bodies."),
        ]
        | UnsetType
    ) = UNSET


class AuditPageView(Struct, frozen=True):
    """Some changes, the latest first."""

    audit: Sequence[ChangeView]
    next: Annotated[str, Meta(description="The path of the next page.")] | None


class Moment(Struct, frozen=True, kw_only=True):
    """Something that happened to a task: it was created, an attempt ended, or somebody changed it."""

    at: Annotated[str, Meta(extra_json_schema=_DATE_TIME, description="Of an attempt: when it began.")]
    event: Literal["created", "attempt", "change"]
    by: Annotated[By, Meta(description="Who has created it, if a key was asked for.")] | UnsetType = UNSET
    attempt: AttemptView | UnsetType = UNSET
    change: (
        Annotated[ChangeView, Meta(description="Of the task itself, or the operation that has changed it then.")]
        | UnsetType
    ) = UNSET


class HistoryView(Struct, frozen=True):
    """What happened to a task, the earliest first."""

    history: Sequence[Moment]
    complete: Annotated[bool, Meta(description="false: there were more changes than the latest, which are here.")]


def change_view(record: AuditRecord) -> ChangeView:
    """Return a row of the audit log as answers show it."""
    return ChangeView(
        id=record.id,
        at=instants.text(record.at),
        by=by_view(record.by),
        action=record.action.value,
        kind=record.kind.value,
        subject=record.subject or UNSET,
        name=UNSET if record.name is None else record.name,
        changes=record.changes or UNSET,
    )


def history_view(
    task: Task, attempts: Sequence[AttemptRecord], changes: Sequence[AuditRecord], *, has_all: bool
) -> HistoryView:
    """Return one line of time.

    Args:
        changes: the latest first.
        has_all: whether there are no others.
    """
    line: list[tuple[int, Moment]] = [
        (task.created_at, _moment(task.created_at, "created", by=creator_view(task.created_by)))
    ]
    line += [(each.started_at, _moment(each.started_at, "attempt", attempt=attempt_view(each))) for each in attempts]
    line += [(each.at, _moment(each.at, "change", change=change_view(each))) for each in reversed(changes)]
    return HistoryView([moment for _, moment in sorted(line, key=lambda each: each[0])], has_all)


def _moment(at: int, event: Literal["created", "attempt", "change"], **what: Any) -> Moment:  # noqa: ANN401
    return Moment(at=instants.text(at), event=event, **what)


ACTIONS: Final[Mapping[str, Action]] = {action.value: action for action in Action}
KINDS: Final[Mapping[str, Kind]] = {kind.value: kind for kind in Kind}
