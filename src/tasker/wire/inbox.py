"""What answers show of the inbox."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasker.model import instants
from tasker.model.inbox import InboxRow


class InboxRowView(Struct, frozen=True, kw_only=True):
    """A row of the inbox."""

    id: Annotated[str, Meta(description="That of the task to be.", extra_json_schema={"format": "uuid"})]
    state: Annotated[
        Literal["waiting", "refused"], Meta(description="waiting: it is to be taken, which is at once as a rule.")
    ]
    error: Annotated[str, Meta(description="Why it was refused; null: it was not.")] | None
    inserted_at: Annotated[
        str,
        Meta(
            description="When its INSERT was made. Its transaction may have been committed later.",
            extra_json_schema={"format": "date-time"},
        ),
    ]
    request: (
        Annotated[
            Raw,
            Meta(
                description="What was asked for, as it was written: any JSON. "
                "Only for callers with the scope secrets:read."
            ),
        ]
        | UnsetType
    ) = UNSET


class InboxPage(Struct, frozen=True):
    """Some rows of the inbox, by their ids: those that were made first come first."""

    inbox: Sequence[InboxRowView]
    next: Annotated[str, Meta(description="The path of the next page.")] | None


def inbox_row_view(row: InboxRow, *, has_request: bool) -> InboxRowView:
    """Return a row as answers show it."""
    return InboxRowView(
        id=row.id,
        state="waiting" if row.error is None else "refused",
        error=row.error,
        inserted_at=instants.text(row.inserted_at),
        request=Raw(row.request) if has_request and row.request is not None else UNSET,
    )
