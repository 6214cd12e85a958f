"""What looks like a mistake in the settings."""

from collections.abc import Sequence
from typing import Final

from tasker.doctor.case import Case
from tasker.model.diagnosis import Finding, Level, Problem, fine

CHECK: Final = "settings"

DOUBTFUL: Final = Problem(CHECK, "doubtful_setting", Level.WARNING, "it has no effect")

PROBLEMS: Final = (DOUBTFUL,)


def look(case: Case) -> Sequence[Finding]:
    """Return what is doubtful, as the log of a server says it at the start."""
    found = [DOUBTFUL.found(each, mend="correct it, or take it away") for each in case.doubts]
    return found or [fine(CHECK, "nothing in them looks like a mistake")]
