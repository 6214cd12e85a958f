"""A task type: one file in ``task_types/`` for each, or in somebody's own package."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from tasker.model.attempt import Attempt, Outcome
from tasker.model.gate import Destination
from tasker.model.task import Pool
from tasker.wire.fields import TaskFields


class TaskType(Protocol):
    """Knows how to run the tasks of one type.

    One instance serves all of them; ``run`` is called many times at once. Whatever it raises fails
    the attempt with ``internal_error`` and is logged; it never takes the engine down.
    """

    @property
    def name(self) -> str:
        """What the type is called in requests, answers, the store: lower case, ``[a-z][a-z0-9_]*``."""

    @property
    def spellings(self) -> Sequence[str]:
        """Further names that requests may use, beside ``name``."""

    @property
    def pool(self) -> Pool:
        """The pool its tasks wait in, of its own: 1 is webhook, 2 is hash, numbers below 100 are tasker's.

        Tasks that workers pull share the pool ``PULLED``: see ``PulledType``. It is stored with
        every task: never change it.
        """

    @property
    def slots(self) -> int:
        """How many of its tasks may run at once, at least 1; 0 for a type that is pulled."""

    @property
    def timeout(self) -> timedelta:
        """After so long an attempt that has not ended is settled as failed with ``timeout``.

        Its slot stays taken until ``run`` returns.
        """

    @property
    def fields(self) -> type[TaskFields]:
        """What a request for such a task may say, as a msgspec struct. Its JSON is what the store keeps.

        That of a package's type defines no member whose name is reserved (``wire.reserved``).
        """

    def prepare(self, request: TaskFields) -> TaskFields:
        """Check *request*, a ``fields`` whose members have the right types, and return what is to be stored: all of it.

        It is called again when a task is changed, with what it returned before and what is given
        anew, so it takes what it returns.

        Return *request* itself if nothing is to be changed, else ``msgspec.structs.replace(request,
        ...)``: what is not returned is dropped, the members that every type has (those of
        ``TaskFields``) included. Those are checked elsewhere.

        Raises:
            InvalidTaskError: it cannot become a task. Its ``field`` is the member's name, without
                the type's.
        """

    def destination(self, fields: TaskFields) -> Destination:
        """Return where a task with these *fields*, as ``prepare`` returned them, goes.

        Called when it is created, and when it is changed.

        ``Destination(GateKind.TYPE, name)`` for a type whose tasks all go to one place.
        """

    async def run(self, attempt: Attempt, fields: TaskFields, started: Callable[[], None]) -> Outcome:
        """Make one attempt and say how it ended.

        Call *started* immediately before the first effect (the first byte on the wire, the first
        round of a computation): lateness is measured there. Not called, the attempt counts as
        started when ``run`` was called. Call it again before another first effect if the one before
        did not come about, as on a new connection: the last call counts.

        *started* raises ``AttemptMustNotBeginError`` if the attempt must not begin: its task has
        expired, this node's lease has ended, or the attempt was cancelled meanwhile. Have no effect
        then, and let the error pass. The task is given back and no attempt is used up, also if the
        error is caught on the way and whatever is returned in its place.

        Returns, or ends after a cancellation, only when nothing of the attempt is running any more.

        Args:
            attempt: what there is to know of the attempt. Its ``payload`` is the JSON of *fields*.
            fields: what ``prepare`` returned when the task was created or last changed, as an
                instance of ``self.fields``. A task whose payload this struct cannot read (``fields`` has
                changed since) is not run: it ends ``failed`` with ``unreadable_payload``.
            started: see above.
        """

    async def close(self) -> None:
        """Let go of connections and threads. Called once, after the last ``run``."""
