"""What happened to a task, in one line of time, and what the parts of each attempt took. Pure."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from tasker.model import instants
from tasker.model.attempt import AttemptRecord
from tasker.model.audit import AuditRecord
from tasker.model.instants import Instant
from tasker.service.audit import History


class Part(Struct, frozen=True):
    """A part of an attempt."""

    name: Literal["DNS", "connect", "first byte", "body", "work"]
    seconds: float
    x: float
    """Where its bar begins, in hundredths of the attempt."""
    width: float


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


def line_of(history: History) -> list[Point]:
    """Return what happened, the earliest first."""
    points = [Point(at=history.task.created_at)]
    before: AttemptRecord | None = None
    for record in history.attempts:
        points.append(Point(at=record.started_at, tried=_tried(record, before)))
        before = record
    points += [Point(at=change.at, change=change) for change in reversed(history.changes)]
    return sorted(points, key=lambda point: point.at)


def _tried(record: AttemptRecord, before: AttemptRecord | None) -> Tried:
    seconds = None if record.ended_at is None else instants.seconds(record.ended_at - record.started_at)
    backoff = None
    if before is not None and before.ended_at is not None:
        backoff = max(instants.seconds(record.due_at - before.ended_at), 0.0)
    return Tried(
        record=record,
        waited=instants.seconds(record.started_at - record.due_at),
        backoff=backoff,
        seconds=seconds,
        parts=_parts(record, seconds),
    )


def _parts(record: AttemptRecord, seconds: float | None) -> Sequence[Part]:
    """Return the parts of a call, in order, with bars that fill the whole; of another attempt, its work."""
    if record.exchange is None:
        return [] if not seconds else [Part("work", seconds, 0, 100)]
    phases = record.exchange.phases
    known = (phases.dns or 0) + (phases.connect or 0) + (phases.first_byte or 0)
    took: list[tuple[Literal["DNS", "connect", "first byte", "body"], float | None]] = [
        ("DNS", phases.dns),
        ("connect", phases.connect),
        ("first byte", phases.first_byte),
        ("body", None if phases.total is None or phases.first_byte is None else max(phases.total - known, 0)),
    ]
    whole = sum(length or 0 for _, length in took)
    parts, x = [], 0.0
    for name, length in took:
        if length is not None:
            width = round(100 * length / whole, 2) if whole else 0
            parts.append(Part(name, length, round(x, 2), width))
            x += width
    return parts
