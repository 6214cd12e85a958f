"""What callers can do with operations."""

from collections.abc import Sequence

from msgspec.structs import replace

from tasker.callers import Caller
from tasker.engine.engine import Engine
from tasker.engine.operations import LOOKED_AT_ONCE
from tasker.errors import OperationNotFoundError, cut
from tasker.filters import Order, query_of
from tasker.ids import new_id, parse_id
from tasker.interfaces.store import Store
from tasker.model import audit
from tasker.model.idempotency import KeptAnswer, Repeatable
from tasker.model.operation import Action, Asked, Operation, OperationState
from tasker.model.task import TaskId
from tasker.service.finding import FindService
from tasker.service.upgrading import refuse_if_upgrading
from tasker.wire.changes import operation_changes


class OperationService:
    """Begins, reads, lists and cancels operations. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine, finding: FindService) -> None:
        self._store = store
        self._engine = engine
        self._finding = finding

    async def create(
        self,
        caller: Caller,
        action: Action,
        asked: Asked,
        *,
        is_dry_run: bool,
        repeatable: Repeatable[Operation] | None,
    ) -> KeptAnswer | Operation:
        """Begin an operation and return it, unless an answer is kept for its request.

        A dry run over no more tasks than a page looks at is done at once.

        Raises:
            InvalidQueryError: a filter cannot be used.
            UpgradeUnfinishedError: it is to cancel or change, and nodes of the version before may be
                running.
            IdempotencyInFlightError: see ``Store.create_once``.
        """
        if action in (Action.CANCEL, Action.CHANGE) and not is_dry_run:
            refuse_if_upgrading(self._store, action.value)
        query = query_of(asked.filter, Order.CREATED.value)
        self._finding.check(query)
        now = self._store.clock.now()
        operation = Operation(id=new_id(now), action=action, asked=asked, is_dry_run=is_dry_run)
        if is_dry_run and not asked.ids and (await self._finding.count(query)).is_exact:
            operation = await self._looked(operation)
        begun = caller.entry(
            audit.Action.BEGIN, audit.Kind.OPERATION, operation.id, changes=operation_changes(operation)
        )
        stored = await self._store.create_operation(operation, repeatable, entry=None if is_dry_run else begun)
        if isinstance(stored, Operation):
            self._engine.announce_operation()
            if self._engine.events.is_on:
                self._engine.events.operation(stored)
        return stored

    async def get(self, operation_id: str) -> Operation:
        """Return an operation.

        Raises:
            OperationNotFoundError: none has this id, or it is not a UUID.
        """
        return await self._store.operation(_parsed_id(operation_id))

    async def page(self, *, before: TaskId | None, limit: int) -> Sequence[Operation]:
        """Return up to *limit* operations, the latest first; only those with ids smaller than *before*."""
        return await self._store.operations(before=before, limit=limit)

    async def cancel(self, caller: Caller, operation_id: str) -> Operation:
        """Have an operation go no further, and return it. One that has ended stays as it is.

        Raises:
            OperationNotFoundError: none has this id, or it is not a UUID.
        """
        id_ = _parsed_id(operation_id)
        entry = caller.entry(audit.Action.CANCEL, audit.Kind.OPERATION, id_)
        operation = await self._store.cancel_operation(id_, entry=entry)
        if self._engine.events.is_on:
            self._engine.events.operation(operation)
        return operation

    async def _looked(self, operation: Operation) -> Operation:
        """Return *operation*, a dry run, once it has met all of its tasks."""
        query = query_of(operation.asked.filter, Order.CREATED.value)
        after = None
        while True:
            page = await self._store.find(
                query, after=after, limit=LOOKED_AT_ONCE, free_pools=self._finding.free_pools()
            )
            operation = await self._engine.operations.look_at(operation, page.tasks)
            after = page.next
            if after is None:
                return replace(operation, state=OperationState.DONE)


def _parsed_id(text: str) -> TaskId:
    try:
        return parse_id(text)
    except ValueError:
        raise OperationNotFoundError(cut(text)) from None
