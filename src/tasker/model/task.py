"""A task: what is to be done, when, and how far it has come."""

from enum import IntEnum
from typing import Annotated, Final, NewType

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasker.model.gate import Destination
from tasker.model.instants import Instant

TaskId = NewType("TaskId", str)
"""A UUID (version 7 for the ids that tasker makes) as canonical text: lower case, with hyphens."""

Pool = NewType("Pool", int)
"""The number of a kind of worker slot. A task waits in the pool of its task type."""


PULLED: Final = Pool(3)
"""The pool of all tasks that are *pulled*: callers claim them, and no node has slots for them. One of
them is held by the gate of its queue from when it is stored, in every state."""


class State(IntEnum):
    """Where a task stands. The numbers are what stores keep, the words (``state.word``) what users see."""

    TODO = 0
    """Waits for its (next) attempt."""
    IN_PROGRESS = 1
    """An attempt is running."""
    DONE = 2
    """Ended well."""
    FAILED = 3
    """Ended badly: no attempt is left, or none would help. Kept until it is deleted; can be run
    again."""
    CANCELLED = 4
    """Called off. Kept, and never runs, unless somebody has it run again."""
    WAITING = 5
    """Its attempt is in other hands: the task keeps its claim, has no node and no slot, and waits to
    be told how that ended, until its ``deadline``. Stores and the table of moves alone know this
    state: whoever reads a task finds it ``IN_PROGRESS``, with a ``deadline``."""

    @property
    def shown(self) -> "State":
        """The state as it is read."""
        return State.IN_PROGRESS if self is State.WAITING else self

    @property
    def stored(self) -> "tuple[State, ...]":
        """The states that are kept for what is read as this one."""
        return (State.IN_PROGRESS, State.WAITING) if self is State.IN_PROGRESS else (self,)

    @property
    def word(self) -> str:
        """The state as users write and read it.

        >>> State.IN_PROGRESS.word, State.WAITING.word
        ('in_progress', 'in_progress')
        """
        return self.shown.name.lower()


STATES: Final = tuple(state for state in State if state.shown is state)
"""The states that a task is found in by who reads it."""


class RunKind(IntEnum):
    """Why a schedule has made a run. The numbers are what stores keep, the words (``kind.word``) what users see."""

    REGULAR = 0
    """Its time has come. There is one for each time."""
    MANUAL = 1
    """Somebody wanted one now."""
    BACKFILL = 2
    """Somebody wanted those of the past."""

    @property
    def word(self) -> str:
        """The kind as users read it."""
        return self.name.lower()


class Admission(IntEnum):
    """What was decided of a run before it would have started. The numbers are what stores keep."""

    STARTED = 1
    """It started. Until it has ended, it goes on."""
    OVERLAP = 2
    """It was cancelled, because another run was going on."""
    BEHIND = 3
    """It waits until no other run goes on."""
    NOT_BEGUN = 4
    """It was to start, but was given back first. What counts those that started has counted it."""
    MAX_RUNS = 5
    """It was cancelled, because as many as were wanted had started."""
    MISSED = 6
    """It was cancelled, because no node looked for due tasks when it was due."""

    @property
    def is_left_out(self) -> bool:
        """Whether the run was cancelled."""
        return self in (Admission.OVERLAP, Admission.MAX_RUNS, Admission.MISSED)

    @property
    def word(self) -> str:
        """What users read of it."""
        return self.name.lower()


