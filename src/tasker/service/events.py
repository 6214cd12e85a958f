"""What callers can do with events: read them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from tasker.callers import Caller
from tasker.engine.engine import Engine
from tasker.engine.event_reader import Reader
from tasker.event_filters import interest_of
from tasker.filters import destination_id
from tasker.interfaces.store import Store

_DESTINATION: Final = "destination"


class EventService:
    """Lets callers read what happens. For what all methods raise, see ``Service``."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine

    @asynccontextmanager
    async def reading(
        self,
        caller: Caller,
        given: Mapping[str, Sequence[str]],
        *,
        is_signals: bool,
        push: Callable[[bytes], bool],
        cut: Callable[[], None],
    ) -> AsyncIterator[Reader]:
        """Let a caller read while the block lasts, or until its key is revoked. ``Reader.parts`` has what it is told.

        Args:
            given: filters by name: see ``interest_of``. A destination may be an id, too.
            is_signals: whether only the kinds of events are told.
            push: sends a part past ``Reader.parts``, while that waits for news; returns False if it cannot.
            cut: called once the caller is too slow: its connection is to be closed at once.

        Raises:
            InvalidQueryError: a filter cannot be used.
            DestinationNotFoundError: no destination has the id.
            TooManyReadersError: there is no room for another reader.
        """
        interest = interest_of(given)
        for each, values in interest.given:
            if each.name == _DESTINATION and (id_ := destination_id(values[0])) is not None:
                interest = interest.having(each, ((await self._store.gate(id_)).gate.name,))
        reader = self._engine.events.join(interest, is_signals=is_signals, push=push, cut=cut)
        try:
            with self._engine.key_ring.while_valid(caller, partial(reader.end, "the key is not valid any more")):
                yield reader
        finally:
            reader.leave()
