"""A task that is to be created, and what becomes of it if its key or its id is in use."""

from enum import Enum

from msgspec import Struct

from tasker.errors import InvalidTaskError
from tasker.model.instants import Instant
from tasker.model.task import Task, TaskId


class OnConflict(Enum):
    """What a create does if another task holds its key."""

    REJECT = "reject"
    """It is refused."""
    KEEP = "keep"
    """It changes nothing: the task that holds the key stays as it is."""
    REPLACE = "replace"
    """The task that holds the key becomes the new one, under its own id. Refused while it runs."""
    DEBOUNCE = "debounce"
    """As ``REPLACE``. While it runs, the new task is created and takes the key over."""


class NewTask(Struct, frozen=True, kw_only=True):
    """A task to be created."""

    task: Task
    """As it is to be stored."""
    on_conflict: OnConflict = OnConflict.REJECT
    """What to do if another task holds its key."""
    max_wait: int | None = None
    """Microseconds after the holder's ``created_at`` at which a debounced task is due at the
    latest; None: as asked."""
    refusal: InvalidTaskError | None = None
    """What it is refused with, unless its id is stored with its content: it cannot be created any
    more, but may have been. None: it can be created."""


class Outcome(Enum):
    """What a create came to."""

    CREATED = "created"
    KEPT = "kept"
    REPLACED = "replaced"


class Made(Struct, frozen=True):
    """What became of a task to be created."""

    id: TaskId
    """Of the task that is there now."""
    outcome: Outcome
    execution_at: Instant
    """Of that task."""
