"""What the worker needs to record attempts as spans of traces."""

from typing import Protocol

from tasker.model.attempt import Attempt, Outcome
from tasker.model.instants import Instant
from tasker.wire.fields import TaskFields


class AttemptSpan(Protocol):
    """The span of one attempt. Never waits, never raises."""

    @property
    def traceparent(self) -> str:
        """This span, as W3C Trace Context writes it: what is called in the attempt belongs under it."""

    def end(self, outcome: Outcome | None, *, at: Instant) -> None:
        """Say how the attempt ended. Called once.

        Args:
            outcome: None: it did not count, and its task was given back.
            at: when it ended.
        """


class Tracer(Protocol):
    """Records attempts as spans. Never waits, never raises: no attempt fails for it."""

    def begin(self, attempt: Attempt, fields: TaskFields, *, at: Instant) -> AttemptSpan | None:
        """Begin the span of an attempt; None: it has none.

        Its parent is the ``traceparent`` of *fields*; without one it begins a new trace.

        Args:
            fields: those of the task; ``TaskFields`` alone if they cannot be read.
            at: when it began.
        """

    async def close(self) -> None:
        """Send what is recorded, for a bounded time; what is left then is lost."""
