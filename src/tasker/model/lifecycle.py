"""The table of allowed moves, and the rule that settles an attempt.

The diagram in ``docs/concepts/lifecycle.md`` is checked against ``MOVES``.
"""

from enum import Enum
from typing import Final, NamedTuple, assert_never

import msgspec

from tasker.model.attempt import Failed, Outcome, Succeeded
from tasker.model.instants import Instant, after
from tasker.model.retry import RetryPolicy
from tasker.model.task import State, TaskFault

MAX_CRASHES: Final = 3
"""After so many crashes in a row a task is no longer run: it may be what kills the process."""


class Move(Enum):
    """What can happen to a task."""

    CREATE = "create"
    CLAIM = "claim"
    COMPLETE = "complete"
    RETRY = "retry"
    FAIL = "fail"
    GIVE_BACK = "give_back"
    TAKE_BACK = "take_back"
    QUARANTINE = "quarantine"
    DELETE = "delete"


class Step(NamedTuple):
    """The states a move may start from and the state it leads to; None is "no task"."""

    sources: frozenset[State | None]
    target: State | None


MOVES: Final[dict[Move, Step]] = {
    Move.CREATE: Step(frozenset({None}), State.TODO),
    Move.CLAIM: Step(frozenset({State.TODO}), State.IN_PROGRESS),
    Move.COMPLETE: Step(frozenset({State.IN_PROGRESS}), State.DONE),
    Move.RETRY: Step(frozenset({State.IN_PROGRESS}), State.TODO),
    Move.FAIL: Step(frozenset({State.IN_PROGRESS}), State.FAILED),
    Move.GIVE_BACK: Step(frozenset({State.IN_PROGRESS}), State.TODO),
    Move.TAKE_BACK: Step(frozenset({State.IN_PROGRESS}), State.TODO),
    Move.QUARANTINE: Step(frozenset({State.IN_PROGRESS}), State.FAILED),
    Move.DELETE: Step(frozenset({State.TODO, State.DONE, State.FAILED}), None),
}


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt changes its task: what a store has to write."""

    move: Move
    started_at: Instant
    """When the attempt began."""
    due_at: Instant | None = None
    """When the next attempt is due; None: there is none, the task keeps its ``due_at``."""
    ended_at: Instant | None = None
    """When the task ended; None: it goes on."""
    fault: TaskFault | None = None
    """Why the attempt failed; None: it did not, and the task keeps its ``last_error``."""
    result: bytes | None = None

    @property
    def state(self) -> State:
        """The state the task is in afterwards."""
        target = MOVES[self.move].target
        assert target is not None  # noqa: S101 - a settlement never deletes
        return target


def settle(outcome: Outcome, *, attempt: int, retry: RetryPolicy, started_at: Instant, now: Instant, rand: float) -> Settlement:
    """Return what becomes of a task whose attempt number *attempt* (from 1) ended with *outcome* at *now*.

    Args:
        rand: a random number in [0, 1) for the jitter of the next attempt's time.
    """
    match outcome:
        case Succeeded(result):
            return Settlement(move=Move.COMPLETE, started_at=started_at, ended_at=now, result=result)
        case Failed(fault, permanent):
            delay = None if permanent else retry.delay_after(attempt, rand=rand)
            if delay is None:
                return Settlement(move=Move.FAIL, started_at=started_at, ended_at=now, fault=fault)
            return Settlement(move=Move.RETRY, started_at=started_at, due_at=after(now, delay), fault=fault)
        case _:
            assert_never(outcome)
