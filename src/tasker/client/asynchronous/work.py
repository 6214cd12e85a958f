"""What workers do: claim due tasks of a queue, and say how their work goes."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from tasker.client.answers import Job
from tasker.client.asynchronous.connection import AsyncConnection
from tasker.client.calls import work
from tasker.client.options import Length
from tasker.wire.completions import CompletionView
from tasker.wire.queues import LEASE


class AsyncQueues:
    """What workers claim that pull: ``client.queues``. Needs the scope ``queues:work``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, queue: str, *, max: int = 1, wait: float = 0.0, lease: Length = LEASE) -> list[Job]:
        """Claim due tasks of a queue; if there is none, wait for one.

        Each is this worker's until its ``lease_until``, which heartbeats put off; then it is given to
        others. Say how each ended with ``completions``, and the job's ``token``. If the answer gets lost,
        the tasks that it had come back when their leases end.

        Args:
            queue: its name.
            max: how many tasks, at most: 1 to 100.
            wait: for how many seconds the answer may wait, 0 to 60.
            lease: for how long the worker has each of them: 3 seconds to a day.

        Returns:
            The jobs, earliest due first; empty: none came in time.
        """
        return await self._connection.call(work.claim(queue, most=max, wait=wait, lease=lease))

    async def claim_any(
        self, queues: Sequence[str], *, max: int = 1, wait: float = 0.0, lease: Length = LEASE
    ) -> list[Job]:
        """Claim due tasks of whichever of several queues has one first. All of them are of one queue.

        Args:
            queues: their names, at least one.
            max: as in ``claim``.
            wait: as in ``claim``.
            lease: as in ``claim``.
        """
        return await self._connection.call(work.claim_any(queues, most=max, wait=wait, lease=lease))


class AsyncCompletions:
    """What whoever works on a task says of it: ``client.completions``. Needs the token of the attempt, and no key.

    Each report may be sent again after a lost answer. One that comes twice is refused with
    ``CompletedBefore``, which means that it was heard.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def complete(self, token: str, result: Any = UNSET) -> CompletionView:
        """Say that the work is done.

        Args:
            token: that of the attempt: ``job.token``, or the header ``tasker-completion-token``.
            result: what came of it: any JSON, at most 64 KiB. It is kept with the task.

        Raises:
            CompletedBefore: the end was told before.
            CompletionLate: the attempt is over otherwise, such as by its deadline.
            Cancelled: the task was cancelled.
            TaskNotFound: it was deleted.
            InvalidToken: the token is none of this server.
        """
        return await self._connection.call(work.complete(token, result))

    async def fail(
        self,
        token: str,
        *,
        code: str | None = None,
        msg: str | None = None,
        details: Any = UNSET,
        retry: bool = True,
        retry_after: Length | None = None,
    ) -> CompletionView:
        """Say that the work has failed.

        Args:
            token: as in ``complete``.
            code: a word for programs; ``reported_failure``, if none is given.
            msg: a line for people.
            details: any JSON, at most 16 KiB.
            retry: whether another attempt may help. False: the task has failed for good.
            retry_after: no other attempt comes earlier than so long from now.

        Raises:
            ApiError: as ``complete``.
        """
        return await self._connection.call(
            work.fail(token, code=code, msg=msg, details=details, retry=retry, retry_after=retry_after)
        )

    async def heartbeat(
        self,
        token: str,
        *,
        progress: float | None = None,
        msg: str | None = None,
        deadline: Length | None = None,
    ) -> CompletionView:
        """Say that the work goes on. Of a job that was claimed, this puts off the end of the lease.

        Args:
            token: as in ``complete``.
            progress: the part that is done, from 0 to 1.
            msg: a line for people.
            deadline: how long to wait for the end, from now.

        Raises:
            ApiError: as ``complete``. After ``Cancelled``, the work can stop.
        """
        return await self._connection.call(work.heartbeat(token, progress=progress, msg=msg, deadline=deadline))

    async def release(self, token: str) -> CompletionView:
        """Give back a task that was claimed from a queue: it is due as before, and no attempt is used up.

        Args:
            token: as in ``complete``.

        Raises:
            ApiError: as ``complete``; ``NotClaimed``, if it was not claimed from a queue.
        """
        return await self._connection.call(work.release(token))
