"""Finding tasks."""

from msgspec import Struct

from tasker.callers import Caller
from tasker.engine.engine import Engine
from tasker.errors import InvalidQueryError, cut
from tasker.filters import Query
from tasker.interfaces.store import Store
from tasker.interfaces.tasks import Counted
from tasker.model.gate import queue_of_type
from tasker.model.names import is_type_name
from tasker.model.task import Pool, Task
from tasker.service.tasks import shown_in_lists_to
from tasker.task_types.registry import Registry


class FoundPage(Struct, frozen=True):
    """A page of what was found."""

    tasks: list[Task]
    """As lists show them."""
    next: str | None
    """The cursor of the next page; None: this is the last one."""


class FindService:
    """Finds tasks. For what all methods raise, see ``Service``. Tasks are shown as lists show them."""

    def __init__(self, store: Store, engine: Engine, registry: Registry) -> None:
        self._store = store
        self._engine = engine
        self._types = [task_type.name for task_type in registry.types]

    async def page(self, caller: Caller, query: Query, *, cursor: str | None, limit: int) -> FoundPage:
        """Return the page of what *query* finds that begins at *cursor*; None: the first one.

        Raises:
            InvalidQueryError: the server has no such task type, or the cursor is none of this
                query.
        """
        self.check(query)
        after = None if cursor is None else query.position(cursor)
        page = await self._store.find(query, after=after, limit=limit, free_pools=self.free_pools())
        shown = [*map(shown_in_lists_to(caller), page.tasks)]
        return FoundPage(shown, None if page.next is None else query.cursor(page.next))

    async def count(self, query: Query) -> Counted:
        """Return how many tasks *query* finds, on all its pages together; see ``Store.count_found``.

        Raises:
            InvalidQueryError: the server has no such task type.
        """
        self.check(query)
        return await self._store.count_found(query, free_pools=self.free_pools())

    def check(self, query: Query) -> None:
        """Return if the server has the task type that *query* asks for.

        Raises:
            InvalidQueryError: it has not.
        """
        for name in query.types or ():
            if name not in self._types:
                way = f"; or, for what workers pull, queue={queue_of_type(name).name}" if is_type_name(name) else ""
                raise InvalidQueryError("type", f"expected one of {', '.join(self._types)}, got: {cut(name)!r}{way}")

    def free_pools(self) -> frozenset[Pool]:
        """Return the pools in which a slot is free here: the filter ``reason`` asks."""
        return self._engine.slots.free_pools
