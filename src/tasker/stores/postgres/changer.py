"""What callers do to tasks that are stored: run them again, change them, delete them."""

from collections.abc import Mapping, Sequence

from tasker.errors import (
    RevisionPassedError,
    TaskExpiredError,
    TaskNotFailedError,
    TaskNotFoundError,
    TaskRunningError,
)
from tasker.model.change import Change
from tasker.model.task import State, TaskId
from tasker.stores.postgres.connection import Connection, Link
from tasker.stores.postgres.inserter import Inserter


class Changer:
    """Changes tasks that are not running. Each change is a statement, and so a transaction."""

    def __init__(self, link: Link, queries: Mapping[str, str], inserter: Inserter) -> None:
        self._link = link
        self._sql = queries
        self._inserter = inserter

    async def retry(self, task_id: TaskId) -> None:
        """Have a failed task run again: see ``Store.retry``."""
        await self._link.run(lambda connection: self._retry(connection, task_id))

    async def _retry(self, connection: Connection, task_id: TaskId) -> None:
        if await connection.fetchval(self._sql["retry"], task_id) is not None:
            return
        state = await connection.fetchval(self._sql["state"], task_id)
        if state is None:
            raise TaskNotFoundError(task_id)
        raise TaskExpiredError(task_id) if state == State.FAILED else TaskNotFailedError(task_id, State(state).word)

    async def change(self, change: Change) -> None:
        """Write what a task is given anew: see ``Store.change``."""
        await self._link.run(lambda connection: self._change(connection, change))

    async def _change(self, connection: Connection, change: Change) -> None:
        task = change.task
        gate, host_gate = await self._inserter.gates_of(connection, task)
        changed = await connection.fetchval(
            self._sql["change"],
            task.id,
            change.revision,
            task.due_at,
            task.execution_at,
            task.execution_time,
            gate,
            host_gate,
            task.expires_at,
            task.keep,
            task.patience,
            task.payload if change.has_new_payload else None,
        )
        if changed is None:
            if await connection.fetchval(self._sql["state"], task.id) is None:
                raise TaskNotFoundError(task.id)
            raise RevisionPassedError(task.id)

    async def delete_batch(self, batch: Sequence[TaskId]) -> Sequence[TaskRunningError | TaskNotFoundError | None]:
        """Delete several tasks that are not running. Return each one's error; None: it is gone."""

        async def delete(connection: Connection) -> tuple[set[TaskId], set[TaskId]]:
            gone = {TaskId(str(row["id"])) for row in await connection.fetch(self._sql["delete"], list(batch))}
            left = [task_id for task_id in batch if task_id not in gone]
            there = await connection.fetch(self._sql["existing"], left) if left else []
            return gone, {TaskId(str(row["id"])) for row in there}

        gone, there = await self._link.run(delete)
        results: list[TaskRunningError | TaskNotFoundError | None] = []
        for task_id in batch:
            if task_id in gone:
                gone.discard(task_id)  # a second caller finds nothing
                results.append(None)
            else:
                results.append(TaskRunningError(task_id) if task_id in there else TaskNotFoundError(task_id))
        return results
