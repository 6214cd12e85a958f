"""A change of a task: what it is given anew."""

from msgspec import Struct

from tasker.model.task import Task


class Change(Struct, frozen=True, kw_only=True):
    """A change of what a task was given."""

    task: Task
    """As it is to be stored. Only what a request can say is written: the payload with
    its tags, the times, where it goes, and how long it is kept."""
    revision: int
    """The revision of the task that the change was made from."""
    waited: int
    """Microseconds of the waits of its retry policy that have begun so far, since somebody last had it
    run again."""
    has_new_payload: bool
    """Whether the payload is another one; False: it is not written, and nor are its tags."""
