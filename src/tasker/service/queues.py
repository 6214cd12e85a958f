"""What workers can do that pull: claim tasks of queues."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from tasker.callers import Caller, Role, Scope
from tasker.engine.engine import Engine
from tasker.errors import InvalidRequestError, ScopeMissingError, cut
from tasker.interfaces.pulling import Pulled
from tasker.interfaces.store import Store
from tasker.model import lengths, names
from tasker.model.attempt import Attempt
from tasker.model.completion_token import TokenClaim, completion_token
from tasker.model.gate import Destination, queue_named, queue_of_type
from tasker.model.task import PULLED
from tasker.task_types.registry import Registry
from tasker.wire.fields import readable_end_fields

_SHORTEST_LEASE: Final = timedelta(seconds=3)
_LONGEST_LEASE: Final = timedelta(days=1)


class QueueService:
    """Gives workers tasks of queues. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine, registry: Registry) -> None:
        self._store = store
        self._engine = engine
        named = [queue_of_type(each.name) for each in registry.types if each.pool == PULLED]
        self._of_types = {destination.name: destination for destination in named}
        self._key: bytes | None = None

    async def claim(
        self,
        caller: Caller,
        queues: Sequence[str],
        *,
        most: int,
        lease: str | float,
        longest: timedelta,
        when_left: Callable[[Callable[[], None]], None],
    ) -> Pulled:
        """Give a worker up to *most* due tasks of one of *queues*, as soon as there is one, at most *longest* from now.

        Nothing after that time, and once the node stops; at once, if too many callers wait already.
        What is given is to be ``taken`` or ``give_back``.

        Args:
            lease: how long the worker has them, as a length of time.
            when_left: takes what is to be called once nobody waits for the answer any more.

        Raises:
            InvalidRequestError: one of *queues* cannot be one, or *lease* cannot be used.
            ScopeMissingError: the caller may not claim tasks of one of them.
        """
        destinations = [self._destination(queue) for queue in dict.fromkeys(queues)]
        for queue in queues:
            if not caller.may_work_on(queue):
                raise ScopeMissingError(
                    caller.name, f"{Scope.QUEUES_WORK.value}:{queue}", [Role.WRITE.value, Role.ADMIN.value]
                )
        length = _lease(lease)
        if self._key is None:
            self._key = await self._store.completion_key()
        return await self._engine.pulls.pull(
            destinations, most=most, lease=length, longest=longest, when_left=when_left
        )

    def token(self, attempt: Attempt) -> str:
        """Return what shows that somebody was given *attempt*, once ``claim`` has returned it."""
        assert self._key is not None  # noqa: S101 - as the docstring says
        return completion_token(self._key, TokenClaim(attempt.task_id, attempt.fence))

    def taken(self, pulled: Pulled) -> None:
        """Say that a worker has been told of what was *pulled*: these attempts have begun."""
        for attempt in pulled.attempts:
            self._engine.aftermath.began(attempt, pulled.started_at)
            if self._engine.events.is_on:
                self._engine.events.started(attempt, readable_end_fields(attempt.payload))

    def give_back(self, attempts: Sequence[Attempt]) -> None:
        """Say that nobody has been told of these *attempts*: they are due as before."""
        self._engine.pulls.give_back(attempts)

    def _destination(self, queue: str) -> Destination:
        if queue in self._of_types:
            return self._of_types[queue]
        of_type = queue.removeprefix(queue_of_type("").name)
        if of_type != queue and names.is_type_name(of_type):
            return queue_of_type(of_type)  # other nodes may know it, and have stored what waits there
        try:
            return queue_named(queue)
        except ValueError:
            others = f", or {', '.join(self._of_types)}" if self._of_types else ""
            raise InvalidRequestError(
                "queue",
                f"expected the name of a queue: {names.EXPECTED}{others}; got: {cut(queue)!r}",
            ) from None


def _lease(length: str | float) -> timedelta:
    try:
        lease = lengths.parse(length)
    except ValueError as error:
        raise InvalidRequestError("lease", str(error)) from None
    if not _SHORTEST_LEASE <= lease <= _LONGEST_LEASE:
        raise InvalidRequestError("lease", f"expected 3s to 1d, got: {length}")
    return lease
