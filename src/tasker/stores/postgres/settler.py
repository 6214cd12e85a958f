"""Writes how attempts ended, or that they never began; what follows an end is stored with it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import structlog

from tasker.errors import ClaimLostError, StoreError
from tasker.ids import new_id
from tasker.interfaces.completions import LAPSE_LIMIT, Beat, Judge, Lapse, Lapsed
from tasker.interfaces.queue import Claim, Follow, Settled
from tasker.model.attempt import Attempt, Exchange
from tasker.model.circuit import CircuitState
from tasker.model.instants import Instant, after
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import State, Task, TaskId
from tasker.stores.awaiting import awaited_of
from tasker.stores.faults import fault_text
from tasker.stores.ledger import answered, record_text
from tasker.stores.postgres.claimer import LOCKED
from tasker.stores.postgres.connection import Connection, Link, Record, sparse
from tasker.stores.postgres.gates import GateReport, Gates, GateSnapshot
from tasker.stores.postgres.inserter import Inserter
from tasker.stores.rows import Reading

_log = structlog.get_logger()


class Settler:
    """Settles batches, each in a statement, and so in a transaction.

    There are no further round trips unless tasks follow an end.
    """

    def __init__(
        self,
        link: Link,
        queries: Mapping[str, str],
        reading: Reading,
        gates: Gates,
        inserter: Inserter,
        *,
        attempts_kept: int,
        follow: Follow,
    ) -> None:
        """Make a settler.

        Args:
            inserter: stores what follows, on the same link.
            attempts_kept: how many attempts of a task are kept, at least 1.
            follow: says what follows the end of a task.
        """
        self._link = link
        self._sql = queries
        self._reading = reading
        self._gates = gates
        self._inserter = inserter
        self._attempts_kept = attempts_kept
        self._follow = follow
        self._unknown: set[tuple[TaskId, int]] = set()
        """Tasks and claims of attempts of which it is not known whether their end was written."""

    async def settle_batch(self, batch: Sequence[tuple[Attempt, Settlement]]) -> Sequence[Settled | ClaimLostError]:
        """Write how several attempts ended; what was claimed by nobody, or by somebody else, has lost its claim.

        Then tell their gates. If the database goes away in between, a circuit has not heard of
        them, and what a gate holds is looked at when its time comes: both mend themselves.
        """
        claims = {(attempt.task_id, attempt.fence) for attempt, _ in batch}
        was_unknown = not claims.isdisjoint(self._unknown)
        self._unknown |= claims
        written = await self._link.run(lambda connection: self._settle(connection, batch, look=was_unknown))
        self._unknown -= claims
        woken: set[int] = set()
        turned: dict[int, CircuitState] = {}
        reports = [
            GateReport(gate, batch[place][1].is_alive) for place, gate in written.gates.items() if gate is not None
        ]
        reports += [GateReport(group, None) for group in written.groups.values()]
        if reports:
            try:
                woken = await self._link.run(lambda connection: self._gates.hear(connection, reports, written.seen))
                turned = dict(self._gates.turned)
            except StoreError as error:
                _log.warning("gates were not told how attempts ended", reason=str(error))
        return [
            Settled(
                Move.STOP if place in written.stopped else settlement.move,
                not woken.isdisjoint((written.gates[place], written.groups.get(place))),
                written.followers.get(place, ()),
                turned.pop(written.gates[place] or 0, None),  # one of them tells of it
            )
            if place in written.gates
            else ClaimLostError(attempt.task_id)
            for place, (attempt, settlement) in enumerate(batch)
        ]

    async def lapse(self, judge: Judge) -> Lapsed:
        """End a batch of the attempts whose deadline has passed: see ``Store.lapse``."""
        lapses, next_at, written = await self._link.run(lambda connection: self._lapse(connection, judge))
        gates = {gate for gate in (*written.gates.values(), *written.groups.values()) if gate is not None}
        if gates:
            with suppress(StoreError):  # then it is looked at when its time comes
                await self._link.run(lambda connection: self._gates.wake(connection, gates))
        return Lapsed(lapses, next_at)

    async def _lapse(self, connection: Connection, judge: Judge) -> tuple[Sequence[Lapse], Instant | None, "_Written"]:
        head = await connection.fetchrow(self._sql["next_deadline"])
        if head["deadline"] is None or head["deadline"] > head["now"]:
            return [], head["deadline"], _Written.of(())  # nearly always
        async with self._inserter.transaction(connection):
            rows = await connection.fetch(self._sql["past_deadline"], LAPSE_LIMIT)
            width = self._reading.attempt.width
            found = [awaited_of(self._reading.attempt.read(row), [*row.values()][width:-1]) for row in rows]
            batch = [(awaited.attempt, judge(awaited, row["now"])) for awaited, row in zip(found, rows, strict=True)]
            written = await self._settle(connection, batch, look=False)
        lapses = [
            Lapse(awaited, settlement, Settled(settlement.move, False, written.followers.get(place, ())))
            for place, (awaited, (_, settlement)) in enumerate(zip(found, batch, strict=True))
        ]
        head = await connection.fetchrow(self._sql["next_deadline"])
        next_at = head["deadline"]
        if next_at is not None and next_at <= head["now"] and len(rows) < LAPSE_LIMIT:
            next_at = after(head["now"], LOCKED)  # it is another session's for now
        return lapses, next_at, written

    async def beat(self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None) -> Beat:
        """Write how far an attempt has come: see ``Store.beat``.

        Raises:
            ClaimLostError: nothing was written.
        """
        row = await self._link.run(
            lambda connection: connection.fetchrow(
                self._sql["beat"], claim.task_id, claim.fence, progress, msg, deadline
            )
        )
        if row is None:
            raise ClaimLostError(claim.task_id)
        return Beat(row["deadline"], row["is_cancelled"])

    async def note_answer(self, attempt: Attempt, exchange: Exchange | None) -> bool:
        """Keep what passed in an attempt whose end was told before: see ``Store.note_answer``."""

        async def note(connection: Connection) -> bool:
            async with connection.transaction():
                text = await connection.fetchval(self._sql["attempt_record"], attempt.task_id, attempt.number)
                if (record := answered(text, attempt.fence, exchange)) is None:
                    return False
                await connection.execute(self._sql["set_attempt_record"], attempt.task_id, attempt.number, record)
            return True

        return await self._link.run(note)

    async def give_back(self, claim: Claim | Attempt) -> Settled:
        """Return a claimed task to the queue.

        Raises:
            ClaimLostError: it was taken back since, or settled before.
        """
        settled, gates = await self._link.run(lambda connection: self._give_back(connection, claim))
        if gates:
            with suppress(StoreError):  # then it is looked at when its time comes
                await self._link.run(lambda connection: self._gates.wake(connection, gates))
        return settled

    async def _give_back(self, connection: Connection, claim: Claim | Attempt) -> tuple[Settled, set[int]]:
        """Return what was written, and the gates that may have room."""
        async with self._inserter.transaction(connection):
            row = await connection.fetchrow(self._sql["give_back"], claim.task_id, claim.fence)
            if row is None:
                raise ClaimLostError(claim.task_id)
            gates = {gate for gate in (row["gate"], row["host_gate"]) if gate is not None}
            if row["state"] != State.CANCELLED:
                return Settled(Move.GIVE_BACK), gates
            followers = self._follow(self._reading.cancelled(row), now=row["now"], new_id=new_id)
            await self._inserter.insert(connection, followers)
        return Settled(Move.STOP, followed_by=followers), gates

    async def _settle(
        self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]], *, look: bool
    ) -> "_Written":
        if all(settlement.ending is None for _, settlement in batch):  # nearly always
            written = _Written.of(await self._write(connection, batch, is_followed=False))
        else:
            async with self._inserter.transaction(connection):
                rows = await self._write(connection, batch, is_followed=True)
                written = _Written.of(rows)
                written.followers.update(await self._insert_what_follows(connection, batch, rows))
        if look and len(written.gates) < len(batch):
            rows = await connection.fetch(
                self._sql["settled_before"],
                [attempt.task_id for attempt, _ in batch],
                [int(settlement.state) for _, settlement in batch],
                [settlement.started_at for _, settlement in batch],
                *_records(batch),
            )
            written.gates.update({row["place"] - 1: row["gate"] for row in rows})
            written.groups.update(_groups(rows))
            written.stopped.update(_stopped(rows))
        return written

    async def _insert_what_follows(
        self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]], rows: Sequence[Record]
    ) -> Mapping[int, Sequence[Task]]:
        """Store the tasks that follow those ends of *batch* that were written, and return them by place."""
        stopped = _stopped(rows)
        followers = {
            place: self._follow(ending.cancelled() if place in stopped else ending, now=row["now"], new_id=new_id)
            for row in rows
            if (ending := batch[place := row["place"] - 1][1].ending) is not None
        }
        await self._inserter.insert(connection, [task for tasks in followers.values() for task in tasks])
        return followers

    async def _write(
        self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]], *, is_followed: bool
    ) -> Sequence[Record]:
        """Write the ends whose claims stand. Return the rows of ``settle``."""
        rows: Sequence[Record] = await connection.fetch(
            self._sql["settle"],
            [attempt.task_id for attempt, _ in batch],
            [attempt.fence for attempt, _ in batch],
            [int(settlement.state) for _, settlement in batch],
            sparse([settlement.due_at for _, settlement in batch]),
            [settlement.started_at for _, settlement in batch],
            [settlement.ended_at for _, settlement in batch],
            sparse([fault_text(settlement.fault) for _, settlement in batch]),
            sparse([settlement.result for _, settlement in batch]),
            *_records(batch),
            sparse([settlement.is_alive is False or None for _, settlement in batch]),
            self._attempts_kept,
            is_followed,
            sparse([settlement.waited for _, settlement in batch]),
            sparse([settlement.deadline for _, settlement in batch]),
            sparse([settlement.counts or None for _, settlement in batch]),
            sparse([settlement.is_of_running or None for _, settlement in batch]),
        )
        return rows


class _Written(NamedTuple):
    """What became of a batch of ends."""

    gates: dict[int, int | None]
    """By place in the batch: the gates of those that were written, of a task with a group that of
    its host; None: nothing is to be said to one."""
    groups: dict[int, int]
    """By place in the batch: the gates of their groups."""
    seen: Mapping[int, GateSnapshot]
    """What was seen of the gates that something is to be said to."""
    followers: dict[int, Sequence[Task]]
    """By place in the batch: the tasks that follow, and were stored with the end."""
    stopped: set[int]
    """Places in the batch whose tasks were cancelled meanwhile, and ended so."""

    @staticmethod
    def of(rows: Sequence[Record]) -> "_Written":
        """Return what the rows of ``settle`` say."""
        one_of_each = {row["gate"]: row for row in rows}
        return _Written(
            {row["place"] - 1: row["gate"] for row in rows},
            _groups(rows),
            {gate: GateSnapshot.of(row) for gate, row in one_of_each.items() if gate is not None},
            {},
            _stopped(rows),
        )


def _records(
    batch: Sequence[tuple[Attempt, Settlement]],
) -> tuple[Sequence[int | None], Sequence[str | None]]:
    """Return the numbers of attempts, and what is kept of them; None: nothing is."""
    records = [settlement.record for _, settlement in batch]
    return (
        [None if record is None else record.number for record in records],
        [None if record is None else record_text(record) for record in records],
    )


def _groups(rows: Sequence[Record]) -> dict[int, int]:
    return {row["place"] - 1: row["group_gate"] for row in rows if row["group_gate"] is not None}


def _stopped(rows: Sequence[Record]) -> set[int]:
    """Return the places of those *rows* of ``settle`` whose tasks ended cancelled."""
    return {row["place"] - 1 for row in rows if row["state"] == State.CANCELLED}
