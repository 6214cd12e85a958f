"""The writing side: what a batch of creates, settles or deletes does, and what is done about one whose answer was lost."""

from collections.abc import Mapping, Sequence

from tasker.errors import (
    ClaimLostError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TaskExistsError,
    TaskNotFoundError,
    TaskRunningError,
)
from tasker.model.attempt import Attempt
from tasker.model.lifecycle import Settlement
from tasker.model.task import Pool, Task, TaskId
from tasker.stores.faults import fault_text
from tasker.stores.group_commit import Result
from tasker.stores.postgres.connection import Connection, Link


class Writer:
    """Runs batches: each a statement, and so a transaction, without further round trips."""

    def __init__(self, accepting: Link, settling: Link, queries: Mapping[str, str]) -> None:
        """Make a writer.

        Args:
            accepting: the connection for creates and deletes.
            settling: the one for settles.
        """
        self._accepting = accepting
        self._settling = settling
        self._sql = queries
        self._known_type_pools: set[tuple[str, Pool]] = set()
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
            return await self._accepting.run(lambda connection: self._insert(connection, tasks))
        except StoreFullError:
            raise
        except StoreUnavailableError:
            await self._accepting.run(lambda connection: self._insert(connection, tasks))
            stored = await self._accepting.run(
                lambda connection: connection.fetch(self._sql["existing_for_sure"], [task.id for task in tasks])
            )
            return {TaskId(str(row[0])) for row in stored}

    async def _create_together(self, tasks: Sequence[Task]) -> Result:
        """Store several tasks of one caller, or none."""

        async def create(connection: Connection) -> Result:
            async with connection.transaction():
                stored = await self._insert(connection, tasks)
                for task in tasks:
                    if task.id not in stored:
                        raise TaskExistsError(task.id)
                    stored.discard(task.id)

        try:
            await self._accepting.run(create)
        except (StoreError, TaskExistsError) as error:
            self._known_type_pools.clear()  # some may have been written by what is rolled back
            return error
        return None

    async def _insert(self, connection: Connection, tasks: Sequence[Task]) -> set[TaskId]:
        for task in tasks:
            if (task.type, task.pool) not in self._known_type_pools:
                await connection.execute(self._sql["insert_type_pool"], task.type, task.pool)
                self._known_type_pools.add((task.type, task.pool))
        rows = await connection.fetch(
            self._sql["insert_tasks"],
            [task.id for task in tasks],
            [task.type for task in tasks],
            [int(task.state) for task in tasks],
            [task.pool for task in tasks],
            [task.due_at for task in tasks],
            [task.execution_at for task in tasks],
            [task.execution_time for task in tasks],
            [task.fields for task in tasks],
        )
        if len(rows) == len(tasks):  # nearly always
            return {task.id for task in tasks}
        return {TaskId(str(row[0])) for row in rows}

    async def settle_batch(self, batch: Sequence[tuple[Attempt, Settlement]]) -> Sequence[Result]:
        """Write how several attempts ended; what was claimed by nobody, or by somebody else, has lost its claim."""
        claims = {(attempt.task_id, attempt.claim) for attempt, _ in batch}
        was_unknown = not claims.isdisjoint(self._unknown_settles)
        self._unknown_settles |= claims
        settled = await self._settling.run(lambda connection: self._settle(connection, batch, look=was_unknown))
        self._unknown_settles -= claims
        results: list[Result] = []
        for attempt, _ in batch:
            results.append(None if attempt.task_id in settled else ClaimLostError(attempt.task_id))
            settled.discard(attempt.task_id)  # a second caller has lost it
        return results

    async def _settle(self, connection: Connection, batch: Sequence[tuple[Attempt, Settlement]], *, look: bool) -> set[TaskId]:
        rows = await connection.fetch(
            self._sql["settle"],
            [attempt.task_id for attempt, _ in batch],
            [attempt.claim for attempt, _ in batch],
            [int(settlement.state) for _, settlement in batch],
            [settlement.due_at for _, settlement in batch],
            [settlement.started_at for _, settlement in batch],
            [settlement.ended_at for _, settlement in batch],
            [fault_text(settlement.fault) for _, settlement in batch],
            [settlement.result for _, settlement in batch],
        )
        if len(rows) == len(batch):  # nearly always
            return {attempt.task_id for attempt, _ in batch}
        settled = {TaskId(str(row[0])) for row in rows}
        if look:
            rows = await connection.fetch(
                self._sql["settled_before"],
                [attempt.task_id for attempt, _ in batch],
                [int(settlement.state) for _, settlement in batch],
                [settlement.started_at for _, settlement in batch],
            )
            settled |= {TaskId(str(row[0])) for row in rows}
        return settled

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
