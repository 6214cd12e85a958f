"""Writes how attempts ended, or that they never began; what follows an end is stored with it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import structlog
from msgspec import Struct

from tasker.errors import ClaimLostError, StoreError
from tasker.ids import new_id
from tasker.interfaces.completions import LAPSE_LIMIT, Beat, Judge, Lapse, Lapsed
from tasker.interfaces.queue import Claim, Follow, Settled
from tasker.model.attempt import Attempt, Exchange
from tasker.model.circuit import CircuitState
from tasker.model.instants import Instant, after
from tasker.model.lifecycle import Move, Settlement
from tasker.model.task import Pool, State, Task, TaskId
from tasker.stores.awaiting import awaited_of
from tasker.stores.faults import fault_text
from tasker.stores.ledger import answered, record_text
from tasker.stores.postgres.claimer import LOCKED
from tasker.stores.postgres.connection import Connection, Link, Record, as_json, sparse
from tasker.stores.postgres.gates import Gates, GateSnapshot
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
        if reports := written.reports(batch):
            try:
                woken = await self._link.run(lambda connection: self._gates.hear(connection, reports, written.seen))
                turned = dict(self._gates.turned)
            except StoreError as error:
                _log.warning("gates were not told how attempts ended", reason=str(error))
        results: list[Settled | ClaimLostError] = []
        told: set[tuple[int | None, int | None, Pool]] = set()
        for place, (attempt, settlement) in enumerate(batch):
            if place not in written.gates:
                results.append(ClaimLostError(attempt.task_id))
                continue
            gate, group = written.gates[place], written.groups.get(place)
            has_room = not woken.isdisjoint((gate, group)) and (gate, group, attempt.pool) not in told
            if has_room:  # one of them tells of it, and one of the circuit
                told.add((gate, group, attempt.pool))
            results.append(
                Settled(
                    Move.STOP if place in written.stopped else settlement.move,
                    has_room,
                    written.followers.get(place, ()),
                    None if gate is None else turned.pop(gate, None),
                )
            )
        return results

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
            written = _Written.of(await self._write(connection, batch))
        else:
            async with self._inserter.transaction(connection):
                rows = await self._write(connection, batch)
                written = _Written.of(rows)
                if rows:
                    followers = await self._insert_what_follows(connection, batch, written, now=rows[0]["now"])
                    written.followers.update(followers)
        if look and len(written.gates) < len(batch):
            rows = await connection.fetch(self._sql["settled_before"], *_given(batch))
            written.add(rows)
        return written

    async def _insert_what_follows(
        self,
        connection: Connection,
        batch: Sequence[tuple[Attempt, Settlement]],
        written: "_Written",
        *,
        now: Instant,
    ) -> Mapping[int, Sequence[Task]]:
        """Store the tasks that follow those ends of *batch* that were written, and return them by place."""
        followers = {
            place: self._follow(ending.cancelled() if place in written.stopped else ending, now=now, new_id=new_id)
            for place in written.gates
            if (ending := batch[place][1].ending) is not None
        }
        await self._inserter.insert(connection, [task for tasks in followers.values() for task in tasks])
        return followers

    async def _write(self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]]) -> Sequence[Record]:
        """Write the ends whose claims stand. Return the rows of ``settle``."""
        rows: Sequence[Record] = await connection.fetch(
            self._sql["settle"],
            *_given(batch),
            sparse([fault_text(settlement.fault) for _, settlement in batch]),
            sparse([settlement.result for _, settlement in batch]),
            self._attempts_kept,
        )
        return rows


class _Row(Struct, frozen=True, omit_defaults=True, gc=False):
    """An end as ``settle`` reads it, but for its texts and bytes."""

    id: TaskId
    fence: int
    state: State
    started_at: Instant
    ended_at: Instant | None = None
    number: int | None = None
    is_dead: bool = False
    due_at: Instant | None = None
    waited: int | None = None
    deadline: Instant | None = None
    counts: bool = False
    is_of_running: bool = False


def _given(batch: Sequence[tuple[Attempt, Settlement]]) -> tuple[str, Sequence[str | None]]:
    """Return the ends of *batch* as JSON, and what is kept of their attempts."""
    return (
        as_json([_row(attempt, settlement) for attempt, settlement in batch]),
        [None if settlement.record is None else record_text(settlement.record) for _, settlement in batch],
    )


def _row(attempt: Attempt, settlement: Settlement) -> _Row:
    return _Row(
        attempt.task_id,
        attempt.fence,
        settlement.state,
        settlement.started_at,
        settlement.ended_at,
        None if settlement.record is None else settlement.record.number,
        settlement.is_alive is False,
        settlement.due_at,
        settlement.waited,
        settlement.deadline,
        settlement.counts,
        settlement.is_of_running,
    )


class _Written(NamedTuple):
    """What became of a batch of ends."""

    gates: dict[int, int | None]
    """By place in the batch: the gates of those that were written, of a task with a group that of
    its host; None: nothing is to be said to one."""
    groups: dict[int, int]
    """By place in the batch: the gates of their groups."""
    seen: dict[int, GateSnapshot]
    """What was seen of the gates that something is to be said to."""
    followers: dict[int, Sequence[Task]]
    """By place in the batch: the tasks that follow, and were stored with the end."""
    stopped: set[int]
    """Places in the batch whose tasks were cancelled meanwhile, and ended so."""

    @staticmethod
    def of(rows: Sequence[Record]) -> "_Written":
        """Return what the rows of ``settle`` say."""
        written = _Written({}, {}, {}, {}, set())
        written.add(rows)
        written.seen.update({row["gate"]: GateSnapshot.of(row) for row in rows if row["gate"] is not None})
        return written

    def add(self, rows: Sequence[Record]) -> None:
        """Add what *rows* say, but for what was seen of gates."""
        for row in rows:
            self.gates.update(dict.fromkeys(row["places"], row["gate"]))
            if row["group_gate"] is not None:
                self.groups.update(dict.fromkeys(row["places"], row["group_gate"]))
            self.stopped.update(row["stopped"] or ())

    def reports(self, batch: Sequence[tuple[Attempt, Settlement]]) -> Mapping[int, Sequence[bool]]:
        """Return what is to be said to gates of the ends of *batch*, as ``Gates.hear`` takes it."""
        reports: dict[int, list[bool]] = {gate: [] for gate in self.groups.values()}
        for place, (_, settlement) in enumerate(batch):
            if (gate := self.gates.get(place)) is not None:
                answers = reports.setdefault(gate, [])
                if settlement.is_alive is not None:
                    answers.append(settlement.is_alive)
        return reports
