"""One try at a task, how it can end, and what is kept of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from tasker.model.instants import Instant
from tasker.model.task import Admission, Fault, Pool, Progress, TaskId


class Attempt(msgspec.Struct, frozen=True):
    """A claimed task: this node, and no other, may run it until the attempt is settled or taken back.

    Its members are not ``kw_only``: see ``Rows``. Name them all the same.
    """

    task_id: TaskId
    type: str
    pool: Pool
    number: int
    """From 1. Counts, but does not fence: after a power loss a number can be given out again."""
    due_at: Instant
    """When the attempt was to start. Lateness is counted from here."""
    execution_at: Instant
    """The execution time of the task."""
    fence: int
    """Random number of the claim that took the task: the fence. A settle writes only where it still
    stands on the task."""
    node: str
    """The node that claimed it."""
    payload: bytes
    """What the task type was given: a JSON object."""
    retried_after: int = 0
    """How many attempts there were before somebody last had the failed task run again: the retry
    policy counts from there."""
    expires_at: Instant | None = None
    """No attempt of the task may start at this moment or later; None: there is no such moment."""
    late_down: int = 0
    """Microseconds from its due time to its claim in which no node looked for due tasks."""
    late_held: int = 0
    """The others of them, up to the moment at which its gate let it go."""
    key: str | None = None
    """The caller's own name for the task; None: it has none."""
    schedule: str | None = None
    """The schedule whose run its task is; None: it is no run."""
    admission: Admission | None = None
    """What was decided of the run's start; see ``Store.admit``."""
    gate: int | None = None
    """The gate that its task had to pass; None: it has none."""
    traceparent: str | None = None
    """The span of this attempt, as W3C Trace Context writes it: what a call in it sends. None: tracing
    is off."""

    @property
    def asks_to_start(self) -> bool:
        """Whether it is to be decided if it starts: it is the first one of a run, which did not with its claim."""
        return self.schedule is not None and self.admission is not Admission.STARTED


class Phases(msgspec.Struct, frozen=True, kw_only=True):
    """How long a call's parts took, in seconds. None: it did not come to that, or a connection was open already."""

    dns: Annotated[float | None, Meta(description="The lookup of the target's name. null for an address, too.")] = None
    connect: Annotated[float | None, Meta(description="Making the connection, TLS included.")] = None
    first_byte: Annotated[float | None, Meta(description="From the request to the first byte of the answer.")] = None
    total: Annotated[float | None, Meta(description="From the lookup to the end of the answer, or to the failure.")] = (
        None
    )


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What passed between tasker and the target of a call."""

    phases: Phases
    status: int | None = None
    """The HTTP status; None: there was no answer."""
    headers: Mapping[str, str] = {}
    """Some of the answer's headers, names in lower case."""
    body: str = ""
    """The beginning of the answer's body; bytes that are not UTF-8 are replaced."""
    note: str | None = None
    """What of the answer was not read, although its status was; None: nothing."""


class Succeeded(msgspec.Struct, frozen=True):
    """The attempt did what it was to do."""

    result: bytes | None = None
    """What was computed, as JSON; None if there is nothing to keep."""
    exchange: Exchange | None = None
    """What passed, if the attempt was a call."""


class Failed(msgspec.Struct, frozen=True):
    """The attempt did not do what it was to do."""

    fault: Fault
    permanent: bool = False
    """True if another attempt cannot help: the task ends ``failed`` at once."""
    retry_after: timedelta | None = None
    """How long the target asks to be left alone. The next attempt comes no earlier."""
    is_alive: bool | None = None
    """Whether the destination works, whatever it thinks of this task. False: it is its own fault.
    None: nobody can tell."""
    exchange: Exchange | None = None
    """What passed, if the attempt was a call."""


class Accepted(msgspec.Struct, frozen=True):
    """The attempt is in other hands now, which will tell how it ended."""

    deadline: timedelta
    """So long from now the task waits to be told."""
    counts: bool = True
    """Whether it counts in ``max_running`` of its gate meanwhile."""
    exchange: Exchange | None = None
    """What passed, if the attempt was a call."""


Outcome: TypeAlias = Succeeded | Failed | Accepted


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of an attempt once it has ended, or is in other hands."""

    number: int
    node: str
    due_at: Instant
    started_at: Instant
    ended_at: Instant | None
    """None: it is in other hands, or its task was cancelled while it was."""
    late_down: int = 0
    """As in the ``Attempt``."""
    late_held: int = 0
    """As in the ``Attempt``."""
    fault: Fault | None = None
    """Why it failed; None: it has not."""
    told_by: int | None = None
    """Of one whose end was told from outside: the fence of its claim; else None."""
    exchange: Exchange | None = None


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt whose end is told from outside: it is in other hands, or about to be."""

    attempt: Attempt
    """With the node that claimed it."""
    started_at: Instant
    """When it began; to the claim, as long as it is in no other hands."""
    deadline: Instant | None
    """Until when its task waits; None: it is in no other hands yet."""
    is_cancelled: bool
    """Whether its task was cancelled meanwhile."""
    progress: Progress | None
    """As in the ``Task``."""
    record: AttemptRecord | None
    """What is kept of it since it is in other hands; None: nothing is."""
