"""The ends of claims: how an attempt went, or that it was not made."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from tasker.errors import ClaimLostError
from tasker.interfaces.completions import LAPSE_LIMIT, Beat, Judge, Lapse, Lapsed
from tasker.interfaces.queue import Claim, Settled
from tasker.model.attempt import Attempt, AttemptRecord, Exchange
from tasker.model.instants import Instant, after
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import State, Task, TaskId
from tasker.stores.awaiting import awaited_of
from tasker.stores.faults import fault_text
from tasker.stores.ledger import answered, record_text
from tasker.stores.sqlite.connection import Queries, Row, Value
from tasker.stores.sqlite.gates import Gates
from tasker.stores.sqlite.inserter import Inserter
from tasker.stores.sqlite.rows import READING, id_bytes


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

    def settle(self, attempt: Attempt, settlement: Settlement) -> Settled:
        """Write how an attempt ended, what is kept of it, and what follows.

        Raises:
            ClaimLostError: nothing was written.
        """
        now = self._now()
        row = self._write(attempt, settlement, now)
        if row is None:
            raise ClaimLostError(attempt.task_id)
        seq, gate, host_gate, state = row
        is_stopped = state == State.CANCELLED
        if settlement.result is not None:
            self._queries.all("set_result", seq=seq, result=settlement.result)
        if settlement.record is not None:
            self._keep(seq, settlement.record)
        followed_by: Sequence[Task] = ()
        if settlement.ending is not None:
            ending = settlement.ending.cancelled() if is_stopped else settlement.ending
            followed_by = self._inserter.insert_what_follows(ending, now)
        move = Move.STOP if is_stopped else settlement.move
        has_room = self._gates.settled(gate, host_gate, settlement.is_alive, now)
        return Settled(move, has_room, followed_by, self._gates.turned)

    def _write(self, attempt: Attempt, settlement: Settlement, now: Instant) -> Row | None:
        """Write what becomes of the task of an attempt, and return where it stands; None: its claim is lost."""
        claim: dict[str, Value] = {
            "id": id_bytes(attempt.task_id),
            "fence": attempt.fence,
            "started_at": settlement.started_at,
        }
        if settlement.move is Move.ACCEPT:
            return self._queries.first(
                "accept", **claim, now=now, deadline=settlement.deadline, counts=settlement.counts
            )
        end: dict[str, Value] = {
            "state": settlement.state,
            "due_at": settlement.due_at,
            "waited": settlement.waited,
            "ended_at": settlement.ended_at,
            "last_fault": fault_text(settlement.fault),
        }
        row = self._queries.first("settle", **claim, **end, now=now)
        if row is None and not settlement.is_of_running:
            row = self._queries.first("settle_waiting", **claim, **end)
        return row

    def lapse(self, judge: Judge) -> Lapsed:
        """End a batch of the attempts whose deadline has passed: see ``Store.lapse``."""
        now = self._now()
        lapses = []
        for row in self._queries.all("past_deadline", now=now, limit=LAPSE_LIMIT):
            awaited = awaited_of(READING.attempt.read(row), row[READING.attempt.width :])
            settlement = judge(awaited, now)
            lapses.append(Lapse(awaited, settlement, self.settle(awaited.attempt, settlement)))
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
            raise ClaimLostError(task_id)
        state, gate, host_gate = row[READING.ending.width :]
        has_room = self._gates.settled(gate, host_gate, None, now)
        if state != State.CANCELLED:
            return Settled(Move.GIVE_BACK, has_room)
        return Settled(Move.STOP, has_room, self._inserter.insert_what_follows(READING.cancelled(row), now))

    def _keep(self, seq: int, record: AttemptRecord) -> None:
        """Keep what is kept of an attempt, and no more than the newest of its task."""
        self._queries.all("insert_attempt", seq=seq, number=record.number, record=record_text(record))
        if record.number > self._attempts_kept:
            self._queries.all("delete_old_attempts", seq=seq, up_to=record.number - self._attempts_kept)
