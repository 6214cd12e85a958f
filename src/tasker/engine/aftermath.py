"""What is done once the end of an attempt is written, wherever the attempt was made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from msgspec import UNSET

from tasker.engine.delay_queue import DelayQueue
from tasker.engine.events import Events
from tasker.engine.telemetry import Telemetry
from tasker.interfaces.queue import Settled
from tasker.interfaces.schedules import Admitted
from tasker.model.attempt import Attempt
from tasker.model.circuit import CircuitState
from tasker.model.ending import Ending
from tasker.model.event import EventChange
from tasker.model.instants import Instant
from tasker.model.lifecycle import Move, Settlement
from tasker.model.stats import AttemptOutcome
from tasker.model.task import State, Task, TaskId
from tasker.timing.clock import Clock
from tasker.wire.fields import TaskFields

_log = structlog.get_logger()

_OUTCOMES: Final[Mapping[Move, AttemptOutcome]] = {
    Move.COMPLETE: "succeeded",
    Move.BACK_OFF: "retried",
    Move.FAIL: "failed",
    Move.EXPIRE: "failed",
    Move.GIVE_UP: "failed",
    Move.QUARANTINE: "failed",
    Move.STOP: "cancelled",
}
"""What comes of an attempt, or of its task, by the moves that end one. The others end none."""


class Aftermath:
    """Announces what comes next, and counts, tells and logs what has become of tasks. Never waits."""

    def __init__(
        self,
        clock: Clock,
        queue: DelayQueue,
        announce_expiry: Callable[[Instant], None],
        announce_deadline: Callable[[Instant], None],
        tell_ended: Callable[[TaskId], None],
        run_ended: Callable[[], None],
        has_waiting: Callable[[], bool],
        events: Events,
        telemetry: Telemetry,
    ) -> None:
        """Make it.

        Args:
            announce_expiry: called with the ``expires_at`` of what waits again.
            announce_deadline: called with the deadlines of attempts in other hands.
            tell_ended: called with each task that has ended.
            run_ended: called when a run has ended for which another one may wait.
            has_waiting: says whether runs were known to wait a second ago or less, as those of other nodes, or of this
                one before it died. Without it such a run would wait for a step that comes when no other goes on: of
                a schedule that has a run every second, for ever.
            events: told of attempts that end.
        """
        self._clock = clock
        self._queue = queue
        self._announce_expiry = announce_expiry
        self.announce_deadline = announce_deadline
        self._tell_ended = tell_ended
        self._run_ended = run_ended
        self._has_waiting = has_waiting
        self._waited_for: set[str] = set()
        """The schedules of runs that this node has had wait for another."""
        self._events = events
        self._telemetry = telemetry

    def began(self, attempt: Attempt, started_at: Instant) -> None:
        """Count how late an attempt began. Called by whoever has begun it, once, wherever it ends."""
        self._telemetry.attempt_began(attempt.due_at, started_at, attempt.late_down, attempt.late_held)

    def settled(self, attempt: Attempt, fields: TaskFields, settlement: Settlement, settled: Settled) -> None:
        """Do what follows, once *settlement* was written.

        Args:
            fields: those of the task; ``TaskFields`` alone if they cannot be read.
        """
        if settled.has_room:
            self._queue.announce(self._clock.now(), attempt.pool)  # to the others, too, if every slot here is taken
        self.announce(settled.followed_by)
        if settlement.ended_at is not None or settled.move is Move.STOP:
            self._tell_ended(attempt.task_id)
            if attempt.schedule is not None and (attempt.schedule in self._waited_for or self._has_waiting()):
                self._waited_for.discard(attempt.schedule)
                self._run_ended()
        elif settlement.due_at is not None:
            self._queue.announce(settlement.due_at, attempt.pool)
            self.waits_again(attempt)
        else:
            self._has_gone(attempt, fields, settlement, settled)
            return
        self.count(attempt, settled.move)
        if settlement.fault is None and not self._events.is_on:
            return  # nearly always: nobody is to hear of it
        is_stopped = settled.move is Move.STOP
        state = State.CANCELLED if is_stopped else settlement.state
        if self._events.is_on:
            code = None if settlement.fault is None else settlement.fault.code
            due_at = None if is_stopped else settlement.due_at
            self._events.ended(attempt, fields, state, due_at=due_at, code=code)
            self._tell_of_circuit(attempt, fields, settled)
        if settlement.fault is not None:
            self._count_failure(attempt, settlement)
            _log.info(
                "an attempt failed",
                **names(attempt, fields),
                attempt=attempt.number,
                code=settlement.fault.code,
                state=state.word,
            )

    def given_back(self, attempt: Attempt, fields: TaskFields, settled: Settled) -> None:
        """Do what follows, once an attempt was given back that had begun, or was about to."""
        self._telemetry.given_back += 1
        self.announce(settled.followed_by)
        if self._events.is_on:
            state = State.CANCELLED if settled.move is Move.STOP else State.TODO
            self._events.ended(attempt, fields, state, due_at=None, code=None)
        if settled.move is Move.GIVE_BACK:
            self.waits_again(attempt)
        else:
            self._tell_ended(attempt.task_id)
            self.count(attempt, settled.move)

    def not_admitted(self, attempt: Attempt, fields: TaskFields, admitted: Admitted) -> None:
        """Do what follows once it was written that a run does not start."""
        assert admitted.admission is not None and attempt.schedule is not None  # noqa: S101, PT018 - it was decided of a run
        self._queue.announce(self._clock.now(), attempt.pool)
        if not admitted.admission.is_left_out:
            self._waited_for.add(attempt.schedule)
            self.waits_again(attempt)
            return
        self.announce(admitted.followed_by)
        self._tell_ended(attempt.task_id)
        self._telemetry.cancelled += 1
        reason = admitted.admission.word
        if self._events.is_on:
            self._events.ended(attempt, fields, State.CANCELLED, due_at=None, code=reason)
        _log.info("a run was left out", **names(attempt, fields), schedule=attempt.schedule, reason=reason)

    def removed(self, attempt: Attempt, runs: Sequence[TaskId]) -> None:
        """Say that later runs of the schedule of an attempt were taken out of the queue."""
        for task_id in runs:
            self._tell_ended(task_id)
        if runs and self._events.is_on:
            self._events.runs_removed_after(attempt, runs)

    def _has_gone(self, attempt: Attempt, fields: TaskFields, settlement: Settlement, settled: Settled) -> None:
        """Do what follows an attempt that is in other hands now."""
        assert settlement.deadline is not None  # noqa: S101 - it waits until then
        self.announce_deadline(settlement.deadline)
        if self._events.is_on:
            self._events.accepted(attempt, fields, deadline=settlement.deadline)
            self._tell_of_circuit(attempt, fields, settled)

    def _tell_of_circuit(self, attempt: Attempt, fields: TaskFields, settled: Settled) -> None:
        if settled.circuit is not None:
            is_open = settled.circuit is CircuitState.OPEN
            self._events.circuit(attempt, fields, EventChange.OPENED if is_open else EventChange.CLOSED)

    def count(self, attempt: Attempt, move: Move) -> None:
        """Count what has become of the task."""
        outcome = _OUTCOMES.get(move)
        if outcome is None:
            return  # it ends no attempt
        if outcome == "succeeded":
            self._telemetry.done += 1
        elif outcome == "retried":
            self._telemetry.retried += 1
        elif outcome == "failed":
            self._telemetry.failed += 1
        else:
            self._telemetry.cancelled += 1
        self._telemetry.ended_by_type[outcome][attempt.type] += 1
        self._telemetry.ended_by_gate[outcome][attempt.gate] += 1

    def _count_failure(self, attempt: Attempt, settlement: Settlement) -> None:
        """Count why the attempt failed."""
        record = settlement.record
        if record is not None and record.fault is not None and record.ended_at is not None:
            self._telemetry.failures.attempt_failed(
                attempt.task_id,
                attempt.type,
                record.fault,
                status=None if record.exchange is None else record.exchange.status,
                at=record.ended_at,
            )

    def announce(self, followers: Sequence[Task]) -> None:
        """Have what follows an end run in time."""
        for task in followers:
            self._queue.announce(task.due_at, task.pool)
            if self._events.is_on:
                self._events.created(task)

    def waits_again(self, attempt: Attempt) -> None:
        """Have the task expire in time."""
        if attempt.expires_at is not None:
            self._announce_expiry(attempt.expires_at)


def ending_of(attempt: Attempt, fields: TaskFields, settlement: Settlement) -> Ending | None:
    """Return what is known of the end of a task, for what follows it; None: nothing can follow.

    That it was cancelled is not known here: it may be what ends it.
    """
    asked = fields.on_success if settlement.fault is None else fields.on_failure
    if (settlement.ended_at is None or asked is UNSET) and fields.on_cancel is UNSET:
        return None
    exchange = None if settlement.record is None else settlement.record.exchange
    return Ending(
        task_id=attempt.task_id,
        type=attempt.type,
        state=settlement.state,
        attempts=attempt.number,
        payload=attempt.payload,
        fault=settlement.fault,
        status=None if exchange is None else exchange.status,
        result=settlement.result,
    )


def names(attempt: Attempt, fields: TaskFields) -> dict[str, str]:
    """Return what the log calls an attempt: the task, its type, and the key and the trace that it has."""
    called = {"task_id": attempt.task_id, "type": attempt.type}
    if attempt.key is not None:
        called["key"] = attempt.key
    if fields.traceparent is not UNSET:
        called["traceparent"] = fields.traceparent
    return called
