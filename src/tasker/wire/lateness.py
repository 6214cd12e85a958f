"""What answers show of why an attempt began late."""

from typing import Annotated

from msgspec import Meta, Struct

from tasker.model import instants
from tasker.model.lateness import LatenessByCause


class LatenessByCauseView(Struct, frozen=True, kw_only=True):
    """Lateness by cause, in seconds. To the microsecond, the parts add up to lateness_seconds."""

    down: Annotated[
        float, Meta(ge=0, description="No server looked for due tasks: none ran, or none could, for more than 5 s.")
    ]
    held: Annotated[
        float,
        Meta(
            ge=0,
            description="Its destination or group held it: paused, failing, full, or at its rate. "
            "Or it stood in the inbox: its transaction was committed after its due time.",
        ),
    ]
    own: Annotated[float, Meta(ge=0, description="The rest, such as waiting for a worker slot.")]


def lateness_by_cause_view(lateness: LatenessByCause) -> LatenessByCauseView:
    """Return *lateness* as answers show it."""
    return LatenessByCauseView(
        down=instants.seconds(lateness.down), held=instants.seconds(lateness.held), own=instants.seconds(lateness.own)
    )
