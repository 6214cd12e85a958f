"""The writing side: what a batch of creates, settles or deletes does, and what is done about one whose answer was lost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from tasker.errors import (
    ClaimLostError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TaskExistsError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskRunningError,
)
from tasker.ids import new_id
from tasker.interfaces import Claim, Follow, Settled
from tasker.model.attempt import Attempt
from tasker.model.lifecycle import Settlement
from tasker.model.task import State, Task, TaskId
from tasker.stores.faults import fault_text
from tasker.stores.group_commit import Result
from tasker.stores.ledger import record_text
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.gates import Gates, Known, News, to_known
from tasker.stores.postgres.inserter import Inserter

_log = structlog.get_logger()


class Writer:
    """Runs batches: each a statement, and so a transaction, without further round trips, unless tasks follow an end."""

    def __init__(
        self,
        accepting: Link,
        settling: Link,
        queries: Mapping[str, str],
        *,
        attempts_kept: int,
        has_room: Callable[[Iterable[int]], None],
        follow: Follow,
    ) -> None:
        """Make a writer.

        Args:
            accepting: the connection for creates, deletes and what operators say.
            settling: the one for settles.
            attempts_kept: how many attempts of a task are kept, at least 1.
            has_room: told of the gates that may have room on this node again.
            follow: says what follows the end of a task.
        """
        self._accepting = accepting
        self._settling = settling
        self._sql = queries
        self._attempts_kept = attempts_kept
        self._gates = Gates(queries)
        self._has_room = has_room
        self._follow = follow
        self._creates = Inserter(accepting, queries)
        self._followers = Inserter(settling, queries)
        self._unknown_settles: set[tuple[TaskId, int]] = set()
        """Tasks and claims of attempts of which it is not known whether their end was written."""

    async def create_batch(self, batch: Sequence[Sequence[Task]]) -> Sequence[Result]:
        """Store what several callers want stored: each all or nothing."""
        single = [tasks for tasks in batch if len(tasks) == 1]
        try:
            stored = await self._insert_repeatedly([tasks[0] for tasks in single]) if single else set()
        except StoreError as error:
            return [error] * len(batch)
        results: list[Result] = []
        for tasks in batch:
            if len(tasks) == 1:
                # An id that comes twice is stored for its first caller.
                is_stored = tasks[0].id in stored
                stored.discard(tasks[0].id)
                results.append(None if is_stored else TaskExistsError(tasks[0].id))
            else:
                results.append(await self._create_together(tasks))
        return results

    async def _insert_repeatedly(self, tasks: Sequence[Task]) -> set[TaskId]:
        """Insert what is not stored yet and return which. If the connection breaks, once more: it may have been done."""
        try:
            return await self._accepting.run(lambda connection: self._creates.insert(connection, tasks))
        except StoreFullError:
            raise
        except StoreUnavailableError:
            await self._accepting.run(lambda connection: self._creates.insert(connection, tasks))
            stored = await self._accepting.run(
                lambda connection: connection.fetch(self._sql["existing_for_sure"], [task.id for task in tasks])
            )
            return {TaskId(str(row[0])) for row in stored}

    async def _create_together(self, tasks: Sequence[Task]) -> Result:
        """Store several tasks of one caller, or none."""

        async def create(connection: Connection) -> Result:
            async with self._creates.transaction(connection):
                stored = await self._creates.insert(connection, tasks)
                for task in tasks:
                    if task.id not in stored:
                        raise TaskExistsError(task.id)
                    stored.discard(task.id)

        try:
            await self._accepting.run(create)
        except (StoreError, TaskExistsError) as error:
            return error
        return None

    async def settle_batch(self, batch: Sequence[tuple[Attempt, Settlement]]) -> Sequence[Result]:
        """Write how several attempts ended; what was claimed by nobody, or by somebody else, has lost its claim.

        Then tell their gates. If the database goes away in between, a circuit has not heard of them, and what a gate holds is
        looked at when its time comes: both mend themselves.
        """
        claims = {(attempt.task_id, attempt.fence) for attempt, _ in batch}
        was_unknown = not claims.isdisjoint(self._unknown_settles)
        self._unknown_settles |= claims
        settled = await self._settling.run(lambda connection: self._settle(connection, batch, look=was_unknown))
        self._unknown_settles -= claims
        woken: set[int] = set()
        news = [News(gate, batch[place][1].is_alive) for place, gate in settled.gates.items() if gate is not None]
        if news:
            try:
                woken = await self._settling.run(lambda connection: self._gates.hear(connection, news, settled.known))
            except StoreError as error:
                _log.warning("gates were not told how attempts ended", reason=str(error))
            self._has_room(woken)
        return [
            Settled(settlement.move, settled.gates[place] in woken, settled.followers.get(place, ()))
            if place in settled.gates
            else ClaimLostError(attempt.task_id)
            for place, (attempt, settlement) in enumerate(batch)
        ]

    async def _settle(self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]], *, look: bool) -> "_Settled":
        if all(settlement.ending is None for _, settlement in batch):  # nearly always
            settled = await self._write_ends(connection, batch)
        else:
            async with self._followers.transaction(connection):
                settled = await self._write_ends(connection, batch)
                settled.followers.update(await self._insert_what_follows(connection, batch, [*settled.gates]))
        if look and len(settled.gates) < len(batch):
            rows = await connection.fetch(
                self._sql["settled_before"],
                [attempt.task_id for attempt, _ in batch],
                [int(settlement.state) for _, settlement in batch],
                [settlement.started_at for _, settlement in batch],
            )
            settled.gates.update({row[0] - 1: row[1] for row in rows})
        return settled

    async def _insert_what_follows(
        self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]], places: Sequence[int]
    ) -> Mapping[int, Sequence[Task]]:
        """Store the tasks that follow those ends of *batch* that were written, and return them by place."""
        now = await connection.fetchval("SELECT tasker_now()")
        followers = {
            place: self._follow(ending, now=now, new_id=new_id)
            for place in places
            if (ending := batch[place][1].ending) is not None
        }
        await self._followers.insert(connection, [task for tasks in followers.values() for task in tasks])
        return followers

    async def _write_ends(self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]]) -> "_Settled":
        rows = await connection.fetch(
            self._sql["settle"],
            [attempt.task_id for attempt, _ in batch],
            [attempt.fence for attempt, _ in batch],
            [int(settlement.state) for _, settlement in batch],
            [settlement.due_at for _, settlement in batch],
            [settlement.started_at for _, settlement in batch],
            [settlement.ended_at for _, settlement in batch],
            [fault_text(settlement.fault) for _, settlement in batch],
            [settlement.result for _, settlement in batch],
            [None if settlement.record is None else settlement.record.number for _, settlement in batch],
            [None if settlement.record is None else record_text(settlement.record) for _, settlement in batch],
            [settlement.is_alive is False for _, settlement in batch],
            self._attempts_kept,
        )
        gates = {row[0] - 1: row[1] for row in rows}
        return _Settled(gates, {}, {row[1]: to_known(row[1:]) for row in rows if row[1] is not None})

    async def give_back(self, claim: Claim | Attempt) -> None:
        """See ``Store``."""
        rows = await self._settling.run(
            lambda connection: connection.fetch(self._sql["give_back"], [claim.task_id], [claim.fence])
        )
        if not rows:
            raise ClaimLostError(claim.task_id)
        gates = [row[0] for row in rows if row[0] is not None]
        self._has_room(gates)
        with suppress(StoreError):  # then it is looked at when its time comes
            await self._settling.run(lambda connection: self._gates.wake(connection, gates))

    async def retry(self, task_id: TaskId) -> None:
        """See ``Store``."""

        async def retry(connection: Connection) -> None:
            if await connection.fetchval(self._sql["retry"], task_id) is not None:
                return
            state = await connection.fetchval(self._sql["state"], task_id)
            if state is None:
                raise TaskNotFoundError(task_id)
            raise TaskExpiredError(task_id) if state == State.FAILED else TaskNotFailedError(task_id, State(state).word)

        await self._accepting.run(retry)

    async def pause(self, gate: int, paused: bool) -> None:
        """See ``Store``."""
        await self._accepting.run(lambda connection: self._gates.pause(connection, gate, paused))
        self._has_room([gate])

    async def limit(self, gate: int, max_running: int | None) -> None:
        """See ``Store``."""
        await self._accepting.run(lambda connection: self._gates.limit(connection, gate, max_running))
        self._has_room([gate])

    async def delete_batch(self, batch: Sequence[TaskId]) -> Sequence[Result]:
        """Delete several tasks that are not running."""

        async def delete(connection: Connection) -> tuple[set[TaskId], set[TaskId]]:
            gone = {TaskId(str(row[0])) for row in await connection.fetch(self._sql["delete"], list(batch))}
            left = [task_id for task_id in batch if task_id not in gone]
            there = await connection.fetch(self._sql["existing"], left) if left else []
            return gone, {TaskId(str(row[0])) for row in there}

        gone, there = await self._accepting.run(delete)
        results: list[Result] = []
        for task_id in batch:
            if task_id in gone:
                gone.discard(task_id)  # a second caller finds nothing
                results.append(None)
            else:
                results.append(TaskRunningError(task_id) if task_id in there else TaskNotFoundError(task_id))
        return results


class _Settled(NamedTuple):
    """What became of a batch of ends."""

    gates: dict[int, int | None]
    """By place in the batch: the gates of those that were written; None: nothing is to be said to one."""
    followers: dict[int, Sequence[Task]]
    """By place in the batch: the tasks that follow, and were stored with the end."""
    known: dict[int, Known]
    """What was seen of the gates that something is to be said to."""
