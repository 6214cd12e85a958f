"""What becomes of a task by what an attempt has come to, as a store is to write it. Pure."""

from msgspec.structs import replace

from tasker.engine.aftermath import ending_of
from tasker.model import lifecycle
from tasker.model.attempt import Awaited, Outcome
from tasker.model.instants import Instant
from tasker.model.lifecycle import Settlement
from tasker.wire.fields import readable_end_fields, retry_policy


def judged(awaited: Awaited, outcome: Outcome, *, now: Instant, rand: float) -> Settlement:
    """Return what is to be written of an attempt of whose end was told from outside, or nothing was in time.

    Args:
        rand: as for ``lifecycle.settle``.
    """
    attempt = awaited.attempt
    fields = readable_end_fields(attempt.payload)
    settlement = lifecycle.settle(
        outcome,
        attempt=attempt,
        retry=retry_policy(fields),
        started_at=awaited.started_at,
        now=now,
        rand=rand,
        accepted=awaited.record,
    )
    ending = ending_of(attempt, fields, settlement)
    return settlement if ending is None else replace(settlement, ending=ending)
