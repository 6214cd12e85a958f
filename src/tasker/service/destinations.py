"""What callers can do with destinations."""

from collections.abc import Sequence

from tasker.engine.engine import Engine
from tasker.errors import DestinationNotFoundError, cut
from tasker.interfaces.store import Store
from tasker.model.gate import GateStatus, status_at


class DestinationService:
    """Lists, reads, pauses, resumes, probes and limits destinations. For what all methods raise, see ``Service``.

    An id is a number as text: what comes in a path.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine

    async def page(self, *, after: int, limit: int) -> Sequence[GateStatus]:
        """Return up to *limit* destinations with ids greater than *after*, by id."""
        now = self._store.clock.now()
        return [status_at(record, now) for record in await self._store.gates(after=after, limit=limit)]

    async def get(self, destination_id: str) -> GateStatus:
        """Return a destination.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        return await self._status(_parsed_id(destination_id))

    async def pause(self, destination_id: str) -> GateStatus:
        """Let no more tasks of a destination start, and return the destination as it stands then.

        What is running goes on. Twice is as good as once.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        id_ = _parsed_id(destination_id)
        await self._store.pause(id_)
        return await self._changed(id_)

    async def resume(self, destination_id: str) -> GateStatus:
        """Let the tasks of a destination start again, and return the destination as it stands then.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        id_ = _parsed_id(destination_id)
        await self._store.resume(id_)
        return await self._changed(id_)

    async def probe(self, destination_id: str) -> GateStatus:
        """Let one attempt of a destination start now although its circuit is open; return it as it stands then.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
            NothingToProbeError: it is paused, its circuit is closed, or none of its tasks is due.
        """
        id_ = _parsed_id(destination_id)
        await self._store.probe(id_)
        return await self._changed(id_)

    async def limit(self, destination_id: str, max_running: int | None) -> GateStatus:
        """Say how many tasks of a destination may run at once, and return the destination as it stands then.

        Args:
            max_running: at least 1; None: as many as the settings say.

        Raises:
            DestinationNotFoundError: none has this id, or it is not a number.
        """
        id_ = _parsed_id(destination_id)
        await self._store.limit(id_, max_running)
        return await self._changed(id_)

    async def _changed(self, id_: int) -> GateStatus:
        self._engine.ring()
        return await self._status(id_)

    async def _status(self, id_: int) -> GateStatus:
        return status_at(await self._store.gate(id_), self._store.clock.now())


def _parsed_id(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    raise DestinationNotFoundError(cut(text))
