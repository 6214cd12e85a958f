"""Deletes tasks and operations that ended long ago, and answers, sign-ins and changes that are not kept any longer."""

from datetime import timedelta
from typing import Final

from tasker.engine.telemetry import Telemetry
from tasker.interfaces.store import Store
from tasker.model.task import State

LOOK: Final = timedelta(minutes=1)
"""How often it is looked for what is old enough."""

PAUSE: Final = timedelta(seconds=0.1)
"""Between two batches: others write meanwhile."""


class Pruner:
    """Deletes what ended longer ago than it is to be kept, in small batches. Any number of nodes may do so at once."""

    def __init__(
        self,
        store: Store,
        telemetry: Telemetry,
        *,
        keep_done: timedelta | None,
        keep_failed: timedelta | None,
        keep_audit: timedelta | None,
    ) -> None:
        """Make a pruner.

        Args:
            keep_done: how long tasks that are ``done`` or ``cancelled`` are kept after their end;
                None: for ever.
            keep_failed: the same for those that ``failed``.
            keep_audit: how long the rows of the audit log are kept; None: for ever.
        """
        self._store = store
        self._telemetry = telemetry
        self._keep_audit = keep_audit
        self._kept = {State.DONE: keep_done, State.CANCELLED: keep_done, State.FAILED: keep_failed}

    async def run_once(self) -> timedelta:
        """Delete a batch of each state, one of what has a time of its own, one of kept answers, sign-ins and changes.

        And the spans in which no node looked, as far as they are old. Return after how long to go
        on.

        Raises:
            StoreUnavailableError, StoreBusyError: nothing, or a batch, was deleted.
        """
        await self._store.prune_down()
        pruned = await self._store.prune_kept()
        for state, kept in self._kept.items():
            if kept is not None:
                pruned += await self._store.prune(state, older_than=kept)
        self._telemetry.pruned += pruned
        others = await self._store.prune_kept_answers() + await self._store.prune_sign_ins()
        done = self._kept[State.DONE]
        if done is not None:
            others += await self._store.prune_operations(older_than=done)
        if self._keep_audit is not None:
            others += await self._store.prune_audit(older_than=self._keep_audit)
        return PAUSE if others or pruned else LOOK
