"""The table of allowed moves, and the rule that settles an attempt.

The diagram in ``docs/concepts/lifecycle.md`` is checked against ``MOVES``.
"""

from datetime import timedelta
from enum import Enum
from typing import Final, NamedTuple, assert_never

import msgspec
from msgspec.structs import replace

from tasker.model.attempt import Accepted, Attempt, AttemptRecord, Failed, Outcome, Succeeded
from tasker.model.ending import Ending
from tasker.model.fingerprint import fingerprint_of
from tasker.model.instants import Instant, after, microseconds
from tasker.model.retry import RetryPolicy
from tasker.model.task import Fault, State

MAX_CRASHES: Final = 3
"""After so many crashes in a row a task is no longer run: it may be what kills the process."""

TIMED_OUT: Final = Fault("completion_timeout", "the attempt was accepted, and its completion did not come in time")
"""Of an attempt in other hands, which did not tell how it ended until the deadline."""

CRASHED: Final = Fault("crashed_worker", f"the server died {MAX_CRASHES} times in a row while the task was running")
"""Of a task that is no longer run for that reason."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
"""The longest wait that a target can ask for. Its clock may be wrong, or its intentions."""


class Move(Enum):
    """What can happen to a task."""

    CREATE = "create"
    CLAIM = "claim"
    PULL = "pull"
    ACCEPT = "accept"
    COMPLETE = "complete"
    BACK_OFF = "back_off"
    FAIL = "fail"
    GIVE_BACK = "give_back"
    TAKE_BACK = "take_back"
    QUARANTINE = "quarantine"
    EXPIRE = "expire"
    GIVE_UP = "give_up"
    CANCEL = "cancel"
    STOP = "stop"
    RETRY = "retry"
    DELETE = "delete"

    __hash__ = object.__hash__  # each is there once; Enum's own is several times as slow


_COMPLETE: Final = Move.COMPLETE  # Python 3.11 takes as long to find a member as for a call


class Step(NamedTuple):
    """The states a move may start from and the state it leads to; None is "no task"."""

    sources: frozenset[State | None]
    target: State | None


MOVES: Final[dict[Move, Step]] = {
    Move.CREATE: Step(frozenset({None}), State.TODO),
    Move.CLAIM: Step(frozenset({State.TODO}), State.IN_PROGRESS),
    Move.PULL: Step(frozenset({State.TODO}), State.WAITING),
    Move.ACCEPT: Step(frozenset({State.IN_PROGRESS}), State.WAITING),
    Move.COMPLETE: Step(frozenset({State.IN_PROGRESS, State.WAITING}), State.DONE),
    Move.BACK_OFF: Step(frozenset({State.IN_PROGRESS, State.WAITING}), State.TODO),
    Move.FAIL: Step(frozenset({State.IN_PROGRESS, State.WAITING}), State.FAILED),
    Move.GIVE_BACK: Step(frozenset({State.IN_PROGRESS, State.WAITING}), State.TODO),
    Move.TAKE_BACK: Step(frozenset({State.IN_PROGRESS, State.WAITING}), State.TODO),
    Move.QUARANTINE: Step(frozenset({State.IN_PROGRESS, State.WAITING}), State.FAILED),
    Move.EXPIRE: Step(frozenset({State.TODO}), State.FAILED),
    Move.GIVE_UP: Step(frozenset({State.TODO}), State.FAILED),
    Move.CANCEL: Step(frozenset({State.TODO, State.WAITING}), State.CANCELLED),
    Move.STOP: Step(frozenset({State.IN_PROGRESS}), State.CANCELLED),
    Move.RETRY: Step(frozenset({State.FAILED, State.CANCELLED}), State.TODO),
    Move.DELETE: Step(frozenset({State.TODO, State.DONE, State.FAILED, State.CANCELLED}), None),
}


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt changes its task: what a store has to write."""

    move: Move
    started_at: Instant
    """When the attempt began."""
    due_at: Instant | None = None
    """When the next attempt is due; None: there is none, the task keeps its ``due_at``."""
    waited: int | None = None
    """Microseconds of the waits of the retry policy, without jitter, up to the one before the next
    attempt; None: there is no next attempt."""
    ended_at: Instant | None = None
    """When the task ended; None: it goes on."""
    fault: Fault | None = None
    """What ``last_error`` becomes; None: the attempt succeeded, and the task keeps it."""
    result: bytes | None = None
    is_alive: bool | None = None
    """What the attempt showed of its destination, for the circuit; None: nothing."""
    deadline: Instant | None = None
    """Of ``ACCEPT``: until when the task waits; else None."""
    counts: bool = False
    """Of ``ACCEPT``: whether the task counts in ``max_running`` of its gate meanwhile."""
    is_early: bool = False
    """Whether it was told before the target had answered."""
    record: AttemptRecord | None = None
    """What is kept of the attempt; None: nothing."""
    ending: Ending | None = None
    """What is known of the task's end, for what follows it; None: nothing can follow. Of a task
    that goes on it is for the end that it has if it was cancelled meanwhile."""

    @property
    def is_of_running(self) -> bool:
        """Whether it is void once the attempt is in other hands."""
        return self.is_early or self.deadline is not None

    @property
    def state(self) -> State:
        """The state the task is in afterwards."""
        target = MOVES[self.move].target
        assert target is not None  # noqa: S101 - a settlement never deletes
        return target


