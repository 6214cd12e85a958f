"""What callers can do with destinations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from tasker import urls
from tasker.callers import Caller
from tasker.engine.engine import Engine
from tasker.errors import DestinationNotFoundError, InvalidRequestError, cut
from tasker.filters import destination_id
from tasker.interfaces.store import Store
from tasker.model.audit import Action, Entry, Kind
from tasker.model.event import EventChange
from tasker.model.gate import Destination, GateKind, GateStatus, Limits, group_named, queue_named, status_at
from tasker.service.upgrading import refuse_if_upgrading


class DestinationService:
    """Makes, lists, reads, pauses, resumes, probes and limits destinations.

    For what all methods raise, see ``Service``. An id is a number as text: what comes in a path.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine

    async def page(self, *, after: int, limit: int) -> Sequence[GateStatus]:
        """Return up to *limit* destinations with ids greater than *after*, by id."""
        now = self._store.clock.now()
        return [status_at(record, now) for record in await self._store.gates(after=after, limit=limit)]

    async def troubled(self, *, limit: int) -> Sequence[GateStatus]:
        """Return up to *limit* destinations that are paused, or whose circuit is not closed, by id."""
        now = self._store.clock.now()
        return [status_at(record, now) for record in await self._store.troubled_gates(limit=limit)]

    async def get(self, destination_id: str) -> GateStatus:
        """Return a destination.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        return await self._status(_parsed_id(destination_id))

    async def pause(self, caller: Caller, destination_id: str) -> GateStatus:
        """Let no more tasks of a destination start, and return the destination as it stands then.

        What is running goes on. Twice is as good as once.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        id_ = _parsed_id(destination_id)
        await self._store.pause(id_, entry=_entry(caller, Action.PAUSE, id_))
        return await self._changed(id_, EventChange.PAUSED)

    async def resume(self, caller: Caller, destination_id: str) -> GateStatus:
        """Let the tasks of a destination start again, and return the destination as it stands then.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        id_ = _parsed_id(destination_id)
        await self._store.resume(id_, entry=_entry(caller, Action.RESUME, id_))
        return await self._changed(id_, EventChange.RESUMED)

    async def probe(self, caller: Caller, destination_id: str) -> GateStatus:
        """Let one attempt of a destination start now although its circuit is open; return it as it stands then.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
            NothingToProbeError: it is paused, its circuit is closed, or none of its tasks is due.
        """
        id_ = _parsed_id(destination_id)
        await self._store.probe(id_, entry=_entry(caller, Action.PROBE, id_))
        return await self._changed(id_, EventChange.PROBED)

    async def limit(self, caller: Caller, destination_id: str, limits: Limits) -> GateStatus:
        """Change the limits of a destination, and return the destination as it stands then.

        Raises:
            InvalidRequestError: there is nothing to change.
            DestinationNotFoundError: none has this id, or it is not a number.
            UpgradeUnfinishedError: it is a rate, and nodes of the version before may be running.
        """
        if limits == Limits():
            raise InvalidRequestError("", "expected max_running, max_per_second or burst, got none of them")
        self._refuse_rate(limits)
        id_ = _parsed_id(destination_id)
        await self._store.limit(id_, limits, entry=_entry(caller, Action.LIMIT, id_))
        return await self._changed(id_, EventChange.LIMITED)

    async def make(
        self,
        caller: Caller,
        limits: Limits,
        *,
        url: str | UnsetType = UNSET,
        group: str | UnsetType = UNSET,
        queue: str | UnsetType = UNSET,
    ) -> GateStatus:
        """Make the destination of a URL, a group or a queue, or find it, and return it as it stands then.

        Args:
            limits: changed whether it was there or not.

        Raises:
            InvalidRequestError: it is not one of the three, or the URL cannot be called.
            UpgradeUnfinishedError: it is a group or a queue, or has a rate, and nodes of the version
                before may be running.
        """
        named = {"url": url, "group": group, "queue": queue}
        given = {name: value for name, value in named.items() if isinstance(value, str)}
        if len(given) != 1:
            raise InvalidRequestError("", f"expected url, group or queue, got {' and '.join(given) or 'none of them'}")
        ((name, value),) = given.items()
        try:
            destination = _NAMED[name](value)
        except ValueError as error:
            raise InvalidRequestError(name, str(error)) from None
        if destination.kind is not GateKind.HOST:
            refuse_if_upgrading(self._store, name)
        self._refuse_rate(limits)
        id_ = await self._store.make_gate(destination)
        if limits != Limits():
            await self._store.limit(id_, limits, entry=_entry(caller, Action.LIMIT, id_))
        return await self._changed(id_, None if limits == Limits() else EventChange.LIMITED)

    def _refuse_rate(self, limits: Limits) -> None:
        if limits.max_per_second is not UNSET or limits.burst is not UNSET:
            refuse_if_upgrading(self._store, "max_per_second")

    async def _changed(self, id_: int, change: EventChange | None) -> GateStatus:
        try:
            status = await self._status(id_)  # before the engine hears: a probe ends within a millisecond
        finally:
            self._engine.ring()
        if change is not None and self._engine.events.is_on:
            self._engine.events.destination(status.record.gate.name, change)
        return status

    async def _status(self, id_: int) -> GateStatus:
        return status_at(await self._store.gate(id_), self._store.clock.now())


def _entry(caller: Caller, action: Action, id_: int) -> Entry:
    return caller.entry(action, Kind.DESTINATION, str(id_))


_NAMED: Final[Mapping[str, Callable[[str], Destination]]] = {
    "url": lambda url: Destination(GateKind.HOST, urls.origin(urls.checked(url))),
    "group": group_named,
    "queue": queue_named,
}
"""What makes a destination of what it is named by. Raises ``ValueError`` with what would be right."""


def _parsed_id(text: str) -> int:
    id_ = destination_id(text)
    if id_ is None:
        raise DestinationNotFoundError(cut(text))
    return id_
