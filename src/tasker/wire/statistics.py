"""What answers show of tasks over time."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from tasker.model import instants
from tasker.model.steps import DueCounts, Steps
from tasker.wire.tasks import AtLeast

_TIME = {"format": "date-time"}


class DueStep(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """How many tasks are due in a step of time."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the step begins, in UTC.")]
    due: Annotated[int, Meta(ge=0)] | AtLeast


class DueView(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """How many tasks are due when."""

    from_: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the first step begins, in UTC.")]
    to: Annotated[str, Meta(extra_json_schema=_TIME, description="Where the last step ends, in UTC.")]
    step_seconds: Annotated[float, Meta(ge=1)]
    steps: Annotated[Sequence[DueStep], Meta(description="All of them, also those in which nothing is due.")]


def due_view(steps: Steps, counted: DueCounts) -> DueView:
    """Return what was *counted* in *steps* as answers show it."""
    return DueView(
        from_=instants.text(steps.start),
        to=instants.text(steps.end),
        step_seconds=instants.seconds(steps.length),
        steps=[
            DueStep(from_=instants.text(start), due=count if is_exact else AtLeast(count))
            for start, count, is_exact in zip(steps.starts, counted.counts, counted.is_exact, strict=True)
        ],
    )
