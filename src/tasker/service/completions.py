"""What receivers of long jobs can do with the token of an attempt."""

from datetime import timedelta

from tasker.engine.engine import Engine
from tasker.errors import (
    ClaimLostError,
    CompletedBeforeError,
    CompletionLateError,
    CompletionVoidError,
    InvalidTokenError,
    TaskCancelledError,
)
from tasker.interfaces.completions import Beat
from tasker.interfaces.queue import Claim
from tasker.interfaces.store import Store
from tasker.model.attempt import Failed, Outcome, Succeeded
from tasker.model.completion_token import claim_of
from tasker.model.task import Fault, State


class CompletionService:
    """Ends attempts, and hears how far they have come. For what all methods raise, see ``Service``.

    ``claim`` is asked first: the token that the receiver got with its request is what lets it in.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._completions = engine.completions
        self._key: bytes | None = None

    async def claim(self, token: str) -> Claim:
        """Return the claim that *token* is of, whether its attempt has ended or not.

        Raises:
            InvalidTokenError: it is no token of this server.
        """
        if self._key is None:
            self._key = await self._store.completion_key()
        named = claim_of(self._key, token)
        if named is None:
            raise InvalidTokenError
        return Claim(*named)

    async def complete(self, claim: Claim, result: bytes | None) -> State:
        """End the attempt with *claim* well. Return the state of its task then: it survives a power loss.

        Args:
            result: what was computed, as JSON; None: nothing.

        Raises:
            TaskNotFoundError: the task was deleted.
            TaskCancelledError, CompletedBeforeError, CompletionLateError: the attempt has ended.
                Nothing was changed.
        """
        return await self._end(claim, Succeeded(result))

    async def fail(self, claim: Claim, fault: Fault, *, retry: bool, retry_after: timedelta | None) -> State:
        """End the attempt with *claim* as failed; see ``complete``.

        Args:
            retry: whether another attempt may help.
            retry_after: no other comes earlier than so long from now.
        """
        return await self._end(claim, Failed(fault, permanent=not retry, retry_after=retry_after))

    async def release(self, claim: Claim) -> State:
        """Give back the task of the attempt with *claim*, as if it had not been claimed; see ``complete``.

        Raises:
            NotPulledError: it was not claimed from a queue. Nothing was changed.
        """
        try:
            return await self._completions.give_back(claim)
        except ClaimLostError:
            raise await self._why_void(claim) from None

    async def heartbeat(
        self, claim: Claim, *, progress: float | None, msg: str | None, deadline: timedelta | None
    ) -> Beat:
        """Hear that the attempt with *claim* goes on; see ``Completions.beat``. Raises what ``complete`` does.

        A task that was cancelled meanwhile is reported as such, so that the receiver can stop.
        """
        try:
            beat = await self._completions.beat(claim, progress=progress, msg=msg, deadline=deadline)
        except ClaimLostError:
            raise await self._why_void(claim) from None
        if beat.is_cancelled:
            raise TaskCancelledError(claim.task_id)
        return beat

    async def _end(self, claim: Claim, outcome: Outcome) -> State:
        try:
            return await self._completions.end(claim, outcome)
        except ClaimLostError:
            raise await self._why_void(claim) from None

    async def _why_void(self, claim: Claim) -> CompletionVoidError:
        """Return what is wrong with a token whose attempt has ended."""
        task = await self._store.get(claim.task_id)
        await self._store.confirm()
        if task.state is State.CANCELLED or task.is_cancelled:
            return TaskCancelledError(task.id)
        was_told = any(record.told_by == claim.fence for record in await self._store.attempts(task.id))
        return CompletedBeforeError(task.id) if was_told else CompletionLateError(task.id)
