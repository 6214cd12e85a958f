"""What pages say once something was done. An address names one of these, and never brings a text of its own."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Notice(NamedTuple):
    """What is said after an action."""

    text: str
    leads_to: str = ""
    """A path behind ``/ui``; may have ``{id}``. Empty: there is nothing more to see."""
    link: str = ""


NOTICES: Final[Mapping[str, Notice]] = {
    "run": Notice("The task is due now."),
    "run_held": Notice("The task is due now, and waits for its destination: see below."),
    "retry": Notice("The task runs again, from its first attempt on."),
    "cancel": Notice("The task was cancelled."),
    "cancelling": Notice("The task is cancelled as soon as its attempt has ended."),
    "delete": Notice("The task was deleted."),
    "change": Notice("The task was changed."),
    "no_change": Notice("Nothing was changed: all is as it was."),
    "create": Notice("The task was created.", "/tasks/{id}", "Look at it"),
    "duplicate": Notice("Another task like it was created.", "/tasks/{id}", "Look at it"),
    "operation": Notice("The operation is under way.", "/operations/{id}", "Watch it"),
    "operation_cancel": Notice("The operation goes no further. What it has changed stays so."),
    "pause": Notice("Paused. Nothing of it starts until you resume it."),
    "resume": Notice("Resumed. Its tasks start again."),
    "probe": Notice("One task is sent now as a probe."),
    "limits": Notice("The limits were changed."),
    "schedule_create": Notice("The schedule was created."),
    "schedule_change": Notice("The schedule was changed."),
    "schedule_delete": Notice("The schedule was deleted."),
    "schedule_run": Notice("A run was made, beside the regular ones.", "/tasks/{id}", "Look at it"),
    "schedule_skip": Notice("The next run was called off. The one after it stands."),
    "pause_all": Notice("Everything is paused."),
    "resume_all": Notice("Tasks start again."),
    "sign_out": Notice("You are signed out."),
}