def settle(
    outcome: Outcome,
    *,
    attempt: Attempt,
    retry: RetryPolicy,
    started_at: Instant,
    now: Instant,
    rand: float,
    accepted: AttemptRecord | None = None,
) -> Settlement:
    """Return what becomes of a task whose *attempt* ended with *outcome* at *now*.

    A failed task whose next attempt could not start in time, by ``max_age`` or ``expires_at``, ends
    at once.

    Args:
        rand: a random number in [0, 1) for the jitter of the next attempt's time.
        accepted: what is kept of the attempt, if it was in other hands.
    """
    fault = _with_fingerprint(outcome, attempt.type) if isinstance(outcome, Failed) else None
    record = AttemptRecord(
        number=attempt.number,
        node=attempt.node,
        due_at=attempt.due_at,
        started_at=started_at,
        ended_at=None if isinstance(outcome, Accepted) else now,
        late_down=attempt.late_down,
        late_held=attempt.late_held,
        fault=fault,
        exchange=outcome.exchange if accepted is None else accepted.exchange,
    )
    match outcome:
        case Succeeded(result):
            return Settlement(
                move=_COMPLETE,
                started_at=started_at,
                ended_at=now,
                result=result,
                is_alive=True if accepted is None else None,  # it was alive when it accepted
                record=record,
            )
        case Accepted(deadline, counts):
            return Settlement(
                move=Move.ACCEPT,
                started_at=started_at,
                deadline=after(now, deadline),
                counts=counts,
                is_alive=True,
                record=record,
            )
        case Failed():
            due_at = _next_due(outcome, attempt, retry, now=now, rand=rand)
            if due_at is not None and attempt.expires_at is not None and due_at >= attempt.expires_at:
                due_at, fault = None, expired(fault)
            return Settlement(
                move=Move.FAIL if due_at is None else Move.BACK_OFF,
                started_at=started_at,
                due_at=due_at,
                waited=None if due_at is None else microseconds(retry.waits_after(_tried(attempt))),
                ended_at=now if due_at is None else None,
                fault=fault,
                is_alive=outcome.is_alive,
                record=record,
            )
        case _:
            assert_never(outcome)


def expired(before: Fault | None) -> Fault:
    """Return the fault of a task that could not start in time.

    *before* is why its latest attempt failed, if there was one.
    """
    return _told_of(before, Fault("expired", "the task could not start before its expires_at"))


def given_up(before: Fault | None) -> Fault:
    """Return the fault of a task that a circuit has kept for longer than it may; *before* as in ``expired``."""
    return _told_of(
        before,
        Fault("circuit_open", "the circuit of the destination stayed open for longer than the task's retry policy"),
    )


def _told_of(before: Fault | None, fault: Fault) -> Fault:
    """Return *fault*, which ends a task, with the one *before*, by whose fingerprint the task is still found."""
    if before is None:
        return fault
    msg = f"{fault.msg}; its latest attempt failed with {before.code}: {before.msg}"
    return Fault(fault.code, msg, before.fingerprint)


def _with_fingerprint(outcome: Failed, type_: str) -> Fault:
    fault = outcome.fault
    status = None if outcome.exchange is None else outcome.exchange.status
    return replace(fault, fingerprint=fingerprint_of(type_, fault.code, status, fault.msg))


def _next_due(outcome: Failed, attempt: Attempt, retry: RetryPolicy, *, now: Instant, rand: float) -> Instant | None:
    """When the next attempt is due; None: there is none."""
    delay = None if outcome.permanent else retry.delay_after(_tried(attempt), rand=rand)
    if delay is None:
        return None
    if outcome.retry_after is not None:
        delay = max(delay, min(outcome.retry_after, LONGEST_RETRY_AFTER))
    due_at = after(now, delay)
    is_too_old = retry.max_age is not None and due_at > after(attempt.execution_at, retry.max_age)
    return None if is_too_old else due_at


def _tried(attempt: Attempt) -> int:
    """How many attempts the retry policy counts, *attempt* included."""
    return attempt.number - attempt.retried_after
