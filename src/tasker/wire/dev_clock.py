"""What requests and answers say of the clock of a server that is there for tests."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tasker.model import instants
from tasker.model.instants import Instant
from tasker.wire.fields import Length


class ClockMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the clock: exactly one member."""

    freeze: (
        Annotated[bool, Meta(description="true: it stands still from now on; false: it runs on from where it stands.")]
        | UnsetType
    ) = UNSET
    moment: (
        Annotated[
            str,
            Meta(
                description="Where it is set to, on or back, at once, as RFC 3339.",
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | UnsetType
    ) = msgspec.field(name="set", default=UNSET)
    advance: (
        Annotated[Length, Meta(description="How far it goes on: whatever comes due on its way happens in its time.")]
        | UnsetType
    ) = UNSET


class ClockView(Struct, frozen=True, kw_only=True):
    """How the clock stands."""

    now: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    frozen: Annotated[bool, Meta(description="Whether it stands still.")]


def clock_view(now: Instant, *, frozen: bool) -> ClockView:
    """Return a clock as answers show it."""
    return ClockView(now=instants.text(now), frozen=frozen)
