"""The ends of claims: how an attempt went, or that it was not made."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final

from tasker.errors import ClaimLostError
from tasker.interfaces.completions import LAPSE_LIMIT, Beat, Judge, Lapse, Lapsed
from tasker.interfaces.queue import Claim, Settled
from tasker.model.attempt import Attempt, Exchange
from tasker.model.instants import Instant, after
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import State, Task, TaskId
from tasker.stores.awaiting import awaited_of
from tasker.stores.faults import fault_text
from tasker.stores.ledger import answered, record_text
from tasker.stores.sqlite.connection import ROWS_AT_ONCE, Queries, Row, Value
from tasker.stores.sqlite.gates import Gates
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import READING, id_bytes

# Python 3.11 takes as long to find a member of an enumeration as for a call: not at every delivery.
_COMPLETE: Final = Move.COMPLETE
_DONE: Final = State.DONE
_CANCELLED: Final = State.CANCELLED


class Settler:
    """Settles attempts and gives claims back."""

    def __init__(
        self, queries: Queries, inserter: Inserter, gates: Gates, now: Callable[[], Instant], *, attempts_kept: int
    ) -> None:
        self._queries = queries
        self._inserter = inserter
        self._gates = gates
        self._now = now
        self._attempts_kept = attempts_kept

    def settle(self, batch: Sequence[tuple[Attempt, Settlement]]) -> Sequence[Settled | ClaimLostError]:
        """Write how attempts ended, what is kept of them, and what follows; nothing of those that lost their claim."""
        now = self._now()
        settled: list[Settled | ClaimLostError] = []
        for start in range(0, len(batch), ROWS_AT_ONCE):
            part = batch[start : start + ROWS_AT_ONCE]
            written = self._write(part, now)
            self._keep(part, written)
            settled += [
                ClaimLostError(attempt.task_id) if row is None else self._follow_up(row, settlement, now)
                for row, (attempt, settlement) in zip(written, part, strict=True)
            ]
        return settled

    def lapse(self, judge: Judge) -> Lapsed:
        """End a batch of the attempts whose deadline has passed: see ``Store.lapse``."""
        now = self._now()
        past = [
            awaited_of(READING.attempt.read(row), row[READING.attempt.width :])
            for row in self._queries.all("past_deadline", now=now, limit=LAPSE_LIMIT)
        ]
        judged = [(awaited, judge(awaited, now)) for awaited in past]
        settled = self.settle([(awaited.attempt, settlement) for awaited, settlement in judged])
        lapses = [
            Lapse(awaited, settlement, each)
            for (awaited, settlement), each in zip(judged, settled, strict=True)
            if isinstance(each, Settled)
        ]
        return Lapsed(lapses, self._queries.number("next_deadline"))

    def beat(self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None) -> Beat:
        """Write how far an attempt has come: see ``Store.beat``.

        Raises:
            ClaimLostError: nothing was written.
        """
        now = self._now()
        row = self._queries.first(
            "beat",
            id=id_bytes(claim.task_id),
            fence=claim.fence,
            now=now,
            progress=progress,
            msg=msg,
            deadline=None if deadline is None else after(now, deadline),
        )
        if row is None:
            raise ClaimLostError(claim.task_id)
        return Beat(row[0], bool(row[1]))

    def note_answer(self, attempt: Attempt, exchange: Exchange | None) -> bool:
        """Keep what passed in an attempt whose end was told before: see ``Store.note_answer``."""
        row = self._queries.first("attempt_record", id=id_bytes(attempt.task_id), number=attempt.number)
        if row is None or (record := answered(row[1], attempt.fence, exchange)) is None:
            return False
        self._queries.all("set_attempt_record", seq=row[0], number=attempt.number, record=record)
        return True

    def give_back(self, task_id: TaskId, fence: int) -> Settled:
        """Undo a claim.

        Raises:
            ClaimLostError: nothing was written.
        """
        now = self._now()
        row = self._queries.first("give_back", id=id_bytes(task_id), fence=fence, now=now)
        if row is None:
            row = self._queries.first("give_back_pulled", id=id_bytes(task_id), fence=fence)
        if row is None:
            raise ClaimLostError(task_id)
        state, gate, host_gate = row[READING.ending.width :]
        has_room = self._gates.settled(gate, host_gate, None, now)
        if state != State.CANCELLED:
            return Settled(Move.GIVE_BACK, has_room)
        return Settled(Move.STOP, has_room, self._inserter.insert_what_follows(READING.cancelled(row), now))

    def _write(self, part: Sequence[tuple[Attempt, Settlement]], now: Instant) -> Sequence[Row | None]:
        """Write what becomes of tasks. Return of each its number, gates and state; None: its claim is lost."""
        claims = [(id_bytes(attempt.task_id), attempt.fence) for attempt, _ in part]
        rows = self._queries.with_filled_rows("running", len(claims), list(chain.from_iterable(claims)))
        running = {(id_, fence): row for id_, fence, *row in rows}
        written: list[Row | None] = []
        state: Value
        completed: list[Value] = []
        others: list[Value] = []
        for claim, (_, settlement) in zip(claims, part, strict=True):
            # Taken out: a second end of the same claim is lost.
            row = running.pop(claim, None) if settlement.deadline is None else None
            if row is not None:
                seq, gate, host_gate, is_cancelled = row
                if settlement.move is _COMPLETE:
                    state = _DONE
                    completed += (seq, settlement.started_at, settlement.ended_at)
                else:
                    state, due_at, waited, ended_at, last_fault = _end(settlement)
                    if is_cancelled:  # it goes no further
                        state, due_at, ended_at = State.CANCELLED, None, now if ended_at is None else ended_at
                    others += (seq, settlement.started_at, state, due_at, waited, ended_at, last_fault)
                row = (seq, gate, host_gate, state)
            written.append(row)
        if completed:
            self._queries.with_filled_rows("complete", len(completed) // 3, completed)
        if others:
            self._queries.with_filled_rows("settle", len(others) // 7, others)
        if None in written:
            written = [
                self._write_odd(attempt, settlement, now) if row is None else row
                for row, (attempt, settlement) in zip(written, part, strict=True)
            ]
        return written

    def _write_odd(self, attempt: Attempt, settlement: Settlement, now: Instant) -> Row | None:
        """Do as ``_write`` for an attempt that goes into other hands, or is in them."""
        claim: dict[str, Value] = {
            "id": id_bytes(attempt.task_id),
            "fence": attempt.fence,
            "started_at": settlement.started_at,
        }
        if settlement.move is Move.ACCEPT:
            return self._queries.first(
                "accept", **claim, now=now, deadline=settlement.deadline, counts=settlement.counts
            )
        if settlement.is_of_running:
            return None
        state, due_at, waited, ended_at, last_fault = _end(settlement)
        return self._queries.first(
            "settle_waiting",
            **claim,
            state=state,
            due_at=due_at,
            waited=waited,
            ended_at=ended_at,
            last_fault=last_fault,
        )

    def _keep(self, part: Sequence[tuple[Attempt, Settlement]], written: Sequence[Row | None]) -> None:
        """Keep what is kept of attempts whose end was written, and no more than the newest of each task."""
        values: list[Value] = []
        full: list[tuple[int, int]] = []
        for (_, settlement), row in zip(part, written, strict=True):
            record = settlement.record
            if row is not None and record is not None:
                values += (row[0], record.number, record_text(record))
                if record.number > self._attempts_kept:
                    full.append((row[0], record.number - self._attempts_kept))
        if values:
            self._queries.with_rows("insert_attempts", len(values) // 3, values)
        for seq, up_to in full:
            self._queries.all("delete_old_attempts", seq=seq, up_to=up_to)

    def _follow_up(self, row: Row, settlement: Settlement, now: Instant) -> Settled:
        """Write what follows the end of the task in *row*, and let its gates know."""
        seq, gate, host_gate, state = row
        is_stopped = state == _CANCELLED
        if settlement.result is not None:
            self._queries.all("set_result", seq=seq, result=settlement.result)
        followed_by: Sequence[Task] = ()
        if settlement.ending is not None:
            ending = settlement.ending.cancelled() if is_stopped else settlement.ending
            followed_by = self._inserter.insert_what_follows(ending, now)
        move = Move.STOP if is_stopped else settlement.move
        has_room = self._gates.settled(gate, host_gate, settlement.is_alive, now)
        return Settled(move, has_room, followed_by, self._gates.turned)


def _end(settlement: Settlement) -> tuple[Value, ...]:
    return (
        settlement.state,
        settlement.due_at,
        settlement.waited,
        settlement.ended_at,
        fault_text(settlement.fault),
    )