class Fault(msgspec.Struct, frozen=True):
    """Why an attempt failed."""

    code: Annotated[str, Meta(description="A stable word for programs.", examples=["connect_refused", "status_500"])]
    msg: Annotated[str, Meta(description="One line for people.")]
    """Never carries a secret, a body, userinfo or a query string."""
    fingerprint: (
        Annotated[
            str,
            Meta(
                description="The same for attempts that failed alike: see GET /failures. "
                "Of a task that could not be tried again, that of its latest attempt."
            ),
        ]
        | UnsetType
    ) = UNSET
    details: (
        Annotated[msgspec.Raw, Meta(description="What the receiver of a long job has told of it: any JSON.")]
        | UnsetType
    ) = UNSET


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far an attempt in other hands has come, as those have told."""

    attempt: int
    """Its number."""
    at: Instant
    """When it was told."""
    progress: float | None = None
    """From 0 to 1; None: nothing was said of that."""
    msg: str | None = None
    """A line for people."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it is stored."""

    id: TaskId
    type: str
    """Name of the task type, such as ``webhook``."""
    pool: Pool
    payload: bytes
    """What the task type was given, as a JSON object in UTF-8, without what is a member here."""
    execution_time: str
    """The moment before which the task must not start, as it was sent."""
    execution_at: Instant
    """The same as an instant, rounded up."""
    due_at: Instant
    """When the next attempt is due; while one runs and after the end: when the latest one was."""
    destination: Destination | None = None
    """Where it goes; None: nothing holds it back. For ``create``: what is read back does not
    say."""
    local_time: str | None = None
    """The execution time as its caller said it, by the clocks of ``time_zone``: see ``model/walls.py``.
    None: it was said otherwise."""
    time_zone: str | None = None
    """Its name. None: there is no ``local_time``."""
    zones: str | None = None
    """The version of the zones by which the moment was found. None: as there."""
    expires_at: Instant | None = None
    """No attempt may start at this moment or later; None: there is no such moment."""
    parent_id: TaskId | None = None
    """The task whose end this one tells of; None: it is no callback."""
    key: str | None = None
    """The caller's own name for it; None: it has none."""
    holds_key: bool = False
    """Whether the key is this task's until it ends. False: it has no key, or a successor has taken
    it over."""
    content: bytes | None = None
    """SHA-256 of the object that was sent, of a task whose caller named its id; else None. For
    ``create``: what is read back does not say."""
    tags: tuple[str, ...] = ()
    """What it can be found by, each once. For ``create``: what is read back does not say; ``payload``
    has them, too."""
    keep: int | None = None
    """Microseconds for which it is kept after its end, below 0 for ever; None: as the settings
    say."""
    host: Destination | None = None
    """The host that a task with a group goes to: ``destination`` is the group then. For ``create``,
    as there."""
    patience: int = 0
    """Microseconds of the waits of its retry policy, all of them and without jitter. For what is left
    of them a circuit may keep it, and for ``--circuit-patience`` if that is longer."""
    created_at: Instant = 0
    """When it was stored, by the store's clock. What is set before is not looked at."""
    schedule: str | None = None
    """The name of the schedule whose run it is; None: it is no run. The schedule may be gone."""
    scheduled_for: Instant | None = None
    """Of a run: the time that it stands for, whenever it is due."""
    run_kind: RunKind | None = None
    """Of a run: why it was made."""
    admission: Admission | None = None
    """Of a run: what was decided of its start; None: nothing yet."""
    missed: int | None = None
    """Of a run that came due while no node looked: how many times that were missed it stands for.
    None: it was not missed."""
    created_by: str | None = None
    """Who created it, as ``Actor.text``; None: no key was asked for, or it is a callback. Of one that
    was replaced: who did that."""
    revision: int = 0
    """One up with every write that changes what is shown of it."""
    is_cancelled: bool = False
    """Whether it was cancelled while it ran: it ends as soon as it no longer does."""
    late_down: int = 0
    """Microseconds from the due time of the latest attempt to its claim in which no node looked for
    due tasks."""
    late_held: int = 0
    """The others of them, up to the moment at which its gate let it go."""

    state: State = State.TODO
    attempts: int = 0
    """Attempts begun so far, without those that a crash or a drain cut short."""
    retried_after: int = 0
    """How many attempts there were before somebody last had the failed task run again: the retry
    policy counts from there."""
    crashes: int = 0
    """How many attempts in a row a dying process or node has cut short."""
    started_at: Instant | None = None
    """When the latest attempt began, one that was cut short or given back included; None before the
    first."""
    ended_at: Instant | None = None
    """When the task became done, failed or cancelled; None before."""
    last_fault: Fault | None = None
    """Why the latest failed attempt failed; None while none has."""
    result: bytes | None = None
    """What the task type computed, as JSON; None if it computes nothing or is not done."""
    node: str | None = None
    """The node that runs it; None: none does."""
    deadline: Instant | None = None
    """Until when it waits to be told how its attempt ended, which is in other hands; None: it does
    not."""
    progress: Progress | None = None
    """What was last told of an attempt in other hands, be it the latest or one before; None: nothing
    was."""
