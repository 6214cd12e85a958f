"""Does the clock go right: that of the database, which decides, and this machine's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tasker.doctor.case import Case
from tasker.model import instants
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown
from tasker.model.number_words import many
from tasker.model.time_words import length_in_words

CHECK: Final = "clock"

LARGEST_OFFSET: Final = 1.0
"""Seconds that two clocks may differ."""

OFFSET: Final = Problem(
    CHECK,
    "clock_offset",
    Level.WARNING,
    "tasks start by the clock of the database; whoever reads times on this machine takes them for early or late",
)
SET_BACK: Final = Problem(
    CHECK, "clock_set_back", Level.WARNING, "tasks that are due start that much later, by the clock of before"
)
STEPPED: Final = Problem(
    CHECK, "clock_stepped", Level.WARNING, "tasks that were due in between have started at once, or have waited longer"
)

PROBLEMS: Final = (OFFSET, SET_BACK, STEPPED)

_MEND: Final = "timedatectl set-ntp true"


def look(case: Case) -> Sequence[Finding]:
    """Return what is wrong with the clock, or how well it goes."""
    if case.settings.dev_clock:
        return [fine(CHECK, "it is one for tests: it stands still until it is moved")]
    stats, contents = case.answers.stats, case.database.contents
    offset = case.database.clock_offset
    if offset is None and case.database.is_shared and stats is not None:
        offset = stats.clock_offset_seconds
    if case.database.is_shared and offset is None:
        return [unknown(CHECK, "the clock of the database could not be read")]
    looked_at = None if contents is None else contents.looked_at
    ahead = 0.0 if looked_at is None else instants.seconds(looked_at - case.now)
    steps: Mapping[str, float] = {}
    if not case.database.is_shared and case.answers.figures is not None:
        steps = case.answers.figures.by_label("tasker_clock_steps_total")
    found = [*judge(offset=offset or 0.0, ahead=ahead, steps=steps)]
    if found:
        return found
    if offset is None:
        return [fine(CHECK, "this machine's decides; no server has seen a later time")]
    return [fine(CHECK, f"the database's decides; this machine's differs by {length_in_words(abs(offset))}")]


def judge(*, offset: float, ahead: float, steps: Mapping[str, float]) -> Iterator[Finding]:
    """Return what is wrong.

    Args:
        offset: seconds that the clock of the database is ahead of this machine's.
        ahead: seconds from now to the moment at which a server has looked for tasks; negative, as a rule.
        steps: how often a server has seen that the clock was set, by direction.
    """
    if abs(offset) > LARGEST_OFFSET:
        side = "ahead of" if offset > 0 else "behind"
        yield OFFSET.found(
            f"the clock of the database is {length_in_words(abs(offset))} {side} this machine's",
            mend=f"{_MEND}, on both machines",
        )
    if ahead > LARGEST_OFFSET:
        yield SET_BACK.found(
            f"a server was at work at a time that is {length_in_words(ahead)} from now: the clock was set back",
            mend=_MEND,
        )
    if any(steps.values()):
        said = " and ".join(f"{many(int(count), 'time')} {direction}" for direction, count in steps.items() if count)
        yield STEPPED.found(
            f"the clock of this machine was set {said} since the server was started",
            mend=f"{_MEND}, with a time server that corrects it little by little",
        )
