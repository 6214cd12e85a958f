"""The engine: recovery, the delay queue and the worker, running together."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from tasker.engine.delay_queue import DelayQueue
from tasker.engine.recovery import recover
from tasker.engine.slots import Slots
from tasker.engine.telemetry import Telemetry
from tasker.engine.worker import Worker
from tasker.interfaces import Store, TaskType

_log = structlog.get_logger()


class Engine:
    """Runs tasks when they are due, from ``start`` to ``drain``. Needs a running event loop."""

    def __init__(self, store: Store, types: Sequence[TaskType], telemetry: Telemetry, *, rand: Callable[[], float]) -> None:
        """Make an engine that is not running yet.

        Args:
            store: an open store.
            types: the task types it runs, each with a pool of its own.
            rand: random numbers in [0, 1), for the jitter of retries.
        """
        self.telemetry = telemetry
        self.types = tuple(types)
        self.slots = Slots(types)
        self.queue = DelayQueue(store, self.slots)
        self.draining = False
        self._store = store
        by_name = {task_type.name: task_type for task_type in types}
        self._worker = Worker(store, by_name.get, self.queue, self.slots, telemetry, rand)
        self._job: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take back what a dead process left running, then run what is due.

        Raises:
            StoreUnavailableError: the store cannot be written.
        """
        await recover(self._store, self.telemetry)
        self._job = asyncio.create_task(self._run_due_tasks())

    async def drain(self, grace: timedelta) -> None:
        """Claim nothing more; give running attempts *grace* to end, then cancel them and give their tasks back.

        May be called twice, and without ``start``.
        """
        self.draining = True
        self.queue.stop()
        if self._job is not None:
            await self._job
            await self._worker.drain(grace)

    async def _run_due_tasks(self) -> None:
        async for batch in self.queue.batches():
            for attempt in batch:
                self._worker.begin(attempt)
