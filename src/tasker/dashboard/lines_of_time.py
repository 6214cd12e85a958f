"""What happened to a task, in one line of time, and what the parts of each attempt took. Pure."""

import math
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from tasker.model import instants
from tasker.model.attempt import AttemptRecord
from tasker.model.audit import AuditRecord, Kind
from tasker.model.instants import Instant
from tasker.service.audit import History

Name: TypeAlias = Literal["backoff", "since the attempt before", "late", "DNS", "connect", "first byte", "body", "work"]

_WAITS: Final = frozenset({"backoff", "since the attempt before", "late"})
_WIDEST: Final = 24
"""Of a wait, in hundredths. Two leave the call more than half of its bar."""


class Part(Struct, frozen=True):
    """A part of an attempt, or of the wait before it."""

    name: Name
    seconds: float
    x: float
    """Where its bar begins, in hundredths. The bars fill the whole."""
    width: float
    """Of a wait by its logarithm, or the call could not be seen beside it; of the others as long as they are."""

    @property
    def is_wait(self) -> bool:
        """Whether nothing was done meanwhile."""
        return self.name in _WAITS


class Tried(Struct, frozen=True, kw_only=True):
    """An attempt, and the wait before it."""

    record: AttemptRecord
    waited: float
    """Seconds from its due time to its start."""
    backoff: float | None
    """Seconds from the end of the attempt before to its due time; None: it is the first that is kept."""
    seconds: float | None
    """What it took; None: it has not ended."""
    parts: Sequence[Part]


class Point(Struct, frozen=True, kw_only=True):
    """Something that happened. One of the two is there, or none: it was created."""

    at: Instant
    tried: Tried | None = None
    change: AuditRecord | None = None

    @property
    def did(self) -> str:
        """The word of the change; of an operation, that of what it did to its tasks. Empty: it is no change."""
        if self.change is None:
            return ""
        action = (self.change.changes or {}).get("action")
        if self.change.kind is Kind.OPERATION and action is not None and isinstance(action.after, msgspec.Raw):
            return str(msgspec.json.decode(action.after))
        return self.change.action.value


def line_of(history: History) -> list[Point]:
    """Return what happened, the earliest first."""
    points = [Point(at=history.task.created_at)]
    before: AttemptRecord | None = None
    changed = [change.at for change in history.changes]
    for record in history.attempts:
        points.append(Point(at=record.started_at, tried=_tried(record, before, changed)))
        before = record
    points += [Point(at=change.at, change=change) for change in reversed(history.changes)]
    return sorted(points, key=lambda point: point.at)


def _tried(record: AttemptRecord, before: AttemptRecord | None, changed: Sequence[Instant]) -> Tried:
    seconds = None if record.ended_at is None else instants.seconds(record.ended_at - record.started_at)
    waited = instants.seconds(record.started_at - record.due_at)
    backoff, waits = None, list[tuple[Name, float]]()
    if before is not None and before.ended_at is not None:
        backoff = max(instants.seconds(record.due_at - before.ended_at), 0.0)
        is_own = not any(before.ended_at <= at <= record.started_at for at in changed)
        waits.append(("backoff" if is_own else "since the attempt before", backoff))
    waits.append(("late", max(waited, 0.0)))
    return Tried(
        record=record, waited=waited, backoff=backoff, seconds=seconds, parts=_bars(waits, _took(record, seconds))
    )


def _took(record: AttemptRecord, seconds: float | None) -> list[tuple[Name, float]]:
    """Return the parts of a call, in order; of another attempt, its work."""
    if record.exchange is None:
        return [("work", seconds)] if seconds else []
    phases = record.exchange.phases
    known = (phases.dns or 0) + (phases.connect or 0) + (phases.first_byte or 0)
    took: list[tuple[Name, float | None]] = [
        ("DNS", phases.dns),
        ("connect", phases.connect),
        ("first byte", phases.first_byte),
        ("body", None if phases.total is None or phases.first_byte is None else max(phases.total - known, 0)),
    ]
    return [(name, length) for name, length in took if length is not None]


def _bars(waits: Sequence[tuple[Name, float]], took: Sequence[tuple[Name, float]]) -> Sequence[Part]:
    """Return all parts with bars: the waits, then what was done in the room that they leave."""
    widths = [_width(seconds) for _, seconds in waits]
    whole = sum(seconds for _, seconds in took)
    left = 100 - sum(widths)
    widths += [left * seconds / whole if whole else 0 for _, seconds in took]
    parts, x = [], 0.0
    for (name, seconds), width in zip([*waits, *took], widths, strict=True):
        parts.append(Part(name, seconds, round(x, 2), round(width, 2)))
        x += width
    return parts


def _width(seconds: float) -> float:
    return min(1 + 3 * math.log10(1 + seconds * 1_000), _WIDEST)
