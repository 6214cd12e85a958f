"""What is due and has not started, by the reason."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from tasker.doctor.case import Case
from tasker.explaining import IN_INBOX, OVERDUE_REASONS
from tasker.model.diagnosis import Finding, Level, Problem, fine, unknown
from tasker.model.number_words import many
from tasker.model.overdue import OVERDUE_COUNTED_TO
from tasker.model.time_words import length_in_words

CHECK: Final = "overdue"

NOBODY_RUNS: Final = Problem(CHECK, "nobody_runs", Level.FAULT, "they start when a server does")
LATE: Final = Problem(CHECK, "late", Level.WARNING, "they start later than they were asked to")
NO_SLOT: Final = Problem(CHECK, "no_slot", Level.WARNING, "they start when others have ended")
UNCLAIMED: Final = Problem(CHECK, "unclaimed", Level.WARNING, "they start when a worker claims them")
INBOX_WAITS: Final = Problem(CHECK, "inbox_waits", Level.WARNING, "no task has come of them yet")
INBOX_REFUSED: Final = Problem(CHECK, "inbox_refused", Level.WARNING, "no task comes of them, and nobody else is told")

PROBLEMS: Final = (NOBODY_RUNS, LATE, NO_SLOT, UNCLAIMED, INBOX_WAITS, INBOX_REFUSED)

_OURS: Final = ("due", "no_slot")
"""The reasons that are a server's own."""


class Late(Struct, frozen=True, kw_only=True):
    """What is overdue for one reason."""

    count: int
    oldest: float
    """For how many seconds the oldest has been due."""


def look(case: Case) -> Sequence[Finding]:
    """Return what is late, as a server counts it, or else the database."""
    counted = overdue_of(case)
    if counted is None:
        if case.database.is_new:
            return [fine(CHECK, "nothing is: there are no tasks yet")]
        return [unknown(CHECK, "it could not be counted: see database and server")]
    refused = refused_of(case)
    found = [*judge(counted, refused=refused, after=case.settings.alert_after, is_at_work=case.is_at_work)]
    held = {reason: each.count for reason, each in counted.items() if each.count}
    if found:
        return found
    if not held:
        return [fine(CHECK, "nothing is")]
    said = ", ".join(f"{_many(number)} {reason}" for reason, number in held.items())
    return [
        fine(
            CHECK, f"for less than {length_in_words(case.settings.alert_after.total_seconds())}, or on purpose: {said}"
        )
    ]


def overdue_of(case: Case) -> Mapping[str, Late] | None:
    """Return what is overdue, by reason; None: nobody says."""
    figures, contents = case.answers.figures, case.database.contents
    if figures is not None and (counts := figures.by_label("tasker_overdue_tasks")):
        oldest = figures.by_label("tasker_oldest_overdue_seconds")
        return {reason: Late(count=int(counts[reason]), oldest=oldest.get(reason, 0.0)) for reason in counts}
    if contents is None:
        return None
    overdue = contents.overdue
    return {
        reason: Late(count=overdue.by_reason[reason].count, oldest=overdue.oldest_seconds(reason))
        for reason in OVERDUE_REASONS
    }


def refused_of(case: Case) -> int:
    """Return how many rows of the inbox are refused, as far as that is known."""
    figures, contents = case.answers.figures, case.database.contents
    if contents is not None and contents.inbox is not None:
        return contents.inbox.refused
    return 0 if figures is None else int(figures.by_label("tasker_inbox_rows").get("refused", 0))


def judge(counted: Mapping[str, Late], *, refused: int, after: timedelta, is_at_work: bool) -> Iterator[Finding]:
    """Return what is wrong.

    Args:
        refused: rows of the inbox that no task comes of.
        after: for how long something may be overdue.
        is_at_work: whether a server runs.
    """
    late = {reason: each for reason, each in counted.items() if each.count and each.oldest > after.total_seconds()}
    if not is_at_work:
        waiting = {reason: each for reason, each in counted.items() if each.count and reason in (*_OURS, IN_INBOX)}
        if waiting:
            yield NOBODY_RUNS.found(f"{_said(waiting.values())}, and no server runs", mend="tasker serve")
        late = {reason: each for reason, each in late.items() if reason not in waiting}
    if "due" in late:
        yield LATE.found(
            f"{_said([late['due']])}, though there are free slots",
            mend="look at the log of the server, and at the processor and the disk of its machine and of the database",
        )
    if "no_slot" in late:
        yield NO_SLOT.found(
            f"{_said([late['no_slot']])}: servers do as much at once as they may",
            mend="start the server with a larger --max-deliveries, or start another one",
        )
    if "unclaimed" in late:
        yield UNCLAIMED.found(
            f"{_said([late['unclaimed']])}, and no worker claims them", mend="tasker worker --app MODULE:NAME"
        )
    if IN_INBOX in late:
        yield INBOX_WAITS.found(
            f"{_many(late[IN_INBOX].count, 'row')} of the inbox {_wait(late[IN_INBOX].count)} to be taken, "
            f"the oldest for {length_in_words(round(late[IN_INBOX].oldest))}",
            mend="look at the log of the server",
        )
    if refused:
        yield INBOX_REFUSED.found(
            f"{_many(refused, 'row')} of the inbox {'was' if refused == 1 else 'were'} refused",
            mend="tasker inbox ls says why, and tasker inbox retry tries one again",
        )


def _said(late: Collection[Late]) -> str:
    number, oldest = sum(each.count for each in late), max(each.oldest for each in late)
    verb = "is" if number == 1 else "are"
    return f"{_many(number, 'task')} {verb} overdue, the oldest for {length_in_words(round(oldest))}"


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _many(number: int, one: str = "") -> str:
    is_exact = number < OVERDUE_COUNTED_TO
    return many(number, one, is_exact=is_exact) if one else f"{number}{'' if is_exact else '+'}"
