"""Takes back what a process that died left running."""

import structlog

from tasker.engine.telemetry import Telemetry
from tasker.interfaces import Store

_log = structlog.get_logger()


async def recover(store: Store, telemetry: Telemetry) -> None:
    """Return to the queue the tasks whose holder is gone; they run at once. Safe to repeat.

    Raises:
        StoreUnavailableError: the store cannot be written; nothing, or everything, was taken back.
    """
    taken = await store.take_back()
    if taken.todo or taken.failed:
        telemetry.taken_back += taken.todo + taken.failed
        telemetry.failed += taken.failed
        _log.warning("took back tasks that were running when the server died", todo=taken.todo, failed=taken.failed)
