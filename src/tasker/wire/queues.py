"""What requests and answers say of queues, and of what workers claim there."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.attempt import Attempt
from tasker.model.instants import Instant
from tasker.wire.fields import Length

MOST: Final = 100
"""Tasks that one claim takes at most."""

MOST_QUEUES: Final = 1000
"""Queues that one claim names at most."""

LONGEST_WAIT: Final = 60.0
"""Seconds that one claim may wait."""

LEASE: Final = "1m"
"""If the caller says nothing."""


class ClaimRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker wants of a queue."""

    max: Annotated[int, Meta(ge=1, le=MOST, description="How many tasks, at most.")] = 1
    wait: Annotated[
        float, Meta(ge=0, le=LONGEST_WAIT, description="Seconds for which the answer may wait until one is due.")
    ] = 0.0
    lease: Annotated[
        Length, Meta(description="How long the worker has each of them, unless it sends heartbeats: 3s to 1d.")
    ] = LEASE


class ClaimOfSeveralRequest(ClaimRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker wants of whichever of its queues has something due."""

    queues: Annotated[
        list[Annotated[str, Meta(min_length=1)]],
        Meta(
            min_length=1,
            max_length=MOST_QUEUES,
            description="Names of queues. The tasks are of one of them.",
            examples=[["reports", "type:report.build"]],
        ),
    ]


class ClaimedJob(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task that a worker has claimed. With it come the members of its request, such as ``json`` and ``tags``."""

    type: str
    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"}, description="The same at every attempt.")]
    attempt: Annotated[int, Meta(ge=1, description="The number of this attempt.")]
    token: Annotated[str, Meta(description="What its end is told with: see /completions/complete.")]
    lease_until: Annotated[
        str, Meta(extra_json_schema={"format": "date-time"}, description="Then it is given to others.")
    ]
    execution_time: Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="In UTC.")]
    key: Annotated[str, Meta(description="The caller's own name for it.")] | UnsetType = UNSET


class ClaimedJobs(Struct, frozen=True):
    """What a worker has claimed, earliest due first; nothing, if nothing came."""

    jobs: list[ClaimedJob]


def claimed_json(attempts: Sequence[Attempt], lease_until: Instant, token_of: Callable[[Attempt], str]) -> bytes:
    """Return *attempts* as ``ClaimedJobs``, each with what its task was given, as it is stored."""
    until = instants.text(lease_until)
    return b'{"jobs":[%b]}' % b",".join(_job(attempt, token_of(attempt), until) for attempt in attempts)


def _job(attempt: Attempt, token: str, lease_until: str) -> bytes:
    view = ClaimedJob(
        type=attempt.type,
        id=attempt.task_id,
        attempt=attempt.number,
        token=token,
        lease_until=lease_until,
        execution_time=instants.text(attempt.execution_at),
        key=UNSET if attempt.key is None else attempt.key,
    )
    return b"{%b}" % b",".join(filter(None, (msgspec.json.encode(view)[1:-1], attempt.payload[1:-1])))
