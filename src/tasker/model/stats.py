"""What a server has counted and measured."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from tasker.model.instants import Instant
from tasker.model.task import State

AttemptOutcome: TypeAlias = Literal["succeeded", "retried", "failed", "cancelled"]
"""What came of an attempt: its task is done, waits for another try, has failed for good, or was
cancelled while the attempt ran and failed."""

ATTEMPT_OUTCOMES: Final[tuple[AttemptOutcome, ...]] = get_args(AttemptOutcome)


class Lateness(Struct, frozen=True):
    """Lateness of the latest attempts (up to 10,000) in seconds; null while there is none."""

    count: int
    p50: float | None
    p99: float | None
    max: float | None


class CauseLateness(Struct, frozen=True):
    """What one cause has of the lateness of the same attempts, in seconds; null while there is none."""

    p50: float | None
    p99: float | None
    max: float | None
    sum: float
    """Of all of them. The sums of the causes add up to that of the lateness."""


class Totals(Struct, frozen=True, kw_only=True):
    """What this process has counted since it started."""

    created: int
    deleted: int
    attempts: int
    done: int
    retried: int
    failed: int
    cancelled: int
    given_back: int
    taken_back: int
    claims_lost: int
    pruned: int


class SlotCount(Struct, frozen=True):
    """The worker slots of one kind."""

    total: int
    running: int
    """Those that are taken."""


class ServerStats(Struct, frozen=True, kw_only=True):
    """What this process has counted and measured, and how many tasks are stored."""

    version: str
    started_at: Instant
    lateness: Lateness
    lateness_by_cause: Mapping[str, CauseLateness]
    """By the members of ``LatenessByCause``."""
    tasks: Mapping[State, int]
    """Counting stops at ``tasks_counted_to``."""
    tasks_counted_to: int
    clock_offset: float
    """Seconds by which the store's clock is ahead of this machine's."""
    paused_at: Instant | None
    """Since when everything is paused; None: it is not."""
    slots: Mapping[str, SlotCount]
    """By task type."""
    totals: Totals
