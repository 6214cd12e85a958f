"""What a function is told of the attempt in which it runs, and what it can say of it."""

import contextvars
import logging
from collections.abc import Callable, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from msgspec import Struct

from tasker.errors import AttemptOverError
from tasker.worker import reports

Why = Literal["cancelled", "timeout", "lost", "stopping"]
"""Why nobody waits for the end of an attempt: its task was cancelled; it took too long; its lease has
ended, and others may have it; the worker stops."""

_NO_TASK: Final = "00000000-0000-0000-0000-000000000000"


class About(Struct, frozen=True, kw_only=True):
    """What is known of an attempt from the beginning."""

    name: str
    task_id: str = _NO_TASK
    attempt: int = 1
    key: str | None = None
    execution_time: datetime
    deadline: datetime | None = None
    tags: Sequence[str] = ()


class Context:
    """The attempt in which a function runs.

    Its methods may be called from any thread, and never wait.
    """

    def __init__(self, about: About, *, beat: Callable[[float | None, str | None], None] | None = None) -> None:
        """Make it.

        Args:
            beat: told what ``heartbeat`` says; None: nobody is.
        """
        self._about = about
        self._beat = beat
        self._over: Why | None = None
        self.logger: logging.LoggerAdapter[logging.Logger] = _Logger(
            logging.getLogger(f"tasker.tasks.{about.name}"), {"task_id": about.task_id, "attempt": about.attempt}
        )
        """Logs with the task's id and the number of the attempt."""

    @property
    def task_id(self) -> str:
        """The id of the task: the same at every attempt. Zeros, if the function was called directly."""
        return self._about.task_id

    @property
    def name(self) -> str:
        """The name of the function; empty, if it was called directly."""
        return self._about.name

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._about.attempt

    @property
    def key(self) -> str | None:
        """The task's key; None: it has none."""
        return self._about.key

    @property
    def tags(self) -> Sequence[str]:
        """The task's tags."""
        return self._about.tags

    @property
    def execution_time(self) -> datetime:
        """When the task was to run, in UTC. Called directly: when the context was asked for."""
        return self._about.execution_time

    @property
    def deadline(self) -> datetime | None:
        """When the attempt ends with ``timeout``, by this machine's clock, in UTC; None: there is no timeout."""
        return self._about.deadline

    @property
    def over(self) -> Why | None:
        """Why nobody waits for this attempt any more: ``cancelled``, ``timeout``, ``lost`` or ``stopping``.

        None: it goes on. A cancellation is heard of with the next heartbeat, every third of the lease
        at least.
        """
        return self._over

    def check(self) -> None:
        """Return if somebody still waits for this attempt. For a function that is not async, in its loops.

        Raises:
            AttemptOverError: nobody does. Let it pass: what the function does is over.
        """
        if self._over is not None:
            raise AttemptOverError(self._over)

    def heartbeat(self, progress: float | None = None, msg: str | None = None) -> None:
        """Say how far the attempt has come: the task shows it. The worker keeps the lease without it, too.

        Of several within a second, the last one is sent.

        Args:
            progress: the part that is done, from 0 to 1; None: as said before.
            msg: a line for people; None or empty: as said before. Control characters become spaces, and what
                is longer than 1000 characters is cut.

        Raises:
            ValueError: *progress* is no such part.
        """
        if progress is not None and not 0 <= progress <= 1:
            raise ValueError(f"progress: expected 0 to 1, got: {progress}")
        if self._beat is not None:  # a line that the server refuses would cost the lease
            self._beat(
                None if progress is None else float(progress), None if msg is None else reports.line_of(msg) or None
            )

    def end(self, why: Why) -> None:
        """Say that nobody waits for this attempt any more. Called by the worker."""
        self._over = why


class _Logger(logging.LoggerAdapter[logging.Logger]):
    """Adds what it is told of to each record, beside what the call says."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:  # noqa: ANN401 - as its base
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


_current: contextvars.ContextVar[Context | None] = contextvars.ContextVar("tasker_context", default=None)


def context() -> Context:
    """Return the attempt in which the calling function runs.

    Outside a worker, where the function was called directly, it is an attempt that nobody hears of: its
    heartbeats go nowhere, and it is never over. So a function needs nothing to be tested.
    """
    return _current.get() or Context(About(name="", execution_time=datetime.now(UTC)))


def enter(new: Context) -> contextvars.Context:
    """Return a copy of what is current here, in which *new* is what ``context`` returns."""
    copy = contextvars.copy_context()
    copy.run(_current.set, new)
    return copy
