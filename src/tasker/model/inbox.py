"""The inbox: requests for new tasks that applications write into the database themselves."""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from tasker.model.audit import Actor
from tasker.model.instants import Instant
from tasker.model.task import TaskId

INBOX: Final = Actor("inbox", "inbox")
"""Who creates the tasks that come from there."""

LEFT_FOR: Final = timedelta(minutes=1)
"""How long a row is left to other nodes, of which one may know what this one does not."""

INBOX_OUTCOMES: Final = ("created", "kept", "refused")
"""What becomes of a row: its task is created, another task is kept in its place, or it is refused."""

INBOX_COUNTED_TO: Final = 10_000
"""Where counting rows stops: its cost does not grow with the inbox."""


class InboxRow(Struct, frozen=True, kw_only=True):
    """A row of the inbox."""

    id: TaskId
    """That of the task to be."""
    request: bytes | None
    """What ``POST /tasks/new`` takes, as the database writes it: JSON in UTF-8. None: it is too long to be read."""
    inserted_at: Instant
    """When its INSERT was made, by the store's clock: its transaction may have been committed much later."""
    error: str | None = None
    """Why it was refused; None: it is to be taken."""
    version: str = ""
    """Another one whenever the row is written. In a form only the store understands."""


class InboxCount(Struct, frozen=True):
    """How many rows there are. Counting stops at ``INBOX_COUNTED_TO`` for each."""

    waiting: int = 0
    """To be taken."""
    refused: int = 0
